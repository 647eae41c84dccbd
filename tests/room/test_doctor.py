"""What ``acs-tutorial doctor`` says where a ticket is set."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from helpers import settings
from helpers.doctor import configuration
from helpers.room.room import Room
from helpers.room.ticket import Ticket


@pytest.fixture(autouse=True)
def in_a_room(room: Room, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv(settings.MODE)
    monkeypatch.setenv(settings.ROOM, room.tickets()["02"])


def test_a_room_that_answers_is_well():
    verdict = configuration.chosen()

    assert (verdict.state, verdict.text) == (
        "ok",
        "Room · seat 02 at localhost, which was reached",
    )


def test_a_room_that_is_another_is_a_problem_with_advice(room: Room, monkeypatch):
    ticket = replace(Ticket.parse(room.tickets()["02"]), fingerprint="A" * 16)
    monkeypatch.setenv(settings.ROOM, str(ticket))
    verdict = configuration.chosen()

    assert verdict.state == "problem"
    assert "another fingerprint" in verdict.text
    assert "join --leave" in verdict.advice
    assert ticket.code not in verdict.text
