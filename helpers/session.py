"""``start()``: one call at the top of a lesson that decides where its calls go, and says so."""

from __future__ import annotations

import atexit
import os
import threading
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast
from urllib.parse import urlsplit

import certifi

from helpers import browser
from helpers import language as languages
from helpers import settings as _settings
from helpers.errors import TutorialError
from helpers.journal import Exchange, Journal
from helpers.language import gettext as _
from helpers.widgets.badge import Badge
from helpers.widgets.timeline import TokenRecord

if TYPE_CHECKING:
    from azure.communication.identity import CommunicationUserIdentifier

    from helpers.catch_up import CaughtUp
    from helpers.exercises import Exercise
    from helpers.sandbox import Sandbox
    from helpers.scenes import Scene

# What the service gives where no lifetime is asked for (documented).
_DEFAULT_LIFETIME_MINUTES = 24 * 60

_current: Session | None = None
_starting = threading.Lock()


class Session:
    """A lesson's connection to the service, and the record of what it does there. Made by :func:`start`."""

    def __init__(
        self,
        settings: _settings.Settings,
        *,
        lesson: str | None,
        sandbox: Sandbox | None,
    ) -> None:
        self.settings = settings
        self.lesson = lesson
        self.sandbox = sandbox
        """The embedded sandbox, with its clock; in a room what a seat may use of it; ``None`` in live mode."""
        self.service = settings.service
        """Where the identities live: ``sandbox``, the seat of a room, or the host name of the real resource."""
        self.journal = Journal(settings.home, service=self.service, lesson=lesson)

    @property
    def id(self) -> str:
        """Names this session in the journal."""
        return self.journal.session

    @property
    def mode(self) -> _settings.Mode:
        """``sandbox``, ``room`` or ``live``."""
        return self.settings.mode

    @property
    def observe(self) -> Callable[[Any], None]:
        """What to hand to an SDK client as ``raw_response_hook``, so that the journal sees its exchanges."""
        return self.journal.observe

    def exchanges(self) -> list[Exchange]:
        """What this session's clients sent and were answered so far, masked, oldest first."""
        return self.journal.exchanges()

    def now(self) -> datetime:
        """The present moment (UTC) by which tokens live: the sandbox's clock, which can be moved, or the machine's."""
        return self.sandbox.clock.now() if self.sandbox else datetime.now(timezone.utc)

    def tokens(self, identity: CommunicationUserIdentifier) -> list[TokenRecord]:
        """Return the tokens that this session issued to *identity*, oldest first, as far as the record knows them."""
        tokens: list[TokenRecord] = []
        for exchange in self.exchanges():
            if exchange.raw_id != identity.raw_id or not exchange.succeeded:
                continue
            match exchange.operation:
                case "get_token" | "create_user_and_token":
                    answer = exchange.answered.get("accessToken", exchange.answered)
                    expires = datetime.fromisoformat(answer["expiresOn"][:19] + "+00:00")
                    lifetime = timedelta(minutes=exchange.minutes or _DEFAULT_LIFETIME_MINUTES)
                    tokens.append(TokenRecord(expires - lifetime, expires, exchange.scopes))
                case "revoke_tokens" | "delete_user":
                    tokens = [
                        token
                        if token.revoked
                        else replace(token, revoked=max(exchange.at, token.issued))
                        for token in tokens
                    ]
        return tokens

    def exercise(self) -> Exercise:
        """Begin this lesson's exercise: what is sent from here on counts.

        Raises:
            TutorialError: this session belongs to no lesson.
        """
        from helpers.exercises import Exercise

        return Exercise(self.lesson, self.journal)

    def catch_up(self, lesson: str) -> CaughtUp:
        """Bring this computer to where *lesson* begins: every lesson before it done, on the sandbox, in a few seconds.

        Args:
            lesson: its number, such as ``"07"``.

        Raises:
            TutorialError: there is no such lesson, the mode is live, or an earlier lesson failed.
        """
        from helpers.catch_up import catch_up

        return catch_up(lesson)

    def scene(self, name: str) -> Scene:
        """Play a scene on the sandbox: something that goes wrong, why, and how it comes right again.

        Args:
            name: ``revoked``, ``expired``, ``throttled``, ``wrong_key``, ``wrong_clock`` or ``service_down``.

        Raises:
            TutorialError: there is no such scene, or the mode is live.
        """
        from helpers.scenes import play

        return play(self, name)

    @property
    def badge(self) -> Badge:
        """A line that says where the calls of this lesson go."""
        place = self.service
        if ticket := self.settings.room:
            place = _("seat {seat} at {host}").format(seat=ticket.seat, host=ticket.host)
        return Badge(mode=self.mode, host=place, notes=self._notes())

    def _notes(self) -> list[str]:
        settings = self.settings
        notes = list(settings.problems)
        if browser.forgets():
            notes.append(
                _(
                    "This browser keeps nothing for this page: what you do here is gone when you close it."
                )
            )
        if self.mode != "live" and settings.host:
            notes.append(
                _(
                    "Settings for {host} were found and left alone; set ACS_TUTORIAL_MODE=live to use them."
                ).format(host=settings.host)
            )
        if self.mode == "live" and not settings.connection_string:
            notes.append(
                _(
                    "No connection string is set: where a lesson reads one, use the client for Microsoft Entra ID "
                    "of lesson 01 instead."
                )
            )
        return notes

    def __repr__(self) -> str:
        return f"Session(mode={self.mode!r}, service={self.service!r}, lesson={self.lesson!r})"

    def close(self) -> None:
        """Stop the sandbox and close the journal. Happens by itself when the kernel stops."""
        if self.sandbox:
            self.sandbox.stop()
        self.journal.close()


def start(lesson: str | None = None, *, language: str | None = None) -> Session:
    """Make this kernel ready for a lesson and show a badge that says where its calls go.

    Without any setting the calls go to a sandbox inside this kernel, and nothing leaves the machine. They go to a real
    resource only with ``ACS_TUTORIAL_MODE=live`` and a connection string or endpoint, and to a presenter's room with its
    ticket in ``ACS_TUTORIAL_ROOM``; see ``.env.example``.
    Calling it again gives the same session. A client for ``asyncio`` needs this call to come before ``import aiohttp``.

    Args:
        lesson: the number of the lesson, such as ``"03"``; leave it out in notebooks of your own.
        language: the language of widgets and messages, such as ``"en"``; default: the setting, else English.

    Raises:
        TutorialError: a setting is malformed, the sandbox cannot start, or the room cannot be joined; the text says what
            to do.
    """
    global _current
    with _starting:
        if _current is None:
            settings = _settings.load()
            languages.use(language or settings.language or "en")
            if browser.HERE and settings.mode != "sandbox":
                browser.refuse(settings.mode)
            begin = {"sandbox": _sandbox, "room": _room, "live": _live}[settings.mode]
            _current = begin(settings, lesson)
            atexit.register(_current.close)
        elif language:
            languages.use(language)
    _show(_current.badge)
    return _current


def _live(settings: _settings.Settings, lesson: str | None) -> Session:
    # The lessons read these two as anyone's program would; a .env file alone would not put them there.
    for key, value in (
        (_settings.CONNECTION_STRING, settings.connection_string),
        (_settings.ENDPOINT, settings.endpoint or f"https://{settings.host}"),
    ):
        if value:
            os.environ[key] = value
    return Session(settings, lesson=lesson, sandbox=None)


def _sandbox(settings: _settings.Settings, lesson: str | None) -> Session:
    from helpers.sandbox import Sandbox, SandboxError

    try:
        sandbox = Sandbox(settings.home).start()
    except SandboxError as error:
        raise TutorialError(str(error)) from error
    _go_to(sandbox.connection_string, sandbox.certificate_authority, settings.home)
    if browser.HERE:
        browser.stand_in_for_cryptography()
    # DefaultAzureCredential() finds the sandbox's managed identity, and asks nobody else.
    os.environ["IDENTITY_ENDPOINT"] = sandbox.identity_endpoint
    os.environ["IDENTITY_HEADER"] = sandbox.identity_header
    return Session(settings, lesson=lesson, sandbox=sandbox)


def _room(settings: _settings.Settings, lesson: str | None) -> Session:
    from helpers.room.joining import join
    from helpers.room.seat_sandbox import SeatSandbox

    assert settings.room
    seat = join(settings.room, lesson=lesson)
    _go_to(seat.connection_string, seat.authority, settings.home)
    os.environ["IDENTITY_ENDPOINT"] = seat.identity_endpoint
    os.environ["IDENTITY_HEADER"] = seat.identity_header
    # As far as lessons go, it is one; what else they try, it refuses in a sentence.
    sandbox = cast("Sandbox", SeatSandbox(seat))
    return Session(settings, lesson=lesson, sandbox=sandbox)


def _go_to(connection_string: str, authority: bytes, home: Path) -> None:
    """Point this process, and the programs that it starts, to a sandbox here or elsewhere, and let them trust it."""
    endpoint = _settings.connection_string_parts(connection_string)["endpoint"].rstrip("/")
    os.environ.update(
        {
            _settings.CONNECTION_STRING: connection_string,
            _settings.ENDPOINT: endpoint,
            "AZURE_TOKEN_CREDENTIALS": "ManagedIdentityCredential",
        }
    )
    if authority:
        bundle = str(_trust(authority, home))
        os.environ |= {"REQUESTS_CA_BUNDLE": bundle, "SSL_CERT_FILE": bundle}
    # A proxy must not catch calls to it. Where both spellings exist, the lower one wins.
    own = ["localhost", "127.0.0.1", urlsplit(endpoint).hostname or ""]
    for name in ("NO_PROXY", "no_proxy"):
        hosts = [host for host in os.environ.get(name, "").split(",") if host]
        os.environ[name] = ",".join(dict.fromkeys([*hosts, *own]))


def _trust(certificate_authority: bytes, home: Path) -> Path:
    """Write what this process trusts: what it trusted before, and the sandbox's certificate authority."""
    import psutil

    before = next(
        (
            path
            for name in ("REQUESTS_CA_BUNDLE", "SSL_CERT_FILE")
            if (path := os.environ.get(name))
        ),
        certifi.where(),
    )
    trusted = Path(before) if Path(before).is_file() else Path(certifi.where())
    folder = home / "trusted"
    folder.mkdir(exist_ok=True)
    # A kernel that was killed could not take its file away.
    for left_over in folder.glob("*.pem"):
        if not psutil.pid_exists(int(left_over.stem)):
            left_over.unlink(missing_ok=True)
    bundle = folder / f"{os.getpid()}.pem"
    bundle.write_bytes(trusted.read_bytes().rstrip() + b"\n" + certificate_authority)
    atexit.register(bundle.unlink, missing_ok=True)
    return bundle


def _show(badge: Badge) -> None:
    from IPython.core.getipython import get_ipython

    if get_ipython() is None:
        print(badge)
    else:
        from IPython.display import display

        display(badge)  # type: ignore[no-untyped-call]
