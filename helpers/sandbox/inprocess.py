"""The sandbox where there are no sockets, threads or certificates: in a browser.

The SDK sends with `requests`, whose adapters carry a prepared request to a host and bring back its answer. Those for the
sandbox's address are carried to its ASGI application instead. Everything above the adapter stays as it is over a network:
requests are signed and the signatures checked, answers have their headers, broken connections raise the same errors.
"""

from __future__ import annotations

import itertools
import time
from collections.abc import Awaitable, Callable, Generator
from http import HTTPStatus
from http.client import RemoteDisconnected
from io import BytesIO
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import requests
from requests.adapters import HTTPAdapter
from requests.structures import CaseInsensitiveDict
from starlette.types import Message, Scope
from urllib3 import HTTPHeaderDict, HTTPResponse
from urllib3.exceptions import ProtocolError, ReadTimeoutError

from helpers.sandbox.app import create_app
from helpers.sandbox.directory import Directory
from helpers.sandbox.errors import SandboxError
from helpers.sandbox.requestlog import RequestLog, RequestRecord

_NAMES = ("localhost", "127.0.0.1", "::1")
# Nobody listens there; the numbers only tell one sandbox of this process from another.
_ports = itertools.count(8443)

_over_the_network = HTTPAdapter.send


class InProcessServer:
    """Answers requests to `https://localhost:PORT/` that this process sends with `requests`; `close` ends it."""

    name = "localhost"
    certificate_authority = b""
    """Empty: there is no connection that could be trusted or not."""

    def __init__(
        self,
        directory: Directory,
        *,
        port: int,
        identity_header: str,
        log: Path | None,
        on_request: Callable[[RequestRecord], None] | None,
    ) -> None:
        if port in _running:
            raise SandboxError(
                f"Port {port} is already in use; choose another one, or 0 for any that is free."
            )
        self._log = None if log is None else RequestLog(log)
        self._app = create_app(
            directory,
            identity_header=identity_header,
            log=self._log,
            on_request=on_request,
            sleep=_sleep,
        )
        self.port = port or next(free for free in _ports if free not in _running)
        _running[self.port] = self
        HTTPAdapter.send = _send  # type: ignore[assignment,method-assign]

    def close(self) -> None:
        """Answer no more: requests to its address go to the network again, as all others do."""
        _running.pop(self.port, None)
        if not _running:
            HTTPAdapter.send = _over_the_network  # type: ignore[method-assign]
        if self._log is not None:
            self._log.close()

    def answer(self, request: requests.PreparedRequest) -> HTTPResponse:
        """Return the application's answer to a request. Raises ConnectionAbortedError when it is to break the connection."""
        asked: list[Message] = [
            {"type": "http.request", "body": _body(request), "more_body": False},
            {"type": "http.disconnect"},
        ]
        answered: list[Message] = []

        async def receive() -> Message:
            return asked.pop(0)

        async def send(message: Message) -> None:
            answered.append(message)

        _run(self._app(_scope(request), receive, send))
        start, *parts = answered
        return HTTPResponse(
            BytesIO(b"".join(part["body"] for part in parts)),
            HTTPHeaderDict(
                (name.decode("latin-1"), value.decode("latin-1"))
                for name, value in start["headers"]
            ),
            start["status"],
            version=11,
            reason=HTTPStatus(start["status"]).phrase,
            preload_content=False,
            request_method=request.method,
            request_url=request.url,
        )


_running: dict[int, InProcessServer] = {}


def _send(
    adapter: HTTPAdapter,
    request: requests.PreparedRequest,
    stream: bool = False,
    timeout: float | tuple[float | None, float | None] | None = None,
    verify: bool | str = True,
    cert: str | tuple[str, str] | None = None,
    proxies: dict[str, str] | None = None,
) -> requests.Response:
    """Stand in for `HTTPAdapter.send`."""
    server = _server_of(request)
    if server is None:
        return _over_the_network(adapter, request, stream, timeout, verify, cert, proxies)
    patience = timeout[1] if isinstance(timeout, tuple) else timeout
    started = time.monotonic()
    try:
        answer = server.answer(request)
    except ConnectionAbortedError:
        # What urllib3 and requests make of it on a network.
        broken = RemoteDisconnected("Remote end closed connection without response")
        raise requests.ConnectionError(
            ProtocolError("Connection aborted.", broken), request=request
        ) from broken
    if patience is not None and time.monotonic() - started > patience:
        late = ReadTimeoutError(
            adapter.poolmanager.connection_from_url(request.url or ""),
            request.path_url,
            f"Read timed out. (read timeout={patience})",
        )
        raise requests.ReadTimeout(late, request=request)
    return adapter.build_response(request, answer)


def _server_of(request: requests.PreparedRequest) -> InProcessServer | None:
    url = urlsplit(request.url or "")
    name = url.hostname or ""
    if url.scheme != "https" or not (name in _NAMES or name.endswith(".localhost")):
        return None
    return _running.get(url.port or 443)


def _scope(request: requests.PreparedRequest) -> Scope:
    # The target as it was signed: it must not be decoded on the way.
    path, _, query = request.path_url.partition("?")
    headers: CaseInsensitiveDict[str | bytes] = CaseInsensitiveDict(request.headers)
    headers.setdefault("Host", urlsplit(request.url or "").netloc)
    return {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": request.method,
        "scheme": "https",
        "path": unquote(path),
        "raw_path": path.encode("ascii"),
        "query_string": query.encode("ascii"),
        "headers": [
            (name.lower().encode("latin-1"), _bytes(value)) for name, value in headers.items()
        ],
        "client": ("127.0.0.1", 0),
    }


def _bytes(value: str | bytes) -> bytes:
    return value if isinstance(value, bytes) else value.encode("latin-1")


def _body(request: requests.PreparedRequest) -> bytes:
    body: Any = request.body
    if body is None or isinstance(body, bytes):
        return body or b""
    return body.encode("utf-8") if isinstance(body, str) else b"".join(body)


async def _sleep(seconds: float) -> None:
    time.sleep(seconds)


def _run(application: Awaitable[None]) -> None:
    """Run an application to its end without an event loop: it has nothing to wait for."""
    steps: Generator[Any, None, None] = application.__await__()
    for _ in steps:
        steps.close()
        raise RuntimeError("The sandbox waits for something that nobody in this process can bring.")
