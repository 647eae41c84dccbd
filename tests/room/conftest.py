"""An open room, and what people in it use."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import pytest
from azure.communication.identity import CommunicationIdentityClient

from helpers.room.room import Room
from helpers.sandbox import RequestRecord

SEATS = 3

ClientOf = Callable[..., CommunicationIdentityClient]


@pytest.fixture(scope="module")
def room(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Room]:
    with Room(tmp_path_factory.mktemp("room"), seats=SEATS) as opened:
        yield opened


@pytest.fixture
def client_of(room: Room, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ClientOf:
    """Makes the real client of a seat, given by its name."""
    authority = tmp_path / "authority.pem"
    authority.write_bytes(room.sandbox.certificate_authority)
    for name in ("NO_PROXY", "no_proxy"):
        monkeypatch.setenv(name, "localhost,127.0.0.1")

    def make(seat: str, **options: Any) -> CommunicationIdentityClient:
        found = room.seats.get(seat)
        assert found is not None
        return CommunicationIdentityClient.from_connection_string(
            found.connection_string, connection_verify=str(authority), retry_total=0, **options
        )

    return make


def record(seat: str | None, operation: str | None = None, **facts: Any) -> RequestRecord:
    """What a sandbox tells of a request; a success unless *facts* say otherwise."""
    facts = {
        "at": datetime.now(timezone.utc),
        "method": "POST",
        "target": "/identities",
        "status": 200,
        **facts,
    }
    return RequestRecord(
        resource=None if seat is None else f"seat-{seat}", operation=operation, **facts
    )
