"""The translators' command, from a changed English lesson to a Korean one that runs."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from helpers import cli
from helpers.translation import catalogue, notebooks

pytestmark = pytest.mark.usefixtures("project")

LESSON = "04-set-token-lifetimes.ipynb"


def change(path: Path, cell_id: str, edit: Callable[[str], str]) -> None:
    notebook = notebooks.read(path)
    (cell,) = [cell for cell in notebook["cells"] if cell["id"] == cell_id]
    edited = edit(cell["source"])
    assert edited != cell["source"]
    cell["source"] = edited
    notebooks.write(notebook, path)


def cell(path: Path, cell_id: str) -> dict[str, object]:
    (found,) = [cell for cell in notebooks.read(path)["cells"] if cell["id"] == cell_id]
    return found


@pytest.fixture
def current(project: Path) -> None:
    """Nothing but what a test changes itself is left to do."""
    catalogue.write(catalogue.updated(catalogue.read("ko"), catalogue.template()), "ko")


def check(capsys: pytest.CaptureFixture[str]) -> tuple[int, str]:
    """The exit status of a check, and what it alone printed."""
    capsys.readouterr()
    status = cli.main(["translate", "--check", "ko"])
    return status, capsys.readouterr().out


def test_the_project_is_translated_and_built(capsys: pytest.CaptureFixture[str]) -> None:
    assert check(capsys) == (0, "ko: everything is translated.\n")


def test_a_changed_english_cell_fails_the_check_which_names_the_cell_and_the_korean_message(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    change(
        project / "notebooks/en" / LESSON,
        "one-hour-text",
        lambda text: text.replace("24 hours unless", "24 hours, unless"),
    )

    status, said = check(capsys)

    assert status == 1
    assert "notebooks/en/04-set-token-lifetimes.ipynb, cell one-hour-text" in said
    assert "the English text was changed after it was translated" in said
    assert "“따로 지정하지 않으면 토큰의 수명은 24시간입니다." in said
    assert "cell one-hour-text, is out of date; run “acs-tutorial translate ko”" in said


def test_a_changed_sentence_of_the_interface_fails_the_check(
    project: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    found = catalogue.template()
    found.add("A sentence that nobody has translated yet.", locations=[("helpers/new.py", None)])  # type: ignore[list-item]
    monkeypatch.setattr(catalogue, "template", lambda: found)

    status, said = check(capsys)

    assert status == 1
    assert "helpers/new.py\n  not translated\n  “A sentence that nobody" in said


def test_a_hand_made_change_to_a_korean_lesson_is_noticed_and_named(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    change(project / "notebooks/ko" / LESSON, "recap", lambda text: text + "!")

    status, said = check(capsys)

    assert status == 1
    assert f"notebooks/ko/{LESSON}, cell recap, is out of date" in said


@pytest.mark.parametrize(
    ("spoil", "complaint"),
    [
        (lambda ko, locale: (ko / LESSON).unlink(), f"notebooks/ko/{LESSON} is missing"),
        (
            lambda ko, locale: (ko / LESSON).rename(ko / "old.ipynb"),
            "notebooks/ko/old.ipynb has no English original",
        ),
        (
            lambda ko, locale: (locale / "ko/LC_MESSAGES/acs-tutorial.mo").unlink(),
            "acs-tutorial.mo is not what the catalogue says",
        ),
    ],
)
def test_what_was_not_built_is_noticed(
    spoil: Callable[[Path, Path], object],
    complaint: str,
    project: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    spoil(project / "notebooks/ko", project / "locale")

    status, said = check(capsys)

    assert status == 1
    assert complaint in said


def test_a_changed_code_cell_reaches_korean_and_is_run(
    project: Path, current: None, capsys: pytest.CaptureFixture[str]
) -> None:
    english, korean = (project / "notebooks" / code / LESSON for code in ("en", "ko"))
    change(english, "whole-minutes", lambda code: code.replace("minutes=30", "minutes=45"))
    assert f"notebooks/ko/{LESSON}, cell whole-minutes, is out of date" in check(capsys)[1]

    assert cli.main(["translate", "ko"]) == 0

    changed = cell(korean, "whole-minutes")
    assert "minutes=45" in str(changed["source"])
    assert "105 minutes" in json.dumps(changed["outputs"])
    assert LESSON not in check(capsys)[1]


def test_a_stale_paragraph_is_english_until_it_is_translated(
    project: Path, current: None, capsys: pytest.CaptureFixture[str]
) -> None:
    english, korean = (project / "notebooks" / code / LESSON for code in ("en", "ko"))
    change(english, "title", lambda text: text.replace("let a token live", "let tokens live"))

    assert cli.main(["translate", "ko"]) == 0
    assert "let tokens live" in str(cell(korean, "title")["source"])
    assert "**소요 시간:**" in str(cell(korean, "title")["source"])
    assert f"notebooks/en/{LESSON}, cell title\n  the English text was" in capsys.readouterr().out

    translations = catalogue.read("ko")
    (message,) = [
        message for message in translations if message.fuzzy and message.context == catalogue.LESSON
    ]
    message.flags.clear()
    catalogue.write(translations, "ko")
    assert cli.main(["translate", "ko"]) == 0
    assert "let tokens live" not in str(cell(korean, "title")["source"])
    assert LESSON not in check(capsys)[1]


@pytest.mark.parametrize("code", ["en", "../ko", "k o"])
def test_only_a_language_can_be_translated_into(
    code: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(["translate", code]) == 1
    assert "is not a language to translate into" in capsys.readouterr().err
