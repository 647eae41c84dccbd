"""A database that a browser keeps as a whole file, shared by several notebooks."""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from helpers.sandbox import StorageError, store
from helpers.sandbox.storage import WholeFileConnection, connect
from helpers.sandbox.store import Store


def opened(path: Path) -> WholeFileConnection:
    return WholeFileConnection(path, isolation_level=None)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    with closing(opened(tmp_path / "state.sqlite3")) as first:
        first.execute("CREATE TABLE notes (text TEXT)")
    return tmp_path / "state.sqlite3"


def notes(connection: sqlite3.Connection) -> list[str]:
    # As a writer sees it, who looks at the file each time.
    connection.execute("BEGIN IMMEDIATE")
    found = [text for (text,) in connection.execute("SELECT text FROM notes")]
    connection.execute("COMMIT")
    return found


def test_on_a_computer_it_is_sqlites_own_connection(tmp_path):
    with closing(connect(tmp_path / "state.sqlite3", timeout=1)) as connection:
        assert type(connection) is sqlite3.Connection
        assert connection.execute("PRAGMA journal_mode = WAL").fetchone() == ("wal",)


def test_the_file_is_a_database_like_any_other(path):
    with closing(opened(path)) as connection:
        connection.execute("INSERT INTO notes VALUES ('kept')")

    with closing(sqlite3.connect(path)) as plain:
        assert plain.execute("SELECT text FROM notes").fetchall() == [("kept",)]


def test_notebooks_see_what_the_others_wrote(path):
    with closing(opened(path)) as one, closing(opened(path)) as other:
        one.execute("INSERT INTO notes VALUES ('from one')")
        other.execute("INSERT INTO notes VALUES ('from the other')")
        one.execute("INSERT INTO notes VALUES ('from one again')")

        assert notes(one) == notes(other) == ["from one", "from the other", "from one again"]


def test_a_transaction_is_written_when_it_ends_and_not_before(path):
    with closing(opened(path)) as one, closing(opened(path)) as other:
        one.execute("BEGIN IMMEDIATE")
        one.execute("INSERT INTO notes VALUES ('half done')")
        assert notes(other) == []
        one.execute("ROLLBACK")
        assert notes(other) == []

        one.execute("BEGIN IMMEDIATE")
        one.execute("INSERT INTO notes VALUES ('done')")
        one.execute("COMMIT")
        assert notes(other) == ["done"]


def test_looking_writes_nothing(path):
    before = path.stat().st_mtime_ns
    os.utime(path, ns=(before, before - 10**9))
    with closing(opened(path)) as connection:
        notes(connection)

    assert path.stat().st_mtime_ns == before - 10**9


def test_a_transaction_that_fails_at_the_very_start_leaves_no_file(tmp_path):
    with closing(opened(tmp_path / "new.sqlite3")) as connection:
        connection.execute("BEGIN IMMEDIATE")
        connection.execute("ROLLBACK")

    assert not (tmp_path / "new.sqlite3").exists()


def test_a_storage_that_refuses_is_an_error_of_the_database(path):
    with closing(opened(path)) as connection:
        path.rename(path.with_name("moved"))
        path.mkdir()

        with pytest.raises(sqlite3.OperationalError, match="unable to open"):
            connection.execute("INSERT INTO notes VALUES ('lost')")


def test_a_damaged_file_is_explained(tmp_path, monkeypatch):
    monkeypatch.setattr(store, "connect", lambda path, **_: opened(Path(path)))
    (tmp_path / store.FILE_NAME).write_bytes(b"not a database, but long enough for one" * 50)

    with pytest.raises(StorageError, match="damaged"):
        Store(tmp_path)


def test_a_key_that_another_notebook_rotated_is_no_longer_known(tmp_path, monkeypatch):
    monkeypatch.setattr(store, "connect", lambda path, **_: opened(Path(path)))
    with closing(Store(tmp_path)) as one, closing(Store(tmp_path)) as other:
        one.add_resource(id="1", name="r", location="", region="", keys=("old", "second"))
        with other.transaction():
            assert [resource.primary_key for resource in other.resources()] == ["old"]

        one.replace_key("1", "primary", "new", ends_at=0)

        with other.transaction():
            assert [resource.primary_key for resource in other.resources()] == ["new"]
