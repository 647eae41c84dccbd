from __future__ import annotations

import pytest
import trustme

from helpers.room.ticket import Ticket, TicketError, code_of, fingerprint_of

TICKET = "192.168.1.5:8444/07-QF3K-2M7X-ABCD-EFGH-IJKL-MNOP"


def test_a_ticket_is_read_as_it_was_written():
    ticket = Ticket.parse(TICKET)

    assert (ticket.address, ticket.host, ticket.seat) == ("192.168.1.5:8444", "192.168.1.5", "07")
    assert (ticket.code, ticket.fingerprint) == ("QF3K2M7X", "ABCDEFGHIJKLMNOP")
    assert str(ticket) == TICKET


@pytest.mark.parametrize(
    "typed",
    [
        TICKET.lower(),
        f"  https://{TICKET}\n",
        "192.168.1.5:8444/7-QF3K2M7XABCDEFGHIJKLMNOP",
        "192.168.1.5:8444/07-QF3K 2M7X ABCD EFGH IJKL MNOP",
        # No card has a 0 or a 1: whoever types one has read a letter.
        "192.168.1.5:8444/07-QF3K-2M7X-ABCD-EFGH-1JKL-MN0P",
        "192.168.1.5:8444/07-QF3K-2M7X-A8CD-EFGH-IJKL-MNOP",
    ],
)
def test_slips_that_can_mean_only_one_thing_are_forgiven(typed):
    assert str(Ticket.parse(typed)) == TICKET


@pytest.mark.parametrize(
    ("typed", "says"),
    [
        ("", "this is no ticket"),
        ("07-QF3K-2M7X-ABCD-EFGH-IJKL-MNOP", "this is no ticket"),
        ("endpoint=https://a/;accesskey=QF3K2M7XQF3K2M7X", "this is no ticket"),
        ("192.168.1.5/07-QF3K-2M7X-ABCD-EFGH-IJKL-MNOP", "an address and a port"),
        ("someone@192.168.1.5:8444/07-QF3K-2M7X-ABCD-EFGH-IJKL-MNOP", "an address and a port"),
        ("192.168.1.5:port/07-QF3K-2M7X-ABCD-EFGH-IJKL-MNOP", "an address and a port"),
        ("192.168.1.5:8444/07-QF3K-2M7X-ABCD-EFGH-IJKL", "has 20 letters"),
        ("192.168.1.5:8444/07-QF3K-2M7X-ABCD-EFGH-IJKL-MNO9", "a sign that no card has"),
        ("192.168.1.5:8444/07-QF3K-2M7X-ABCD-EFGH-IJKL-MNOé", "a sign that no card has"),
    ],
)
def test_what_is_no_ticket_gets_one_sentence_that_repeats_nothing(typed, says):
    with pytest.raises(TicketError, match=says) as raised:
        Ticket.parse(typed)

    assert "QF3K" not in str(raised.value)


def test_a_ticket_may_lead_to_an_ipv6_address():
    ticket = Ticket.parse(TICKET.replace("192.168.1.5", "[fd00::5]"))

    assert (ticket.address, ticket.host) == ("[fd00::5]:8444", "fd00::5")


def test_a_printed_ticket_does_not_show_its_code():
    assert "QF3K" not in repr(Ticket.parse(TICKET))
    assert "QF3K" not in Ticket.parse(TICKET).place


def test_each_authority_and_each_key_has_letters_of_its_own():
    fingerprints = {fingerprint_of(trustme.CA().cert_pem.bytes()) for _ in range(3)}

    assert len(fingerprints) == 3
    assert {len(fingerprint) for fingerprint in fingerprints} == {16}
    assert code_of("one key") != code_of("another key")


@pytest.mark.parametrize("answer", [b"", b"<html>a hotel's login page</html>", b"\xff\xfe"])
def test_what_is_no_certificate_has_no_fingerprint(answer):
    with pytest.raises(ValueError):
        fingerprint_of(answer)
