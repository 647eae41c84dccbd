"""The lessons themselves, at one seat of a room."""

from __future__ import annotations

from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

from helpers import settings
from helpers.room.room import Room

LESSONS = sorted((Path(__file__).resolve().parents[2] / "notebooks" / "en").glob("[01]*.ipynb"))


@pytest.mark.campaign
@pytest.mark.filterwarnings("ignore::ResourceWarning")  # what nbclient leaves of its event loops
@pytest.mark.parametrize("lesson", LESSONS, ids=lambda path: path.stem)
def test_every_cell_of_a_lesson_runs_in_a_room(
    room: Room, lesson: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(settings.MODE, "")
    monkeypatch.setenv(settings.ROOM, room.tickets()["01"])
    monkeypatch.setenv(settings.HOME, str(tmp_path))
    notebook = nbformat.read(lesson, as_version=4)

    NotebookClient(notebook, timeout=60, resources={"metadata": {"path": lesson.parent}}).execute()

    shown = "".join(
        output.get("text", "") or output.get("data", {}).get("text/plain", "")
        for cell in notebook.cells
        if cell.cell_type == "code"
        for output in cell.outputs
    )
    assert "Room · seat 01 at localhost" in shown
    if lesson.stem.startswith("06"):
        # Its clock moves: the stored outputs of the sandbox hold here as well.
        assert "1 minute left" in shown
        assert "renewed: True" in shown
