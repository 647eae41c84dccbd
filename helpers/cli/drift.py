"""``acs-tutorial drift``: where a published page and the lessons no longer say the same."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from helpers.language import gettext as _

if TYPE_CHECKING:
    from helpers.cli.arguments import Commands


def add_command(commands: Commands) -> None:
    command = commands.add_parser(
        "drift",
        help=_("compare a published page with the lessons (for writers)"),
        description=_(
            "Says which sections of a Learn page no lesson covers, which steps of the lessons have no section, and where the "
            "code differs and who is right."
        ),
        epilog=_(
            "Exit status: 0 when page and lessons agree, 1 when they have drifted apart, 2 when the command line or the "
            "page could not be read."
        ),
        allow_abbrev=False,
    )
    command.add_argument("page", metavar="PAGE.md", type=Path, help=_("the page's Markdown file"))
    command.add_argument(
        "--pivot",
        metavar="NAME",
        help=_("compare what readers of this zone pivot see (default: python)"),
    )
    command.add_argument(
        "--format",
        choices=("text", "json"),
        default="text",
        help=_("text to read, or JSON for programs (default: text)"),
    )
    command.set_defaults(run=run, failure=2)


def run(options: argparse.Namespace) -> int:
    from helpers.validation.pages import drift

    compared = drift.compare(options.page, pivot=options.pivot)
    print(drift.as_json(compared) if options.format == "json" else drift.text(compared))
    return 0 if compared.is_current else 1
