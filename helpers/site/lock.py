"""Pyodide's lock file: where the kernel finds each package, by its name and by the modules that a cell imports."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from helpers.site.wheels import Wheel

LOCK = "pyodide-lock.json"


def rewrite(pyodide: Path, wheels: Sequence[Wheel]) -> None:
    """Put *wheels* into the folder *pyodide*, and a lock file that knows them and nothing else.

    The packages of Pyodide's own lock file lie on a network that the site does not use.
    """
    for wheel in wheels:
        (pyodide / wheel.path.name).write_bytes(wheel.path.read_bytes())
    path = pyodide / LOCK
    lock = json.loads(path.read_text(encoding="utf-8"))
    lock["packages"] = {wheel.name: entry(wheel, wheels) for wheel in wheels}
    path.write_text(json.dumps(lock, indent=1, sort_keys=True) + "\n", encoding="utf-8")


def entry(wheel: Wheel, others: Sequence[Wheel]) -> dict[str, Any]:
    """Return what the lock file says of *wheel*, whose needs are met by *others* where they are met at all."""
    there = {other.name for other in others}
    return {
        "depends": [name for name in wheel.requirements if name in there],
        "file_name": wheel.path.name,
        "imports": wheel.imports,
        "install_dir": "site",
        "name": wheel.name,
        "package_type": "package",
        "sha256": hashlib.sha256(wheel.path.read_bytes()).hexdigest(),
        "unvendored_tests": False,
        "version": wheel.version,
    }
