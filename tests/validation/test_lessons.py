"""Which lessons a command means."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from helpers.validation import lessons
from helpers.validation.lessons import NOTEBOOKS, SelectionError, changed_since, read, select
from tests.validation.notebooks import code, notebook


def names(paths):
    return [path.stem for path in paths]


def test_without_a_name_all_lessons_are_meant():
    assert len(select()) >= 10
    assert all(path.parent.parent == NOTEBOOKS for path in select())


@pytest.mark.parametrize("name", ["3", "03", "03-issue-access-tokens"])
def test_a_lesson_has_a_number_and_a_name(name):
    assert names(select([name], language="en")) == ["03-issue-access-tokens"]


def test_a_lesson_named_twice_runs_once():
    assert len(select(["3", "03"], language="en")) == 1


def test_a_notebook_of_ones_own_is_named_by_its_path(sound_notebook):
    assert select([str(sound_notebook)]) == [sound_notebook]


def test_the_title_is_the_first_heading(tmp_path):
    assert read(notebook(tmp_path / "a.ipynb", code("one", "1"), title="Hello")).title == "Hello"


def test_without_lessons_the_reader_learns_where_they_are(monkeypatch, tmp_path):
    monkeypatch.setattr(lessons, "NOTEBOOKS", tmp_path)

    with pytest.raises(SelectionError, match="clone the tutorial's repository"):
        select()


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A small project under Git, with lessons in two languages and a commit."""
    for language in ("en", "ko"):
        for number in ("00", "01"):
            notebook(tmp_path / f"notebooks/{language}/{number}-x.ipynb", code("one", "1"))
    for name in ("helpers/session.py", "helpers/cli/lab.py", "README.md", "notebooks/en/data.csv"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("before")
    monkeypatch.setattr(lessons, "PROJECT", tmp_path)
    monkeypatch.setattr(lessons, "NOTEBOOKS", tmp_path / "notebooks")
    git(tmp_path, "init", "--quiet")
    git(tmp_path, "add", ".")
    git(tmp_path, "-c", "user.name=a", "-c", "user.email=a@example.com", "commit", "-qm", "first")
    return tmp_path


def git(folder, *arguments):
    subprocess.run(["git", *arguments], cwd=folder, check=True, capture_output=True)


def changed(project):
    return [
        path.relative_to(project / "notebooks").as_posix()
        for path in changed_since("HEAD", select())
    ]


def test_nothing_changed_means_no_lesson(project):
    assert changed(project) == []


def test_a_changed_lesson_is_meant_and_no_other(project):
    (project / "notebooks/en/01-x.ipynb").write_text(
        (project / "notebooks/en/01-x.ipynb").read_text().replace("Small", "Changed")
    )

    assert changed(project) == ["en/01-x.ipynb"]


def test_a_new_lesson_is_meant_before_it_is_committed(project):
    notebook(project / "notebooks/ko/02-x.ipynb", code("one", "1"))

    assert changed(project) == ["ko/02-x.ipynb"]


def test_a_file_beside_lessons_can_touch_all_of_that_folder(project):
    (project / "notebooks/en/data.csv").write_text("after")

    assert changed(project) == ["en/00-x.ipynb", "en/01-x.ipynb"]


def test_what_every_lesson_runs_can_touch_all(project):
    (project / "helpers/session.py").write_text("after")

    assert len(changed(project)) == 4


@pytest.mark.parametrize("name", ["README.md", "helpers/cli/lab.py"])
def test_what_no_lesson_runs_touches_none(name, project):
    (project / name).write_text("after")

    assert changed(project) == []


def test_without_git_it_is_one_sentence(project, monkeypatch):
    monkeypatch.setenv("PATH", "")

    with pytest.raises(SelectionError, match="no “git” on this machine"):
        changed_since("HEAD", select())
