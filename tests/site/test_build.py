from __future__ import annotations

import shutil
import sys
from pathlib import Path

import pytest

from helpers import site
from helpers.cli import main
from helpers.errors import TutorialError
from helpers.site import tools


def silent(number: int, of: int, doing: str) -> None:
    pass


def test_a_folder_with_something_else_is_not_replaced(tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("years of work", encoding="utf-8")

    with pytest.raises(TutorialError, match="holds something other than a site"):
        site.build(tmp_path, progress=silent)

    assert (tmp_path / "thesis.txt").read_text(encoding="utf-8") == "years of work"


def test_a_file_is_not_replaced(tmp_path: Path) -> None:
    path = tmp_path / "site"
    path.write_text("a file", encoding="utf-8")

    with pytest.raises(TutorialError, match="is a file"):
        site.build(path, progress=silent)


def test_without_the_lessons_there_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(TutorialError, match="clone the tutorial's repository"):
        site.build(tmp_path / "site", project=tmp_path, progress=silent)


def test_without_uv_there_is_one_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(shutil, "which", lambda name: None)
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)

    status = main(["site", "--output", str(tmp_path / "site")])

    assert status == 1
    assert capsys.readouterr().err == (
        "acs-tutorial: the site is built with uv, and there is none here; install it: pip install uv.\n"
    )
    assert not (tmp_path / "site").exists()


def test_what_a_tool_says_is_passed_on(tmp_path: Path) -> None:
    fails = "import sys; sys.exit('no such host: the network is off')"

    with pytest.raises(TutorialError, match=r"needs the network[^\n]*\n.*the network is off"):
        tools.run([sys.executable, "-c", fails], folder=tmp_path)


def test_the_first_pages_fetch_ahead_what_every_lesson_needs(tmp_path: Path) -> None:
    (tmp_path / "build").mkdir()
    (tmp_path / "static/pyodide").mkdir(parents=True)
    for name in ("build/jlab_core.1.js", "build/2.js", "static/pyodide/pyodide.asm.wasm"):
        (tmp_path / name).touch()

    site.write_landing(Path(__file__).resolve().parents[2] / "notebooks", tmp_path)

    for path in (tmp_path / "index.html", tmp_path / "ko" / "index.html"):
        page = path.read_text(encoding="utf-8")
        assert '["build/jlab_core.1.js", "static/pyodide/pyodide.asm.wasm"]' in page
