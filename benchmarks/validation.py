"""What a whole validation costs: ``python benchmarks/validation.py [RUNS [LANGUAGE]]``.

The same lessons are run by nbclient and nothing else, by ``acs-tutorial validate`` with one worker and with two, and by nbmake
where it is installed (``uv run --with nbmake python benchmarks/validation.py``; it compares nothing). Every number is the
median of several runs, each a process of its own; the kinds of run take turns, so that a busy machine slows all of them alike.
The exit status is 1 if a bar is missed.

nbclient alone is measured in two ways: as anybody would write it, and with the one trick that validation uses as well (not
building a grammar that nothing here needs, a second at every start). The bar is held against the faster one.
"""

from __future__ import annotations

import importlib.util
import json
import os
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from time import perf_counter

PROJECT = Path(__file__).resolve().parents[1]
RUNS = int(sys.argv[1]) if len(sys.argv) > 1 else 5
LANGUAGE = sys.argv[2] if len(sys.argv) > 2 else "*"
LESSONS = sorted((PROJECT / "notebooks").glob(f"{LANGUAGE}/[0-9][0-9]-*.ipynb"))

BARE = """
import sys
if {trick}:
    sys.modules["rfc3987_syntax"] = None
import os, tempfile
import nbformat
from nbclient import NotebookClient
for path in sys.argv[1:]:
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as home:
        os.environ["ACS_TUTORIAL_HOME"] = home
        NotebookClient(
            nbformat.read(path, as_version=4),
            kernel_name="python3",
            resources={{"metadata": {{"path": os.path.dirname(path)}}}},
        ).execute()
"""
IMPORTS = """
from time import perf_counter
began = perf_counter()
import helpers, ipywidgets, azure.communication.identity
print(perf_counter() - began)
"""

Command = Sequence[str]


def python(code: str, *arguments: object) -> Command:
    return [sys.executable, "-c", code, *map(str, arguments)]


def validation(jobs: int, report: Path) -> Command:
    command = [sys.executable, "-m", "helpers.cli", "validate"]
    return [*command, "--jobs", str(jobs), "--report", str(report), "--lesson", *map(str, LESSONS)]


def nbmake() -> Command:
    # As a project that uses nbmake would call it, without this project's own options for pytest.
    command = [sys.executable, "-m", "pytest", "--nbmake", "-q", "--noconftest"]
    return [*command, "-c", os.devnull, "-p", "no:cacheprovider", *map(str, LESSONS)]


def timed(command: Command) -> float:
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as home:
        environment = {**os.environ, "ACS_TUTORIAL_MODE": "sandbox", "ACS_TUTORIAL_HOME": home}
        began = perf_counter()
        ran = subprocess.run(
            command, cwd=PROJECT, env=environment, capture_output=True, encoding="utf-8"
        )
        seconds = perf_counter() - began
    if ran.returncode:
        sys.exit(f"{' '.join(command[:5])} … failed:\n{ran.stdout}\n{ran.stderr}")
    return seconds


def where_the_time_goes(report: Path, imports: float) -> list[str]:
    """Say how long the parts of a run with one worker took, by its own report."""
    run = json.loads((report / "report.json").read_text("utf-8"))
    lessons = run["lessons"]
    kernels = sum(lesson["kernel_seconds"] for lesson in lessons)
    first = sum(lesson["cells"][0]["seconds"] for lesson in lessons)
    cells = sum(cell["seconds"] for lesson in lessons for cell in lesson["cells"])
    whole = sum(lesson["seconds"] for lesson in lessons)
    parts: Mapping[str, float] = {
        "kernels start": kernels,
        "first cells: imports, and the sandbox's start": first,
        "all other cells": cells - first,
        "kernels stop, comparing, the rest of a lesson": whole - kernels - cells,
        "before the first and after the last lesson": run["seconds"] - whole,
    }
    return [
        f"  {name:<46} {seconds:6.2f} s  {seconds / run['seconds']:4.0%}"
        for name, seconds in parts.items()
    ] + [
        f"  {'of the first cells, imports (by themselves)':<46} {imports * len(lessons):6.2f} s",
        f"  {'slowest cells':<46} "
        + ", ".join(
            f"{Path(lesson['path']).stem[:2]} {cell['name']} {cell['seconds']:.2f} s"
            for lesson, cell in sorted(
                ((lesson, cell) for lesson in lessons for cell in lesson["cells"][1:]),
                key=lambda pair: -pair[1]["seconds"],
            )[:3]
        ),
    ]


def main(runs: int) -> int:
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        report = Path(folder)
        kinds: dict[str, Command] = {
            "nbclient alone": python(BARE.format(trick=False), *LESSONS),
            "nbclient alone, with the same trick": python(BARE.format(trick=True), *LESSONS),
            "acs-tutorial validate, one worker": validation(1, report / "one"),
            "acs-tutorial validate, two workers": validation(2, report / "two"),
        }
        if importlib.util.find_spec("nbmake"):
            kinds["nbmake"] = nbmake()
        timed(kinds["acs-tutorial validate, one worker"])  # compiles what was not compiled yet
        taken: dict[str, list[float]] = {name: [] for name in kinds}
        for _ in range(runs):
            for name, command in kinds.items():
                taken[name].append(timed(command))
        medians = {name: statistics.median(seconds) for name, seconds in taken.items()}
        imports = statistics.median(
            float(subprocess.run(python(IMPORTS), capture_output=True, check=True).stdout)
            for _ in range(runs)
        )
        parts = where_the_time_goes(report / "one", imports)
    for name, seconds in medians.items():
        print(f"{name:<46} {seconds:6.2f} s  {seconds / len(LESSONS):5.2f} s a lesson")
    one, two = (
        medians[f"acs-tutorial validate, {count}"] for count in ("one worker", "two workers")
    )
    rows = [
        (
            "validate against nbclient with the same trick",
            one / medians["nbclient alone, with the same trick"],
            1.2,
        ),
        ("validate against nbclient alone", one / medians["nbclient alone"], 1.2),
        ("two workers against one", two / one, 0.65),
    ]
    for what, ratio, bar in rows:
        print(f"{what:<46} {ratio:6.2f}    bar {bar:.2f}   {'held' if ratio <= bar else 'MISSED'}")
    if "nbmake" in medians:
        print(
            f"{'validate against nbmake, which compares nothing':<46} {one / medians['nbmake']:6.2f}"
        )
    else:
        print("nbmake is not installed: uv run --with nbmake python benchmarks/validation.py")
    print("where the time of the last run with one worker went:")
    print("\n".join(parts))
    print(
        f"medians of {runs} runs of {len(LESSONS)} lessons, Python {sys.version.split()[0]}, {os.cpu_count()} processors"
    )
    return int(any(ratio > bar for _, ratio, bar in rows))


if __name__ == "__main__":
    sys.exit(main(RUNS))
