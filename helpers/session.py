"""``start()``: one call at the top of a lesson that decides where its calls go, and says so."""

from __future__ import annotations

import atexit
import os
import threading
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import TYPE_CHECKING, Any

import certifi
import psutil

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
        """The embedded sandbox, with its clock; ``None`` in live mode."""
        self.service = "sandbox" if sandbox else settings.host or ""
        """Where the identities live: ``sandbox``, or the host name of the real resource."""
        self.journal = Journal(settings.home, service=self.service, lesson=lesson)

    @property
    def id(self) -> str:
        """Names this session in the journal."""
        return self.journal.session

    @property
    def mode(self) -> _settings.Mode:
        """``sandbox`` or ``live``."""
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
        return Badge(mode=self.mode, host=self.service, notes=self._notes())

    def _notes(self) -> list[str]:
        settings = self.settings
        notes = list(settings.problems)
        if self.sandbox and settings.host:
            notes.append(
                _(
                    "Settings for {host} were found and left alone; set ACS_TUTORIAL_MODE=live to use them."
                ).format(host=settings.host)
            )
        if not self.sandbox and not settings.connection_string:
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
    resource only with ``ACS_TUTORIAL_MODE=live`` and a connection string or endpoint; see ``.env.example``.
    Calling it again gives the same session. A client for ``asyncio`` needs this call to come before ``import aiohttp``.

    Args:
        lesson: the number of the lesson, such as ``"03"``; leave it out in notebooks of your own.
        language: the language of widgets and messages, such as ``"en"``; default: the setting, else English.

    Raises:
        TutorialError: a setting is malformed, or the sandbox cannot start; the text says what to do.
    """
    global _current
    with _starting:
        if _current is None:
            settings = _settings.load()
            languages.use(language or settings.language or "en")
            _current = (
                _live(settings, lesson) if settings.mode == "live" else _sandbox(settings, lesson)
            )
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
    bundle = _trust(sandbox.certificate_authority, settings.home)
    os.environ.update(
        {
            _settings.CONNECTION_STRING: sandbox.connection_string,
            _settings.ENDPOINT: sandbox.endpoint.rstrip("/"),
            # DefaultAzureCredential() finds the sandbox's managed identity, and asks nobody else.
            "IDENTITY_ENDPOINT": sandbox.identity_endpoint,
            "IDENTITY_HEADER": sandbox.identity_header,
            "AZURE_TOKEN_CREDENTIALS": "ManagedIdentityCredential",
            "REQUESTS_CA_BUNDLE": str(bundle),
            "SSL_CERT_FILE": str(bundle),
        }
    )
    # A proxy must not catch loopback. Where both spellings exist, the lower one wins.
    for name in ("NO_PROXY", "no_proxy"):
        hosts = [host for host in os.environ.get(name, "").split(",") if host]
        os.environ[name] = ",".join(dict.fromkeys([*hosts, "localhost", "127.0.0.1"]))
    return Session(settings, lesson=lesson, sandbox=sandbox)


def _trust(certificate_authority: bytes, home: Path) -> Path:
    """Write what this process trusts: what it trusted before, and the sandbox's own certificate authority."""
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
