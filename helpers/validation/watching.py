"""In the kernel of a live lesson: notes what every client creates, whether it reports to the session or not.

A program such as that of lesson 09 builds its client the way readers will, without ``session.observe``. Should it fail in the
middle, nobody would know its identities; on the sandbox that is nothing, on a real resource they would stay.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from azure.core.pipeline import policies

from helpers import settings
from helpers.journal import Journal


def watch_clients(troubles: str) -> None:
    """Record the exchanges of all clients that this process makes from now on.

    They go into the journal as a session of their own, after the lesson's session had its turn: so an identity that the
    lesson's ledger knows stays the lesson's. Answers that say “not now”, and broken connections, get a line in the file
    *troubles*.
    """
    chosen = settings.load()
    journal = Journal(chosen.home, service=chosen.host or "")
    log = Path(troubles)

    def note(trouble: str) -> None:
        with log.open("a", encoding="utf-8") as file:
            file.write(json.dumps(trouble) + "\n")

    class WatchfulHookPolicy(policies.CustomHookPolicy[Any, Any]):
        def on_response(self, request: Any, response: Any) -> None:
            try:
                super().on_response(request, response)
            finally:
                # The doctor's client has a sandbox of its own, whose identity is none of this resource's.
                if urlsplit(response.http_request.url).netloc == chosen.host:
                    journal.observe(response)
                status = response.http_response.status_code
                if status == 429 or status >= 500:
                    note(str(status))

        def on_exception(self, request: Any) -> None:
            super().on_exception(request)
            note("connection")

    # Clients look the name up there when they are built.
    policies.CustomHookPolicy = WatchfulHookPolicy  # type: ignore[misc]
