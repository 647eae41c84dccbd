"""The JSON Web Tokens of the sandbox: their claims, signing them and reading them.

Everything about the format was decoded from public tokens of the live service; Microsoft says that it is no contract.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
from collections.abc import Mapping, Sequence
from typing import Any

from helpers.sandbox import rsa_key
from helpers.sandbox.rsa_key import RsaKey

# One number for every token of its kind, whatever its scopes (decoded from public tokens).
SCP_COMMUNICATION_USER = 1792
SCP_TEAMS_USER = 1024


_compact_json = json.JSONEncoder(separators=(",", ":")).encode


class InvalidToken(Exception):
    """A text that is no token, or not one signed by this key. Its message never repeats the token."""


def base64url(data: bytes) -> str:
    """Encode as JSON Web Tokens do: the URL alphabet, without padding."""
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode("ascii")


def _decode_base64url(text: str) -> bytes:
    # The standard library skips characters outside the alphabet; a token's parts must not contain any.
    try:
        return base64.b64decode(
            text.replace("-", "+").replace("_", "/") + "=" * (-len(text) % 4), validate=True
        )
    except (binascii.Error, ValueError) as error:
        raise InvalidToken("a part of the token is not base64url") from error


def _json_object(part: str) -> dict[str, Any]:
    try:
        value = json.loads(_decode_base64url(part))
    except (ValueError, RecursionError) as error:
        raise InvalidToken("a part of the token is not JSON") from error
    if not isinstance(value, dict):
        raise InvalidToken("a part of the token is not a JSON object")
    return value


class SigningKey:
    """An RSA key that signs and verifies RS256 tokens."""

    def __init__(self, key: RsaKey) -> None:
        self._key = key
        thumbprint = hashlib.sha1(key.public_bytes(), usedforsecurity=False).digest()
        # As long as the service's (40 characters), and not to be mistaken for one.
        self.key_id = "SANDBOX-" + thumbprint.hex().upper()[:32]
        header = {
            "alg": "RS256",
            "kid": self.key_id,
            "x5t": base64url(thumbprint),
            "typ": "JWT",
        }
        self._header = base64url(_compact_json(header).encode("ascii"))

    @classmethod
    def generate(cls) -> SigningKey:
        """Make a new 2048-bit key."""
        return cls(rsa_key.generate())

    @classmethod
    def from_pem(cls, pem: bytes) -> SigningKey:
        """Read a key that `to_pem` wrote."""
        return cls(rsa_key.from_pem(pem))

    def to_pem(self) -> bytes:
        """Write the private key for the store."""
        return self._key.to_pem()

    def unsigned(self, claims: Mapping[str, object]) -> str:
        """Return the two first parts of a token: what is signed."""
        payload = _compact_json(claims).encode("ascii")
        return f"{self._header}.{base64url(payload)}"

    def sign(self, unsigned: str) -> str:
        """Return the whole token. Costs about 0.25 ms, during which other threads run."""
        return f"{unsigned}.{base64url(self._key.sign(unsigned.encode('ascii')))}"

    def read(self, token: str) -> dict[str, Any]:
        """Verify the signature and return the claims; expiry is the caller's to judge.

        Raises InvalidToken for anything that this key did not sign.
        """
        parts = token.split(".")
        if len(parts) != 3 or not token.isascii():
            raise InvalidToken("a token has three parts")
        header = _json_object(parts[0])
        if header.get("alg") != "RS256" or header.get("kid") != self.key_id:
            raise InvalidToken("the token was signed by another key")
        signature = _decode_base64url(parts[2])
        if not self._key.verifies(f"{parts[0]}.{parts[1]}".encode("ascii"), signature):
            raise InvalidToken("the signature does not match")
        return _json_object(parts[1])

    def json_web_key(self) -> dict[str, str]:
        """Return the public key in the form of a JSON Web Key Set's entry (RFC 7517)."""
        modulus, exponent = self._key.numbers

        def unsigned_integer(value: int) -> str:
            return base64url(value.to_bytes((value.bit_length() + 7) // 8, "big"))

        return {
            "kty": "RSA",
            "use": "sig",
            "alg": "RS256",
            "kid": self.key_id,
            "n": unsigned_integer(modulus),
            "e": unsigned_integer(exponent),
        }


def digest(unsigned: str) -> bytes:
    """Return what the store remembers of a token: a hash of its first two parts, never the token."""
    return hashlib.sha256(unsigned.encode("ascii")).digest()


def communication_user_claims(
    raw_id: str,
    scopes: Sequence[str],
    *,
    resource_id: str,
    region: str,
    location: str,
    issued_at: int,
    signed_at: int,
    lifetime_seconds: int,
) -> dict[str, object]:
    """Return the claims of an ACS user's token, in the order of tokens since 2023. Times in unix seconds, UTC."""
    return {
        "skypeid": raw_id.removeprefix("8:"),
        "scp": SCP_COMMUNICATION_USER,
        "csi": str(issued_at),
        "exp": issued_at + lifetime_seconds,
        "rgn": region,
        "acsScope": ",".join(scopes),
        "resourceId": resource_id,
        "resourceLocation": location,
        "iat": signed_at,
    }


def teams_user_claims(
    entra_claims: Mapping[str, Any], *, resource_id: str, region: str
) -> dict[str, object]:
    """Return the claims of a Teams user's token, which lives as long as the Entra token it is exchanged for."""
    return {
        "skypeid": f"orgid:{entra_claims['oid']}",
        "scp": SCP_TEAMS_USER,
        "csi": str(entra_claims["iat"]),
        "exp": entra_claims["exp"],
        "rgn": region,
        "tid": entra_claims["tid"],
        "acsScope": "voip,chat",
        "resourceId": resource_id,
        "aad_iat": str(entra_claims["iat"]),
        "aad_uti": entra_claims["uti"],
        "aad_appid": entra_claims["appid"],
        "iat": entra_claims["iat"] + 300,
    }
