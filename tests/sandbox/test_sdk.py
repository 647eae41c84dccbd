"""The real clients, unmodified: sync and async, by key and by Entra ID."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from azure.communication.chat import ChatClient, CommunicationTokenCredential
from azure.communication.identity import (
    CommunicationIdentityClient,
    CommunicationTokenScope,
    CommunicationUserIdentifier,
)
from azure.core.credentials import AzureKeyCredential
from azure.core.exceptions import (
    ClientAuthenticationError,
    HttpResponseError,
    ResourceNotFoundError,
    ServiceResponseError,
)
from azure.identity import DefaultAzureCredential

from helpers.sandbox import Sandbox

SCOPES = [CommunicationTokenScope.CHAT, CommunicationTokenScope.VOIP]


def walk(client: CommunicationIdentityClient, sandbox: Sandbox) -> None:
    """Every operation of the client."""
    user = client.create_user()
    other, first = client.create_user_and_token(SCOPES, token_expires_in=timedelta(hours=2))
    second = client.get_token(user, SCOPES, token_expires_in=timedelta(hours=1))
    client.revoke_tokens(user)
    client.delete_user(other)
    teams = sandbox.teams_user_token()
    exchanged = client.get_token_for_teams_user(teams.access_token, teams.app_id, teams.user_id)

    assert user.raw_id != other.raw_id
    assert not chats(sandbox, first.token)
    assert not chats(sandbox, second.token)
    assert chats(sandbox, exchanged.token)
    assert chats(sandbox, client.get_token(user, SCOPES).token)
    with pytest.raises(ResourceNotFoundError) as raised:
        client.get_token(other, SCOPES)
    assert raised.value.error.code == "IdentityNotFound"


def chats(sandbox: Sandbox, token: str) -> bool:
    """Use a token with the real chat client."""
    client = ChatClient(sandbox.endpoint.rstrip("/"), CommunicationTokenCredential(token))
    try:
        assert list(client.list_chat_threads()) == []
    except ClientAuthenticationError:
        return False
    return True


def test_a_connection_string_is_enough(trusting: Sandbox) -> None:
    walk(CommunicationIdentityClient.from_connection_string(trusting.connection_string), trusting)


def test_endpoint_and_key_are_enough(trusting: Sandbox) -> None:
    key = trusting.resources()[0].secondary_key
    endpoint = trusting.endpoint.rstrip("/")

    walk(CommunicationIdentityClient(endpoint, key), trusting)
    walk(CommunicationIdentityClient(endpoint, AzureKeyCredential(key)), trusting)


def test_the_default_credential_is_enough(trusting: Sandbox) -> None:
    with DefaultAzureCredential() as credential:
        walk(CommunicationIdentityClient(trusting.endpoint.rstrip("/"), credential), trusting)


def test_a_slash_at_the_end_of_the_endpoint_breaks_the_signature(trusting: Sandbox) -> None:
    client = CommunicationIdentityClient(trusting.endpoint, trusting.resources()[0].primary_key)

    with pytest.raises(ClientAuthenticationError) as raised:
        client.create_user()
    assert raised.value.error.code == "Denied"


@pytest.mark.parametrize("by", ["key", "entra"])
def test_the_async_client_works(trusting: Sandbox, by: str) -> None:
    teams = trusting.teams_user_token()
    environment = {
        **os.environ,
        "COMMUNICATION_SERVICES_CONNECTION_STRING": trusting.connection_string,
        "TEAMS_USER": json.dumps([teams.access_token, teams.app_id, teams.user_id]),
    }
    ran = subprocess.run(
        [sys.executable, "-m", "tests.sandbox.async_walk", by],
        env=environment,
        cwd=Path(__file__).parents[2],
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert ran.returncode == 0, ran.stderr
    walked = json.loads(ran.stdout)

    assert walked["refused"] == [400, "ValidationError", "ExpiresInMinutes"]
    assert [chats(trusting, token) for token in walked["working"]] == [True, True]
    assert [chats(trusting, token) for token in walked["ended"]] == [False, False]


def test_refusals_arrive_with_code_message_and_target(trusting: Sandbox) -> None:
    client = CommunicationIdentityClient.from_connection_string(trusting.connection_string)
    nil = "00000000-0000-0000-0000-000000000000"
    foreign = CommunicationUserIdentifier(f"8:acs:{nil}_{nil}")

    with pytest.raises(ClientAuthenticationError) as not_owned:
        client.delete_user(foreign)
    assert not_owned.value.error.code == "IdentityNotOwned"
    with pytest.raises(HttpResponseError) as too_long:
        client.create_user_and_token(SCOPES, token_expires_in=timedelta(days=2))
    assert too_long.value.status_code == 400
    assert str(too_long.value).endswith("Target: ExpiresInMinutes")


def test_a_retry_after_is_honoured_and_its_absence_too(trusting: Sandbox) -> None:
    client = CommunicationIdentityClient.from_connection_string(trusting.connection_string)
    statuses: list[int] = []

    def note(response: Any) -> None:
        statuses.append(response.http_response.status_code)

    trusting.fail_next(429, retry_after=0)
    client.create_user(raw_response_hook=note)
    assert statuses == [429, 201]

    trusting.fail_next(429)
    with pytest.raises(HttpResponseError) as raised:
        client.create_user(raw_response_hook=note)
    assert raised.value.error.code == "TooManyRequests"
    assert statuses == [429, 201, 429]

    trusting.fail_next(503)
    client.create_user(raw_response_hook=note)
    assert statuses[3:] == [503, 201]


def test_a_connection_that_breaks_after_the_work_leaves_an_identity(trusting: Sandbox) -> None:
    client = CommunicationIdentityClient.from_connection_string(trusting.connection_string)
    trusting.fail_next(drop="after")

    with pytest.raises(ServiceResponseError):
        client.create_user(retry_total=0)
    assert trusting._directory.store.count_identities() == 1
