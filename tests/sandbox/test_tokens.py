"""What is inside the tokens, read by another library than wrote them."""

from __future__ import annotations

import base64
import json
import re
from typing import Any

import jwt
import pytest

from helpers.sandbox.tokens import InvalidToken, SigningKey
from tests.sandbox.wire import Service, ask


def decoded(
    service: Service, token: str, *, verify_iat: bool = True
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Verify a token with the published key, and return header and claims in their order."""
    reply = ask(service.app, "GET", "/.well-known/jwks.json", [("Host", "localhost")])
    keys = jwt.PyJWKSet.from_dict(reply.json)
    header = jwt.get_unverified_header(token)
    jwt.decode(
        token,
        keys[header["kid"]],
        algorithms=["RS256"],
        options={"verify_aud": False, "verify_iat": verify_iat},
    )
    parts = [json.loads(base64.urlsafe_b64decode(part + "==")) for part in token.split(".")[:2]]
    return parts[0], parts[1]


@pytest.mark.rule("recorded")
def test_an_access_token_has_the_documented_claims_in_order(service: Service) -> None:
    raw_id = service.new_identity()
    _, claims = decoded(service, service.token(raw_id, "chat.join.limited", "voip"))
    resource = service.directory.resource()

    assert list(claims) == [
        "skypeid",
        "scp",
        "csi",
        "exp",
        "rgn",
        "acsScope",
        "resourceId",
        "resourceLocation",
        "iat",
    ]
    assert claims["skypeid"] == raw_id.removeprefix("8:")
    assert claims["scp"] == 1792
    assert isinstance(claims["csi"], str)
    assert claims["exp"] == int(claims["csi"]) + 86400
    assert (claims["rgn"], claims["resourceLocation"]) == ("amer", "unitedstates")
    assert claims["acsScope"] == "chat.join.limited,voip"
    assert claims["resourceId"] == resource.id
    assert raw_id.startswith(f"8:acs:{resource.id}_")
    assert claims["iat"] - int(claims["csi"]) in (0, 1)


@pytest.mark.rule("recorded")
def test_the_header_names_a_sandbox_key(service: Service) -> None:
    header, _ = decoded(service, service.token(service.new_identity()))

    assert list(header) == ["alg", "kid", "x5t", "typ"]
    assert (header["alg"], header["typ"]) == ("RS256", "JWT")
    assert re.fullmatch(r"SANDBOX-[0-9A-F]{32}", header["kid"])
    assert re.fullmatch(r"[\w-]{27}", header["x5t"])


@pytest.mark.rule("recorded")
def test_tokens_are_as_long_as_the_services(service: Service) -> None:
    token = service.token(service.new_identity())
    header, payload, signature = token.split(".")

    # 807 characters were published with a header of 100: a key id of three characters instead of forty.
    assert len(signature) == 342
    assert len(token) - len(header) + 100 == 807
    assert len(payload) == 363


@pytest.mark.rule("recorded")
def test_a_teams_users_token_has_its_own_claims(service: Service) -> None:
    teams = service.directory.entra.teams_user_token()
    body = {"token": teams.access_token, "appId": teams.app_id, "userId": teams.user_id}
    # Its `iat` lies five minutes ahead, as in public ones.
    _, claims = decoded(service, service.exchange(body).json["token"], verify_iat=False)
    _, entra = decoded(service, teams.access_token)

    assert list(claims) == [
        "skypeid",
        "scp",
        "csi",
        "exp",
        "rgn",
        "tid",
        "acsScope",
        "resourceId",
        "aad_iat",
        "aad_uti",
        "aad_appid",
        "iat",
    ]
    assert claims["skypeid"] == f"orgid:{teams.user_id}"
    assert claims["scp"] == 1024
    assert claims["acsScope"] == "voip,chat"
    assert claims["csi"] == str(entra["iat"])
    assert claims["iat"] == entra["iat"] + 300
    assert claims["exp"] == entra["exp"]
    assert claims["tid"] == teams.tenant_id


@pytest.mark.rule("spec")
def test_tokens_survive_the_sdks_way_of_reading_them(service: Service) -> None:
    # CommunicationTokenCredential decodes the payload with the standard alphabet, which knows no - and _.
    for scopes in (["chat"], ["chat.join", "chat.join.limited", "voip.join"]):
        payload = service.token(service.new_identity(), *scopes).split(".")[1]

        assert "-" not in payload
        assert "_" not in payload
        assert isinstance(json.loads(base64.b64decode(payload + "=="))["exp"], int)


@pytest.mark.rule("assumed")
def test_a_revoked_token_stays_dead_though_a_new_one_is_issued_in_the_same_second(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    instant = service.control.clock.time_ns()
    monkeypatch.setattr(service.control.clock, "time_ns", lambda: instant)
    raw_id = service.new_identity()
    dead: list[str] = []
    for _ in range(5):
        tokens = [service.token(raw_id) for _ in range(3)]

        assert len(set(tokens)) == 2
        assert not set(tokens) & set(dead)
        assert all(service.works(token) for token in tokens)
        service.revoke(raw_id)
        dead += tokens
        assert not any(service.works(token) for token in dead)


def test_reading_refuses_what_the_key_did_not_sign() -> None:
    key = SigningKey.generate()
    token = key.sign(key.unsigned({"exp": 1}))
    head, payload, signature = token.split(".")

    assert key.read(token) == {"exp": 1}
    other = SigningKey.generate()
    for bad in (
        "",
        ".",
        "..",
        "a.b.c",
        head + "." + payload,
        f"{head}.{payload}.{signature}.x",
        f"{head}.{payload}.",
        f"{head}.{payload}.{signature}é",
        f"{head}.{payload} .{signature}",
        f"{head}.{key.unsigned({'exp': 2}).split('.')[1]}.{signature}",
        other.sign(other.unsigned({"exp": 1})),
        # "alg": "none" has been accepted by careless readers.
        base64.urlsafe_b64encode(b'{"alg":"none","kid":"x"}').decode().rstrip("=") + f".{payload}.",
    ):
        with pytest.raises(InvalidToken):
            key.read(bad)


def test_a_key_is_read_back_as_it_was_written() -> None:
    key = SigningKey.generate()
    again = SigningKey.from_pem(key.to_pem())

    assert again.key_id == key.key_id
    assert again.read(key.sign(key.unsigned({"exp": 1}))) == {"exp": 1}


def test_nothing_of_a_key_shows_in_its_repr(service: Service) -> None:
    resource = service.directory.resource()

    assert resource.primary_key not in repr(resource)
    assert resource.secondary_key not in repr(resource)
    teams = service.directory.entra.teams_user_token()
    assert teams.access_token not in repr(teams)
    assert resource.primary_key not in repr(service.directory.snapshot())
