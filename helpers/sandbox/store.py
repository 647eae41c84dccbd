"""The sandbox's memory: every line of SQL, and nothing else.

One SQLite file serves any number of processes at once. It is kept in write-ahead mode with `synchronous=NORMAL`: a
committed request survives the death of the process, and costs no wait for the disk.
"""

from __future__ import annotations

import os
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from helpers.sandbox.errors import StorageError
from helpers.sandbox.storage import connect

FILE_NAME = "sandbox.sqlite3"
SCHEMA_VERSION = 2
BUSY_TIMEOUT_SECONDS = 5.0

# Times are nanoseconds since 1970, UTC, by the sandbox's clock.
SCHEMA = """
CREATE TABLE IF NOT EXISTS settings (
    name TEXT PRIMARY KEY,
    value BLOB NOT NULL
) WITHOUT ROWID;

CREATE TABLE IF NOT EXISTS resources (
    id TEXT PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,
    location TEXT NOT NULL,
    region TEXT NOT NULL
) WITHOUT ROWID;

-- A rotated key is a new row, so that tokens know under which key they were issued.
CREATE TABLE IF NOT EXISTS access_keys (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    resource_id TEXT NOT NULL REFERENCES resources (id),
    slot TEXT NOT NULL CHECK (slot IN ('primary', 'secondary')),
    value TEXT NOT NULL,
    UNIQUE (resource_id, slot)
);

CREATE TABLE IF NOT EXISTS identities (
    raw_id TEXT PRIMARY KEY,
    resource_id TEXT NOT NULL REFERENCES resources (id),
    custom_id TEXT,
    created_at INTEGER NOT NULL
) WITHOUT ROWID;
CREATE UNIQUE INDEX IF NOT EXISTS identities_by_custom_id ON identities (resource_id, custom_id)
    WHERE custom_id IS NOT NULL;

-- Rows outlive their identity: with a revocation delay, a deleted identity's tokens still work for a while.
-- One table ordered by holder, without another index: issuing a token writes one page.
CREATE TABLE IF NOT EXISTS tokens (
    holder TEXT NOT NULL,
    digest BLOB NOT NULL,
    access_key_id INTEGER,
    issued_at INTEGER NOT NULL,
    ends_at INTEGER,
    PRIMARY KEY (holder, digest)
) WITHOUT ROWID;
"""

# The first version had these tables in two forms; both had these columns.
_COLUMNS_OF_VERSION_1 = {
    "identities": "raw_id, resource_id, custom_id, created_at",
    "tokens": "holder, digest, access_key_id, issued_at, ends_at",
}

# What a snapshot holds and a reset may empty; settings (the signing key) stay.
STATE_TABLES = ("resources", "access_keys", "identities", "tokens")


@dataclass(frozen=True)
class Resource:
    """One Communication Services resource. Its keys stay out of its repr."""

    id: str
    name: str
    location: str
    region: str
    primary_key: str = field(repr=False)
    secondary_key: str = field(repr=False)
    primary_key_id: int = field(repr=False)
    secondary_key_id: int = field(repr=False)

    @property
    def keys(self) -> tuple[tuple[int, str], tuple[int, str]]:
        """The two interchangeable access keys with their numbers."""
        return (
            (self.primary_key_id, self.primary_key),
            (self.secondary_key_id, self.secondary_key),
        )


@dataclass(frozen=True)
class StoredIdentity:
    """A row of the identities table."""

    raw_id: str
    custom_id: str | None


@dataclass(frozen=True)
class StoredToken:
    """A row of the tokens table. `ends_at` is None while nobody revoked the token, and 0 when it ended at once."""

    access_key_id: int | None
    issued_at: int
    ends_at: int | None

    def works_at(self, now: int) -> bool:
        """Say whether the token is not revoked; its expiry is in its claims."""
        return self.ends_at is None or now < self.ends_at


@dataclass(frozen=True)
class Snapshot:
    """Everything that one sandbox held at one moment. Opaque: give it back to `restore`."""

    tables: dict[str, list[tuple[Any, ...]]] = field(repr=False)


def _explained(error: sqlite3.Error, place: str) -> StorageError:
    text = str(error).lower()
    if "full" in text:
        reason = "the disk is full; free some space and try again"
    elif "readonly" in text or "unable to open" in text:
        reason = "it cannot be written; choose a folder that you may write to"
    elif "locked" in text or "busy" in text:
        reason = "another program keeps it locked; close that program and try again"
    elif "not a database" in text or "malformed" in text:
        reason = "the file is damaged or not the sandbox's; move it away and start again"
    else:
        reason = f"SQLite says: {error}"
    return StorageError(f"The sandbox's state ({place}) cannot be used: {reason}.")


def _taken_out(connection: sqlite3.Connection) -> dict[str, list[tuple[Any, ...]]]:
    """Return the rows of the tables that the first version had in another form, and remove these tables."""
    kept = {}
    for table, columns in _COLUMNS_OF_VERSION_1.items():
        kept[table] = connection.execute(f"SELECT {columns} FROM {table}").fetchall()
        connection.execute(f"DROP TABLE {table}")
    return kept


class Store:
    """One connection to the state, shared by the threads of one process under one lock."""

    def __init__(self, folder: Path | None) -> None:
        self._lock = threading.RLock()
        self._resources: tuple[Resource, ...] | None = None
        self._resources_version: tuple[Any, ...] | None = None
        if folder is None:
            self.place = "in memory"
            path = ":memory:"
        else:
            self.place = str(folder / FILE_NAME)
            path = self.place
            try:
                # Private: the file holds access keys and a signing key.
                folder.mkdir(mode=0o700, parents=True, exist_ok=True)
                if not (folder / FILE_NAME).exists():
                    os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))
            except OSError as error:
                raise StorageError(
                    f"The sandbox cannot keep its state in {folder}: "
                    f"{error.strerror or error}; choose a folder that you may write to."
                ) from error
        with self._explaining():
            self._connection = connect(path, timeout=BUSY_TIMEOUT_SECONDS)
        try:
            self._prepare()
        except BaseException:
            self._connection.close()
            raise

    def _prepare(self) -> None:
        deadline = time.monotonic() + BUSY_TIMEOUT_SECONDS
        while True:
            try:
                with self._explaining():
                    # Two processes that switch a new file to WAL together can collide, and SQLite does not wait then.
                    self._connection.execute("PRAGMA journal_mode=WAL").fetchone()
                    self._connection.execute("PRAGMA synchronous=NORMAL")
                break
            except StorageError as error:
                if "locked" not in str(error) or time.monotonic() > deadline:
                    raise
                time.sleep(0.02)
        with self.transaction() as connection:
            (version,) = connection.execute("PRAGMA user_version").fetchone()
            if version > SCHEMA_VERSION:
                raise StorageError(
                    f"The sandbox's state ({self.place}) was written by a newer version of the "
                    "sandbox; update this one, or move the file away to start again."
                )
            if version < SCHEMA_VERSION:
                kept = _taken_out(connection) if version == 1 else {}
                for statement in SCHEMA.split(";"):
                    connection.execute(statement)
                for table, rows in kept.items():
                    marks = ", ".join("?" * len(_COLUMNS_OF_VERSION_1[table].split(",")))
                    connection.executemany(f"INSERT INTO {table} VALUES ({marks})", rows)
                connection.execute(f"PRAGMA user_version={SCHEMA_VERSION}")

    def close(self) -> None:
        """Close the file; whoever opens it next finds everything that was answered."""
        with self._lock:
            self._connection.close()

    @contextmanager
    def _explaining(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.IntegrityError:
            raise
        except sqlite3.Error as error:
            raise _explained(error, self.place) from error

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """Do everything inside, or nothing. Takes the write lock at once, so that no later step can be refused it.

        Raises StorageError when the state cannot be written.
        """
        with self._lock, self._explaining():
            connection = self._connection
            if connection.in_transaction:
                yield connection
                return
            connection.execute("BEGIN IMMEDIATE")
            try:
                yield connection
                connection.execute("COMMIT")
            except BaseException:
                self._resources = None
                # SQLite has rolled back by itself after some errors, a full disk among them.
                if connection.in_transaction:
                    connection.execute("ROLLBACK")
                raise

    # The next three are most of what a request costs here, so they catch by themselves: a context manager made by a generator
    # takes as long as some statements.

    def _one(self, statement: str, *values: object) -> tuple[Any, ...] | None:
        with self._lock:
            try:
                row: tuple[Any, ...] | None = self._connection.execute(statement, values).fetchone()
                return row
            except sqlite3.Error as error:
                raise _explained(error, self.place) from error

    def _all(self, statement: str, *values: object) -> list[tuple[Any, ...]]:
        with self._lock:
            try:
                return self._connection.execute(statement, values).fetchall()
            except sqlite3.Error as error:
                raise _explained(error, self.place) from error

    def _change(self, statement: str, *values: object) -> int:
        with self._lock:
            try:
                return self._connection.execute(statement, values).rowcount
            except sqlite3.IntegrityError:
                raise
            except sqlite3.Error as error:
                raise _explained(error, self.place) from error

    # Settings

    def setting(self, name: str, make: Callable[[], bytes]) -> bytes:
        """Return a setting; the first process to ask makes it, the others find it."""
        row = self._one("SELECT value FROM settings WHERE name = ?", name)
        if row is None:
            with self.transaction():
                row = self._one("SELECT value FROM settings WHERE name = ?", name)
                if row is None:
                    value = make()
                    self._change("INSERT INTO settings VALUES (?, ?)", name, value)
                    return value
        found: bytes = row[0]
        return found

    # Resources

    _RESOURCES = """
        SELECT r.id, r.name, r.location, r.region, p.value, s.value, p.id, s.id FROM resources r
        JOIN access_keys p ON p.resource_id = r.id AND p.slot = 'primary'
        JOIN access_keys s ON s.resource_id = r.id AND s.slot = 'secondary'
    """

    def resources(self) -> Sequence[Resource]:
        """Return every resource, the oldest key first. Remembered until this process or another one changes the state."""
        with self._lock:
            # Counts what other connections have committed.
            version = self._one("PRAGMA data_version")
            if self._resources is None or version != self._resources_version:
                rows = self._all(self._RESOURCES + " ORDER BY p.id")
                self._resources = tuple(Resource(*row) for row in rows)
                self._resources_version = version
            return self._resources

    def resource(self, name: str) -> Resource | None:
        """Return the resource of that name."""
        row = self._one(self._RESOURCES + " WHERE r.name = ?", name)
        return Resource(*row) if row else None

    def add_resource(
        self, *, id: str, name: str, location: str, region: str, keys: tuple[str, str]
    ) -> None:
        """Add a resource with its two keys."""
        with self.transaction():
            self._resources = None
            self._change("INSERT INTO resources VALUES (?, ?, ?, ?)", id, name, location, region)
            for slot, value in zip(("primary", "secondary"), keys, strict=True):
                self._change(
                    "INSERT INTO access_keys (resource_id, slot, value) VALUES (?, ?, ?)",
                    id,
                    slot,
                    value,
                )

    def replace_key(self, resource_id: str, slot: str, value: str, *, ends_at: int) -> None:
        """Put a new key in a slot and end the tokens that were issued under the old one."""
        with self.transaction():
            self._resources = None
            self._change(
                "UPDATE tokens SET ends_at = ? WHERE ends_at IS NULL AND access_key_id = "
                "(SELECT id FROM access_keys WHERE resource_id = ? AND slot = ?)",
                ends_at,
                resource_id,
                slot,
            )
            self._change(
                "DELETE FROM access_keys WHERE resource_id = ? AND slot = ?", resource_id, slot
            )
            self._change(
                "INSERT INTO access_keys (resource_id, slot, value) VALUES (?, ?, ?)",
                resource_id,
                slot,
                value,
            )

    # Identities

    _IDENTITY = "SELECT raw_id, custom_id FROM identities "

    def identity(self, raw_id: str) -> StoredIdentity | None:
        """Return an identity that exists."""
        row = self._one(self._IDENTITY + "WHERE raw_id = ?", raw_id)
        return StoredIdentity(*row) if row else None

    def identity_by_custom_id(self, resource_id: str, custom_id: str) -> StoredIdentity | None:
        """Return the identity that a resource knows by a custom id."""
        row = self._one(
            self._IDENTITY + "WHERE resource_id = ? AND custom_id = ?", resource_id, custom_id
        )
        return StoredIdentity(*row) if row else None

    def add_identity(
        self, raw_id: str, resource_id: str, custom_id: str | None, created_at: int
    ) -> bool:
        """Add an identity; False when the id is taken."""
        return (
            self._change(
                "INSERT INTO identities VALUES (?, ?, ?, ?) ON CONFLICT (raw_id) DO NOTHING",
                raw_id,
                resource_id,
                custom_id,
                created_at,
            )
            == 1
        )

    def delete_identity(self, raw_id: str, *, ends_at: int) -> None:
        """Forget an identity and end its tokens."""
        with self.transaction():
            self.end_tokens(raw_id, ends_at=ends_at)
            self._change("DELETE FROM identities WHERE raw_id = ?", raw_id)

    def count_identities(self) -> int:
        """Return how many identities exist, over all resources."""
        row = self._one("SELECT count(*) FROM identities")
        assert row is not None
        return int(row[0])

    # Tokens

    def token(self, holder: str, digest: bytes) -> StoredToken | None:
        """Return what is known of an issued token."""
        row = self._one(
            "SELECT access_key_id, issued_at, ends_at FROM tokens WHERE holder = ? AND digest = ?",
            holder,
            digest,
        )
        return StoredToken(*row) if row else None

    def add_token_of_identity(
        self, raw_id: str, digest: bytes, access_key_id: int | None, issued_at: int
    ) -> bool:
        """Remember a token; False when the identity does not exist or the token was issued before."""
        return (
            self._change(
                "INSERT INTO tokens SELECT raw_id, ?, ?, ?, NULL FROM identities WHERE raw_id = ? "
                "ON CONFLICT (holder, digest) DO NOTHING",
                digest,
                access_key_id,
                issued_at,
                raw_id,
            )
            == 1
        )

    def add_token(
        self, holder: str, digest: bytes, access_key_id: int | None, issued_at: int
    ) -> None:
        """Remember the token of somebody who is no identity here, anew if it was issued before."""
        self._change(
            "INSERT OR REPLACE INTO tokens VALUES (?, ?, ?, ?, NULL)",
            holder,
            digest,
            access_key_id,
            issued_at,
        )

    def last_token_issued_at(self, holder: str) -> int | None:
        """Return when a holder got the latest token."""
        row = self._one("SELECT max(issued_at) FROM tokens WHERE holder = ?", holder)
        assert row is not None
        return None if row[0] is None else int(row[0])

    def end_tokens(self, holder: str, *, ends_at: int, issued_before: int | None = None) -> None:
        """End the tokens that a holder has now."""
        self._change(
            "UPDATE tokens SET ends_at = ? WHERE holder = ? AND ends_at IS NULL AND issued_at < ?",
            ends_at,
            holder,
            2**63 - 1 if issued_before is None else issued_before,
        )

    # Everything at once

    def clear(self, *, resources: bool = False) -> None:
        """Delete identities and tokens; with `resources` those and their keys too."""
        with self.transaction():
            self._resources = None
            tables = STATE_TABLES if resources else ("identities", "tokens")
            for table in reversed(tables):
                self._change(f"DELETE FROM {table}")

    def dump(self) -> dict[str, list[tuple[Any, ...]]]:
        """Return the rows of every table, as of one moment."""
        with self.transaction():
            return {table: self._all(f"SELECT * FROM {table}") for table in STATE_TABLES}

    def load(self, tables: dict[str, list[tuple[Any, ...]]]) -> None:
        """Replace the rows of every table by those of a dump."""
        with self.transaction() as connection:
            self.clear(resources=True)
            for table in STATE_TABLES:
                rows = tables[table]
                if rows:
                    marks = ", ".join("?" * len(rows[0]))
                    connection.executemany(f"INSERT INTO {table} VALUES ({marks})", rows)
