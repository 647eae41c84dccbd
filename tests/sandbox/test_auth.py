"""Who is let in, and what the others hear."""

from __future__ import annotations

import time
from email.utils import formatdate

import pytest

from helpers.sandbox import auth
from helpers.sandbox.tokens import SigningKey
from tests.sandbox.wire import Reply, Service, ask, signed_headers

TARGET = "/identities?api-version=2023-10-01"
DENIED = (401, "Denied", "Denied by the resource provider.", None)
HASH_DIFFERS = (
    401,
    "Denied",
    "Request 'x-ms-content-sha256' differs from generated content hash.",
    None,
)
BAD_STRUCTURE = (401, "Denied", "Given value does not match HMAC header structure.", None)

# Computed once, with the SDK's own code: 32 times the letter k, 2026-01-01T00:00:00Z, localhost:8080.
VECTOR_KEY = "a2tr" * 10 + "a2s="
VECTOR_ID = "11111111-1111-1111-1111-111111111111_00000026-71d2-b1be-a7ac-473a0d0006c2"
VECTOR_ISSUE = b'{"scopes": ["chat"], "expiresInMinutes": 60}'
VECTORS = [
    ("POST", "/identities", b"", "pXO5CHxkCNxJRkWrD6A19Ad2QvdK2xAXVa9zCnNm2nU="),
    (
        "POST",
        f"/identities/8%3Aacs%3A{VECTOR_ID}/:issueAccessToken",
        VECTOR_ISSUE,
        "NlJQPnckzho5FP315LvVsZAuiY7YIM5qKXnkUid5OwU=",
    ),
    (
        "POST",
        f"/identities/8:acs:{VECTOR_ID}/:issueAccessToken",
        VECTOR_ISSUE,
        "Jxn7t215oLRyiXtpwduM3CXZa0yXXRlk0QZzzEuUTAs=",
    ),
    (
        "DELETE",
        f"/identities/8%3Aacs%3A{VECTOR_ID}",
        b"",
        "F4jorH8PSrYN0bqSbwPBAnVPG25UFFZ9D9SF/09Uho0=",
    ),
]


def create(service: Service, headers: list[tuple[str, str]], body: bytes = b"") -> Reply:
    return ask(service.app, "POST", TARGET, headers, body)


def replaced(headers: list[tuple[str, str]], name: str, value: str | None) -> list[tuple[str, str]]:
    rest = [(key, old) for key, old in headers if key.lower() != name.lower()]
    return rest if value is None else [*rest, (name, value)]


@pytest.mark.rule("spec")
@pytest.mark.parametrize(("method", "path", "body", "expected"), VECTORS)
def test_signatures_equal_the_published_vectors(
    method: str, path: str, body: bytes, expected: str
) -> None:
    text = auth.string_to_sign(
        method,
        f"{path}?api-version=2023-10-01",
        "Thu, 01 Jan 2026 00:00:00 GMT",
        "localhost:8080",
        auth.content_hash(body),
    )

    assert auth.signature(VECTOR_KEY, text) == expected


@pytest.mark.rule("recorded")
def test_the_hash_of_a_body_equals_the_recorded_ones() -> None:
    assert auth.content_hash(b"") == "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU="
    assert auth.content_hash(b"{}") == "RBNvo1WzZ4oRRq0W9+hknpT7T8If536DEMBg9hyq/4o="


@pytest.mark.rule("spec")
def test_either_of_the_two_keys_is_accepted(service: Service) -> None:
    resource = service.directory.resource()

    assert service.create(key=resource.primary_key).status == 201
    assert service.create(key=resource.secondary_key).status == 201


@pytest.mark.rule("spec")
@pytest.mark.parametrize("date_header", ["x-ms-date", "Date"])
def test_both_generations_of_date_headers_are_accepted(service: Service, date_header: str) -> None:
    headers = signed_headers("POST", TARGET, b"", service.key, date_header=date_header)

    assert create(service, headers).status == 201


@pytest.mark.rule("spec")
def test_the_signature_covers_the_target_as_sent(service: Service) -> None:
    raw_id = service.new_identity()
    encoded = raw_id.replace(":", "%3A")

    assert service.revoke(raw_id).status == 204
    assert service.revoke(encoded).status == 204
    # Signed in one form and sent in the other.
    sent = f"/identities/{raw_id}/:revokeAccessTokens?api-version=2023-10-01"
    headers = signed_headers("POST", sent.replace(raw_id, encoded), b"", service.key)
    assert ask(service.app, "POST", sent, headers).error == DENIED


@pytest.mark.rule("reported")
@pytest.mark.parametrize(
    "change",
    [
        ("Authorization", None),
        ("Authorization", "Basic dXNlcjpwYXNzd29yZA=="),
        ("Authorization", ""),
        ("x-ms-content-sha256", None),
    ],
)
def test_a_missing_or_other_authorization_is_denied(
    service: Service, change: tuple[str, str | None]
) -> None:
    headers = signed_headers("POST", TARGET, b"", service.key)

    assert create(service, replaced(headers, *change)).error == DENIED


@pytest.mark.rule("reported")
def test_a_wrong_key_is_denied(service: Service) -> None:
    other = Service()

    assert service.create(key=other.key).error == DENIED
    other.directory.store.close()


@pytest.mark.rule("reported")
@pytest.mark.parametrize(
    ("method", "target", "host"),
    [
        ("PUT", TARGET, "localhost"),
        ("POST", "/identities?api-version=2022-10-01", "localhost"),
        ("POST", TARGET, "localhost:8443"),
        # What the SDK signs when the endpoint given to its constructor ends in a slash.
        ("POST", TARGET, "localhost/"),
    ],
)
def test_a_signature_of_another_request_is_denied(
    service: Service, method: str, target: str, host: str
) -> None:
    headers = signed_headers(method, target, b"", service.key, host=host)

    assert create(service, replaced(headers, "Host", "localhost")).error == DENIED


@pytest.mark.rule("reported")
def test_a_body_that_differs_from_its_hash_is_denied(service: Service) -> None:
    headers = signed_headers("POST", TARGET, b"{}", service.key)

    assert create(service, headers, b'{"createTokenWithScopes": ["chat"]}').error == HASH_DIFFERS


@pytest.mark.rule("reported")
@pytest.mark.parametrize(
    "value",
    [
        "HMAC-SHA256",
        "HMAC-SHA256 ",
        "HMAC-SHA256 Signature=AAAA",
        "HMAC-SHA256 SignedHeaders=x-ms-date;host;x-ms-content-sha256",
        "HMAC-SHA256 SignedHeaders=x-ms-date;host;x-ms-content-sha256&Signature=",
        "HMAC-SHA256 SignedHeaders=x-ms-date;host;x-ms-content-sha256&Signature=é",
        "HMAC-SHA256 SignedHeaders=host&Signature=AAAA",
    ],
)
def test_an_authorization_that_is_no_hmac_header_is_denied_as_such(
    service: Service, value: str
) -> None:
    headers = signed_headers("POST", TARGET, b"", service.key)

    assert create(service, replaced(headers, "Authorization", value)).error == BAD_STRUCTURE


@pytest.mark.rule("assumed")
@pytest.mark.parametrize(("minutes", "status"), [(-16, 401), (-14, 201), (14, 201), (16, 401)])
def test_a_date_may_be_fifteen_minutes_off(service: Service, minutes: int, status: int) -> None:
    date = formatdate(time.time() + minutes * 60, usegmt=True)
    reply = create(service, signed_headers("POST", TARGET, b"", service.key, date=date))

    assert reply.status == status
    if status == 401:
        assert reply.error == DENIED


@pytest.mark.rule("assumed")
def test_the_date_is_judged_by_the_machines_clock(service: Service) -> None:
    service.control.clock.advance(days=300)

    assert service.create().status == 201


@pytest.mark.rule("assumed")
@pytest.mark.parametrize(
    "date", ["", "tomorrow", "2026-01-01T00:00:00Z", "Thu, 99 Foo 2026 99:99:99 GMT", "0 GMT"]
)
def test_a_date_that_is_none_is_denied(service: Service, date: str) -> None:
    headers = signed_headers("POST", TARGET, b"", service.key)

    assert create(service, replaced(headers, "x-ms-date", date)).error == DENIED


@pytest.mark.rule("assumed")
@pytest.mark.parametrize("name", ["Authorization", "x-ms-date", "x-ms-content-sha256"])
def test_a_header_sent_twice_is_denied(service: Service, name: str) -> None:
    headers = signed_headers("POST", TARGET, b"", service.key)
    again = next(value for key, value in headers if key == name)

    assert create(service, [*headers, (name, again)]).error == DENIED


@pytest.mark.rule("assumed")
def test_authentication_comes_before_every_other_check(service: Service) -> None:
    for method, target in [
        ("POST", "/identities"),
        ("POST", "/identities?api-version=1999-01-01"),
        ("POST", "/identities/foo/:issueAccessToken?api-version=2023-10-01"),
        ("GET", "/nowhere"),
        ("OPTIONS", "/identities"),
    ]:
        reply = ask(service.app, method, target, [("Host", "localhost")], b"not json")

        assert reply.error == DENIED


@pytest.mark.rule("assumed")
def test_a_refusal_holds_no_challenge(service: Service) -> None:
    reply = create(service, [("Host", "localhost")])

    assert reply.status == 401
    assert "www-authenticate" not in reply.headers
    assert "api-supported-versions" not in reply.headers


@pytest.mark.rule("recorded")
def test_the_managed_identitys_token_is_accepted(service: Service) -> None:
    raw_id = service.new_identity(entra=True)

    assert service.issue(raw_id, {"scopes": ["chat"]}, entra=True).status == 200
    assert service.revoke(raw_id, entra=True).status == 204
    assert service.delete(raw_id, entra=True).status == 204


@pytest.mark.rule("assumed")
def test_the_managed_identity_of_one_resource_acts_on_that_one_under_any_host(
    service: Service,
) -> None:
    second = service.directory.add_resource("second")
    token, _ = service.directory.entra.managed_identity_token(
        "https://communication.azure.com/", "second"
    )

    for host, status in (("localhost", 201), ("second.localhost", 201), ("default.localhost", 401)):
        reply = create(service, [("Host", host), ("Authorization", f"Bearer {token}")])
        assert reply.status == status
        if status == 201:
            assert reply.json["identity"]["id"].startswith(f"8:acs:{second.id}_")


def bearer(service: Service, token: str) -> Reply:
    return create(service, [("Host", "localhost"), ("Authorization", f"Bearer {token}")])


@pytest.mark.rule("assumed")
def test_an_entra_token_for_another_audience_is_denied(service: Service) -> None:
    token, _ = service.directory.entra.managed_identity_token("https://vault.azure.net")

    assert bearer(service, token).error == DENIED


@pytest.mark.rule("assumed")
def test_an_expired_entra_token_is_denied(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    audience = "https://communication.azure.com/"
    now = time.time()
    monkeypatch.setattr(time, "time", lambda: now - 25 * 3600)
    old, _ = service.directory.entra.managed_identity_token(audience)
    monkeypatch.setattr(time, "time", lambda: now + 3600)
    early, _ = service.directory.entra.managed_identity_token(audience)
    monkeypatch.undo()

    assert bearer(service, old).error == DENIED
    assert bearer(service, early).error == DENIED


@pytest.mark.rule("assumed")
def test_a_token_signed_by_another_key_is_denied(service: Service) -> None:
    entra = service.directory.entra
    token, _ = entra.managed_identity_token("https://communication.azure.com/")
    claims = service.directory.signing_key.read(token)
    forger = SigningKey.generate()
    forger.key_id = service.directory.signing_key.key_id
    header = token.split(".")[0]
    forged = forger.sign(f"{header}.{forger.unsigned(claims).split('.')[1]}")

    assert bearer(service, token).status == 201
    assert bearer(service, forged).error == DENIED
    assert bearer(service, token[:-6] + "AAAAAA").error == DENIED
    assert bearer(service, token.rpartition(".")[0] + ".").error == DENIED


@pytest.mark.rule("assumed")
def test_other_tokens_of_the_sandbox_do_not_let_a_caller_in(service: Service) -> None:
    access_token = service.token(service.new_identity())
    teams_token = service.directory.entra.teams_user_token().access_token

    for token in (access_token, teams_token, "", "a.b.c"):
        assert bearer(service, token).error == DENIED


def test_a_signature_has_one_way_to_be_written(service: Service) -> None:
    # Thirty-two bytes end in a letter of which two bits do not count.
    headers = dict(signed_headers("POST", TARGET, b"", service.key))
    *start, last, padding = headers["Authorization"]
    assert padding == "="
    for letter in "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/":
        headers["Authorization"] = "".join([*start, letter, padding])
        status = ask(service.app, "POST", TARGET, list(headers.items())).status
        assert status == (201 if letter == last else 401)
