"""What goes back: status codes, error bodies, and the headers under which the service sends them."""

from __future__ import annotations

import base64
import json
import random
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from email.utils import formatdate
from functools import lru_cache

from starlette.types import Receive, Scope, Send

from helpers.sandbox.auth import Request
from helpers.sandbox.control import Fault
from helpers.sandbox.errors import Refusal

STATUSES: Mapping[str, int] = {
    "ValidationError": 400,
    "ApiVersionUnspecified": 400,
    "AmbiguousApiVersion": 400,
    "UnsupportedApiVersion": 400,
    "Denied": 401,
    "IdentityNotOwned": 401,
    "InvalidAccessToken": 401,
    "IdentityNotFound": 404,
    "NotFound": 404,
    "MethodNotAllowed": 405,
    "RequestBodyTooLarge": 413,
    "UnsupportedMediaType": 415,
    "MisdirectedRequest": 421,
    "TooManyRequests": 429,
    "InternalServerError": 500,
    "ServiceUnavailable": 503,
}
FAULTS: Mapping[int, tuple[str, str]] = {
    429: ("TooManyRequests", "Too many requests."),
    500: ("InternalServerError", "Internal server error."),
    503: ("ServiceUnavailable", "The service is temporarily unavailable."),
}


@dataclass
class Answer:
    """What goes back, before it becomes bytes."""

    status: int
    body: Mapping[str, object] | None = None
    listed_versions: str | None = None
    headers: list[tuple[bytes, bytes]] = field(default_factory=list)

    @property
    def error(self) -> Mapping[str, object] | None:
        """The error in the body, if there is one."""
        error = self.body.get("error") if self.body is not None and self.status >= 400 else None
        return error if isinstance(error, dict) else None


def refused(refusal: Refusal, listed_versions: str | None = None) -> Answer:
    """Return the answer to a refused request."""
    error: dict[str, object] = {"code": refusal.code, "message": refusal.message}
    if refusal.target is not None:
        error["target"] = refusal.target
    if refusal.code == "UnsupportedApiVersion":
        # The versioning library of the service's platform adds this member.
        error["innerError"] = None
    return Answer(
        STATUSES[refusal.code],
        {"error": error},
        None if refusal.before_action else listed_versions,
    )


def failed(fault: Fault) -> Answer:
    """Return the answer of a fault that was asked for."""
    assert fault.status is not None
    answer = refused(Refusal(*FAULTS[fault.status], before_action=True))
    if fault.retry_after is not None:
        answer.headers.append((b"Retry-After", str(fault.retry_after).encode("ascii")))
    return answer


# Of what tells one answer from another; nothing secret.
_references = random.Random()
_json = json.JSONEncoder(separators=(",", ":")).encode

# The same on every answer.
_KEEP_ALIVE = (b"Connection", b"keep-alive")
_CLOSE = (b"Connection", b"close")
_PLATFORM = (
    (b"Request-Context", b"appId="),
    (b"Strict-Transport-Security", b"max-age=31536000;includeSubDomains"),
    (b"X-Cache", b"CONFIG_NOCACHE"),
)
_JSON = (b"Content-Type", b"application/json; charset=utf-8")
_ERROR = (b"Content-Type", b"application/json")
_EMPTY = (b"Content-Length", b"0")
_RANGES = (b"Accept-Ranges", b"bytes")


@lru_cache(maxsize=2)
def _second(now: int) -> tuple[bytes, bytes]:
    """Return the date of an answer and the beginning of its reference, which are the same for a whole second."""
    reference = time.strftime("%Y%m%dT%H%M%SZ-", time.gmtime(now))
    return formatdate(now, usegmt=True).encode("ascii"), reference.encode("ascii")


async def send_answer(answer: Answer, request: Request, send: Send, started: float) -> None:
    """Send an answer. `started` is the moment (`time.perf_counter`) at which its request came."""
    date, reference = _second(int(time.time()))
    random_bytes = _references.randbytes(32)
    headers = [
        (b"Date", date),
        _CLOSE if answer.status == 413 else _KEEP_ALIVE,
        (b"MS-CV", base64.b64encode(random_bytes[:16]).rstrip(b"=") + b".0"),
        *_PLATFORM,
        (b"x-azure-ref", reference + random_bytes[16:].hex().encode("ascii")),
        (b"X-Processing-Time", b"%dms" % ((time.perf_counter() - started) * 1000)),
        *answer.headers,
    ]
    if answer.listed_versions is not None:
        headers.append((b"api-supported-versions", answer.listed_versions.encode("ascii")))
    client_request_id = request.header(b"x-ms-client-request-id")
    if client_request_id is not None:
        headers.append((b"x-ms-client-request-id", client_request_id.encode("latin-1")))
    body = b""
    if answer.body is not None:
        body = _json(answer.body).encode("ascii")
        if answer.status < 400:
            headers.append(_JSON)
            headers.append((b"Content-Length", b"%d" % len(body)))
            if request.method == "GET":
                headers.append(_RANGES)
        else:
            # Without a length the server sends it in chunks, as the service does.
            headers.append(_ERROR)
    elif answer.status != 204:
        headers.append(_EMPTY)
    await send({"type": "http.response.start", "status": answer.status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


async def drop_connection(scope: Scope, receive: Receive) -> None:
    """Break the connection instead of answering."""
    abort = scope.get("state", {}).get("abort_connection")
    if abort is None:
        raise ConnectionAbortedError("The sandbox dropped the connection.")
    abort()
    while (await receive())["type"] != "http.disconnect":
        pass
