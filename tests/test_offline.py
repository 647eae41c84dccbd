"""Unplugged, everything works: the run is guarded, the guard bites, and it reaches the kernels of the lessons."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

GUARD = Path(__file__).parent / "guard"

# An address and a name that documentation may use and nobody answers on.
OUTSIDE = "192.0.2.1"
OUTSIDE_NAME = "contoso.invalid"

REACHES_OUT = {
    "a connection": f"socket.create_connection(({OUTSIDE!r}, 443), timeout=1)",
    "a connection over IPv6": "socket.socket(socket.AF_INET6).connect(('2001:db8::1', 443))",
    "a name lookup": f"socket.getaddrinfo({OUTSIDE_NAME!r}, 443)",
    "an old name lookup": f"socket.gethostbyname({OUTSIDE_NAME!r})",
    "a datagram": f"socket.socket(type=socket.SOCK_DGRAM).sendto(b'x', ({OUTSIDE!r}, 53))",
    "a request": f"urllib.request.urlopen('https://{OUTSIDE_NAME}')",
    "an asynchronous connection": f"asyncio.run(asyncio.open_connection({OUTSIDE!r}, 443))",
}

STAYS_HERE = """
for family, host in ((socket.AF_INET, "127.0.0.1"), (socket.AF_INET6, "::1")):
    try:
        server = socket.create_server((host, 0), family=family)
    except OSError:  # a machine without IPv6
        continue
    for name in (host, "localhost") if family == socket.AF_INET else (host,):
        socket.create_connection((name, server.getsockname()[1])).close()
socket.getaddrinfo(None, 0)
print("reached")
"""


def run_guarded(code: str, log: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", f"import asyncio, socket, urllib.request\n{code}"],
        env=os.environ | {"PYTHONPATH": str(GUARD), "ACS_TUTORIAL_GUARD_LOG": str(log)},
        capture_output=True,
        text=True,
        timeout=30,
    )


@pytest.mark.parametrize("code", REACHES_OUT.values(), ids=REACHES_OUT)
def test_what_would_leave_this_machine_is_refused_and_noted(code, tmp_path):
    log = tmp_path / "refused.log"

    ran = run_guarded(code, log)

    assert ran.returncode == 1
    assert "only this machine may be reached" in ran.stderr
    assert re.search(rf"{OUTSIDE}|2001:db8::1|{OUTSIDE_NAME}", log.read_text("utf-8"))


def test_a_swallowed_refusal_is_noted_all_the_same(tmp_path):
    log = tmp_path / "refused.log"

    ran = run_guarded(f"socket.socket().connect_ex(({OUTSIDE!r}, 443))", log)
    code = f"try:\n    {REACHES_OUT['a connection']}\nexcept Exception:\n    pass"
    swallowed = run_guarded(code, log)

    assert ran.returncode == 1
    assert swallowed.returncode == 0
    assert log.read_text("utf-8").count(OUTSIDE) == 2


def test_this_machine_can_be_reached(tmp_path):
    log = tmp_path / "refused.log"

    ran = run_guarded(STAYS_HERE, log)

    assert ran.stdout == "reached\n", ran.stderr
    assert not log.exists()


# Started as nbval starts a lesson's kernel. In a process of its own: the client leaves event loops behind.
ASK_A_KERNEL = f"""
from jupyter_client.manager import start_new_kernel

manager, client = start_new_kernel(kernel_name="python3")
reply = client.execute("import socket; {REACHES_OUT["a connection"]}", reply=True, timeout=30)
client.stop_channels()
manager.shutdown_kernel(now=True)
print(reply["content"]["ename"])
"""


def test_kernels_of_this_test_run_are_guarded(tmp_path):
    # With the environment that this run has; only the log is the test's own.
    log = tmp_path / "refused.log"

    asked = subprocess.run(
        [sys.executable, "-c", ASK_A_KERNEL],
        env=os.environ | {"ACS_TUTORIAL_GUARD_LOG": str(log)},
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )

    assert asked.stdout == "OutsideConnectionRefused\n"
    assert OUTSIDE in log.read_text("utf-8")
