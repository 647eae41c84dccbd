"""``acs-tutorial`` in the language that is asked for, and JupyterLab with it."""

from __future__ import annotations

import gettext
import json
import os
import re
from collections.abc import Iterator
from importlib.metadata import entry_points
from pathlib import Path

import pytest

from helpers import cli, language
from helpers.cli import lab

HANGUL = re.compile("[가-힣]")


@pytest.fixture(autouse=True)
def english_again(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    for name in ("LANGUAGE", "LC_ALL", "LC_MESSAGES", "LANG", "JUPYTER_CONFIG_PATH"):
        monkeypatch.setenv(name, "")
    yield
    language.use("en")
    gettext.textdomain("messages")


def exit_status(*arguments: str) -> int:
    try:
        return cli.main(arguments)
    except SystemExit as ending:
        return int(ending.code or 0)


def test_help_is_korean_down_to_the_words_of_argparse(capsys: pytest.CaptureFixture[str]) -> None:
    assert exit_status("--language", "ko", "--help") == 0

    text = capsys.readouterr().out
    assert text.startswith("사용법: acs-tutorial [옵션]")
    assert "\n옵션:\n  -h, --help" in text
    assert "이 도움말을 표시하고 종료합니다" in text
    assert "show this" not in text


@pytest.mark.parametrize(
    "arguments", [("--fly",), ("fly",), ("--port", "x"), ("--port",), ("quickstart", "x")]
)
def test_a_mistake_is_answered_in_korean(
    arguments: tuple[str, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    assert exit_status("--language=ko", *arguments) == 2

    line = capsys.readouterr().err
    assert line.count("\n") == 1
    assert len(HANGUL.findall(line)) > 10


@pytest.mark.parametrize(
    ("arguments", "setting", "locale", "spoken"),
    [
        ((), "", "", "en"),
        ((), "", "ko_KR.UTF-8", "ko"),
        ((), "", "de_DE.UTF-8", "en"),
        ((), "ko", "", "ko"),
        ((), "en", "ko_KR.UTF-8", "en"),
        (("--language", "en"), "ko", "ko_KR.UTF-8", "en"),
        (("--language=ko",), "en", "", "ko"),
        # What a command makes of the same word is its own affair.
        (("validate", "--language", "ko"), "", "", "en"),
    ],
)
def test_the_option_comes_before_the_setting_and_the_setting_before_the_locale(
    arguments: tuple[str, ...],
    setting: str,
    locale: str,
    spoken: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("ACS_TUTORIAL_LANGUAGE", setting)
    monkeypatch.setenv("LANG", locale)

    assert exit_status(*arguments, "--help") == 0

    assert language.current() == spoken
    assert capsys.readouterr().out.startswith("usage" if spoken == "en" else "사용법")


@pytest.mark.parametrize("arguments", [("--language", "tlh"), ("--language",)])
def test_an_unknown_language_is_one_line_that_names_the_known_ones(
    arguments: tuple[str, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    assert exit_status(*arguments) == 2

    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.count("\n") == 1


def test_a_setting_that_names_an_unknown_language_is_one_sentence(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("ACS_TUTORIAL_LANGUAGE", "tlh")

    assert exit_status("--help") == 1

    assert "does not speak “tlh” yet; choose one of: en, ko" in capsys.readouterr().err


def test_notebooks_are_opened_in_the_language_that_is_spoken() -> None:
    assert lab.notebook_path("playground.ipynb") == "notebooks/en/playground.ipynb"

    language.use("ko")

    assert lab.first_lesson() == "notebooks/ko/00-start-here.ipynb"
    assert lab.notebook_path("playground.ipynb") == "notebooks/ko/playground.ipynb"


def test_a_notebook_that_was_not_built_yet_is_opened_in_english(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lab, "_PROJECT", tmp_path)
    language.use("ko")

    assert lab.first_lesson() == "notebooks/en/00-start-here.ipynb"


def test_jupyterlab_is_told_nothing_in_english(tmp_path: Path) -> None:
    lab._speak_in_jupyterlab(tmp_path)

    assert list(tmp_path.iterdir()) == []
    assert os.environ["JUPYTER_CONFIG_PATH"] == ""


@pytest.mark.skipif(
    not entry_points(group="jupyterlab.languagepack"), reason="no language pack is installed"
)
def test_jupyterlab_is_told_its_own_name_of_the_language_for_this_start_only(
    tmp_path: Path,
) -> None:
    language.use("ko")

    lab._speak_in_jupyterlab(tmp_path)

    told = json.loads(
        (tmp_path / "labconfig" / "default_setting_overrides.json").read_text(encoding="utf-8")
    )
    assert told == {"@jupyterlab/translation-extension:plugin": {"locale": "ko_KR"}}
    assert os.environ["JUPYTER_CONFIG_PATH"] == str(tmp_path)
