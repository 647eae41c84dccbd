"""The managed-identity endpoint."""

from __future__ import annotations

import time

import jwt
import pytest

from tests.sandbox.wire import IDENTITY_HEADER, Reply, Service, ask

RESOURCE = "https://communication.azure.com/"
QUERY = f"api-version=2019-08-01&resource={RESOURCE}"


def get(service: Service, query: str = QUERY, header: str | None = IDENTITY_HEADER) -> Reply:
    headers = [("Host", "localhost")]
    if header is not None:
        headers.append(("X-IDENTITY-HEADER", header))
    return ask(service.app, "GET", f"/msi/token?{query}", headers)


@pytest.mark.rule("documented")
def test_the_managed_identity_gets_a_token_of_24_hours(service: Service) -> None:
    reply = get(service)
    claims = jwt.decode(reply.json["access_token"], options={"verify_signature": False})

    assert reply.status == 200
    assert set(reply.json) == {"access_token", "expires_on", "resource", "token_type"}
    assert isinstance(reply.json["expires_on"], str)
    assert abs(int(reply.json["expires_on"]) - time.time() - 86400) < 5
    assert (reply.json["resource"], reply.json["token_type"]) == (RESOURCE, "Bearer")
    assert claims["aud"] == RESOURCE
    assert claims["iss"] == f"https://sts.windows.net/{claims['tid']}/"
    assert claims["idtyp"] == "app"


@pytest.mark.rule("assumed")
@pytest.mark.parametrize("header", [None, "", "wrong", "é"])
def test_it_asks_for_its_secret(service: Service, header: str | None) -> None:
    reply = get(service, header=header)

    assert reply.status == 401
    assert IDENTITY_HEADER not in reply.content.decode()


@pytest.mark.rule("assumed")
@pytest.mark.parametrize(
    "query",
    [
        "",
        f"resource={RESOURCE}",
        f"api-version=2017-09-01&resource={RESOURCE}",
        "api-version=2019-08-01",
        "api-version=2019-08-01&resource=",
        "api-version=2019-08-01&resource=%C3%A9",
        "api-version=2019-08-01&resource=" + "x" * 201,
    ],
)
def test_it_says_what_is_wrong(service: Service, query: str) -> None:
    reply = get(service, query)

    assert reply.status == 400
    assert reply.json["statusCode"] == 400
    assert reply.json["message"]


def test_a_lessons_clock_does_not_touch_it(service: Service) -> None:
    service.control.clock.advance(days=2)

    assert abs(int(get(service).json["expires_on"]) - time.time() - 86400) < 5
    assert service.create(entra=True).status == 201


def test_the_tenant_is_one_for_all_processes(service: Service) -> None:
    again = Service(service.directory.store)

    assert again.directory.entra.tenant_id == service.directory.entra.tenant_id
    teams = service.directory.entra.teams_user_token()
    body = {"token": teams.access_token, "appId": teams.app_id, "userId": teams.user_id}
    assert again.exchange(body).status == 200
