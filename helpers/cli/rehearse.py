"""``acs-tutorial rehearse``: the lessons as a room would take them, with the time that each cell takes."""

from __future__ import annotations

import argparse
import sys
from typing import TYPE_CHECKING

from helpers import language
from helpers.language import gettext as _

if TYPE_CHECKING:
    from helpers.cli.arguments import Commands


def add_command(commands: Commands) -> None:
    command = commands.add_parser(
        "rehearse",
        help=_("run lessons as a room would, and time every cell (for presenters)"),
        description=_(
            "Runs lessons one after the other with their exercises solved, all on one new sandbox, says how long each cell "
            "takes, warns of those that take longer than 2 seconds, and checks that every lesson leaves nothing behind. Your "
            "own progress and identities are left alone."
        ),
        epilog=_(
            "Exit status: 0 when every lesson went well, slow or not, 1 when one did not, 2 when there is no such lesson."
        ),
        allow_abbrev=False,
    )
    command.add_argument(
        "lessons",
        metavar="LESSON",
        nargs="*",
        help=_("a number (03), a name, or a notebook file; without any, all lessons"),
    )
    command.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    from helpers.rehearsal import Stage, rehearse
    from helpers.validation import lessons

    own = language.current() if language.current() in lessons.languages() else language.SOURCE
    try:
        paths = lessons.select(options.lessons, language=own)
    except lessons.SelectionError as error:
        print(f"acs-tutorial: {error}", file=sys.stderr)
        return 2
    stage = Stage(len(paths))
    rehearsal = rehearse(paths, stage=stage)
    stage.verdict(rehearsal)
    return 0 if rehearsal.is_sound else 1
