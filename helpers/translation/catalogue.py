"""The catalogue of a language: found in the sources, kept as a ``.po`` file, compiled for use.

Messages of the interface are the English sentences in the code. Messages of the lessons are the paragraphs of their Markdown
cells and their speaker notes, in a context of their own; the same paragraph in ten lessons is one message, which names the
ten cells it stands in.
"""

from __future__ import annotations

import ast
import copy
import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path

from babel.messages.catalog import Catalog, Message
from babel.messages.mofile import read_mo, write_mo
from babel.messages.pofile import read_po, write_po

from helpers.language import CATALOGUES, DOMAIN
from helpers.translation.notebooks import english, texts_of
from helpers.translation.notebooks import read as read_notebook
from helpers.translation.text import harm, placeholders

LESSON = "lesson"
"""The context of the messages that are texts of a lesson."""

_SOURCES = Path(__file__).parents[1]
# The sandbox speaks like the service, which speaks English.
_NOT_SPOKEN = ("sandbox",)
# Which arguments of a call are the message, and which is its context.
_CALLS = {
    "_": ((0,), None),
    "gettext": ((0,), None),
    "ngettext": ((0, 1), None),
    "pgettext": ((1,), 0),
}

_BEGINNING = datetime(2026, 1, 1, tzinfo=timezone.utc)

_HEADER = r"""# Made and kept up to date by “acs-tutorial translate”; the translations are written here.
msgid ""
msgstr ""
"Project-Id-Version: acs-tutorial\n"
"Language: {language}\n"
"Plural-Forms: nplurals={plurals}; plural={rule};\n"
"MIME-Version: 1.0\n"
"Content-Type: text/plain; charset=utf-8\n"
"Content-Transfer-Encoding: 8bit\n"

"""


@dataclass(frozen=True)
class Problem:
    """A message that a reader of this language would not, or not rightly, get in it."""

    places: tuple[str, ...]
    """Where the message stands: a notebook with a cell, or a module."""
    kind: str
    """``missing``, ``stale`` or ``harmed``."""
    english: str
    translation: str
    """What there is so far: nothing, the translation of an earlier text, or one that lost something."""
    detail: str = ""


def path_of(language: str) -> Path:
    """Return the ``.po`` file of *language*."""
    return CATALOGUES / language / "LC_MESSAGES" / f"{DOMAIN}.po"


def languages() -> list[str]:
    """Return the languages that have a catalogue, in the making or done."""
    return sorted(path.parent.parent.name for path in CATALOGUES.glob(f"*/LC_MESSAGES/{DOMAIN}.po"))


def template() -> Catalog:
    """Find everything that is to be translated."""
    found = Catalog(project="acs-tutorial")
    for module in sorted(_SOURCES.rglob("*.py")):
        name = module.relative_to(_SOURCES)
        if name.parts[0] in _NOT_SPOKEN:
            continue
        for words, context in _messages(module.read_text(encoding="utf-8")):
            found.add(words, locations=[(f"helpers/{name.as_posix()}", None)], context=context)  # type: ignore[list-item]
    for notebook in english():
        for cell in read_notebook(notebook)["cells"]:
            place = f"{notebook.stem}#{cell['id']}"
            for text in texts_of(cell):
                found.add(text, locations=[(place, None)], context=LESSON)  # type: ignore[list-item]
    for message in found:
        message.locations = list(dict.fromkeys(message.locations))
    return found


def _messages(source: str) -> Iterator[tuple[str | tuple[str, ...], str | None]]:
    """Find the messages in a Python module, in the order of the text, each with its context."""
    # Not by Babel's own extractor: before Python 3.12 it does not see what stands inside of an f-string.
    calls = (node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Call))
    for call in sorted(calls, key=lambda call: (call.lineno, call.col_offset)):
        if not isinstance(call.func, ast.Name) or call.func.id not in _CALLS:
            continue
        places, context = _CALLS[call.func.id]
        arguments = [part.value for part in call.args if isinstance(part, ast.Constant)]
        words = [str(arguments[place]) for place in places if place < len(arguments)]
        if len(words) == len(places):
            yield (
                words[0] if len(words) == 1 else tuple(words),
                None if context is None else str(arguments[context]),
            )


def read(language: str) -> Catalog:
    """Read the catalogue of *language*; one that does not exist yet is empty."""
    path = path_of(language)
    if not path.exists():
        return Catalog(locale=language, project="acs-tutorial", fuzzy=False)
    with path.open("rb") as file:
        return read_po(file, locale=language)


def updated(catalogue: Catalog, found: Catalog) -> Catalog:
    """Return *catalogue* with the messages that were *found*: a changed one keeps its old translation, marked as stale."""
    catalogue.update(found, update_creation_date=False)
    return catalogue


def write(catalogue: Catalog, language: str) -> None:
    """Store the catalogue, and what is read of it when the tutorial runs."""
    path = path_of(language)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(as_po(catalogue))
    path.with_suffix(".mo").write_bytes(compiled(catalogue))


def as_po(catalogue: Catalog) -> bytes:
    """Return the catalogue as a ``.po`` file that differs only where a message does."""
    file = io.BytesIO()
    file.write(
        _HEADER.format(
            language=catalogue.locale_identifier,
            plurals=catalogue.num_plurals,
            rule=catalogue.plural_expr,
        ).encode()
    )
    for message in catalogue:
        # Babel guesses them, and takes "5 % of it" for a format.
        message.flags -= {"python-format", "python-brace-format"}
    # Babel's own header would add the time and its version, which change for no reason.
    write_po(
        file,
        catalogue,
        width=100,
        omit_header=True,
        include_lineno=False,
        ignore_obsolete=True,
    )
    return file.getvalue()


def compiled(catalogue: Catalog) -> bytes:
    """Return what the tutorial reads at run time: the translations of the interface. Lessons are built beforehand."""
    interface = copy.deepcopy(catalogue)
    # Nobody reads them there, and the file shall change only with what it says.
    interface.creation_date = interface.revision_date = _BEGINNING
    for message in catalogue:
        if message.id and (message.context == LESSON or not _is_complete(message)):
            interface.delete(message.id, message.context)
    file = io.BytesIO()
    write_mo(file, interface)
    return file.getvalue()


def is_compiled(catalogue: Catalog, language: str) -> bool:
    """Return whether what the tutorial reads says the same as the catalogue."""
    path = path_of(language).with_suffix(".mo")
    # The header names the version of Babel, which may be any.
    return path.exists() and _entries(path.read_bytes()) == _entries(compiled(catalogue))


def _entries(mo: bytes) -> set[tuple[object, ...]]:
    return {
        (message.context, _forms(message.id), _forms(message.string))
        for message in read_mo(io.BytesIO(mo))
        if message.id
    }


def _forms(text: str | Sequence[str] | None) -> tuple[str, ...]:
    """The forms of a message for one thing and for several, or its only one."""
    return (text,) if isinstance(text, str) else tuple(text or ())


def problems(catalogue: Catalog) -> Iterator[Problem]:
    """Say of every message in an updated catalogue what is wrong with its translation, if anything is."""
    for message in catalogue:
        if not message.id:
            continue
        original = message.id if isinstance(message.id, str) else message.id[-1]
        strings = (
            [message.string] if isinstance(message.string, str) else list(message.string or ())
        )
        places = tuple(str(place) for place, _line in message.locations)
        if not _is_complete(message):
            yield Problem(places, "missing", original, "")
        elif message.fuzzy:
            yield Problem(places, "stale", original, strings[0])
        else:
            for string in strings:
                if lost := _harm(message, original, string, is_last=string is strings[-1]):
                    yield Problem(places, "harmed", original, string, lost)


def _harm(message: Message, original: str, translation: str, *, is_last: bool) -> str | None:
    if message.context == LESSON:
        return harm(original, translation)
    before, after = placeholders(original), placeholders(translation)
    # “The last one” need not say its number; a form for many does.
    return next(iter((after - before) or (before - after if is_last else ())), None)


def _is_complete(message: Message) -> bool:
    strings = _forms(message.string)
    return bool(strings) and all(strings)
