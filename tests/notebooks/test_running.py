"""Lessons as people run them: solved, broken, two at a time, and killed in the middle."""

from __future__ import annotations

import json
import os
import re
import signal
import sqlite3
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient
from nbformat import NotebookNode

from helpers.exercises import of_lesson
from tests.notebooks.lessons import (
    LESSONS,
    NAMES,
    ROOT,
    code_cells,
    environment,
    python,
    read,
    tags,
    text_of,
)


def execute(notebook: NotebookNode, lesson: Path, home: Path) -> None:
    NotebookClient(
        notebook,
        kernel_name="python3",
        timeout=60,
        resources={"metadata": {"path": str(lesson.parent)}},
    ).execute(env=environment(home))


def living_identities(home: Path) -> int:
    """Ask the sandbox's own store, not the journal: what exists there, whoever made it."""
    database = sqlite3.connect(home / "sandbox.sqlite3")
    try:
        (count,) = database.execute("SELECT count(*) FROM identities").fetchone()
    finally:
        database.close()
    return int(count)


@pytest.mark.parametrize("lesson", LESSONS, ids=NAMES)
def test_a_lesson_with_its_solution_put_in_is_right_and_leaves_nothing(
    lesson: Path, tmp_path: Path
) -> None:
    notebook = read(lesson)
    for cell in code_cells(notebook):
        if "exercise" in tags(cell):
            cell.source += "\n" + of_lesson(lesson.stem[:2]).solution

    execute(notebook, lesson, tmp_path)

    (check,) = [cell for cell in code_cells(notebook) if "exercise-check" in tags(cell)]
    assert text_of(check).startswith("✔ Right")
    assert living_identities(tmp_path) == 0


# nbval bites: each of these copies of lesson 03 must fail, in the cell that was touched or that shows it.

BREAK_THE_CALLBACK = """
helpers.ScopePicker._box_changed = lambda self, change: None
"""


def wrong_scope(notebook: NotebookNode) -> str:
    _cell(notebook, "narrow").source = _cell(notebook, "narrow").source.replace("voip.join", "voip")
    return "narrow"


def wrong_callback(notebook: NotebookNode) -> str:
    _cell(notebook, "start").source += BREAK_THE_CALLBACK
    return "overlap"


def changed_output(notebook: NotebookNode) -> str:
    cell = _cell(notebook, "issue-chosen")
    cell.outputs[0].text = cell.outputs[0].text.replace("voip", "chat")
    return "issue-chosen"


def untouched(notebook: NotebookNode) -> str:
    return ""


def _cell(notebook: NotebookNode, name: str) -> NotebookNode:
    (cell,) = [cell for cell in notebook.cells if cell.id == name]
    return cell


@pytest.mark.parametrize("change", [untouched, wrong_scope, wrong_callback, changed_output])
def test_nbval_bites(change: object, tmp_path: Path) -> None:
    notebook = read(LESSONS[3])
    broken = change(notebook)  # type: ignore[operator]
    copy = tmp_path / "copy.ipynb"
    nbformat.write(notebook, copy)

    finished = subprocess.run(
        [
            sys.executable,
            "-m",
            "pytest",
            "-p",
            "no:cacheprovider",
            "--numprocesses=0",
            "-q",
            f"--config-file={ROOT / 'pyproject.toml'}",
            str(copy),
        ],
        cwd=ROOT,
        env=environment(tmp_path / "home"),
        capture_output=True,
        text=True,
        encoding="utf-8",
        timeout=120,
    )

    failed = {
        int(number)
        for number in re.findall(r"^FAILED \S*::Cell (\d+)", finished.stdout, re.MULTILINE)
    }
    names = [cell.id for cell in code_cells(notebook)]
    if broken:
        assert finished.returncode == 1, finished.stdout
        assert broken in {names[number] for number in failed}
    else:
        assert finished.returncode == 0, finished.stdout


# Two kernels at once, one state.


def run_at_the_same_time(home: Path) -> None:
    lessons = [LESSONS[5], LESSONS[7]]
    notebooks = [read(lesson) for lesson in lessons]
    with ThreadPoolExecutor(2) as kernels:
        list(kernels.map(execute, notebooks, lessons, [home, home]))
    for notebook in notebooks:
        assert re.search(
            r"(\d+) identities created in this lesson, \1 deleted, 0 left",
            text_of(code_cells(notebook)[-1]),
        )
    assert living_identities(home) == 0


def test_two_lessons_run_at_the_same_time(tmp_path: Path) -> None:
    run_at_the_same_time(tmp_path)


@pytest.mark.campaign
def test_two_lessons_run_at_the_same_time_ten_times(tmp_path: Path) -> None:
    for _ in range(10):
        run_at_the_same_time(tmp_path)


# A kernel that dies.

SHOW_THE_LEDGER = """
import json, os
import helpers
from azure.communication.identity import CommunicationIdentityClient
session = helpers.start("05")
client = CommunicationIdentityClient.from_connection_string(
    os.environ["COMMUNICATION_SERVICES_CONNECTION_STRING"], raw_response_hook=session.observe
)
ledger = helpers.Ledger(session, client)
listed = ledger.raw_ids
print(json.dumps([listed, ledger.clean_up(), ledger.raw_ids]))
"""


def test_a_kernel_killed_in_the_middle_of_lesson_05_loses_no_identity(tmp_path: Path) -> None:
    cells = [cell.source for cell in code_cells(read(LESSONS[5]))]
    middle = next(index for index, source in enumerate(cells) if "other_token" in source)
    program = "\n".join(
        [*cells[: middle + 1], "print('created', flush=True)", "import time; time.sleep(60)"]
    )
    lesson = subprocess.Popen(
        [sys.executable, "-c", program],
        env=environment(tmp_path),
        stdout=subprocess.PIPE,
        text=True,
        encoding="utf-8",
    )
    assert lesson.stdout
    for line in lesson.stdout:
        if line == "created\n":
            break
    lesson.send_signal(signal.SIGKILL if hasattr(signal, "SIGKILL") else signal.SIGTERM)
    lesson.wait(30)
    lesson.stdout.close()
    assert living_identities(tmp_path) == 3

    listed, said, left = json.loads(python(SHOW_THE_LEDGER, home=tmp_path).splitlines()[-1])

    assert len(listed) == 3
    assert said == "3 identities deleted; nothing is left behind."
    assert left == []
    assert living_identities(tmp_path) == 0


# In a few seconds each, wherever they are opened from.


def test_a_lesson_does_not_depend_on_the_working_folder(tmp_path: Path) -> None:
    notebook = read(LESSONS[0])
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    began = time.monotonic()

    NotebookClient(
        notebook,
        kernel_name="python3",
        timeout=60,
        resources={"metadata": {"path": str(elsewhere)}},
    ).execute(env={**environment(tmp_path), "PATH": os.environ["PATH"]})

    assert "0 left" in text_of(code_cells(notebook)[-1])
    assert time.monotonic() - began < 60
