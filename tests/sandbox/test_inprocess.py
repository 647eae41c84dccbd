"""The sandbox without a socket: the same answers and the same errors as over the network."""

from __future__ import annotations

import base64
import time
from collections.abc import Iterator
from typing import Any

import pytest
import requests
from azure.communication.chat import ChatClient, CommunicationTokenCredential
from azure.communication.identity import CommunicationIdentityClient
from azure.core.exceptions import AzureError, ClientAuthenticationError, HttpResponseError
from azure.identity import DefaultAzureCredential
from requests.adapters import HTTPAdapter

from helpers.sandbox.control import Control
from helpers.sandbox.directory import Directory
from helpers.sandbox.errors import SandboxError
from helpers.sandbox.inprocess import InProcessServer
from helpers.sandbox.store import Store

OVER_THE_NETWORK = HTTPAdapter.send


class InProcess:
    """A sandbox in this process, and clients of it."""

    def __init__(self, *, port: int = 0) -> None:
        self.directory = Directory(Store(None), Control())
        self.control = self.directory.control
        self.requests: list[str] = []
        self.server = InProcessServer(
            self.directory,
            port=port,
            identity_header="an identity header",
            log=None,
            on_request=lambda record: self.requests.append(f"{record.status} {record.target}"),
        )
        self.endpoint = f"https://localhost:{self.server.port}"

    def client(self, *, key: str | None = None, **options: Any) -> CommunicationIdentityClient:
        key = key or self.directory.resource().primary_key
        return CommunicationIdentityClient.from_connection_string(
            f"endpoint={self.endpoint}/;accesskey={key}", **options
        )

    def close(self) -> None:
        self.server.close()
        self.directory.store.close()


@pytest.fixture
def inside() -> Iterator[InProcess]:
    made = InProcess()
    yield made
    made.close()


def test_the_sdk_issues_a_token_and_its_hook_sees_the_exchange(inside):
    seen = []
    client = inside.client(raw_response_hook=seen.append)

    identity, token = client.create_user_and_token(["chat"])

    assert identity.raw_id.startswith("8:acs:")
    assert inside.directory.check_token(token.token).scopes == ("chat",)
    (exchange,) = seen
    assert exchange.http_response.status_code == 201
    assert exchange.http_response.reason == "Created"
    assert exchange.http_request.headers["Authorization"].startswith("HMAC-SHA256")


def test_a_signature_with_a_wrong_key_is_refused(inside):
    stranger = inside.client(key=base64.b64encode(b"somebody else's key" * 3).decode())

    with pytest.raises(ClientAuthenticationError) as refused:
        stranger.create_user()

    assert refused.value.status_code == 401
    assert inside.directory.store.count_identities() == 0


def test_a_revoked_token_stops_working(inside):
    identity, token = inside.client().create_user_and_token(["chat"])
    chat = ChatClient(inside.endpoint, CommunicationTokenCredential(token.token))
    assert list(chat.list_chat_threads()) == []

    inside.client().revoke_tokens(identity)

    with pytest.raises(HttpResponseError) as refused:
        list(chat.list_chat_threads())
    assert (refused.value.status_code, refused.value.reason) == (401, "Unauthorized")


def test_a_managed_identity_is_found(inside, monkeypatch):
    monkeypatch.setenv("IDENTITY_ENDPOINT", f"{inside.endpoint}/msi/token")
    monkeypatch.setenv("IDENTITY_HEADER", "an identity header")
    monkeypatch.setenv("AZURE_TOKEN_CREDENTIALS", "ManagedIdentityCredential")
    client = CommunicationIdentityClient(inside.endpoint, DefaultAzureCredential())

    assert client.create_user().raw_id.startswith("8:acs:")


@pytest.mark.parametrize(
    "fault",
    [
        {"status": 429, "retry_after": 7},
        {"status": 500},
        {"status": 503},
        {"drop": "before"},
        {"drop": "after"},
    ],
    ids=str,
)
def test_what_goes_wrong_is_the_same_error_as_over_the_network(inside, sandbox, make_client, fault):
    def error_of(client: CommunicationIdentityClient) -> AzureError:
        with pytest.raises(AzureError) as raised:
            client.create_user()
        return raised.value

    def retry_after(error: AzureError) -> str | None:
        return error.response.headers.get("Retry-After") if hasattr(error, "response") else None

    inside.control.faults.add(**fault)
    here = error_of(inside.client(retry_total=0))
    sandbox.fail_next(**fault)
    there = error_of(make_client(retry_total=0))

    assert type(here) is type(there)
    assert type(here.inner_exception) is type(there.inner_exception)
    assert getattr(here, "status_code", None) == getattr(there, "status_code", None)
    assert retry_after(here) == retry_after(there)


def test_a_connection_that_breaks_after_the_work_leaves_the_work_done(inside):
    inside.control.faults.add(drop="after")

    with pytest.raises(AzureError):
        inside.client(retry_total=0).create_user()

    assert inside.directory.store.count_identities() == 1
    assert inside.requests == ["None /identities?api-version=2023-10-01"]


def test_an_answer_that_comes_too_late_is_the_same_error_as_over_the_network(
    inside, sandbox, make_client
):
    inside.control.latency = sandbox.latency = 0.2
    errors = []

    for client in (
        inside.client(retry_total=0, read_timeout=0.1),
        make_client(retry_total=0, read_timeout=0.1),
    ):
        with pytest.raises(AzureError) as raised:
            client.create_user()
        errors.append(type(raised.value))

    sandbox.latency = 0
    assert errors[0] is errors[1]


def test_latency_takes_its_time(inside):
    inside.control.latency = 0.1
    started = time.monotonic()

    inside.client().create_user()

    assert time.monotonic() - started >= 0.1


def test_answers_have_the_headers_that_they_have_over_the_network(inside, make_client):
    names = []
    for client in (inside.client(), make_client()):
        client.create_user(
            raw_response_hook=lambda exchange: names.append(sorted(exchange.http_response.headers))
        )

    assert names[0] == names[1]


def test_other_addresses_go_to_the_network(inside):
    # Nobody listens on port 1; neither does this sandbox.
    for address in ("https://localhost:1/", f"http://localhost:{inside.server.port}/"):
        with pytest.raises(requests.ConnectionError):
            requests.get(address, timeout=5)

    assert inside.requests == []


def test_two_sandboxes_of_one_process_are_kept_apart(inside):
    other = InProcess()
    identity = inside.client().create_user()

    with pytest.raises(HttpResponseError):
        other.client().get_token(identity, ["chat"])

    other.close()
    assert inside.client().get_token(identity, ["chat"]).token


def test_a_port_is_given_once(inside):
    with pytest.raises(SandboxError, match="already in use"):
        InProcess(port=inside.server.port)


def test_a_closed_one_leaves_the_library_as_it_was():
    one = InProcess()
    assert HTTPAdapter.send is not OVER_THE_NETWORK

    one.close()

    assert HTTPAdapter.send is OVER_THE_NETWORK
