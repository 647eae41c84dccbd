"""What one learner on a JupyterHub needs, in memory and in processor time: ``python benchmarks/memory.py PYTHON [--save]``.

A browser opens the JupyterLab that ``jupyterhub-singleuser`` starts for a learner, and runs the English lessons in it: first
one at a time, then all of them with every lesson left open in its tab, as people do. PYTHON is the Python of the image's
environment, which holds jupyterhub; deploy/README.md tells how to make one without an image. The benchmark itself runs in the
development environment, which holds the browser's driver, and on Linux, which alone tells these sizes. The hub is not what is
measured: a few lines play it, and know one learner.

Memory is the proportional set size (PSS) of the server and all its kernels together: a page of memory that several of these
processes share counts once. Learners beside one another on a node share yet more, so the figures err on the safe side.

``--save`` writes ``deploy/measured.json``. The values for the chart and the tables of ``deploy/README.md`` follow from it, and
a test says where they do not.
"""

from __future__ import annotations

import json
import os
import secrets
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timezone
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import pairwise
from pathlib import Path
from typing import Any

import psutil
from playwright.sync_api import Browser, sync_playwright

PROJECT = Path(__file__).resolve().parents[1]
MEASURED = PROJECT / "deploy" / "measured.json"

sys.path.insert(0, str(PROJECT))

from tests.browser.chromium import find_chromium, launch_options  # noqa: E402
from tests.browser.jupyterlab import ThePage  # noqa: E402

LESSONS = sorted((PROJECT / "notebooks" / "en").glob("[0-9][0-9]-*.ipynb"))
MEGABYTE = 1024 * 1024
SETTLED_SECONDS = 3
SAMPLE_SECONDS = 0.1

LEARNER = "ada"
BASE = f"/user/{LEARNER}/"
ACCESS = f"access:servers!server={LEARNER}/"
VERSION = "5.5.0"
"""Of the hub in the chart that deploy/README.md installs."""

VERSIONS = """
import json, sys
from importlib.metadata import version
names = ("jupyterhub", "jupyterlab", "ipykernel", "ipython")
print(json.dumps({"python": sys.version.split()[0]} | {name: version(name) for name in names}))
"""


class Hub(BaseHTTPRequestHandler):
    """Answers the three questions that a learner's server has for its hub."""

    def do_GET(self) -> None:
        if self.path.startswith("/hub/api/user"):
            scopes = [ACCESS, f"read:users:name!user={LEARNER}"]
            self._answer(
                {"name": LEARNER, "kind": "user", "groups": [], "admin": False, "scopes": scopes}
            )
        else:
            self._answer({"version": VERSION})

    def do_POST(self) -> None:  # the learner was active
        self.rfile.read(int(self.headers["Content-Length"]))
        self._answer({})

    def _answer(self, body: object) -> None:
        self.send_response(200)
        self.send_header("X-JupyterHub-Version", VERSION)
        self.end_headers()
        self.wfile.write(json.dumps(body).encode())

    def log_message(self, *_: object) -> None:
        pass


class Server:
    """A learner's server, without settings of their own, as in a new container; a context manager."""

    def __init__(self, python: Path, folder: Path) -> None:
        self._python = python
        self.folder = folder
        self.address = ""

    def __enter__(self) -> Server:
        shutil.copytree(PROJECT / "notebooks", self.folder / "notebooks")
        token = secrets.token_hex(16)
        with socket.create_server(("127.0.0.1", 0)) as free:
            own = f"http://127.0.0.1:{free.getsockname()[1]}"
        self._hub = ThreadingHTTPServer(("127.0.0.1", 0), Hub)
        threading.Thread(target=self._hub.serve_forever, daemon=True).start()
        environment = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith(("JUPYTER", "ACS_TUTORIAL", "COMMUNICATION_SERVICES"))
        }
        self._process = psutil.Popen(
            [
                str(self._python.with_name("jupyterhub-singleuser")),
                "--allow-root",
                # JupyterLab's own handle for tests.
                "--LabApp.expose_app_in_browser=True",
            ],
            cwd=self.folder,
            env=environment
            | {
                "PATH": os.pathsep.join([str(self._python.parent), os.environ["PATH"]]),
                "HOME": str(self.folder),
                "JUPYTERHUB_ALLOW_TOKEN_IN_URL": "1",
                "JUPYTERHUB_API_TOKEN": token,
                "JUPYTERHUB_API_URL": f"http://127.0.0.1:{self._hub.server_port}/hub/api",
                "JUPYTERHUB_CLIENT_ID": f"jupyterhub-user-{LEARNER}",
                "JUPYTERHUB_OAUTH_ACCESS_SCOPES": json.dumps([ACCESS]),
                "JUPYTERHUB_SERVICE_PREFIX": BASE,
                "JUPYTERHUB_SERVICE_URL": own + BASE,
                "JUPYTERHUB_USER": LEARNER,
            },
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        first = LESSONS[0].relative_to(PROJECT).as_posix()
        self.address = f"{own}{BASE}lab/tree/{first}?token={token}"
        wait_until(lambda: answers(f"{own}{BASE}api"))
        return self

    def __exit__(self, *_: object) -> None:
        self._process.terminate()
        self._process.wait(30)
        self._hub.shutdown()

    def kernels(self) -> list[psutil.Process]:
        return list(self._process.children(recursive=True))

    def megabytes(self) -> float:
        """Return what the server and its kernels hold now."""
        total = 0
        for process in [self._process, *self.kernels()]:
            try:
                total += process.memory_full_info().pss
            except psutil.NoSuchProcess:
                continue  # a kernel that just ended
        return total / MEGABYTE

    def processor_seconds(self) -> float:
        """Return the processor time that the server and its kernels took until now."""
        return sum(
            times.user + times.system
            for times in (process.cpu_times() for process in [self._process, *self.kernels()])
        )

    @contextmanager
    def peak(self) -> Iterator[Callable[[], float]]:
        """Watch the memory while the block runs; what it gives returns the most that was seen, in megabytes.

        Seen twice in a row: while a process forks, its memory may be counted on both sides.
        """
        seen = [self.megabytes()]
        over = threading.Event()

        def watch() -> None:
            while not over.wait(SAMPLE_SECONDS):
                seen.append(self.megabytes())

        watcher = threading.Thread(target=watch)
        watcher.start()
        try:
            yield lambda: max(map(min, pairwise(seen)))
        finally:
            over.set()
            watcher.join()


def wait_until(happened: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 60
    while not happened():
        if time.monotonic() > deadline:
            raise TimeoutError("JupyterLab took longer than a minute")
        time.sleep(0.05)


def answers(address: str) -> bool:
    try:
        return bool(urllib.request.urlopen(address, timeout=5).status == 200)
    except OSError:
        return False


def measure(server: Server, browser: Browser) -> dict[str, Any]:
    window = ThePage(browser.new_page())
    window.open(server.address)
    time.sleep(SETTLED_SECONDS)
    arrived = server.megabytes()
    start_seconds = server.processor_seconds()

    lessons = {}
    for lesson in LESSONS:
        window.close_everything()
        wait_until(lambda: not server.kernels())
        before = server.processor_seconds()
        with server.peak() as most:
            window.open_lesson(server.folder / lesson.relative_to(PROJECT), server.folder).run_all()
        lessons[lesson.stem] = {
            "megabytes": round(most()),
            "processor_seconds": round(server.processor_seconds() - before, 1),
        }

    for lesson in LESSONS[:-1]:  # the last one is open already
        window.open_lesson(server.folder / lesson.relative_to(PROJECT), server.folder).run_all()
    time.sleep(SETTLED_SECONDS)
    assert len(server.kernels()) == len(LESSONS)
    return {
        "idle_megabytes": round(arrived),
        "lessons": lessons,
        "all_lessons_open_megabytes": round(server.megabytes()),
        "start_processor_seconds": round(start_seconds, 1),
    }


def main(python: Path, *, save: bool) -> int:
    if not sys.platform.startswith("linux"):
        print("Only Linux tells the proportional set size of a process; run this there.")
        return 1
    if not python.with_name("jupyterhub-singleuser").is_file():
        print(
            f"There is no jupyterhub-singleuser beside {python}; install jupyterhub into that environment."
        )
        return 1
    with (
        tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder,
        sync_playwright() as playwright,
        Server(python, Path(folder)) as server,
        playwright.chromium.launch(
            executable_path=find_chromium(playwright), **launch_options()
        ) as browser,
    ):
        measured = measure(server, browser)
    versions = subprocess.run([python, "-c", VERSIONS], capture_output=True, check=True).stdout
    measured = {
        "date": f"{datetime.now(timezone.utc):%Y-%m-%d}",
        "versions": json.loads(versions),
    } | measured
    print(json.dumps(measured, indent=2))
    if save:
        MEASURED.write_text(json.dumps(measured, indent=2) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    chosen = [argument for argument in sys.argv[1:] if argument != "--save"]
    if len(chosen) != 1:
        sys.exit("usage: python benchmarks/memory.py PYTHON [--save]")
    sys.exit(main(Path(chosen[0]), save="--save" in sys.argv))
