"""Hides access tokens and access keys, at the source.

Whatever the tutorial shows, records or complains about passes through here first, so that a saved notebook, a log or a
screenshot never holds a credential that works.
"""

from __future__ import annotations

import re

from helpers.language import ngettext

# A JWT is three base64url parts; the first always opens a JSON object, which encodes to "eyJ".
_TOKEN = re.compile(r"\beyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]*")
_CONNECTION_STRING_KEY = re.compile(r"(?i)(accesskey\s*=\s*)[^\s;\"'<>\\…]+")
_AUTHORIZATION = re.compile(r"(?i)(Signature=|Bearer\s+)[A-Za-z0-9+/=._~-]{16,}")
# An access key on its own: 64 bytes, or the newer 84 characters. Shorter base64 is a hash, longer is an image.
_KEY = re.compile(r"(?<![A-Za-z0-9+/=,])[A-Za-z0-9+/]{82,86}={0,2}(?![A-Za-z0-9+/=])")

_HIDDEN = "…"


def mask_token(token: str) -> str:
    """Return what may be shown of an access token: that it is one, and how long it is.

    The beginning of a token only says that it is a JWT. Nothing of its claims or signature is kept.
    """
    return ngettext(
        "{beginning}… ({count} character)", "{beginning}… ({count} characters)", len(token)
    ).format(beginning=token[:10], count=len(token))


def masked(text: str) -> str:
    """Return *text* with every access token and access key in it hidden; everything else stays as it is."""
    text = _TOKEN.sub(lambda found: f"{found[0][:10]}{_HIDDEN}", text)
    text = _CONNECTION_STRING_KEY.sub(rf"\g<1>{_HIDDEN}", text)
    text = _AUTHORIZATION.sub(rf"\g<1>{_HIDDEN}", text)
    return _KEY.sub(_HIDDEN, text)
