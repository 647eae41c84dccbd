"""Every lesson, byte for byte, in the Python of the browser: it shows there what it shows anywhere."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from helpers.validation.differences import differences
from helpers.validation.rules import rules_for
from tests.notebooks.lessons import NOTEBOOKS, code_cells, read, tags

pytestmark = pytest.mark.campaign

ALL = sorted(
    path.relative_to(NOTEBOOKS).as_posix()
    for language in ("en", "ko")
    for path in (NOTEBOOKS / language).glob("*.ipynb")
)

Cells = dict[str, dict[str, Any]]


@pytest.fixture(scope="module")
def ran(run_in_pyodide, tmp_path_factory) -> dict[str, Cells]:
    """What every cell of every notebook came to, all run in one Pyodide, one after the other."""
    drive = tmp_path_factory.mktemp("drive")
    for name in ALL:
        (drive / name).parent.mkdir(exist_ok=True)
        shutil.copy(NOTEBOOKS / name, drive / name)
    told = run_in_pyodide("inside.py", *(f"/drive/{name}" for name in ALL), drive=drive)
    notebooks = map(json.loads, told.splitlines())
    return {
        notebook["notebook"].removeprefix("/drive/"): {
            cell["id"]: cell for cell in notebook["cells"]
        }
        for notebook in notebooks
    }


@pytest.mark.parametrize("name", ALL)
def test_a_lesson_shows_in_a_browser_what_it_shows_anywhere(name, ran):
    rules = rules_for("sandbox")
    unlike = {}
    for cell in code_cells(read(NOTEBOOKS / name)):
        came = ran[name][cell.id]
        if "raises-exception" not in tags(cell):
            assert came["error"] is None, cell.id
        # The doctor names what it has examined, and a browser has less.
        if cell.id != "doctor" and (found := differences(cell.outputs, came["outputs"], rules)):
            unlike[cell.id] = found

    assert unlike == {}


def text(cell: dict[str, Any]) -> str:
    return "".join(output.get("text", "") for output in cell["outputs"])


def test_a_wrong_key_is_refused_and_a_revoked_token_stops_working(ran):
    assert any(
        "401 Denied" in text(cell) for cell in ran["en/01-authenticate-the-client.ipynb"].values()
    )
    assert any(
        "401 Unauthorized" in text(cell)
        for cell in ran["en/07-revoke-access-tokens.ipynb"].values()
    )


def test_the_doctor_finds_nothing_amiss(ran):
    (shown,) = ran["en/00-start-here.ipynb"]["doctor"]["outputs"]

    assert shown["data"]["text/plain"].startswith("✔ This machine is ready")


def test_what_a_page_did_is_there_when_it_is_opened_again(run_in_pyodide, tmp_path: Path):
    run_in_pyodide("state.py", drive=tmp_path)

    told = run_in_pyodide("state.py", drive=tmp_path)

    assert told.splitlines()[1:] == ["issued in lesson 07", "threads: []", "revoked: 401"]
