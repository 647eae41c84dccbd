"""A line per request in a file, without secrets."""

from __future__ import annotations

import logging
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Literal

from helpers.sandbox.errors import SandboxError

_SECRETS = re.compile(
    r"eyJ[\w-]*(?:\.[\w-]*){0,2}"  # a JSON Web Token, or the beginning of one
    r"|[A-Za-z0-9+/]{40,}={0,2}"  # base64 as long as an access key or a signature
)


def masked(text: str) -> str:
    """Hide whatever looks like a token or a key."""
    return _SECRETS.sub("(hidden)", text)


@dataclass
class RequestRecord:
    """What may be told of one request: nothing secret. Filled in while it is answered.

    `status` is None when the connection was dropped. `code` and `message` are those of the error body. `resource` is the name of the one that an authenticated caller acts
    on. `scopes` and `lifetime_minutes` (None: the default) are those of a token that was issued.
    """

    at: datetime
    method: str
    target: str
    client: str | None = None
    client_request_id: str | None = None
    status: int | None = None
    seconds: float = 0.0
    code: str | None = None
    message: str | None = None
    resource: str | None = None
    credential: Literal["key", "entra"] | None = None
    operation: str | None = None
    identity: str | None = None
    scopes: tuple[str, ...] | None = None
    lifetime_minutes: int | None = None

    def note_token(self, scopes: Sequence[str], lifetime_minutes: int | None) -> None:
        """Note that a token was issued."""
        self.scopes = tuple(scopes)
        self.lifetime_minutes = lifetime_minutes


class RequestLog:
    """Appends `time method target status milliseconds code client-request-id` to a file."""

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._file = path.open("a", encoding="ascii", errors="backslashreplace", buffering=1)
        except OSError as error:
            raise SandboxError(
                f"The request log {path} cannot be written: {error.strerror or error}; "
                "choose another file."
            ) from error
        self._broken = False

    def write(self, record: RequestRecord) -> None:
        """Add a line. A log that cannot be written any more says so once and never stops an answer."""
        if self._broken:
            return
        line = (
            f"{record.at.isoformat(timespec='milliseconds')} {record.method} {record.target} "
            f"{record.status or 'dropped'} {record.seconds * 1000:.1f}ms {record.code or '-'} "
            f"{record.client_request_id or '-'}\n"
        )
        try:
            self._file.write(line)
        except OSError as error:
            self._broken = True
            logging.getLogger("helpers.sandbox").warning(
                "The request log %s stops here: %s.", self.path, error.strerror or error
            )

    def close(self) -> None:
        """Close the file."""
        try:
            self._file.close()
        except OSError:
            # A broken one still has what it could not write, and said so.
            if not self._broken:
                raise
