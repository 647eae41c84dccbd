"""Shows a built site on this machine, the way any static host would."""

from __future__ import annotations

import sys
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from helpers.cli.arguments import port_taken

_ANY = 0
_PREFERRED = 8000


class _Files(SimpleHTTPRequestHandler):
    protocol_version = "HTTP/1.1"  # many small files: keep the connection
    # Not from the computer's own registry, which on Windows may call JavaScript plain text.
    extensions_map: dict[str, str] = {  # noqa: RUF012
        **SimpleHTTPRequestHandler.extensions_map,
        ".css": "text/css",
        ".html": "text/html",
        ".ipynb": "application/json",
        ".js": "text/javascript",
        ".json": "application/json",
        ".mjs": "text/javascript",
        ".py": "text/x-python",
        ".svg": "image/svg+xml",
        ".wasm": "application/wasm",
        ".webmanifest": "application/manifest+json",
        ".whl": "application/zip",
    }

    def end_headers(self) -> None:
        # The next build has the same names.
        self.send_header("Cache-Control", "no-cache")
        super().end_headers()

    def log_message(self, format: str, *arguments: Any) -> None:
        """Say nothing: whoever looks at a page has the browser's own view of its requests."""


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    # Windows would let two programs share the port.
    allow_reuse_address = sys.platform != "win32"

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing: a browser that leaves in the middle of an answer is no error."""


def server(folder: Path, *, port: int | None) -> ThreadingHTTPServer:
    """Return a server of *folder* on this machine's loopback address, not yet serving.

    Args:
        port: ``None`` for 8000, or any free one where that is taken.

    Raises:
        TutorialError: *port* was asked for and is taken.
    """
    handler = partial(_Files, directory=str(folder))
    try:
        return _Server(("127.0.0.1", _PREFERRED if port is None else port), handler)
    except OSError as error:
        if port is not None:
            raise port_taken(port) from error
        return _Server(("127.0.0.1", _ANY), handler)
