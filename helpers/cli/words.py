"""The language of the command line: which one, and argparse's own words in it."""

from __future__ import annotations

import gettext
import os
from collections.abc import Collection, Sequence

from helpers import language, settings
from helpers.language import gettext as _
from helpers.language import ngettext


def choose_language(arguments: Sequence[str], commands: Collection[str]) -> None:
    """Speak the language that is asked for: on the command line, in the settings, or by the computer's locale.

    It must be known before there is a parser, because the parser's help is already in it.

    Args:
        arguments: the command line; ``--language`` counts before a command only.
        commands: the names of the commands.

    Raises:
        TutorialError: the settings ask for a language that there is no catalogue of.
    """
    asked = _asked_for(arguments, commands)
    if asked in language.available():
        _speak(asked)
    else:
        # One that is asked for and unknown is refused by the parser.
        _speak(settings.language() or language.of_system() or language.SOURCE)


def _asked_for(arguments: Sequence[str], commands: Collection[str]) -> str:
    for position, argument in enumerate(arguments):
        if argument in commands:
            break
        if argument == "--language":
            return next(iter(arguments[position + 1 :]), "")
        if argument.startswith("--language="):
            return argument.partition("=")[2]
    return ""


def _speak(code: str) -> None:
    language.use(code)
    if code == language.SOURCE:
        gettext.textdomain("messages")
        return
    # argparse speaks through the standard library's gettext, which goes by the environment.
    os.environ["LANGUAGE"] = code
    gettext.bindtextdomain(language.DOMAIN, str(language.CATALOGUES))
    gettext.textdomain(language.DOMAIN)


def _of_argparse() -> tuple[str, ...]:
    """What argparse says itself, named here so that it is in the catalogues. It is looked up by argparse."""
    return (
        _("usage: "),
        _("%(heading)s:"),
        _("positional arguments"),
        _("options"),
        _("show this help message and exit"),
        _("argument %(argument_name)s: %(message)s"),
        _("invalid choice: %(value)r (choose from %(choices)s)"),
        _("unrecognized arguments: %s"),
        _("the following arguments are required: %s"),
        _("expected one argument"),
        _("expected at most one argument"),
        _("expected at least one argument"),
        ngettext("expected %s argument", "expected %s arguments", 2),
        _("ignored explicit argument %r"),
        _("not allowed with argument %s"),
        _("one of the arguments %s is required"),
    )
