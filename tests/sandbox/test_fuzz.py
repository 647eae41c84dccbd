"""Requests that nobody would send: never a 500, never a secret, never a hang.

By default a few hundred; the campaign makes tens of thousands.
"""

from __future__ import annotations

import json
import re
import time
import tracemalloc
from collections.abc import Iterator
from email.utils import formatdate
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from helpers.sandbox.operations import IDENTITY_VERSIONS, OLD_PREVIEW
from tests.sandbox.wire import Reply, Service, ask, signed_headers

DEFAULT = settings(
    max_examples=150,
    deadline=2000,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
CAMPAIGN = settings(DEFAULT, max_examples=10_000, derandomize=False, deadline=5000)

EXPECTED_STATUSES = {200, 201, 204, 400, 401, 404, 405, 413, 415, 421}
CODES = re.compile(r"[A-Z][A-Za-z]+")
ERROR_MEMBERS = {"code", "message", "target", "innerError"}

# Bytes that a header or target can hold after the server has read it.
visible = st.text(st.characters(min_codepoint=0x21, max_codepoint=0x7E), max_size=60)
header_text = st.text(st.characters(min_codepoint=0x20, max_codepoint=0xFF), max_size=80)
versions = st.sampled_from([OLD_PREVIEW, *IDENTITY_VERSIONS]) | visible
methods = st.sampled_from(["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"]) | st.text(
    "ABCXYZ-", min_size=1, max_size=10
)
raw_ids = st.one_of(
    visible.filter(lambda text: not set(text) & set("/?#")),
    st.sampled_from(["foo", "%", "%2F", "%00", "8:acs:", "8%3Aacs%3A", "%F0%9F%98%80", "..", "."]),
    st.from_regex(r"8:acs:[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}_[0-9a-f-]{36}", fullmatch=True),
    st.just("OWN"),
)
paths = st.one_of(
    st.just("/identities"),
    st.just("/teamsUser/:exchangeAccessToken"),
    st.builds("/identities/{}".format, raw_ids),
    st.builds(
        "/identities/{}/{}".format,
        raw_ids,
        st.sampled_from([":issueAccessToken", ":revokeAccessTokens", "token"]) | visible,
    ),
    visible.map(lambda text: "/" + text),
    visible,
)
json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=300)
    | st.sampled_from(["chat", "voip", "chat.join", "invalid", 60, 1440, 59]),
    lambda inner: (
        st.lists(inner, max_size=5) | st.dictionaries(st.text(max_size=10), inner, max_size=5)
    ),
    max_leaves=8,
)
names = st.sampled_from(
    [
        "scopes",
        "createTokenWithScopes",
        "expiresInMinutes",
        "customId",
        "token",
        "appId",
        "userId",
        "tokensValidFrom",
    ]
)
bodies = st.one_of(
    st.just(b""),
    st.dictionaries(names, json_values, max_size=4).map(lambda value: json.dumps(value).encode()),
    json_values.map(lambda value: json.dumps(value).encode()),
    st.binary(max_size=200),
    st.sampled_from(
        [b"[" * 60_000, b'{"a":' * 10_000, b"\xef\xbb\xbf{}", b'"\\ud800"', b"1" * 5000]
    ),
)
content_types = (
    st.sampled_from(
        [None, "application/json", "application/merge-patch+json", "text/plain", "", ";", "a/b/c"]
    )
    | header_text
)


@pytest.fixture(scope="module")
def fuzzed() -> Iterator[Service]:
    service = Service()
    yield service
    service.directory.store.close()


def judge(service: Service, reply: Reply) -> None:
    """What must hold for every answer, whatever was asked."""
    assert reply.status in EXPECTED_STATUSES
    # The caller's own request id comes back, whatever it says.
    headers = {k: v for k, v in reply.headers.items() if k != "x-ms-client-request-id"}
    text = reply.content.decode("utf-8") + repr(headers)
    for resource in service.directory.store.resources():
        for _, key in resource.keys:
            assert key not in text
    assert "Traceback" not in text
    assert "PRIVATE KEY" not in text
    if reply.status >= 400 and reply.content:
        error = reply.json["error"]
        assert set(error) <= ERROR_MEMBERS
        assert CODES.fullmatch(error["code"])
        assert "\n" not in error["message"]
        assert len(error["message"]) < 1000
    if reply.status < 300:
        assert "retry-after" not in reply.headers
    for name in ("date", "ms-cv", "x-processing-time", "strict-transport-security"):
        assert reply.headers[name]


def check_signed(
    service: Service,
    method: str,
    path: str,
    version: str,
    body: bytes,
    content_type: str | None,
    entra: bool,
) -> None:
    if "OWN" in path:
        path = path.replace("OWN", service.new_identity())
    if not path or set(path) & set("?#"):
        path = "/"
    target = f"{path}?api-version={version.replace('#', '')}"
    if entra:
        token, _ = service.directory.entra.managed_identity_token(
            "https://communication.azure.com/"
        )
        headers = [("Host", "localhost"), ("Authorization", f"Bearer {token}")]
    else:
        headers = signed_headers(method, target, body, service.key)
    if content_type is not None:
        headers.append(("Content-Type", content_type))
    reply = ask(service.app, method, target, headers, body)

    judge(service, reply)
    assert reply.status != 401 or reply.json["error"]["code"] != "Denied"


signed_requests = given(
    method=methods,
    path=paths,
    version=versions,
    body=bodies,
    content_type=content_types,
    entra=st.booleans(),
)


@DEFAULT
@signed_requests
def test_signed_nonsense_is_answered_properly(fuzzed: Service, **request: Any) -> None:
    check_signed(fuzzed, **request)


@pytest.mark.campaign
@CAMPAIGN
@signed_requests
def test_signed_nonsense_campaign(fuzzed: Service, **request: Any) -> None:
    check_signed(fuzzed, **request)


# The proof of who calls

dates = st.one_of(
    header_text,
    st.datetimes().map(lambda moment: moment.strftime("%a, %d %b %Y %H:%M:%S GMT")),
    st.floats(-1e12, 1e12).map(lambda offset: f"{offset} GMT"),
    st.just(""),
)
authorizations = st.one_of(
    header_text,
    st.builds(
        "HMAC-SHA256 SignedHeaders={}&Signature={}".format,
        st.just("x-ms-date;host;x-ms-content-sha256") | header_text,
        header_text | st.binary(max_size=40).map(lambda data: data.hex()),
    ),
    header_text.map(lambda text: "Bearer " + text),
    st.lists(st.text("abcABC012-_=+/", max_size=30), min_size=3, max_size=3).map(
        lambda parts: "Bearer " + ".".join(parts)
    ),
    st.just("Bearer eyJhbGciOiJub25lIn0.e30."),
)


def check_unproven(
    service: Service,
    authorization: str,
    date: str,
    body_hash: str,
    hosts: str,
    body: bytes,
    request_id: str,
) -> None:
    before = service.directory.store.count_identities()
    headers = [
        ("Host", hosts),
        ("x-ms-date", date),
        ("x-ms-content-sha256", body_hash),
        ("Authorization", authorization),
        ("x-ms-client-request-id", request_id),
    ]
    reply = ask(service.app, "POST", "/identities?api-version=2023-10-01", headers, body)

    judge(service, reply)
    assert reply.status in (401, 421)
    assert reply.headers["x-ms-client-request-id"] == request_id
    assert service.directory.store.count_identities() == before


unproven_requests = given(
    authorization=authorizations,
    date=dates | st.just("NOW").map(lambda _: formatdate(usegmt=True)),
    body_hash=header_text | st.just("47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU="),
    hosts=st.just("localhost") | header_text,
    body=st.just(b"") | bodies,
    request_id=header_text,
)


@DEFAULT
@unproven_requests
def test_nobody_gets_in_by_luck(fuzzed: Service, **request: Any) -> None:
    check_unproven(fuzzed, **request)


@pytest.mark.campaign
@CAMPAIGN
@unproven_requests
def test_nobody_gets_in_by_luck_campaign(fuzzed: Service, **request: Any) -> None:
    check_unproven(fuzzed, **request)


# One step beside a good request


def check_bent(service: Service, where: int, byte: int, part: str) -> None:
    """Change one byte of a properly signed request: it is refused, or means the same."""
    target = "/identities?api-version=2023-10-01"
    body = b'{"createTokenWithScopes": ["chat"]}'
    headers = [
        *signed_headers("POST", target, body, service.key),
        ("Content-Type", "application/json"),
    ]
    method = "POST"
    if part == "body":
        bent = bytearray(body)
        bent[where % len(bent)] = byte
        if bytes(bent) == body:
            return
        body = bytes(bent)
    elif part == "target":
        letters = list(target)
        letters[where % len(letters)] = chr(0x21 + byte % 94)
        if "".join(letters) == target:
            return
        target = "".join(letters)
    else:
        name, value = headers[where % 4]
        letters = list(value)
        letters[byte % len(letters)] = chr(0x21 + where % 94)
        # The names of the signed headers may be written in capitals.
        if "".join(letters).lower().partition("&")[0] == value.lower().partition("&")[0] and (
            "".join(letters).partition("&")[2] == value.partition("&")[2]
            and name == "Authorization"
        ):
            return
        if "".join(letters) == value:
            return
        headers[where % 4] = (name, "".join(letters))
    reply = ask(service.app, method, target, headers, body)

    judge(service, reply)
    assert reply.status in (401, 404, 421), (part, target, headers)


bent_requests = given(
    where=st.integers(0, 10_000),
    byte=st.integers(0, 255),
    part=st.sampled_from(["body", "target", "headers"]),
)


@DEFAULT
@bent_requests
def test_one_changed_byte_breaks_the_proof(fuzzed: Service, **change: Any) -> None:
    check_bent(fuzzed, **change)


@pytest.mark.campaign
@CAMPAIGN
@bent_requests
def test_one_changed_byte_breaks_the_proof_campaign(fuzzed: Service, **change: Any) -> None:
    check_bent(fuzzed, **change)


# Memory


def grown(service: Service, requests: int) -> int:
    """How much the memory grew over a number of refused and accepted requests, in bytes."""
    raw_id = service.new_identity()

    def batch(count: int) -> None:
        for number in range(count):
            service.create(b"{" + str(number).encode())
            service.revoke(raw_id)
            service.call("GET", f"/{number}", version=str(number), host=f"h{number}.localhost")
            service.threads(f"a.{number}.c")
            service.create(key="AAAA")

    batch(100)
    tracemalloc.start()
    batch(50)
    before = tracemalloc.take_snapshot()
    batch(requests // 5)
    after = tracemalloc.take_snapshot()
    tracemalloc.stop()
    return sum(difference.size_diff for difference in after.compare_to(before, "filename"))


def test_memory_stays_flat(service: Service) -> None:
    assert grown(service, 1500) < 100_000


@pytest.mark.campaign
def test_memory_stays_flat_campaign(service: Service) -> None:
    assert grown(service, 30_000) < 100_000


def test_the_worst_body_is_answered_at_once(service: Service) -> None:
    for body in (b"[" * 65_000, b'{"scopes":' * 6_000, b'"' + b"\\u0000" * 10_000, b"9" * 65_000):
        began = time.perf_counter()
        assert service.create(body).status == 400
        assert time.perf_counter() - began < 1
