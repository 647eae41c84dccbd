"""What a seat may change about the room's sandbox, for its own resource alone: clock, faults, latency, limits and delay.

The door takes one change at a time and answers with what there is afterwards. Numbers are seconds.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any

from helpers.sandbox import SandboxError
from helpers.sandbox.control import Controls

# Tokens and identities carry dates, and dates have an end.
_FARTHEST = timedelta(days=3650)


def _advance(controls: Controls, seconds: float) -> None:
    if abs(controls.clock.offset + timedelta(seconds=seconds)) > _FARTHEST:
        raise SandboxError("In a room the clock moves by ten years at most.")
    controls.clock.advance(seconds=seconds)


def _reset(controls: Controls) -> None:
    controls.clock.reset()
    controls.clear_faults()
    controls.latency = 0.0
    controls.revocation_delay = timedelta(0)
    controls.rate_limits = False


def _set_latency(controls: Controls, seconds: float) -> None:
    controls.latency = seconds


def _set_revocation_delay(controls: Controls, seconds: float) -> None:
    controls.revocation_delay = timedelta(seconds=seconds)


def _set_rate_limits(controls: Controls, limits: Mapping[str, int] | bool) -> None:
    controls.rate_limits = limits


_CHANGES: Mapping[str, Callable[..., None]] = {
    "advance": _advance,
    "reset_clock": lambda controls: controls.clock.reset(),
    "reset": _reset,
    "fail_next": lambda controls, **how: controls.fail_next(**how),
    "set_latency": _set_latency,
    "set_revocation_delay": _set_revocation_delay,
    "set_rate_limits": _set_rate_limits,
}


def change(controls: Controls, name: object, how: object) -> dict[str, Any]:
    """Make one change and return what there is afterwards.

    Raises:
        SandboxError: there is no such change, or it cannot be made so.
    """
    made = _CHANGES.get(name) if isinstance(name, str) else None
    if made is None or not isinstance(how, dict):
        raise SandboxError("There is no such change.")
    try:
        made(controls, **how)
    except (TypeError, ValueError, OverflowError) as error:
        raise SandboxError("That change cannot be made with these values.") from error
    return {
        "offset": controls.clock.offset.total_seconds(),
        "latency": controls.latency,
        "revocation_delay": controls.revocation_delay.total_seconds(),
        "rate_limits": dict(controls.rate_limits),
    }
