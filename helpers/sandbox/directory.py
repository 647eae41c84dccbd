"""Resources, identities and tokens: what exists, and the rules by which it changes. No HTTP, no sockets.

A request that breaks a rule ends in `Refusal`, with the code, message and target of the service. The sources of the rules
are listed in SUPPORT.md.
"""

from __future__ import annotations

import base64
import random
import re
import secrets
import uuid
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timezone
from itertools import count
from typing import Any, Literal

from helpers.sandbox import tokens
from helpers.sandbox.control import NANOSECONDS, Control
from helpers.sandbox.entra import Entra
from helpers.sandbox.errors import Refusal, SandboxError, denied, invalid
from helpers.sandbox.store import Resource, Snapshot, Store
from helpers.sandbox.tokens import InvalidToken, SigningKey

DEFAULT_RESOURCE = "default"
KeySlot = Literal["primary", "secondary"]

MINIMUM_LIFETIME_MINUTES = 60
MAXIMUM_LIFETIME_MINUTES = 1440
DEFAULT_LIFETIME_MINUTES = 1440
MAXIMUM_CUSTOM_ID_LENGTH = 256

BASIC_SCOPES = frozenset({"chat", "voip"})
JOIN_SCOPES = frozenset({"chat.join", "chat.join.limited", "voip.join"})
CHAT_SCOPES = frozenset({"chat", "chat.join", "chat.join.limited"})

# The first sixteen hexadecimal digits of an identity's suffix count milliseconds from here (computed from ten public ids).
IDENTITY_EPOCH_MS = int(datetime(2020, 1, 1, 8, tzinfo=timezone.utc).timestamp() * 1000)
# Where ids begin after `seed`: repeatable ids cannot carry the hour of the run.
SEEDED_START_MS = int(datetime(2026, 1, 1, tzinfo=timezone.utc).timestamp() * 1000)

# A pair that was seen in public tokens.
LOCATION, REGION = "unitedstates", "amer"

_GUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
_IDENTITY = re.compile(rf"8:acs:({_GUID.pattern})_({_GUID.pattern})")
_RESOURCE_NAME = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?")


@dataclass(frozen=True)
class Caller:
    """Who proved to be allowed to act on a resource: by one of its access keys, or (None) by an Entra token."""

    resource: Resource
    access_key_id: int | None


@dataclass(frozen=True)
class Identity:
    """A communication user. Times in unix seconds, UTC."""

    raw_id: str
    custom_id: str | None = None
    last_token_issued_at: int | None = None


@dataclass(frozen=True)
class IssuedToken:
    """A token that is stored but not yet signed, and the moment at which it ends (nanoseconds, UTC)."""

    unsigned: str
    expires_at: int


@dataclass(frozen=True)
class TokenHolder:
    """What a valid token says of who presents it."""

    raw_id: str
    resource_id: str
    scopes: tuple[str, ...]
    expires_at: int


def is_guid(text: str) -> bool:
    """Say whether a text is a GUID in its usual form with hyphens."""
    return _GUID.fullmatch(text) is not None


class Directory:
    """The state of a sandbox and the rules of the service."""

    def __init__(self, store: Store, control: Control) -> None:
        self.store = store
        self.control = control
        self._apart: dict[str, Control] = {}
        self._clock = control.clock
        self._random: random.Random = secrets.SystemRandom()
        self._seeded_ms: int | None = None
        self.signing_key = SigningKey.from_pem(
            store.setting("signing_key", lambda: SigningKey.generate().to_pem())
        )
        tenant_id = store.setting("tenant_id", lambda: str(uuid.uuid4()).encode("ascii"))
        self.entra = Entra(self.signing_key, tenant_id.decode("ascii"), control.clock)
        with store.transaction():
            if store.resource(DEFAULT_RESOURCE) is None:
                self.add_resource(DEFAULT_RESOURCE)

    # Control

    def control_of(self, resource_id: str) -> Control:
        """Return what governs a resource: its own control where it has one, else everyone's."""
        return self._apart.get(resource_id, self.control)

    def set_apart(self, resource_id: str) -> Control:
        """Give a resource a control of its own, if it has none yet."""
        return self._apart.setdefault(resource_id, Control())

    # Resources

    def resource(self, name: str = DEFAULT_RESOURCE) -> Resource:
        """Return a resource by name; raises SandboxError when there is none of that name."""
        found = self.store.resource(name)
        if found is None:
            known = ", ".join(resource.name for resource in self.store.resources())
            raise SandboxError(f"There is no resource named {name!r}; there are: {known}.")
        return found

    def add_resource(self, name: str) -> Resource:
        """Add a resource with its own GUID, keys and identities."""
        if not _RESOURCE_NAME.fullmatch(name):
            raise SandboxError(
                "A resource's name consists of lower-case letters, digits and hyphens "
                "(1 to 63, beginning and ending with a letter or digit)."
            )
        with self.store.transaction():
            if self.store.resource(name) is not None:
                raise SandboxError(f"There is already a resource named {name!r}.")
            self.store.add_resource(
                id=str(uuid.UUID(int=self._random.getrandbits(128), version=4)),
                name=name,
                location=LOCATION,
                region=REGION,
                keys=(self._new_key(), self._new_key()),
            )
            return self.resource(name)

    def rotate_key(self, slot: KeySlot = "primary", resource: str = DEFAULT_RESOURCE) -> Resource:
        """Replace one of a resource's two keys and revoke the tokens that were issued under it (documented)."""
        if slot not in ("primary", "secondary"):
            raise SandboxError("A resource has a 'primary' and a 'secondary' key.")
        with self.store.transaction():
            found = self.resource(resource)
            self.store.replace_key(
                found.id, slot, self._new_key(), ends_at=self._revocation_time(found.id)
            )
            return self.resource(resource)

    def _new_key(self) -> str:
        return base64.b64encode(self._random.getrandbits(512).to_bytes(64, "big")).decode("ascii")

    # Identities

    def create_identity(
        self,
        caller: Caller,
        *,
        scopes: Sequence[str] | None = None,
        lifetime_minutes: int | None = None,
        custom_id: str | None = None,
        known_scopes: Collection[str] = BASIC_SCOPES | JOIN_SCOPES,
    ) -> tuple[Identity, IssuedToken | None]:
        """Create an identity, with a token when scopes are given.

        A custom id that the resource knows already gives the identity that has it (recorded live, 2025-03-02-preview).
        """
        if scopes is not None:
            self._check_scopes_given(scopes)
        self._check_lifetime(lifetime_minutes)
        if scopes is None and lifetime_minutes is not None:
            raise invalid("CreateTokenWithScopes value is missing.", "CreateTokenWithScopes")
        if scopes is not None:
            self._check_scopes_known(scopes, known_scopes)
        if custom_id is not None and not 1 <= len(custom_id) <= MAXIMUM_CUSTOM_ID_LENGTH:
            raise invalid(
                f"CustomId must be between 1 and {MAXIMUM_CUSTOM_ID_LENGTH} characters long.",
                "CustomId",
            )
        with self.store.transaction():
            found = (
                self.store.identity_by_custom_id(caller.resource.id, custom_id)
                if custom_id is not None
                else None
            )
            raw_id = found.raw_id if found else self._add_identity(caller.resource, custom_id)
            issued = (
                self._issue(caller, raw_id, scopes, lifetime_minutes)
                if scopes is not None
                else None
            )
            return self._identity(raw_id), issued

    def _add_identity(self, resource: Resource, custom_id: str | None) -> str:
        now = self.control_of(resource.id).clock.time_ns()
        while True:
            raw_id = f"8:acs:{resource.id}_{self._new_suffix(now)}"
            if self.store.add_identity(raw_id, resource.id, custom_id, now):
                return raw_id

    def _new_suffix(self, now: int) -> str:
        if self._seeded_ms is None:
            created_ms = now // 1_000_000
        else:
            created_ms = self._seeded_ms
            self._seeded_ms += 1
        # A clock moved to before 2020 must not make a negative number.
        instant = f"{max(created_ms - IDENTITY_EPOCH_MS, 0):016x}"
        varying, node, counter = (self._random.getrandbits(bits) for bits in (16, 8, 16))
        return (
            f"{instant[:8]}-{instant[8:12]}-{instant[12:]}-{varying:04x}-"
            f"{node:02x}3a0d00{counter:04x}"
        )

    def get_identity(self, caller: Caller, raw_id: str) -> Identity:
        """Return an identity of the caller's resource."""
        self._check_owned(caller, raw_id)
        return self._identity(raw_id)

    def delete_identity(self, caller: Caller, raw_id: str) -> None:
        """Delete an identity and revoke its tokens; an identity that is gone already is no error (assumed)."""
        self._check_owned(caller, raw_id)
        self.store.delete_identity(raw_id, ends_at=self._revocation_time(caller.resource.id))

    def _check_owned(self, caller: Caller, raw_id: str) -> None:
        match = _IDENTITY.fullmatch(raw_id)
        if match is None or match[1] != caller.resource.id:
            raise Refusal("IdentityNotOwned", "Provided identity doesn't belong to the resource.")

    def _identity(self, raw_id: str) -> Identity:
        found = self.store.identity(raw_id)
        if found is None:
            raise self._not_found()
        issued_at = self.store.last_token_issued_at(raw_id)
        return Identity(
            raw_id, found.custom_id, None if issued_at is None else issued_at // NANOSECONDS
        )

    def _not_found(self) -> Refusal:
        return Refusal("IdentityNotFound", "Provided identity doesn't exist.")

    # Tokens

    def issue_token(
        self,
        caller: Caller,
        raw_id: str,
        *,
        scopes: Sequence[str],
        lifetime_minutes: int | None = None,
        known_scopes: Collection[str] = BASIC_SCOPES | JOIN_SCOPES,
    ) -> IssuedToken:
        """Issue a token to an identity of the caller's resource."""
        self._check_scopes_given(scopes)
        self._check_lifetime(lifetime_minutes)
        self._check_scopes_known(scopes, known_scopes)
        self._check_owned(caller, raw_id)
        return self._issue(caller, raw_id, scopes, lifetime_minutes)

    def _issue(
        self, caller: Caller, raw_id: str, scopes: Sequence[str], lifetime_minutes: int | None
    ) -> IssuedToken:
        """Store a token that was not revoked and, for the first two of a second, not issued before.

        The documented claims know whole seconds only, so that two tokens of one second could be the same text, and a new
        one could be one that was just revoked. `csi` equals `iat` or is one earlier (decoded from public tokens), which
        makes two; where a revocation has spent both, the next second's are taken.
        """
        now = self.control_of(caller.resource.id).clock.time_ns()
        lifetime = (lifetime_minutes or DEFAULT_LIFETIME_MINUTES) * 60
        for step in count():
            later, earlier = divmod(step, 2)
            unsigned = self.signing_key.unsigned(
                tokens.communication_user_claims(
                    raw_id,
                    list(dict.fromkeys(scopes)),
                    resource_id=caller.resource.id,
                    region=caller.resource.region,
                    location=caller.resource.location,
                    issued_at=now // NANOSECONDS + later - earlier,
                    signed_at=now // NANOSECONDS + later,
                    lifetime_seconds=lifetime,
                )
            )
            digest = tokens.digest(unsigned)
            if self.store.add_token_of_identity(raw_id, digest, caller.access_key_id, now):
                break
            if not earlier:
                continue
            known = self.store.token(raw_id, digest)
            if known is None:
                raise self._not_found()
            if known.ends_at is None and known.access_key_id == caller.access_key_id:
                break
        return IssuedToken(unsigned, now + lifetime * NANOSECONDS)

    def revoke_tokens(
        self, caller: Caller, raw_id: str, *, issued_before: int | None = None
    ) -> None:
        """Revoke the tokens that an identity has; it can get new ones at once. Nothing to revoke is no error."""
        self._check_owned(caller, raw_id)
        with self.store.transaction():
            self._identity(raw_id)
            self.store.end_tokens(
                raw_id,
                ends_at=self._revocation_time(caller.resource.id),
                issued_before=issued_before,
            )

    def _revocation_time(self, resource_id: str) -> int:
        control = self.control_of(resource_id)
        delay = control.revocation_delay
        # 0 rather than now: what was revoked at once stays revoked when the clock is moved back.
        if not delay:
            return 0
        return control.clock.time_ns() + int(delay.total_seconds() * NANOSECONDS)

    def exchange_teams_user_token(
        self,
        caller: Caller,
        *,
        token: Any,
        app_id: Any = None,
        user_id: Any = None,
        token_only: bool = False,
    ) -> IssuedToken:
        """Give a Teams user's token for the Entra token of that user.

        The checks come in the service's order (recorded live, and within a pair assumed). `token_only`: the 2021 previews
        ask for nothing else.
        """
        if token is None:
            raise invalid(
                "The body is either missing or doesn't contain any token.", before_action=True
            )
        try:
            claims = self.entra.read_teams_token(token)
        except InvalidToken as error:
            raise Refusal(
                "InvalidAccessToken", "Provided access token is not valid.", before_action=True
            ) from error
        if not token_only:
            for name, value in (("AppId", app_id), ("UserId", user_id)):
                if not value:
                    raise invalid(
                        f"{name}: The {name} field is required.", name, before_action=True
                    )
            for name, value in (("AppId", app_id), ("UserId", user_id)):
                if not is_guid(value):
                    raise invalid(
                        f"Provided {name} has invalid format.", name[0].lower() + name[1:]
                    )
            if app_id.lower() != claims["appid"]:
                raise invalid("AAD application is not the expected one.", "appId")
            if user_id.lower() != claims["oid"]:
                raise invalid("Provided AAD token issued for unexpected user.", "userId")
        now = self._clock.time_ns()
        resource = caller.resource
        unsigned = self.signing_key.unsigned(
            tokens.teams_user_claims(claims, resource_id=resource.id, region=resource.region)
        )
        with self.store.transaction():
            self.store.add_token(
                f"8:orgid:{claims['oid']}", tokens.digest(unsigned), caller.access_key_id, now
            )
        remaining = claims["exp"] - now // NANOSECONDS
        return IssuedToken(unsigned, now + remaining * NANOSECONDS)

    def check_token(self, token: str) -> TokenHolder:
        """Return who presents a token, as a service that consumes tokens would; refuses what is not valid now."""
        try:
            claims = self.signing_key.read(token)
            scopes = str(claims["acsScope"]).split(",")
            holder = TokenHolder(
                "8:" + claims["skypeid"], claims["resourceId"], tuple(scopes), claims["exp"]
            )
        except (InvalidToken, KeyError) as error:
            # An Entra token, signed by the same key, lacks these claims.
            raise denied() from error
        now = self.control_of(holder.resource_id).clock.time_ns()
        stored = self.store.token(holder.raw_id, tokens.digest(token.rpartition(".")[0]))
        if stored is None or not stored.works_at(now) or now >= holder.expires_at * NANOSECONDS:
            raise denied()
        return holder

    # Rules shared by creating and issuing

    def _check_scopes_given(self, scopes: Sequence[str]) -> None:
        if not scopes:
            raise invalid("Invalid scopes - Scopes field is required.", "scopes")

    def _check_scopes_known(self, scopes: Sequence[str], known: Collection[str]) -> None:
        if any(scope not in known for scope in scopes):
            # The unknown scope is not repeated: it may be anything, a pasted secret too.
            raise invalid("Invalid scopes - Provided scope is not supported.", "scopes")

    def _check_lifetime(self, minutes: int | None) -> None:
        if minutes is None:
            return
        if not MINIMUM_LIFETIME_MINUTES <= minutes <= MAXIMUM_LIFETIME_MINUTES:
            raise invalid(
                f"ExpiresInMinutes value {minutes} is invalid. Value must be within the "
                f"[{MINIMUM_LIFETIME_MINUTES}, {MAXIMUM_LIFETIME_MINUTES}] interval.",
                "ExpiresInMinutes",
            )

    # Known states

    def reset(self) -> None:
        """Delete every identity and token of every resource; resources and keys stay. Controls that are apart are undone."""
        for control in self._apart.values():
            control.reset()
        self.store.clear()

    def seed(self, number: int) -> None:
        """Empty everything and make the ids and keys that follow the same each time."""
        self._random = random.Random(number)
        self._seeded_ms = SEEDED_START_MS
        with self.store.transaction():
            self.store.clear(resources=True)
            self.add_resource(DEFAULT_RESOURCE)

    def snapshot(self) -> Snapshot:
        """Return everything there is now; the clock is not part of it."""
        return Snapshot(self.store.dump())

    def restore(self, snapshot: Snapshot) -> None:
        """Return to what there was."""
        self.store.load(snapshot.tables)
