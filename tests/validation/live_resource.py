"""Plays a real resource: another process, host name and certificate, reached through a proxy as in a company's network.

``python live_resource.py FOLDER [--trouble N] [--limit N]`` prints one line of JSON with what a client needs, and runs until its
standard input closes. Its troubles are its own: the first N are answers 429 and 503 and broken connections, one every seven
requests. Whoever uses it has no part in them.
"""

from __future__ import annotations

import argparse
import itertools
import json
import socket
import sqlite3
import sys
import threading
import time
from contextlib import suppress
from pathlib import Path

from helpers.sandbox import Sandbox

HOST = "acs-live.localhost"
EVERY = 7


def proxy(port: int) -> int:
    """Listen as an HTTP proxy that knows where the resource lives; return the port."""
    listening = socket.create_server(("127.0.0.1", 0))

    def pump(source: socket.socket, target: socket.socket) -> None:
        try:
            while data := source.recv(65536):
                target.sendall(data)
        except OSError:
            pass
        finally:
            for end in (source, target):
                with suppress(OSError):
                    end.shutdown(socket.SHUT_RDWR)

    def serve(client: socket.socket) -> None:
        head = b""
        while b"\r\n\r\n" not in head:
            data = client.recv(4096)
            if not data:
                return
            head += data
        resource = socket.create_connection(("127.0.0.1", port))
        client.sendall(b"HTTP/1.1 200 Connected\r\n\r\n")
        threading.Thread(target=pump, args=(client, resource), daemon=True).start()
        pump(resource, client)

    def accept() -> None:
        while True:
            threading.Thread(target=serve, args=(listening.accept()[0],), daemon=True).start()

    threading.Thread(target=accept, daemon=True).start()
    return int(listening.getsockname()[1])


def make_trouble(sandbox: Sandbox, log: Path, times: int) -> None:
    troubles = itertools.cycle(
        [
            lambda: sandbox.fail_next(429, retry_after=1),
            lambda: sandbox.fail_next(503),
            lambda: sandbox.fail_next(drop="before"),
        ]
    )
    due = EVERY
    while times:
        if log.exists() and len(log.read_text().splitlines()) >= due:
            next(troubles)()
            due += EVERY
            times -= 1
        time.sleep(0.005)


def living(folder: Path) -> list[str]:
    """Return the identities that exist on the resource."""
    database = sqlite3.connect(folder / "sandbox.sqlite3")
    try:
        return [str(row) for row in database.execute("SELECT * FROM identities")]
    finally:
        database.close()


def main() -> None:
    options = argparse.ArgumentParser()
    options.add_argument("folder", type=Path)
    options.add_argument("--trouble", type=int, default=0)
    chosen = options.parse_args()
    log = chosen.folder / "requests.log"
    with Sandbox(chosen.folder, log=log) as sandbox:
        resource = sandbox.add_resource("acs-live")
        authority = chosen.folder / "authority.pem"
        authority.write_bytes(sandbox.certificate_authority)
        port = int(sandbox.endpoint.rstrip("/").rpartition(":")[2])
        facts = {
            "COMMUNICATION_SERVICES_CONNECTION_STRING": f"endpoint=https://{HOST}/;accesskey={resource.primary_key}",
            "REQUESTS_CA_BUNDLE": str(authority),
            "HTTPS_PROXY": f"http://127.0.0.1:{proxy(port)}",
            "IDENTITY_ENDPOINT": sandbox.identity_endpoint,
            "IDENTITY_HEADER": sandbox.identity_header,
        }
        print(json.dumps(facts), flush=True)
        threading.Thread(
            target=make_trouble, args=(sandbox, log, chosen.trouble), daemon=True
        ).start()
        sys.stdin.read()


if __name__ == "__main__":
    main()
