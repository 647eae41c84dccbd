"""Every lesson can be presented: its slides are marked, fit a screen, and carry what the presenter wants to know."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from nbformat import from_dict

from helpers import language
from helpers.jupyter.saving import mask_outputs
from helpers.slides.notes import Notes, Question, duration
from helpers.translation import notebooks
from helpers.validation.lessons import NOTEBOOKS
from helpers.validation.refresh import normalised

ALL = sorted(NOTEBOOKS.glob("*/[0-9][0-9]-*.ipynb"))
each_lesson = pytest.mark.parametrize(
    "lesson", ALL, ids=[f"{path.parent.name}-{path.stem[:2]}" for path in ALL]
)

MARKS = {"slide", "subslide", "fragment", "skip", "notes", "-"}
OPENS = {"slide", "subslide"}
HIDDEN = {"skip", "notes"}

# What a slide of 1280 × 720 can hold in type that can be read from the last row.
MOST_WORDS = 130
MOST_LINES = 24
_TARGET = re.compile(r"\]\([^)]*\)")  # of a link, which nobody sees
# What a presenter can take in at a glance.
LONGEST_SPEECH = 60


Cell = dict[str, Any]


@cache
def cells_of(lesson: Path) -> tuple[Cell, ...]:
    return tuple(notebooks.read(lesson)["cells"])


def mark(cell: Cell) -> str:
    return str(cell["metadata"].get("slideshow", {}).get("slide_type", "-"))


def notes(cell: Cell) -> Notes | None:
    return Notes.of(cell["metadata"])


def slides(lesson: Path) -> Iterator[list[Cell]]:
    """The cells that the room sees, slide by slide."""
    slide: list[Cell] = []
    for cell in cells_of(lesson):
        if mark(cell) in OPENS:
            if slide:
                yield slide
            slide = []
        if mark(cell) not in HIDDEN:
            slide.append(cell)
    yield slide


def test_there_are_lessons_in_both_languages() -> None:
    assert len(ALL) == 20


@each_lesson
def test_a_lesson_begins_with_a_slide_and_has_only_known_marks(lesson: Path) -> None:
    cells = cells_of(lesson)

    assert {mark(cell) for cell in cells} <= MARKS
    assert mark(cells[0]) == "slide"
    assert len(list(slides(lesson))) >= 7


@each_lesson
def test_every_slide_has_notes_and_no_other_cell_has(lesson: Path) -> None:
    for cell in cells_of(lesson):
        assert (notes(cell) is not None) == (mark(cell) in OPENS), cell["id"]


@each_lesson
def test_the_minutes_of_the_slides_add_up_to_those_of_the_lesson(lesson: Path) -> None:
    cells = cells_of(lesson)
    stated = re.search(r"\*\*[^*]+:\*\* (\d+)", cells[0]["source"])
    minutes = [found.minutes for cell in cells if (found := notes(cell))]

    assert stated
    assert sum(minutes) == int(stated[1])
    assert 10 <= sum(minutes) <= 15
    assert all(0.5 <= each <= 3 and each % 0.5 == 0 for each in minutes)


@each_lesson
def test_the_first_slide_names_the_goal_and_no_other_does(lesson: Path) -> None:
    first, *others = [found for cell in cells_of(lesson) if (found := notes(cell))]

    assert first.goal
    assert [other.goal for other in others if other.goal] == []


@each_lesson
def test_the_presenter_knows_what_to_say_and_what_is_asked(lesson: Path) -> None:
    cells = cells_of(lesson)
    all_notes = [found for cell in cells if (found := notes(cell))]
    questions = [question for each in all_notes for question in each.questions]

    assert len(questions) >= 2
    for question in questions:
        assert question.question.endswith("?") and question.answer.endswith(".")
    for each in all_notes:
        assert 4 <= len(each.say.split()) <= LONGEST_SPEECH
        assert each.say.endswith((".", "?"))
    # Notes are not what everybody can read on the slide.
    shown = " ".join(cell["source"] for cell in cells)
    assert [each.say for each in all_notes if each.say in shown] == []


@each_lesson
def test_no_slide_holds_more_than_fits(lesson: Path) -> None:
    for slide in slides(lesson):
        words = lines = 0
        for cell in slide:
            if cell["cell_type"] == "markdown":
                words += len(re.findall(r"\w+", _TARGET.sub("]", cell["source"])))
            elif cell["metadata"].get("acs", {}).get("slide") != "output-only":
                lines += len(cell["source"].splitlines())
        assert words <= MOST_WORDS, slide[0]["id"]
        assert lines <= MOST_LINES, slide[0]["id"]


@each_lesson
def test_the_exercise_has_a_slide_and_its_verdict_has_not(lesson: Path) -> None:
    marks = {cell["id"]: mark(cell) for cell in cells_of(lesson)}

    assert marks["exercise"] == "-"
    assert marks["check"] == "skip"


@each_lesson
def test_a_fragment_follows_what_is_seen_before_it(lesson: Path) -> None:
    for before, cell in pairwise(cells_of(lesson)):
        if mark(cell) == "fragment":
            assert mark(before) not in HIDDEN


@each_lesson
def test_saving_and_refreshing_keep_marks_and_notes(lesson: Path) -> None:
    notebook = from_dict(notebooks.read(lesson))

    mask_outputs({"type": "notebook", "content": notebook})
    normalised(notebook)

    assert [cell.metadata for cell in notebook.cells] == [
        cell["metadata"] for cell in cells_of(lesson)
    ]


def test_cells_without_notes_have_none() -> None:
    assert Notes.of({}) is None
    assert Notes.of({"acs": {"step": "create-an-identity"}}) is None


def test_notes_become_html_that_shows_everything_as_it_is_written() -> None:
    html = Notes(
        say="Say <this>: `get_token`.",
        minutes=1.5,
        questions=(Question("Why?", "Because."),),
        goal="All know it.",
    ).html()

    assert "Say &lt;this&gt;: <code>get_token</code>." in html
    for text in ("1.5 min", "Goal:", "All know it.", "If they ask:", "Why?", "Because."):
        assert text in html


def test_the_notes_speak_the_chosen_language() -> None:
    language.use("ko")
    try:
        assert duration(1.5) == "1.5분"
    finally:
        language.use(language.SOURCE)
