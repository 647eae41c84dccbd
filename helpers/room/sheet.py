"""The sheet: a page for the printer, with a card for every seat. Whoever has a card has the seat."""

from __future__ import annotations

from collections.abc import Iterable
from html import escape
from pathlib import Path

import segno

from helpers import language
from helpers.language import gettext as _
from helpers.room.seats import Seat
from helpers.room.ticket import Ticket

_PAGE = Path(__file__).with_name("sheet.html")


def command(ticket: Ticket) -> str:
    """Return what somebody types to take the seat."""
    return f"uv run acs-tutorial join {ticket}"


def sheet(cards: Iterable[tuple[Seat, Ticket]]) -> str:
    """Return the sheet as HTML that needs nothing but itself."""
    shown = "\n".join(_card(seat, ticket) for seat, ticket in cards)
    return (
        _PAGE.read_text(encoding="utf-8")
        .replace("{language}", language.current())
        .replace("{title}", escape(_("Cards for a room")))
        .replace(
            "{advice}",
            escape(
                _(
                    "Print this page, cut the cards apart and give one to each person. Whoever has a card has its seat: do not "
                    "project this page, and throw it away afterwards."
                )
            ),
        )
        .replace("{cards}", shown)
    )


def _card(seat: Seat, ticket: Ticket) -> str:
    typed = command(ticket)
    picture = segno.make(typed, error="m", micro=False).svg_inline(
        omitsize=True, border=2, dark="#000", light="#fff", svgclass=None, lineclass=None
    )
    name = _("Seat {seat}").format(seat=seat.name)
    others = "".join(
        f"<p><b>{escape(term)}</b> <code>{escape(value)}</code></p>"
        for term, value in (
            (_("For other programs:"), seat.connection_string),
            (_("Trust this certificate authority:"), f"https://{ticket.address}/authority.pem"),
        )
    )
    steps = (
        (
            _("In the tutorial's folder, type this, or scan it and paste:"),
            f"<code>{_in_lines(typed)}</code>",
        ),
        (
            _("Open the lessons: they say “Room · seat {seat}”.").format(seat=seat.name),
            "",
        ),
    )
    items = "".join(f"<li>{escape(text)}{extra}</li>" for text, extra in steps)
    label = _("The command as a QR code")
    return (
        f'<section class="card"><h2>{escape(name)}</h2>'
        f'<div class="picture" role="img" aria-label="{escape(label)}">{picture}</div>'
        f"<ol>{items}</ol>"
        f'<div class="others">{others}</div></section>'
    )


def _in_lines(typed: str) -> str:
    """Let the lines break before the address and before the letters; nothing of that is copied."""
    before, slash, rest = escape(typed).rpartition("/")
    seat, hyphen, letters = rest.partition("-")
    program, space, address = before.rpartition(" ")
    return f"{program}{space}<wbr>{address}{slash}{seat}{hyphen}<wbr><span>{letters}</span>"
