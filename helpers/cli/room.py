"""``acs-tutorial room``: one sandbox for a workshop, a card for every seat, and the presenter's board."""

from __future__ import annotations

import argparse
import json
import socket
import webbrowser
from pathlib import Path
from typing import TYPE_CHECKING

from helpers import settings
from helpers.cli.arguments import check_free, has_screen, port_number, wait_for, when_stopped
from helpers.errors import TutorialError
from helpers.language import gettext as _
from helpers.language import listed, ngettext

if TYPE_CHECKING:
    from helpers.cli.arguments import Commands
    from helpers.room.room import Room

_LOOPBACK = "127.0.0.1"
_PORT = 8443


def add_command(commands: Commands) -> None:
    command = commands.add_parser(
        "room",
        help=_("run one sandbox for a workshop, with a seat for everybody (for presenters)"),
        description=_(
            "Opens a room until Ctrl-C: one sandbox in which every seat has a resource with keys of its own, a page of cards to "
            "print, one per seat, and a board that shows how far the seats are and who is stuck on which error. A room that is "
            "opened again has the same seats, and its cards still work."
        ),
        allow_abbrev=False,
    )
    command.add_argument(
        "--seats", metavar="N", type=_seats, default=30, help=_("how many seats (default: 30)")
    )
    command.add_argument(
        "--host",
        metavar="ADDRESS",
        default=_LOOPBACK,
        help=_(
            "this machine's address in the room's network; without it, only this machine reaches the room"
        ),
    )
    command.add_argument(
        "--port",
        metavar="N",
        type=port_number,
        default=_PORT,
        help=_("the first of three ports in a row (default: 8443)"),
    )
    command.add_argument(
        "--new",
        action="store_true",
        help=_("forget the former room: new seats, new cards, an empty board"),
    )
    command.add_argument(
        "--no-browser",
        action="store_false",
        dest="browser",
        help=_("only print where the board and the cards are; do not open them"),
    )
    command.add_argument(
        "--json",
        action="store_true",
        help=_("print one line of JSON, with every ticket, for programs"),
    )
    command.set_defaults(run=run)


def _seats(text: str) -> int:
    from helpers.room.room import MOST_SEATS

    try:
        count = int(text)
    except ValueError:
        count = 0
    if not 1 <= count <= MOST_SEATS:
        raise argparse.ArgumentTypeError(_("a room has 1 to {most} seats").format(most=MOST_SEATS))
    return count


def run(options: argparse.Namespace) -> int:
    """Keep the room open until Ctrl-C or a termination signal."""
    from helpers.room.room import Room, forget

    stopped = when_stopped()
    # Whatever the lessons are set to, this is a sandbox of this machine.
    folder = settings.sandbox_home() / "room"
    _check_host(options.host)
    if options.new:
        if options.port:
            check_free(options.port + 2)  # the board's: somebody is still in the former room
        forget(folder)
    with Room(folder, seats=options.seats, host=options.host, port=options.port) as room:
        sheet = room.write_sheet()
        if options.json:
            facts = {
                "endpoint": room.sandbox.endpoint,
                "board": room.board,
                "sheet": str(sheet),
                "tickets": room.tickets(),
            }
            print(json.dumps(facts), flush=True)
        else:
            print(_announcement(room, sheet, options.host), flush=True)
            if options.browser and has_screen():
                for address in (sheet.as_uri(), room.board):
                    webbrowser.open(address)
        wait_for(stopped)
    if not options.json:
        print("\n" + _("The room is closed. Opened again, it has the same seats and cards."))
    return 0


def _check_host(host: str) -> None:
    """Raise a TutorialError when *host* is not this machine."""
    try:
        socket.create_server(
            (host, 0), family=socket.AF_INET6 if ":" in host else socket.AF_INET
        ).close()
    except OSError as error:
        raise TutorialError(
            _("“{host}” is no address of this machine; it has: {addresses}.").format(
                host=host, addresses=listed([_LOOPBACK, *_addresses()])
            )
        ) from error


def _announcement(room: Room, sheet: Path, host: str) -> str:
    rows = [
        (_("board"), room.board, _("for this machine's browser; nothing secret is on it")),
        (_("cards"), str(sheet), _("print them; whoever has a card has its seat")),
        (_("sandbox"), room.sandbox.endpoint, ""),
    ]
    width = max(len(label) for label, _value, _remark in rows)
    indent = " " * (width + 4)
    lines = [
        ngettext(
            "The room is open for {count} seat. Press Ctrl-C here to close it.",
            "The room is open for {count} seats. Press Ctrl-C here to close it.",
            len(room.seats),
        ).format(count=len(room.seats)),
        "",
    ]
    for label, value, remark in rows:
        lines.append(f"  {label:<{width}}  {value}")
        if remark:
            lines.append(f"{indent}{remark}")
    return "\n".join([*lines, "", _reach(host)])


def _reach(host: str) -> str:
    """Say in one sentence who can reach the room."""
    if host != _LOOPBACK:
        return _(
            "Everybody in the network of {host} can reach this room; only who has a card can do anything in it."
        ).format(host=host)
    sentence = _("Only this machine can reach the room.")
    if addresses := _addresses():
        sentence += " " + _(
            "For laptops in your network, add --host with this machine's address there: {addresses}."
        ).format(addresses=listed(addresses))
    return sentence


def _addresses() -> list[str]:
    """Return this machine's own addresses in networks that others may share."""
    import psutil

    return sorted(
        {
            found.address
            for name, interface in psutil.net_if_addrs().items()
            for found in interface
            if found.family == socket.AF_INET and not found.address.startswith(("127.", "169.254."))
        }
    )
