"""Scenes for a stage: one call shows one thing that goes wrong, what the SDK says, why, and how it comes right again.

Each is a short lesson block on the sandbox. The lines that it shows are the lines that it runs, with the real SDK, and it ends
tidy: its identities are deleted, and clock and limits are as they were. Nothing waits longer than a second.
"""

from __future__ import annotations

import base64
import io
import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager, redirect_stdout
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from email.utils import format_datetime
from html import escape
from textwrap import dedent, indent
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from azure.communication.identity import CommunicationIdentityClient, CommunicationUserIdentifier
from azure.core.credentials import AzureKeyCredential
from azure.core.exceptions import AzureError, HttpResponseError
from azure.core.pipeline import PipelineRequest
from azure.core.pipeline.policies import SansIOHTTPPolicy

from helpers.errors import TutorialError
from helpers.explain import Explanation, explain
from helpers.language import gettext as _
from helpers.language import listed
from helpers.masking import masked

if TYPE_CHECKING:
    from helpers.sandbox import Sandbox
    from helpers.session import Session


@dataclass(frozen=True)
class Step:
    """Some lines of a scene, and what became of them."""

    text: str
    code: str
    printed: str
    error: Explanation | None = None


@dataclass(frozen=True)
class Scene:
    """A scene that was played, for a notebook and for a terminal alike."""

    name: str
    title: str
    steps: list[Step] = field(repr=False)
    remember: str

    def __repr__(self) -> str:
        blocks = [self.title]
        for step in self.steps:
            blocks.append(f"{step.text}\n\n{indent(step.code, '    ')}")
            if step.printed:
                blocks.append(indent(step.printed, "✔ "))
            if step.error:
                error = step.error
                blocks.append(f"✘ {error.original}\n  {error.cause}\n  → {error.fix}")
        blocks.append(self.remember)
        return "\n\n".join(blocks)

    def _repr_html_(self) -> str:
        blocks = []
        for step in self.steps:
            blocks.append(
                f"<p style='margin:10px 0 4px'>{escape(step.text)}</p>"
                f"<pre style='margin:0 0 4px 12px'>{escape(step.code)}</pre>"
            )
            if step.printed:
                blocks.append(
                    f"<pre style='margin:0 0 4px 12px'>{escape(indent(step.printed, '✔ '))}</pre>"
                )
            if step.error:
                error = step.error
                blocks.append(
                    "<div style='margin-left:12px'><strong aria-hidden='true'>✘</strong> "
                    f"<code>{escape(error.original)}</code><br>{escape(error.cause)}<br>"
                    f"<span aria-hidden='true'>→ </span>{escape(error.fix)} "
                    f"<a href='{escape(error.link)}'>{escape(_('Read more'))}</a></div>"
                )
        return (
            "<div role='status' style='border-left:4px solid currentColor;padding:2px 10px'>"
            f"<strong>{escape(self.title)}</strong>{''.join(blocks)}"
            f"<p style='margin:10px 0 0'>{escape(self.remember)}</p></div>"
        )


class WrongClock(SansIOHTTPPolicy):  # type: ignore[type-arg]
    """Dates and signs requests as a computer would whose clock is off.

    The SDK's own signature is replaced by one that is just as valid, only of another time: a sandbox can be told to be
    anything, but this computer's clock is left alone.
    """

    def __init__(self, connection_string: str, off: timedelta) -> None:
        self._key = connection_string.partition("accesskey=")[2]
        self._off = off

    def on_request(self, request: PipelineRequest[Any]) -> None:
        from helpers.sandbox.auth import signature, string_to_sign

        sent = request.http_request
        date = format_datetime(datetime.now(timezone.utc) + self._off, usegmt=True)
        target = urlsplit(sent.url)
        text = string_to_sign(
            sent.method,
            f"{target.path}?{target.query}",
            date,
            target.netloc,
            sent.headers["x-ms-content-sha256"],
        )
        before = sent.headers["Authorization"].partition("Signature=")[0]
        sent.headers["x-ms-date"] = date
        sent.headers["Authorization"] = f"{before}Signature={signature(self._key, text)}"


class _Stage:
    """Runs the lines of one scene, one step after the other, in a namespace of their own."""

    def __init__(self, session: Session, sandbox: Sandbox) -> None:
        self._session = session
        self._steps: list[Step] = []
        self._names: dict[str, Any] = {
            "sandbox": sandbox,
            "session": session,
            "connection_string": sandbox.connection_string,
            "endpoint": sandbox.endpoint.rstrip("/"),
            "client": self.client(),
            "CommunicationIdentityClient": CommunicationIdentityClient,
            "AzureKeyCredential": AzureKeyCredential,
            "WrongClock": WrongClock,
            "timedelta": timedelta,
        }

    def client(self) -> CommunicationIdentityClient:
        assert self._session.sandbox
        return CommunicationIdentityClient.from_connection_string(
            self._session.sandbox.connection_string, raw_response_hook=self._session.observe
        )

    def give(self, **names: object) -> None:
        """Put something into the scene that its lines use and need not show."""
        self._names.update(names)

    def step(self, text: str, code: str, *, fails: type[AzureError] | None = None) -> None:
        """Run *code*; where it *fails*, the error is shown and explained, and must be of that kind."""
        code = dedent(code).strip()
        printed = io.StringIO()
        explanation = None
        try:
            with redirect_stdout(printed):
                exec(compile(code, "<scene>", "exec"), self._names)
        except AzureError as error:
            if fails is None or not isinstance(error, fails):
                raise
            explanation = explain(error)
        else:
            if fails is not None:
                raise TutorialError(
                    _(
                        "The scene went otherwise than it should: “{code}” did not fail. Reset the sandbox with "
                        "“acs-tutorial reset” and play it again."
                    ).format(code=code.splitlines()[-1])
                )
        self._steps.append(Step(text, code, masked(printed.getvalue().strip()), explanation))

    def end(self, name: str, title: str, remember: str) -> Scene:
        return Scene(name, title, self._steps, remember)


@contextmanager
def _stage(session: Session) -> Iterator[_Stage]:
    """A stage on the session's sandbox, which is as it was before when the curtain falls.

    Raises:
        TutorialError: the session is live; what goes wrong here must not go wrong there.
    """
    sandbox = session.sandbox
    if sandbox is None:
        raise TutorialError(
            _(
                "Scenes are played on the sandbox only, never on a real resource: remove ACS_TUTORIAL_MODE=live and restart "
                "the kernel."
            )
        )
    offset, limits = sandbox.clock.offset, dict(sandbox.rate_limits)
    known = {identity.raw_id for identity in session.journal.identities()}
    stage = _Stage(session, sandbox)
    try:
        yield stage
    finally:
        sandbox.clock.advance(seconds=(offset - sandbox.clock.offset).total_seconds())
        sandbox.rate_limits = limits
        client = stage.client()
        for identity in session.journal.identities():
            if (
                identity.session == session.id
                and identity.raw_id not in known
                and identity.deleted_at is None
            ):
                client.delete_user(CommunicationUserIdentifier(identity.raw_id))


_CHAT = """
    from azure.communication.chat import ChatClient, CommunicationTokenCredential

    {identity}
    chat = ChatClient(endpoint, CommunicationTokenCredential(token.token))
    print(len(list(chat.list_chat_threads())), "threads")
"""
_AGAIN = """
    token = client.get_token(user, ["chat"])
    chat = ChatClient(endpoint, CommunicationTokenCredential(token.token))
    print(len(list(chat.list_chat_threads())), "threads")
"""


def revoked(session: Session) -> Scene:
    """A token is revoked while an app uses it."""
    with _stage(session) as stage:
        stage.step(
            _("Somebody is in a chat: their app lists threads with a token."),
            _CHAT.format(identity='user, token = client.create_user_and_token(["chat"])'),
        )
        stage.step(
            _("Now the server revokes every token of that user. The app knows nothing of it."),
            "client.revoke_tokens(user)",
        )
        stage.step(
            _("The app goes on with the same token as before."),
            "list(chat.list_chat_threads())",
            fails=HttpResponseError,
        )
        stage.step(_("The identity is still there. A new token, and the chat goes on."), _AGAIN)
        return stage.end(
            "revoked",
            _("Revoked while in use"),
            _(
                "Remember: revoking ends tokens, not identities; the real service may take up to 15 minutes to notice everywhere."
            ),
        )


def expired(session: Session) -> Scene:
    """A token reaches its end while an app uses it."""
    with _stage(session) as stage:
        stage.step(
            _("A token for one hour, the shortest that there is, and an app that uses it."),
            _CHAT.format(
                identity=(
                    "user = client.create_user()\n"
                    '    token = client.get_token(user, ["chat"], token_expires_in=timedelta(hours=1))'
                )
            ),
        )
        stage.step(
            _("An hour and a minute go by: on the sandbox, the clock simply moves."),
            "sandbox.clock.advance(hours=1, minutes=1)",
        )
        stage.step(
            _("The app still has its old token."),
            "list(chat.list_chat_threads())",
            fails=HttpResponseError,
        )
        stage.step(_("A fresh token for the same user, and the chat goes on."), _AGAIN)
        return stage.end(
            "expired",
            _("Expired"),
            _(
                "Remember: a token that ends is no error but the plan; hand the app a credential with a token_refresher, as in lesson 06."
            ),
        )


def throttled(session: Session) -> Scene:
    """More requests than the service allows, and how that passes."""
    with _stage(session) as stage:
        stage.step(
            _("The service allows so many requests in 30 seconds. Here, for once, only three."),
            """
            user = client.create_user()
            sandbox.rate_limits = {"issue_token": 3}
            """,
        )
        stage.step(
            _("A loop asks for tokens as fast as it can, with a client that does not try again."),
            """
            hasty = CommunicationIdentityClient.from_connection_string(
                connection_string, retry_total=0, raw_response_hook=session.observe
            )
            for number in range(1, 10):
                hasty.get_token(user, ["chat"])
                print("token", number)
            """,
            fails=HttpResponseError,
        )
        stage.step(
            _("Thirty seconds later the count begins anew, and the same call succeeds."),
            """
            sandbox.clock.advance(seconds=31)
            hasty.get_token(user, ["chat"])
            print("recovered")
            """,
        )
        stage.step(
            _(
                "The ordinary client does not even show it: told to come back in a second, it waits and tries again."
            ),
            """
            sandbox.rate_limits = False
            sandbox.fail_next(429, retry_after=1)
            client.get_token(user, ["chat"])
            print([exchange.status for exchange in session.exchanges()[-2:]])
            """,
        )
        return stage.end(
            "throttled",
            _("Throttled, and recovered"),
            _(
                "Remember: leave the SDK's retries switched on, and issue a token when it is needed, not on every page view."
            ),
        )


def wrong_key(session: Session) -> Scene:
    """A key that the resource does not know."""
    with _stage(session) as stage:
        stage.give(wrong=base64.b64encode(secrets.token_bytes(64)).decode())
        stage.step(
            _(
                "A key like any other in form, but of another resource, or from before the last rotation."
            ),
            """
            stranger = CommunicationIdentityClient(
                endpoint, AzureKeyCredential(wrong), raw_response_hook=session.observe
            )
            stranger.create_user()
            """,
            fails=HttpResponseError,
        )
        stage.step(
            _("With the resource's own key the same call succeeds."),
            """
            user = client.create_user()
            print("created")
            """,
        )
        return stage.end(
            "wrong_key",
            _("The wrong key"),
            _(
                "Remember: the service never says what was wrong with a key; look at its source: rotated, cut short, or another resource's."
            ),
        )


def wrong_clock(session: Session) -> Scene:
    """A computer whose clock is off."""
    with _stage(session) as stage:
        stage.step(
            _(
                "Every request is dated and signed. WrongClock signs as a computer whose clock is 20 minutes slow."
            ),
            """
            slow = CommunicationIdentityClient.from_connection_string(
                connection_string,
                per_retry_policies=[WrongClock(connection_string, timedelta(minutes=-20))],
                raw_response_hook=session.observe,
            )
            slow.create_user()
            """,
            fails=HttpResponseError,
        )
        stage.step(
            _("A few minutes are forgiven, so that ordinary clocks never matter."),
            """
            slightly_slow = CommunicationIdentityClient.from_connection_string(
                connection_string,
                per_retry_policies=[WrongClock(connection_string, timedelta(minutes=-2))],
                raw_response_hook=session.observe,
            )
            slightly_slow.create_user()
            print("created")
            """,
        )
        return stage.end(
            "wrong_clock",
            _("The wrong time"),
            _(
                "Remember: a signature that suddenly fails everywhere on one machine is its clock, more often than its key."
            ),
        )


def service_down(session: Session) -> Scene:
    """The service is down for a while."""
    with _stage(session) as stage:
        stage.step(
            _(
                "A client that waits a tenth of a second between attempts, so that the audience need not wait longer."
            ),
            """
            patient = CommunicationIdentityClient.from_connection_string(
                connection_string, retry_backoff_factor=0.1, raw_response_hook=session.observe
            )
            user = patient.create_user()
            """,
        )
        stage.step(
            _("The service is down for two requests. The SDK tries again, and nobody notices."),
            """
            sandbox.fail_next(503, times=2)
            patient.get_token(user, ["chat"])
            print([exchange.status for exchange in session.exchanges()[-3:]])
            """,
        )
        stage.step(
            _("Down for longer: after the first attempt and three more, the SDK gives up."),
            """
            sandbox.fail_next(503, times=4)
            patient.get_token(user, ["chat"])
            """,
            fails=HttpResponseError,
        )
        stage.step(
            _("The service is back, and so is the program; nothing has to be built anew."),
            """
            patient.get_token(user, ["chat"])
            print("issued")
            """,
        )
        return stage.end(
            "service_down",
            _("Down, and back"),
            _(
                "Remember: short outages are the SDK's affair; for long ones, show the user a sentence and keep the identity."
            ),
        )


_SCENES: dict[str, Callable[[Session], Scene]] = {
    scene.__name__: scene
    for scene in (revoked, expired, throttled, wrong_key, wrong_clock, service_down)
}

NAMES = tuple(_SCENES)
"""The scenes that there are, in an order that makes a good tour."""


def play(session: Session, name: str) -> Scene:
    """Play a scene by its name, one of :data:`NAMES`, and return it to be shown.

    Raises:
        TutorialError: there is no such scene, or the session is live.
    """
    if name not in _SCENES:
        raise TutorialError(
            _("There is no scene “{name}”; there are {names}.").format(
                name=name, names=listed(NAMES)
            )
        )
    return _SCENES[name](session)
