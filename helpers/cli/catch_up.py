"""``acs-tutorial catch-up``: what the room has done so far, for a laptop that comes late."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from helpers.language import gettext as _

if TYPE_CHECKING:
    from helpers.cli.arguments import Commands


def add_command(commands: Commands) -> None:
    command = commands.add_parser(
        "catch-up",
        help=_("do the earlier lessons for a laptop that comes late"),
        description=_(
            "Runs the lessons before LESSON with their solutions, on this machine's sandbox, so that its progress is that of "
            "the room. Exercises already solved stay as they are; a real resource is never touched."
        ),
        allow_abbrev=False,
    )
    command.add_argument("lesson", metavar="LESSON", help=_("the lesson to begin, such as 07"))
    command.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    from helpers.catch_up import catch_up

    print(catch_up(options.lesson))
    return 0
