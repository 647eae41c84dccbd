"""``acs-tutorial check-page``: what is wrong with the Python of a published page."""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from helpers.errors import TutorialError
from helpers.language import gettext as _

if TYPE_CHECKING:
    from helpers.cli.arguments import Commands


def add_command(commands: Commands) -> None:
    command = commands.add_parser(
        "check-page",
        help=_("check the Python of a published Learn page (for writers)"),
        description=_(
            "Reads a Learn page with its includes and zone pivots, follows its Python in order as a reader would, against a "
            "sandbox of its own, and says by file and line what is wrong. Nothing leaves this machine."
        ),
        epilog=_(
            "Exit status: 0 when there is nothing new, 1 when there are findings, 2 when the command line or the page "
            "could not be read."
        ),
        allow_abbrev=False,
    )
    command.add_argument("page", metavar="PAGE.md", type=Path, help=_("the page's Markdown file"))
    command.add_argument(
        "--pivot",
        metavar="NAME",
        help=_(
            "check what readers of this zone pivot see (default: python, where the page has it)"
        ),
    )
    command.add_argument(
        "--format",
        choices=("text", "json", "sarif"),
        default="text",
        help=_("text to read, or JSON or SARIF for programs (default: text)"),
    )
    command.add_argument(
        "--output", metavar="FILE", type=Path, help=_("write to this file instead of the terminal")
    )
    command.add_argument(
        "--baseline",
        metavar="FILE",
        type=Path,
        help=_("findings that are known; only new ones are reported and count"),
    )
    command.add_argument(
        "--update-baseline",
        action="store_true",
        help=_("write all findings to the file of --baseline, as known from now on"),
    )
    command.set_defaults(run=run, failure=2)


def run(options: argparse.Namespace) -> int:
    if options.update_baseline and not options.baseline:
        print(
            _("acs-tutorial check-page: --update-baseline needs --baseline FILE to write to."),
            file=sys.stderr,
        )
        return 2
    from helpers.validation.pages import baseline, checks, report

    checked = checks.check(options.page, pivot=options.pivot)
    known = (
        baseline.read(options.baseline)
        if options.baseline and not options.update_baseline
        else None
    )
    findings = checked.findings
    if options.update_baseline:
        baseline.write(options.baseline, findings)
    if known is not None:
        findings = baseline.new(findings, known, folder=options.baseline.resolve().parent)
    left_out = len(checked.findings) - len(findings)
    if options.format == "json":
        content = report.as_json(checked, findings, known=left_out)
    elif options.format == "sarif":
        content = report.sarif(checked, findings)
    else:
        color = options.output is None and sys.stdout.isatty() and "NO_COLOR" not in os.environ
        content = report.text(checked, findings, known=left_out, color=color)
    write(content, options.output)
    if options.update_baseline:
        return 0
    return 1 if findings else 0


def write(content: str, path: Path | None) -> None:
    """Write to *path*, or to the terminal.

    Raises:
        TutorialError: the file cannot be written.
    """
    if path is None:
        print(content)
        return
    try:
        path.write_text(content + "\n", encoding="utf-8")
    except OSError as error:
        raise TutorialError(
            _("{path} cannot be written: {reason}.").format(path=path, reason=error.strerror)
        ) from error
