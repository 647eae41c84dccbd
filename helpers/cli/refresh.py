"""``acs-tutorial refresh``: make the stored outputs of the lessons again."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from helpers.language import gettext as _

if TYPE_CHECKING:
    from helpers.cli.arguments import Commands


def add_command(commands: Commands) -> None:
    command = commands.add_parser(
        "refresh",
        help=_("run lessons and store their outputs (for contributors)"),
        description=_(
            "Runs the lessons against the sandbox and stores the outputs that the tests compare with. Needed after a "
            "change to a lesson's code or to what it shows."
        ),
        allow_abbrev=False,
    )
    command.add_argument(
        "lessons",
        metavar="LESSON",
        nargs="*",
        type=Path,
        help=_("a lesson's notebook file; without any, all lessons"),
    )
    command.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    from helpers.validation.refresh import main

    main(options.lessons)
    return 0
