"""Rehearsals: small lessons that go well, fail, are slow, or leave something behind."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from helpers import cli, rehearsal, settings
from helpers.rehearsal import Rehearsal, Stage, rehearse

CLIENT = """import os
from azure.communication.identity import CommunicationIdentityClient
import helpers
session = helpers.start("{lesson}")
client = CommunicationIdentityClient.from_connection_string(
    os.environ["COMMUNICATION_SERVICES_CONNECTION_STRING"], raw_response_hook=session.observe
)"""


class Log(io.StringIO):
    """Where a terminal would be that knows every sign."""

    encoding = "utf-8"


def lesson(
    folder: Path, name: str, *codes: str | tuple[str, str], title: str = "A small lesson"
) -> Path:
    """Write a lesson without stored outputs, of cells that may have a tag."""
    cells: list[dict[str, object]] = [
        {"cell_type": "markdown", "id": "title", "metadata": {}, "source": f"# {title}"}
    ]
    for number, code in enumerate(codes):
        source, tag = code if isinstance(code, tuple) else (code, "")
        cells.append(
            {
                "cell_type": "code",
                "id": f"cell-{number}",
                "metadata": {"tags": [tag]} if tag else {},
                "source": source,
                "outputs": [],
                "execution_count": None,
            }
        )
    path = folder / name
    path.write_text(
        json.dumps({"cells": cells, "metadata": {}, "nbformat": 4, "nbformat_minor": 5})
    )
    return path


@pytest.fixture(scope="module")
def rehearsed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Rehearsal, str]]:
    """Two lessons of a room: one that goes well, and one in which everything goes wrong that can."""
    folder = tmp_path_factory.mktemp("lessons")
    with pytest.MonkeyPatch.context() as patch:
        # What counts as slow, without a test that is slow itself.
        patch.setattr(rehearsal, "SLOW_SECONDS", 0.3)
        well = lesson(
            folder,
            "00-well.ipynb",
            CLIENT.format(lesson="00"),
            ("exercise = session.exercise()", "exercise"),
            ("exercise.check()", "exercise-check"),
            ("helpers.Ledger(session, client).clean_up()", "ledger"),
            title="Goes well",
        )
        badly = lesson(
            folder,
            "00-badly.ipynb",
            CLIENT.format(lesson="01"),
            "import time; time.sleep(0.4)",
            "client.create_user(); print(len(helpers.Progress(session).solved), 'solved')",
            "undefined_name",
            title="Goes badly",
        )
        output = Log()
        stage = Stage(2, stream=output)
        result = rehearse([well, badly], stage=stage)
        stage.verdict(result)
        yield result, output.getvalue()


def test_a_lesson_goes_well_with_its_solution_put_in(rehearsed: tuple[Rehearsal, str]) -> None:
    well = rehearsed[0].lessons[0]

    assert well.title == "Goes well"
    assert well.solved
    assert well.failed == []
    assert well.left_behind == 0
    assert well.is_sound
    assert [cell.name for cell in well.lesson.cells] == ["cell-0", "cell-1", "cell-2", "cell-3"]
    assert well.seconds > sum(cell.seconds for cell in well.lesson.cells) > 0


def test_what_goes_wrong_is_seen(rehearsed: tuple[Rehearsal, str]) -> None:
    badly = rehearsed[0].lessons[1]

    assert [cell.name for cell in badly.failed] == ["cell-3"]
    assert badly.left_behind == 1
    assert "cell-1" in [cell.name for cell in badly.slow]
    assert not badly.is_sound
    assert not rehearsed[0].is_sound


def test_the_terminal_shows_the_time_of_each_cell_and_what_went_wrong(
    rehearsed: tuple[Rehearsal, str],
) -> None:
    text = rehearsed[1]
    lines = text.splitlines()

    assert any("Goes well" in line and "for its kernel" in line for line in lines)
    assert sum(line.startswith("    cell-") and " s" in line for line in lines) == 8
    slow = [line for line in lines if line.startswith("    cell-1") and "slower" in line]
    assert any("▪▪▪▪ slower than 0.3 s" in line for line in slow)
    assert "✘ Goes badly" in text
    assert "1 identity is left behind." in text
    assert "Nothing is called “undefined_name” here yet." in text
    assert lines[-1] == "1 of 2 lessons did not go as they should."
    assert "The room waits longer than 0.3 s" in text


def test_an_exercise_that_its_solution_does_not_solve_is_seen(tmp_path: Path) -> None:
    path = lesson(
        tmp_path,
        "04-unsolved.ipynb",
        CLIENT.format(lesson="04") + "\nfrom datetime import timedelta\nidentity = None",
        (
            "exercise = session.exercise()\nclient.get_token = lambda *given, **named: None",
            "exercise",
        ),
        ("exercise.check()", "exercise-check"),
    )
    output = Log()

    result = rehearse([path], stage=Stage(1, stream=output))

    assert not result.lessons[0].solved
    assert result.lessons[0].failed == []
    assert not result.is_sound
    assert "not judged right" in output.getvalue()


def test_the_command_rehearses_and_leaves_my_own_state_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv(settings.HOME, str(tmp_path / "state"))
    path = lesson(tmp_path, "00-short.ipynb", "import helpers; session = helpers.start('00')")
    before = path.read_bytes()

    assert cli.main(["rehearse", str(path)]) == 0

    said = capsys.readouterr().out.splitlines()
    assert said[0].startswith(("✔ A small lesson", "! A small lesson"))
    assert said[-1].startswith("The lesson went well, in ")
    assert not (tmp_path / "state").exists()
    assert path.read_bytes() == before


def test_the_command_names_a_lesson_that_does_not_exist(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert cli.main(["rehearse", "77"]) == 2
    assert "There is no lesson “77”" in capsys.readouterr().err


def test_a_failed_rehearsal_is_an_exit_status(
    rehearsed: tuple[Rehearsal, str],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(rehearsal, "rehearse", lambda paths, stage: rehearsed[0])

    assert cli.main(["rehearse", "00"]) == 1
    assert "did not go" in capsys.readouterr().out
