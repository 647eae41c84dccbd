"""The sheet of cards."""

from __future__ import annotations

import re
from html import unescape
from html.parser import HTMLParser

from helpers.room.room import Room
from helpers.room.sheet import command, sheet


def shown(room: Room) -> str:
    return sheet((seat, room.ticket(seat)) for seat in room.seats)


def test_every_seat_has_a_card_with_its_own_command_and_connection_string(room: Room):
    cards = shown(room).split('<section class="card">')[1:]

    assert len(cards) == len(room.seats)
    for card, seat in zip(cards, room.seats, strict=True):
        text = unescape(re.sub(r"<[^>]+>", "", card))
        assert text.startswith(f"Seat {seat.name}")
        assert command(room.ticket(seat)) in text
        assert seat.connection_string in text
        assert sum(other.code in card.replace("-", "") for other in room.seats) == 1


def test_the_sheet_needs_nothing_but_itself(room: Room):
    class References(HTMLParser):
        found: list[tuple[str, str | None]]

        def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
            self.found += [pair for pair in attributes if pair[0] in ("src", "href", "srcset")]

    references = References()
    references.found = []
    references.feed(shown(room))

    assert references.found == []
    assert "url(" not in shown(room)


def test_no_placeholder_of_the_page_is_left(room: Room):
    assert re.findall(r"\{[a-z_]+\}", shown(room)) == []
