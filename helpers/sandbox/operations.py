"""The operations of the service: where each is found, in which api-versions, what it reads and what it gives back."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timezone
from functools import lru_cache
from typing import Any
from urllib.parse import parse_qsl, unquote

from helpers.sandbox.answers import FAULTS
from helpers.sandbox.auth import Request
from helpers.sandbox.control import NANOSECONDS
from helpers.sandbox.directory import BASIC_SCOPES, JOIN_SCOPES, Caller, Directory, Identity
from helpers.sandbox.errors import Refusal, invalid
from helpers.sandbox.requestlog import RequestRecord, masked

OLD_PREVIEW = "2020-07-20-preview2"
FIRST_TEAMS_PREVIEW = "2021-03-31-preview1"
LIFETIMES_SINCE = "2022-10-01"
JOIN_SCOPES_SINCE = "2023-10-01"
TEAMS_CHECKS_SINCE = "2022-06-01"
CUSTOM_ID_PREVIEW = "2025-03-02-preview"

IDENTITY_VERSIONS = (
    "2021-02-22-preview1",
    "2021-03-07",
    "2021-03-31-preview1",
    "2021-10-31-preview",
    "2021-11-01",
    "2022-06-01",
    "2022-10-01",
    "2023-10-01",
    "2025-03-02-preview",
    "2025-06-30",
)
TEAMS_VERSIONS = (
    "2021-03-31-preview1",
    "2021-10-31-preview",
    "2022-06-01",
    "2022-10-01",
    "2023-10-01",
    "2025-03-02-preview",
    "2025-06-30",
)

# What the live service listed in `api-supported-versions`, whatever version was asked for: on identities in April 2025, on
# the exchange in October 2023 (the later preview is added here). It served versions that it did not list; so does this.
LISTED_FOR_IDENTITIES = (
    "2020-07-20-preview2, 2021-03-07, 2021-10-31-preview, 2021-11-01, 2022-06-01, 2022-10-01, "
    "2023-10-01, 2025-03-02-preview"
)
LISTED_FOR_ISSUING = LISTED_FOR_IDENTITIES + ", 2025-03-31-preview"
LISTED_FOR_TEAMS = "2021-10-31-preview, 2022-06-01, 2022-10-01, 2023-10-01, 2025-03-02-preview"


# What an operation returns: a status and a body. A token under the empty name is spread into the body itself.
Outcome = tuple[int, Mapping[str, object] | None]


@dataclass(frozen=True)
class Call:
    """An authenticated request for one operation. What it turns out to ask for is noted in `record`."""

    caller: Caller
    api_version: str
    raw_id: str
    request: Request
    record: RequestRecord

    def since(self, api_version: str) -> bool:
        """Say whether the version asked for is this one or a later one; they begin with their dates."""
        return self.api_version >= api_version

    @property
    def scopes(self) -> Collection[str]:
        """The scopes that this version knows."""
        if self.api_version == OLD_PREVIEW:
            return _SCOPES_OF_2020
        return _ALL_SCOPES if self.since(JOIN_SCOPES_SINCE) else BASIC_SCOPES


_SCOPES_OF_2020 = BASIC_SCOPES | {"pstn"}
_ALL_SCOPES = BASIC_SCOPES | JOIN_SCOPES


@dataclass(frozen=True)
class Operation:
    """One row of the service's table of operations. In `path`, None stands for the identity."""

    name: str
    method: str
    path: tuple[str | None, ...]
    versions: Sequence[str]
    listed_versions: str
    run: Callable[[Directory, Call], Outcome]


def _count(directory: Directory, call: Call, operation: str) -> None:
    """Count a request towards the rate limit, which refuses it beyond."""
    if not directory.control_of(call.caller.resource.id).rate_limits.admits(
        call.caller.resource.id, operation
    ):
        raise Refusal(*FAULTS[429], before_action=True)


def create_identity(directory: Directory, call: Call) -> Outcome:
    """POST /identities."""
    if call.api_version == OLD_PREVIEW:
        _count(directory, call, "create_identity")
        identity, _ = directory.create_identity(call.caller)
        return 200, {"id": identity.raw_id}
    fields = {"createTokenWithScopes": _strings}
    if call.since(LIFETIMES_SINCE):
        fields["expiresInMinutes"] = _int32
    if call.api_version == CUSTOM_ID_PREVIEW:
        fields["customId"] = _string
    model = _model(call.request, fields)
    scopes = model.get("createTokenWithScopes")
    _count(directory, call, "create_identity_and_token" if scopes else "create_identity")
    if scopes is None and "createTokenWithScopes" in model and call.since(LIFETIMES_SINCE):
        raise invalid("CreateTokenWithScopes value is missing.", "CreateTokenWithScopes")
    identity, issued = directory.create_identity(
        call.caller,
        scopes=scopes,
        lifetime_minutes=model.get("expiresInMinutes"),
        custom_id=model.get("customId"),
        known_scopes=call.scopes,
    )
    call.record.identity = identity.raw_id
    if issued is not None and scopes is not None:
        call.record.note_token(scopes, model.get("expiresInMinutes"))
    body: dict[str, object] = {"identity": _identity(identity, call)}
    if issued is not None:
        body["accessToken"] = issued
    return 201, body


def get_identity(directory: Directory, call: Call) -> Outcome:
    """GET /identities/{id}."""
    return 200, _identity(directory.get_identity(call.caller, call.raw_id), call)


def delete_identity(directory: Directory, call: Call) -> Outcome:
    """DELETE /identities/{id}."""
    _count(directory, call, "delete_identity")
    directory.delete_identity(call.caller, call.raw_id)
    return 204, None


def issue_token(directory: Directory, call: Call) -> Outcome:
    """POST /identities/{id}/:issueAccessToken, and /token in 2020."""
    _count(directory, call, "issue_token")
    fields = {"scopes": _strings}
    if call.since(LIFETIMES_SINCE):
        fields["expiresInMinutes"] = _int32
    model = _model(call.request, fields)
    if model.get("scopes") is None:
        raise invalid("Scopes: The Scopes field is required.", "Scopes", before_action=True)
    issued = directory.issue_token(
        call.caller,
        call.raw_id,
        scopes=model["scopes"],
        lifetime_minutes=model.get("expiresInMinutes"),
        known_scopes=call.scopes,
    )
    call.record.note_token(model["scopes"], model.get("expiresInMinutes"))
    if call.api_version == OLD_PREVIEW:
        return 200, {"id": call.raw_id, "": issued}
    return 200, {"": issued}


def revoke_tokens(directory: Directory, call: Call) -> Outcome:
    """POST /identities/{id}/:revokeAccessTokens."""
    _count(directory, call, "revoke_tokens")
    directory.revoke_tokens(call.caller, call.raw_id)
    return 204, None


def update_identity(directory: Directory, call: Call) -> Outcome:
    """PATCH /identities/{id}, which in 2020 revoked the tokens issued before a moment."""
    _count(directory, call, "revoke_tokens")
    model = _model(call.request, {"tokensValidFrom": _string})
    issued_before = None
    if model.get("tokensValidFrom") is not None:
        issued_before = _moment(model["tokensValidFrom"])
    directory.revoke_tokens(call.caller, call.raw_id, issued_before=issued_before)
    return 204, None


def exchange_teams_user_token(directory: Directory, call: Call) -> Outcome:
    """POST /teamsUser/:exchangeAccessToken."""
    _count(directory, call, "exchange_teams_user_token")
    model = _model(call.request, {"token": _string, "appId": _string, "userId": _string})
    issued = directory.exchange_teams_user_token(
        call.caller,
        token=model.get("token"),
        app_id=model.get("appId"),
        user_id=model.get("userId"),
        token_only=not call.since(TEAMS_CHECKS_SINCE),
    )
    return 200, {"": issued}


OPERATIONS = (
    Operation(
        "create_identity",
        "POST",
        ("identities",),
        (OLD_PREVIEW, *IDENTITY_VERSIONS),
        LISTED_FOR_IDENTITIES,
        create_identity,
    ),
    Operation(
        "get_identity",
        "GET",
        ("identities", None),
        (CUSTOM_ID_PREVIEW,),
        LISTED_FOR_IDENTITIES,
        get_identity,
    ),
    Operation(
        "delete_identity",
        "DELETE",
        ("identities", None),
        (OLD_PREVIEW, *IDENTITY_VERSIONS),
        LISTED_FOR_IDENTITIES,
        delete_identity,
    ),
    Operation(
        "update_identity",
        "PATCH",
        ("identities", None),
        (OLD_PREVIEW,),
        LISTED_FOR_IDENTITIES,
        update_identity,
    ),
    Operation(
        "issue_token",
        "POST",
        ("identities", None, ":issueAccessToken"),
        IDENTITY_VERSIONS,
        LISTED_FOR_ISSUING,
        issue_token,
    ),
    Operation(
        "issue_token_2020",
        "POST",
        ("identities", None, "token"),
        (OLD_PREVIEW,),
        LISTED_FOR_IDENTITIES,
        issue_token,
    ),
    Operation(
        "revoke_tokens",
        "POST",
        ("identities", None, ":revokeAccessTokens"),
        IDENTITY_VERSIONS,
        LISTED_FOR_IDENTITIES,
        revoke_tokens,
    ),
    Operation(
        "exchange_teams_user_token",
        "POST",
        ("teamsUser", ":exchangeAccessToken"),
        TEAMS_VERSIONS,
        LISTED_FOR_TEAMS,
        exchange_teams_user_token,
    ),
)


# From the wire to an operation


class WrongMethod(Refusal):
    """The address exists, but not for this method."""

    def __init__(self, allowed: Sequence[str]) -> None:
        super().__init__("MethodNotAllowed", "Another method is needed here.", before_action=True)
        self.allowed = allowed


_BY_PATH: dict[tuple[str | None, ...], dict[str, Operation]] = {}
for _operation in OPERATIONS:
    _BY_PATH.setdefault(_operation.path, {})[_operation.method] = _operation


def route(request: Request) -> tuple[Operation, str]:
    """Return the operation that a request is for, and the identity in its path ("" where there is none).

    Paths are matched as they came over the wire, because an identity may be sent raw or percent-encoded and is signed as
    sent. Raises Refusal: `NotFound`, or WrongMethod.
    """
    path = request.target.partition("?")[0]
    segments = [unquote(segment) for segment in path.split("/")]
    if segments[-1] == "":
        segments.pop()
    key: tuple[str | None, ...] = tuple(segments[1:])
    raw_id = ""
    if key[:1] == ("identities",) and len(key) > 1:
        raw_id = segments[2]
        key = (key[0], None, *key[2:])
    on_path = _BY_PATH.get(key)
    if on_path is None or not path.startswith("/"):
        raise Refusal("NotFound", "There is nothing at this address.", before_action=True)
    operation = on_path.get(request.method)
    if operation is None:
        raise WrongMethod(list(on_path))
    return operation, raw_id


@lru_cache(maxsize=64)
def _named_versions(query: str) -> frozenset[str]:
    named = parse_qsl(query, keep_blank_values=True, max_num_fields=100)
    return frozenset(value for name, value in named if name == "api-version")


def api_version_of(request: Request, operation: Operation) -> str:
    """Return the api-version that a request names, or refuse it: none, several, or one without this operation."""
    path, _, query = request.target.partition("?")
    versions = _named_versions(query)
    if not versions - {""}:
        raise Refusal("ApiVersionUnspecified", "An API version is required, but was not specified.")
    if len(versions) > 1:
        raise Refusal(
            "AmbiguousApiVersion",
            "The request names several API versions; it must name one.",
        )
    (version,) = versions
    if version not in operation.versions:
        host = request.header(b"host")
        uri = masked(f"https://{host}{path}")
        raise Refusal(
            "UnsupportedApiVersion",
            f"The HTTP resource that matches the request URI '{uri}' does not support the API "
            f"version '{masked(version[:40])}'.",
        )
    return version


def _strings(value: object) -> bool:
    return isinstance(value, list) and all(_string(item) for item in value)


def _string(value: object) -> bool:
    # A lone surrogate is JSON, but no text that could be stored or sent.
    return isinstance(value, str) and not any("\ud800" <= letter <= "\udfff" for letter in value)


def _int32(value: object) -> bool:
    return type(value) is int and -(2**31) <= value < 2**31


def _model(request: Request, fields: Mapping[str, Callable[[object], bool]]) -> dict[str, Any]:
    """Read the members of a JSON object that an operation knows; others are ignored, null is allowed."""
    if not request.body:
        return {}
    media_type = (request.header(b"content-type") or "application/json").partition(";")[0]
    media_type = media_type.strip().lower()
    if media_type != "application/json" and not media_type.endswith("+json"):
        raise Refusal(
            "UnsupportedMediaType", "The body must be application/json.", before_action=True
        )
    try:
        model = _read_json(request.body.decode("utf-8"))
    except (ValueError, RecursionError) as error:
        raise invalid("The body is not valid JSON.", before_action=True) from error
    if not isinstance(model, dict):
        raise invalid("The body must be a JSON object.", before_action=True)
    for name, fits in fields.items():
        if model.get(name) is not None and not fits(model[name]):
            title = name[0].upper() + name[1:]
            raise invalid(
                f"{title}: The {title} field has a wrong type.", title, before_action=True
            )
    return {name: model[name] for name in fields if name in model}


def _no_constant(name: str) -> object:
    raise ValueError(f"{name} is not JSON")


_read_json = json.JSONDecoder(parse_constant=_no_constant).decode


_DATE_TIME = re.compile(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(\.\d{1,9})?(Z|[+-]\d\d:\d\d)?", re.ASCII)


def _moment(text: str) -> int:
    """Read a date and time (RFC 3339, UTC unless told) as nanoseconds since 1970."""
    match = _DATE_TIME.fullmatch(text)
    try:
        if match is None:
            raise ValueError("not a date and time")
        zone = "+00:00" if match[3] in (None, "Z") else match[3]
        seconds = int(datetime.fromisoformat(match[1] + zone).timestamp())
    except (ValueError, OverflowError) as error:
        raise invalid(
            "TokensValidFrom: The TokensValidFrom field has a wrong type.",
            "TokensValidFrom",
            before_action=True,
        ) from error
    fraction = int((match[2] or ".")[1:].ljust(9, "0"))
    return max(0, min(seconds, 9_000_000_000)) * NANOSECONDS + fraction


def _identity(identity: Identity, call: Call) -> dict[str, object]:
    shown: dict[str, object] = {}
    if call.api_version == CUSTOM_ID_PREVIEW:
        if identity.custom_id is not None:
            shown["customId"] = identity.custom_id
        if identity.last_token_issued_at is not None:
            moment = datetime.fromtimestamp(identity.last_token_issued_at, timezone.utc)
            shown["lastTokenIssuedAt"] = moment.isoformat()
    shown["id"] = identity.raw_id
    return shown


@lru_cache(maxsize=64)
def _second(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, timezone.utc).strftime("%Y-%m-%dT%H:%M:%S")


def expires_on(nanoseconds: int) -> str:
    """Write a moment as the service does: seven digits of a second at most, trailing zeros dropped, `+00:00`."""
    seconds, rest = divmod(nanoseconds, NANOSECONDS)
    moment = _second(seconds)
    fraction = f"{rest // 100:07d}".rstrip("0")
    return f"{moment}.{fraction}+00:00" if fraction else f"{moment}+00:00"
