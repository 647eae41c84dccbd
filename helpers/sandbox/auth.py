"""Who is calling: HMAC-signed requests and bearer tokens. Nothing is accepted because it is only a sandbox."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import re
import time
from collections.abc import Iterable, Sequence
from email.utils import parsedate_to_datetime
from functools import lru_cache
from itertools import chain

from helpers.sandbox.directory import Caller
from helpers.sandbox.entra import Entra
from helpers.sandbox.errors import denied
from helpers.sandbox.store import Resource
from helpers.sandbox.tokens import InvalidToken

# The identity service's own window is not published; the sister scheme of App Configuration allows this much.
DATE_WINDOW_SECONDS = 15 * 60

# The two generations of the SDK: before 1.1.0b1 they sign `Date`, since then `x-ms-date`.
SIGNED_HEADERS = {
    "x-ms-date;host;x-ms-content-sha256": b"x-ms-date",
    "date;host;x-ms-content-sha256": b"date",
}
_AUTHORIZATION = re.compile(r"HMAC-SHA256 SignedHeaders=([^&]+)&Signature=([A-Za-z0-9+/]+={0,2})")
_BAD_STRUCTURE = "Given value does not match HMAC header structure."
_HASH_DIFFERS = "Request 'x-ms-content-sha256' differs from generated content hash."


class Request:
    """A request as it came over the wire: `target` is the path and query before any decoding."""

    def __init__(
        self, method: str, target: str, headers: Iterable[tuple[bytes, bytes]], body: bytes = b""
    ) -> None:
        self.method = method
        self.target = target
        self.body = body
        self._headers: dict[bytes, bytes | None] = {}
        for name, value in headers:
            # It is not clear which of two to believe.
            self._headers[name] = None if name in self._headers else value

    def header(self, name: bytes) -> str | None:
        """Return a header, named in lower case, that was sent exactly once."""
        value = self._headers.get(name)
        return None if value is None else value.decode("latin-1")


def content_hash(body: bytes) -> str:
    """Return the value of `x-ms-content-sha256` for a body."""
    return base64.b64encode(hashlib.sha256(body).digest()).decode("ascii")


def string_to_sign(method: str, target: str, date: str, host: str, body_hash: str) -> str:
    """Return what both sides sign."""
    return f"{method}\n{target}\n{date};{host};{body_hash}"


def signature(key: str, text: str) -> str:
    """Sign with an access key as it is handed out, in base64."""
    return base64.b64encode(_signed_by(key, text.encode("utf-8"))).decode("ascii")


def _signed_by(key: str, text: bytes) -> bytes:
    return hmac.digest(_key_bytes(key), text, "sha256")


@lru_cache(maxsize=1024)
def _key_bytes(key: str) -> bytes:
    return base64.b64decode(key)


def authenticate(request: Request, resources: Sequence[Resource], entra: Entra) -> Caller:
    """Return the caller, or refuse with `Denied`.

    `resources` are those that the request's host may mean, the default one first. An access key says by itself which of
    them it belongs to; an Entra token acts on the first that its bearer may act on.
    """
    authorization = request.header(b"authorization")
    if authorization is None:
        raise denied()
    scheme = authorization.partition(" ")[0].lower()
    if scheme == "hmac-sha256":
        return _signed(request, authorization, resources)
    if scheme == "bearer":
        return _bearer(authorization, resources, entra)
    raise denied()


def bearer_token(request: Request) -> str | None:
    """Return the token of a bearer header."""
    scheme, _, token = (request.header(b"authorization") or "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" else None


def identity_header_of(resource: str, identity_header: str) -> str:
    """Return the secret by which the managed identity of one resource is had, made of the one that all share."""
    proof = hmac.new(identity_header.encode("ascii"), resource.encode("ascii"), hashlib.sha256)
    return f"{resource}.{proof.hexdigest()}"


def _signed(request: Request, authorization: str, resources: Sequence[Resource]) -> Caller:
    match = _AUTHORIZATION.fullmatch(authorization)
    if match is None:
        raise denied(_BAD_STRUCTURE)
    date_header = SIGNED_HEADERS.get(match[1].lower())
    if date_header is None:
        raise denied(_BAD_STRUCTURE)
    date, host = request.header(date_header), request.header(b"host")
    sent_at = None if date is None else _moment(date)
    if date is None or host is None or sent_at is None:
        raise denied()
    if abs(time.time() - sent_at) > DATE_WINDOW_SECONDS:
        raise denied()
    body_hash = request.header(b"x-ms-content-sha256")
    if body_hash is None:
        raise denied()
    if not hmac.compare_digest(body_hash.encode("latin-1"), content_hash(request.body).encode()):
        raise denied(_HASH_DIFFERS)
    text = string_to_sign(request.method, request.target, date, host, body_hash).encode("utf-8")
    try:
        given = base64.b64decode(match[2], validate=True)
    except binascii.Error as error:
        raise denied() from error
    if base64.b64encode(given).decode("ascii") != match[2]:
        # Other letters with the same meaning, where the last one holds bits that do not count.
        raise denied()
    # An identity in the address names its resource, whose keys are tried first: in a room there are hundreds.
    named = [resource for resource in resources if resource.id in request.target]
    for resource in chain(named, resources):
        for key_id, key in resource.keys:
            if hmac.compare_digest(given, _signed_by(key, text)):
                return Caller(resource, key_id)
    raise denied()


def _bearer(authorization: str, resources: Sequence[Resource], entra: Entra) -> Caller:
    try:
        claims = entra.read_caller_token(authorization.partition(" ")[2].strip())
    except InvalidToken as error:
        raise denied() from error
    name = entra.resource_of(claims)
    for resource in resources:
        if name is None or resource.name == name:
            return Caller(resource, None)
    raise denied()


@lru_cache(maxsize=64)
def _moment(date: str) -> float | None:
    """Read an HTTP date; None when it is none. Clients send the same one for a whole second."""
    if not date.endswith(" GMT"):
        return None
    try:
        return parsedate_to_datetime(date).timestamp()
    except (ValueError, TypeError, OverflowError, IndexError):
        return None
