"""The steps of the lessons, as a sandbox sees them done."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from helpers.language import gettext as _
from helpers.sandbox.requestlog import RequestRecord

# What the service gives where no lifetime is asked for (documented).
_DEFAULT_LIFETIME_MINUTES = 24 * 60


@dataclass(frozen=True)
class Done:
    """A request that succeeded, and what only the watch knows about it."""

    record: RequestRecord
    again: bool
    """Whether it issued a token to an identity that had one already."""
    lesson: str | None
    """The lesson that the seat opened last; ``None`` when it has not said."""


def _did(operation: str) -> Callable[[Done], bool]:
    return lambda done: done.record.operation == operation


@dataclass(frozen=True)
class Step:
    """What one lesson teaches, and the request that shows it."""

    lesson: str
    is_shown_by: Callable[[Done], bool]

    @property
    def title(self) -> str:
        """The lesson's title."""
        return _titles()[self.lesson]


AUTHENTICATED = "01"
"""The lesson whose step a request shows even when it is refused, as long as it is not for its key."""

STEPS: tuple[Step, ...] = (
    Step(AUTHENTICATED, lambda done: done.record.resource is not None),
    Step("02", _did("create_identity")),
    Step("03", _did("issue_token")),
    Step("04", lambda done: done.record.lifetime_minutes not in (None, _DEFAULT_LIFETIME_MINUTES)),
    Step(
        "05", lambda done: done.record.operation == "create_identity" and bool(done.record.scopes)
    ),
    Step("06", lambda done: done.again),
    Step("07", _did("revoke_tokens")),
    # Every lesson ends by deleting what it created; that is not this step.
    Step(
        "08",
        lambda done: (
            done.record.operation == "delete_identity" and done.lesson in (None, "08", "09")
        ),
    ),
)


def _titles() -> dict[str, str]:
    # Built on demand, because the language is chosen after this module is imported.
    return {
        "01": _("Authenticate the client"),
        "02": _("Create identities"),
        "03": _("Issue access tokens"),
        "04": _("Set token lifetimes"),
        "05": _("Create an identity with a token"),
        "06": _("Refresh access tokens"),
        "07": _("Revoke access tokens"),
        "08": _("Delete and clean up"),
    }
