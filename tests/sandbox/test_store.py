"""The memory: nothing answered is lost, many processes share it, trouble is one sentence."""

from __future__ import annotations

import contextlib
import http.client
import json
import multiprocessing
import os
import random
import sqlite3
import ssl
import stat
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from helpers.sandbox import Sandbox, SandboxError, StorageError
from helpers.sandbox.control import Control
from helpers.sandbox.directory import Directory
from helpers.sandbox.store import FILE_NAME, Store
from tests.sandbox.wire import Service, signed_headers


def test_the_state_is_private(tmp_path: Path) -> None:
    folder = tmp_path / "deep" / "state"
    Store(folder).close()

    if os.name == "posix":
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700
        assert stat.S_IMODE((folder / FILE_NAME).stat().st_mode) == 0o600


def test_a_commit_is_in_the_write_ahead_log_before_the_answer(tmp_path: Path) -> None:
    # What the survival of a kill rests on; that of many processes beside each other too.
    service = Service(Store(tmp_path))
    pragma = service.directory.store._connection.execute

    assert pragma("PRAGMA journal_mode").fetchone() == ("wal",)
    assert pragma("PRAGMA synchronous").fetchone() == (1,)
    raw_id = service.new_identity()
    assert raw_id.encode() in (tmp_path / (FILE_NAME + "-wal")).read_bytes()
    service.directory.store.close()


def test_the_state_outlives_the_process(tmp_path: Path) -> None:
    first = Service(Store(tmp_path))
    key = first.key
    raw_id = first.new_identity()
    token = first.token(raw_id)
    ended = first.token(first.new_identity())
    first.revoke("8:" + first.directory.signing_key.read(ended)["skypeid"])
    first.directory.store.close()
    second = Service(Store(tmp_path))

    assert second.key == key
    assert second.works(token)
    assert not second.works(ended)
    assert second.issue(raw_id, {"scopes": ["chat"]}).status == 200
    second.directory.store.close()


def test_the_store_holds_no_token(tmp_path: Path) -> None:
    service = Service(Store(tmp_path))
    token = service.token(service.new_identity())
    service.directory.store.close()
    content = b"".join(path.read_bytes() for path in tmp_path.iterdir())

    assert token.encode() not in content
    assert token.rpartition(".")[2].encode() not in content


def test_two_servers_share_one_state(tmp_path: Path) -> None:
    one, two = Service(Store(tmp_path)), Service(Store(tmp_path))
    raw_id = one.new_identity()
    token = two.token(raw_id)

    assert one.key == two.key
    assert one.works(token)
    one.revoke(raw_id)
    assert not two.works(token)
    two.delete(raw_id)
    assert one.issue(raw_id, {"scopes": ["chat"]}).status == 404
    rotated = one.directory.rotate_key("primary")
    assert two.create(key=rotated.primary_key).status == 201
    for service in (one, two):
        service.directory.store.close()


# Trouble


def test_a_state_of_the_first_version_goes_on(tmp_path: Path) -> None:
    first = Service(Store(tmp_path))
    key, raw_id = first.key, first.new_identity()
    token = first.token(raw_id)
    first.directory.store.close()
    # As it was: another column of the one table, another key and an index of the other.
    with contextlib.closing(sqlite3.connect(tmp_path / FILE_NAME)) as database, database:
        database.executescript("""
            ALTER TABLE identities ADD COLUMN last_token_issued_at INTEGER;
            CREATE TABLE earlier (digest BLOB PRIMARY KEY, holder TEXT NOT NULL, access_key_id INTEGER,
                issued_at INTEGER NOT NULL, ends_at INTEGER) WITHOUT ROWID;
            INSERT INTO earlier SELECT digest, holder, access_key_id, issued_at, ends_at FROM tokens;
            DROP TABLE tokens;
            ALTER TABLE earlier RENAME TO tokens;
            CREATE INDEX tokens_by_holder ON tokens (holder) WHERE ends_at IS NULL;
            PRAGMA user_version=1;
        """)

    second = Service(Store(tmp_path))

    assert second.key == key
    assert second.works(token)
    assert second.works(second.token(second.new_identity()))
    assert second.revoke(raw_id).status == 204
    assert not second.works(token)
    second.directory.store.close()


def test_a_key_that_another_process_rotated_is_believed_at_once(tmp_path: Path) -> None:
    mine, other = Service(Store(tmp_path)), Service(Store(tmp_path))
    old = mine.key
    assert mine.create(key=old).status == 201

    new = other.directory.rotate_key().primary_key

    assert [mine.create(key=key).status for key in (old, new)] == [401, 201]
    mine.directory.store.close()
    other.directory.store.close()


def test_a_resource_of_a_request_that_failed_is_forgotten(service: Service) -> None:
    with pytest.raises(ZeroDivisionError), service.directory.store.transaction():
        key = service.directory.add_resource("contoso").primary_key
        assert len(service.directory.store.resources()) == 2
        raise ZeroDivisionError

    assert service.create(key=key).status == 401


def test_a_folder_that_cannot_be_made_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")

    with pytest.raises(SandboxError) as raised:
        Sandbox(tmp_path / "file" / "state").start()
    assert "choose a folder that you may write to" in str(raised.value)
    assert "\n" not in str(raised.value)


@pytest.mark.skipif(
    os.name != "posix" or os.geteuid() == 0, reason="needs a user whom the file system can refuse"
)
def test_a_read_only_folder_is_one_sentence(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    try:
        with pytest.raises(SandboxError, match="choose a folder that you may write to"):
            Sandbox(tmp_path).start()
    finally:
        tmp_path.chmod(0o700)


@pytest.mark.parametrize("content", [b"not a database at all" * 100, b"SQLite format 3\x00" * 50])
def test_a_foreign_file_is_one_sentence(tmp_path: Path, content: bytes) -> None:
    (tmp_path / FILE_NAME).write_bytes(content)

    with pytest.raises(SandboxError, match="damaged or not the sandbox's"):
        Sandbox(tmp_path).start()
    assert (tmp_path / FILE_NAME).read_bytes() == content


def test_a_newer_state_is_one_sentence(tmp_path: Path) -> None:
    Store(tmp_path).close()
    connection = sqlite3.connect(tmp_path / FILE_NAME)
    connection.execute("PRAGMA user_version=99")
    connection.close()

    with pytest.raises(StorageError, match="written by a newer version"):
        Store(tmp_path)


TROUBLES: dict[str, tuple[str, str]] = {
    # The real errors of SQLite: no page more, and no writing.
    "full": ("PRAGMA max_page_count=1", "the disk is full"),
    "read-only": ("PRAGMA query_only=1", "it cannot be written"),
}


@pytest.mark.parametrize("trouble", TROUBLES)
def test_what_cannot_be_stored_is_refused_and_nothing_is_lost(tmp_path: Path, trouble: str) -> None:
    service = Service(Store(tmp_path))
    raw_id = service.new_identity()
    token = service.token(raw_id)
    pragma, sentence = TROUBLES[trouble]
    service.directory.store._connection.execute(pragma)
    refused = [service.create() for _ in range(40)][-1]

    assert refused.error[:2] == (503, "ServiceUnavailable")
    assert sentence in refused.error[2]
    assert "\n" not in refused.error[2]
    # Reading goes on, and so does everything once there is room again.
    assert service.works(token)
    service.directory.store._connection.execute("PRAGMA query_only=0")
    service.directory.store._connection.execute("PRAGMA max_page_count=1000000")
    assert service.create().status == 201
    assert service.issue(raw_id, {"scopes": ["chat"]}).status == 200
    service.directory.store.close()


def test_a_lock_held_by_another_program_ends_in_a_refusal(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("helpers.sandbox.store.BUSY_TIMEOUT_SECONDS", 0.2)
    service = Service(Store(tmp_path))
    other = sqlite3.connect(tmp_path / FILE_NAME, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    began = time.monotonic()
    refused = service.create()
    took = time.monotonic() - began
    other.execute("ROLLBACK")
    other.close()

    assert refused.error[:2] == (503, "ServiceUnavailable")
    assert "another program keeps it locked" in refused.error[2]
    assert took < 2
    assert service.create().status == 201
    service.directory.store.close()


def test_an_error_in_the_middle_undoes_the_whole_request(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(*values: Any) -> None:
        raise sqlite3.OperationalError("disk I/O error")

    monkeypatch.setattr(service.directory.store, "add_token_of_identity", fails)
    refused = service.create({"createTokenWithScopes": ["chat"]})
    monkeypatch.undo()

    assert refused.status == 503
    assert service.directory.store.count_identities() == 0


# Many processes


def _first_start(folder: Path, barrier: Any, found: Any) -> None:
    barrier.wait()
    directory = Directory(Store(folder), Control())
    resource = directory.resource()
    found.put((resource.id, resource.primary_key, directory.signing_key.key_id))
    directory.store.close()


def test_processes_that_start_together_find_one_resource(tmp_path: Path) -> None:
    context = multiprocessing.get_context("spawn")
    barrier, found = context.Barrier(4), context.Queue()
    starting = [
        context.Process(target=_first_start, args=(tmp_path, barrier, found)) for _ in range(4)
    ]
    for process in starting:
        process.start()
    seen = {found.get(timeout=60) for _ in starting}
    for process in starting:
        process.join(60)

    assert len(seen) == 1


SERVER = """
import sys, time
from pathlib import Path
from helpers.sandbox import Sandbox

print(Sandbox(Path(sys.argv[1])).start().connection_string, flush=True)
time.sleep(600)
"""


class Load(threading.Thread):
    """A client that creates, revokes and deletes until the server is gone, and notes what was answered."""

    def __init__(self, connection_string: str, number: int) -> None:
        super().__init__(daemon=True)
        endpoint, key = connection_string.split(";accesskey=")
        self.host = endpoint.removeprefix("endpoint=https://").rstrip("/")
        self.key = key
        self.choose = random.Random(number)
        self.tokens: dict[str, str] = {}
        self.begun: set[str] = set()
        self.ended: dict[str, str] = {}

    def run(self) -> None:
        context = ssl._create_unverified_context()
        connection = http.client.HTTPSConnection(self.host, context=context, timeout=10)
        alive: list[str] = []
        # Broken off in the middle: that request was not answered.
        with (
            contextlib.closing(connection),
            contextlib.suppress(OSError, http.client.HTTPException),
        ):
            while True:
                what = self.choose.random()
                if what < 0.6 or not alive:
                    body = b'{"createTokenWithScopes": ["chat"]}'
                    answer = self.ask(connection, "POST", "/identities", body)
                    raw_id = answer["identity"]["id"]
                    self.tokens[raw_id] = answer["accessToken"]["token"]
                    alive.append(raw_id)
                    continue
                raw_id = alive.pop(self.choose.randrange(len(alive)))
                self.begun.add(raw_id)
                if what < 0.8:
                    self.ask(connection, "POST", f"/identities/{raw_id}/:revokeAccessTokens")
                    self.ended[raw_id] = "revoked"
                else:
                    self.ask(connection, "DELETE", f"/identities/{raw_id}")
                    self.ended[raw_id] = "deleted"

    def ask(
        self, connection: http.client.HTTPSConnection, method: str, path: str, body: bytes = b""
    ) -> Any:
        target = f"{path}?api-version=2023-10-01"
        headers = dict(signed_headers(method, target, body, self.key, host=self.host))
        connection.request(method, target, body, headers)
        with connection.getresponse() as response:
            content = response.read()
        assert response.status in (201, 204), content
        return json.loads(content) if content else None


def _killed_under_load(folder: Path, round_number: int) -> None:
    """Kill two servers of one state at a random moment, then hold what they had answered against what is there."""
    servers = [
        subprocess.Popen(
            [sys.executable, "-c", SERVER, str(folder)], stdout=subprocess.PIPE, text=True
        )
        for _ in range(2)
    ]
    load: list[Load] = []
    try:
        for number, server in enumerate(servers):
            assert server.stdout is not None
            connection_string = server.stdout.readline().strip()
            load += [Load(connection_string, round_number * 10 + number * 2 + n) for n in range(2)]
        for client in load:
            client.start()
        time.sleep(random.Random(round_number).uniform(0.1, 0.6))
    finally:
        for server in servers:
            server.kill()
            server.communicate(timeout=30)
    for client in load:
        client.join(30)

    directory = Directory(Store(folder), Control())
    assert directory.store._one("PRAGMA integrity_check") == ("ok",)
    assert sum(len(client.tokens) for client in load) > 4
    for client in load:
        for raw_id, token in client.tokens.items():
            exists = directory.store.identity(raw_id) is not None
            works = _works(lambda token=token: directory.check_token(token))  # type: ignore[misc]
            if client.ended.get(raw_id) == "deleted":
                assert (exists, works) == (False, False)
            elif client.ended.get(raw_id) == "revoked":
                assert (exists, works) == (True, False)
            elif raw_id not in client.begun:
                assert (exists, works) == (True, True)
    directory.store.close()


def _works(check: Callable[[], object]) -> bool:
    try:
        check()
    except Exception:
        return False
    return True


def test_what_was_acknowledged_survives_a_kill(tmp_path: Path) -> None:
    for round_number in range(2):
        _killed_under_load(tmp_path, round_number)


@pytest.mark.campaign
def test_what_was_acknowledged_survives_twenty_kills(tmp_path: Path) -> None:
    for round_number in range(20):
        _killed_under_load(tmp_path, round_number)
