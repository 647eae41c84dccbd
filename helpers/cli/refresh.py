"""``acs-tutorial refresh``: make the stored outputs of the lessons again."""

from __future__ import annotations

import argparse
import sys
from typing import TYPE_CHECKING

from helpers.language import gettext as _

if TYPE_CHECKING:
    from helpers.cli.arguments import Commands


def add_command(commands: Commands) -> None:
    command = commands.add_parser(
        "refresh",
        help=_("run lessons and store their outputs (for contributors)"),
        description=_(
            "Runs the lessons against the sandbox, shows what they show differently, and stores it: it is what the tests "
            "compare with. Needed after a change to a lesson's code or to what it shows. A lesson of which only ids, times "
            "and the like differ stays as it is."
        ),
        allow_abbrev=False,
    )
    command.add_argument(
        "lessons",
        metavar="LESSON",
        nargs="*",
        help=_("a number (03), a name, or a notebook file; without any, all lessons"),
    )
    command.add_argument(
        "--check",
        action="store_true",
        help=_("store nothing; exit with status 1 if there is something to store"),
    )
    command.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    from helpers.validation import lessons
    from helpers.validation.refresh import main

    try:
        paths = lessons.select(options.lessons)
    except lessons.SelectionError as error:
        print(f"acs-tutorial: {error}", file=sys.stderr)
        return 2
    return main(paths, check=options.check)
