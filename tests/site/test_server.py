from __future__ import annotations

import http.client
import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from helpers.errors import TutorialError
from helpers.site.server import server


@pytest.fixture
def connection(tmp_path: Path) -> Iterator[http.client.HTTPConnection]:
    for name in ("index.html", "a.mjs", "b.wasm", "c.json", "d.whl"):
        (tmp_path / name).write_bytes(b"content")
    with server(tmp_path, port=0) as running:
        thread = threading.Thread(target=running.serve_forever, daemon=True)
        thread.start()
        connection = http.client.HTTPConnection("127.0.0.1", running.server_address[1], timeout=5)
        yield connection
        connection.close()
        running.shutdown()
        thread.join()


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("/", "text/html"),
        ("/a.mjs", "text/javascript"),
        ("/b.wasm", "application/wasm"),
        ("/c.json", "application/json"),
    ],
)
def test_files_have_the_types_that_browsers_insist_on(
    path: str, kind: str, connection: http.client.HTTPConnection
) -> None:
    connection.request("GET", path)
    answer = connection.getresponse()

    assert (answer.status, answer.getheader("Content-Type")) == (200, kind)
    assert answer.read() == b"content"


def test_a_rebuilt_site_is_seen_at_once(connection: http.client.HTTPConnection) -> None:
    connection.request("GET", "/")
    answer = connection.getresponse()
    answer.read()

    assert answer.getheader("Cache-Control") == "no-cache"


def test_it_listens_on_this_machine_only(tmp_path: Path) -> None:
    with server(tmp_path, port=0) as listening:
        assert listening.server_address[0] == "127.0.0.1"


def test_a_port_that_is_taken_gets_one_sentence(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]

        with pytest.raises(TutorialError, match=f"port {port} is in use"):
            server(tmp_path, port=port)
