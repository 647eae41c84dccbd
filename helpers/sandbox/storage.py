"""SQLite files: on a disk as ever, and in a browser, whose storage keeps whole files only."""

from __future__ import annotations

import os
import sqlite3
import sys
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any

_IN_MEMORY = ":memory:"
_FRESH_SECONDS = 0.05


def connect(path: str | Path, *, timeout: float) -> sqlite3.Connection:
    """Open a database for use from any thread, in autocommit mode; `timeout` is how many seconds it waits for a lock."""
    whole_file = sys.platform == "emscripten" and str(path) != _IN_MEMORY
    factory = WholeFileConnection if whole_file else sqlite3.Connection
    return factory(path, timeout=timeout, isolation_level=None, check_same_thread=False)


class WholeFileConnection(sqlite3.Connection):
    """A database in memory that is a file between transactions: read again when somebody wrote it, written when it changed.

    The drive of a notebook in the browser gives a file's content when it is opened and keeps it when it is closed; it knows
    no locks. So a transaction begins with what the latest one of any other notebook left. Two in the very same hundredth of a
    second could still miss one another; one person cannot run two cells that fast.
    """

    def __init__(self, path: str | Path, **options: Any) -> None:
        super().__init__(_IN_MEMORY, **options)
        self._path = path
        self._version: tuple[int, int] | None = None
        self._content = b""
        self._readings = 0
        self._fresh_until = 0.0
        self._read()

    def execute(self, statement: str, parameters: Iterable[Any] = (), /) -> sqlite3.Cursor:  # type: ignore[override]
        reads_only = statement.lstrip().startswith(("SELECT", "PRAGMA"))
        # Who only looks may be a moment behind: asking the drive takes milliseconds.
        if not self.in_transaction and not (reads_only and time.monotonic() < self._fresh_until):
            self._read()
        if statement == "PRAGMA data_version":
            # How often others changed the data: SQLite itself does not know.
            return super().execute("SELECT ?", (self._readings,))
        cursor = super().execute(statement, parameters)  # type: ignore[arg-type]
        if not self.in_transaction and not reads_only:
            self._write()
        return cursor

    def _read(self) -> None:
        try:
            version = self._version_of_file()
            self._fresh_until = time.monotonic() + _FRESH_SECONDS
            if version is None or version == self._version:
                return
            with open(self._path, "rb") as file:
                content = file.read()
        except OSError as error:
            raise sqlite3.OperationalError(f"unable to open {self._path}: {error}") from error
        if content:
            self.deserialize(content)
            self._readings += 1
        self._content = content
        self._version = version

    def _write(self) -> None:
        # One without a table is no content yet, and cannot be serialized.
        (pages,) = super().execute("PRAGMA page_count").fetchone()
        content = self.serialize() if pages else b""
        if content == self._content:
            return
        try:
            # Not emptied first: whoever reads or stops in between finds the old content or the new one. It never shrinks.
            with open(os.open(self._path, os.O_RDWR | os.O_CREAT, 0o600), "wb") as file:
                file.write(content)
            self._version = self._version_of_file()
        except OSError as error:
            raise sqlite3.OperationalError(f"unable to open {self._path}: {error}") from error
        self._content = content

    def _version_of_file(self) -> tuple[int, int] | None:
        try:
            found = os.stat(self._path)
        except FileNotFoundError:
            return None
        return found.st_mtime_ns, found.st_size
