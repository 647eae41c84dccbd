"""The language that the tutorial speaks: every sentence a person reads passes through here.

Message ids are the English sentences themselves. A language is one catalogue, ``helpers/locale/<code>/LC_MESSAGES/
acs-tutorial.po``, which also holds the text of the lessons. What is read here is its compiled twin ``.mo``, committed beside
it: a fresh clone speaks every language without a build step, reading it takes a millisecond and the standard library, and
``acs-tutorial translate --check`` says when the two differ. (Reading the ``.po`` itself would make Babel and a tenth of a
second part of every first cell.)
"""

from __future__ import annotations

import gettext as _library
import os
import sys
from collections.abc import Iterable, Mapping
from datetime import date as _date
from datetime import datetime, timezone
from pathlib import Path

from helpers.errors import TutorialError

CATALOGUES = Path(__file__).parent / "locale"
DOMAIN = "acs-tutorial"
SOURCE = "en"
"""The language of the message ids."""

_language = SOURCE
_translations: _library.NullTranslations = _library.NullTranslations()


def available() -> list[str]:
    """Return the codes of the languages that can be chosen, English first."""
    return [
        SOURCE,
        *sorted(path.parent.parent.name for path in CATALOGUES.glob(f"*/LC_MESSAGES/{DOMAIN}.mo")),
    ]


def current() -> str:
    """Return the code of the language that is spoken now."""
    return _language


def use(language: str) -> None:
    """Speak *language* (a code such as ``en``) from now on, in this process.

    Raises:
        TutorialError: there is no catalogue for that language.
    """
    global _language, _translations
    if language not in available():
        raise TutorialError(
            gettext(
                "The tutorial does not speak “{language}” yet; choose one of: {languages}."
            ).format(language=language, languages=listed(available()))
        )
    _translations = (
        _library.NullTranslations()
        if language == SOURCE
        else _library.translation(DOMAIN, CATALOGUES, languages=[language])
    )
    _language = language


def of_system(environ: Mapping[str, str] | None = None) -> str | None:
    """Return the language that this computer speaks to its user, if it is one of the available ones.

    POSIX systems say it in the environment, by the rules of gettext; Windows is asked when the environment is silent.
    """
    environ = os.environ if environ is None else environ
    names = next(
        (
            value.split(":")
            for name in ("LANGUAGE", "LC_ALL", "LC_MESSAGES", "LANG")
            if (value := environ.get(name))
        ),
        _of_windows(),
    )
    for name in names:
        code = name.replace("-", "_").partition("_")[0].partition(".")[0].lower()
        if code in available():
            return code
    return None


def _of_windows() -> list[str]:
    if sys.platform != "win32":
        return []
    import ctypes
    import locale

    return [locale.windows_locale.get(ctypes.windll.kernel32.GetUserDefaultUILanguage(), "")]


def gettext(message: str) -> str:
    """Return *message* in the chosen language."""
    return _translations.gettext(message)


def ngettext(singular: str, plural: str, number: int) -> str:
    """Return the form of a message that fits *number*, in the chosen language."""
    return _translations.ngettext(singular, plural, number)


def pgettext(context: str, message: str) -> str:
    """Return *message* in the chosen language, where one English word stands for several things; *context* tells which."""
    return _translations.pgettext(context, message)


def listed(parts: Iterable[object]) -> str:
    """Return *parts* as a list inside a sentence."""
    return pgettext("between the parts of a list", ", ").join(map(str, parts))


def date(day: _date) -> str:
    """Return a day as the language writes it."""
    return pgettext("a day, such as 2026-11-22", "{day.year}-{day.month:02}-{day.day:02}").format(
        day=day
    )


def moment(when: datetime) -> str:
    """Return a moment as UTC, to the second, as the language writes it."""
    return pgettext(
        "a moment, such as 2026-11-22 09:30:00 UTC",
        "{moment.year}-{moment.month:02}-{moment.day:02} {moment:%H:%M:%S} UTC",
    ).format(moment=when.astimezone(timezone.utc))
