"""The language that the tutorial speaks: every sentence a person reads passes through here.

Message ids are the English sentences themselves; a language is one gettext catalogue under ``helpers/locale``.
"""

from __future__ import annotations

import gettext as _library
from pathlib import Path

from helpers.errors import TutorialError

_CATALOGUES = Path(__file__).parent / "locale"
_DOMAIN = "acs-tutorial"

_translations: _library.NullTranslations = _library.NullTranslations()


def available() -> list[str]:
    """Return the codes of the languages that can be chosen, English first."""
    return [
        "en",
        *sorted(path.parent.parent.name for path in _CATALOGUES.glob("*/LC_MESSAGES/*.mo")),
    ]


def use(language: str) -> None:
    """Speak *language* (a code such as ``en``) from now on, in this process.

    Raises:
        TutorialError: there is no catalogue for that language.
    """
    global _translations
    if language not in available():
        raise TutorialError(
            gettext(
                "The tutorial does not speak “{language}” yet; choose one of: {languages}."
            ).format(language=language, languages=", ".join(available()))
        )
    if language == "en":
        _translations = _library.NullTranslations()
    else:
        _translations = _library.translation(_DOMAIN, _CATALOGUES, languages=[language])


def gettext(message: str) -> str:
    """Return *message* in the chosen language."""
    return _translations.gettext(message)


def ngettext(singular: str, plural: str, number: int) -> str:
    """Return the form of a message that fits *number*, in the chosen language."""
    return _translations.ngettext(singular, plural, number)
