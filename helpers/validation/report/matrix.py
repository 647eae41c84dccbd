"""The report on several releases of the SDK: which lesson breaks with which, and why."""

from __future__ import annotations

import json
from collections.abc import Sequence
from html import escape
from pathlib import Path
from typing import TextIO

from helpers.language import gettext as _
from helpers.validation.differences import readable
from helpers.validation.report import words
from helpers.validation.report.page import page, sign, table
from helpers.validation.results import Cell
from helpers.validation.sdk import Trial

_PYTHON = "https://docs.python.org/"


def verdict(trials: Sequence[Trial]) -> str:
    """Say in one sentence which releases the lessons work with."""
    sound = [trial.version for trial in trials if trial.is_sound]
    broken = [trial.version for trial in trials if not trial.is_sound]
    if not broken:
        return _("The lessons work with {versions}").format(versions=", ".join(sound))
    if not sound:
        return _("The lessons do not work with {versions}").format(versions=", ".join(broken))
    return _("The lessons work with {versions}, and not with {others}").format(
        versions=", ".join(sound), others=", ".join(broken)
    )


def why(cell: Cell) -> str:
    """Return the reason why a cell has to be looked at, as one line."""
    if cell.error is not None:
        error = cell.error
        # An error that the tutorial knows no words for, such as SystemExit, may have said why before.
        said = error.printed.splitlines()[-1:] if error.link.startswith(_PYTHON) else [error.cause]
        return " – ".join(filter(None, [error.original, *said]))
    for difference in cell.differences:
        expected, actual = (side.splitlines() for side in readable(difference))
        for old, new in zip(expected, actual, strict=False):
            if old != new:
                return _("shows “{actual}” instead of “{expected}”").format(
                    actual=new.strip(), expected=old.strip()
                )
        return _("shows {kind} otherwise").format(kind=difference.kind)
    return cell.findings[0] if cell.findings else ""


def reasons(trial: Trial) -> list[tuple[str, str, str]]:
    """Return why the lessons break with a release: lesson, cells and reason, without what only follows."""
    if trial.run is None:
        return []
    found = [
        (lesson.name, "", finding) for lesson in trial.run.lessons for finding in lesson.findings
    ]
    cells: dict[tuple[str, str], list[str]] = {}
    for lesson, cell in trial.run.problems:
        if not cell.notes:
            cells.setdefault((lesson.name, why(cell)), []).append(cell.name)
    return found + [(lesson, ", ".join(names), reason) for (lesson, reason), names in cells.items()]


def write(trials: Sequence[Trial], stream: TextIO) -> None:
    """Write the matrix as text: facts, lessons, reasons, verdict."""
    width = max(map(len, (trial.version for trial in trials))) + 2
    lessons = _lessons(trials)
    first = max([len(name) for name in (*lessons, *_questions(trials))], default=0) + 2
    lines = ["", " " * first + "".join(trial.version.ljust(width) for trial in trials)]
    for name in lessons:
        cells = "".join(
            words.word_of(_kind(trial, name))[: width - 1].ljust(width) for trial in trials
        )
        lines.append(name.ljust(first) + cells)
    lines.append("")
    for question in _questions(trials):
        lines.append(question)
        lines += [
            f"  {trial.version.ljust(width)}{trial.facts.get(question, '?')}" for trial in trials
        ]
    for trial in trials:
        lines += ["", trial.version, *(f"  {text}" for text in _around(trial))]
        lines += [
            f"  {Path(lesson).stem}{f' › {cell}' if cell else ''}: {reason}"
            for lesson, cell, reason in reasons(trial)
        ]
    encoding = stream.encoding or "ascii"
    text = "\n".join([*lines, "", f"{verdict(trials)}."]) + "\n"
    stream.write(text.encode(encoding, "replace").decode(encoding))


def write_page(trials: Sequence[Trial], path: Path) -> None:
    """Write the matrix as a page, which leads to the page of each release."""
    kind = "passed" if all(trial.is_sound for trial in trials) else "failed"
    body = "".join(
        [
            f"<h1>{sign(kind)}{escape(verdict(trials))}</h1>",
            f"<h2 id='lessons'>{escape(_('Lessons'))}</h2>{_lesson_table(trials)}",
            f"<h2>{escape(_('What each release does'))}</h2>{_fact_table(trials)}",
            f"<h2>{escape(_('Why'))}</h2>",
            *(_reason_card(trial) for trial in trials),
        ]
    )
    path.write_text(page(verdict(trials), body), encoding="utf-8")


def write_json(trials: Sequence[Trial], path: Path) -> None:
    """Write everything about all releases."""
    content = [
        {
            "requested": trial.requested,
            "version": trial.version,
            "passed": trial.is_sound,
            "problem": trial.problem,
            "undeclared": trial.undeclared,
            "facts": trial.facts,
            "run": None if trial.run is None else trial.run.as_json(),
        }
        for trial in trials
    ]
    path.write_text(json.dumps(content, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def _lesson_table(trials: Sequence[Trial]) -> str:
    rows = []
    for name in _lessons(trials):
        cells = ""
        for trial in trials:
            kind = _kind(trial, name)
            word = f'<span class="{kind}">{sign(kind)}{escape(words.word_of(kind))}</span>'
            link = f'<a href="{escape(trial.version)}/index.html">{word}</a>' if trial.run else word
            cells += f"<td>{link}</td>"
        rows.append(f'<tr><th scope="row">{escape(name)}</th>{cells}</tr>')
    return table([_("Lesson"), *(trial.version for trial in trials)], rows)


def _fact_table(trials: Sequence[Trial]) -> str:
    rows = []
    for question in _questions(trials):
        answers = [trial.facts.get(question, "?") for trial in trials]
        cells = ""
        before: str | None = None
        for answer in answers:
            # What changes from one release to the next stands out.
            shown = escape(answer)
            differs = before is not None and answer != before
            cells += f"<td>{f'<strong>≠ {shown}</strong>' if differs else shown}</td>"
            before = answer
        rows.append(f'<tr><th scope="row"><code>{escape(question)}</code></th>{cells}</tr>')
    return table([_("Question"), *(trial.version for trial in trials)], rows)


def _reason_card(trial: Trial) -> str:
    kind = "passed" if trial.is_sound else "failed"
    around = "".join(f"<p>{escape(text)}</p>" for text in _around(trial))
    rows = "".join(
        f"<li><code>{escape(Path(lesson).stem)}{f' › {escape(cell)}' if cell else ''}</code>: {escape(reason)}</li>"
        for lesson, cell, reason in reasons(trial)
    )
    return (
        f'<article class="card {kind}"><header><h3>{sign(kind)}{escape(trial.version)}</h3></header>'
        f"{around}<ul>{rows}</ul></article>"
    )


def _around(trial: Trial) -> list[str]:
    """What there is to say about a release besides its lessons."""
    said = [
        _(
            "It imports “{module}” and does not say so: installed as it declares itself, it does not import. {module} was "
            "installed beside it."
        ).format(module=module)
        for module in trial.undeclared
    ]
    if trial.problem:
        said.append(trial.problem)
    if trial.is_sound:
        said.append(_("Every lesson shows what is stored."))
    return said


def _lessons(trials: Sequence[Trial]) -> list[str]:
    return list(
        dict.fromkeys(lesson.name for trial in trials if trial.run for lesson in trial.run.lessons)
    )


def _questions(trials: Sequence[Trial]) -> list[str]:
    return list(dict.fromkeys(question for trial in trials for question in trial.facts))


def _kind(trial: Trial, name: str) -> str:
    for lesson in trial.run.lessons if trial.run else ():
        if lesson.name == name:
            return words.kind_of_lesson(lesson)
    return "skipped"
