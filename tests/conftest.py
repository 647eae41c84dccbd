"""A sandbox of one's own, and clients that trust it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, Protocol

import pytest
from azure.communication.identity import CommunicationIdentityClient

from helpers.journal import Journal
from helpers.sandbox import Sandbox


class MakeClient(Protocol):
    def __call__(self, **options: Any) -> CommunicationIdentityClient: ...


@pytest.fixture(scope="session")
def running_sandbox() -> Iterator[Sandbox]:
    with Sandbox(None) as running:
        yield running


@pytest.fixture
def sandbox(running_sandbox: Sandbox) -> Iterator[Sandbox]:
    """An empty sandbox. The server behind it is shared, because stopping one takes longer than most tests."""
    yield running_sandbox
    running_sandbox.reset()


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[Journal]:
    opened = Journal(tmp_path, service="sandbox", lesson="05")
    yield opened
    opened.close()


@pytest.fixture
def make_client(sandbox: Sandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> MakeClient:
    """Makes the real client, pointed at the sandbox; options go to the client as they are."""
    authority = tmp_path / "authority.pem"
    authority.write_bytes(sandbox.certificate_authority)
    monkeypatch.setenv("NO_PROXY", "localhost")
    monkeypatch.setenv("no_proxy", "localhost")

    def make(**options: Any) -> CommunicationIdentityClient:
        return CommunicationIdentityClient.from_connection_string(
            sandbox.connection_string, connection_verify=str(authority), **options
        )

    return make
