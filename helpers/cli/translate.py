"""``acs-tutorial translate``: the catalogues of the languages, and the lessons built from them."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from helpers.language import gettext as _

if TYPE_CHECKING:
    from helpers.cli.arguments import Commands


def add_command(commands: Commands) -> None:
    command = commands.add_parser(
        "translate",
        help=_("update translations and build the lessons from them (for contributors)"),
        description=_(
            "Finds every text of the tutorial, brings the catalogues up to date with it, builds the lessons of each language "
            "from the English ones, runs those whose outputs that can change, and lists what is still to be translated."
        ),
        allow_abbrev=False,
    )
    command.add_argument(
        "languages",
        metavar="LANGUAGE",
        nargs="*",
        help=_(
            "a language's code, such as ko; a new one begins a catalogue; without any, all languages"
        ),
    )
    command.add_argument(
        "--check",
        action="store_true",
        help=_(
            "change nothing; exit with 1 if a translation is missing or out of date, and say where"
        ),
    )
    command.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    from helpers.translation.work import check, translate

    return check(options.languages) if options.check else translate(options.languages)
