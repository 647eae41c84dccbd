"""A published page against the lessons."""

from __future__ import annotations

import json
from pathlib import Path

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_notebook

from helpers import cli
from helpers.validation.pages import drift
from tests.validation.pages.writing import INSTALL, python, write


@pytest.fixture
def lessons(tmp_path: Path) -> Path:
    folder = tmp_path / "lessons"
    folder.mkdir()
    cells = [
        new_code_cell("value = 1\nprint( 'one' )", metadata={"acs": {"step": "make-a-value"}}),
        new_code_cell("total = 2", metadata={"acs": {"step": "add-the-values"}}),
        new_code_cell(
            "print('safe')",
            metadata={
                "acs": {
                    "step": "show-it",
                    "replaces": {
                        "print('unsafe')": "because a lesson never shows it",
                        "print('gone')": "because the page once had it",
                    },
                }
            },
        ),
        new_code_cell("print(4)", metadata={"acs": {"step": "only-in-lessons"}}),
    ]
    nbformat.write(new_notebook(cells=cells), folder / "01-first.ipynb")
    return folder


@pytest.fixture
def page(tmp_path: Path) -> Path:
    return write(
        tmp_path,
        INSTALL,
        "## Make a value\n",
        python('value = 1\nprint("one")'),
        "## Add values\n",
        python("total = 2\nextra = 3\nfaulty = undefined\nfollows = faulty + 1"),
        "## Show it\n",
        python("print('unsafe')"),
        "## New on the page\n",
        python("print(5)"),
        "## Only text\n",
    )


def test_what_differs_and_who_is_right(page: Path, lessons: Path) -> None:
    compared = drift.compare(page, lessons=lessons)

    assert compared.covered == 2
    assert [one.anchor for one in compared.uncovered] == ["new-on-the-page"]
    assert [(one.anchor, one.closest_step) for one in compared.renamed] == [
        ("add-values", "add-the-values")
    ]
    assert [one.name for one in compared.unpublished] == ["only-in-lessons"]
    assert [(one.code, one.right) for one in compared.differences] == [
        ("extra = 3", "page"),
        ("faulty = undefined", "lesson"),
        ("follows = faulty + 1", "lesson"),
        ("print('unsafe')", "lesson"),
    ]
    assert compared.differences[3].reason == "because a lesson never shows it"
    assert [one.code for one in compared.stale] == ["print('gone')"]
    assert not compared.is_current


def test_a_page_that_differs_on_purpose_only_is_current(tmp_path: Path, lessons: Path) -> None:
    notebook = nbformat.read(lessons / "01-first.ipynb", as_version=4)
    notebook.cells = notebook.cells[2:3]
    del notebook.cells[0].metadata["acs"]["replaces"]["print('gone')"]
    nbformat.write(notebook, lessons / "01-first.ipynb")
    page = write(tmp_path, "## Show it\n", python("print('unsafe')"))

    compared = drift.compare(page, lessons=lessons)

    assert compared.is_current
    assert drift.text(compared).endswith("page and lessons agree.")


def test_the_command_says_it_in_words_and_in_json(page: Path, capsys) -> None:
    assert cli.main(["drift", str(page)]) == 1
    said = capsys.readouterr().out
    assert "Sections that no lesson covers:" in said
    assert "Steps that the page has no section for:" in said
    assert cli.main(["drift", str(page), "--format", "json"]) == 1
    content = json.loads(capsys.readouterr().out)
    assert content["current"] is False
    assert {one["anchor"] for one in content["uncovered"]} >= {"new-on-the-page"}
    assert cli.main(["drift", "absent.md"]) == 2
