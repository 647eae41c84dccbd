"""The record of what really went over the wire: exchanges, the identities they created and deleted, exercises solved.

One SQLite file holds it for every kernel on this machine. Nothing secret enters it: requests and answers are masked
before they are written. The ledger, the exercises and the wire panel are all views of this record.
"""

from __future__ import annotations

import json
import sqlite3
import threading
import uuid
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from helpers import processes
from helpers.errors import TutorialError
from helpers.language import gettext as _
from helpers.masking import masked
from helpers.sandbox.storage import connect

_SCHEMA = """
CREATE TABLE IF NOT EXISTS sessions (
    id TEXT PRIMARY KEY,
    service TEXT NOT NULL,
    lesson TEXT,
    started_at REAL NOT NULL,
    host TEXT NOT NULL,
    process INTEGER NOT NULL,
    process_started REAL NOT NULL
);
CREATE TABLE IF NOT EXISTS exchanges (
    number INTEGER PRIMARY KEY,
    session TEXT NOT NULL REFERENCES sessions (id),
    at REAL NOT NULL,
    method TEXT NOT NULL,
    path TEXT NOT NULL,
    api_version TEXT,
    request_id TEXT,
    request_headers TEXT NOT NULL,
    request_body TEXT NOT NULL,
    status INTEGER NOT NULL,
    response_headers TEXT NOT NULL,
    response_body TEXT NOT NULL,
    milliseconds REAL
);
CREATE INDEX IF NOT EXISTS exchanges_of_session ON exchanges (session, number);
CREATE TABLE IF NOT EXISTS identities (
    raw_id TEXT NOT NULL,
    service TEXT NOT NULL,
    session TEXT NOT NULL REFERENCES sessions (id),
    created_at REAL NOT NULL,
    deleted_at REAL,
    PRIMARY KEY (service, raw_id)
);
CREATE TABLE IF NOT EXISTS solved (
    lesson TEXT PRIMARY KEY,
    at REAL NOT NULL
);
"""

# Another kernel holds the file for microseconds; a stuck disk is worth a sentence, not an endless wait.
_BUSY_SECONDS = 20


@dataclass(frozen=True)
class Exchange:
    """One request and its answer, masked. A retry of the SDK is an exchange of its own with the same ``request_id``."""

    number: int
    at: datetime
    """When the answer arrived (UTC)."""
    method: str
    path: str
    """The path as it was sent, percent-encoding included, without the query."""
    api_version: str | None
    request_id: str | None
    request_headers: Mapping[str, str]
    request_body: str
    status: int
    response_headers: Mapping[str, str]
    response_body: str
    milliseconds: float | None

    @property
    def operation(self) -> str:
        """What was asked for, in the words of the SDK's methods; the bare method and path where it is none of them."""
        match self.method, _segments(self.path):
            case "POST", ["identities"]:
                return (
                    "create_user_and_token"
                    if self.sent.get("createTokenWithScopes")
                    else "create_user"
                )
            case "POST", ["identities", _identity, ":issueAccessToken"]:
                return "get_token"
            case "POST", ["identities", _identity, ":revokeAccessTokens"]:
                return "revoke_tokens"
            case "DELETE", ["identities", _identity]:
                return "delete_user"
            case "GET", ["chat", "threads"]:
                return "list_chat_threads"
        return f"{self.method} {self.path}"

    @property
    def raw_id(self) -> str | None:
        """The identity that the exchange was about: the one in the path, or the one that was created."""
        match _segments(self.path):
            case ["identities", in_path, *_rest]:
                return in_path
        created = self.answered.get("identity")
        return created.get("id") if isinstance(created, dict) else None

    @property
    def scopes(self) -> list[str]:
        """The scopes that were asked for."""
        return list(self.sent.get("scopes") or self.sent.get("createTokenWithScopes") or [])

    @property
    def minutes(self) -> int | None:
        """The lifetime that was asked for, in minutes; ``None`` leaves it to the service."""
        return self.sent.get("expiresInMinutes")

    @property
    def succeeded(self) -> bool:
        return self.status < 400

    @property
    def sent(self) -> dict[str, Any]:
        """The request's JSON object; empty where there was none."""
        return _object(self.request_body)

    @property
    def answered(self) -> dict[str, Any]:
        """The answer's JSON object; empty where there was none."""
        return _object(self.response_body)


@dataclass(frozen=True)
class Identity:
    """An identity that a session of this tutorial created."""

    raw_id: str
    service: str
    session: str
    lesson: str | None
    created_at: datetime
    deleted_at: datetime | None
    abandoned: bool
    """Whether the session that created it has ended: its kernel stopped, or was killed."""


class Journal:
    """The record of one session, in the file that all sessions share. Safe to use from any thread."""

    def __init__(self, folder: Path, *, service: str, lesson: str | None = None) -> None:
        """Open the record in *folder* and enter a new session of *lesson* into it.

        *service* names where the identities live: ``sandbox``, or the host name of a real resource.

        Raises:
            TutorialError: the file cannot be opened or written.
        """
        self.session = uuid.uuid4().hex
        self.service = service
        self.file = folder / "journal.sqlite3"
        self._lock = threading.Lock()
        try:
            self._database = connect(self.file, timeout=_BUSY_SECONDS)
            self._database.row_factory = sqlite3.Row
            self._database.execute("PRAGMA journal_mode = WAL")
            self._database.execute("PRAGMA synchronous = NORMAL")
            with self._transaction() as database:
                for statement in filter(str.strip, _SCHEMA.split(";")):
                    database.execute(statement)
                database.execute(
                    "INSERT INTO sessions VALUES (?, ?, ?, ?, ?, ?, ?)",
                    (self.session, service, lesson, _now(), *processes.this_one()),
                )
        except sqlite3.Error as error:
            raise TutorialError(
                _(
                    "The journal {file} cannot be opened ({reason}); "
                    "make room or name another folder with ACS_TUTORIAL_HOME."
                ).format(file=self.file, reason=error)
            ) from error

    def observe(self, response: Any) -> None:
        """Record one exchange. This is azure-core's documented ``raw_response_hook``: it gets a ``PipelineResponse``.

        A record that cannot be written is a warning, never an error: the call itself has succeeded.
        """
        request, answer = response.http_request, response.http_response
        target = urlsplit(request.url)
        sent = _text(request.body if hasattr(request, "body") else None)
        answered = _text(answer.body())
        elapsed = getattr(getattr(answer, "internal_response", None), "elapsed", None)
        row = (
            self.session,
            _now(),
            request.method,
            target.path,
            parse_qs(target.query).get("api-version", [None])[0],
            request.headers.get("x-ms-client-request-id"),
            json.dumps({name: masked(value) for name, value in request.headers.items()}),
            masked(sent),
            answer.status_code,
            json.dumps({name: masked(value) for name, value in answer.headers.items()}),
            masked(answered),
            elapsed.total_seconds() * 1000 if elapsed is not None else None,
        )
        try:
            with self._transaction() as database:
                database.execute(
                    "INSERT INTO exchanges (session, at, method, path, api_version, request_id, request_headers, "
                    "request_body, status, response_headers, response_body, milliseconds) "
                    "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                    row,
                )
                self._keep_ledger(
                    database, request.method, target.path, answer.status_code, answered
                )
        except sqlite3.Error as error:
            warnings.warn(
                _(
                    "This exchange could not be written to the journal ({reason}); "
                    "the ledger may miss an identity."
                ).format(reason=error),
                stacklevel=2,
            )

    def _keep_ledger(
        self, database: sqlite3.Connection, method: str, path: str, status: int, answered: str
    ) -> None:
        match method, _segments(path):
            case "POST", ["identities"] if status in (200, 201):
                raw_id = _object(answered).get("identity", {}).get("id")
                if raw_id:
                    database.execute(
                        "INSERT OR IGNORE INTO identities VALUES (?, ?, ?, ?, NULL)",
                        (raw_id, self.service, self.session, _now()),
                    )
            case "DELETE", ["identities", raw_id] if status in (204, 404):
                database.execute(
                    "UPDATE identities SET deleted_at = ? "
                    "WHERE service = ? AND raw_id = ? AND deleted_at IS NULL",
                    (_now(), self.service, raw_id),
                )

    def exchanges(self, *, since: int = 0) -> list[Exchange]:
        """Return this session's exchanges after number *since*, oldest first."""
        rows = self._read(
            "SELECT * FROM exchanges WHERE session = ? AND number > ? ORDER BY number",
            (self.session, since),
        )
        return [_exchange(row) for row in rows]

    def identities(self, *, service: str | None = None) -> list[Identity]:
        """Return the identities that sessions of this tutorial created on *service* (default: this one), oldest first."""
        rows = self._read(
            "SELECT identities.*, sessions.lesson, sessions.host, sessions.process, sessions.process_started "
            "FROM identities JOIN sessions ON sessions.id = identities.session "
            "WHERE identities.service = ? ORDER BY identities.created_at, identities.rowid",
            (service or self.service,),
        )
        return [
            Identity(
                raw_id=row["raw_id"],
                service=row["service"],
                session=row["session"],
                lesson=row["lesson"],
                created_at=_utc(row["created_at"]),
                deleted_at=_utc(row["deleted_at"]) if row["deleted_at"] is not None else None,
                abandoned=row["session"] != self.session and not _is_running(row),
            )
            for row in rows
        ]

    def solve(self, lesson: str) -> None:
        """Record that the exercise of *lesson* is solved; the first time counts."""
        with self._transaction() as database:
            database.execute("INSERT OR IGNORE INTO solved VALUES (?, ?)", (lesson, _now()))

    def solved(self) -> dict[str, datetime]:
        """Return the lessons whose exercise is solved, each with the time (UTC) when it was."""
        rows = self._read("SELECT lesson, at FROM solved ORDER BY lesson", ())
        return {row["lesson"]: _utc(row["at"]) for row in rows}

    def forget_solved(self) -> None:
        """Forget every solved exercise. Exchanges and identities stay."""
        with self._transaction() as database:
            database.execute("DELETE FROM solved")

    def services(self) -> list[str]:
        """Return where identities are recorded to have been created, by name."""
        return [
            row[0] for row in self._read("SELECT DISTINCT service FROM identities ORDER BY 1", ())
        ]

    def forget_sandbox(self) -> None:
        """Begin again: forget what was sent to the sandbox, which identities it had, and every solved exercise.

        What is recorded of a real resource stays, so that its identities can still be deleted.
        """
        with self._transaction() as database:
            database.execute("DELETE FROM solved")
            database.execute("DELETE FROM identities WHERE service = 'sandbox'")
            database.execute(
                "DELETE FROM exchanges WHERE session IN (SELECT id FROM sessions WHERE service = 'sandbox')"
            )
            # A session that still runs goes on recording.
            for row in database.execute(
                "SELECT * FROM sessions WHERE service = 'sandbox'"
            ).fetchall():
                if row["id"] != self.session and not _is_running(row):
                    database.execute("DELETE FROM sessions WHERE id = ?", (row["id"],))

    def close(self) -> None:
        """Close the file. The record stays."""
        with self._lock:
            self._database.close()

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        # IMMEDIATE takes the write lock at once, so that two kernels wait for each other instead of failing midway.
        with self._lock:
            self._database.execute("BEGIN IMMEDIATE")
            try:
                yield self._database
            except BaseException:
                self._database.execute("ROLLBACK")
                raise
            self._database.execute("COMMIT")

    def _read(self, query: str, parameters: tuple[object, ...]) -> list[sqlite3.Row]:
        with self._lock:
            return self._database.execute(query, parameters).fetchall()


def _exchange(row: sqlite3.Row) -> Exchange:
    return Exchange(
        number=row["number"],
        at=_utc(row["at"]),
        method=row["method"],
        path=row["path"],
        api_version=row["api_version"],
        request_id=row["request_id"],
        request_headers=json.loads(row["request_headers"]),
        request_body=row["request_body"],
        status=row["status"],
        response_headers=json.loads(row["response_headers"]),
        response_body=row["response_body"],
        milliseconds=row["milliseconds"],
    )


def _is_running(row: sqlite3.Row) -> bool:
    return processes.is_running(row["host"], row["process"], row["process_started"])


def _segments(path: str) -> list[str]:
    return [unquote(segment) for segment in path.strip("/").split("/")]


def _object(text: str) -> dict[str, Any]:
    try:
        value = json.loads(text)
    except ValueError:
        return {}
    return value if isinstance(value, dict) else {}


def _text(body: Any) -> str:
    if isinstance(body, bytes):
        return body.decode("utf-8", "replace")
    return body if isinstance(body, str) else ""


def _now() -> float:
    return datetime.now(timezone.utc).timestamp()


def _utc(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, timezone.utc)
