"""Saving through JupyterLab hides the credentials that a notebook printed."""

from __future__ import annotations

import base64
import json
import secrets
from pathlib import Path

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_notebook

from .conftest import OpenLesson
from .jupyterlab import Lab


def base64url(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


@pytest.fixture
def token() -> str:
    header, claims = ({"alg": "RS256", "typ": "JWT"}, {"scp": ["chat"], "exp": 1})
    parts = [json.dumps(header).encode(), json.dumps(claims).encode(), secrets.token_bytes(256)]
    return ".".join(base64url(part) for part in parts)


@pytest.fixture
def key() -> str:
    return base64.b64encode(secrets.token_bytes(64)).decode()


def write(path: Path, *sources: str) -> Path:
    notebook = new_notebook(cells=[new_code_cell(source) for source in sources])
    notebook.metadata["kernelspec"] = {"name": "python3", "display_name": "Python 3"}
    nbformat.write(notebook, path)
    return path


def test_a_printed_token_and_key_are_masked_in_the_saved_file(
    token: str, key: str, open_lesson: OpenLesson, lab: Lab
) -> None:
    secret = lab.folder / "notebooks" / "secret.json"
    secret.write_text(json.dumps([token, key]), encoding="utf-8")
    path = write(
        lab.folder / "notebooks" / "printed.ipynb",
        "import json\ntoken, key = json.load(open('secret.json'))",
        "print('the token', token)\ntoken",
        "print('endpoint=https://localhost:1/;accesskey=' + key)\nkey",
    )
    lesson = open_lesson(path)
    lesson.run_all()
    assert token in lesson.panel.inner_text(), "the reader is meant to see what was printed"

    lesson.save()

    saved = path.read_text(encoding="utf-8")
    assert "the token eyJ" in saved
    assert "endpoint=https://localhost:1/;accesskey=" in saved
    assert token not in saved
    assert token.rpartition(".")[2] not in saved
    assert key not in saved


def test_the_keyboard_shortcut_saves_masked_too(
    token: str, open_lesson: OpenLesson, lab: Lab
) -> None:
    secret = lab.folder / "notebooks" / "secret.json"
    secret.write_text(json.dumps(token), encoding="utf-8")
    path = write(
        lab.folder / "notebooks" / "shortcut.ipynb",
        "import json\nprint(json.load(open('secret.json')))",
    )
    lesson = open_lesson(path)
    lesson.run_all()

    lesson.panel.locator(".jp-Cell").first.click()
    lesson.page.keyboard.press("ControlOrMeta+s")
    lesson.page.wait_for_function(
        "() => !window.jupyterapp.shell.currentWidget.context.model.dirty"
    )

    saved = path.read_text(encoding="utf-8")
    assert "eyJ" in saved
    assert token not in saved


def test_a_key_in_the_source_is_kept_and_reported(
    key: str, open_lesson: OpenLesson, lab: Lab
) -> None:
    path = write(lab.folder / "notebooks" / "pasted.ipynb", f"key = '{key}'")
    lesson = open_lesson(path)

    lesson.save()

    assert key in path.read_text(encoding="utf-8")
    assert (
        "notebooks/pasted.ipynb, cell 1: the source holds an access token or access key" in lab.log
    )
    assert key not in lab.log


def test_saving_again_asks_no_question_about_the_masked_file(
    token: str, open_lesson: OpenLesson, lab: Lab
) -> None:
    secret = lab.folder / "notebooks" / "secret.json"
    secret.write_text(json.dumps(token), encoding="utf-8")
    path = write(
        lab.folder / "notebooks" / "again.ipynb",
        "import json\nprint(json.load(open('secret.json')))",
    )
    lesson = open_lesson(path)
    lesson.run_all()
    lesson.save()

    lesson.run_all()
    lesson.save()

    assert lesson.page.locator(".jp-Dialog").count() == 0
    assert token not in path.read_text(encoding="utf-8")
