"""What the tests of the lessons share: where the lessons are, and how to run one."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import nbformat
from nbformat import NotebookNode

ROOT = Path(__file__).parents[2]
NOTEBOOKS = ROOT / "notebooks"
LESSONS = sorted((NOTEBOOKS / "en").glob("[0-9][0-9]-*.ipynb"))
NAMES = [lesson.stem for lesson in LESSONS]


def read(lesson: Path) -> NotebookNode:
    return nbformat.read(lesson, as_version=4)


def code_cells(notebook: NotebookNode) -> list[NotebookNode]:
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def tags(cell: NotebookNode) -> list[str]:
    return list(cell.metadata.get("tags", []))


def text_of(cell: NotebookNode) -> str:
    """Everything that a cell shows as text."""
    parts = []
    for output in cell.outputs:
        parts.append(output.get("text", ""))
        parts.append(output.get("data", {}).get("text/plain", ""))
        parts.append(output.get("evalue", ""))
    return "\n".join(filter(None, parts))


def environment(home: Path) -> dict[str, str]:
    """The environment for a process of its own, with the tutorial's state in *home*."""
    return {**os.environ, "ACS_TUTORIAL_HOME": str(home)}


def python(code: str, *, home: Path) -> str:
    """Run *code* in a process of its own and return what it printed."""
    finished = subprocess.run(
        [sys.executable, "-c", code],
        env=environment(home),
        capture_output=True,
        text=True,
        encoding="utf-8",
        timeout=60,
        check=True,
    )
    return finished.stdout
