"""Catching up: in real processes, with the lessons as they are."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from helpers import catch_up as catching_up
from helpers import cli, settings
from helpers.catch_up import CaughtUp, catch_up
from helpers.errors import TutorialError
from helpers.journal import Journal
from helpers.sandbox.store import Store
from tests.notebooks.lessons import python


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "state"
    monkeypatch.setenv(settings.HOME, str(folder))
    return folder


def solved(home: Path) -> dict[str, Any]:
    with closing(Journal(home, service="sandbox")) as journal:
        return dict(journal.solved())


def test_a_late_laptop_gets_what_the_room_has(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    home.mkdir()
    with closing(Journal(home, service="sandbox", lesson="02")) as journal:
        journal.solve("02")
        by_hand = journal.solved()["02"]

    assert cli.main(["catch-up", "7"]) == 0

    said = capsys.readouterr().out
    assert said == "✔ Lessons 00, 01, 03, 04, 05, 06 were done for you; lesson 07 can begin.\n"
    found = solved(home)
    assert list(found) == ["00", "01", "02", "03", "04", "05", "06"]
    assert found["02"] == by_hand
    with closing(Store(home)) as store:
        assert store.count_identities() == 0
    with closing(Journal(home, service="sandbox")) as journal:
        created = journal.identities()
    assert {identity.lesson for identity in created} == {"00", "01", "03", "04", "05", "06"}
    assert all(identity.deleted_at for identity in created)
    # The exercises were judged by requests that were sent.
    with closing(sqlite3.connect(home / "journal.sqlite3")) as database:
        (sent,) = database.execute("SELECT count(*) FROM exchanges").fetchone()
    assert sent > 30

    # Again: nothing to do.
    assert catch_up("07") == CaughtUp("07", ())
    with closing(sqlite3.connect(home / "journal.sqlite3")) as database:
        assert database.execute("SELECT count(*) FROM exchanges").fetchone() == (sent,)


def test_a_session_catches_up_and_goes_on_as_it_was(home: Path) -> None:
    said = python(
        "import helpers, os\n"
        "session = helpers.start('01')\n"
        "session.sandbox.clock.advance(hours=5)\n"
        "before = os.environ['COMMUNICATION_SERVICES_CONNECTION_STRING']\n"
        "print(session.catch_up('01'))\n"
        "from azure.communication.identity import CommunicationIdentityClient\n"
        "client = CommunicationIdentityClient.from_connection_string(before, raw_response_hook=session.observe)\n"
        "client.delete_user(client.create_user())\n"
        "print(helpers.Progress(session).next, session.sandbox.clock.offset)\n",
        home=home,
    )

    assert said.splitlines()[1:] == [
        "✔ Lesson 00 was done for you; lesson 01 can begin.",
        "01 5:00:00",
    ]


def test_the_first_lesson_has_nothing_before_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(catching_up, "_run_elsewhere", lambda *arguments, **names: pytest.fail())

    assert repr(catch_up("00")) == "✔ You were there already: lesson 00 can begin."


def test_never_on_a_real_resource(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(settings.MODE, "live")
    monkeypatch.setenv(settings.ENDPOINT, "https://contoso.communication.azure.com")

    with pytest.raises(TutorialError, match="never on a real resource"):
        catch_up("07")
    assert not list(home.glob("*.sqlite3"))


@pytest.mark.parametrize("lesson", ["10", "seven"])
def test_a_lesson_that_does_not_exist(lesson: str) -> None:
    with pytest.raises(TutorialError, match="There is no lesson"):
        catch_up(lesson)


CLIENT = """
import os
from azure.communication.identity import CommunicationIdentityClient
client = CommunicationIdentityClient.from_connection_string(
    os.environ["COMMUNICATION_SERVICES_CONNECTION_STRING"], raw_response_hook=session.observe
)
"""
BROKEN = {
    "raise KeyError('COMMUNICATION_SERVICES_X')": "is not set in this kernel",
    # Never checked, so never right.
    CLIENT: "not judged right",
    CLIENT + "session.journal.solve('00')": "left an identity behind",
}


def test_a_lesson_that_fails_is_named_with_the_reason(home: Path, tmp_path: Path) -> None:
    for number, code in enumerate(BROKEN):
        cells = [
            {"cell_type": "code", "source": "session = helpers.start('00')", "metadata": {}},
            {"cell_type": "code", "source": code, "metadata": {"tags": ["exercise"]}},
        ]
        notebook = tmp_path / str(number) / "en" / "00-broken.ipynb"
        notebook.parent.mkdir(parents=True)
        notebook.write_text(json.dumps({"cells": cells}))

    said = python(
        "import json\n"
        "from pathlib import Path\n"
        "from helpers.catch_up import main\n"
        "from helpers.validation import lessons\n"
        f"for number in range({len(BROKEN)}):\n"
        f"    lessons.NOTEBOOKS = Path({str(tmp_path)!r}, str(number))\n"
        "    print(json.dumps(main(['00'])))",
        home=home,
    )

    answers = [json.loads(line) for line in said.splitlines()]
    for answer, reason in zip(answers, BROKEN.values(), strict=True):
        assert answer["lesson"] == "00"
        assert reason in answer["reason"]


def test_a_lesson_that_fails_there_is_a_sentence_here(monkeypatch: pytest.MonkeyPatch) -> None:
    class Ran:
        stdout = json.dumps({"lesson": "03", "reason": "It rained."})
        stderr = ""
        returncode = 0

    monkeypatch.setattr("subprocess.run", lambda *arguments, **names: Ran)
    with pytest.raises(TutorialError, match=r"stop in lesson 03\. It rained\. Run that lesson"):
        catch_up("07")

    Ran.stdout, Ran.stderr, Ran.returncode = "", "Traceback\nImportError: no SDK\n", 1
    with pytest.raises(TutorialError, match="did not begin: ImportError: no SDK"):
        catch_up("07")
