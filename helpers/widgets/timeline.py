"""A picture of an identity's tokens in time."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone

import ipywidgets

from helpers.errors import TutorialError
from helpers.language import gettext as _
from helpers.language import listed
from helpers.widgets import style
from helpers.widgets.panel import Panel
from helpers.widgets.token_card import TokenCard

# What would be rounded to nothing.
_JUST_NOW = timedelta(seconds=30)


@dataclass(frozen=True)
class TokenRecord:
    """When a token was issued, when it expires, what it permits and when it was revoked, if ever. All moments in UTC."""

    issued: datetime
    expires: datetime
    scopes: Sequence[str]
    revoked: datetime | None = None

    def __post_init__(self) -> None:
        for moment in (self.issued, self.expires, self.revoked):
            if moment is not None and moment.tzinfo is None:
                raise TutorialError(
                    _(
                        "A moment in the timeline needs its time zone, as in datetime.now(timezone.utc); {moment} has none."
                    ).format(moment=moment)
                )
        if self.revoked is not None and self.revoked < self.issued:
            raise TutorialError(
                _(
                    "Only a token that was issued before can be revoked; {revoked} is before {issued}."
                ).format(revoked=style.utc(self.revoked), issued=style.utc(self.issued))
            )
        if self.expires <= self.issued:
            raise TutorialError(
                _("A token expires after it is issued; {expires} is not after {issued}.").format(
                    expires=style.utc(self.expires), issued=style.utc(self.issued)
                )
            )

    @classmethod
    def of(cls, token: object, *, revoked: datetime | None = None) -> TokenRecord:
        """Read the record off a *token*: the ``AccessToken`` that the SDK returned, or its text.

        A token does not say that it was revoked; *revoked* does.

        Raises:
            TutorialError: the token cannot be read, or does not say when it is valid.
        """
        card = TokenCard(token)
        if card.issued is None or card.expires is None:
            raise TutorialError(
                _("This token does not say when it was issued and when it expires.")
            )
        return cls(card.issued, card.expires, tuple(card.scopes), revoked)

    @property
    def ends(self) -> datetime:
        """When it stops to be accepted: at its expiry, or when it is revoked before that."""
        return min(self.expires, self.revoked) if self.revoked else self.expires

    def state(self, now: datetime) -> str:
        """What a person would say of the token at *now*."""
        if self.revoked and self.revoked <= now and self.revoked < self.expires:
            if now - self.revoked < _JUST_NOW:
                return _("revoked just now")
            return _("revoked {ago} ago").format(ago=style.duration(now - self.revoked))
        if self.expires <= now:
            if now - self.expires < _JUST_NOW:
                return _("expired just now")
            return _("expired {ago} ago").format(ago=style.duration(now - self.expires))
        if now < self.issued:
            return _("issued {ahead} from now").format(ahead=style.duration(self.issued - now))
        return _("valid for another {left}").format(left=style.duration(self.ends - now))


class Timeline(Panel):
    """One bar for each token, from issue to expiry, on a common scale with the present marked.

    It shows the records it is given; ``show`` gives it others, or another present when the sandbox's clock has moved.
    """

    def __init__(self, tokens: Iterable[TokenRecord] = (), *, now: datetime | None = None) -> None:
        """Draw *tokens*, all of one identity, as they stand at *now* (default: the machine's clock)."""
        self._picture = ipywidgets.HTML()
        super().__init__(
            [
                ipywidgets.HTML(style.title(_("Timeline: the tokens of this identity"))),
                self._picture,
            ]
        )
        self.add_class("acs-timeline")
        self.show(tokens, now=now)

    def show(
        self, tokens: Iterable[TokenRecord] | None = None, *, now: datetime | None = None
    ) -> None:
        """Draw again: other *tokens* (default: the same ones), as they stand at *now* (default: the machine's clock)."""
        if tokens is not None:
            self._tokens = sorted(tokens, key=lambda token: token.issued)
        self._now = now or datetime.now(timezone.utc)
        self._picture.value = (
            self._html()
            if self._tokens
            else style.advice(_("No token has been issued for this identity yet."))
        )

    @property
    def text(self) -> str:
        """The timeline in words: one line per token."""
        if not self._tokens:
            return _("No token has been issued for this identity yet.")
        lines = [_("Now: {now}").format(now=style.utc(self._now))]
        for number, token in enumerate(self._tokens, 1):
            lines.append(
                _("Token {number} ({scopes}): issued {issued}, {lifetime}, {state}").format(
                    number=number,
                    scopes=listed(token.scopes),
                    issued=style.utc(token.issued),
                    lifetime=style.duration(token.expires - token.issued),
                    state=self._state(number, token),
                )
            )
        return "\n".join(lines)

    def __repr__(self) -> str:
        states = listed(token.state(self._now) for token in self._tokens)
        return f"Timeline({states if len(states) <= 80 else states[:79] + '…'})"

    def _refreshed(self, number: int) -> int | None:
        """The number of the token that this one renews: the last one before it with the same scopes."""
        scopes = set(self._tokens[number - 1].scopes)
        earlier = [n for n in range(1, number) if set(self._tokens[n - 1].scopes) == scopes]
        return earlier[-1] if earlier else None

    def _state(self, number: int, token: TokenRecord) -> str:
        state = token.state(self._now)
        refreshed = self._refreshed(number)
        if refreshed is None:
            return state
        return _("{state}; refreshes token {number}").format(state=state, number=refreshed)

    def _html(self) -> str:
        start = min(self._now, *(token.issued for token in self._tokens))
        end = max(self._now, *(token.expires for token in self._tokens))
        margin = (end - start) * 0.02
        scale = _Scale(start - margin, end + margin)
        rows = "".join(
            self._row(number, token, scale) for number, token in enumerate(self._tokens, 1)
        )
        now = scale.percent(self._now)
        side = "right" if now > 50 else "left"
        offset = 100 - now if side == "right" else now
        arrow = _("now, {time} ▾") if side == "right" else _("▾ now, {time}")
        return (
            f'<div class="acs-timeline-now"><span style="{side}: {offset:.2f}%">'
            f"{style.escape(arrow.format(time=style.utc(self._now)))}</span></div>{rows}"
            f'<div class="acs-scale"><span>{style.escape(style.utc(start))}</span>'
            f"<span>{style.escape(style.utc(end))}</span></div>"
            f'<div class="acs-quiet acs-timeline-key">{style.escape(_legend())}</div>'
        )

    def _row(self, number: int, token: TokenRecord, scale: _Scale) -> str:
        state = self._state(number, token)
        heading = _("Token {number}").format(number=number)
        now = scale.percent(self._now)
        bars = [
            _bar(scale, token.issued, token.ends, "life"),
            _bar(scale, token.issued, min(token.ends, max(self._now, token.issued)), "used"),
        ]
        if token.ends < token.expires:
            bars.append(_bar(scale, token.ends, token.expires, "lost"))
            cross = scale.percent(token.ends)
            bars.append(
                f'<text class="acs-timeline-cross" x="{cross:.2f}%" y="15" text-anchor="middle">✕</text>'
            )
        label = _("Token {number}: {state}").format(number=number, state=state)
        return (
            f'<div class="acs-timeline-row"><div><b>{style.escape(heading)}</b> '
            f'{style.pills(list(token.scopes))}<span class="acs-quiet">{style.escape(state)}</span></div>'
            f'<svg role="img" aria-label="{style.escape(label)}" width="100%" height="20">'
            f"{''.join(bars)}"
            f'<line class="acs-timeline-line" x1="{now:.2f}%" x2="{now:.2f}%" y1="0" y2="20"/></svg></div>'
        )


@dataclass(frozen=True)
class _Scale:
    start: datetime
    end: datetime

    def percent(self, moment: datetime) -> float:
        # A record may be as short as a moment; the picture still needs a width.
        return (moment - self.start) / max(self.end - self.start, timedelta(seconds=1)) * 100


def _bar(scale: _Scale, start: datetime, end: datetime, kind: str) -> str:
    left, right = scale.percent(start), scale.percent(end)
    return (
        f'<rect class="acs-timeline-{kind}" x="{left:.2f}%" width="{max(right - left, 0):.2f}%" '
        'y="3" height="14" rx="4"/>'
    )


def _legend() -> str:
    return _(
        "Filled: the part of the lifetime that is over. Pale: still to come. "
        "Dashed, after ✕: what revoking took away."
    )
