from __future__ import annotations

import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest
from azure.communication.identity import CommunicationUserIdentifier
from azure.core.exceptions import HttpResponseError

from helpers.errors import TutorialError
from helpers.journal import Journal
from tests.conftest import MakeClient


def test_an_exchange_is_recorded_as_it_went_over_the_wire(
    make_client: MakeClient, journal: Journal
) -> None:
    client = make_client(raw_response_hook=journal.observe)
    identity, _token = client.create_user_and_token(["chat", "voip"])

    (exchange,) = journal.exchanges()

    assert (exchange.method, exchange.path, exchange.status) == ("POST", "/identities", 201)
    assert exchange.api_version == "2023-10-01"
    assert exchange.operation == "create_user_and_token"
    assert exchange.raw_id == identity.raw_id
    assert exchange.scopes == ["chat", "voip"]
    assert exchange.minutes is None
    assert exchange.request_id
    assert exchange.milliseconds and exchange.milliseconds > 0
    assert exchange.answered["identity"] == {"id": identity.raw_id}


def test_operations_have_the_names_of_the_methods(
    make_client: MakeClient, journal: Journal
) -> None:
    client = make_client(raw_response_hook=journal.observe)
    identity = client.create_user()
    client.get_token(identity, ["chat"])
    client.revoke_tokens(identity)
    client.delete_user(identity)

    assert [exchange.operation for exchange in journal.exchanges()] == [
        "create_user",
        "get_token",
        "revoke_tokens",
        "delete_user",
    ]
    assert {exchange.raw_id for exchange in journal.exchanges()} == {identity.raw_id}


def test_no_token_and_no_key_reaches_the_file(
    make_client: MakeClient, journal: Journal, tmp_path: Path
) -> None:
    client = make_client(raw_response_hook=journal.observe)
    _identity, token = client.create_user_and_token(["chat"])
    journal.close()

    written = b"".join(file.read_bytes() for file in tmp_path.glob("journal.sqlite3*"))
    signature = token.token.rpartition(".")[2]

    assert b"create" in written.lower()
    assert token.token.split(".")[1].encode() not in written
    assert signature.encode() not in written
    assert b"Signature=\xe2\x80\xa6" in written or b"Signature=\\u2026" in written


def test_a_refusal_is_recorded_too(make_client: MakeClient, journal: Journal) -> None:
    client = make_client(raw_response_hook=journal.observe)
    with pytest.raises(HttpResponseError):
        client.create_user_and_token([])

    (exchange,) = journal.exchanges()

    assert not exchange.succeeded
    assert exchange.answered["error"]["code"] == "ValidationError"
    assert journal.identities() == []


def test_the_ledger_knows_what_was_created_and_what_was_deleted(
    make_client: MakeClient, journal: Journal
) -> None:
    client = make_client(raw_response_hook=journal.observe)
    kept, deleted = client.create_user(), client.create_user()
    client.delete_user(deleted)

    first, second = journal.identities()

    assert (first.raw_id, first.deleted_at) == (kept.raw_id, None)
    assert second.raw_id == deleted.raw_id
    assert second.deleted_at is not None and second.deleted_at >= second.created_at
    assert first.lesson == "05"
    assert not first.abandoned


def test_an_identity_that_does_not_exist_any_more_counts_as_deleted(
    make_client: MakeClient, journal: Journal
) -> None:
    client = make_client(raw_response_hook=journal.observe)
    identity = client.create_user()
    make_client().delete_user(identity)  # behind the journal's back

    client.delete_user(CommunicationUserIdentifier(identity.raw_id))

    assert journal.identities()[0].deleted_at is not None


def test_identities_of_another_service_are_not_listed(
    make_client: MakeClient, journal: Journal, tmp_path: Path
) -> None:
    elsewhere = Journal(tmp_path, service="contoso.communication.azure.com")
    make_client(raw_response_hook=elsewhere.observe).create_user()

    assert journal.identities() == []
    assert len(journal.identities(service="contoso.communication.azure.com")) == 1
    elsewhere.close()


def test_a_session_that_still_runs_keeps_its_identities(
    make_client: MakeClient, journal: Journal, tmp_path: Path
) -> None:
    other = Journal(tmp_path, service="sandbox")
    make_client(raw_response_hook=other.observe).create_user()

    (identity,) = journal.identities()

    assert identity.session == other.session
    assert not identity.abandoned
    other.close()


def test_a_session_whose_process_ended_has_abandoned_its_identities(
    make_client: MakeClient, journal: Journal, tmp_path: Path
) -> None:
    ended = Journal(tmp_path, service="sandbox")
    make_client(raw_response_hook=ended.observe).create_user()
    ended.close()
    # The same process number, started at another time: the number was given out again.
    with sqlite3.connect(tmp_path / "journal.sqlite3") as database:
        database.execute(
            "UPDATE sessions SET process_started = process_started - 60 WHERE id = ?",
            (ended.session,),
        )
    database.close()

    assert journal.identities()[0].abandoned


def test_exchanges_since_a_moment(make_client: MakeClient, journal: Journal) -> None:
    client = make_client(raw_response_hook=journal.observe)
    client.create_user()
    moment = journal.exchanges()[-1].number
    client.create_user()

    assert [exchange.number for exchange in journal.exchanges(since=moment)] > [moment]
    assert len(journal.exchanges(since=moment)) == 1


def test_a_journal_that_cannot_be_written_warns_and_does_not_fail_the_call(
    make_client: MakeClient, journal: Journal
) -> None:
    client = make_client(raw_response_hook=journal.observe)
    journal.close()

    with pytest.warns(UserWarning, match="could not be written"):
        identity = client.create_user()

    assert identity.raw_id


def test_a_file_that_is_no_journal_gets_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "journal.sqlite3").write_bytes(b"no database " * 1000)

    with pytest.raises(TutorialError, match="ACS_TUTORIAL_HOME"):
        Journal(tmp_path, service="sandbox")


def test_many_processes_write_the_same_file_at_once(tmp_path: Path) -> None:
    program = (
        "import sys\n"
        "from pathlib import Path\n"
        "from helpers.journal import Journal\n"
        "for _ in range(20):\n"
        "    Journal(Path(sys.argv[1]), service='sandbox').close()\n"
    )
    writers = [subprocess.Popen([sys.executable, "-c", program, str(tmp_path)]) for _ in range(4)]

    assert [writer.wait(60) for writer in writers] == [0] * 4
    with sqlite3.connect(tmp_path / "journal.sqlite3") as database:
        assert database.execute("SELECT count(*) FROM sessions").fetchone() == (80,)
    database.close()


def test_what_is_solved_is_kept_for_every_kernel_until_it_is_forgotten(tmp_path: Path) -> None:
    first, second = Journal(tmp_path, service="sandbox"), Journal(tmp_path, service="sandbox")
    first.solve("03")
    at = second.solved()["03"]
    second.solve("03")

    assert first.solved() == {"03": at}

    first.forget_solved()
    assert second.solved() == {}
    first.close()
    second.close()
