from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from helpers.errors import TutorialError
from helpers.journal import Journal
from helpers.progress import Progress
from tests.notebooks.lessons import LESSONS, NAMES, read


@pytest.fixture
def progress(journal: Journal) -> Progress:
    return Progress(SimpleNamespace(journal=journal))  # type: ignore[arg-type]


def solve(journal: Journal, *lessons: str) -> None:
    for lesson in lessons:
        journal.solve(lesson)


def test_at_the_beginning_nothing_is_solved_and_the_first_lesson_is_next(
    progress: Progress,
) -> None:
    assert progress.solved == {}
    assert progress.next == "00"
    assert repr(progress).splitlines()[0] == "0 of 10 exercises solved."
    assert repr(progress).splitlines()[-1] == "Next: 00 · Start here"


def test_the_next_lesson_is_the_first_that_is_not_solved(
    progress: Progress, journal: Journal
) -> None:
    solve(journal, "00", "01", "03")

    assert progress.next == "02"
    assert "✔ 03 · Issue access tokens" in repr(progress)
    assert "○ 02 · Create identities" in repr(progress)


def test_a_reset_begins_again(progress: Progress, journal: Journal) -> None:
    solve(journal, "00")
    progress.reset()

    assert progress.next == "00"


def test_the_summary_names_what_was_learned_and_when(progress: Progress, journal: Journal) -> None:
    solve(journal, "03")
    day = f"{journal.solved()['03']:%Y-%m-%d}"

    summary = progress.summary()

    assert summary.startswith("# Azure Communication Services")
    assert f"- choose scopes by least privilege ({day})" in summary
    assert "revoke" not in summary
    assert "8:acs:" not in summary


def test_when_all_is_solved_there_is_nothing_next(progress: Progress, journal: Journal) -> None:
    solve(journal, *[name[:2] for name in NAMES])

    assert progress.next is None
    assert "All done" in repr(progress)
    assert progress.summary().count("- ") == 10
    assert "requests that were really sent" in progress.summary()


def test_the_summary_is_exported_as_a_file(progress: Progress, tmp_path: Path) -> None:
    written = progress.export(tmp_path / "summary.md")

    assert written.read_text(encoding="utf-8") == progress.summary()


def test_a_place_that_cannot_be_written_is_one_sentence(progress: Progress, tmp_path: Path) -> None:
    with pytest.raises(TutorialError, match="choose another place"):
        progress.export(tmp_path / "missing" / "summary.md")


@pytest.mark.parametrize("lesson", LESSONS, ids=NAMES)
def test_lessons_are_named_and_linked_as_they_are_published(
    lesson: Path, progress: Progress
) -> None:
    heading: Any = read(lesson).cells[0].source.splitlines()[0]

    assert heading.removeprefix("# ") in repr(progress)
    assert f"href='{lesson.name}'" in progress._repr_html_()
