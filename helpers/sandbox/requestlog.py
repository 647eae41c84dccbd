"""A line per request in a file, without secrets."""

from __future__ import annotations

import logging
import re
from datetime import datetime, timezone
from pathlib import Path

from helpers.sandbox.errors import SandboxError

_SECRETS = re.compile(
    r"eyJ[\w-]*(?:\.[\w-]*){0,2}"  # a JSON Web Token, or the beginning of one
    r"|[A-Za-z0-9+/]{40,}={0,2}"  # base64 as long as an access key or a signature
)


def masked(text: str) -> str:
    """Hide whatever looks like a token or a key."""
    return _SECRETS.sub("(hidden)", text)


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

    def write(
        self,
        *,
        method: str,
        target: str,
        status: int | None,
        seconds: float,
        code: str | None,
        client_request_id: str | None,
    ) -> None:
        """Add a line. A log that cannot be written any more says so once and never stops an answer."""
        if self._broken:
            return
        now = datetime.now(timezone.utc).isoformat(timespec="milliseconds")
        line = (
            f"{now} {method} {masked(target)} {status or 'dropped'} {seconds * 1000:.1f}ms "
            f"{code or '-'} {masked(client_request_id or '-')}\n"
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
