"""Which lessons there are, and which of them a command means."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from helpers.errors import TutorialError
from helpers.language import gettext as _

PROJECT = Path(__file__).parents[2]
NOTEBOOKS = PROJECT / "notebooks"

# What can change the outcome of every lesson.
_SHARED = ("helpers/", "pyproject.toml", "tests/notebooks/sanitize.cfg")
# Parts of helpers/ that no lesson runs.
_NOT_SHARED = (
    "helpers/cli/",
    "helpers/jupyter/",
    "helpers/nbconvert/",
    "helpers/slides/",
    "helpers/validation/",
    "helpers/voila/",
)


class SelectionError(TutorialError):
    """What was asked for does not exist; the command line was wrong, not a lesson."""


@dataclass(frozen=True)
class Notebook:
    """A notebook as it is stored."""

    path: Path
    content: dict[str, Any]
    lines: list[str]

    @property
    def name(self) -> str:
        """Where it is, seen from the project."""
        path = self.path.resolve()
        return (
            path.relative_to(PROJECT).as_posix()
            if path.is_relative_to(PROJECT)
            else path.as_posix()
        )

    @property
    def language(self) -> str:
        """The language of a lesson, which is the folder that it is in."""
        parent = self.path.resolve().parent
        return parent.name if parent.parent == NOTEBOOKS else ""

    @property
    def title(self) -> str:
        """The first heading, or the file's name."""
        for cell in self.content["cells"]:
            if cell["cell_type"] == "markdown":
                for line in _source(cell).splitlines():
                    if line.startswith("# "):
                        return line[2:].strip()
        return self.path.stem

    @property
    def code_cells(self) -> list[dict[str, Any]]:
        return [cell for cell in self.content["cells"] if cell["cell_type"] == "code"]

    def line_of(self, cell_id: str) -> int:
        """Return the number of the line on which the cell begins, for annotations."""
        mark = f'"id": "{cell_id}"'
        return next((number for number, line in enumerate(self.lines, 1) if mark in line), 1)


def _source(cell: dict[str, Any]) -> str:
    source = cell["source"]
    return "".join(source) if isinstance(source, list) else str(source)


def read(path: Path) -> Notebook:
    """Read the notebook at *path*, as JSON: what is checked here needs no more, and nbformat takes a second to import.

    Raises:
        TutorialError: there is none, or it is not a notebook of format 4.
    """
    try:
        text = path.read_text(encoding="utf-8")
        content = json.loads(text)
        cells = content["cells"]
        for cell in cells:
            cell["source"] = _source(cell)
            cell.setdefault("metadata", {})
    except OSError as error:
        raise TutorialError(
            _("There is no notebook at {path} ({reason}).").format(path=path, reason=error.strerror)
        ) from error
    except (ValueError, KeyError, TypeError) as error:
        raise TutorialError(
            _("{path} is not a notebook of format 4; open and save it in JupyterLab.").format(
                path=path
            )
        ) from error
    return Notebook(path, content, text.splitlines())


def languages() -> list[str]:
    """Return the languages that there are lessons in."""
    return sorted({path.parent.name for path in _all()})


def select(lessons: Sequence[str] = (), *, language: str | None = None) -> list[Path]:
    """Return the lessons that are meant: by number (``3``, ``03``), by name, or by path; all when none is named.

    Raises:
        SelectionError: there is no such lesson or language.
    """
    found = _all()
    if not found:
        raise SelectionError(
            _(
                "There are no lessons beside the installed package; clone the tutorial's repository and run "
                "“uv run acs-tutorial” in it."
            )
        )
    if language is not None:
        if language not in languages():
            raise SelectionError(
                _("There are no lessons in “{language}”; there are some in: {languages}.").format(
                    language=language, languages=", ".join(languages())
                )
            )
        found = [path for path in found if path.parent.name == language]
    if not lessons:
        return found
    chosen: list[Path] = []
    for lesson in lessons:
        chosen += _named(lesson, found)
    return list(dict.fromkeys(chosen))


def changed_since(revision: str, paths: Sequence[Path]) -> list[Path]:
    """Return those of *paths* that a change since the Git *revision* can have touched, uncommitted changes included.

    Raises:
        SelectionError: Git is not there, or does not know the revision.
    """
    changed = {
        name
        for command in (
            ("diff", "--name-only", "--relative", "-z", revision, "--"),
            ("ls-files", "--others", "--exclude-standard", "-z"),
        )
        for name in _git(revision, *command).split("\0")
        if name
    }
    if any(name.startswith(_SHARED) and not name.startswith(_NOT_SHARED) for name in changed):
        return list(paths)
    beside = {
        PurePosixPath(name).parent.as_posix() for name in changed if not name.endswith(".ipynb")
    }
    return [
        path
        for path in paths
        if read(path).name in changed or PurePosixPath(read(path).name).parent.as_posix() in beside
    ]


def _git(revision: str, *command: str) -> str:
    try:
        ran = subprocess.run(
            ["git", *command], cwd=PROJECT, capture_output=True, encoding="utf-8", check=True
        )
    except FileNotFoundError as error:
        raise SelectionError(
            _("--changed-since asks Git, and there is no “git” on this machine.")
        ) from error
    except subprocess.CalledProcessError as error:
        raise SelectionError(
            _("Git cannot tell what changed since “{revision}”: {reason}").format(
                revision=revision,
                reason=next(iter(error.stderr.splitlines()), str(error.returncode)),
            )
        ) from error
    return ran.stdout


def _all() -> list[Path]:
    return sorted(NOTEBOOKS.glob("*/[0-9][0-9]-*.ipynb"))


def _named(lesson: str, known: Sequence[Path]) -> list[Path]:
    if lesson.endswith(".ipynb"):
        if not Path(lesson).is_file():
            raise SelectionError(_("There is no notebook at {path}.").format(path=lesson))
        return [Path(lesson).resolve()]
    number = lesson.zfill(2)
    found = [path for path in known if number == path.stem[:2] or lesson == path.stem]
    if not found:
        raise SelectionError(
            _("There is no lesson “{lesson}”; there are {numbers}.").format(
                lesson=lesson, numbers=", ".join(sorted({path.stem[:2] for path in known}))
            )
        )
    return found
