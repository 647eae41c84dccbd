"""What translators do again and again: bring catalogue and lessons up to date, and see what is left to do."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from textwrap import shorten

from babel.messages.catalog import Catalog

from helpers.errors import TutorialError
from helpers.language import SOURCE, listed, ngettext, pgettext
from helpers.language import gettext as _
from helpers.translation import catalogue, notebooks
from helpers.translation.catalogue import LESSON, Problem
from helpers.validation import refresh


def translate(languages: Sequence[str] = ()) -> int:
    """Bring each catalogue up to date, build its lessons, run those whose outputs can change; print what is left to do.

    Args:
        languages: their codes; a new one begins a catalogue. Without any, all that have one.

    Raises:
        TutorialError: a lesson failed when it was run, or a code cannot be that of a translation.
    """
    found = catalogue.template()
    for language in languages or catalogue.languages():
        _refuse_source(language)
        updated = catalogue.updated(catalogue.read(language), found)
        speaks_differently = not catalogue.is_compiled(updated, language)
        catalogue.write(updated, language)
        changed = [
            path
            for path, is_same_program in _build(language, updated)
            if speaks_differently or not is_same_program
        ]
        if changed:
            refresh.main(changed)
        _tell(language, list(catalogue.problems(updated)))
    return 0


def check(languages: Sequence[str] = ()) -> int:
    """Print where a translation is missing or out of date, and return 1 if one is."""
    found = catalogue.template()
    complaints = 0
    for language in languages or catalogue.languages():
        _refuse_source(language)
        stored = catalogue.read(language)
        updated = catalogue.updated(stored, found)
        problems = list(catalogue.problems(updated))
        _tell(language, problems)
        complaints += len(problems)
        for complaint in _out_of_date(language, updated):
            print(complaint)
            complaints += 1
    return 1 if complaints else 0


def _refuse_source(language: str) -> None:
    if language == SOURCE or not language.replace("_", "").isalnum():
        raise TutorialError(
            _("“{language}” is not a language to translate into; give a code such as ko.").format(
                language=language
            )
        )


def _translator(translations: Catalog) -> Callable[[str], str]:
    """Return what turns a paragraph into its translation, or leaves it in English where there is no good one."""

    def translate(paragraph: str) -> str:
        message = translations.get(paragraph, LESSON)
        return (
            str(message.string) if message and message.string and not message.fuzzy else paragraph
        )

    return translate


def _build(language: str, translations: Catalog) -> Iterator[tuple[Path, bool]]:
    """Write the lessons of *language*; yield each with whether it is still the program whose outputs it holds."""
    folder = notebooks.folder_of(language)
    for path in _left_over(language):
        path.unlink()
    for original in notebooks.english():
        path = folder / original.name
        notebook = notebooks.built(notebooks.read(original), language, _translator(translations))
        is_same_program = path.exists() and notebooks.keep_outputs(notebook, notebooks.read(path))
        notebooks.write(notebook, path)
        yield path, is_same_program


def _left_over(language: str) -> list[Path]:
    names = {path.name for path in notebooks.english()}
    return [
        path
        for path in sorted(notebooks.folder_of(language).glob("*.ipynb"))
        if path.name not in names
    ]


def _out_of_date(language: str, translations: Catalog) -> Iterator[str]:
    """Say what “translate” would write."""
    remedy = {"command": f"acs-tutorial translate {language}"}
    if not catalogue.is_compiled(translations, language):
        yield _("{path} is not what the catalogue says; run “{command}”.").format(
            path=f"helpers/locale/{language}/LC_MESSAGES/acs-tutorial.mo", **remedy
        )
    for path in _left_over(language):
        yield _("{path} has no English original; run “{command}”.").format(
            path=f"notebooks/{language}/{path.name}", **remedy
        )
    for original in notebooks.english():
        name = f"notebooks/{language}/{original.name}"
        path = notebooks.folder_of(language) / original.name
        if not path.exists():
            yield _("{path} is missing; run “{command}”.").format(path=name, **remedy)
            continue
        wanted = notebooks.built(notebooks.read(original), language, _translator(translations))
        for cell in _differences(wanted, notebooks.without_outputs(notebooks.read(path))):
            yield _("{path}, cell {cell}, is out of date; run “{command}”.").format(
                path=name, cell=cell, **remedy
            )


def _differences(wanted: notebooks.Notebook, stored: notebooks.Notebook) -> list[str]:
    """Return the names of the cells that are not as wanted; “metadata” and “order” where it is not one cell's matter."""
    if wanted == stored:
        return []
    cells = {cell["id"]: cell for cell in stored["cells"]}
    names = [cell["id"] for cell in wanted["cells"] if cell != cells.pop(cell["id"], None)]
    return [*names, *cells] or ["order" if wanted["metadata"] == stored["metadata"] else "metadata"]


def _tell(language: str, problems: Sequence[Problem]) -> None:
    """List what is to be done, place by place."""
    if not problems:
        print(_("{language}: everything is translated.").format(language=language))
        return
    print(
        ngettext(
            "{language}: {count} message needs a translator.",
            "{language}: {count} messages need a translator.",
            len(problems),
        ).format(language=language, count=len(problems))
    )
    for problem in problems:
        print(f"\n{listed(map(_place, problem.places))}\n  {_complaint(problem)}")
        print(f"  “{_short(problem.english)}”")
        if problem.translation:
            print(f"  “{_short(problem.translation)}”")


def _place(place: str) -> str:
    name, is_lesson, cell = place.partition("#")
    if not is_lesson:
        return name
    return _("notebooks/en/{lesson}.ipynb, cell {cell}").format(lesson=name, cell=cell)


def _complaint(problem: Problem) -> str:
    match problem.kind:
        case "missing":
            return pgettext("of a message", "not translated")
        case "stale":
            return pgettext("of a message", "the English text was changed after it was translated")
        case _:
            return _("“{part}” must be in the translation as it is in the English text").format(
                part=problem.detail
            )


def _short(text: str) -> str:
    return shorten(text, 120, placeholder=" …")
