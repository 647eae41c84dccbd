"""An open room: taking a seat, and what seats cannot do to one another."""

from __future__ import annotations

import contextlib
import json
import os
import re
import socket
import ssl
import stat
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import psutil
import pytest
from azure.communication.identity import CommunicationIdentityClient
from azure.core.exceptions import ClientAuthenticationError
from azure.identity import ManagedIdentityCredential

from helpers.cli import room as room_command
from helpers.errors import TutorialError
from helpers.room import door
from helpers.room.joining import join
from helpers.room.room import Room, forget
from helpers.room.ticket import Ticket

from .conftest import SEATS, ClientOf

WRONG_CODE_SECONDS = 0.2

KeylessOf = Callable[[str], CommunicationIdentityClient]


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(door, "_WRONG_CODE_SECONDS", WRONG_CODE_SECONDS)


def ticket_of(room: Room, seat: str) -> Ticket:
    return Ticket.parse(room.tickets()[seat])


# Taking a seat


def test_a_ticket_gives_the_seats_own_connection_string(room: Room):
    first, second = (join(ticket_of(room, seat)) for seat in ("01", "02"))

    assert first.connection_string != second.connection_string
    assert first.authority == room.sandbox.certificate_authority
    assert first == join(ticket_of(room, "01"))


def test_joining_does_not_ask_a_proxy(room: Room, monkeypatch):
    for name in ("HTTPS_PROXY", "https_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")

    assert join(ticket_of(room, "01")).connection_string


def test_another_fingerprint_is_noticed_before_the_code_is_sent(room: Room, monkeypatch):
    monkeypatch.setattr(room.watch, "joined", lambda *seat: pytest.fail("the code was sent"))

    with pytest.raises(TutorialError, match="another fingerprint"):
        join(replace(ticket_of(room, "01"), fingerprint="A" * 16))


def test_a_right_fingerprint_does_not_help_whoever_lacks_the_authoritys_key(
    room: Room, monkeypatch
):
    # The authority is public, so that an impostor can hand it out as well.
    from helpers.room import joining

    ask = joining._ask
    genuine = ask(ticket_of(room, "01"), ssl._create_unverified_context(), "/authority.pem")
    monkeypatch.setattr(
        joining,
        "_ask",
        lambda ticket, context, path, question=None: (
            genuine if question is None else ask(ticket, context, path, question)
        ),
    )
    with (
        Room(room.folder.with_name("impostor"), seats=1) as impostor,
        pytest.raises(TutorialError, match="CERTIFICATE_VERIFY_FAILED"),
    ):
        join(replace(ticket_of(room, "01"), address=impostor.address))


@pytest.mark.parametrize("seat", ["01", "99"])
def test_a_wrong_code_and_a_seat_that_is_not_there_are_refused_alike(room: Room, seat: str):
    began = time.monotonic()
    with pytest.raises(TutorialError, match="does not know this ticket"):
        join(replace(ticket_of(room, "02"), seat=seat))

    # Codes are short: whoever tries them shall wait.
    assert time.monotonic() - began > WRONG_CODE_SECONDS


def test_a_room_that_is_closed_is_one_sentence(room: Room):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{free.getsockname()[1]}"
    with pytest.raises(TutorialError, match="cannot be reached"):
        join(replace(ticket_of(room, "01"), address=address))


def test_a_ticket_for_another_port_of_the_room_is_one_sentence(room: Room):
    address = room.sandbox.endpoint.removeprefix("https://").rstrip("/")

    with pytest.raises(TutorialError, match=r"is not a room \(status 401\)"):
        join(replace(ticket_of(room, "01"), address=address))


@pytest.mark.parametrize(
    "question",
    [
        "",
        "[]",
        "{}",
        "{" * 500,
        '{"code": 7}',
        "\x00",
        '{"code": "CODE", "padding": "' + "x" * 1024 + '"}',
    ],
)
def test_a_question_that_makes_no_sense_is_refused(room: Room, question: str):
    question = question.replace("CODE", ticket_of(room, "01").code)
    context = ssl.create_default_context(cadata=room.sandbox.certificate_authority.decode())
    with pytest.raises(urllib.error.HTTPError) as raised:
        urllib.request.urlopen(
            f"https://{room.address}/seats/01", question.encode("latin-1"), context=context
        )

    raised.value.close()
    assert raised.value.code == 403


# Seats are strangers to one another


@pytest.mark.parametrize("operation", ["get_token", "revoke_tokens", "delete_user"])
def test_a_seat_cannot_touch_an_identity_of_another(client_of: ClientOf, operation: str):
    owner, stranger = client_of("01"), client_of("02")
    identity = owner.create_user()
    arguments = [["chat"]] if operation == "get_token" else []

    with pytest.raises(ClientAuthenticationError) as raised:
        getattr(stranger, operation)(identity, *arguments)

    assert raised.value.error.code == "IdentityNotOwned"
    assert owner.get_token(identity, ["chat"]).token


def test_a_seat_is_not_told_whether_an_identity_of_another_exists(client_of: ClientOf):
    identity = client_of("01").create_user()
    client_of("01").delete_user(identity)
    living = client_of("01").create_user()

    answers = set()
    for asked in (identity, living):
        with pytest.raises(ClientAuthenticationError) as raised:
            client_of("02").get_token(asked, ["chat"])
        answers.add(raised.value.message)

    assert len(answers) == 1


@pytest.fixture
def keyless(room: Room, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> KeylessOf:
    """Makes a client that asks for the managed identity as a seat can, and proves nothing else."""

    def make(seat: str) -> CommunicationIdentityClient:
        taken = join(ticket_of(room, seat))
        bundle = tmp_path / "bundle.pem"
        bundle.write_bytes(taken.authority)
        for name, value in {
            "IDENTITY_ENDPOINT": taken.identity_endpoint,
            "IDENTITY_HEADER": taken.identity_header,
            "REQUESTS_CA_BUNDLE": str(bundle),
            "NO_PROXY": "localhost",
            "no_proxy": "localhost",
        }.items():
            monkeypatch.setenv(name, value)
        return CommunicationIdentityClient(
            room.sandbox.endpoint.rstrip("/"), ManagedIdentityCredential(), retry_total=0
        )

    return make


def test_a_seats_managed_identity_acts_on_its_own_resource(keyless: KeylessOf, client_of: ClientOf):
    identity = keyless("02").create_user()

    assert client_of("02").get_token(identity, ["chat"]).token
    with pytest.raises(ClientAuthenticationError):
        client_of("01").get_token(identity, ["chat"])


def test_a_seats_managed_identity_cannot_touch_another_seat(
    keyless: KeylessOf, client_of: ClientOf
):
    identity = client_of("01").create_user()

    with pytest.raises(ClientAuthenticationError) as raised:
        keyless("02").revoke_tokens(identity)
    assert raised.value.error.code == "IdentityNotOwned"


def test_a_seat_cannot_ask_for_the_managed_identity_of_another(room: Room):
    one, other = (join(ticket_of(room, seat)).identity_header for seat in ("01", "02"))
    context = ssl.create_default_context(cadata=room.sandbox.certificate_authority.decode())
    forged = [
        room.sandbox.identity_header[:-1],
        other.partition(".")[2],
        f"{one.partition('.')[0]}.{other.partition('.')[2]}",
        f"default.{other.partition('.')[2]}",
    ]

    for header in forged:
        request = urllib.request.Request(
            f"{room.sandbox.identity_endpoint}?api-version=2019-08-01&resource=https://communication.azure.com/",
            headers={"X-IDENTITY-HEADER": header},
        )
        with pytest.raises(urllib.error.HTTPError) as raised:
            urllib.request.urlopen(request, context=context)
        raised.value.close()
        assert raised.value.code == 401


def test_a_code_opens_one_seat_only(room: Room):
    codes = {ticket_of(room, f"{number:02}").code for number in range(1, SEATS + 1)}

    assert len(codes) == SEATS


# The room itself


def test_a_room_that_is_opened_again_has_the_same_cards_and_identities(tmp_path: Path, monkeypatch):
    monkeypatch.setenv("NO_PROXY", "localhost")
    monkeypatch.setenv("no_proxy", "localhost")

    def client(room: Room) -> CommunicationIdentityClient:
        seat = join(ticket_of(room, "02"))
        # Trusted once and for all, as a card says it.
        authority = tmp_path / "trusted.pem"
        if not authority.exists():
            authority.write_bytes(seat.authority)
        return CommunicationIdentityClient.from_connection_string(
            seat.connection_string, connection_verify=str(authority)
        )

    with Room(tmp_path / "room", seats=2) as first:
        before = ticket_of(first, "02")
        identity = client(first).create_user()
    with Room(tmp_path / "room", seats=3) as second:
        after = ticket_of(second, "02")
        assert client(second).get_token(identity, ["chat"]).token

    assert (before.code, before.fingerprint) == (after.code, after.fingerprint)


def test_nothing_is_left_of_a_forgotten_room(tmp_path: Path):
    (tmp_path / "room" / "deeper").mkdir(parents=True)
    forget(tmp_path / "room")
    forget(tmp_path / "room")

    assert list(tmp_path.iterdir()) == []


def test_a_taken_port_is_one_sentence_and_leaves_nothing_open(tmp_path: Path):
    with contextlib.ExitStack() as opened:
        for _attempt in range(100):
            taken = opened.enter_context(socket.create_server(("127.0.0.1", 0)))
            port: int = taken.getsockname()[1]
            with contextlib.suppress(OSError), socket.create_server(("127.0.0.1", port - 1)):
                break
        with pytest.raises(TutorialError, match=f"port {port} "):
            Room(tmp_path, seats=1, port=port - 1)

        with socket.create_server(("127.0.0.1", port - 1)):
            pass


@pytest.mark.parametrize("host", ["0.0.0.0", "::"])
def test_a_room_wants_an_address_that_can_be_told(tmp_path: Path, host: str):
    with pytest.raises(TutorialError, match="one address that people can be told"):
        Room(tmp_path, seats=1, host=host)


def test_the_board_listens_on_loopback_whatever_the_host(tmp_path: Path):
    addresses = room_command._addresses()
    if not addresses:
        pytest.skip("this machine has no address but the loopback's")
    with Room(tmp_path, seats=1, host=addresses[0]) as opened:
        listening = {
            connection.laddr.port: connection.laddr.ip
            for connection in psutil.Process().net_connections("tcp")
            if connection.status == psutil.CONN_LISTEN
        }
        assert opened.address.startswith(addresses[0])
        assert listening[int(opened.address.rpartition(":")[2])] == addresses[0]
        assert listening[int(opened.board.rstrip("/").rpartition(":")[2])] == "127.0.0.1"


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such permissions")
def test_what_is_secret_is_for_its_owner_alone(room: Room):
    sheet = room.write_sheet()
    room.write_sheet()

    for path in (sheet, room.folder / "authority.pem"):
        assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_the_log_and_the_steps_hold_no_secret(room: Room, client_of: ClientOf):
    _identity, token = client_of("03").create_user_and_token(["chat"])

    until(lambda: "03 05" in (room.folder / "steps.log").read_text())
    kept = "".join((room.folder / name).read_text() for name in ("sandbox.log", "steps.log"))
    for secret in (token.token, *secrets_of(room)):
        assert secret not in kept


def until(condition: Callable[[], bool]) -> None:
    """Wait: a request is noted once its answer is on the way."""
    deadline = time.monotonic() + 5
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def secrets_of(room: Room) -> list[str]:
    keys = [seat.connection_string.partition("accesskey=")[2] for seat in room.seats]
    return [*keys, *(seat.code for seat in room.seats)]


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such limit")
def test_a_room_asks_for_as_many_open_files_as_its_seats_need(tmp_path: Path):
    import resource

    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    if before[1] != resource.RLIM_INFINITY and before[1] < 512:
        pytest.skip("this system does not allow it")
    resource.setrlimit(resource.RLIMIT_NOFILE, (256, before[1]))
    try:
        with Room(tmp_path, seats=20):
            assert resource.getrlimit(resource.RLIMIT_NOFILE) >= (416, before[1])
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, before)


# The board


def board(room: Room, path: str = "", **headers: str) -> tuple[int, str]:
    request = urllib.request.Request(room.board + path, headers=headers)
    try:
        with urllib.request.urlopen(request) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as refusal:
        refusal.close()
        return refusal.code, ""


def test_the_board_shows_nothing_secret(room: Room, client_of: ClientOf):
    join(ticket_of(room, "01"))
    identity, token = client_of("01").create_user_and_token(["chat"])
    with pytest.raises(ClientAuthenticationError):
        client_of("02").delete_user(identity)

    shown = "".join(board(room, path)[1] for path in ("", "state", "board.js", "board.css"))
    assert "Seat 01" in shown
    for secret in (token.token, room.fingerprint, identity.raw_id, *secrets_of(room)):
        assert secret not in shown


def test_the_board_follows_what_the_seats_do(room: Room, client_of: ClientOf):
    def revoked() -> str:
        steps = json.loads(board(room, "state")[1])["steps"]
        return re.findall(r"(\d) of \d", steps)[6]

    assert revoked() == "0"
    identity = client_of("02").create_user()
    client_of("02").revoke_tokens(identity)

    until(lambda: revoked() == "1")


def test_the_board_answers_to_this_machines_names_only(room: Room):
    assert board(room)[0] == 200
    assert board(room, Host="rebound.example")[0] == 400
    assert board(room, "state", Host="rebound.example")[0] == 400


def test_the_board_hands_out_no_seat_and_no_sheet(room: Room):
    for path in ("sheet.html", "seats/01", "authority.pem", "../sheet.html"):
        assert board(room, path)[0] == 404
