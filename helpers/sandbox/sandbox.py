"""The sandbox as a person holds it: start it, point a client at it, change it, stop it."""

from __future__ import annotations

import secrets
import sys
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING

from helpers.sandbox.auth import identity_header_of
from helpers.sandbox.control import Control, Controls
from helpers.sandbox.directory import DEFAULT_RESOURCE, Directory, KeySlot, is_guid
from helpers.sandbox.entra import TeamsUserToken
from helpers.sandbox.errors import SandboxError
from helpers.sandbox.requestlog import RequestRecord
from helpers.sandbox.store import Resource, Snapshot, Store

if TYPE_CHECKING:
    from helpers.sandbox.inprocess import InProcessServer
    from helpers.sandbox.server import Server


class Sandbox(Controls):
    """An Azure Communication Services Identity service on this machine.

    `state_folder` keeps identities, tokens and keys; any number of processes may use one folder at once. None keeps them in
    memory. `port` 0 takes any free one. `host` names another interface to listen on than the loopback; then everyone who
    reaches it and has a key can use it. Of `maximum_connections` at once, each costs a quarter of a megabyte; one more is
    closed. `certificate_authority_file` keeps the authority (certificate and private key, made
    when missing), so that clients which trust it still do after a restart. `log` is a file that gets a line per request, without
    secrets; `on_request` is told the same of each, on the thread that answers: it must return at once.

    The controls work before `start` too. Raises SandboxError for what the person who runs it can put right.
    """

    def __init__(
        self,
        state_folder: Path | None,
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        maximum_connections: int = 384,
        certificate_authority_file: Path | None = None,
        log: Path | None = None,
        on_request: Callable[[RequestRecord], None] | None = None,
    ) -> None:
        super().__init__(Control())
        self._state_folder = state_folder
        self._host = host
        self._port = port
        self._maximum_connections = maximum_connections
        self._certificate_authority_file = certificate_authority_file
        self._log = log
        self._on_request = on_request
        self._opened: Directory | None = None
        self._server: Server | InProcessServer | None = None
        self._identity_header = secrets.token_urlsafe(24)

    # Life

    def start(self) -> Sandbox:
        """Listen; returns when requests are answered. Starting twice is harmless."""
        if self._server is None:
            try:
                self._server = self._serve()
            except BaseException:
                self.stop()
                raise
        return self

    def _serve(self) -> Server | InProcessServer:
        # Imported here: uvicorn, Starlette and trustme are needed by a running sandbox only.
        if sys.platform == "emscripten":
            from helpers.sandbox.inprocess import InProcessServer

            return InProcessServer(
                self._directory,
                port=self._port,
                identity_header=self._identity_header,
                log=self._log,
                on_request=self._on_request,
            )
        from helpers.sandbox.server import Server

        return Server(
            self._directory,
            host=self._host,
            port=self._port,
            maximum_connections=self._maximum_connections,
            identity_header=self._identity_header,
            certificate_authority_file=self._certificate_authority_file,
            log=self._log,
            on_request=self._on_request,
        )

    def stop(self) -> None:
        """Stop listening and close the state; it can be started again. Stopping twice is harmless."""
        if self._server is not None:
            self._server.close()
            self._server = None
        if self._opened is not None:
            self._opened.store.close()
            self._opened = None

    def __enter__(self) -> Sandbox:
        return self.start()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    def __repr__(self) -> str:
        where = self.endpoint if self._server else "not started"
        return f"Sandbox({where}, state={self._state_folder or 'in memory'})"

    @property
    def _directory(self) -> Directory:
        if self._opened is None:
            self._opened = Directory(Store(self._state_folder), self._control)
        return self._opened

    @property
    def _running(self) -> Server | InProcessServer:
        if self._server is None:
            raise SandboxError("The sandbox has not been started; call its start() first.")
        return self._server

    # Where it is

    @property
    def endpoint(self) -> str:
        """The address of the default resource, such as `https://localhost:8443/`."""
        return f"https://{self._running.name}:{self._running.port}/"

    @property
    def connection_string(self) -> str:
        """The default resource's connection string with its primary key."""
        return self.connection_string_of(DEFAULT_RESOURCE)

    def connection_string_of(self, resource: str, slot: KeySlot = "primary") -> str:
        """Return the connection string of a resource with one of its two keys.

        Every resource has the same endpoint: the key says which of them is meant. Where `NAME.localhost` resolves, that
        host works too. With an Entra token, that host or `identity_header_of` leads to another resource than the default one.
        """
        found = self._directory.resource(resource)
        key = found.primary_key if slot == "primary" else found.secondary_key
        return f"endpoint={self.endpoint};accesskey={key}"

    @property
    def certificate_authority(self) -> bytes:
        """The certificate (PEM) that clients must trust; made anew at each start, unless a file keeps it.

        Empty in a browser, where nothing connects.
        """
        return self._running.certificate_authority

    @property
    def identity_endpoint(self) -> str:
        """The managed-identity endpoint: the value of `IDENTITY_ENDPOINT`."""
        return f"{self.endpoint}msi/token"

    @property
    def identity_header(self) -> str:
        """The secret of the managed-identity endpoint: the value of `IDENTITY_HEADER`."""
        return self._identity_header

    def identity_header_of(self, resource: str) -> str:
        """Return the `IDENTITY_HEADER` with which the managed identity may act on one resource alone, under any host."""
        return identity_header_of(self._directory.resource(resource).name, self._identity_header)

    # Control

    def controls_of(self, resource: str) -> Controls:
        """Return controls of one resource alone: from now on it has a clock, faults and limits of its own.

        What is changed about the sandbox itself does not reach it any more.
        """
        return Controls(self._directory.set_apart(self._directory.resource(resource).id))

    def reset(self) -> None:
        """Delete every identity and token, and undo what was set on clock, faults, latency, limits and delay.

        Resources and their keys stay, so that clients go on working.
        """
        self._control.reset()
        self._directory.reset()

    def seed(self, number: int) -> None:
        """Empty the sandbox, resources too, and make the ids and keys that follow repeatable.

        The default resource gets new keys: take the connection string again. Ids then carry made-up creation times.
        """
        self._directory.seed(number)

    def snapshot(self) -> Snapshot:
        """Return what the sandbox holds now, for `restore`; the clock is not part of it."""
        return self._directory.snapshot()

    def restore(self, snapshot: Snapshot) -> None:
        """Return to what the sandbox held at a snapshot."""
        self._directory.restore(snapshot)

    def resources(self) -> list[Resource]:
        """Return every resource, with its keys."""
        return list(self._directory.store.resources())

    def add_resource(self, name: str) -> Resource:
        """Add a resource with its own GUID, keys and identities."""
        return self._directory.add_resource(name)

    def rotate_key(
        self, slot: KeySlot = "primary", *, resource: str = DEFAULT_RESOURCE
    ) -> Resource:
        """Replace a key; tokens that were issued under the old one are revoked. Returns the resource with its new key."""
        return self._directory.rotate_key(slot, resource)

    def teams_user_token(
        self, *, app_id: str | None = None, user_id: str | None = None, expired: bool = False
    ) -> TeamsUserToken:
        """Return an Entra token of a Teams user, for `get_token_for_teams_user`; GUIDs not given are made up.

        It works with every sandbox on the same state folder.
        """
        for name, value in (("app_id", app_id), ("user_id", user_id)):
            if value is not None and not is_guid(value):
                raise SandboxError(
                    f"{name} is not a GUID such as 00000000-0000-0000-0000-000000000000."
                )
        return self._directory.entra.teams_user_token(
            app_id=app_id, user_id=user_id, expired=expired
        )
