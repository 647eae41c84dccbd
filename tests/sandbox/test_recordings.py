"""Published recordings of the live service, replayed against the sandbox.

The recordings are not part of the project; where they are at hand, each of their requests is made again, and status, code,
message, target, body members and header names must be equal, but for the differences that DIFFERENCES explains. `pytest -s`
shows the table of what differed where.
"""

from __future__ import annotations

import json
import os
import uuid
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from helpers.sandbox.entra import TeamsUserToken
from tests.sandbox.wire import Reply, Service

RECORDINGS = Path(
    os.environ.get(
        "RECORDED_EXCHANGES", Path(__file__).parents[3] / "shared" / "recorded-exchanges.json"
    )
)
EXCHANGES: list[dict[str, Any]] = (
    json.loads(RECORDINGS.read_text("utf-8")) if RECORDINGS.exists() else []
)
NIL = "00000000-0000-0000-0000-000000000000"

# What may differ, and why. The sandbox is the service of April 2025; it was recorded from October 2020 on.
DIFFERENCES = {
    "api-supported-versions: other list": "the list grew over the years; the sandbox gives the latest recorded one",
    "Strict-Transport-Security: other value": "max-age=2592000 until 2023, as here since April 2024",
    "X-Azure-Ref: missing in the recording": "before May 2021, or not kept by the recorder",
    "Request-Context: missing in the recording": "sent since May 2021",
    "X-Cache: missing in the recording": "sent since May 2021",
    "Connection: missing in the recording": "recorded in 2025 only",
    "retry-after: missing here": "added to every answer by one old recorder, not by the service",
    "success: in chunks then, with a length now": "2020 and January 2021; with a length since",
    "message: without the interval": "the second sentence came between September 2022 and March 2023",
}


def label(exchange: dict[str, Any], number: int) -> str:
    return f"{number:03}-{exchange['recorded_on'][:10]}-{exchange['api_version']}-{exchange['operation']}"


@pytest.fixture(scope="module")
def table() -> Iterator[Counter[str]]:
    """Collects the differences of all exchanges and shows them at the end."""
    seen: Counter[str] = Counter()
    yield seen
    print(f"\n\nDifferences from {len(EXCHANGES)} recorded exchanges:")
    for difference, count in seen.most_common():
        print(f"{count:5} x {difference} -- {DIFFERENCES[difference]}")


class Replay:
    """Makes a recorded request again. Recorders hide values; what they were, tests and notes tell."""

    def __init__(self, service: Service, exchange: dict[str, Any]) -> None:
        self.service = service
        self.exchange = exchange
        self.note: str = exchange.get("note") or ""
        error = (exchange["response"]["body"] or {}).get("error", {})
        self.code: str | None = error.get("code")
        self.target: str | None = error.get("target")
        self.message: str = error.get("message", "")

    def run(self) -> Reply:
        request = self.exchange["request"]
        path = request["path"]
        if "sanitized" in path:
            path = path.replace("sanitized", self.identity())
        body = request["body"]
        if "teamsUser" in path:
            body = self.teams_body(body)
        elif self.exchange["recorder"] == "java-old":
            body = self.java_body()
        if request["method"] == "POST" and isinstance(body, dict) and "customId" in body:
            self.prepare_custom_id(body["customId"])
        headers = []
        client_request_id = str(uuid.uuid4())
        if "x-ms-client-request-id" in self.recorded_headers():
            headers.append(("x-ms-client-request-id", client_request_id))
        content_type = request["headers"].get("Content-Type", "application/json")
        reply = self.service.call(
            request["method"],
            path,
            body,
            version=self.exchange["api_version"],
            entra=self.exchange["auth"] == "entra",
            headers=headers,
            content_type=content_type,
        )
        assert reply.headers.get("x-ms-client-request-id") in (None, client_request_id)
        return reply

    def recorded_headers(self) -> dict[str, str]:
        return {k.lower(): v for k, v in self.exchange["response"]["headers"].items()}

    def identity(self) -> str:
        if self.code == "IdentityNotOwned":
            return f"8:acs:{NIL}_{NIL}"
        if self.exchange["operation"] == "get_identity":
            return self.with_custom_id("alice@contoso.com")
        return self.service.new_identity()

    def with_custom_id(self, custom_id: str) -> str:
        body = {"customId": custom_id, "createTokenWithScopes": ["voip"]}
        reply = self.service.create(body, version="2025-03-02-preview")
        raw_id: str = reply.json["identity"]["id"]
        return raw_id

    def prepare_custom_id(self, custom_id: str) -> None:
        if "lastTokenIssuedAt" in self.exchange["response"]["body"]["identity"]:
            self.with_custom_id(custom_id)

    def java_body(self) -> dict[str, object] | None:
        if self.target == "ExpiresInMinutes":
            return {"createTokenWithScopes": ["chat"], "expiresInMinutes": 59}
        if "accessToken" in (self.exchange["response"]["body"] or {}):
            return {"createTokenWithScopes": ["chat"]}
        return None

    def teams_body(self, recorded: dict[str, str] | None) -> dict[str, str] | None:
        teams = self.service.directory.entra.teams_user_token()
        if recorded is None:
            if self.message.startswith("The body is either missing"):
                return None
            recorded = {"token": "sanitized", "appId": "sanitized", "userId": "sanitized"}
        body = {name: self.teams_value(name, value, teams) for name, value in recorded.items()}
        if self.target in ("AppId", "UserId") and self.exchange["recorder"] in ("java-old", "vcr"):
            body["appId" if self.target == "AppId" else "userId"] = ""
        return body

    def teams_value(self, name: str, value: str, teams: TeamsUserToken) -> str:
        if value == "":
            return ""
        if name == "token":
            return (
                "invalid"
                if self.code == "InvalidAccessToken" or self.empty_401
                else teams.access_token
            )
        if self.message == f"Provided {name[0].upper()}{name[1:]} has invalid format.":
            return "invalid"
        if self.target == name:
            return str(uuid.uuid4())
        return teams.app_id if name == "appId" else teams.user_id

    @property
    def empty_401(self) -> bool:
        return self.exchange["response"]["status"] == 401 and self.code is None


def shape(value: Any) -> Any:
    """The members of a body and their types, without the values that vary."""
    if isinstance(value, dict):
        return [(name, shape(member)) for name, member in value.items()]
    return type(value).__name__


def differences(exchange: dict[str, Any], reply: Reply) -> Iterator[str]:
    recorded = exchange["response"]
    then = {name.lower(): (name, value) for name, value in recorded["headers"].items()}
    # On the wire an answer with a body and without a length is sent in chunks.
    now = dict(reply.headers)
    if reply.content and "content-length" not in now:
        now["transfer-encoding"] = "chunked"
    if recorded["status"] < 300 and "transfer-encoding" in then and "content-length" in now:
        yield "success: in chunks then, with a length now"
        del then["transfer-encoding"], now["content-length"]
    for name in sorted(set(then) - set(now)):
        yield f"{then[name][0]}: missing here"
    for name in sorted(set(now) - set(then)):
        spelled = {
            "x-azure-ref": "X-Azure-Ref",
            "request-context": "Request-Context",
            "x-cache": "X-Cache",
            "connection": "Connection",
        }
        yield f"{spelled.get(name, name)}: missing in the recording"
    for name in sorted(set(then) & set(now)):
        title, value = then[name]
        if value in ("<present>", "<equals the request value>") or name in (
            "content-length",
            "x-processing-time",
        ):
            continue
        if value != now[name]:
            kind = "other list" if name == "api-supported-versions" else "other value"
            yield f"{title}: {kind}"


@pytest.mark.skipif(not EXCHANGES, reason=f"the recordings are not at hand ({RECORDINGS.name})")
@pytest.mark.parametrize(
    "exchange", EXCHANGES, ids=[label(e, number) for number, e in enumerate(EXCHANGES)]
)
def test_the_sandbox_answers_as_the_service_did(
    service: Service, exchange: dict[str, Any], table: Counter[str]
) -> None:
    reply = Replay(service, exchange).run()
    recorded = exchange["response"]
    found = list(differences(exchange, reply))

    assert reply.status == recorded["status"], reply.content
    if recorded["body"] is None:
        assert reply.content == b""
    elif "error" in recorded["body"]:
        error, here = recorded["body"]["error"], reply.json["error"]
        if error["message"] != here["message"]:
            assert here["message"].startswith(error["message"])
            found.append("message: without the interval")
            here["message"] = error["message"]
        assert here == error
    else:
        assert shape(reply.json) == shape(recorded["body"])
    unexplained = [difference for difference in found if difference not in DIFFERENCES]
    assert unexplained == []
    table.update(found)


@pytest.mark.skipif(not EXCHANGES, reason=f"the recordings are not at hand ({RECORDINGS.name})")
def test_every_recorded_exchange_is_replayed() -> None:
    assert len(EXCHANGES) == 113
