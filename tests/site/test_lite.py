from __future__ import annotations

import json
from pathlib import Path

import pytest

from helpers.site import lite

NOTEBOOKS = Path(__file__).resolve().parents[2] / "notebooks"
LESSONS = sorted(path.relative_to(NOTEBOOKS).as_posix() for path in NOTEBOOKS.glob("*/*.ipynb"))


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("files")
    lite.copy_lessons(NOTEBOOKS, folder)
    return folder


def test_every_lesson_of_every_language_is_there(files: Path) -> None:
    copied = sorted(path.relative_to(files).as_posix() for path in files.glob("*/*.ipynb"))

    assert copied == LESSONS


@pytest.mark.parametrize("name", LESSONS)
def test_only_what_was_printed_is_written_differently(name: str, files: Path) -> None:
    # JupyterLite shows a list of lines with commas between them; all else is left as it is, byte for byte.
    original = json.loads((NOTEBOOKS / name).read_text(encoding="utf-8"))
    in_site = json.loads((files / name).read_text(encoding="utf-8"))
    for cell in (*original["cells"], *in_site["cells"]):
        for output in cell.get("outputs", []):
            if output["output_type"] == "stream":
                output["text"] = "".join(output["text"])

    assert in_site == original


def test_no_printed_output_is_a_list(files: Path) -> None:
    texts = [
        output["text"]
        for path in files.glob("*/*.ipynb")
        for cell in json.loads(path.read_text(encoding="utf-8"))["cells"]
        for output in cell.get("outputs", [])
        if output["output_type"] == "stream"
    ]

    assert texts
    assert {type(text) for text in texts} == {str}


def test_the_program_to_take_away_is_there(files: Path) -> None:
    program = "issue-access-tokens.py"

    assert (files / program).read_bytes() == (NOTEBOOKS / program).read_bytes()


def test_a_lesson_changed_here_is_changed_there(tmp_path: Path) -> None:
    lesson = json.loads((NOTEBOOKS / "en" / "00-start-here.ipynb").read_text(encoding="utf-8"))
    lesson["cells"][0]["source"] = "# 00 · Changed"
    (tmp_path / "en").mkdir()
    (tmp_path / "en" / "00-start-here.ipynb").write_text(json.dumps(lesson), encoding="utf-8")

    lite.copy_lessons(tmp_path, tmp_path / "files")

    assert "# 00 · Changed" in (tmp_path / "files/en/00-start-here.ipynb").read_text("utf-8")
