"""``acs-tutorial reset``: what goes, what stays, and that it asks."""

from __future__ import annotations

import io
from contextlib import closing
from pathlib import Path

import pytest

from helpers import cli, settings
from helpers.journal import Journal
from helpers.sandbox import Sandbox
from helpers.sandbox.store import Store
from tests.notebooks.lessons import python

USE = """
import os
import helpers
from azure.communication.identity import CommunicationIdentityClient
session = helpers.start("05")
client = CommunicationIdentityClient.from_connection_string(
    os.environ["COMMUNICATION_SERVICES_CONNECTION_STRING"], raw_response_hook=session.observe
)
client.create_user_and_token(["chat"])
session.journal.solve("05")
"""
LIVE = "contoso.communication.azure.com"


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A state folder that was used, on the sandbox and on a real resource."""
    folder = tmp_path / "state"
    monkeypatch.setenv(settings.HOME, str(folder))
    python(USE, home=folder)
    with (
        closing(Journal(folder, service=LIVE, lesson="03")) as journal,
        journal._transaction() as database,
    ):
        journal._keep_ledger(
            database, "POST", "/identities", 201, '{"identity": {"id": "8:acs:live_one"}}'
        )
        database.execute(
            "INSERT INTO exchanges (session, at, method, path, request_headers, request_body, "
            "status, response_headers, response_body) "
            "VALUES (?, 0, 'POST', '/identities', '{}', '', 201, '{}', '')",
            (journal.session,),
        )
    return folder


def keys(home: Path) -> list[str]:
    sandbox = Sandbox(home)
    try:
        return [resource.primary_key for resource in sandbox.resources()]
    finally:
        sandbox.stop()


def living(home: Path) -> int:
    with closing(Store(home)) as store:
        return store.count_identities()


def rows(home: Path, table: str, service: str) -> int:
    with closing(Journal(home, service="sandbox")) as journal:
        where = {
            "identities": "SELECT * FROM identities WHERE service = ?",
            "exchanges": "SELECT * FROM exchanges JOIN sessions ON id = session WHERE service = ?",
            "sessions": "SELECT * FROM sessions WHERE service = ?",
        }[table]
        return len(journal._read(where, (service,)))


def solved(home: Path) -> int:
    with closing(Journal(home, service="sandbox")) as journal:
        return len(journal.solved())


class Answer(io.StringIO):
    """A person at the keyboard."""

    def isatty(self) -> bool:
        return True


def test_everything_of_the_sandbox_goes_and_a_real_resource_stays(
    home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    before = keys(home)
    assert (living(home), solved(home), rows(home, "exchanges", "sandbox")) == (1, 1, 1)
    # Even if the settings point to the real resource now, and cannot be used.
    monkeypatch.setenv(settings.MODE, "live")
    monkeypatch.setenv(settings.ENDPOINT, f"https://{LIVE}/")
    monkeypatch.setattr("sys.stdin", Answer("yes\n"))

    assert cli.main(["reset"]) == 0

    said = capsys.readouterr().out
    assert "1 solved exercise will be forgotten." in said
    assert f"1 identity on {LIVE} is not touched, and stays recorded." in said
    assert said.splitlines()[-1].endswith("Everything is back to the beginning.")
    assert (living(home), solved(home)) == (0, 0)
    assert rows(home, "exchanges", "sandbox") == rows(home, "identities", "sandbox") == 0
    assert rows(home, "identities", LIVE) == rows(home, "exchanges", LIVE) == 1
    assert rows(home, "sessions", LIVE) == 1
    assert keys(home) == before
    with closing(Journal(home, service=LIVE)) as journal:
        (kept,) = journal.identities()
        assert (kept.raw_id, kept.lesson, kept.deleted_at) == ("8:acs:live_one", "03", None)


@pytest.mark.parametrize("answer", ["n\n", "\n", ""])
def test_whoever_does_not_say_yes_keeps_everything(
    answer: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv(settings.HOME, str(tmp_path))
    monkeypatch.setattr("sys.stdin", Answer(answer))
    with closing(Journal(tmp_path, service="sandbox")) as journal:
        journal.solve("03")

    assert cli.main(["reset"]) == 1

    assert capsys.readouterr().out.endswith("Nothing was changed.\n")
    assert solved(tmp_path) == 1


def test_nobody_to_ask_is_no_yes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv(settings.HOME, str(tmp_path))
    monkeypatch.setattr("sys.stdin", io.StringIO("yes\n"))
    with closing(Journal(tmp_path, service="sandbox")) as journal:
        journal.solve("03")

    assert cli.main(["reset"]) == 1
    assert "--yes" in capsys.readouterr().err
    assert solved(tmp_path) == 1

    assert cli.main(["reset", "--yes"]) == 0
    assert solved(tmp_path) == 0


def test_a_lesson_that_is_open_goes_on_and_is_recorded(tmp_path: Path) -> None:
    said = python(
        USE + "from helpers import cli\n"
        "cli.main(['reset', '--yes'])\n"
        "client.create_user()\n"
        "print([(identity.lesson, identity.deleted_at) for identity in session.journal.identities()])",
        home=tmp_path,
    )

    assert said.splitlines()[-1] == "[('05', None)]"


def test_damaged_state_is_one_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv(settings.HOME, str(tmp_path))
    (tmp_path / "sandbox.sqlite3").write_bytes(b"this is no database " * 500)

    assert cli.main(["reset", "--yes"]) == 1
    assert "damaged" in capsys.readouterr().err
