"""What the sandbox complains about.

Exception
├── SandboxError        the person running the sandbox can put it right: one sentence says how
│   └── StorageError    the state cannot be read or written now
└── Refusal             the service's answer to a request that it does not accept
"""

from __future__ import annotations


class SandboxError(Exception):
    """Something the person running the sandbox can put right; its text says what and how."""

    def _render_traceback_(self) -> list[str]:
        # IPython's documented way for an exception to say how it is shown.
        return [str(self)]


class StorageError(SandboxError):
    """The state cannot be read or written: a full disk, a read-only folder, a damaged file, a lock."""


class Refusal(Exception):
    """A request that the service refuses, as the service words it.

    `code`, `message` and `target` are the members of the error body. `before_action` marks the refusals that come
    while a request is still being read into its model: their answers lack `api-supported-versions` (recorded live).
    """

    def __init__(
        self, code: str, message: str, target: str | None = None, *, before_action: bool = False
    ) -> None:
        super().__init__(f"({code}) {message}")
        self.code = code
        self.message = message
        self.target = target
        self.before_action = before_action


def denied(message: str = "Denied by the resource provider.") -> Refusal:
    """Return the refusal of a caller who did not prove who they are (wording reported by users)."""
    return Refusal("Denied", message, before_action=True)


def invalid(message: str, target: str | None = None, *, before_action: bool = False) -> Refusal:
    """Return the refusal of a request whose content breaks a rule."""
    return Refusal("ValidationError", message, target, before_action=before_action)
