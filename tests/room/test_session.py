"""A lesson in a room: ``helpers.start()`` in a process of its own, as a kernel would call it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from helpers.room.room import Room

CLIENT = """
import os
from azure.communication.identity import CommunicationIdentityClient
client = CommunicationIdentityClient.from_connection_string(
    os.environ["COMMUNICATION_SERVICES_CONNECTION_STRING"], raw_response_hook=session.observe
)
"""


def run(code: str, folder: Path, **environment: str) -> list[str]:
    finished = subprocess.run(
        [sys.executable, "-W", "error", "-c", "import helpers\n" + code],
        cwd=folder,
        env={
            **os.environ,
            "ACS_TUTORIAL_MODE": "",
            "ACS_TUTORIAL_HOME": str(folder / "home"),
            **environment,
        },
        capture_output=True,
        text=True,
        encoding="utf-8",
        timeout=60,
    )
    return (finished.stdout + finished.stderr).splitlines()


def test_one_environment_variable_is_enough(room: Room, tmp_path: Path) -> None:
    printed = run(
        f"session = helpers.start('05')\n{CLIENT}\n"
        "identity, token = client.create_user_and_token(['chat'])\n"
        "print(len(session.exchanges()), [one.raw_id == identity.raw_id for one in session.journal.identities()])\n"
        "print(session.mode, session.service, session.settings)\n",
        tmp_path,
        ACS_TUTORIAL_ROOM=room.tickets()["01"],
        # As in a company: neither of them knows the room.
        HTTPS_PROXY="http://127.0.0.1:9",
        https_proxy="http://127.0.0.1:9",
    )

    assert printed[:2] == ["Room · seat 01 at localhost", "1 [True]"]
    assert printed[2].startswith(f"room {room.address}/01-{room.fingerprint[:4]} ")
    assert room.tickets()["01"].partition("/")[2] not in printed[2]
    (seat,) = (seat for seat in room.watch.seats() if seat.seat == "01")
    assert seat.lesson == "05"


def test_a_seat_has_a_clock_of_its_own(room: Room, tmp_path: Path) -> None:
    """The cells of lesson 06, and a scene."""
    printed = run(
        f"session = helpers.start('06')\n{CLIENT}\n"
        "identity = client.create_user()\n"
        "session.sandbox.clock.advance(hours=-23, minutes=-59)\n"
        "old = client.get_token(identity, ['chat'])\n"
        "session.sandbox.clock.reset()\n"
        "from datetime import datetime, timezone\n"
        "remaining = helpers.TokenCard(old).expires - datetime.now(timezone.utc)\n"
        "print(round(remaining.total_seconds() / 60), 'minute left')\n"
        "print(session.scene('throttled').steps[1].error.cause)\n"
        "print(session.sandbox.clock.offset, dict(session.sandbox.rate_limits))\n"
        "try:\n    session.sandbox.snapshot()\n"
        "except helpers.TutorialError as error:\n    print(error)\n",
        tmp_path,
        ACS_TUTORIAL_ROOM=room.tickets()["01"],
    )

    assert printed[1:-1] == [
        "1 minute left",
        "Too many requests in too short a time; the service asks you to slow down.",
        "0:00:00 {}",
    ]
    assert "“snapshot” is the presenter's to use" in printed[-1]
    assert room.sandbox.clock.offset.total_seconds() == 0


def test_the_default_azure_credential_is_the_seats_own(room: Room, tmp_path: Path) -> None:
    printed = run(
        f"session = helpers.start()\n{CLIENT}\n"
        "from azure.identity import DefaultAzureCredential\n"
        "keyless = CommunicationIdentityClient(\n"
        "    os.environ['COMMUNICATION_SERVICES_ENDPOINT'], DefaultAzureCredential())\n"
        "print(client.get_token(keyless.create_user(), ['chat']).token[:3])\n",
        tmp_path,
        ACS_TUTORIAL_ROOM=room.tickets()["01"],
        # Somebody's own sign-in must not be asked, let alone be sent to the room.
        AZURE_CLIENT_ID="11111111-1111-1111-1111-111111111111",
        AZURE_TENANT_ID="11111111-1111-1111-1111-111111111111",
        AZURE_CLIENT_SECRET="not-used",
    )

    assert printed[-1] == "eyJ"
