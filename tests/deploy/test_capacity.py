"""The numbers of the page and of the values are the measured ones."""

from __future__ import annotations

import json
import math
import re

import pytest

from tests.deploy.values import DEPLOY, EXAMPLES, PAGE, VALUES, Values, megabytes

MEASURED = json.loads((DEPLOY / "measured.json").read_text("utf-8"))
LESSONS = MEASURED["lessons"].values()
ARRIVED = MEASURED["idle_megabytes"]
ACTIVE = max(lesson["megabytes"] for lesson in LESSONS)
ALL_OPEN = MEASURED["all_lessons_open_megabytes"]
EACH_FURTHER = (ALL_OPEN - ACTIVE) / (len(LESSONS) - 1)
THREE_OPEN = ACTIVE + 2 * EACH_FURTHER

(THRIFTY,) = (example for example in EXAMPLES if "memory" in example.get("singleuser", {}))

# As the page says.
MARGIN = 1.1
FOR_LEARNERS = 0.85
NODES = ((8, 2), (16, 4), (32, 8), (64, 16))


def between(name: str) -> str:
    (text,) = re.findall(rf"<!-- {name} -->\n(.+?)\n<!-- /{name} -->", PAGE, re.DOTALL)
    return text


def learners(values: Values, gigabytes: int) -> int:
    share = megabytes(values["singleuser"]["memory"]["guarantee"])
    return int(gigabytes * 1024 * FOR_LEARNERS / share)


@pytest.mark.parametrize(("values", "needed"), [(VALUES, ALL_OPEN), (THRIFTY, THREE_OPEN)])
def test_a_learner_is_guaranteed_what_was_measured_and_little_more(
    values: Values, needed: float
) -> None:
    memory = values["singleuser"]["memory"]

    assert needed * MARGIN <= megabytes(memory["guarantee"]) <= needed * 1.3
    assert megabytes(memory["limit"]) >= 2 * megabytes(memory["guarantee"])


def test_without_guarantee_for_them_all_the_lessons_still_fit_below_the_limit() -> None:
    assert megabytes(THRIFTY["singleuser"]["memory"]["limit"]) >= ALL_OPEN * MARGIN


def test_the_processor_is_never_what_runs_out() -> None:
    # Over ten minutes, which is the shortest that a lesson takes.
    working = max(lesson["processor_seconds"] for lesson in LESSONS) / 600
    guarantee = VALUES["singleuser"]["cpu"]["guarantee"]

    assert 10 * working <= guarantee
    for gigabytes, cores in NODES:
        assert learners(VALUES, gigabytes) * guarantee <= cores


def test_the_table_follows_from_the_values_and_from_what_was_measured() -> None:
    seconds = MEASURED["start_processor_seconds"]
    rows = []
    for gigabytes, cores in NODES:
        full, thrifty = learners(VALUES, gigabytes), learners(THRIFTY, gigabytes)
        first, last = (math.ceil(count * seconds / cores) for count in (full, thrifty))
        rows.append(f"| {gigabytes} GB, {cores} cores | {full} | {thrifty} | {first} to {last} s |")

    assert between("learners").splitlines()[2:] == rows


def test_the_page_tells_what_was_measured_when_and_with_which_versions() -> None:
    versions = MEASURED["versions"]
    seconds = max(lesson["processor_seconds"] for lesson in LESSONS)

    assert between("measured") == (
        f"**Measured on {MEASURED['date']}**, outside of a container, with the versions that repo2docker 2026.4.0 puts "
        f"into an image (JupyterHub {versions['jupyterhub']}, JupyterLab {versions['jupyterlab']}, ipykernel {versions['ipykernel']}, "
        f"IPython {versions['ipython']}) "
        f"and Python {versions['python']}: "
        f"a learner who has only arrived takes {ARRIVED} MB, one who works on a lesson up to {ACTIVE} MB, "
        f"each further lesson left open {EACH_FURTHER:.0f} MB, all ten {ALL_OPEN} MB. "
        f"To start takes {MEASURED['start_processor_seconds']} seconds of a processor, "
        f"a whole lesson up to {seconds}."
    )


def test_every_lesson_was_measured() -> None:
    lessons = (DEPLOY.parent / "notebooks" / "en").glob("[0-9][0-9]-*.ipynb")

    assert sorted(MEASURED["lessons"]) == sorted(lesson.stem for lesson in lessons)


def test_the_page_says_what_the_formulas_take() -> None:
    assert "asks for 10 % more" in PAGE
    assert "uses 85 %" in PAGE
