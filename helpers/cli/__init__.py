"""The command ``acs-tutorial``: opens the lessons, and what surrounds them in a terminal.

One module per command; each is imported only when it is asked for, so that ``--help`` answers at once.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from importlib.metadata import version
from typing import NoReturn

from helpers import language
from helpers.cli import (
    catch_up,
    check_page,
    doctor,
    drift,
    join,
    lab,
    playground,
    quickstart,
    refresh,
    rehearse,
    reset,
    room,
    sandbox,
    scan,
    site,
    slides,
    translate,
    validate,
)
from helpers.cli.words import choose_language
from helpers.errors import TutorialError
from helpers.language import gettext as _

_COMMANDS = (
    catch_up,
    check_page,
    doctor,
    drift,
    join,
    playground,
    quickstart,
    refresh,
    rehearse,
    reset,
    room,
    sandbox,
    scan,
    site,
    slides,
    translate,
    validate,
)


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
        "--version",
        action="version",
        version=f"%(prog)s {version('acs-tutorial')}",
        help=_("show the version of the tutorial and exit"),
    )
    parser.add_argument(
        "--language",
        metavar="CODE",
        choices=language.available(),
        help=_(
            "speak this language, in the lessons too: {languages} (default: this computer's)"
        ).format(languages=language.listed(language.available())),
    )
    lab.add_arguments(parser)
    commands = parser.add_subparsers(title=_("commands"), metavar="COMMAND", prog=parser.prog)
    for module in _COMMANDS:
        module.add_command(commands)
    return parser


def _names() -> list[str]:
    return [module.__name__.rpartition(".")[2].replace("_", "-") for module in _COMMANDS]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line *arguments* (by default those of this process) and return the exit status.

    0: done, or stopped by Ctrl-C where that is how it ends. 1: it could not be done; a sentence on standard error says
    why. 2: the command line was not understood. Commands that look for faults return 1 when there are some, and 2 when they
    could not look.
    """
    arguments = sys.argv[1:] if arguments is None else arguments
    failure = 1
    try:
        choose_language(arguments, _names())
        options = _parser().parse_args(arguments)
        failure = getattr(options, "failure", failure)
        status: int = options.run(options)
    except TutorialError as error:
        print(f"acs-tutorial: {error}", file=sys.stderr)
        return failure
    except ModuleNotFoundError as error:
        sentence = _(
            "the package for “{name}” is not in this environment; run “uv sync” in the tutorial's folder, or ask "
            "“acs-tutorial doctor” what else is missing."
        )
        print(f"acs-tutorial: {sentence.format(name=error.name)}", file=sys.stderr)
        return failure
    except KeyboardInterrupt:
        return 130
    return status
