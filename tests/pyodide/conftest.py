"""Pyodide under Node: the Python of the browser, without a browser."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from helpers.errors import TutorialError
from helpers.site import tools, wheels

PROJECT = Path(__file__).parents[2]
HERE = Path(__file__).parent
SECONDS = 300

RunInPyodide = Callable[..., str]


def fetched() -> tuple[Path, Path]:
    """Fetch Pyodide and the packages once for each change of what is declared, and return their two folders.

    Raises:
        TutorialError: they are not here, and the registries cannot be reached.
    """
    declared = (PROJECT / "pyproject.toml").read_bytes() + Path(tools.__file__).read_bytes()
    folder = PROJECT / "build" / "pyodide" / hashlib.sha256(declared).hexdigest()[:12]
    if not folder.exists():
        unfinished = folder.with_suffix(".part")
        shutil.rmtree(unfinished, ignore_errors=True)
        for part in ("core", "wheels"):
            (unfinished / part).mkdir(parents=True)
        tools.unpack_pyodide(unfinished / "core")
        wheels.download(PROJECT, unfinished / "wheels")
        unfinished.rename(folder)
    return folder / "core", folder / "wheels"


def build_helpers(folder: Path) -> None:
    with pytest.MonkeyPatch.context() as patch:
        # What uv has kept of its build tools is enough; only without any does it need the network.
        patch.setenv("UV_OFFLINE", "1")
        try:
            wheels.build_helpers(PROJECT, folder)
            return
        except TutorialError:
            pass
    wheels.build_helpers(PROJECT, folder)


@pytest.fixture(scope="session")
def run_in_pyodide(tmp_path_factory: pytest.TempPathFactory) -> RunInPyodide:
    """Runs a program of this folder in a new Pyodide whose drive is a folder, and returns what it printed."""
    own = tmp_path_factory.mktemp("wheel")
    with pytest.MonkeyPatch.context() as patch:
        # Fetching is the one thing that may leave this machine, so the guard stays out of it.
        patch.delenv("PYTHONPATH", raising=False)
        try:
            core, packages = fetched()
            build_helpers(own)
            found = shutil.which("node")
            node = [found] if found else tools.from_package_index("node", tools.NODE)
        except TutorialError as error:
            if os.environ.get("CI"):
                raise
            pytest.skip(f"Pyodide is not here and cannot be fetched: {error}")

    def run(program: str, *arguments: str, drive: Path) -> str:
        task = {
            "pyodide": str(core),
            "wheels": [str(wheel.path) for wheel in wheels.in_folder(packages)]
            + [str(wheel.path) for wheel in wheels.in_folder(own)],
            "drive": str(drive),
            "program": str(HERE / program),
            "arguments": arguments,
        }
        ran = subprocess.run(
            [*node, str(HERE / "pyodide.mjs"), json.dumps(task)],
            capture_output=True,
            encoding="utf-8",
            timeout=SECONDS,
        )
        assert ran.returncode == 0, ran.stderr
        return ran.stdout

    return run
