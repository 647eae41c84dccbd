"""What the board says."""

from __future__ import annotations

import re
from datetime import datetime, timedelta, timezone

import pytest

from helpers.room.board import state
from helpers.room.watch import Watch

from .conftest import record

NOW = datetime(2026, 11, 22, 9, 30, tzinfo=timezone.utc)


@pytest.fixture
def watch() -> Watch:
    return Watch(["01", "02", "03"])


def shown(watch: Watch, part: str, after: timedelta = timedelta(minutes=2)) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", state(watch, NOW + after)[part])).strip()


def test_each_step_says_how_many_seats_have_done_it(watch):
    for seat in ("01", "02"):
        watch.note(record(seat, "create_identity", identity="a"))

    assert "02 Create identities 2 of 3" in shown(watch, "steps")
    assert "03 Issue access tokens 0 of 3" in shown(watch, "steps")
    assert shown(watch, "taken") == "2 of 3 seats taken"


@pytest.mark.parametrize(
    ("facts", "says"),
    [
        (
            {"status": 404, "code": "IdentityNotFound"},
            "404 IdentityNotFound This identity does not exist any more: it was deleted. → A deleted identity never",
        ),
        (
            {"status": 401, "code": "IdentityNotOwned"},
            "401 IdentityNotOwned This identity belongs to another resource. →",
        ),
        (
            {"status": 429, "code": "TooManyRequests"},
            "429 TooManyRequests Too many requests in too short a time",
        ),
        ({"status": 503, "code": "ServiceUnavailable"}, "The service has a problem of its own"),
        (
            {
                "status": 400,
                "code": "ValidationError",
                "message": "ExpiresInMinutes value 30 is invalid. Value must be within the [60, 1440] interval.",
            },
            "400 ValidationError The lifetime is out of range",
        ),
        (
            {
                "status": 400,
                "code": "ValidationError",
                "message": "Invalid scopes - Provided scope is not supported.",
            },
            "400 ValidationError The service did not accept the scopes",
        ),
        ({"status": 404}, "404 The call did not succeed"),
        ({"status": None}, "no answer The connection broke"),
    ],
)
def test_whoever_is_stuck_stands_there_with_error_cause_and_remedy(watch, facts, says):
    watch.note(record("02", at=NOW, **facts))

    text = shown(watch, "stuck")
    assert text.startswith("Seat 02 for 2 min · once")
    assert says in text
    assert "1 seat is stuck." in shown(watch, "alarm")
    assert "Seat 02: stuck" in shown(watch, "seats")


def test_how_often_and_how_long_are_told(watch):
    for _attempt in range(3):
        watch.note(record("01", at=NOW, status=503))

    assert "for 45 s · 3 times" in shown(watch, "stuck", timedelta(seconds=45))


def test_nobody_stuck_is_said_too(watch):
    assert shown(watch, "alarm").endswith("Nobody is stuck.")
    assert shown(watch, "stuck") == ""


def test_each_seat_says_where_it_is(watch):
    watch.joined("01", "04")
    watch.note(record("02", "create_identity"))

    assert [
        words.strip() for words in re.findall(r"Seat \d+: [^<]+", state(watch, NOW)["seats"])
    ] == [
        "Seat 01: in lesson 04",
        "Seat 02: taken",
        "Seat 03: free",
    ]


def test_strangers_are_told_in_one_sentence(watch):
    for client in ("10.0.0.1", "10.0.0.2"):
        watch.note(record(None, status=401, code="Denied", client=client, at=NOW))

    text = shown(watch, "strangers", timedelta(seconds=5))
    assert text.startswith("2 requests from 2 computers came with a key that is no seat")
    assert "10.0.0.1" not in text


def test_what_a_request_holds_cannot_become_a_part_of_the_page(watch):
    watch.note(record("01", at=NOW, status=400, code="<script>alert(1)</script>"))

    assert "<script>" not in state(watch, NOW + timedelta(minutes=1))["stuck"]
