"""What stands in a session where its own sandbox would, when the sandbox is the room's."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta, timezone
from typing import Any, Literal, NoReturn

from helpers.errors import TutorialError
from helpers.language import gettext as _
from helpers.room.joining import TakenSeat


class SeatClock:
    """The time by which the seat's identities and tokens live; no other seat's."""

    def __init__(self, seat: TakenSeat) -> None:
        self._seat = seat
        self._offset = timedelta(0)

    @property
    def offset(self) -> timedelta:
        """How far the clock is from the machine's own; negative when it is behind."""
        return self._offset

    def now(self) -> datetime:
        """Return the present moment as an aware UTC datetime."""
        return datetime.now(timezone.utc) + self._offset

    def advance(
        self, *, days: float = 0, hours: float = 0, minutes: float = 0, seconds: float = 0
    ) -> datetime:
        """Move the clock forward, or back when the sum is negative, and return the new time."""
        step = timedelta(days=days, hours=hours, minutes=minutes, seconds=seconds)
        return self._moved(self._seat.change("advance", seconds=step.total_seconds()))

    def reset(self) -> datetime:
        """Return to the machine's own time."""
        return self._moved(self._seat.change("reset_clock"))

    def _moved(self, state: Mapping[str, Any]) -> datetime:
        self._offset = timedelta(seconds=state["offset"])
        return self.now()


class SeatSandbox:
    """The room's sandbox as a seat has it: what is changed here changes for this seat alone.

    What belongs to all seats, such as a snapshot, is the presenter's.
    """

    def __init__(self, seat: TakenSeat) -> None:
        """Begin as a sandbox of one's own does: with the machine's time, and nothing that goes wrong."""
        self._seat = seat
        self._state = seat.change("reset")
        self.clock = SeatClock(seat)
        self.connection_string = seat.connection_string
        self.endpoint = seat.endpoint

    def stop(self) -> None:
        """Leave it running: it is everybody's."""

    @property
    def latency(self) -> float:
        """Seconds that every answer to this seat waits."""
        latency: float = self._state["latency"]
        return latency

    @latency.setter
    def latency(self, seconds: float) -> None:
        self._state = self._seat.change("set_latency", seconds=seconds)

    @property
    def revocation_delay(self) -> timedelta:
        """How long a revoked token of this seat goes on working."""
        return timedelta(seconds=self._state["revocation_delay"])

    @revocation_delay.setter
    def revocation_delay(self, delay: timedelta) -> None:
        self._state = self._seat.change("set_revocation_delay", seconds=delay.total_seconds())

    @property
    def rate_limits(self) -> Mapping[str, int]:
        """Requests allowed to this seat per 30 seconds of its clock, by operation."""
        limits: Mapping[str, int] = self._state["rate_limits"]
        return limits

    @rate_limits.setter
    def rate_limits(self, limits: Mapping[str, int] | bool) -> None:
        self._state = self._seat.change(
            "set_rate_limits", limits=limits if isinstance(limits, bool) else dict(limits)
        )

    def fail_next(
        self,
        status: int | None = None,
        *,
        retry_after: int | None = None,
        drop: Literal["before", "after"] | None = None,
        times: int = 1,
    ) -> None:
        """Make the next *times* requests of this seat fail."""
        self._seat.change(
            "fail_next", status=status, retry_after=retry_after, drop=drop, times=times
        )

    def __getattr__(self, name: str) -> NoReturn:
        # What Python and IPython look for on any object is simply not there.
        if name.startswith("_"):
            raise AttributeError(name)
        raise TutorialError(
            _(
                "In a room the sandbox is everybody's, and “{name}” is the presenter's to use. To try it, leave the room with "
                "“acs-tutorial join --leave” and restart the kernel: then you have a sandbox of your own."
            ).format(name=name)
        )
