"""Every error that a learner meets gets its own cause, fix and link. The table is the specification."""

from __future__ import annotations

import base64
import os
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from azure.communication.chat import ChatClient, CommunicationTokenCredential
from azure.communication.identity import CommunicationIdentityClient, CommunicationUserIdentifier
from azure.core.credentials import AccessToken, AzureKeyCredential
from azure.core.exceptions import ResourceNotFoundError
from azure.core.pipeline.policies import SansIOHTTPPolicy

from helpers.errors import TutorialError
from helpers.explain import Explanation, explain
from helpers.sandbox import Sandbox
from tests.conftest import MakeClient


@dataclass
class Room:
    """What a learner has at hand when something goes wrong."""

    sandbox: Sandbox
    authority: str
    client: CommunicationIdentityClient
    user: CommunicationUserIdentifier = field(init=False)
    token: AccessToken = field(init=False)

    def __post_init__(self) -> None:
        self.user, self.token = self.client.create_user_and_token(["chat"])

    @property
    def endpoint(self) -> str:
        return self.sandbox.endpoint.rstrip("/")

    @property
    def key(self) -> str:
        return self.sandbox.connection_string.split("accesskey=")[1]

    def at(self, endpoint: str, **options: Any) -> CommunicationIdentityClient:
        options = {"connection_verify": self.authority, "retry_total": 0, **options}
        return CommunicationIdentityClient(
            endpoint, AzureKeyCredential(options.pop("key", self.key)), **options
        )

    def deleted(self) -> CommunicationUserIdentifier:
        user = self.client.create_user()
        self.client.delete_user(user)
        return user

    def expired(self) -> str:
        self.sandbox.clock.advance(hours=-23, minutes=-59)
        token: str = self.client.get_token(self.user, ["chat"]).token
        self.sandbox.clock.reset()
        return token

    def chat(self, token: str) -> list[Any]:
        chat = ChatClient(
            self.endpoint, CommunicationTokenCredential(token), connection_verify=self.authority
        )
        return list(chat.list_chat_threads())


class WrongClock(SansIOHTTPPolicy):  # type: ignore[type-arg]
    """What a computer whose clock stands in 2020 would have sent."""

    def on_request(self, request: Any) -> None:
        request.http_request.headers["x-ms-date"] = "Sun, 22 Nov 2020 10:00:00 GMT"


@pytest.fixture
def room(sandbox: Sandbox, make_client: MakeClient, tmp_path: Path) -> Room:
    return Room(sandbox, str(tmp_path / "authority.pem"), make_client(retry_total=0))


def revoked(room: Room) -> None:
    room.client.revoke_tokens(room.user)
    room.chat(room.token.token)


def fails(room: Room, status: int) -> None:
    room.sandbox.fail_next(status)
    room.client.create_user()


def concatenated(room: Room) -> str:
    return "token: " + room.token  # type: ignore[operator]


TABLE: list[tuple[str, Callable[[Room], Any], str, str]] = [
    # what went wrong, how, what the cause says, what the fix says
    (
        "wrong key",
        lambda room: room.at(room.endpoint, key=base64.b64encode(bytes(64)).decode()).create_user(),
        "does not know the access key",
        "Copy the connection string again",
    ),
    (
        "endpoint with a slash",
        lambda room: room.at(room.endpoint + "/").create_user(),
        "the endpoint ends with a slash",
        "Take the slash off",
    ),
    (
        "clock skew",
        lambda room: room.at(room.endpoint, per_retry_policies=[WrongClock()]).create_user(),
        "clock is off",
        "clock to update by itself",
    ),
    (
        "foreign identity",
        lambda room: room.client.get_token(
            CommunicationUserIdentifier(
                "8:acs:" + "_".join(["00000000-0000-0000-0000-000000000000"] * 2)
            ),
            ["chat"],
        ),
        "belongs to another resource",
        "the resource that created it",
    ),
    (
        "deleted identity",
        lambda room: room.client.get_token(room.deleted(), ["chat"]),
        "does not exist any more",
        "Create a new one",
    ),
    (
        "lifetime too short",
        lambda room: room.client.get_token(
            room.user, ["chat"], token_expires_in=timedelta(minutes=5)
        ),
        "60 to 1440 minutes",
        "timedelta(hours=1) to timedelta(hours=24)",
    ),
    (
        "lifetime too long",
        lambda room: room.client.create_user_and_token(
            ["chat"], token_expires_in=timedelta(days=2)
        ),
        "60 to 1440 minutes",
        "timedelta(hours=1)",
    ),
    (
        "scopes as text",
        lambda room: room.client.get_token(room.user, "voip"),
        "given as one text",
        '["voip"]',
    ),
    (
        "scopes as text, on create",
        lambda room: room.client.create_user_and_token("voip"),
        "given as one text",
        '["voip"]',
    ),
    (
        "no scopes",
        lambda room: room.client.get_token(room.user, []),
        "at least one is needed",
        "voip.join",
    ),
    (
        "scopes None",
        lambda room: room.client.get_token(room.user, None),
        "at least one is needed",
        "voip.join",
    ),
    (
        "scopes None, on create",
        lambda room: room.client.create_user_and_token(None),
        "no token came with it",
        "create_user",
    ),
    (
        "unknown scope",
        lambda room: room.client.get_token(room.user, ["video"]),
        "must be one that it knows",
        "chat.join.limited",
    ),
    (
        "lifetime as a number",
        lambda room: room.client.get_token(room.user, ["chat"], token_expires_in=60),
        "a bare number",
        "timedelta(minutes=90)",
    ),
    (
        "raw id for an identifier",
        lambda room: room.client.get_token(room.user.raw_id, ["chat"]),
        "A raw id",
        "CommunicationUserIdentifier(raw_id)",
    ),
    (
        "raw id, on delete",
        lambda room: room.client.delete_user(room.user.raw_id),
        "A raw id",
        "CommunicationUserIdentifier(raw_id)",
    ),
    (
        "no identity",
        lambda room: room.client.delete_user(None),
        "There is no identity",
        "creates the identity first",
    ),
    (
        "the pair for an identity",
        lambda room: room.client.get_token(room.client.create_user_and_token(["chat"]), ["chat"]),
        "returned a pair",
        "identity, token =",
    ),
    (
        "misspelt argument",
        lambda room: room.client.get_token(room.user, ["chat"], token_expire_in=timedelta(hours=1)),
        "“token_expire_in”",
        "token_expires_in was meant",
    ),
    (
        "custom_id",
        lambda room: room.client.create_user(custom_id="ana"),
        "“custom_id”",
        "No release of the Python SDK",
    ),
    (
        "missing argument",
        lambda room: room.client.get_token(room.user),
        "missing in this call: scopes",
        '["chat"]',
    ),
    (
        "expires_on in a sum",
        lambda room: room.token.expires_on - datetime.now().timestamp(),
        "Text was used as a number",
        "fromisoformat",
    ),
    (
        "expires_on as a time",
        lambda room: room.token.expires_on.strftime("%d"),
        "expires_on is text",
        "fromisoformat",
    ),  # type: ignore[attr-defined]
    (
        "refresher returns the client's token",
        lambda room: CommunicationTokenCredential(
            room.expired(), token_refresher=lambda: room.client.get_token(room.user, ["chat"])
        ).get_token(),
        "whose expires_on is text",
        "lesson 06",
    ),
    (
        "nobody there",
        lambda room: room.at("https://localhost:9").create_user(),
        "could not be reached",
        "Check the endpoint",
    ),
    (
        "a proxy in the way",
        lambda room: room.at(
            "https://contoso.invalid", proxies={"https": "http://127.0.0.1:9"}
        ).create_user(),
        "A proxy stands between",
        "NO_PROXY",
    ),
    (
        "certificate not trusted",
        lambda room: room.at(room.endpoint, connection_verify=True).create_user(),
        "certificate is not trusted",
        "helpers.start()",
    ),
    ("too many requests", lambda room: fails(room, 429), "Too many requests", "Wait half a minute"),
    ("service in trouble", lambda room: fails(room, 503), "a problem of its own", "Try again"),
    ("revoked token", revoked, "revoked or expired", "Issue a new token"),
    (
        "key that is not base64",
        lambda room: room.at(room.endpoint, key="abc").create_user(),
        "not base64",
        "Copy it again",
    ),
    (
        "half a connection string",
        lambda room: CommunicationIdentityClient.from_connection_string("endpoint=https://x"),
        "not a connection string",
        "copy it whole",
    ),
    (
        "variable not set",
        lambda room: os.environ["COMMUNICATION_SERVICES_CONNECTION_STRINGS"],
        "is not set in this kernel",
        "helpers.start()",
    ),
    (
        "2020's identity.identifier",
        lambda room: room.user.identifier,
        "An identity has no “identifier”",
        "identity.raw_id",
    ),  # type: ignore[attr-defined]
    (
        "2020's issue_token",
        lambda room: room.client.issue_token(room.user, ["chat"]),
        "no method “issue_token”",
        "Call get_token",
    ),  # type: ignore[attr-defined]
    (
        "2020's create_user_with_token",
        lambda room: room.client.create_user_with_token(["chat"]),
        "no method",
        "Call create_user_and_token",
    ),  # type: ignore[attr-defined]
    (
        "misspelt method",
        lambda room: room.client.delete_users(room.user),
        "no method “delete_users”",
        "Call delete_user",
    ),  # type: ignore[attr-defined]
    (
        "the page's existingIdentity",
        lambda room: eval("existingIdentity"),
        "“existingIdentity”",
        "CommunicationUserIdentifier(stored_id)",
    ),
    (
        "missing import",
        lambda room: eval("DefaultAzureCredential()"),
        "“DefaultAzureCredential”",
        "from azure.identity import DefaultAzureCredential",
    ),
    ("cell not run", lambda room: eval("my_identity"), "“my_identity”", "Run the cells above"),
    (
        "another kernel",
        lambda room: __import__("azure_communication_identity"),
        "not in this notebook's environment",
        "uv run acs-tutorial",
    ),
    (
        "not a token",
        lambda room: CommunicationTokenCredential("abc"),
        "not an access token",
        "token_result.token",
    ),
    ("token in a sum of texts", concatenated, "not text", "token_result.token"),
]

GENERAL = ("The call did not succeed, and the SDK", "This error comes from Python")


@pytest.mark.parametrize(
    ("do", "cause", "fix"), [row[1:] for row in TABLE], ids=[row[0] for row in TABLE]
)
def test_an_error_is_explained(do: Callable[[Room], Any], cause: str, fix: str, room: Room) -> None:
    with pytest.raises(Exception) as raised:
        do(room)

    explanation = explain(raised.value)

    assert cause in explanation.cause
    assert fix in explanation.fix
    assert explanation.link.startswith("https://")
    assert not explanation.cause.startswith(GENERAL)
    # The original stands below, and holds no secret.
    assert explanation.original.partition(":")[0].rpartition(".")[2] == type(raised.value).__name__
    assert len(explanation.original) < 300
    assert room.key not in repr(explanation)
    assert room.token.token not in repr(explanation)


def test_a_setting_that_is_wrong_explains_itself() -> None:
    assert explain(TutorialError("Remove the slash.")).cause == "Remove the slash."


def test_what_nobody_foresaw_still_gets_a_direction() -> None:
    assert explain(ResourceNotFoundError("Where?")).cause.startswith(GENERAL[0])
    assert explain(ZeroDivisionError("division by zero")).cause.startswith(GENERAL[1])


def test_the_last_error_is_explained_without_naming_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        sys, "last_value", NameError("name 'existingIdentity' is not defined"), raising=False
    )

    assert "existingIdentity" in explain().cause


def test_without_an_error_it_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(sys, "last_value", raising=False)

    with pytest.raises(TutorialError, match="no error to explain yet"):
        explain()


def test_an_error_that_repeats_a_token_is_masked(room: Room) -> None:
    assert room.token.token not in repr(explain(ValueError(f"bad token {room.token.token}")))


def test_an_explanation_reads_the_same_in_a_notebook() -> None:
    shown = Explanation(
        "A & B", "Do <this>", "https://learn.microsoft.com", "Error: x"
    )._repr_html_()

    assert (
        "A &amp; B" in shown
        and "Do &lt;this&gt;" in shown
        and "https://learn.microsoft.com" in shown
    )


def test_an_answer_without_a_request_is_still_explained() -> None:
    error = ResourceNotFoundError(
        "gone", response=SimpleNamespace(status_code=404, reason="Not Found", headers={})
    )  # type: ignore[arg-type]

    assert explain(error).cause.startswith(GENERAL[0])
