"""How long a reader waits for the first cell: ``python benchmarks/start.py [RUNS]``.

Every number is the median of several runs, each in a Python process of its own with an empty state folder; the kinds of run
take turns, so that a busy machine slows all of them alike. The exit status is 1 if a bar is missed.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[1]

# Each prints its seconds as the last line; the clock starts when the interpreter is up, as in a kernel.
FIRST_CELL = """
from time import perf_counter
began = perf_counter()
import helpers
session = helpers.start("00")
print(perf_counter() - began)
"""

SANDBOX = """
import tempfile
from pathlib import Path
from time import perf_counter
from helpers.sandbox import Sandbox
with tempfile.TemporaryDirectory() as first, tempfile.TemporaryDirectory() as second:
    Sandbox(Path(first)).start().stop()  # imports what a running sandbox needs
    sandbox = Sandbox(Path(second))
    began = perf_counter()
    sandbox.start()
    seconds = perf_counter() - began
    sandbox.stop()
print(seconds)
"""

BARE_IMPORTS = """
from time import perf_counter
began = perf_counter()
import azure.communication.identity
import ipywidgets
print(perf_counter() - began)
"""

WITH_HELPERS = """
from time import perf_counter
began = perf_counter()
import azure.communication.identity
import ipywidgets
import helpers
print(perf_counter() - began)
"""


def seconds_of(code: str) -> float:
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as home:
        environment = os.environ | {"ACS_TUTORIAL_MODE": "sandbox", "ACS_TUTORIAL_HOME": home}
        ran = subprocess.run(
            [sys.executable, "-c", code],
            cwd=PROJECT,
            env=environment,
            capture_output=True,
            text=True,
            check=True,
        )
    return float(ran.stdout.splitlines()[-1])


def main(runs: int = 7) -> int:
    kinds = (FIRST_CELL, SANDBOX, BARE_IMPORTS, WITH_HELPERS)
    seconds_of(FIRST_CELL)  # compiles what was not compiled yet
    taken: dict[str, list[float]] = {code: [] for code in kinds}
    for _ in range(runs):
        for code in kinds:
            taken[code].append(seconds_of(code))
    first_cell, sandbox, bare, with_helpers = (statistics.median(taken[code]) for code in kinds)
    added = with_helpers - bare
    rows = [
        ("session = helpers.start(), cold, with imports", first_cell, 2.0),
        ("sandbox ready, imports warm, new state", sandbox, 0.3),
        ("import helpers adds to the SDK and ipywidgets", added, 0.3),
    ]
    for what, seconds, bar in rows:
        verdict = "held" if seconds <= bar else "MISSED"
        print(
            f"{what:<46} {seconds:6.3f} s   bar {bar:.1f} s   ratio {seconds / bar:4.2f}   {verdict}"
        )
    print(
        f"{'the SDK and ipywidgets alone, then with helpers':<46} {bare:6.3f} s, {with_helpers:.3f} s   "
        f"ratio {with_helpers / bare:4.2f}"
    )
    print(f"medians of {runs} runs, Python {sys.version.split()[0]}, {os.cpu_count()} processors")
    return int(any(seconds > bar for _, seconds, bar in rows))


if __name__ == "__main__":
    sys.exit(main(*map(int, sys.argv[1:])))
