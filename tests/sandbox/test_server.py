"""The server as strangers meet it: over the wire, slow, broken, many."""

from __future__ import annotations

import contextlib
import http.client
import os
import re
import socket
import ssl
import stat
import subprocess
import sys
import time
from collections.abc import Iterator
from email.utils import parsedate_to_datetime
from pathlib import Path

import psutil
import pytest

from helpers.sandbox import Sandbox, SandboxError, app, server
from tests.sandbox.wire import signed_headers

TARGET = "/identities?api-version=2023-10-01"


@pytest.fixture(scope="module")
def one_server() -> Iterator[Sandbox]:
    with Sandbox(None) as sandbox:
        yield sandbox


@pytest.fixture
def running(one_server: Sandbox) -> Sandbox:
    """A server that all tests use."""
    one_server.reset()
    return one_server


@pytest.fixture
def own() -> Iterator[Sandbox]:
    """A server for a test that stops it."""
    with Sandbox(None) as sandbox:
        yield sandbox


def trust(sandbox: Sandbox) -> ssl.SSLContext:
    return ssl.create_default_context(cadata=sandbox.certificate_authority.decode("ascii"))


def port_of(sandbox: Sandbox) -> int:
    return int(sandbox.endpoint.rstrip("/").rpartition(":")[2])


@contextlib.contextmanager
def connected(sandbox: Sandbox, name: str = "localhost") -> Iterator[ssl.SSLSocket]:
    plain = socket.create_connection(("127.0.0.1", port_of(sandbox)), timeout=20)
    with plain, trust(sandbox).wrap_socket(plain, server_hostname=name) as secure:
        yield secure


def everything(connection: ssl.SSLSocket) -> bytes:
    """Read until the server closes."""
    data = b""
    with contextlib.suppress(OSError):
        while part := connection.recv(65536):
            data += part
    return data


def raw_request(
    sandbox: Sandbox,
    body: bytes = b"",
    *,
    target: str = TARGET,
    extra: list[tuple[str, str]] | None = None,
    host: str | None = None,
) -> bytes:
    key = sandbox.resources()[0].primary_key
    host = host or f"localhost:{port_of(sandbox)}"
    headers = [
        *signed_headers("POST", target, body, key, host=host),
        ("Content-Length", str(len(body))),
        ("Connection", "close"),
        *(extra or []),
    ]
    head = "".join(f"{name}: {value}\r\n" for name, value in headers)
    return f"POST {target} HTTP/1.1\r\n{head}\r\n".encode() + body


def exchange(sandbox: Sandbox, request: bytes) -> tuple[int, list[tuple[str, str]], bytes]:
    """Send bytes, and return status, headers as spelled, and the body as it came."""
    with connected(sandbox) as connection:
        connection.sendall(request)
        head, _, body = everything(connection).partition(b"\r\n\r\n")
    first, *lines = head.decode("latin-1").split("\r\n")
    headers = [(name, value) for name, _, value in (line.partition(": ") for line in lines)]
    return int(first.split(" ")[1]), headers, body


# The shape of an answer on the wire


@pytest.mark.rule("recorded")
def test_a_success_has_the_recorded_headers(running: Sandbox) -> None:
    request = raw_request(running, extra=[("x-ms-client-request-id", "an id of mine")])
    status, headers, body = exchange(running, request)
    values = dict(headers)

    assert status == 201
    assert {name for name, _ in headers} == {
        "Date",
        "Connection",
        "MS-CV",
        "Request-Context",
        "Strict-Transport-Security",
        "X-Cache",
        "x-azure-ref",
        "X-Processing-Time",
        "api-supported-versions",
        "x-ms-client-request-id",
        "Content-Type",
        "Content-Length",
    }
    assert len(headers) == len(values)
    assert values["Content-Type"] == "application/json; charset=utf-8"
    assert int(values["Content-Length"]) == len(body) == 101
    assert re.fullmatch(r"[A-Za-z0-9+/]{22}\.0", values["MS-CV"])
    assert re.fullmatch(r"\d+ms", values["X-Processing-Time"])
    assert values["Request-Context"] == "appId="
    assert values["X-Cache"] == "CONFIG_NOCACHE"
    assert values["Strict-Transport-Security"] == "max-age=31536000;includeSubDomains"
    assert values["x-ms-client-request-id"] == "an id of mine"
    assert abs(parsedate_to_datetime(values["Date"]).timestamp() - time.time()) < 10


@pytest.mark.rule("recorded")
def test_an_error_comes_in_chunks_without_a_charset(running: Sandbox) -> None:
    body = b'{"createTokenWithScopes": ["chat"], "expiresInMinutes": 59}'
    request = raw_request(running, body, extra=[("Content-Type", "application/json")])
    status, headers, content = exchange(running, request)
    values = dict(headers)

    assert status == 400
    assert values["Content-Type"] == "application/json"
    assert values["Transfer-Encoding"] == "chunked"
    assert "Content-Length" not in values
    assert b'"code":"ValidationError"' in content
    assert content.endswith(b"0\r\n\r\n")


@pytest.mark.rule("recorded")
def test_no_content_has_neither_type_nor_length(running: Sandbox) -> None:
    raw_id = running._directory._add_identity(running.resources()[0], None)
    target = f"/identities/{raw_id}/:revokeAccessTokens?api-version=2023-10-01"
    status, headers, content = exchange(running, raw_request(running, target=target))

    assert (status, content) == (204, b"")
    assert not {"Content-Type", "Content-Length", "Transfer-Encoding"} & set(dict(headers))


@pytest.mark.rule("recorded")
def test_the_client_request_id_is_echoed_only_when_sent(running: Sandbox) -> None:
    assert "x-ms-client-request-id" not in dict(exchange(running, raw_request(running))[1])


def test_an_answer_names_no_server_software(running: Sandbox) -> None:
    assert "server" not in {name.lower() for name, _ in exchange(running, raw_request(running))[1]}


# Where it listens, and whom it answers


def test_it_listens_on_the_loopback_only(running: Sandbox) -> None:
    listening = [
        connection.laddr
        for connection in psutil.Process().net_connections("tcp")
        if connection.status == psutil.CONN_LISTEN and connection.laddr.port == port_of(running)
    ]

    assert listening
    assert {address.ip for address in listening} <= {"127.0.0.1", "::1"}


def test_it_listens_elsewhere_only_when_told(capsys: pytest.CaptureFixture[str]) -> None:
    with Sandbox(None, host="0.0.0.0") as sandbox:
        listening = {
            connection.laddr.ip
            for connection in psutil.Process().net_connections("tcp")
            if connection.status == psutil.CONN_LISTEN and connection.laddr.port == port_of(sandbox)
        }
        request = raw_request(sandbox, host=f"192.0.2.1:{port_of(sandbox)}")

        assert listening == {"0.0.0.0"}
        assert sandbox.endpoint == f"https://{socket.gethostname()}:{port_of(sandbox)}/"
        assert exchange(sandbox, request)[0] == 201


@pytest.mark.parametrize("name", ["localhost", "127.0.0.1"])
def test_the_certificate_holds_for_the_names_of_the_loopback(running: Sandbox, name: str) -> None:
    with connected(running, name) as connection:
        assert connection.version() in ("TLSv1.2", "TLSv1.3")


@pytest.mark.parametrize("name", ["example.com", "fabrikam.localhost", "a.b.localhost"])
def test_the_certificate_holds_for_no_other_name(running: Sandbox, name: str) -> None:
    with pytest.raises(ssl.SSLCertVerificationError), connected(running, name):
        pass


def test_a_resource_added_later_has_a_certificate_too(own: Sandbox) -> None:
    own.add_resource("contoso")
    for _ in range(2):
        with connected(own, "contoso.localhost") as connection:
            assert connection.version() in ("TLSv1.2", "TLSv1.3")


def test_an_authority_in_a_file_outlives_the_server(tmp_path: Path) -> None:
    file = tmp_path / "private" / "authority.pem"
    with Sandbox(None, certificate_authority_file=file) as first:
        trusted = trust(first)
    with Sandbox(None, certificate_authority_file=file) as second:
        plain = socket.create_connection(("127.0.0.1", port_of(second)), timeout=20)
        with plain, trusted.wrap_socket(plain, server_hostname="localhost") as connection:
            assert connection.version() in ("TLSv1.2", "TLSv1.3")
        assert b"PRIVATE KEY" not in second.certificate_authority

    if os.name == "posix":
        assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_an_authority_that_cannot_be_read_or_kept_is_one_sentence(tmp_path: Path) -> None:
    damaged = tmp_path / "authority.pem"
    damaged.write_text("nothing")
    for file, advice in ((damaged, "move the file away"), (damaged / "below.pem", "cannot be")):
        with pytest.raises(SandboxError, match=advice):
            Sandbox(None, certificate_authority_file=file).start()


def test_each_start_has_its_own_authority(running: Sandbox) -> None:
    with Sandbox(None) as other:
        assert other.certificate_authority != running.certificate_authority


@pytest.mark.rule("assumed")
@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("localhost", 201),
        ("LOCALHOST:1234", 201),
        ("127.0.0.1", 201),
        ("127.8.9.10:99", 201),
        ("[::1]:99", 201),
        ("default.localhost", 201),
        ("attacker.example", 421),
        ("attacker.example:8443", 421),
        ("localhost.attacker.example", 421),
        ("192.0.2.1", 421),
        ("0x7f.1", 421),
        ("", 421),
    ],
)
def test_a_page_that_points_its_own_name_here_is_turned_away(
    running: Sandbox, host: str, status: int
) -> None:
    # Rebinding: the name is the page's own, the address is ours, and even the signature may be right.
    request = raw_request(running, host=host or "nothing")
    if not host:
        request = request.replace(b"Host: nothing", b"Host: ")
    answered, headers, body = exchange(running, request)

    assert answered == status
    if status == 421:
        assert b"MisdirectedRequest" in body
    assert not [name for name, _ in headers if name.lower().startswith("access-control-")]


@pytest.mark.parametrize(
    "path", ["/openapi.json", "/.well-known/jwks.json", "/msi/token", "/chat/threads"]
)
def test_the_other_doors_turn_foreign_hosts_away_too(running: Sandbox, path: str) -> None:
    request = f"GET {path} HTTP/1.1\r\nHost: attacker.example\r\nConnection: close\r\n\r\n"

    assert exchange(running, request.encode())[0] == 421


@pytest.mark.rule("assumed")
def test_a_browsers_preflight_gets_no_permission(running: Sandbox) -> None:
    request = (
        f"OPTIONS {TARGET} HTTP/1.1\r\nHost: localhost\r\nOrigin: https://attacker.example\r\n"
        "Access-Control-Request-Method: POST\r\nConnection: close\r\n\r\n"
    )
    status, headers, _ = exchange(running, request.encode())

    assert status == 401
    assert not [name for name, _ in headers if name.lower().startswith("access-control-")]


@pytest.mark.rule("assumed")
def test_a_resources_own_host_means_that_resource_only(running: Sandbox) -> None:
    default = running.resources()[0]
    other = running.add_resource("contoso")

    def created(host: str, key: str) -> tuple[int, bytes]:
        headers = signed_headers("POST", TARGET, b"", key, host=host)
        head = "".join(f"{name}: {value}\r\n" for name, value in headers)
        request = f"POST {TARGET} HTTP/1.1\r\n{head}Connection: close\r\n\r\n".encode()
        status, _, body = exchange(running, request)
        return status, body

    assert created("contoso.localhost", other.primary_key)[0] == 201
    assert created("contoso.localhost", default.primary_key)[0] == 401
    assert created("nobody.localhost", default.primary_key)[0] == 401
    # On the common host the key says which is meant.
    for resource in (default, other):
        status, body = created("localhost", resource.primary_key)
        assert status == 201
        assert resource.id.encode() in body


# Starting and stopping


def test_a_taken_port_is_one_sentence(running: Sandbox) -> None:
    with pytest.raises(SandboxError, match=r"Port \d+ on 127.0.0.1 is already in use; choose"):
        Sandbox(None, port=port_of(running)).start()


@pytest.mark.parametrize(
    ("host", "port"), [("192.0.2.1", 0), ("nonsense.invalid", 0), ("127.0.0.1", 70000)]
)
def test_an_address_that_is_not_ours_is_one_sentence(host: str, port: int) -> None:
    with pytest.raises(SandboxError, match=r"cannot listen on port") as raised:
        Sandbox(None, host=host, port=port).start()
    assert "\n" not in str(raised.value)


def test_starting_and_stopping_twice_is_harmless(tmp_path: Path) -> None:
    sandbox = Sandbox(tmp_path)
    sandbox.stop()
    sandbox.start()
    first = sandbox.endpoint
    sandbox.start()
    assert sandbox.endpoint == first
    key = sandbox.resources()[0].primary_key
    sandbox.stop()
    sandbox.stop()
    with pytest.raises(SandboxError, match=r"call its start\(\) first"):
        _ = sandbox.endpoint
    with sandbox:
        assert sandbox.resources()[0].primary_key == key


def test_a_port_can_be_had_again_at_once(own: Sandbox) -> None:
    port = port_of(own)
    exchange(own, raw_request(own))
    own.stop()
    with Sandbox(None, port=port) as again:
        assert exchange(again, raw_request(again))[0] == 201


def test_stopping_does_not_wait_for_idle_clients(own: Sandbox) -> None:
    with connected(own), connected(own):
        began = time.monotonic()
        own.stop()
        assert time.monotonic() - began < 1


def test_nothing_is_left_behind(own: Sandbox) -> None:
    exchange(own, raw_request(own))
    port = port_of(own)
    own.stop()

    with pytest.raises(OSError):
        socket.create_connection(("127.0.0.1", port), timeout=1).close()


def test_the_repr_tells_where_it_is_and_no_secret(running: Sandbox) -> None:
    assert running.endpoint in repr(running)
    assert running.identity_header not in repr(running)
    assert "not started" in repr(Sandbox(None))
    assert running.connection_string == (
        f"endpoint={running.endpoint};accesskey={running.resources()[0].primary_key}"
    )


def test_an_interpreter_ends_with_a_sandbox_still_running() -> None:
    program = "from helpers.sandbox import Sandbox; Sandbox(None).start()"
    ended = subprocess.run([sys.executable, "-c", program], capture_output=True, timeout=30)

    assert (ended.returncode, ended.stdout, ended.stderr) == (0, b"", b"")


# Faults on a real connection


@pytest.mark.parametrize(("drop", "created"), [("before", 0), ("after", 1)])
def test_a_dropped_connection_ends_without_an_answer(
    running: Sandbox, drop: str, created: int
) -> None:
    running.fail_next(drop=drop)  # type: ignore[arg-type]
    with connected(running) as connection:
        connection.sendall(raw_request(running))

        assert everything(connection) == b""
    assert running._directory.store.count_identities() == created
    assert exchange(running, raw_request(running))[0] == 201


def test_latency_delays_every_answer_without_holding_up_others(running: Sandbox) -> None:
    running.latency = 0.4
    began = time.monotonic()
    with connected(running) as one, connected(running) as two:
        for connection in (one, two):
            connection.sendall(raw_request(running))
        for connection in (one, two):
            assert b"201 Created" in everything(connection)

    assert 0.4 <= time.monotonic() - began < 0.8


# Hostile input


MALFORMED = [
    b"\r\n\r\n",
    b"nonsense\r\n\r\n",
    b"GET / HTTP/9.9\r\nHost: localhost\r\n\r\n",
    b"POST /identities HTTP/1.1\r\n\r\n",
    b"POST /identities HTTP/1.1\r\nHost: localhost\r\nHost: localhost\r\n\r\n",
    b"POST /identities HTTP/1.1\r\nHost: localhost\r\nContent-Length: -1\r\n\r\n",
    b"POST /identities HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
    b"POST /identities HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\nZZ\r\n",
    b"POST /ident\xe9ties HTTP/1.1\r\nHost: localhost\r\n\r\n",
    b"POST /identities HTTP/1.1\r\nHost: localhost\r\nbad header\r\n\r\n",
    b"POST /identities HTTP/1.1\r\nHost: localhost\r\nx: \x00\r\n\r\n",
    b"POST /" + b"x" * 40_000 + b" HTTP/1.1\r\nHost: localhost\r\n\r\n",
    b"POST / HTTP/1.1\r\nHost: localhost\r\nx: " + b"y" * 40_000 + b"\r\n\r\n",
    b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
]


@pytest.mark.parametrize("request_bytes", MALFORMED)
def test_malformed_requests_are_answered_or_cut_off(
    running: Sandbox,
    request_bytes: bytes,
    capfd: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # What waits for more is cut off.
    monkeypatch.setattr(server, "HEAD_TIMEOUT_SECONDS", 0.2)
    monkeypatch.setattr(app, "BODY_TIMEOUT_SECONDS", 0.2)
    with connected(running) as connection:
        connection.settimeout(0.6)
        connection.sendall(request_bytes)
        answer = everything(connection)

    assert answer == b"" or answer.startswith(b"HTTP/1.1 4")
    assert exchange(running, raw_request(running))[0] == 201
    assert capfd.readouterr() == ("", "")


def test_noise_instead_of_tls_disturbs_nobody(
    running: Sandbox, capfd: pytest.CaptureFixture[str]
) -> None:
    for noise in (b"GET / HTTP/1.1\r\n\r\n", os.urandom(500), b""):
        with socket.create_connection(("127.0.0.1", port_of(running)), timeout=10) as plain:
            plain.sendall(noise)

    assert exchange(running, raw_request(running))[0] == 201
    assert capfd.readouterr() == ("", "")


def test_two_requests_in_one_packet_get_two_answers(running: Sandbox) -> None:
    keeping = raw_request(running).replace(b"Connection: close\r\n", b"")
    with connected(running) as connection:
        connection.sendall(keeping + raw_request(running))

        assert everything(connection).count(b"HTTP/1.1 201 Created") == 2


def test_a_body_without_end_is_cut_off_early(running: Sandbox) -> None:
    with connected(running) as connection:
        connection.sendall(
            b"POST /identities HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100000000000\r\n\r\n"
        )
        sent = 0
        with contextlib.suppress(OSError):
            while sent < 50_000_000:
                sent += connection.send(b"x" * 65536)
        assert sent < 50_000_000


def test_a_slow_head_is_cut_off(running: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server, "HEAD_TIMEOUT_SECONDS", 0.3)
    began = time.monotonic()
    with connected(running) as silent, connected(running) as slow:
        slow.sendall(b"POST /identities HTTP/1.1\r\n")
        with contextlib.suppress(OSError):
            for _ in range(100):
                slow.sendall(b"x: y\r\n")
                time.sleep(0.02)
        assert everything(slow) == b""
        assert everything(silent) == b""

    assert time.monotonic() - began < 3


def test_a_slow_body_is_cut_off(running: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(app, "BODY_TIMEOUT_SECONDS", 0.3)
    with connected(running) as connection:
        connection.sendall(raw_request(running, b"x" * 100)[:-50])
        began = time.monotonic()

        assert everything(connection) == b""
    assert 0.2 < time.monotonic() - began < 3


def test_a_quiet_connection_is_closed_in_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server, "IDLE_TIMEOUT_SECONDS", 0.3)
    with Sandbox(None) as sandbox, connected(sandbox) as connection:
        connection.sendall(raw_request(sandbox).replace(b"Connection: close\r\n", b""))
        answer = b""
        while not answer.endswith(b"}}"):
            answer += connection.recv(65536)
        began = time.monotonic()

        assert everything(connection) == b""
    assert 0.1 < time.monotonic() - began < 3


def test_connections_beyond_the_bound_are_closed() -> None:
    with Sandbox(None, maximum_connections=5) as own:
        with contextlib.ExitStack() as stack:
            for _ in range(5):
                stack.enter_context(connected(own))
            with pytest.raises(OSError), connected(own):
                pass
        time.sleep(0.2)
        assert exchange(own, raw_request(own))[0] == 201


SERVER = """
import time
from helpers.sandbox import Sandbox

sandbox = Sandbox(None).start()
print(sandbox.connection_string, flush=True)
time.sleep(600)
"""


@pytest.mark.campaign
def test_thousands_of_idle_connections_are_survived() -> None:
    server_process = subprocess.Popen(
        [sys.executable, "-c", SERVER], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    idle: list[socket.socket] = []
    try:
        assert server_process.stdout is not None
        endpoint, key = server_process.stdout.readline().strip().split(";accesskey=")
        host = endpoint.removeprefix("endpoint=https://").rstrip("/")
        port = int(host.partition(":")[2])
        process = psutil.Process(server_process.pid)
        before = process.memory_info().rss
        unverified = ssl._create_unverified_context()
        for number in range(2500):
            with contextlib.suppress(OSError):
                connection = socket.create_connection(("127.0.0.1", port), timeout=5)
                # A third of them are polite enough to shake hands.
                secure = number % 3 == 0
                idle.append(unverified.wrap_socket(connection) if secure else connection)
        grown = process.memory_info().rss - before

        def answered() -> bool:
            headers = dict(signed_headers("POST", TARGET, b"", key, host=host))
            connection = http.client.HTTPSConnection(host, context=unverified, timeout=5)
            with contextlib.closing(connection), contextlib.suppress(OSError):
                connection.request("POST", TARGET, headers=headers)
                with connection.getresponse() as response:
                    return response.status == 201
            return False

        began = time.monotonic()
        while not answered():
            assert time.monotonic() - began < 30, "the idle ones keep everybody out"
            time.sleep(0.5)
        assert grown < 150_000_000
    finally:
        for connection in idle:
            connection.close()
        server_process.kill()
        _, errors = server_process.communicate(timeout=30)
    assert errors == ""


# The log


def test_the_log_has_a_line_per_request_and_no_secret(tmp_path: Path) -> None:
    path = tmp_path / "logs" / "requests.log"
    with Sandbox(None, log=path) as sandbox:
        key = sandbox.resources()[0].primary_key
        teams = sandbox.teams_user_token()
        exchange(sandbox, raw_request(sandbox, extra=[("x-ms-client-request-id", "one")]))
        exchange(sandbox, raw_request(sandbox, b"[]"))
        for secret in (key, teams.access_token, sandbox.identity_header):
            exchange(sandbox, raw_request(sandbox, target=f"/{secret}?api-version={secret}"))
        exchange(sandbox, raw_request(sandbox, extra=[("x-ms-client-request-id", key)]))
        sandbox.fail_next(drop="after")
        exchange_or_nothing(sandbox)
    text = path.read_text("ascii")
    lines = text.splitlines()

    assert len(lines) == 7
    assert re.fullmatch(
        r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}\+00:00 POST /identities\?api-version=2023-10-01 "
        r"201 \d+\.\dms - one",
        lines[0],
    )
    assert " 400 " in lines[1]
    assert "ValidationError" in lines[1]
    assert " dropped " in lines[6]
    for secret in (key, teams.access_token):
        assert secret not in text
        assert secret[10:50] not in text


def exchange_or_nothing(sandbox: Sandbox) -> None:
    with connected(sandbox) as connection:
        connection.sendall(raw_request(sandbox))
        assert everything(connection) == b""


def test_a_log_that_cannot_be_written_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(SandboxError, match="choose another file"):
        Sandbox(None, log=tmp_path).start()


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a device that is always full")
def test_a_full_log_never_stops_an_answer(caplog: pytest.LogCaptureFixture) -> None:
    with Sandbox(None, log=Path("/dev/full")) as sandbox:
        for _ in range(3):
            assert exchange(sandbox, raw_request(sandbox))[0] == 201

    assert [record.getMessage() for record in caplog.records] == [
        "The request log /dev/full stops here: No space left on device."
    ]
