"""The report in the terminal: a line per lesson while they run, then what has to be looked at."""

from __future__ import annotations

import difflib
import os
import sys
from pathlib import Path
from typing import TextIO

from helpers.language import gettext as _
from helpers.validation.differences import nothing, readable
from helpers.validation.report import words
from helpers.validation.results import Cell, Difference, Lesson, Run

_COLOURS = {
    "passed": "32",
    "changed": "33",
    "failed": "31",
    "finding": "33",
    "skipped": "90",
    "removed": "31",
    "added": "32",
    "heading": "1",
}
_MOST_LINES = 12


class Terminal:
    """Writes to a terminal or a log: plain lines, with a counter that overwrites itself where somebody watches."""

    def __init__(self, total: int, *, stream: TextIO | None = None) -> None:
        self._stream = stream or sys.stdout
        self._total = total
        self._finished = 0
        self._cells = 0
        self._counter = ""
        self._is_watched = self._stream.isatty()
        # Old Windows consoles show escape sequences as they are.
        self._has_colours = (
            self._is_watched
            and "NO_COLOR" not in os.environ
            and (os.name != "nt" or "WT_SESSION" in os.environ)
        )
        encoding = self._stream.encoding or "ascii"
        try:
            "".join(words.SIGNS.values()).encode(encoding)
            self._signs = words.SIGNS
        except UnicodeEncodeError:
            self._signs = words.ASCII_SIGNS

    # While they run

    def cell_finished(self, lesson: Lesson) -> None:
        self._cells += 1
        if self._is_watched:
            self._count()

    def lesson_finished(self, lesson: Lesson) -> None:
        self._finished += 1
        kind = words.kind_of_lesson(lesson)
        counts = ", ".join(
            words.counted(outcome, count)
            for outcome, count in sorted(lesson.counts.items())
            if outcome != "passed"
        )
        cells = _("{count} cells").format(count=len(lesson.cells))
        seconds = _("{seconds} s").format(seconds=f"{lesson.seconds:.1f}")
        self.line(
            self._coloured(kind, f"{self._signs[kind]} {Path(lesson.name).stem}")
            + f"  {', '.join(filter(None, (lesson.language, cells, counts, seconds)))}"
        )
        if self._is_watched and self._finished < self._total:
            self._count()

    def _count(self) -> None:
        text = _("{finished} of {total} lessons, {cells} cells").format(
            finished=self._finished, total=self._total, cells=self._cells
        )
        self._write("\r" + text.ljust(len(self._counter)))
        self._counter = text

    # Afterwards

    def summary(self, run: Run) -> None:
        """Write what has to be looked at, first things first, and the verdict last, where the eye ends."""
        for lesson, cell in run.problems:
            self._problem(lesson, cell)
        for lesson in run.lessons:
            for finding in lesson.findings:
                self.line()
                self.line(self._coloured("finding", f"{self._signs['finding']} {lesson.name}"))
                self._indented(finding)
            for note in lesson.notes:
                self.line(f"  {lesson.name}: {note}")
        for finding in run.findings:
            self.line()
            self.line(self._coloured("finding", f"{self._signs['finding']} {finding}"))
        self.line()
        for note in (*run.notes, *words.skipped_reasons(run)):
            self.line(note)
        kind = "passed" if run.is_sound else "failed"
        self.line(
            self._coloured(kind, f"{words.verdict(run)}.")
            + "  "
            + " · ".join(words.circumstances(run))
        )

    def _problem(self, lesson: Lesson, cell: Cell) -> None:
        kind = words.kind_of(cell)
        self.line()
        self.line(
            self._coloured(kind, f"{self._signs[kind]} {words.word_of(kind)}")
            + self._coloured("heading", f"  {lesson.name}:{cell.line}")
            + "  "
            + _("cell “{name}”").format(name=cell.name)
        )
        if cell.error is not None:
            self._indented(cell.error.cause)
            self._indented(f"→ {cell.error.fix}")
            if cell.error.original:
                self._indented(cell.error.original)
        for text in (*cell.findings, *cell.notes):
            self._indented(text)
        # The HTML of a display says once more what its text says.
        plain = [each for each in cell.differences if each.kind != "text/html"]
        for difference in plain or cell.differences:
            self.difference(difference)

    def difference(self, difference: Difference) -> None:
        """Write both sides of a difference, line by line."""
        missing = nothing(difference)
        self._indented(f"{difference.kind}: {missing}" if missing else f"{difference.kind}:")
        expected, actual = readable(difference)
        unified = difflib.unified_diff(expected.splitlines(), actual.splitlines(), lineterm="", n=1)
        # Without the two lines that would name files, and the first place.
        lines = list(unified)[3:]
        for line in lines[:_MOST_LINES]:
            if line.startswith("@@"):
                self._indented("  …")
                continue
            kind = {"-": "removed", "+": "added"}.get(line[0], "skipped")
            self.line("    " + self._coloured(kind, f"{line[0]} {line[1:]}"))
        if len(lines) > _MOST_LINES:
            self._indented(_("… {count} more lines").format(count=len(lines) - _MOST_LINES))

    def line(self, text: str = "") -> None:
        """Write a line over the counter, if that stands there."""
        if self._counter:
            self._write("\r" + " " * len(self._counter) + "\r")
            self._counter = ""
        self._write(text + "\n")

    def _indented(self, text: str) -> None:
        for line in text.splitlines():
            self.line(f"    {line}")

    def _coloured(self, kind: str, text: str) -> str:
        return f"\x1b[{_COLOURS[kind]}m{text}\x1b[0m" if self._has_colours else text

    def _write(self, text: str) -> None:
        encoding = self._stream.encoding or "ascii"
        self._stream.write(text.encode(encoding, "replace").decode(encoding))
        self._stream.flush()
