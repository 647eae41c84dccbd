"""What a lesson or a test may change about the sandbox: its clock, its faults, its pace, its limits."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from typing import Literal

from helpers.sandbox.errors import SandboxError

NANOSECONDS = 1_000_000_000

# Requests per 30 seconds, as the service's documentation lists them (dated 2023-03-31). That the counter belongs to one
# resource is assumed.
RATE_WINDOW_SECONDS = 30
DOCUMENTED_RATE_LIMITS: Mapping[str, int] = {
    "create_identity": 1000,
    "create_identity_and_token": 1000,
    "issue_token": 1000,
    "delete_identity": 500,
    "revoke_tokens": 500,
    "exchange_teams_user_token": 500,
}


class Clock:
    """The time by which identities and tokens live, in UTC: the machine's own, moved by an offset.

    It moves in this process only. The dates of signed requests are judged by the machine's own clock, because the SDK
    signs by that one.
    """

    def __init__(self) -> None:
        self._offset = 0

    def now(self) -> datetime:
        """Return the present moment as an aware UTC datetime."""
        return datetime.fromtimestamp(self.time_ns() / NANOSECONDS, timezone.utc)

    def time_ns(self) -> int:
        """Return the present moment in nanoseconds since 1970-01-01T00:00:00Z."""
        return time.time_ns() + self._offset

    def advance(
        self, *, days: float = 0, hours: float = 0, minutes: float = 0, seconds: float = 0
    ) -> datetime:
        """Move the clock forward, or back when the sum is negative, and return the new time."""
        step = timedelta(days=days, hours=hours, minutes=minutes, seconds=seconds)
        self._offset += step // timedelta(microseconds=1) * 1000
        return self.now()

    def reset(self) -> datetime:
        """Return to the machine's own time."""
        self._offset = 0
        return self.now()

    @property
    def offset(self) -> timedelta:
        """How far the clock is from the machine's own; negative when it is behind."""
        return timedelta(microseconds=self._offset // 1000)

    def __repr__(self) -> str:
        return f"Clock(now={self.now():%Y-%m-%dT%H:%M:%SZ}, offset={self.offset})"


@dataclass(frozen=True)
class Fault:
    """One thing that goes wrong: an error answer, or a connection that breaks before or after the work."""

    status: int | None = None
    retry_after: int | None = None
    drop: Literal["before", "after"] | None = None


class Faults:
    """The faults that wait for the next authenticated requests to the identity service, in order."""

    STATUSES = (429, 500, 503)

    def __init__(self) -> None:
        self._waiting: deque[Fault] = deque()

    def add(
        self,
        status: int | None = None,
        *,
        retry_after: int | None = None,
        drop: Literal["before", "after"] | None = None,
        times: int = 1,
    ) -> None:
        """Make the next `times` requests fail; see `Sandbox.fail_next`."""
        if (status is None) == (drop is None):
            raise SandboxError(
                "Say either a status (429, 500 or 503) or drop='before' or drop='after', not both."
            )
        if status is not None and status not in self.STATUSES:
            raise SandboxError("The sandbox can answer with status 429, 500 or 503 on request.")
        if drop is not None and drop not in ("before", "after"):
            raise SandboxError("drop is 'before' or 'after' (the work was done).")
        if retry_after is not None and (status is None or retry_after < 0):
            raise SandboxError("retry_after is a number of seconds, 0 or more, and needs a status.")
        if times < 1:
            raise SandboxError("times is at least 1.")
        self._waiting.extend([Fault(status, retry_after, drop)] * times)

    def take(self) -> Fault | None:
        """Return the fault of the request that is being answered, if one waits."""
        # Popping is atomic, so that many requests at once never share a fault.
        return self._waiting.popleft() if self._waiting else None

    def clear(self) -> None:
        """Forget the faults that still wait."""
        self._waiting.clear()


class RateLimits:
    """Requests counted per resource and operation over the last 30 seconds of the sandbox's clock, in this process.

    Every request counts, those answered 429 too (documented). Off until limits are set.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._limits: Mapping[str, int] = {}
        self._seen: dict[tuple[str, str], deque[int]] = {}
        self._lock = threading.Lock()

    @property
    def limits(self) -> Mapping[str, int]:
        """Requests allowed per 30 seconds, by operation; empty when there is no limit."""
        return self._limits

    def set(self, limits: Mapping[str, int] | bool) -> None:
        """Set the documented limits (`True`), none (`False`), or others by operation name."""
        if isinstance(limits, bool):
            chosen: Mapping[str, int] = DOCUMENTED_RATE_LIMITS if limits else {}
        else:
            chosen = dict(limits)
        unknown = sorted(set(chosen) - set(DOCUMENTED_RATE_LIMITS))
        if unknown:
            raise SandboxError(
                f"No rate limit is documented for {', '.join(unknown)}; "
                f"the operations are {', '.join(DOCUMENTED_RATE_LIMITS)}."
            )
        with self._lock:
            self._limits = chosen
            self._seen.clear()

    def admits(self, resource_id: str, operation: str) -> bool:
        """Count one request and say whether it stays within the limit."""
        limit = self._limits.get(operation)
        if limit is None:
            return True
        now = self._clock.time_ns()
        with self._lock:
            seen = self._seen.setdefault((resource_id, operation), deque())
            while seen and not 0 <= now - seen[0] < RATE_WINDOW_SECONDS * NANOSECONDS:
                seen.popleft()
            within = len(seen) < limit
            seen.append(now)
            # Beyond the limit older moments no longer matter, so memory stays bounded.
            if len(seen) > limit + 1:
                seen.popleft()
        return within


class Control:
    """Everything that can be changed about one running sandbox, in one place."""

    def __init__(self) -> None:
        self.clock = Clock()
        self.faults = Faults()
        self.rate_limits = RateLimits(self.clock)
        self.latency = 0.0
        self.revocation_delay = timedelta(0)

    def reset(self) -> None:
        """Undo every change."""
        self.clock.reset()
        self.faults.clear()
        self.rate_limits.set(False)
        self.latency = 0.0
        self.revocation_delay = timedelta(0)


class Controls:
    """A control as a person holds it: every change is checked, and refused with a SandboxError that says why."""

    def __init__(self, control: Control) -> None:
        self._control = control

    @property
    def clock(self) -> Clock:
        """The time by which identities and tokens live, in this process."""
        return self._control.clock

    @property
    def latency(self) -> float:
        """Seconds that every answer of the identity service waits; 0 at first."""
        return self._control.latency

    @latency.setter
    def latency(self, seconds: float) -> None:
        if not 0 <= seconds <= 60:
            raise SandboxError("latency is a number of seconds from 0 to 60.")
        self._control.latency = seconds

    @property
    def revocation_delay(self) -> timedelta:
        """How long a revoked token goes on working; zero at first, up to 15 minutes in the live service (documented)."""
        return self._control.revocation_delay

    @revocation_delay.setter
    def revocation_delay(self, delay: timedelta) -> None:
        if delay < timedelta(0):
            raise SandboxError("revocation_delay cannot be negative.")
        self._control.revocation_delay = delay

    @property
    def rate_limits(self) -> Mapping[str, int]:
        """Requests allowed per 30 seconds of the sandbox's clock, by operation; empty (no limits) at first.

        Set True for the documented limits, False for none, or a mapping such as `{"issue_token": 5}`.
        """
        return self._control.rate_limits.limits

    @rate_limits.setter
    def rate_limits(self, limits: Mapping[str, int] | bool) -> None:
        self._control.rate_limits.set(limits)

    def fail_next(
        self,
        status: int | None = None,
        *,
        retry_after: int | None = None,
        drop: Literal["before", "after"] | None = None,
        times: int = 1,
    ) -> None:
        """Make the next `times` authenticated requests to the identity service fail.

        `status` is 429, 500 or 503, with a `Retry-After` of `retry_after` seconds if given. `drop` breaks the connection
        instead, "before" or "after" the work was done.
        """
        self._control.faults.add(status, retry_after=retry_after, drop=drop, times=times)

    def clear_faults(self) -> None:
        """Forget the failures that still wait."""
        self._control.faults.clear()
