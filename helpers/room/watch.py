"""What the room's sandbox saw of each seat: the steps that are done, and where somebody is stuck.

Nothing secret is kept: of a request only its time, its outcome and which identity it was about, the last for the running
room alone. The steps outlive a restart of the room.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta, timezone
from pathlib import Path

from helpers.errors import TutorialError
from helpers.language import gettext as _
from helpers.room.seats import seat_of
from helpers.room.steps import AUTHENTICATED, STEPS, Done
from helpers.sandbox.requestlog import RequestRecord

STUCK_AFTER = timedelta(seconds=30)
"""An error that lasts no longer is most likely one that the lesson provokes."""

RECENT = timedelta(minutes=5)
"""For how long refused strangers are worth a line."""

# So that whoever knocks from many addresses fills no memory.
_MOST_STRANGERS = 1000


@dataclass(frozen=True)
class SeatState:
    """Where one seat is."""

    seat: str
    taken: bool
    lesson: str | None
    """The lesson that it opened last, by number; ``None`` when it has not said."""
    steps: frozenset[str]
    """The lessons whose step it has done."""


@dataclass(frozen=True)
class Trouble:
    """Requests of one seat that failed one after the other, the last of them just so."""

    seat: str
    since: datetime
    """When the first of them was answered (UTC)."""
    times: int
    status: int | None
    """The status of the latest; ``None`` when the connection was dropped."""
    code: str | None
    message: str | None
    """What the service said to it."""

    def lasts(self, now: datetime) -> timedelta:
        return max(now - self.since, timedelta(0))


@dataclass(frozen=True)
class Strangers:
    """Requests that came with no key of the room. Nobody can say whose they were; only from which computers."""

    computers: int
    times: int
    latest: datetime


@dataclass
class _Seen:
    steps: set[str] = field(default_factory=set)
    taken: bool = False
    lesson: str | None = None
    trouble: Trouble | None = None
    with_token: set[str] | None = field(default_factory=set)
    """Identities that have a token; no longer needed once one of them got a second."""


class Watch:
    """Sees every request, and says where each seat is. Safe to use from any thread."""

    def __init__(self, seats: Iterable[str], file: Path | None = None) -> None:
        """Watch *seats*, going on with the steps that *file* knows of.

        Raises:
            TutorialError: the file cannot be read or written.
        """
        self._lock = threading.Lock()
        self._seen = {seat: _Seen() for seat in seats}
        self._strangers: dict[str, tuple[int, datetime]] = {}
        self._file = None
        if file is not None:
            try:
                self._file = file.open("a+", encoding="ascii", buffering=1)
                self._file.seek(0)
                for line in self._file:
                    seat, _space, step = line.strip().partition(" ")
                    if seat in self._seen:
                        self._seen[seat].steps.add(step)
            except (OSError, ValueError) as error:
                raise TutorialError(
                    _("{file} cannot be used ({reason}); begin again with --new.").format(
                        file=file, reason=getattr(error, "strerror", None) or error
                    )
                ) from error

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            if self._file is not None:
                self._file.close()
                self._file = None

    # Seeing

    def joined(self, seat: str, lesson: str | None) -> None:
        """Note that somebody took *seat*, and which lesson they opened, if it was one."""
        with self._lock:
            if seen := self._seen.get(seat):
                seen.taken = True
                seen.lesson = lesson or seen.lesson

    def note(self, record: RequestRecord) -> None:
        """Note one answered request; what a sandbox calls as `on_request`."""
        seat = seat_of(record.resource)
        with self._lock:
            if seat is None:
                if record.resource is None and record.code == "Denied":
                    self._note_stranger(record)
                return
            seen = self._seen.get(seat)
            if seen is None:
                return
            seen.taken = True
            self._mark(seat, seen, AUTHENTICATED)
            if record.status is not None and record.status < 400:
                seen.trouble = None
                self._note_success(seat, seen, record)
            else:
                earlier = seen.trouble
                seen.trouble = Trouble(
                    seat,
                    earlier.since if earlier else record.at,
                    earlier.times + 1 if earlier else 1,
                    record.status,
                    record.code,
                    record.message,
                )

    def _note_success(self, seat: str, seen: _Seen, record: RequestRecord) -> None:
        again = False
        if record.scopes is not None and record.identity and seen.with_token is not None:
            again = record.identity in seen.with_token
            seen.with_token.add(record.identity)
        done = Done(record, again, seen.lesson)
        for step in STEPS:
            if step.is_shown_by(done):
                self._mark(seat, seen, step.lesson)
        if again:
            seen.with_token = None

    def _mark(self, seat: str, seen: _Seen, step: str) -> None:
        if step not in seen.steps:
            seen.steps.add(step)
            if self._file is not None:
                self._file.write(f"{seat} {step}\n")

    def _note_stranger(self, record: RequestRecord) -> None:
        client = record.client or ""
        times, latest = self._strangers.pop(client, (0, record.at))
        if record.at - latest > RECENT:
            times = 0
        self._strangers[client] = (times + 1, record.at)
        if len(self._strangers) > _MOST_STRANGERS:
            del self._strangers[next(iter(self._strangers))]

    # Saying

    def seats(self) -> list[SeatState]:
        """Return where each seat is."""
        with self._lock:
            return [
                SeatState(seat, seen.taken or bool(seen.steps), seen.lesson, frozenset(seen.steps))
                for seat, seen in self._seen.items()
            ]

    def stuck(self, now: datetime | None = None) -> list[Trouble]:
        """Return the seats that are stuck, the longest first."""
        now = now or datetime.now(timezone.utc)
        with self._lock:
            troubles = [replace(seen.trouble) for seen in self._seen.values() if seen.trouble]
        lasting = [trouble for trouble in troubles if trouble.lasts(now) >= STUCK_AFTER]
        return sorted(lasting, key=lambda trouble: trouble.since)

    def strangers(self, now: datetime | None = None) -> Strangers | None:
        """Return who was refused lately because of the key; ``None`` when nobody was."""
        now = now or datetime.now(timezone.utc)
        with self._lock:
            recent = [
                (times, latest)
                for times, latest in self._strangers.values()
                if now - latest <= RECENT
            ]
        if not recent:
            return None
        times, latest = zip(*recent, strict=True)
        return Strangers(len(recent), sum(times), max(latest))
