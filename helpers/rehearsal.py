"""Rehearse: run lessons one after the other as a room would, and say how long each cell kept the room waiting.

The exercises are solved, all lessons share one new state folder as on a learner's laptop, and after each the sandbox's own store
is asked whether anything is left. What cells show is not compared: that is ``acs-tutorial validate``.
"""

from __future__ import annotations

import copy
import json
import os
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TextIO

from helpers import settings
from helpers.exercises import of_lesson
from helpers.journal import Journal
from helpers.language import gettext as _
from helpers.language import ngettext
from helpers.sandbox.store import Store
from helpers.validation import lessons
from helpers.validation.results import Cell, Lesson
from helpers.validation.validate import validate

SLOW_SECONDS = 2.0
"""A room notices a cell that takes longer."""


@dataclass(frozen=True)
class Rehearsed:
    """How one lesson went."""

    title: str
    lesson: Lesson
    solved: bool
    """Whether its exercise, if it has one, was judged right."""
    left_behind: int
    """The identities that it created and that still exist."""

    @property
    def failed(self) -> list[Cell]:
        return [cell for cell in self.lesson.cells if cell.outcome in ("failed", "skipped")]

    @property
    def slow(self) -> list[Cell]:
        return [cell for cell in self.lesson.cells if cell.seconds > SLOW_SECONDS]

    @property
    def has_slow_kernel(self) -> bool:
        return self.lesson.kernel_seconds > SLOW_SECONDS

    @property
    def waits(self) -> int:
        """How often the room noticed that it waited."""
        return len(self.slow) + self.has_slow_kernel

    @property
    def seconds(self) -> float:
        """How long its kernel and its cells took."""
        return self.lesson.kernel_seconds + sum(cell.seconds for cell in self.lesson.cells)

    @property
    def is_sound(self) -> bool:
        """Whether it went as it should. A slow cell is no failure."""
        return (
            self.solved
            and not self.failed
            and not self.left_behind
            and not self.lesson.findings
            and bool(self.lesson.cells)
        )


@dataclass
class Rehearsal:
    """How all lessons went, in order."""

    lessons: list[Rehearsed] = field(default_factory=list)

    @property
    def is_sound(self) -> bool:
        return all(rehearsed.is_sound for rehearsed in self.lessons)

    @property
    def seconds(self) -> float:
        """How long a room that reads nothing would take."""
        return sum(each.seconds for each in self.lessons)


def rehearse(paths: Sequence[Path], *, stage: Stage | None = None) -> Rehearsal:
    """Run the notebooks at *paths* in order, each in a fresh kernel, all on one new state folder.

    Args:
        stage: told about each lesson as it ends.

    Raises:
        TutorialError: a path holds no notebook.
    """
    with tempfile.TemporaryDirectory(
        prefix="acs-tutorial-", ignore_cleanup_errors=True
    ) as temporary:
        copies = [
            _solved_copy(path, Path(temporary, "lessons", str(number)))
            for number, path in enumerate(paths)
        ]
        laptop = _Laptop(Path(temporary))
        progress = _Progress(laptop, stage)
        validate(copies, place=laptop, jobs=1, progress=progress)
        return progress.rehearsal


def _solved_copy(path: Path, folder: Path) -> Path:
    notebook = lessons.read(path)
    content = copy.deepcopy(notebook.content)
    number = path.stem[:2]
    for cell in content["cells"]:
        if cell["cell_type"] != "code":
            continue
        tags = cell["metadata"].setdefault("tags", [])
        if "exercise" in tags:
            cell["source"] += "\n" + of_lesson(number).solution
        # Run, and not compared.
        tags.append("nbval-ignore-output")
        cell["outputs"], cell["execution_count"] = [], 1
    folder.mkdir(parents=True)
    written = folder / path.name
    written.write_text(json.dumps(content, ensure_ascii=False), encoding="utf-8")
    return written


class _Laptop:
    """One state folder for all lessons, as on a learner's laptop; a place for :func:`validate`."""

    mode: settings.Mode = "sandbox"
    name = "sandbox"
    skipped_tags: Mapping[str, str] = {}
    prelude = ""
    cell_seconds = 60

    def __init__(self, folder: Path) -> None:
        self.home = folder / "state"
        self.home.mkdir()
        self._temporary = folder / "temporary"
        self._temporary.mkdir()

    @contextmanager
    def environment(self) -> Iterator[dict[str, str]]:
        # Empty values also switch off a .env file. A killed kernel leaves its temporary files; here they go too.
        yield (
            dict.fromkeys(settings.KEYS, "")
            | dict.fromkeys(("TMPDIR", "TEMP", "TMP"), str(self._temporary))
            | {settings.MODE: "sandbox", settings.HOME: str(self.home)}
        )

    def leave(self, lesson: Lesson) -> bool:
        return False

    def identities(self) -> int:
        """How many identities exist, by the sandbox's own store: the journal knows only those that it was told of."""
        with closing(Store(self.home)) as store:
            return store.count_identities()

    def solved(self) -> set[str]:
        with closing(Journal(self.home, service="sandbox")) as journal:
            return set(journal.solved())


class _Progress:
    """Looks at the laptop after each lesson, before the next one begins."""

    def __init__(self, laptop: _Laptop, stage: Stage | None) -> None:
        self.rehearsal = Rehearsal()
        self._laptop = laptop
        self._stage = stage
        self._before = 0

    def cell_finished(self, lesson: Lesson) -> None:
        if self._stage is not None:
            self._stage.cell_finished()

    def lesson_finished(self, lesson: Lesson) -> None:
        content = lessons.read(lesson.path).content
        has_exercise = any(
            "exercise" in cell["metadata"].get("tags", []) for cell in content["cells"]
        )
        now = self._laptop.identities()
        rehearsed = Rehearsed(
            title=lesson.title,
            lesson=lesson,
            solved=not has_exercise or lesson.path.stem[:2] in self._laptop.solved(),
            left_behind=max(0, now - self._before),
        )
        self._before = now
        self.rehearsal.lessons.append(rehearsed)
        if self._stage is not None:
            self._stage.lesson_finished(rehearsed)


_SIGNS = {"ok": "✔", "slow": "!", "failed": "✘", "bar": "▪"}
# For terminals that have no others.
_ASCII_SIGNS = {"ok": "+", "slow": "!", "failed": "x", "bar": "="}
_COLOURS = {"ok": "32", "slow": "33", "failed": "31", "bar": "90"}
_BARS_PER_SECOND = 10


class Stage:
    """Writes a rehearsal to a terminal or a log: a block per lesson, a line per cell, the verdict last."""

    def __init__(self, total: int, *, stream: TextIO | None = None) -> None:
        self._stream = stream or sys.stdout
        self._total = total
        self._begun = 0
        self._cells = 0
        self._counter = ""
        self._is_watched = self._stream.isatty()
        self._has_colours = self._is_watched and "NO_COLOR" not in os.environ and os.name != "nt"
        try:
            "".join(_SIGNS.values()).encode(self._stream.encoding or "ascii")
            self._signs = _SIGNS
        except UnicodeEncodeError:
            self._signs = _ASCII_SIGNS

    def cell_finished(self) -> None:
        self._cells += 1
        if self._is_watched:
            text = _("lesson {number} of {total}, cell {cell}").format(
                number=self._begun + 1, total=self._total, cell=self._cells
            )
            self._write("\r" + text.ljust(len(self._counter)))
            self._counter = text

    def lesson_finished(self, rehearsed: Rehearsed) -> None:
        self._begun += 1
        self._cells = 0
        lesson = rehearsed.lesson
        kind = "failed" if not rehearsed.is_sound else "slow" if rehearsed.waits else "ok"
        cells = rehearsed.seconds - lesson.kernel_seconds
        self._line(
            self._coloured(kind, f"{self._signs[kind]} {rehearsed.title}")
            + "  "
            + _("{seconds} s, after {kernel} s for its kernel").format(
                seconds=f"{cells:.1f}", kernel=f"{lesson.kernel_seconds:.1f}"
            )
        )
        width = max((len(cell.name) for cell in lesson.cells), default=0)
        for cell in lesson.cells:
            self._cell(cell, width)
        if rehearsed.has_slow_kernel:
            self._say(
                "slow",
                _("Its kernel took longer than {seconds} s to start.").format(
                    seconds=f"{SLOW_SECONDS:g}"
                ),
            )
        if not rehearsed.solved:
            self._say("failed", _("The exercise was not judged right with its own solution."))
        if rehearsed.left_behind:
            self._say(
                "failed",
                ngettext(
                    "{count} identity is left behind.",
                    "{count} identities are left behind.",
                    rehearsed.left_behind,
                ).format(count=rehearsed.left_behind),
            )
        for finding in lesson.findings:
            self._say("failed", finding)
        self._line()

    def _cell(self, cell: Cell, width: int) -> None:
        bar = self._signs["bar"] * min(round(cell.seconds * _BARS_PER_SECOND), 40)
        line = f"    {cell.name:<{width}}  {cell.seconds:5.2f} s"
        if cell.outcome in ("failed", "skipped"):
            self._line(f"{line}  {self._coloured('failed', self._signs['failed'])}")
            if cell.error is not None:
                for text in (cell.error.cause, f"→ {cell.error.fix}", cell.error.original):
                    self._line(f"        {text}")
            else:
                self._line(f"        {cell.reason}")
        elif cell.seconds > SLOW_SECONDS:
            slow = _("slower than {seconds} s").format(seconds=f"{SLOW_SECONDS:g}")
            self._line(f"{line}  {self._coloured('slow', f'{bar} {slow}')}")
        else:
            self._line(f"{line}  {self._coloured('bar', bar)}".rstrip())

    def verdict(self, rehearsal: Rehearsal) -> None:
        """Write what a presenter has to know in the end."""
        count = len(rehearsal.lessons)
        wrong = sum(not each.is_sound for each in rehearsal.lessons)
        waits = sum(each.waits for each in rehearsal.lessons)
        if waits:
            self._line(
                self._coloured(
                    "slow",
                    ngettext(
                        "The room waits longer than {seconds} s once; have something to say meanwhile.",
                        "The room waits longer than {seconds} s {count} times; have something to say meanwhile.",
                        waits,
                    ).format(count=waits, seconds=f"{SLOW_SECONDS:g}"),
                )
            )
        seconds = f"{rehearsal.seconds:.0f}"
        if wrong:
            self._line(
                self._coloured(
                    "failed",
                    ngettext(
                        "{wrong} of {count} lesson did not go as it should.",
                        "{wrong} of {count} lessons did not go as they should.",
                        count,
                    ).format(wrong=wrong, count=count),
                )
            )
        else:
            self._line(
                self._coloured(
                    "ok",
                    ngettext(
                        "The lesson went well, in {seconds} s: its exercise was right, and nothing is left behind.",
                        "All {count} lessons went well, in {seconds} s: every exercise was right, and nothing is left behind.",
                        count,
                    ).format(count=count, seconds=seconds),
                )
            )

    def _say(self, kind: str, text: str) -> None:
        for line in text.splitlines():
            self._line(f"    {self._coloured(kind, line)}")

    def _coloured(self, kind: str, text: str) -> str:
        return f"\x1b[{_COLOURS[kind]}m{text}\x1b[0m" if self._has_colours and text else text

    def _line(self, text: str = "") -> None:
        if self._counter:
            self._write("\r" + " " * len(self._counter) + "\r")
            self._counter = ""
        self._write(text + "\n")

    def _write(self, text: str) -> None:
        encoding = self._stream.encoding or "ascii"
        self._stream.write(text.encode(encoding, "replace").decode(encoding))
        self._stream.flush()
