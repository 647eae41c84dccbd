"""Runs a page's program in a process of its own, with a sandbox of its own, a time limit and nothing of the reader's."""

from __future__ import annotations

import ast
import json
import os
import pickle
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import certifi

from helpers.errors import TutorialError
from helpers.language import gettext as _
from helpers.validation.pages.program import Piece, Problem, Program

SECONDS = 20
"""How long one attempt may take; what hangs is left out of the next."""
_ATTEMPTS = 3

# What Python itself needs; everything else of the caller's environment stays outside.
_KEPT = (
    "PATH",
    "SYSTEMROOT",
    "SYSTEMDRIVE",
    "WINDIR",
    "COMSPEC",
    "PATHEXT",
    "LANG",
    "LC_ALL",
    "LD_LIBRARY_PATH",
)


@dataclass
class Task:
    """What the runner is given."""

    pieces: list[Piece]
    imports: dict[str, tuple[str, str]]
    """Names without an import above them: module and name to take them from."""
    bound: set[str]
    """Names that the page defines somewhere."""
    environment: list[str]
    signs_in: bool
    skip: list[list[int]]


@dataclass
class Printed:
    """A line that the program printed, and the line that printed it."""

    text: str
    line: int


@dataclass
class Trial:
    """What happened."""

    problems: list[Problem] = field(default_factory=list)
    printed: list[Printed] = field(default_factory=list)
    left: list[tuple[int, int]] = field(default_factory=list)
    """Where identities were created that still exist."""
    deleting_failed: bool = False
    tokens: list[tuple[int, int]] = field(default_factory=list)
    """Lines that issued tokens, and the minutes that these live."""
    entered: set[int] = field(default_factory=set)
    """Functions that were called, by their line."""
    missing_modules: list[dict[str, Any]] = field(default_factory=list)
    used_before: list[tuple[str, int]] = field(default_factory=list)
    not_tried: list[tuple[int, str]] = field(default_factory=list)
    completed: bool = False


def run(
    program: Program, *, imports: dict[str, tuple[str, str]], bound: set[str], signs_in: bool
) -> Trial:
    """Try *program* from beginning to end."""
    task = Task(
        program.pieces, imports, bound, sorted(_environment_names(program.tree)), signs_in, []
    )
    trial = Trial()
    for _attempt in range(_ATTEMPTS):
        trial, hanging = _attempted(task)
        if trial.completed or hanging is None or list(hanging) in task.skip:
            break
        task.skip.append(list(hanging))
    for line, _column in task.skip:
        trial.not_tried.append((line, "time"))
    return trial


def _attempted(task: Task) -> tuple[Trial, tuple[int, int] | None]:
    with tempfile.TemporaryDirectory(
        prefix="acs-tutorial-page-", ignore_cleanup_errors=True
    ) as name:
        folder = Path(name)
        work = folder / "work"
        work.mkdir()
        (folder / "task").write_bytes(pickle.dumps(task))
        events = folder / "events"
        events.touch()
        process = subprocess.Popen(
            [
                sys.executable,
                "-m",
                "helpers.validation.pages.runner",
                str(folder / "task"),
                str(events),
            ],
            cwd=work,
            env=_environment(work),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
        )
        try:
            _output, error = process.communicate(timeout=SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.communicate()
            error = b""
        trial, last = _read(events.read_text(encoding="utf-8", errors="replace"))
        if not trial.completed and process.returncode not in (0, None) and error.strip():
            reason = error.decode("utf-8", "replace").strip().splitlines()[-1]
            raise TutorialError(
                _(
                    "The page's code could not be tried, because the process for it ended: {reason}"
                ).format(reason=reason)
            )
        return trial, None if trial.completed else last


def _environment(folder: Path) -> dict[str, str]:
    kept = {name: os.environ[name] for name in _KEPT if name in os.environ}
    root = str(Path(__file__).parents[3])
    private = str(folder)
    return {
        **kept,
        "HOME": private, "USERPROFILE": private, "APPDATA": private, "LOCALAPPDATA": private,
        "TMPDIR": private, "TEMP": private, "TMP": private,
        "PYTHONPATH": root, "PYTHONDONTWRITEBYTECODE": "1", "PYTHONIOENCODING": "utf-8",
        "PYTHONUTF8": "1", "PYTHONWARNINGS": "ignore", "PYTHONHASHSEED": "0",
        "SSL_CERT_FILE": certifi.where(), "MPLBACKEND": "agg",
    }  # fmt: skip


def _read(text: str) -> tuple[Trial, tuple[int, int] | None]:
    trial = Trial()
    pieces: list[tuple[int, str]] = []
    last: tuple[int, int] | None = None
    for line in text.splitlines():
        try:
            event = json.loads(line)
        except ValueError:
            continue  # cut off when the process was ended
        kind = event["event"]
        if kind == "problem":
            trial.problems.append(
                Problem(event["rule"], event["line"], event["column"], event["details"])
            )
        elif kind == "printed":
            pieces.append((event["line"], event["text"]))
        elif kind == "call":
            last = event["line"], event["column"]
        elif kind == "left":
            trial.left.append((event["line"], event["column"]))
        elif kind == "token":
            trial.tokens.append((event["line"], event["minutes"]))
        elif kind == "entered":
            trial.entered.add(event["line"])
        elif kind == "no-module":
            trial.missing_modules.append(event)
        elif kind == "undefined":
            trial.used_before.append((event["name"], event["line"]))
        elif kind == "not-tried":
            trial.not_tried.append((event["line"], event["reason"]))
        elif kind == "end":
            trial.completed = True
            trial.deleting_failed = event["deleting_failed"]
    trial.printed = list(_lines(pieces))
    return trial, last


def _lines(pieces: list[tuple[int, str]]) -> Iterator[Printed]:
    """Printed lines, each with the page's line that began it."""
    text, origin = "", 0
    for line, piece in pieces:
        parts = piece.split("\n")
        for number, part in enumerate(parts):
            if number:
                yield Printed(text, origin)
                text = ""
            if part:
                origin = line if not text else origin
                text += part
            elif not text:
                origin = line
    if text:
        yield Printed(text, origin)


def _environment_names(tree: ast.Module) -> Iterator[str]:
    """The environment variables that the program reads by name."""
    for node in ast.walk(tree):
        key: ast.expr | None = None
        if isinstance(node, ast.Subscript) and "environ" in ast.unparse(node.value):
            key = node.slice
        elif (
            isinstance(node, ast.Call) and _reads_environment(ast.unparse(node.func)) and node.args
        ):
            key = node.args[0]
        if isinstance(key, ast.Constant) and isinstance(key.value, str):
            yield key.value


def _reads_environment(function: str) -> bool:
    return function in ("os.getenv", "getenv", "os.environ.get", "environ.get")
