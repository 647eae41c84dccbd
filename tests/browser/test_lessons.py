"""Every lesson in a real browser: it opens, runs from top to bottom, and complains about nothing."""

from __future__ import annotations

import pytest

from .conftest import OpenLesson
from .jupyterlab import PROJECT, Lab, ThePage

LESSONS = sorted(path.stem for path in (PROJECT / "notebooks" / "en").glob("[0-9]*.ipynb"))

# Design: from "Run All" to the last output of the longest lesson.
LONGEST_SECONDS = 10


# Strict nbval runs every lesson anyway; in the browser the rest waits for the longer runs.
ALWAYS = ("00", "03", "07")


@pytest.mark.parametrize(
    "name",
    [
        name if name.startswith(ALWAYS) else pytest.param(name, marks=pytest.mark.campaign)
        for name in LESSONS
    ],
)
def test_a_lesson_runs_from_top_to_bottom_without_a_complaint(
    name: str, open_lesson: OpenLesson, lab_page: ThePage, lab: Lab
) -> None:
    lesson = open_lesson(name)

    seconds = lesson.run_all()

    lesson.screenshot(f"{name}-light", whole=True)
    lab_page.use_theme("dark")
    lesson.screenshot(f"{name}-dark", whole=True)
    assert seconds <= LONGEST_SECONDS
    assert lab_page.console_errors == []
    assert lab_page.outside_requests == []
    assert not lab.refused.exists(), lab.refused.read_text()


def test_the_command_opens_the_first_lesson(lab_page: ThePage) -> None:
    assert lab_page.first_document == "notebooks/en/00-start-here.ipynb"


def test_the_command_prints_the_address_how_to_stop_and_nothing_else(
    lab: Lab, lab_page: ThePage
) -> None:
    lines = lab.log.splitlines()

    assert lines == [
        f"The tutorial is open at {lab.address}",
        "Press Ctrl-C here to stop it.",
    ]
