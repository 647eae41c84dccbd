"""``acs-tutorial room`` and ``acs-tutorial join``, as people meet them in a terminal."""

from __future__ import annotations

import json
import os
import signal
import socket
import stat
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from dotenv import dotenv_values

from helpers import cli, settings
from helpers.cli import join as join_command
from helpers.cli import room as room_command
from helpers.room.joining import join
from helpers.room.room import Room
from helpers.room.ticket import Ticket


def exit_status(*arguments: str) -> int:
    try:
        return cli.main(arguments)
    except SystemExit as ending:
        return int(ending.code or 0)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder for lessons, in which the settings say nothing."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(join_command, "_PROJECT", tmp_path / "nowhere")
    for name in (settings.MODE, settings.ROOM):
        monkeypatch.delenv(name)
    monkeypatch.setenv(settings.HOME, str(tmp_path / "home"))
    return tmp_path


# Joining


def test_joining_writes_what_lessons_read(room: Room, folder: Path, capsys):
    assert exit_status("join", room.tickets()["02"].lower()) == 0

    assert capsys.readouterr().out.startswith("You have seat 02 at localhost.")
    loaded = settings.load()
    assert loaded.mode == "room"
    assert str(loaded.room) == room.tickets()["02"]
    if os.name == "posix":
        assert stat.S_IMODE((folder / ".env").stat().st_mode) == 0o600


def test_joining_keeps_the_other_lines_of_the_file(room: Room, folder: Path):
    file = folder / ".env"
    file.write_text("# mine\nACS_TUTORIAL_MODE=sandbox\nOTHER=1\n")
    assert exit_status("join", room.tickets()["02"]) == 0
    assert exit_status("join", room.tickets()["03"]) == 0

    assert file.read_text().startswith("# mine\n")
    assert dotenv_values(file)["OTHER"] == "1"
    assert settings.load().room == Ticket.parse(room.tickets()["03"])


def test_leaving_leads_back_to_a_sandbox_of_ones_own(room: Room, folder: Path, capsys):
    exit_status("join", room.tickets()["02"])
    assert exit_status("join", "--leave") == 0

    assert "You left the room" in capsys.readouterr().out
    assert settings.load().mode == "sandbox"
    assert room.tickets()["02"] not in (folder / ".env").read_text()


def test_leaving_where_nobody_joined_writes_nothing(folder: Path):
    assert exit_status("join", "--leave") == 0

    assert not (folder / ".env").exists()


@pytest.mark.parametrize("ticket", ["", "07", "localhost:1/07-QF3K-2M7X-ABCD-EFGH-IJKL-MNOP"])
def test_a_ticket_that_opens_nothing_changes_nothing(ticket: str, folder: Path, capsys):
    assert exit_status("join", ticket) == 1

    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.count("\n") == 1
    assert not (folder / ".env").exists()


def test_an_environment_that_says_otherwise_is_named(room: Room, folder: Path, monkeypatch, capsys):
    monkeypatch.setenv(settings.MODE, "live")
    assert exit_status("join", room.tickets()["02"]) == 1

    assert "the environment sets ACS_TUTORIAL_MODE to something else" in capsys.readouterr().err


def test_a_ticket_can_be_switched_off(room: Room, folder: Path, monkeypatch):
    monkeypatch.setenv(settings.ROOM, room.tickets()["01"])
    assert settings.load().mode == "room"

    monkeypatch.setenv(settings.MODE, "sandbox")
    assert settings.load().mode == "sandbox"


@pytest.mark.parametrize(
    ("name", "value", "says"),
    [
        (settings.MODE, "room", "there is no ticket: run “acs-tutorial join”"),
        (settings.ROOM, "seat 7", "ACS_TUTORIAL_ROOM: this is no ticket"),
    ],
)
def test_a_ticket_that_is_missing_or_none_is_one_sentence(
    folder: Path, monkeypatch, name: str, value: str, says: str
):
    monkeypatch.setenv(name, value)

    with pytest.raises(settings.SettingsError, match=says):
        settings.load()


@pytest.mark.parametrize(
    "arguments",
    [
        ["join"],
        ["join", "a", "--leave"],
        ["room", "--seats", "0"],
        ["room", "--seats", "501"],
        ["room", "--seats", "many"],
        ["room", "--port", "x"],
    ],
)
def test_what_is_not_understood_gets_one_line_and_status_2(arguments: list[str], capsys):
    assert exit_status(*arguments) == 2

    assert capsys.readouterr().err.count("\n") == 1


# Opening a room


@contextmanager
def running_room(folder: Path, *arguments: str) -> Iterator[subprocess.Popen[str]]:
    process = subprocess.Popen(
        [sys.executable, "-m", "helpers.cli", "room", "--port", "0", "--no-browser", *arguments],
        env={**os.environ, "ACS_TUTORIAL_HOME": str(folder), "PYTHONUNBUFFERED": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        encoding="utf-8",
    )
    # A room that says nothing must not hold up the tests.
    watchdog = threading.Timer(60, process.kill)
    watchdog.start()
    try:
        yield process
    finally:
        watchdog.cancel()
        process.kill()
        process.communicate()


def test_a_room_opens_hands_out_seats_and_closes_when_it_is_told_to(tmp_path: Path):
    with running_room(tmp_path, "--json", "--seats", "2") as process:
        assert process.stdout is not None
        facts = json.loads(process.stdout.readline())
        string = join(Ticket.parse(facts["tickets"]["02"])).connection_string
        assert set(facts["tickets"]) == {"01", "02"}
        assert string.startswith(f"endpoint={facts['endpoint']};")
        assert string in Path(facts["sheet"]).read_text("utf-8")
        process.send_signal(signal.SIGTERM)
        process.wait(20)

    assert process.returncode == (0 if os.name == "posix" else 1)


def test_what_is_printed_says_where_all_is_and_who_reaches_it_and_no_secret(
    room: Room, monkeypatch
):
    monkeypatch.setattr(room_command, "_addresses", lambda: ["192.168.1.5", "10.0.0.5"])
    sheet = room.write_sheet()
    text = room_command._announcement(room, sheet, "127.0.0.1")

    assert text.startswith("The room is open for 3 seats.")
    for part in (room.board, str(sheet), room.sandbox.endpoint):
        assert part in text
    assert "Only this machine can reach the room." in text
    assert "add --host with this machine's address there: 192.168.1.5, 10.0.0.5." in text
    assert room.fingerprint not in text
    assert "Everybody in the network of 192.168.1.5 can reach this room" in (
        room_command._announcement(room, sheet, "192.168.1.5")
    )


@pytest.mark.parametrize("host", ["192.0.2.200", "fd00::1"])
def test_an_address_of_another_machine_is_one_sentence(host: str, tmp_path, monkeypatch, capsys):
    monkeypatch.setenv(settings.HOME, str(tmp_path))
    monkeypatch.setattr(room_command, "_addresses", lambda: ["192.168.1.5"])
    assert exit_status("room", "--host", host, "--port", "0") == 1

    assert capsys.readouterr().err == (
        f"acs-tutorial: “{host}” is no address of this machine; it has: 127.0.0.1, 192.168.1.5.\n"
    )


def test_a_room_that_is_open_is_not_forgotten(tmp_path: Path, monkeypatch, capsys):
    monkeypatch.setenv(settings.HOME, str(tmp_path))
    kept = tmp_path / "room" / "sandbox.sqlite3"
    kept.parent.mkdir()
    kept.touch()
    with socket.create_server(("127.0.0.1", 0)) as board:
        port = board.getsockname()[1] - 2
        assert exit_status("room", "--new", "--port", str(port)) == 1

    assert "is in use" in capsys.readouterr().err
    assert kept.exists()
