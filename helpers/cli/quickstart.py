"""``acs-tutorial quickstart``: the whole quickstart program, in the terminal."""

from __future__ import annotations

import argparse
import runpy
from pathlib import Path
from typing import TYPE_CHECKING

from helpers import language
from helpers.errors import TutorialError
from helpers.language import gettext as _

if TYPE_CHECKING:
    from helpers.cli.arguments import Commands

_PROGRAM = Path(__file__).parents[2] / "notebooks" / "issue-access-tokens.py"


def add_command(commands: Commands) -> None:
    command = commands.add_parser(
        "quickstart",
        help=_("run the complete quickstart program here, in the terminal"),
        description=_(
            "Runs the program of lesson 09: creates an identity, issues, refreshes and revokes access tokens, and deletes "
            "the identity, saying what each step did. Against the sandbox, or against your own resource with "
            "ACS_TUTORIAL_MODE=live."
        ),
        allow_abbrev=False,
    )
    command.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    if not _PROGRAM.is_file():
        raise TutorialError(
            _("the program {path} is missing; clone the tutorial's repository again.").format(
                path=_PROGRAM
            )
        )
    from helpers.session import start

    start(language=language.current())
    # The program as it stands, as if the reader had typed “python issue-access-tokens.py”.
    try:
        runpy.run_path(str(_PROGRAM), run_name="__main__")
    except SystemExit as ending:
        return int(ending.code or 0)
    return 0
