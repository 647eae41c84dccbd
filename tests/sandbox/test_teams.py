"""The exchange of a Teams user's Entra token, and its nine checks in their order."""

from __future__ import annotations

import re
import uuid
from datetime import datetime

import pytest

from helpers.sandbox.entra import TeamsUserToken
from tests.sandbox.wire import Service

NO_TOKEN = (
    400,
    "ValidationError",
    "The body is either missing or doesn't contain any token.",
    None,
)
NOT_VALID = (401, "InvalidAccessToken", "Provided access token is not valid.", None)
APP_REQUIRED = (400, "ValidationError", "AppId: The AppId field is required.", "AppId")
USER_REQUIRED = (400, "ValidationError", "UserId: The UserId field is required.", "UserId")
APP_FORMAT = (400, "ValidationError", "Provided AppId has invalid format.", "appId")
USER_FORMAT = (400, "ValidationError", "Provided UserId has invalid format.", "userId")
OTHER_APP = (400, "ValidationError", "AAD application is not the expected one.", "appId")
OTHER_USER = (400, "ValidationError", "Provided AAD token issued for unexpected user.", "userId")


@pytest.fixture
def teams(service: Service) -> TeamsUserToken:
    return service.directory.entra.teams_user_token()


def body(teams: TeamsUserToken, **changes: object) -> dict[str, object]:
    whole = {"token": teams.access_token, "appId": teams.app_id, "userId": teams.user_id}
    return {**whole, **changes}


@pytest.mark.rule("recorded")
@pytest.mark.parametrize("entra", [False, True])
def test_a_teams_user_gets_a_token(service: Service, teams: TeamsUserToken, entra: bool) -> None:
    reply = service.exchange(body(teams), entra=entra)

    assert reply.status == 200
    assert list(reply.json) == ["token", "expiresOn"]


@pytest.mark.rule("recorded")
def test_the_token_lives_as_long_as_the_entra_token(
    service: Service, teams: TeamsUserToken
) -> None:
    entra_expiry = service.directory.entra.read_teams_token(teams.access_token)["exp"]
    service.control.clock.advance(minutes=30)
    reply = service.exchange(body(teams))
    moment = datetime.fromisoformat(re.sub(r"\.\d+", "", reply.json["expiresOn"]))

    assert abs(moment.timestamp() - entra_expiry) <= 1
    assert service.directory.signing_key.read(reply.json["token"])["exp"] == entra_expiry


@pytest.mark.rule("recorded")
def test_a_missing_token_is_refused_first(service: Service, teams: TeamsUserToken) -> None:
    for content in (None, {}, body(teams, token=None), {"appId": "invalid", "userId": ""}):
        reply = service.exchange(content)

        assert reply.error == NO_TOKEN
        assert "api-supported-versions" not in reply.headers


@pytest.mark.rule("recorded")
def test_an_invalid_token_is_refused_before_the_fields(
    service: Service, teams: TeamsUserToken
) -> None:
    expired = service.directory.entra.teams_user_token(expired=True).access_token
    for token in ("", "invalid", expired, teams.access_token[:-8] + "AAAAAAAA"):
        reply = service.exchange(body(teams, token=token, userId="", appId=""))

        assert reply.error == NOT_VALID
        assert "api-supported-versions" not in reply.headers


@pytest.mark.rule("recorded")
def test_a_required_field_is_refused_before_its_format(
    service: Service, teams: TeamsUserToken
) -> None:
    for missing in ("", None):
        app = service.exchange(body(teams, appId=missing, userId="invalid"))
        user = service.exchange(body(teams, userId=missing, appId="invalid"))

        assert (app.error, user.error) == (APP_REQUIRED, USER_REQUIRED)
        assert "api-supported-versions" not in app.headers
        assert "api-supported-versions" not in user.headers


@pytest.mark.rule("recorded")
def test_a_format_is_refused_before_its_match(service: Service, teams: TeamsUserToken) -> None:
    other = str(uuid.uuid4())
    app = service.exchange(body(teams, appId="invalid", userId=other))
    user = service.exchange(body(teams, userId="invalid", appId=other))

    assert (app.error, user.error) == (APP_FORMAT, USER_FORMAT)
    assert "api-supported-versions" in app.headers
    assert "api-supported-versions" in user.headers


@pytest.mark.rule("recorded")
def test_application_and_user_must_be_those_of_the_token(
    service: Service, teams: TeamsUserToken
) -> None:
    app = service.exchange(body(teams, appId=teams.user_id))
    user = service.exchange(body(teams, userId=teams.app_id))

    assert (app.error, user.error) == (OTHER_APP, OTHER_USER)
    assert "api-supported-versions" in app.headers
    assert "api-supported-versions" in user.headers


@pytest.mark.rule("assumed")
def test_within_a_pair_the_application_comes_first(service: Service, teams: TeamsUserToken) -> None:
    other = str(uuid.uuid4())

    assert service.exchange(body(teams, appId="", userId="")).error == APP_REQUIRED
    assert service.exchange(body(teams, appId="x", userId="x")).error == APP_FORMAT
    assert service.exchange(body(teams, appId=other, userId=other)).error == OTHER_APP


@pytest.mark.rule("assumed")
def test_a_guid_may_be_written_in_capitals(service: Service, teams: TeamsUserToken) -> None:
    capitals = body(teams, appId=teams.app_id.upper(), userId=teams.user_id.upper())

    assert service.exchange(capitals).status == 200


@pytest.mark.rule("recorded")
def test_the_2021_preview_asks_for_the_token_only(service: Service, teams: TeamsUserToken) -> None:
    good = service.exchange({"token": teams.access_token}, version="2021-10-31-preview")
    bad = service.exchange({"token": "invalid"}, version="2021-10-31-preview")

    assert good.status == 200
    assert bad.error == NOT_VALID


@pytest.mark.rule("recorded")
def test_the_earliest_preview_refuses_with_an_empty_body(service: Service) -> None:
    reply = service.exchange({"token": "invalid"}, version="2021-03-31-preview1")

    assert (reply.status, reply.content) == (401, b"")
    assert reply.headers["content-length"] == "0"
    assert "content-type" not in reply.headers
    assert "api-supported-versions" not in reply.headers


@pytest.mark.rule("assumed")
@pytest.mark.parametrize("field", ["token", "appId", "userId"])
def test_a_field_that_is_no_text_is_refused(
    service: Service, teams: TeamsUserToken, field: str
) -> None:
    reply = service.exchange(body(teams, **{field: 5}))

    assert reply.error[:2] == (400, "ValidationError")
    assert reply.error[3] == field[0].upper() + field[1:]


@pytest.mark.rule("assumed")
def test_other_tokens_are_no_teams_users(service: Service, teams: TeamsUserToken) -> None:
    access_token = service.token(service.new_identity())
    managed, _ = service.directory.entra.managed_identity_token(
        "https://auth.msft.communication.azure.com"
    )

    for token in (access_token, managed):
        assert service.exchange(body(teams, token=token)).error == NOT_VALID


@pytest.mark.rule("documented")
def test_the_exchanged_token_may_chat(service: Service, teams: TeamsUserToken) -> None:
    assert service.works(service.exchange(body(teams)).json["token"])
