"""What the sandbox costs, as ratios measured in one run.

    uv run python benchmarks/sandbox.py            # about a minute
    uv run python benchmarks/sandbox.py --full     # up to a million identities, longer loads

With moto's server installed (`uv run --with "moto[server]" python benchmarks/sandbox.py`) it is measured too: what people
would pick to have tokens issued locally. Numbers of a shared machine vary; ratios less.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import importlib.util
import itertools
import json
import os
import ssl
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from email.utils import formatdate
from pathlib import Path
from typing import Any
from unittest.mock import patch

import certifi

from helpers.sandbox import Sandbox
from helpers.sandbox.auth import content_hash, signature, string_to_sign
from helpers.sandbox.control import Control
from helpers.sandbox.directory import Caller, Directory
from helpers.sandbox.store import Store
from helpers.sandbox.tokens import SigningKey

TARGET = "/identities/{}/:issueAccessToken?api-version=2023-10-01"
BODY = b'{"scopes": ["chat"], "expiresInMinutes": 60}'
CONNECTIONS = 64
# A token service issues to its users in turn.
IDENTITIES_PER_CLIENT = 8

SANDBOX = """
import sys, time
from pathlib import Path
from helpers.sandbox import Sandbox

folder = Path(sys.argv[1])
sandbox = Sandbox(folder, log=folder / "requests.log").start()
print(sandbox.connection_string, flush=True)
time.sleep(3600)
"""

# The least that could issue tokens: no authentication, no store, no log, the signature on the event loop.
BARE = """
import json, ssl, sys, tempfile, time
from pathlib import Path
import trustme, uvicorn
from starlette.applications import Starlette
from starlette.responses import JSONResponse
from starlette.routing import Route
from helpers.sandbox.tokens import SigningKey, communication_user_claims

key = SigningKey.generate()
claims = communication_user_claims(
    "8:acs:" + "0" * 36 + "_" + "0" * 36, ["chat"], resource_id="0" * 36, region="amer",
    location="unitedstates", issued_at=1, signed_at=1, lifetime_seconds=3600)

async def issue(request):
    await request.json()
    token = key.sign(key.unsigned(claims))
    return JSONResponse({"token": token, "expiresOn": "2026-01-01T00:00:00.0000000+00:00"})

folder = Path(sys.argv[1])
certificate = trustme.CA().issue_cert("localhost")
certificate.private_key_and_cert_chain_pem.write_to_path(folder / "bare.pem")
config = uvicorn.Config(
    Starlette(routes=[Route("/{path:path}", issue, methods=["POST"])]),
    port=int(sys.argv[2]), http="h11", ssl_certfile=str(folder / "bare.pem"), log_level="critical")
server = uvicorn.Server(config)
print("ready", flush=True)
server.run()
"""


@contextlib.contextmanager
def program(code: str, *arguments: str) -> Iterator[str]:
    """Run a server in a process of its own; yields its first line."""
    process = subprocess.Popen(
        [sys.executable, "-c", code, *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    try:
        assert process.stdout is not None
        yield process.stdout.readline().strip()
    finally:
        process.kill()
        process.communicate()


def signed_request(targets: list[str], host: str, key: str) -> Callable[[], bytes]:
    """Return a function that gives a request for each target in turn, with fresh signatures, made anew each second."""
    body_hash = content_hash(BODY)
    cached: dict[str, tuple[str, bytes]] = {}
    turns = itertools.cycle(targets)

    def request() -> bytes:
        target, date = next(turns), formatdate(usegmt=True)
        made = cached.get(target)
        if made is None or made[0] != date:
            proof = signature(key, string_to_sign("POST", target, date, host, body_hash))
            head = (
                f"POST {target} HTTP/1.1\r\nHost: {host}\r\nx-ms-date: {date}\r\n"
                f"x-ms-content-sha256: {body_hash}\r\nContent-Type: application/json\r\n"
                "Authorization: HMAC-SHA256 SignedHeaders=x-ms-date;host;x-ms-content-sha256"
                f"&Signature={proof}\r\nContent-Length: {len(BODY)}\r\n\r\n"
            )
            made = cached[target] = (date, head.encode() + BODY)
        return made[1]

    return request


async def load(
    port: int,
    requests: list[Callable[[], bytes]],
    seconds: float,
    *,
    tls: bool = True,
) -> tuple[float, list[float]]:
    """Keep as many connections busy as there are request makers; return answers per second and each one's time."""
    context = ssl._create_unverified_context() if tls else None
    times: list[float] = []
    opened = asyncio.Semaphore(32)
    ready = asyncio.Event()

    async def client(request: Callable[[], bytes]) -> None:
        async with opened:
            reader, writer = await asyncio.open_connection("127.0.0.1", port, ssl=context)
        await ready.wait()
        while time.perf_counter() < deadline:
            began = time.perf_counter()
            writer.write(request())
            head = await reader.readuntil(b"\r\n\r\n")
            assert head.startswith(b"HTTP/1.1 200"), head
            lower = head.lower()
            at = lower.index(b"content-length:") + 15
            await reader.readexactly(int(lower[at : lower.index(b"\r\n", at)]))
            times.append(time.perf_counter() - began)
        writer.transport.abort()

    clients = [asyncio.ensure_future(client(request)) for request in requests]
    deadline = float("inf")
    await asyncio.sleep(0.2 + len(requests) / 200)
    began = time.perf_counter()
    deadline = began + seconds
    ready.set()
    await asyncio.gather(*clients)
    return len(times) / (time.perf_counter() - began), times


def percentile(times: list[float], share: float) -> float:
    return sorted(times)[min(int(len(times) * share), len(times) - 1)] * 1000


# One call


class Constant:
    """Answers every request with one token, whoever asks, under the same headers as the sandbox."""

    def __init__(self, headers: dict[str, str], body: bytes) -> None:
        kept = {**headers, "Content-Length": str(len(body))}
        self.headers = [(name.encode(), value.encode()) for name, value in kept.items()]
        self.body = body

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        while (await receive()).get("more_body"):
            pass
        await send({"type": "http.response.start", "status": 200, "headers": self.headers})
        await send({"type": "http.response.body", "body": self.body})


def one_call(folder: Path, calls: int) -> None:
    from azure.communication.identity import CommunicationIdentityClient

    def client(sandbox: Sandbox, name: str) -> CommunicationIdentityClient:
        bundle = folder / f"{name}.pem"
        bundle.write_bytes(Path(certifi.where()).read_bytes() + sandbox.certificate_authority)
        return CommunicationIdentityClient.from_connection_string(
            sandbox.connection_string, connection_verify=str(bundle)
        )

    with Sandbox(folder / "one") as real:
        first = client(real, "real")
        users = [first.create_user() for _ in range(100)]
        headers: dict[str, str] = {}
        token = first.get_token(
            users[0],
            ["chat"],
            raw_response_hook=lambda response: headers.update(response.http_response.headers),
        )
        answer = json.dumps({"token": token.token, "expiresOn": token.expires_on}).encode()
        with (
            patch("helpers.sandbox.server.create_app", lambda *a, **k: Constant(headers, answer)),
            Sandbox(None) as constant,
        ):
            second = client(constant, "constant")
            times: dict[str, list[float]] = {"real": [], "constant": []}
            # In turns, so that whatever else the machine does meets both.
            for number in range(calls + 50):
                for name, chosen in (("real", first), ("constant", second)):
                    began = time.perf_counter()
                    chosen.get_token(users[number % len(users)], ["chat"])
                    if number >= 50:
                        times[name].append(time.perf_counter() - began)
    medians = {name: statistics.median(values) * 1000 for name, values in times.items()}
    print("\nOne get_token through the SDK, client and server in one process (median)")
    print(f"  sandbox                     {medians['real']:8.2f} ms")
    print(f"  same server, constant       {medians['constant']:8.2f} ms")
    print(
        f"  ratio                       {medians['real'] / medians['constant']:8.2f}   (bar: at most 1.5)"
    )


# Many calls


def rsa(seconds: float) -> float:
    key = SigningKey.generate()
    unsigned = key.unsigned({"exp": 1, "padding": "x" * 250})

    def rate(threads: int) -> float:
        counts = [0] * threads
        end = time.perf_counter() + seconds

        def work(index: int) -> None:
            while time.perf_counter() < end:
                key.sign(unsigned)
                counts[index] += 1

        working = [threading.Thread(target=work, args=(index,)) for index in range(threads)]
        for thread in working:
            thread.start()
        for thread in working:
            thread.join()
        return sum(counts) / seconds

    one, all_cores = rate(1), rate(os.cpu_count() or 1)
    print("\nThe RSA-2048 signature alone: the physical limit")
    print(f"  one thread                  {one:8.0f} /s")
    print(f"  {os.cpu_count()} threads                   {all_cores:8.0f} /s")
    return one


def many_calls(folder: Path, seconds: float, rounds: int) -> float:
    import socket

    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        bare_port = free.getsockname()[1]
    state = folder / "many"
    with program(SANDBOX, str(state)) as line, program(BARE, str(folder), str(bare_port)):
        endpoint, key = line.split(";accesskey=")
        host = endpoint.removeprefix("endpoint=https://").rstrip("/")
        port = int(host.partition(":")[2])
        directory = Directory(Store(state), Control())
        caller = Caller(directory.resource(), directory.resource().primary_key_id)

        def identities() -> list[str]:
            made = (directory.create_identity(caller)[0] for _ in range(IDENTITIES_PER_CLIENT))
            return [TARGET.format(identity.raw_id) for identity in made]

        requests = [signed_request(identities(), host, key) for _ in range(300)]
        directory.store.close()
        time.sleep(1)
        rates: dict[str, list[float]] = {"sandbox": [], "bare": []}
        for _ in range(rounds):
            for name, at in (("sandbox", port), ("bare", bare_port)):
                rate, _ = asyncio.run(load(at, requests[:CONNECTIONS], seconds))
                rates[name].append(rate)
        sandbox, bare = (statistics.median(rates[name]) for name in ("sandbox", "bare"))
        print(
            f"\nTokens per second of one process, {CONNECTIONS} signed clients (median of {rounds})"
        )
        print(f"  sandbox: HMAC, store, log   {sandbox:8.0f} /s")
        print(f"  bare handler that signs     {bare:8.0f} /s")
        print(f"  ratio                       {sandbox / bare:8.2f}   (bar: at least 0.8)")
        print("\nTime to an answer of the sandbox")
        for connections in (1, 64, 300):
            rate, times = asyncio.run(load(port, requests[:connections], seconds))
            print(
                f"  {connections:3} connections             p50 {percentile(times, 0.5):8.2f} ms   "
                f"p99 {percentile(times, 0.99):8.2f} ms   {rate:6.0f} /s"
            )
    return sandbox


MOTO = """
import sys
from werkzeug.serving import run_simple
from moto.server import DomainDispatcherApplication, create_backend_app

print("ready", flush=True)
run_simple("127.0.0.1", int(sys.argv[1]), DomainDispatcherApplication(create_backend_app), threaded=True)
"""


def moto(seconds: float, sandbox: float) -> None:
    if importlib.util.find_spec("moto") is None:
        print("\nmoto is not installed: not compared")
        return
    import socket

    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    body = b"Action=GetSessionToken&Version=2011-06-15&DurationSeconds=3600"
    request = (
        f"POST / HTTP/1.1\r\nHost: sts.amazonaws.com\r\nContent-Length: {len(body)}\r\n"
        "Content-Type: application/x-www-form-urlencoded\r\nConnection: keep-alive\r\n"
        "Authorization: AWS4-HMAC-SHA256 Credential=a/20260101/us-east-1/sts/aws4_request\r\n\r\n"
    ).encode() + body
    with program(MOTO, str(port)):
        time.sleep(4)
        rate = asyncio.run(closing_load(port, request, seconds))
    print(f"\nmoto's server, STS GetSessionToken over plain http, {CONNECTIONS} clients")
    print(f"  moto                        {rate:8.0f} /s")
    print(f"  sandbox against moto        {sandbox / rate:8.1f} x")


async def closing_load(port: int, request: bytes, seconds: float) -> float:
    """For a server that closes each connection after its answer."""
    count = 0
    began = time.perf_counter()

    async def client() -> None:
        nonlocal count
        while time.perf_counter() < began + seconds:
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(request)
            answer = await reader.read(-1)
            assert b" 200 " in answer[:20], answer[:500]
            writer.close()
            count += 1

    await asyncio.gather(*(client() for _ in range(CONNECTIONS)))
    return count / (time.perf_counter() - began)


# Growth


def growth(folder: Path, sizes: list[int]) -> None:
    directory = Directory(Store(folder / "growth"), Control())
    resource = directory.resource()
    caller = Caller(resource, resource.primary_key_id)
    print("\nCost of one request by identities stored (median, without HTTP)")
    stored = 0
    first: float | None = None
    for size in sizes:
        rows = (
            (f"8:acs:{resource.id}_filler-{number}", resource.id, None, number)
            for number in range(stored, size)
        )
        with directory.store.transaction() as connection:
            connection.executemany("INSERT INTO identities VALUES (?, ?, ?, ?)", rows)
        stored = size
        times: dict[str, list[float]] = {"create": [], "issue": [], "revoke": [], "delete": []}
        for _ in range(300):
            marks = [time.perf_counter()]
            identity, _ = directory.create_identity(caller)
            marks.append(time.perf_counter())
            issued = directory.issue_token(caller, identity.raw_id, scopes=["chat"])
            directory.signing_key.sign(issued.unsigned)
            marks.append(time.perf_counter())
            directory.revoke_tokens(caller, identity.raw_id)
            marks.append(time.perf_counter())
            directory.delete_identity(caller, identity.raw_id)
            marks.append(time.perf_counter())
            for index, name in enumerate(times):
                times[name].append(marks[index + 1] - marks[index])
        medians = {name: statistics.median(values) * 1e6 for name, values in times.items()}
        total = sum(medians.values())
        first = first or total
        row = "   ".join(f"{name} {value:5.0f} us" for name, value in medians.items())
        print(f"  {size:>9,} identities   {row}   together {total / first:4.2f} x")
    directory.store.close()


def start() -> None:
    """A start after the first, which has imported everything and made the keys."""
    with tempfile.TemporaryDirectory() as folder:
        Sandbox(Path(folder)).start().stop()
        times = []
        for _ in range(7):
            began = time.perf_counter()
            sandbox = Sandbox(Path(folder)).start()
            times.append(time.perf_counter() - began)
            sandbox.stop()
    print(
        f"Sandbox().start(), warm          {statistics.median(times) * 1000:8.1f} ms   (bar: at most 300)"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--full", action="store_true", help="measure longer, up to 10^6 identities")
    full = parser.parse_args().full
    os.environ["NO_PROXY"] = os.environ["no_proxy"] = "localhost,127.0.0.1"
    # Memory-backed where there is such a place would flatter the store; this is the ordinary disk.
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        start()
        one_call(folder, 1500 if full else 400)
        rsa(2 if full else 1)
        rate = many_calls(folder, 6 if full else 3, 5 if full else 3)
        moto(3, rate)
        growth(folder, [10**exponent for exponent in range(2, 7 if full else 6)])


if __name__ == "__main__":
    main()
