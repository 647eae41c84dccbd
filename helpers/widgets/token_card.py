"""What is inside an access token, without showing the token."""

from __future__ import annotations

import base64
import binascii
import json
import re
from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from typing import Any

from helpers.errors import TutorialError
from helpers.language import gettext as _
from helpers.language import listed
from helpers.masking import mask_token
from helpers.widgets import style

_MOMENTS = ("csi", "exp", "iat", "nbf", "aad_iat")


class TokenCard:
    """The anatomy of a token: scopes, times, header and claims.

    Not a widget but a picture, so it is still there where no kernel runs: in a saved notebook, on GitHub, in nbviewer. What
    the claims mean was learned by decoding published tokens; Microsoft documents only that the format is no contract.
    """

    scopes: list[str]
    issued: datetime | None
    """When the token was issued (UTC), as it says itself."""
    expires: datetime | None
    """When the token expires (UTC), as the service answered or, for a bare token, as it says itself."""
    claims: dict[str, Any]
    header: dict[str, Any]

    def __init__(self, token: object, *, now: datetime | None = None) -> None:
        """Read *token*: the ``AccessToken`` that the SDK returned, or its ``token`` string.

        *now* (default: the machine's clock) is the moment for which the used share of the lifetime is given.

        Raises:
            TutorialError: it is no token, or one that cannot be read.
        """
        text = getattr(token, "token", token)
        if not isinstance(text, str):
            raise TutorialError(_explain_type(token))
        self._masked = mask_token(text)
        self.header, self.claims = _decode(text)
        self.scopes = [
            scope for scope in str(self.claims.get("acsScope") or "").split(",") if scope
        ]
        self.issued = _moment(self.claims.get("iat", self.claims.get("csi")))
        self.expires = _expiry(getattr(token, "expires_on", None)) or _moment(
            self.claims.get("exp")
        )
        self._now = now or datetime.now(timezone.utc)

    @property
    def lifetime(self) -> timedelta | None:
        """How long the token is valid in all, to the minute; ``None`` where it does not say."""
        if self.issued is None or self.expires is None:
            return None
        return timedelta(minutes=round((self.expires - self.issued) / timedelta(minutes=1)))

    @property
    def used(self) -> float | None:
        """The share of the lifetime that was over when the card was made, from 0 to 1."""
        if self.issued is None or self.expires is None or self.expires <= self.issued:
            return None
        return min(max((self._now - self.issued) / (self.expires - self.issued), 0.0), 1.0)

    def __repr__(self) -> str:
        expires = style.utc(self.expires) if self.expires else None
        scopes = ",".join(self.scopes)
        return f"TokenCard({scopes if len(scopes) <= 47 else scopes[:46] + '…'}, expires {expires})"

    def __str__(self) -> str:
        lines = [
            _("Access token {token}").format(token=self._masked),
            *(f"{label}: {value}" for label, value in self._summary()),
            "",
            _("Header"),
            *(_text_line(*row) for row in _rows(self.header, _header_meanings())),
            "",
            _("Claims"),
            *(_text_line(*row) for row in _rows(self.claims, _claim_meanings())),
            "",
            _no_contract(),
        ]
        return "\n".join(lines)

    def _repr_mimebundle_(self, **_options: Any) -> dict[str, str]:
        return {"text/plain": str(self), "text/html": self._html()}

    def _summary(self) -> Iterator[tuple[str, str]]:
        unknown = _("the token does not say")
        yield _("Scopes"), listed(self.scopes) or unknown
        yield _("Issued"), style.utc(self.issued) if self.issued else unknown
        yield _("Expires"), style.utc(self.expires) if self.expires else unknown
        yield _("Lifetime"), self._lifetime_in_words() or unknown

    def _lifetime_in_words(self) -> str:
        if self.lifetime is None or self.used is None:
            return ""
        if self.used >= 1:
            return _("{lifetime}, all of it used: the token has expired").format(
                lifetime=style.duration(self.lifetime)
            )
        return _("{lifetime}, {percent} % of it used").format(
            lifetime=style.duration(self.lifetime), percent=int(self.used * 100)
        )

    def _html(self) -> str:
        rows = "".join(
            f"<dt>{style.escape(label)}</dt>"
            f"<dd>{style.pills(self.scopes) if self.scopes and number == 0 else style.escape(value)}</dd>"
            for number, (label, value) in enumerate(self._summary())
        )
        return (
            f"{style.STYLE}"
            f'<div class="acs acs-token-card">{style.title(_("Access token"))}'
            f'<div class="acs-mono">{style.escape(self._masked)}</div>'
            f"<dl>{rows}</dl>{self._bar()}"
            f"{_table(_('Claims'), self.claims, _claim_meanings(), opened=True)}"
            f"{_table(_('Header'), self.header, _header_meanings(), opened=False)}"
            f"{style.advice(_no_contract())}</div>"
        )

    def _bar(self) -> str:
        if self.lifetime is None or self.used is None:
            return ""
        return style.lifetime_bar(self.lifetime, self._lifetime_in_words(), used=self.used)


def _decode(token: str) -> tuple[dict[str, Any], dict[str, Any]]:
    # No message repeats any of the token, and "from None" keeps it out of the chained errors as well.
    parts = token.split(".")
    if len(parts) != 3:
        raise TutorialError(
            _(
                "This is no access token: a token has three parts with dots between them, "
                "and here there are {parts}."
            ).format(parts=len(parts) if token else 0)
        )
    try:
        header, claims = (
            json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))
            for part in parts[:2]
        )
    except (binascii.Error, ValueError):
        header = claims = None
    if not isinstance(header, dict) or not isinstance(claims, dict):
        raise TutorialError(
            _("This token cannot be read: its parts are not base64url-encoded JSON. Was it cut?")
        )
    return header, claims


def _moment(seconds: object) -> datetime | None:
    """Return a claim's Unix time as a moment; ``None`` where it is missing or no time."""
    if not isinstance(seconds, (int, float, str)) or isinstance(seconds, bool):
        return None
    try:
        return datetime.fromtimestamp(float(seconds), timezone.utc)
    except (ValueError, OverflowError, OSError):
        return None


def _expiry(expires_on: object) -> datetime | None:
    """Return the SDK's ``expires_on`` as a moment.

    The identity SDK gives the service's text since 1.3 (seven fractional digits, recorded live) and a ``datetime`` before;
    azure-core's other clients give Unix seconds.
    """
    if isinstance(expires_on, datetime):
        return expires_on if expires_on.tzinfo else expires_on.replace(tzinfo=timezone.utc)
    if isinstance(expires_on, str) and not expires_on.isdecimal():
        # Python before 3.11 reads neither seven digits nor a Z.
        text = re.sub(r"(\.\d+)", "", expires_on.strip()).replace("Z", "+00:00")
        try:
            return _expiry(datetime.fromisoformat(text))
        except ValueError:
            raise TutorialError(
                _("The token’s expires_on is no time that can be read: “{value}”.").format(
                    value=expires_on
                )
            ) from None
    return _moment(expires_on)


def _explain_type(token: object) -> str:
    if isinstance(token, tuple):
        return _(
            "TokenCard takes the token alone; create_user_and_token returns two things, "
            "so write: identity, token = client.create_user_and_token(…)."
        )
    return _("TokenCard takes an AccessToken or its .token text, not {type}.").format(
        type=type(token).__name__
    )


def _no_contract() -> str:
    return _(
        "The format of a token is not part of the API contract and can change: read it to learn and "
        "to debug, but let no code depend on it. Revoking does not show here, as it happens in the service."
    )


def _header_meanings() -> dict[str, str]:
    return {
        "alg": _("how it is signed"),
        "kid": _("which key signed it"),
        "x5t": _("fingerprint of that key’s certificate"),
        "typ": _("what kind of thing this is"),
    }


def _claim_meanings() -> dict[str, str]:
    return {
        "skypeid": _("the identity, without the leading “8:”"),
        "scp": _("a number that says what kind of user this is"),
        "csi": _("when it was issued"),
        "iat": _("when it was issued"),
        "nbf": _("not valid before this time"),
        "exp": _("when it expires"),
        "rgn": _("the region that issued it"),
        "acsScope": _("the scopes"),
        "resourceId": _("the Communication Services resource"),
        "resourceLocation": _("where that resource keeps its data"),
        "tid": _("the Microsoft Entra tenant of a Teams user"),
        "aad_iat": _("when the Microsoft Entra token was issued"),
        "aad_uti": _("identifier of the Microsoft Entra token"),
        "aad_appid": _("the application that the Teams user signed in to"),
    }


def _rows(part: dict[str, Any], meanings: dict[str, str]) -> Iterator[tuple[str, str, str]]:
    for name, value in part.items():
        shown = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
        moment = _moment(value) if name in _MOMENTS else None
        meaning = meanings.get(name, _("not described here"))
        yield name, shown, f"{meaning}: {style.utc(moment)}" if moment else meaning


def _text_line(name: str, value: str, meaning: str) -> str:
    return f"  {name} = {value}  ({meaning})"


def _table(heading: str, part: dict[str, Any], meanings: dict[str, str], *, opened: bool) -> str:
    rows = "".join(
        f'<tr><th scope="row"><code>{style.escape(name)}</code></th>'
        f"<td><code>{style.escape(value)}</code></td>"
        f'<td class="acs-quiet">{style.escape(meaning)}</td></tr>'
        for name, value, meaning in _rows(part, meanings)
    )
    columns = "".join(
        f'<th scope="col">{style.escape(column)}</th>'
        for column in (_("Name"), _("Value"), _("Meaning"))
    )
    return (
        f"<details{' open' if opened else ''}><summary>{style.escape(heading)}</summary>"
        f"<table><thead><tr>{columns}</tr></thead><tbody>{rows}</tbody></table></details>"
    )
