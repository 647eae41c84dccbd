"""``acs-tutorial join``: take a seat in a presenter's room, or leave it."""

from __future__ import annotations

import argparse
import os
from pathlib import Path
from typing import TYPE_CHECKING

from helpers import settings
from helpers.errors import TutorialError
from helpers.language import gettext as _

if TYPE_CHECKING:
    from helpers.cli.arguments import Commands

_PROJECT = Path(__file__).resolve().parents[2]


def add_command(commands: Commands) -> None:
    command = commands.add_parser(
        "join",
        help=_("take a seat in a presenter's room"),
        description=_(
            "Takes the seat that a ticket is for: checks that the room is the one that the ticket names, and writes the ticket to "
            "the file .env, from which the lessons read where their calls go."
        ),
        allow_abbrev=False,
    )
    what = command.add_mutually_exclusive_group(required=True)
    what.add_argument("ticket", metavar="TICKET", nargs="?", help=_("what stands on your card"))
    what.add_argument(
        "--leave",
        action="store_true",
        help=_("leave the room: the lessons have a sandbox of their own again"),
    )
    command.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    file = _settings_file()
    if options.leave:
        _write(file, mode="sandbox", ticket=None)
        print(
            _(
                "You left the room. Restart the kernel of every open lesson: its sandbox is this computer's own again."
            )
        )
        return 0

    from helpers.room.joining import join
    from helpers.room.ticket import Ticket

    ticket = Ticket.parse(options.ticket)
    join(ticket)
    _write(file, mode="room", ticket=str(ticket))
    print(
        _(
            "You have seat {seat} at {host}. Open the lessons with “acs-tutorial”; in lessons that are open, restart the kernel."
        ).format(seat=ticket.seat, host=ticket.host)
    )
    return 0


def _settings_file() -> Path:
    """The file that a lesson's kernel will find, whether it is there yet or not."""
    from dotenv import find_dotenv

    if found := find_dotenv(usecwd=True):
        return Path(found)
    return (_PROJECT if (_PROJECT / "notebooks").is_dir() else Path.cwd()) / ".env"


def _write(file: Path, *, mode: settings.Mode, ticket: str | None) -> None:
    from dotenv import set_key

    # An empty value takes the place of a former ticket.
    written = {settings.MODE: mode, settings.ROOM: ticket or ""}
    try:
        if not file.exists():
            if ticket is None:
                return
            file.touch(mode=0o600)
        for key, value in written.items():
            set_key(file, key, value, quote_mode="never", encoding="utf-8")
    except (OSError, UnicodeError) as error:
        raise TutorialError(
            _(
                "the settings cannot be written to {file} ({reason}); set ACS_TUTORIAL_ROOM in the environment instead."
            ).format(file=file, reason=getattr(error, "strerror", None) or error)
        ) from error
    for key, value in written.items():
        if os.environ.get(key, value) != value:
            raise TutorialError(
                _(
                    "{file} is written, but the environment sets {name} to something else and wins; remove it there."
                ).format(file=file, name=key)
            )
