"""What went over the wire, as a conversation to read."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any, Protocol

from helpers.errors import TutorialError
from helpers.language import gettext as _
from helpers.language import ngettext
from helpers.widgets import style


class _Exchange(Protocol):
    @property
    def operation(self) -> str: ...
    @property
    def method(self) -> str: ...
    @property
    def path(self) -> str: ...
    @property
    def api_version(self) -> str | None: ...
    @property
    def request_id(self) -> str | None: ...
    @property
    def request_headers(self) -> Mapping[str, str]: ...
    @property
    def request_body(self) -> str: ...
    @property
    def status(self) -> int: ...
    @property
    def response_headers(self) -> Mapping[str, str]: ...
    @property
    def response_body(self) -> str: ...
    @property
    def milliseconds(self) -> float | None: ...


class _Session(Protocol):
    def exchanges(self) -> Sequence[_Exchange]: ...


# What a reader of an answer asks about; the rest is the plumbing of HTTP.
_ANSWER_HEADERS = ("Content-Type", "Retry-After", "api-supported-versions", "MS-CV")


class WirePanel:
    """The last exchanges of this lesson: what the SDK really sent, and what was answered, everything secret masked.

    Not a widget but a picture of the moment, so it is still there where no kernel runs. Each exchange opens on a click.
    """

    def __init__(self, session: _Session, *, last: int = 5) -> None:
        """Show the *last* exchanges of *session*, oldest first.

        Raises:
            TutorialError: *last* is not a number above 0.
        """
        if not isinstance(last, int) or last < 1:
            raise TutorialError(_("last says how many exchanges to show; give a number above 0."))
        exchanges = session.exchanges()
        self._exchanges = exchanges[-last:]
        self._hidden = len(exchanges) - len(self._exchanges)
        # A retry is an exchange of its own with the request id of the first.
        self._attempts = [
            sum(
                1
                for earlier in exchanges[:number]
                if earlier.request_id and earlier.request_id == exchange.request_id
            )
            for number, exchange in enumerate(exchanges)
        ][-last:]

    def __repr__(self) -> str:
        return f"WirePanel(exchanges={len(self._exchanges)})"

    def __str__(self) -> str:
        lines = [self._summary()]
        for exchange, retry in zip(self._exchanges, self._attempts, strict=True):
            lines += ["", f"→ {self._asked(exchange, retry)}"]
            lines += [f"    {name}: {value}" for name, value in _signed_headers(exchange).items()]
            lines += [f"    {line}" for line in _pretty(exchange.request_body).splitlines()]
            lines += [f"← {_answered(exchange)}"]
            lines += [f"    {line}" for line in _pretty(exchange.response_body).splitlines()]
        return "\n".join(lines)

    def _repr_mimebundle_(self, **_options: Any) -> dict[str, str]:
        return {"text/plain": str(self), "text/html": self._html()}

    def _summary(self) -> str:
        if not self._exchanges:
            return _("Nothing has gone over the wire in this lesson yet.")
        shown = ngettext(
            "The last exchange of this lesson.",
            "The last {count} exchanges of this lesson.",
            len(self._exchanges),
        ).format(count=len(self._exchanges))
        if not self._hidden:
            return shown
        earlier = ngettext(
            "{count} earlier one is not shown.",
            "{count} earlier ones are not shown.",
            self._hidden,
        ).format(count=self._hidden)
        return f"{shown} {earlier}"

    def _asked(self, exchange: _Exchange, retry: int) -> str:
        asked = f"{exchange.method} {exchange.path}"
        if exchange.api_version:
            asked += f"?api-version={exchange.api_version}"
        if retry:
            asked += " · " + _("retry {number}").format(number=retry)
        return asked

    def _html(self) -> str:
        conversation = "".join(
            self._exchange(exchange, retry, opened=number == len(self._exchanges))
            for number, (exchange, retry) in enumerate(
                zip(self._exchanges, self._attempts, strict=True), start=1
            )
        )
        return (
            f'{style.STYLE}<div class="acs acs-wire-panel">'
            f"{style.title(_('On the wire'))}"
            f'<div class="acs-quiet">{style.escape(self._summary())}</div>{conversation}</div>'
        )

    def _exchange(self, exchange: _Exchange, retry: int, *, opened: bool) -> str:
        sign = "✓" if exchange.status < 400 else "⚠"
        return (
            f"<details{' open' if opened else ''}><summary>"
            f'<code>{style.escape(exchange.operation)}</code> <span aria-hidden="true">{sign}</span> '
            f"{style.escape(_answered(exchange))}"
            f"{style.escape(' · ' + _('retry {number}').format(number=retry) if retry else '')}</summary>"
            f"{_part(_('Request'), self._asked(exchange, 0), _signed_headers(exchange), exchange.request_body)}"
            f"{_part(_('Answer'), _answered(exchange), _answer_headers(exchange), exchange.response_body)}"
            f"<details><summary>{style.escape(_('As a curl command'))}</summary>"
            f'<div class="acs-quiet">{style.escape(_curl_note())}</div>'
            f"{style.code_block(curl(exchange))}</details></details>"
        )


def curl(exchange: _Exchange) -> str:
    """Return a command that sends the same request, with environment variables where the endpoint and a secret belong."""
    query = f"?api-version={exchange.api_version}" if exchange.api_version else ""
    lines = [
        f'curl -X {exchange.method} "$COMMUNICATION_SERVICES_ENDPOINT{exchange.path}{query}"',
        '-H "Authorization: Bearer $ENTRA_TOKEN"',
    ]
    if exchange.request_body:
        # Closing the quote, an escaped one, opening it again: the only way inside single quotes.
        body = exchange.request_body.replace("'", "'\\''")
        lines += ['-H "Content-Type: application/json"', f"-d '{body}'"]
    else:
        lines += ['-H "Content-Length: 0"']
    return " \\\n  ".join(lines)


def _curl_note() -> str:
    return _(
        "A signature fits one moment only, so this asks with a Microsoft Entra token instead. Set ENTRA_TOKEN yourself, "
        "for example with: az account get-access-token --resource https://communication.azure.com"
    )


def _answered(exchange: _Exchange) -> str:
    try:
        phrase = HTTPStatus(exchange.status).phrase
    except ValueError:
        phrase = ""
    answer = f"{exchange.status} {phrase}".rstrip()
    if exchange.milliseconds is not None:
        answer += " · " + _("{milliseconds} ms").format(milliseconds=round(exchange.milliseconds))
    return answer


def _signed_headers(exchange: _Exchange) -> dict[str, str]:
    """The headers that prove who asks: those the signature covers, and the one that carries it."""
    names = ("x-ms-date", "Date", "x-ms-content-sha256", "Authorization")
    return {
        name: exchange.request_headers[name] for name in names if name in exchange.request_headers
    }


def _answer_headers(exchange: _Exchange) -> dict[str, str]:
    given = {name.lower(): value for name, value in exchange.response_headers.items()}
    return {name: given[name.lower()] for name in _ANSWER_HEADERS if name.lower() in given}


def _part(heading: str, first_line: str, headers: Mapping[str, str], body: str) -> str:
    rows = "".join(
        f'<tr><th scope="row"><code>{style.escape(name)}</code></th>'
        f"<td><code>{style.escape(value)}</code></td></tr>"
        for name, value in headers.items()
    )
    table = f"<table><tbody>{rows}</tbody></table>" if rows else ""
    text = f'<pre tabindex="0">{style.escape(_pretty(body))}</pre>' if body else ""
    return (
        f'<div class="acs-group">{style.escape(heading)}</div>'
        f'<div class="acs-mono">{style.escape(first_line)}</div>{table}{text}'
    )


def _pretty(body: str) -> str:
    try:
        return json.dumps(json.loads(body), indent=2, ensure_ascii=False)
    except ValueError:
        return body
