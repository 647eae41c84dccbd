"""Taking a seat: from a ticket to a connection string and a certificate authority to trust."""

from __future__ import annotations

import hmac
import http.client
import json
import ssl
import urllib.error
import urllib.request
from dataclasses import dataclass, field
from typing import Any

from helpers.errors import TutorialError
from helpers.language import gettext as _
from helpers.room.ticket import Ticket, fingerprint_of

_SECONDS = 10
_LONGEST_ANSWER = 64 * 1024


@dataclass(frozen=True)
class TakenSeat:
    """A seat that was taken: what a client needs to use its resource."""

    ticket: Ticket
    connection_string: str = field(repr=False)
    identity_endpoint: str
    """Where a managed identity is asked for: the value of ``IDENTITY_ENDPOINT``."""
    identity_header: str = field(repr=False)
    authority: bytes = field(repr=False)
    """The certificate (PEM) that clients must trust."""

    @property
    def endpoint(self) -> str:
        """The address of the seat's resource."""
        return self.connection_string.removeprefix("endpoint=").partition(";")[0]

    def change(self, name: str, **how: object) -> dict[str, Any]:
        """Change something about the room's sandbox for this seat alone, and return what there is afterwards.

        Raises:
            TutorialError: it cannot be changed so, or the room cannot be reached.
        """
        question = {"code": self.ticket.code, "change": name, "how": how}
        trusted = ssl.create_default_context(cadata=self.authority.decode("ascii"))
        state: dict[str, Any] = json.loads(
            _ask(self.ticket, trusted, f"/seats/{self.ticket.seat}/controls", question)
        )
        return state


def join(ticket: Ticket, *, lesson: str | None = None) -> TakenSeat:
    """Take the seat that *ticket* is for. Doing it again gives the same seat.

    The presenter's board shows the *lesson* that was opened, by its number.

    The room is recognised before anything is said to it: its certificate authority must have the ticket's fingerprint, and
    from then on only that authority is trusted.

    Raises:
        TutorialError: the room cannot be reached, is not the ticket's, or does not know the ticket.
    """
    # Not verified by anybody yet: what comes back is public, and worth nothing without the right fingerprint.
    unverified = ssl.create_default_context()
    unverified.check_hostname = False
    unverified.verify_mode = ssl.CERT_NONE
    authority = _ask(ticket, unverified, "/authority.pem")
    try:
        found = fingerprint_of(authority)
    except ValueError:
        found = ""
    if not hmac.compare_digest(found, ticket.fingerprint):
        raise TutorialError(
            _(
                "what answers at {address} is not the room of this ticket: its certificate has another fingerprint. Compare the "
                "ticket with the card; if they agree, tell the presenter. Nothing secret was sent."
            ).format(address=ticket.address)
        )
    trusted = ssl.create_default_context(cadata=authority.decode("ascii"))
    question = {"code": ticket.code, "lesson": lesson}
    answer = json.loads(_ask(ticket, trusted, f"/seats/{ticket.seat}", question))
    return TakenSeat(
        ticket,
        answer["connection_string"],
        answer["identity_endpoint"],
        answer["identity_header"],
        authority,
    )


def _ask(
    ticket: Ticket, context: ssl.SSLContext, path: str, question: dict[str, Any] | None = None
) -> bytes:
    # A room is in one's own network: no proxy stands before it.
    opener = urllib.request.build_opener(
        urllib.request.ProxyHandler({}), urllib.request.HTTPSHandler(context=context)
    )
    request = urllib.request.Request(
        f"https://{ticket.address}{path}",
        data=None if question is None else json.dumps(question).encode("ascii"),
        headers={"Content-Type": "application/json"},
    )
    try:
        with opener.open(request, timeout=_SECONDS) as answer:
            content: bytes = answer.read(_LONGEST_ANSWER)
            return content
    except urllib.error.HTTPError as refusal:
        with refusal:
            content = refusal.read(_LONGEST_ANSWER)
        if refusal.code == 400:
            raise TutorialError(json.loads(content)["problem"]) from None
        if refusal.code == 403:
            raise TutorialError(
                _(
                    "the room does not know this ticket; compare the seat's number and the first two groups of letters with the "
                    "card."
                )
            ) from None
        raise TutorialError(
            _(
                "what answers at {address} is not a room (status {status}); compare the address with the card."
            ).format(address=ticket.address, status=refusal.code)
        ) from None
    except (OSError, http.client.HTTPException) as error:
        reason = getattr(error, "reason", None) or error
        raise TutorialError(
            _(
                "the room at {address} cannot be reached ({reason}); check the address and that this computer is in the room's "
                "network, then ask the presenter whether the room is open."
            ).format(address=ticket.address, reason=reason)
        ) from None
