"""Loopback HTTPS in a background thread: certificate, port, bounds, start and stop."""

from __future__ import annotations

import asyncio
import errno
import ipaddress
import os
import socket
import ssl
import threading
from collections.abc import Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, cast

import h11
import trustme
import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol
from uvicorn.server import ServerState

from helpers.sandbox.app import create_app
from helpers.sandbox.directory import Directory
from helpers.sandbox.errors import SandboxError
from helpers.sandbox.requestlog import RequestLog, RequestRecord

MAXIMUM_HEAD_BYTES = 32 * 1024
TLS_HANDSHAKE_TIMEOUT_SECONDS = 10.0
HEAD_TIMEOUT_SECONDS = 10.0
# Long: a client that sends on a connection while it is being closed sees an error that the SDK does not retry.
IDLE_TIMEOUT_SECONDS = 60
START_TIMEOUT_SECONDS = 10.0
STOP_TIMEOUT_SECONDS = 5.0


class Server:
    """A running server; `close` ends it."""

    def __init__(
        self,
        directory: Directory,
        *,
        host: str,
        port: int,
        maximum_connections: int,
        identity_header: str,
        certificate_authority_file: Path | None,
        log: Path | None,
        on_request: Callable[[RequestRecord], None] | None,
    ) -> None:
        self._log = None if log is None else RequestLog(log)
        try:
            authority = _certificate_authority(certificate_authority_file)
            sockets = _listening(host, port)
        except BaseException:
            self._close_log()
            raise
        self.port: int = sockets[0].getsockname()[1]
        served_hosts = _served_hosts(host)
        self.name = served_hosts[0]
        certificates = _Certificates(authority, directory, served_hosts)
        self.certificate_authority: bytes = authority.cert_pem.bytes()
        # Signing lets other threads run, so that it need not hold up the event loop.
        self._executor = ThreadPoolExecutor(os.cpu_count() or 1, thread_name_prefix="sandbox-sign")
        config = uvicorn.Config(
            create_app(
                directory,
                identity_header=identity_header,
                served_hosts=served_hosts,
                log=self._log,
                on_request=on_request,
                executor=self._executor,
            ),
            http=_BoundedProtocol,
            ws="none",
            loop="asyncio",
            lifespan="off",
            access_log=False,
            log_config=None,
            log_level="critical",
            server_header=False,
            date_header=False,
            proxy_headers=False,
            timeout_keep_alive=IDLE_TIMEOUT_SECONDS,
            timeout_graceful_shutdown=1,
            h11_max_incomplete_event_size=MAXIMUM_HEAD_BYTES,
        )
        self._server = _HttpsServer(config, certificates.context, maximum_connections)
        self._thread = threading.Thread(
            target=self._run, args=(sockets,), name="acs-sandbox", daemon=True
        )
        self._failure: BaseException | None = None
        self._thread.start()
        if not self._server.ready.wait(START_TIMEOUT_SECONDS) or self._failure is not None:
            self.close()
            raise SandboxError(
                f"The sandbox could not start listening on port {self.port}; try again."
            ) from self._failure

    def _run(self, sockets: list[socket.socket]) -> None:
        try:
            asyncio.run(self._server.serve(sockets=sockets))
        except BaseException as error:
            self._failure = error
        finally:
            self._server.ready.set()
            for listening in sockets:
                listening.close()

    def close(self) -> None:
        """Stop listening, finish what is being answered, end the thread."""
        self._server.should_exit = True
        self._thread.join(STOP_TIMEOUT_SECONDS)
        self._executor.shutdown(wait=False)
        self._close_log()

    def _close_log(self) -> None:
        if self._log is not None:
            self._log.close()


def _served_hosts(host: str) -> list[str]:
    """Return the names and addresses that the certificate holds, the one for the endpoint first."""
    loopback = ["localhost", "127.0.0.1", "::1"]
    if _is_loopback(host):
        return loopback
    names = [socket.gethostname()] if host in ("0.0.0.0", "::") else [host]
    return [*names, *loopback, *([host] if host in ("0.0.0.0", "::") else [])]


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _listening(host: str, port: int) -> list[socket.socket]:
    """Bind before anything else starts, so that a taken port is one clear sentence and port 0 is known at once."""
    if _is_loopback(host):
        first = _bound("127.0.0.1", port)
        try:
            # Where `localhost` means ::1 first, a client would otherwise try that in vain; Windows takes two seconds for it.
            return [first, _bound("::1", first.getsockname()[1])]
        except (SandboxError, OSError):
            return [first]
    return [_bound(host, port)]


def _bound(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        # Named, so that asyncio sees TCP and turns Nagle's algorithm off: with it an answer takes 40 ms.
        bound = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    except OSError as error:
        raise SandboxError(f"The sandbox cannot listen on {host}: {error.strerror}.") from error
    try:
        if os.name == "posix":
            # A port that was just given up can be taken again; on Windows the option would let others take a port in use.
            bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6:
            bound.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        bound.bind((host, port))
    except (OSError, OverflowError) as error:
        bound.close()
        if isinstance(error, OSError) and error.errno == errno.EADDRINUSE:
            raise SandboxError(
                f"Port {port} on {host} is already in use; choose another one, or 0 for any that "
                "is free."
            ) from error
        raise SandboxError(
            f"The sandbox cannot listen on port {port} of {host}: {error}."
        ) from error
    return bound


def _certificate_authority(file: Path | None) -> trustme.CA:
    """Return the authority that a file keeps, made when the file is missing; without a file a new one, kept nowhere."""
    if file is None:
        return trustme.CA(organization_name="acs-tutorial sandbox")
    try:
        kept = file.read_bytes()
        return trustme.CA.from_pem(kept, kept)
    except FileNotFoundError:
        authority = trustme.CA(organization_name="acs-tutorial sandbox")
    except ValueError as error:
        raise SandboxError(
            f"The certificate authority in {file} cannot be read; move the file away and a new one will be made, which "
            "clients have to trust anew."
        ) from error
    except OSError as error:
        raise SandboxError(
            f"The certificate authority in {file} cannot be read: {error.strerror or error}."
        ) from error
    try:
        file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        # Private: whoever has the key can pretend to be any host to those who trust it.
        with open(os.open(file, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "wb") as opened:
            opened.write(authority.private_key_pem.bytes() + authority.cert_pem.bytes())
    except OSError as error:
        raise SandboxError(
            f"The certificate authority cannot be kept in {file}: {error.strerror or error}; choose another file."
        ) from error
    return authority


class _Certificates:
    """What the certificate authority issued: one certificate for the sandbox, and one for each resource's own host."""

    def __init__(
        self, authority: trustme.CA, directory: Directory, served_hosts: list[str]
    ) -> None:
        self._authority = authority
        self.context = self._for(*served_hosts)
        self.context.sni_callback = self._choose
        self._directory = directory
        self._of_resources: dict[str, ssl.SSLContext] = {}

    def _for(self, *hosts: str) -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        context.set_alpn_protocols(["http/1.1"])
        self._authority.issue_cert(*hosts).configure_cert(context)
        return context

    def _choose(
        self, connection: ssl.SSLObject, host: str | None, context: ssl.SSLContext
    ) -> int | None:
        # Clients do not accept a certificate for *.localhost, so each resource's own host gets one when it is asked for.
        name = (host or "").removesuffix(".localhost")
        if name != host and any(name == known.name for known in self._directory.store.resources()):
            if name not in self._of_resources:
                self._of_resources[name] = self._for(f"{name}.localhost")
            connection.context = self._of_resources[name]
        return None


class _HttpsServer(uvicorn.Server):
    """uvicorn behind a door of its own: a certificate made in memory, and a bound on connections and handshakes.

    uvicorn counts a connection once its TLS handshake is done. Each costs a quarter of a megabyte before that already, so
    that thousands which never say a word would cost gigabytes.
    """

    def __init__(
        self, config: uvicorn.Config, context: ssl.SSLContext, maximum_connections: int
    ) -> None:
        super().__init__(config)
        self._maximum_connections = maximum_connections
        self.ready = threading.Event()
        self._context = context
        self._open = 0
        self._work: set[asyncio.Task[None]] = set()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await self.lifespan.startup()
        loop = asyncio.get_running_loop()
        # Broken handshakes are the clients' own; they do not belong in a notebook's output.
        loop.set_exception_handler(lambda loop, context: None)
        self.servers = []
        for listening in sockets or []:
            listening.listen(1024)
            listening.setblocking(False)
            self._start(self._accept(listening))
        self.started = True
        self.ready.set()

    def _start(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._work.add(task)
        task.add_done_callback(self._work.discard)

    async def _accept(self, listening: socket.socket) -> None:
        loop = asyncio.get_running_loop()
        while True:
            try:
                connection, _ = await loop.sock_accept(listening)
            except OSError:
                # Out of file descriptors, or a client that was gone at once.
                await asyncio.sleep(0.05)
                continue
            if self._open >= self._maximum_connections:
                connection.close()
                continue
            self._open += 1
            self._start(self._admit(connection))

    async def _admit(self, connection: socket.socket) -> None:
        loop = asyncio.get_running_loop()
        try:
            await loop.connect_accepted_socket(
                lambda: _BoundedProtocol(self.config, self.server_state, loop, self._closed),
                connection,
                ssl=self._context,
                ssl_handshake_timeout=TLS_HANDSHAKE_TIMEOUT_SECONDS,
            )
        except OSError:
            # The handshake failed: ssl's errors are these too.
            self._closed()

    def _closed(self) -> None:
        self._open -= 1

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        for task in self._work:
            task.cancel()
        # An idle client does not answer a TLS goodbye; waiting for it would take a second.
        for connection in list(self.server_state.connections):
            if isinstance(connection, _BoundedProtocol):
                connection.abort_if_idle()
        await super().shutdown(sockets)


class _GatheringTransport:
    """Writes what belongs to one answer at once: head, body and end are otherwise a TLS record and a packet each."""

    def __init__(self, transport: asyncio.Transport, loop: asyncio.AbstractEventLoop) -> None:
        self._transport = transport
        self._loop = loop
        self._parts: list[bytes] = []

    def write(self, data: bytes) -> None:
        if not self._parts:
            # At the end of an answer it is flushed at once; what else there is to say waits a moment at most.
            self._loop.call_soon(self.flush)
        self._parts.append(data)

    def flush(self) -> None:
        if self._parts:
            data = b"".join(self._parts)
            self._parts.clear()
            if not self._transport.is_closing():
                self._transport.write(data)

    def close(self) -> None:
        self.flush()
        self._transport.close()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._transport, name)


class _BoundedProtocol(H11Protocol):
    """Bounds what slow or many clients cost, and lets the application break a connection."""

    def __init__(
        self,
        config: uvicorn.Config,
        server_state: ServerState,
        loop: asyncio.AbstractEventLoop,
        closed: Callable[[], None],
    ) -> None:
        super().__init__(config, server_state, {}, loop)
        self._closed = closed
        self._head_deadline: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        self._gathering = _GatheringTransport(transport, self.loop)
        super().connection_made(cast(asyncio.Transport, self._gathering))
        self.app_state = {"abort_connection": transport.abort}
        self._watch_head()

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        self._watch_head()

    def on_response_complete(self) -> None:
        self._gathering.flush()
        super().on_response_complete()

    def connection_lost(self, exc: Exception | None) -> None:
        self._closed()
        self._forget_head()
        super().connection_lost(exc)
        # uvicorn leaves a broken one open, at which Python 3.10 complains.
        self.transport.close()

    def abort_if_idle(self) -> None:
        """Break the connection unless an answer is on its way."""
        if self.cycle is None or self.cycle.response_complete:
            self.transport.abort()

    def _watch_head(self) -> None:
        # IDLE: the next request's head has not come in whole. Between requests uvicorn's own timer watches.
        if self.conn.their_state is not h11.IDLE:
            self._forget_head()
        elif self._head_deadline is None:
            self._head_deadline = self.loop.call_later(HEAD_TIMEOUT_SECONDS, self.transport.abort)

    def _forget_head(self) -> None:
        if self._head_deadline is not None:
            self._head_deadline.cancel()
            self._head_deadline = None
