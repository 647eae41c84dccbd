"""What a seat changes about the sandbox, it changes for itself alone."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

import pytest
from azure.core.exceptions import HttpResponseError

from helpers.errors import TutorialError
from helpers.room.joining import TakenSeat, join
from helpers.room.room import Room
from helpers.room.seat_sandbox import SeatSandbox
from helpers.room.ticket import Ticket

from .conftest import ClientOf


@pytest.fixture
def seat(room: Room) -> TakenSeat:
    return join(Ticket.parse(room.tickets()["01"]))


@pytest.fixture
def mine(seat: TakenSeat) -> SeatSandbox:
    return SeatSandbox(seat)


def lifetime(client_of: ClientOf, seat: str) -> timedelta:
    """How long a new token of a seat lives, by the machine's clock."""
    client = client_of(seat)
    token = client.get_token(client.create_user(), ["chat"])
    expires = datetime.fromisoformat(token.expires_on[:19] + "+00:00")
    return expires - datetime.now(timezone.utc)


def test_time_moves_for_one_seat_alone(mine: SeatSandbox, client_of: ClientOf):
    mine.clock.advance(hours=-23)

    assert lifetime(client_of, "01") < timedelta(hours=2)
    assert lifetime(client_of, "02") > timedelta(hours=23)
    mine.clock.reset()
    assert lifetime(client_of, "01") > timedelta(hours=23)


@pytest.mark.parametrize("status", [429, 500, 503])
def test_what_goes_wrong_goes_wrong_for_one_seat_alone(
    mine: SeatSandbox, client_of: ClientOf, status: int
):
    mine.fail_next(status)

    client_of("02").create_user()
    with pytest.raises(HttpResponseError) as raised:
        client_of("01").create_user()
    assert raised.value.status_code == status


def test_limits_are_a_seats_own(mine: SeatSandbox, client_of: ClientOf):
    mine.rate_limits = {"create_identity": 1}
    assert mine.rate_limits == {"create_identity": 1}

    for seat in ("02", "02", "01"):
        client_of(seat).create_user()
    with pytest.raises(HttpResponseError):
        client_of("01").create_user()


def test_a_session_begins_with_the_machines_time_and_nothing_that_goes_wrong(
    mine: SeatSandbox, seat: TakenSeat, client_of: ClientOf
):
    mine.clock.advance(days=1)
    mine.fail_next(503, times=5)
    mine.latency, mine.revocation_delay = 0.5, timedelta(minutes=5)

    again = SeatSandbox(seat)

    client_of("01").create_user()
    assert (again.clock.offset, again.latency, again.revocation_delay) == (
        timedelta(0),
        0,
        timedelta(0),
    )


@pytest.mark.parametrize(
    ("name", "how"),
    [
        ("fly", {}),
        (7, {}),
        ("advance", {"seconds": 4e8}),
        ("advance", {"seconds": "1"}),
        ("advance", {"hours": 1}),
        ("fail_next", {"status": 418}),
        ("set_latency", {"seconds": 3600}),
        ("set_latency", {"seconds": None}),
        ("set_rate_limits", {"limits": {"fly": 1}}),
    ],
)
def test_what_cannot_be_changed_so_is_one_sentence(seat: TakenSeat, name: str, how: dict):
    with pytest.raises(TutorialError) as raised:
        seat.change(name, **how)

    assert "is not a room" not in str(raised.value)


def test_controls_want_the_seats_own_code(room: Room, seat: TakenSeat):
    from dataclasses import replace

    stranger = replace(seat, ticket=replace(seat.ticket, seat="02"))
    with pytest.raises(TutorialError, match="does not know this ticket"):
        stranger.change("advance", seconds=60)
