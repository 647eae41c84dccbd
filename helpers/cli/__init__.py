"""The command ``acs-tutorial``: opens the lessons, and what surrounds them in a terminal.

One module per command; each is imported only when it is asked for, so that ``--help`` answers at once.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from importlib.metadata import version
from typing import NoReturn

from helpers.cli import lab, quickstart, refresh, sandbox
from helpers.errors import TutorialError
from helpers.language import gettext as _


class _Parser(argparse.ArgumentParser):
    """Answers a mistake with one sentence instead of a page of usage."""

    def error(self, message: str) -> NoReturn:
        sentence = _("{command}: {problem}. See “{command} --help”.").format(
            command=self.prog, problem=message.rstrip(".")
        )
        self.exit(2, sentence + "\n")


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(
        prog="acs-tutorial",
        usage=_("acs-tutorial [options] [COMMAND …]"),
        description=_(
            "Learn Azure Communication Services identities and access tokens in Python. Without a command, this opens "
            "the first lesson in JupyterLab; everything runs on this machine unless you choose otherwise."
        ),
        epilog=_("“acs-tutorial COMMAND --help” explains one command."),
        allow_abbrev=False,
    )
    parser.add_argument(
        "--version", action="version", version=f"%(prog)s {version('acs-tutorial')}"
    )
    lab.add_arguments(parser)
    commands = parser.add_subparsers(title=_("commands"), metavar="COMMAND", prog=parser.prog)
    for module in (quickstart, refresh, sandbox):
        module.add_command(commands)
    return parser


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line *arguments* (by default those of this process) and return the exit status.

    0: done, or stopped by Ctrl-C where that is how it ends. 1: it could not be done; a sentence on standard error says
    why. 2: the command line was not understood.
    """
    options = _parser().parse_args(arguments)
    try:
        status: int = options.run(options)
    except TutorialError as error:
        print(f"acs-tutorial: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    return status
