"""The words and signs that every report uses."""

from __future__ import annotations

from datetime import datetime

from helpers.language import gettext as _
from helpers.language import ngettext
from helpers.validation.results import Cell, Lesson, Run

SIGNS = {"passed": "✔", "changed": "≠", "failed": "✘", "skipped": "–", "finding": "!"}
# For terminals that have no others.
ASCII_SIGNS = {"passed": "+", "changed": "/", "failed": "x", "skipped": "-", "finding": "!"}


def kind_of(cell: Cell) -> str:
    """Return the sign's name for a cell: its outcome, or ``finding`` when only that has to be looked at."""
    if cell.outcome in ("passed", "skipped") and cell.findings:
        return "finding"
    return cell.outcome


def kind_of_lesson(lesson: Lesson) -> str:
    """Return the sign's name for a lesson: the worst of its cells'."""
    kinds = {kind_of(cell) for cell in lesson.cells} | ({"finding"} if lesson.findings else set())
    for kind in ("failed", "changed", "finding", "passed"):
        if kind in kinds:
            return kind
    return "skipped"


def word_of(kind: str) -> str:
    """Return a sign's meaning as a word."""
    return {
        "passed": _("passed"),
        "changed": _("changed"),
        "failed": _("failed"),
        "skipped": _("skipped"),
        "finding": _("not compared"),
    }[kind]


def counted(kind: str, count: int) -> str:
    """Return how many cells there are of a kind, such as “2 changed”."""
    sentences = {
        "passed": ngettext("{count} passed", "{count} passed", count),
        "changed": ngettext("{count} changed", "{count} changed", count),
        "failed": ngettext("{count} failed", "{count} failed", count),
        "skipped": ngettext("{count} skipped", "{count} skipped", count),
        "finding": ngettext("{count} not compared", "{count} not compared", count),
    }
    return sentences[kind].format(count=count)


def verdict(run: Run) -> str:
    """Say in one sentence whether anything has to be looked at."""
    count = len(run.lessons)
    wrong = sum(not lesson.is_sound for lesson in run.lessons)
    if wrong:
        return ngettext(
            "{wrong} of {count} lesson needs a look",
            "{wrong} of {count} lessons need a look",
            wrong,
        ).format(wrong=wrong, count=count)
    if run.findings:
        return _("The lessons are fine; something around them is not")
    return ngettext(
        "The lesson shows what is stored", "All {count} lessons show what is stored", count
    ).format(count=count)


def circumstances(run: Run) -> list[str]:
    """Return where, with what, when and how long, each as a short phrase."""
    place = _("Sandbox") if run.mode == "sandbox" else _("Live: {host}").format(host=run.place)
    started = datetime.fromisoformat(run.started_at)
    return [
        place,
        f"azure-communication-identity {run.sdk}",
        f"Python {run.python}",
        f"{started:%Y-%m-%d %H:%M} UTC",
        _("{seconds} s").format(seconds=f"{run.seconds:.1f}"),
    ]


def skipped_reasons(run: Run) -> list[str]:
    """Return why cells were skipped, each reason with its count."""
    reasons: dict[str, int] = {}
    for lesson in run.lessons:
        for cell in lesson.cells:
            if cell.outcome == "skipped":
                reasons[cell.reason] = reasons.get(cell.reason, 0) + 1
    return [
        ngettext("{count} cell skipped: {reason}", "{count} cells skipped: {reason}", count).format(
            count=count, reason=reason
        )
        for reason, count in reasons.items()
    ]
