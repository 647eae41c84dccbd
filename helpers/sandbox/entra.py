"""The part of Microsoft Entra ID that the service's callers need.

A managed identity, so that `DefaultAzureCredential()` works unmodified, and Teams users with tokens to exchange. Tokens are
signed by the sandbox's key; their claims are those of Entra's version 1 tokens.
"""

from __future__ import annotations

import secrets
import time
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from helpers.sandbox.control import NANOSECONDS, Clock
from helpers.sandbox.tokens import InvalidToken, SigningKey, base64url

# The SDK asks for "https://communication.azure.com//.default": two slashes, so this is the resource.
COMMUNICATION_AUDIENCE = "https://communication.azure.com/"
TEAMS_AUDIENCE = "https://auth.msft.communication.azure.com"
TEAMS_SCOPES = "Teams.ManageCalls Teams.ManageChats"
MANAGED_IDENTITY_API_VERSION = "2019-08-01"
MANAGED_IDENTITY_LIFETIME_SECONDS = 24 * 3600
TEAMS_TOKEN_LIFETIME_SECONDS = 3600

_MANAGED_IDENTITIES = (
    "/subscriptions/00000000-0000-0000-0000-000000000000/resourcegroups/sandbox"
    "/providers/Microsoft.ManagedIdentity/userAssignedIdentities/"
)


@dataclass(frozen=True)
class TeamsUserToken:
    """An Entra token of a Teams user, and whose it is. The token stays out of the repr."""

    access_token: str = field(repr=False)
    app_id: str
    user_id: str
    tenant_id: str


class Entra:
    """Issues and reads Entra tokens of one tenant."""

    def __init__(self, signing_key: SigningKey, tenant_id: str, clock: Clock) -> None:
        self._signing_key = signing_key
        self._clock = clock
        self.tenant_id = tenant_id
        self.issuer = f"https://sts.windows.net/{tenant_id}/"

    def managed_identity_token(self, audience: str, resource: str | None = None) -> tuple[str, int]:
        """Return a token of a managed identity and its expiry (unix seconds by the machine's own clock).

        There is one that may act on every resource, and for each *resource*, by name, one that may act on it alone. The clock
        of the lessons does not touch it: credentials keep such tokens by the machine's time.
        """
        # The same in every process.
        tenant, whose = uuid.UUID(self.tenant_id), f" of {resource}" if resource else ""
        client_id = str(uuid.uuid5(tenant, f"managed identity{whose}"))
        object_id = str(uuid.uuid5(tenant, f"service principal{whose}"))
        now = int(time.time())
        expires = now + MANAGED_IDENTITY_LIFETIME_SECONDS
        claims = self._claims(audience, client_id, object_id, now, expires)
        if resource:
            claims["xms_mirid"] = f"{_MANAGED_IDENTITIES}{resource}"
        return self._sign({**claims, "idtyp": "app", "sub": object_id}), expires

    def read_caller_token(self, token: str) -> Mapping[str, Any]:
        """Return the claims of a token that lets its bearer manage identities; raises InvalidToken."""
        # Nobody but a managed identity gets a token for this audience.
        return self._read(token, COMMUNICATION_AUDIENCE, int(time.time()))

    @staticmethod
    def resource_of(claims: Mapping[str, Any]) -> str | None:
        """Return the name of the only resource that a managed identity may act on; None when it may act on any."""
        identity = claims.get("xms_mirid")
        return None if identity is None else str(identity).removeprefix(_MANAGED_IDENTITIES)

    def teams_user_token(
        self, *, app_id: str | None = None, user_id: str | None = None, expired: bool = False
    ) -> TeamsUserToken:
        """Return the Entra token of a Teams user who signed in to an application, made up where not given."""
        app_id = (app_id or str(uuid.uuid4())).lower()
        user_id = (user_id or str(uuid.uuid4())).lower()
        now = self._clock.time_ns() // NANOSECONDS
        if expired:
            now -= TEAMS_TOKEN_LIFETIME_SECONDS + 60
        claims = self._claims(
            TEAMS_AUDIENCE, app_id, user_id, now, now + TEAMS_TOKEN_LIFETIME_SECONDS
        )
        token = self._sign({**claims, "idtyp": "user", "scp": TEAMS_SCOPES, "sub": user_id})
        return TeamsUserToken(token, app_id, user_id, self.tenant_id)

    def read_teams_token(self, token: str) -> dict[str, Any]:
        """Return the claims of a Teams user's token; raises InvalidToken for any other and for an expired one."""
        claims = self._read(token, TEAMS_AUDIENCE, self._clock.time_ns() // NANOSECONDS)
        if claims.get("idtyp") != "user":
            raise InvalidToken("the token is not a user's")
        return claims

    def _claims(
        self, audience: str, app_id: str, object_id: str, now: int, expires: int
    ) -> dict[str, object]:
        return {
            "aud": audience,
            "iss": self.issuer,
            "iat": now,
            "nbf": now,
            "exp": expires,
            "appid": app_id,
            "oid": object_id,
            "tid": self.tenant_id,
            "uti": base64url(secrets.token_bytes(16)),
            "ver": "1.0",
        }

    def _sign(self, claims: Mapping[str, object]) -> str:
        return self._signing_key.sign(self._signing_key.unsigned(claims))

    def _read(self, token: str, audience: str, now: int) -> dict[str, Any]:
        claims = self._signing_key.read(token)
        if claims.get("iss") != self.issuer:
            raise InvalidToken("the token was not issued by this tenant")
        if str(claims.get("aud")).rstrip("/") != audience.rstrip("/"):
            raise InvalidToken("the token is meant for another audience")
        if not claims["nbf"] <= now < claims["exp"]:
            raise InvalidToken("the token is not valid at this time")
        return claims
