"""``acs-tutorial quickstart``: the whole quickstart program, in the terminal."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from helpers.language import gettext as _

if TYPE_CHECKING:
    from helpers.cli.arguments import Commands


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
    from helpers.quickstart import main

    main()
    return 0
