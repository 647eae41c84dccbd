"""Lessons against a real resource: only with consent, and nothing stays behind.

What a lesson creates there are identities, and the journal records each as soon as the service has answered. They are
deleted after every lesson, however it ended; what a killed run could not delete is offered for deletion by the next. One gap
is left, which nobody can close: an identity whose creation the service carried out and never answered.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from types import TracebackType
from typing import TextIO

from azure.communication.identity import CommunicationIdentityClient

from helpers import settings
from helpers.journal import Journal
from helpers.language import gettext as _
from helpers.language import ngettext
from helpers.validation.lessons import SelectionError
from helpers.validation.results import Lesson
from helpers.widgets.ledger import Ledger

# A throttled call may wait half a minute, several times.
_CELL_SECONDS = 300
_CLEAN_UP_ATTEMPTS = 3
_PAUSE_SECONDS = 10


@dataclass(frozen=True)
class _Session:
    """What the ledger wants to know of a session."""

    id: str
    service: str
    journal: Journal


class LiveResource:
    """A real resource, as a place to run lessons in."""

    mode: settings.Mode = "live"
    cell_seconds = _CELL_SECONDS

    def __init__(self, chosen: settings.Settings, *, pause_seconds: float = _PAUSE_SECONDS) -> None:
        """Prepare to use the resource that *chosen* names; *pause_seconds* lie between attempts to clean up."""
        assert chosen.connection_string
        self.name = chosen.host or ""
        self._connection_string = chosen.connection_string
        self._pause_seconds = pause_seconds
        # Apart from the reader's own progress, and kept: the next run finds what this one may leave behind.
        self._home = chosen.home / "validation"
        self._home.mkdir(parents=True, exist_ok=True)
        self._troubles = self._home / "troubles.jsonl"
        self._journal = Journal(self._home, service=self.name)
        self._client = CommunicationIdentityClient.from_connection_string(
            self._connection_string, raw_response_hook=self._journal.observe
        )
        self._ledger = Ledger(
            _Session(self._journal.session, self.name, self._journal), self._client
        )
        self.notes: list[str] = []
        """What the clean-up did, as sentences; complete when the resource was left."""
        self.findings: list[str] = []
        """What it could not do."""
        self._deleted = 0

    @property
    def skipped_tags(self) -> Mapping[str, str]:
        return {"sandbox-only": _("It makes sense on the sandbox only.")}

    @property
    def prelude(self) -> str:
        return f"__import__('helpers.validation.watching', fromlist=['']).watch_clients({str(self._troubles)!r})"

    @contextmanager
    def environment(self) -> Iterator[dict[str, str]]:
        yield {
            **dict.fromkeys(settings.KEYS, ""),
            settings.MODE: "live",
            settings.CONNECTION_STRING: self._connection_string,
            settings.HOME: str(self._home),
        }

    def leave(self, lesson: Lesson) -> bool:
        """Delete what *lesson* created; it is worth another attempt if the service had a bad moment while it ran."""
        troubles = self._take_troubles()
        self.clean_up()
        if not troubles:
            return False
        met = ", ".join(troubles)
        if lesson.is_sound:
            lesson.notes.append(
                _("The service answered “not now” ({troubles}); the SDK tried again.").format(
                    troubles=met
                )
            )
            return False
        lesson.notes.append(
            _("The service had a bad moment ({troubles}), so the lesson ran a second time.").format(
                troubles=met
            )
        )
        return True

    def left_behind(self) -> list[str]:
        """Return the raw ids of what exists because of runs whose kernels have ended."""
        self._ledger.refresh()
        return self._ledger.raw_ids

    def clean_up(self) -> list[str]:
        """Delete what ended kernels left on the resource; return the raw ids that it would not let go."""
        for attempt in range(_CLEAN_UP_ATTEMPTS):
            before = len(self.left_behind())
            if not before:
                break
            if attempt:
                time.sleep(self._pause_seconds)
            self._ledger.clean_up()
            self._deleted += before - len(self._ledger.raw_ids)
        return self._ledger.raw_ids

    def __enter__(self) -> LiveResource:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        # After an interruption too; the kernels have been ended by then.
        left = self.clean_up()
        self._journal.close()
        if left:
            self.findings.append(
                ngettext(
                    "{count} identity could not be deleted from {host}: {raw_ids}. Run the command again; it begins with "
                    "the clean-up.",
                    "{count} identities could not be deleted from {host}: {raw_ids}. Run the command again; it begins with "
                    "the clean-up.",
                    len(left),
                ).format(count=len(left), host=self.name, raw_ids=", ".join(left))
            )
        if self._deleted:
            self.notes.append(
                ngettext(
                    "{count} identity that a lesson had not deleted itself was deleted from {host} afterwards.",
                    "{count} identities that lessons had not deleted themselves were deleted from {host} afterwards.",
                    self._deleted,
                ).format(count=self._deleted, host=self.name)
            )
        elif not left:
            self.notes.append(
                _("The lessons left nothing on {host} to clean up.").format(host=self.name)
            )
        if kind is not None:
            for sentence in (*self.notes, *self.findings):
                print(sentence, file=sys.stderr)

    def _take_troubles(self) -> list[str]:
        """Return what the service answered instead of doing its work since the last call, each kind once."""
        try:
            lines = self._troubles.read_text(encoding="utf-8").splitlines()
        except FileNotFoundError:
            return []
        self._troubles.unlink()
        return list(dict.fromkeys(json.loads(line) for line in lines))


def consent(*, yes: bool, answers: TextIO | None = None) -> LiveResource:
    """Return the resource that the settings name, after making sure that it is meant.

    Three things are needed: ``ACS_TUTORIAL_MODE=live``, a connection string, and a yes, either given on the command line or
    typed. What a killed run left behind is deleted first, after the same question.

    Args:
        yes: it was given on the command line.
        answers: who is asked; by default standard input, if a person sits there.

    Raises:
        SelectionError: one of the three is missing; nothing was sent.
    """
    try:
        chosen = settings.load()
    except settings.SettingsError as error:
        raise SelectionError(str(error)) from error
    if chosen.mode != "live":
        raise SelectionError(
            _(
                "--live runs the lessons against your own Azure resource; to say that you mean it, set ACS_TUTORIAL_MODE=live "
                "and COMMUNICATION_SERVICES_CONNECTION_STRING, in the environment or in .env."
            )
        )
    if not chosen.connection_string:
        raise SelectionError(
            _(
                "--live needs COMMUNICATION_SERVICES_CONNECTION_STRING: the lessons read it, and an endpoint alone is not "
                "enough for them."
            )
        )
    host = chosen.host or ""
    _ask(
        _(
            "The lessons will create identities on {host}, issue tokens for them and delete them again."
        ).format(host=host),
        yes=yes,
        answers=answers,
    )
    resource = LiveResource(chosen)
    left = resource.left_behind()
    if left:
        _ask(
            ngettext(
                "A run that was ended before its time left {count} identity on {host}; it will be deleted first.",
                "A run that was ended before its time left {count} identities on {host}; they will be deleted first.",
                len(left),
            ).format(count=len(left), host=host),
            yes=yes,
            answers=answers,
        )
        resource.clean_up()
    return resource


def _ask(announcement: str, *, yes: bool, answers: TextIO | None) -> None:
    print(announcement, flush=True)
    if yes:
        return
    stream = answers or sys.stdin
    if answers is None and not stream.isatty():
        raise SelectionError(_("Nobody is here to say yes to that; add --yes if it is meant."))
    print(_("Go on? [y/N] "), end="", flush=True)
    # Both the English letter and that of the reader's language count.
    if stream.readline().strip().lower() not in ("y", "yes", _("y"), _("yes")):
        raise SelectionError(_("Nothing was done."))
