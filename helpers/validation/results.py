"""What a validation found: a run holds lessons, a lesson holds cells. Made to be written as JSON and read by people."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Literal

Outcome = Literal["passed", "changed", "failed", "skipped"]
OUTCOMES: tuple[Outcome, ...] = ("passed", "changed", "failed", "skipped")


@dataclass(frozen=True)
class Difference:
    """One thing that a cell showed otherwise than it is stored."""

    kind: str
    """Which part of the output: a stream's name, a media type, ``error``."""
    expected: str | None
    """What is stored, after sanitising; ``None``: nothing of this kind is."""
    actual: str | None
    """What was shown, after sanitising; ``None``: nothing of this kind was."""
    stored: str | None
    """What is stored, before sanitising, masked."""
    shown: str | None
    """What was shown, before sanitising, masked."""


@dataclass(frozen=True)
class Error:
    """An error that ended a cell, in the tutorial's words and in its own."""

    cause: str
    fix: str
    link: str
    original: str
    traceback: str = ""
    printed: str = ""
    """What the cell printed before it failed, masked."""


@dataclass
class Cell:
    """What became of one code cell."""

    number: int
    """Its place among the code cells, from 1."""
    name: str
    """Its id, which survives editing."""
    source: str
    line: int
    """Where it begins in the notebook's file."""
    step: str | None = None
    """The section of the published page that it covers."""
    outcome: Outcome = "skipped"
    reason: str = ""
    """Why it was skipped."""
    differences: list[Difference] = field(default_factory=list)
    error: Error | None = None
    findings: list[str] = field(default_factory=list)
    """What the comparison could not see here, as sentences."""
    notes: list[str] = field(default_factory=list)
    """What is worth knowing and no problem."""
    seconds: float = 0.0

    @property
    def is_sound(self) -> bool:
        """Whether nothing has to be looked at."""
        return self.outcome in ("passed", "skipped") and not self.findings


@dataclass
class Lesson:
    """What became of one notebook."""

    path: Path
    name: str
    """Where it is, seen from the folder of the project."""
    title: str
    language: str
    cells: list[Cell] = field(default_factory=list)
    findings: list[str] = field(default_factory=list)
    """What is wrong with the notebook as a whole, as sentences."""
    notes: list[str] = field(default_factory=list)
    """What is worth knowing and no problem."""
    seconds: float = 0.0
    kernel_seconds: float = 0.0
    """How long its kernel took to start."""
    executed: str | None = None
    """Where the executed notebook is, seen from the report."""

    @property
    def is_sound(self) -> bool:
        return not self.findings and all(cell.is_sound for cell in self.cells)

    @property
    def counts(self) -> Counter[Outcome]:
        return Counter(cell.outcome for cell in self.cells)

    @property
    def problems(self) -> list[Cell]:
        """The cells that have to be looked at, in order."""
        return [cell for cell in self.cells if not cell.is_sound]


@dataclass
class Run:
    """What became of all lessons of one run, and under which circumstances."""

    mode: str
    place: str
    """Where the calls went: ``sandbox``, or the host name of the resource."""
    sdk: str
    """The version of azure-communication-identity."""
    python: str
    started_at: str
    """UTC, in ISO 8601."""
    lessons: list[Lesson] = field(default_factory=list)
    rules: dict[str, int] = field(default_factory=dict)
    """In how many outputs each sanitising rule matched."""
    findings: list[str] = field(default_factory=list)
    """What went wrong around the lessons, as sentences."""
    notes: list[str] = field(default_factory=list)
    seconds: float = 0.0

    @property
    def is_sound(self) -> bool:
        return not self.findings and all(lesson.is_sound for lesson in self.lessons)

    @property
    def counts(self) -> Counter[Outcome]:
        return sum((lesson.counts for lesson in self.lessons), Counter())

    @property
    def problems(self) -> Iterator[tuple[Lesson, Cell]]:
        """Every cell that has to be looked at, with its lesson."""
        return ((lesson, cell) for lesson in self.lessons for cell in lesson.problems)

    def as_json(self) -> dict[str, Any]:
        """Return everything as JSON knows it, with the verdict of each level."""
        answer = asdict(self)
        answer["passed"] = self.is_sound
        for lesson, written in zip(self.lessons, answer["lessons"], strict=True):
            written["passed"] = lesson.is_sound
            written["path"] = lesson.name
            del written["name"]
        return answer
