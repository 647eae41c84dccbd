"""A ticket: the one thing that somebody types, pastes or scans to take a seat in a room.

    192.168.1.5:8444/07-QF3K-2M7X-ABCD-EFGH-IJKL-MNOP
    └ the room's door ┘ │ └ seat's ┘└ fingerprint of the ┘
                      seat  code      room's certificate

Nothing of the room is trusted but what the fingerprint vouches for, and the code is sent only after that. The fingerprint is
80 bits of SHA-256, more than anybody can forge for an afternoon; the code is 40 bits, which can be tried at the door alone,
where a wrong one costs a second. Letters and digits are those of base32: none looks like another, and case does not matter.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from helpers.errors import TutorialError
from helpers.language import gettext as _

CODE_LENGTH = 8
FINGERPRINT_LENGTH = 16


class TicketError(TutorialError):
    """What was given is no ticket; the text says what is wrong with it."""


@dataclass(frozen=True)
class Ticket:
    """Where a room is, which seat in it is meant, what opens it, and how the room is recognised."""

    address: str
    """Host and port of the room's door."""
    seat: str
    code: str = field(repr=False)
    fingerprint: str

    @property
    def host(self) -> str:
        """The host alone, as people name it."""
        return urlsplit(f"//{self.address}").hostname or ""

    @property
    def place(self) -> str:
        """Names room and seat, without what opens it. A room made anew at the same address is another one."""
        return f"{self.address}/{self.seat}-{self.fingerprint[:4]}"

    def __str__(self) -> str:
        letters = self.code + self.fingerprint
        groups = [letters[start : start + 4] for start in range(0, len(letters), 4)]
        return f"{self.address}/{'-'.join([self.seat, *groups])}"

    @classmethod
    def parse(cls, text: str) -> Ticket:
        """Read a ticket as somebody typed it.

        Raises:
            TicketError: it is none; the text never repeats what may be a secret.
        """
        text = re.sub(r"\s", "", text).removeprefix("https://")
        address, slash, rest = text.rpartition("/")
        seat, hyphen, letters = rest.partition("-")
        if not slash or not hyphen or not seat.isdecimal() or not seat.isascii():
            raise TicketError(
                _("this is no ticket; one reads ADDRESS:PORT/SEAT-XXXX-XXXX-… as on the card.")
            )
        if not _is_address(address):
            raise TicketError(
                _(
                    "the part of the ticket before “/” must be an address and a port, such as 192.168.1.5:8444."
                )
            )
        letters = letters.replace("-", "")
        if len(letters) != CODE_LENGTH + FINGERPRINT_LENGTH:
            raise TicketError(
                _(
                    "the ticket has {count} letters after the seat, and should have {expected}; compare it with the card."
                ).format(count=len(letters), expected=CODE_LENGTH + FINGERPRINT_LENGTH)
            )
        try:
            # Base32 knows no 0, 1 and 8; who reads one on paper means the letter that looks like it.
            letters = letters.upper().translate(str.maketrans("018", "OIB"))
            base64.b32decode(letters)
        except (binascii.Error, ValueError) as error:
            raise TicketError(
                _("the ticket holds a sign that no card has; only letters and the digits 2 to 7.")
            ) from error
        return cls(address, f"{int(seat):02}", letters[:CODE_LENGTH], letters[CODE_LENGTH:])


def _is_address(text: str) -> bool:
    try:
        parts = urlsplit(f"//{text}")
        return bool(parts.hostname and parts.port) and parts.netloc == text and "@" not in text
    except ValueError:
        return False


def code_of(secret: str) -> str:
    """Return the code that a seat's access key gives; the key cannot be had from it."""
    return _letters("acs-tutorial seat " + secret, CODE_LENGTH)


def fingerprint_of(authority: bytes) -> str:
    """Return the fingerprint of a certificate authority, given as PEM.

    Raises:
        ValueError: that is no certificate.
    """
    # Imported here: settings are read before anything that needs encryption.
    from ssl import PEM_cert_to_DER_cert

    return _letters(PEM_cert_to_DER_cert(authority.decode("ascii")), FINGERPRINT_LENGTH)


def _letters(content: str | bytes, length: int) -> str:
    content = content.encode("utf-8") if isinstance(content, str) else content
    return base64.b32encode(hashlib.sha256(content).digest()).decode("ascii")[:length]
