"""api-versions and addresses."""

from __future__ import annotations

import pytest

from helpers.sandbox.operations import IDENTITY_VERSIONS, TEAMS_VERSIONS
from tests.sandbox.wire import Service, ask, signed_headers

OLD = "2020-07-20-preview2"
PREVIEW = "2025-03-02-preview"
IDENTITY_LIST = (
    "2020-07-20-preview2, 2021-03-07, 2021-10-31-preview, 2021-11-01, 2022-06-01, 2022-10-01, "
    "2023-10-01, 2025-03-02-preview"
)


def unsupported(path: str, version: str) -> tuple[int, str, str, None]:
    message = (
        f"The HTTP resource that matches the request URI 'https://localhost{path}' "
        f"does not support the API version '{version}'."
    )
    return 400, "UnsupportedApiVersion", message, None


@pytest.mark.rule("spec")
@pytest.mark.parametrize("version", IDENTITY_VERSIONS)
def test_every_published_version_serves_identities_and_tokens(
    service: Service, version: str
) -> None:
    raw_id = service.new_identity(version=version)
    with_token = service.create({"createTokenWithScopes": ["chat"]}, version=version)
    token = service.token(raw_id, "voip", "chat", version=version)

    assert list(with_token.json) == ["identity", "accessToken"]
    assert service.works(token)
    assert service.revoke(raw_id, version=version).status == 204
    assert not service.works(token)
    assert service.delete(raw_id, version=version).status == 204


@pytest.mark.rule("spec")
@pytest.mark.parametrize("version", TEAMS_VERSIONS)
def test_every_published_version_of_the_exchange_is_served(service: Service, version: str) -> None:
    teams = service.directory.entra.teams_user_token()
    body = {"token": teams.access_token, "appId": teams.app_id, "userId": teams.user_id}

    assert service.exchange(body, version=version).status == 200


@pytest.mark.rule("recorded")
def test_every_answer_of_an_action_lists_the_supported_versions(service: Service) -> None:
    raw_id = service.new_identity(version="2021-03-07")
    teams = service.directory.entra.teams_user_token()
    exchanged = service.exchange(
        {"token": teams.access_token, "appId": teams.app_id, "userId": teams.user_id}
    )

    for reply in (
        service.create(version="2021-03-07"),
        service.create(),
        service.revoke(raw_id),
        service.call("GET", f"/identities/{raw_id}", version=PREVIEW),
        service.delete(raw_id),
    ):
        assert reply.headers["api-supported-versions"] == IDENTITY_LIST
    issued = service.issue(service.new_identity(), {"scopes": ["chat"]})
    assert issued.headers["api-supported-versions"] == IDENTITY_LIST + ", 2025-03-31-preview"
    assert exchanged.headers["api-supported-versions"] == (
        "2021-10-31-preview, 2022-06-01, 2022-10-01, 2023-10-01, 2025-03-02-preview"
    )


@pytest.mark.rule("reported")
@pytest.mark.parametrize("version", ["1999-01-01", "2023-10-01-preview", "latest", "2023-10-1"])
def test_an_unknown_version_is_refused(service: Service, version: str) -> None:
    reply = service.create(version=version)

    assert reply.error == unsupported("/identities", version)
    assert reply.json["error"]["innerError"] is None


@pytest.mark.rule("assumed")
def test_a_missing_version_is_refused(service: Service) -> None:
    expected = (
        400,
        "ApiVersionUnspecified",
        "An API version is required, but was not specified.",
        None,
    )

    assert service.create(version=None).error == expected
    assert service.create(version="").error == expected


@pytest.mark.rule("assumed")
def test_two_versions_at_once_are_refused(service: Service) -> None:
    reply = service.create(version="2023-10-01&api-version=2022-10-01")

    assert reply.error[:2] == (400, "AmbiguousApiVersion")


@pytest.mark.rule("assumed")
@pytest.mark.parametrize(
    ("method", "path", "version"),
    [
        ("GET", "/identities/foo", "2023-10-01"),
        ("POST", "/identities/foo/:issueAccessToken", OLD),
        ("POST", "/identities/foo/:revokeAccessTokens", OLD),
        ("POST", "/identities/foo/token", "2021-03-07"),
        ("PATCH", "/identities/foo", "2021-03-07"),
        ("POST", "/teamsUser/:exchangeAccessToken", "2021-03-07"),
        ("POST", "/teamsUser/:exchangeAccessToken", "2021-11-01"),
    ],
)
def test_an_operation_of_another_version_is_refused(
    service: Service, method: str, path: str, version: str
) -> None:
    assert service.call(method, path, version=version).error == unsupported(path, version)


@pytest.mark.rule("assumed")
@pytest.mark.parametrize(
    "path",
    [
        "/",
        "/nowhere",
        "/Identities",
        "/identities/foo/:unknown",
        "/identities/foo/:issueAccessToken/more",
        "/teamsUser",
        "//identities",
        "/access/entra/:exchangeAccessToken",
    ],
)
def test_an_unknown_address_is_empty(service: Service, path: str) -> None:
    reply = service.call("POST", path)

    assert (reply.status, reply.content) == (404, b"")
    assert reply.headers["content-length"] == "0"


@pytest.mark.rule("assumed")
@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("GET", "/identities", "POST"),
        ("PUT", "/identities/foo", "GET, DELETE, PATCH"),
        ("DELETE", "/identities/foo/:issueAccessToken", "POST"),
        ("BREW", "/teamsUser/:exchangeAccessToken", "POST"),
    ],
)
def test_a_wrong_method_is_refused(service: Service, method: str, path: str, allowed: str) -> None:
    reply = service.call(method, path)

    assert (reply.status, reply.content) == (405, b"")
    assert reply.headers["allow"] == allowed


@pytest.mark.rule("assumed")
def test_a_trailing_slash_changes_nothing(service: Service) -> None:
    assert service.call("POST", "/identities/").status == 201


@pytest.mark.rule("assumed")
def test_other_query_parameters_are_ignored(service: Service) -> None:
    assert service.create(version="2023-10-01&more=1&less").status == 201


@pytest.mark.rule("assumed")
def test_a_target_that_is_a_whole_address_is_empty(service: Service) -> None:
    target = "https://localhost/identities?api-version=2023-10-01"
    headers = signed_headers("POST", target, b"", service.key)

    assert ask(service.app, "POST", target, headers).status == 404
