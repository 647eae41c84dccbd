from __future__ import annotations

import base64
import hashlib
import json

import pytest

from helpers.masking import mask_token, masked


def part(value: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")


TOKEN = f"{part({'alg': 'RS256'})}.{part({'acsScope': 'chat', 'exp': 1})}.{'s' * 342}"
KEY = base64.b64encode(bytes(range(64))).decode()
NEW_KEY = "A1b2" * 21  # the newer keys: 84 characters, no padding


@pytest.mark.parametrize(
    "text",
    [
        TOKEN,
        f"token: {TOKEN}",
        json.dumps({"accessToken": {"token": TOKEN}}),
        f"<td>{TOKEN}</td>",
        f"Authorization: Bearer {TOKEN}",
        f"{TOKEN}\n{TOKEN}",
    ],
)
def test_a_token_is_hidden_wherever_it_stands(text: str) -> None:
    assert TOKEN.split(".")[1] not in masked(text)
    assert "s" * 20 not in masked(text)


@pytest.mark.parametrize("key", [KEY, NEW_KEY])
@pytest.mark.parametrize(
    "text",
    ["{}", "key = '{}'", "endpoint=https://a.b;accesskey={}", "AccessKey={};endpoint=https://a.b"],
)
def test_an_access_key_is_hidden_wherever_it_stands(text: str, key: str) -> None:
    assert key[:20] not in masked(text.format(key))


def test_a_short_key_in_a_connection_string_is_hidden() -> None:
    assert "c2hvcnQ=" not in masked("endpoint=https://a.b/;accesskey=c2hvcnQ=")


def test_a_signature_is_hidden() -> None:
    signature = base64.b64encode(hashlib.sha256(b"signed").digest()).decode()
    header = f"HMAC-SHA256 SignedHeaders=x-ms-date;host;x-ms-content-sha256&Signature={signature}"

    assert masked(header).endswith("x-ms-content-sha256&Signature=…")


@pytest.mark.parametrize(
    "text",
    [
        "8:acs:11111111-1111-1111-1111-111111111111_00000026-71d2-b1be-a7ac-473a0d0006c2",
        "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=",  # a content hash is no secret
        "data:image/png;base64," + "iVBORw0KGgo" * 40,
        "an access token is short-lived",
        "",
    ],
)
def test_what_is_no_secret_stays(text: str) -> None:
    assert masked(text) == text


def test_masking_twice_changes_nothing() -> None:
    once = masked(f"endpoint=https://a.b;accesskey={KEY} {TOKEN}")

    assert masked(once) == once


def test_a_masked_token_tells_its_length_only() -> None:
    assert mask_token(TOKEN) == f"{TOKEN[:10]}… ({len(TOKEN)} characters)"
