"""Run lessons, compare what they show with what is stored, and say what became of each cell."""

from __future__ import annotations

import ast
import builtins
import copy
import json
import os
import platform
import re
import sys
import tempfile
import threading
import time
from collections.abc import Sequence
from contextlib import closing
from datetime import datetime, timezone
from importlib.metadata import version
from pathlib import Path
from typing import Protocol

from helpers.explain import explain
from helpers.jupyter.saving import mask_outputs
from helpers.language import gettext as _
from helpers.masking import masked
from helpers.validation.differences import cut_widget, differences
from helpers.validation.lessons import Notebook, read
from helpers.validation.places import OwnSandbox, Place
from helpers.validation.results import Cell, Error, Lesson, Run
from helpers.validation.rules import Rules, rules_for
from helpers.validation.workers import Event, Worker, share

SDK = "azure-communication-identity"

# In a notebook's metadata: where its outputs were made.
MADE_ON = ("acs", "outputs")

_WIDGET_VIEW = "application/vnd.jupyter.widget-view+json"
_COLOURS = re.compile(r"\x1b\[[0-9;]*m")
_MISSING_NAME = re.compile(r"NameError: name '(\w+)' is not defined")
_UNCOMPARED_MARK = re.compile(r"^\s*#\s*(NBVAL_IGNORE_OUTPUT|PYTEST_VALIDATE_IGNORE_OUTPUT)\s*$")
_UNCOMPARED_TAGS = {"nbval-ignore-output", "pytest-validate-ignore-output"}


class Progress(Protocol):
    """Who wants to know how a run goes; called from several threads, one call at a time."""

    def cell_finished(self, lesson: Lesson) -> None: ...
    def lesson_finished(self, lesson: Lesson) -> None: ...


def validate(
    paths: Sequence[Path],
    *,
    place: Place | None = None,
    jobs: int = 1,
    python: str = sys.executable,
    python_path: str | None = None,
    sdk: str | None = None,
    progress: Progress | None = None,
    executed: Path | None = None,
) -> Run:
    """Run the notebooks at *paths* under strict nbval and return what became of them.

    Args:
        place: where they run; by default each on an empty sandbox of its own.
        jobs: how many of them at a time.
        python: the interpreter that runs them, with *python_path* as its ``PYTHONPATH``.
        sdk: the version of azure-communication-identity that it has; by default that of this environment.
        progress: told about each cell and lesson.
        executed: a folder for the notebooks as they ran, with everything secret masked.

    Raises:
        TutorialError: a path holds no notebook, or the sanitising rules cannot be read.
    """
    began = time.perf_counter()
    place = place or OwnSandbox()
    notebooks = [read(path) for path in paths]
    rules = rules_for(place.mode)
    run = Run(
        mode=place.mode,
        place=place.name,
        sdk=sdk or version(SDK),
        python=platform.python_version(),
        started_at=datetime.now(timezone.utc).isoformat(timespec="seconds"),
    )
    environment = os.environ | ({} if python_path is None else {"PYTHONPATH": python_path})
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        validation = _Validation(place, rules, Path(folder) / "rules.cfg", progress, executed)
        # Closed at once on Ctrl-C too: then no kernel is left, and what it made can be cleaned up.
        with closing(
            share(notebooks, validation.lesson, jobs=jobs, python=python, environment=environment)
        ) as finished:
            run.lessons.extend(finished)
    order = {notebook.path: number for number, notebook in enumerate(notebooks)}
    run.lessons.sort(key=lambda lesson: order[lesson.path])
    run.rules = dict(rules.hits)
    run.seconds = time.perf_counter() - began
    return run


class _Validation:
    """What the lessons of one run have in common."""

    def __init__(
        self,
        place: Place,
        rules: Rules,
        rules_file: Path,
        progress: Progress | None,
        executed: Path | None,
    ) -> None:
        self._place = place
        self._rules = rules
        self._rules_file = rules.write(rules_file)
        self._progress = progress
        self._executed = executed
        self._lock = threading.Lock()

    def lesson(self, worker: Worker, notebook: Notebook) -> Lesson:
        began = time.perf_counter()
        lesson = self._attempt(worker, notebook)
        if self._place.leave(lesson):
            first, lesson = lesson, self._attempt(worker, notebook)
            lesson.notes = [*first.notes, *lesson.notes]
            self._place.leave(lesson)
        lesson.seconds = time.perf_counter() - began
        if self._progress is not None:
            with self._lock:
                self._progress.lesson_finished(lesson)
        return lesson

    def _attempt(self, worker: Worker, notebook: Notebook) -> Lesson:
        events: list[Event] = []
        lesson = _unrun(notebook)

        def told(event: Event) -> None:
            events.append(event)
            if self._progress is not None and event["event"] == "cell":
                with self._lock:
                    self._progress.cell_finished(lesson)

        with self._place.environment() as variables:
            job = {
                "path": str(notebook.path),
                "rules": str(self._rules_file),
                "environment": variables,
                "prelude": self._place.prelude,
                "skipped_tags": list(self._place.skipped_tags),
                "cell_seconds": self._place.cell_seconds,
            }
            worker.run(job, told=told)
        with self._lock:
            _Judge(lesson, notebook, self._place, self._rules).judge(events)
        if self._executed is not None:
            lesson.executed = _keep(notebook, events, self._executed)
        return lesson


def _unrun(notebook: Notebook) -> Lesson:
    lesson = Lesson(notebook.path, notebook.name, notebook.title, notebook.language)
    for number, cell in enumerate(notebook.code_cells, start=1):
        name = cell.get("id", "")
        lesson.cells.append(
            Cell(
                number=number,
                name=name or str(number),
                source=masked(cell["source"]),
                line=notebook.line_of(name),
                step=cell["metadata"].get("acs", {}).get("step"),
            )
        )
    return lesson


class _Judge:
    """Turns what happened in one notebook into what a writer should know about it."""

    def __init__(self, lesson: Lesson, notebook: Notebook, place: Place, rules: Rules) -> None:
        self._lesson = lesson
        self._stored = notebook.code_cells
        self._made_on = notebook.content.get("metadata", {})
        self._place = place
        self._rules = rules
        # Why the cells that say nothing of themselves did not run.
        self._silence = _("The lesson ended before this cell.")

    def judge(self, events: Sequence[Event]) -> None:
        told: dict[int, Event] = {}
        for event in events:
            match event["event"]:
                case "kernel":
                    self._lesson.kernel_seconds = event["seconds"]
                case "cell":
                    told[event["number"]] = event
                case "problem":
                    self._lesson.findings.append(masked(event["text"].strip()))
                case "ended":
                    self._lesson.findings.append(
                        _(
                            "The process that ran this lesson ended before its time, with status {status}."
                        ).format(status=event["status"])
                        + (f"\n{masked(event['text'])}" if event["text"] else "")
                    )
        for number, cell in enumerate(self._lesson.cells):
            if number in told:
                self._judge_cell(cell, self._stored[number], told[number])
            else:
                cell.reason = self._silence
        self._look_for_what_nbval_passes_over()
        self._name_what_follows()

    def _judge_cell(self, cell: Cell, stored: Event, event: Event) -> None:
        cell.seconds = event["seconds"]
        shown = event.get("outputs", [])
        outcome = event["outcome"]
        is_compared = not self._is_marked(stored)
        if outcome in ("passed", "changed") and is_compared:
            cell.differences = differences(stored["outputs"], shown, self._rules)
        match outcome:
            case "passed":
                # nbval passes over pictures.
                cell.outcome = "changed" if cell.differences and self._was_run(stored) else "passed"
            case "changed":
                cell.outcome = "changed"
                if not cell.differences:
                    cell.findings.append(masked(_COLOURS.sub("", event["traceback"]).strip()))
            case "skipped":
                cell.reason = self._why_skipped(stored)
            case "after-death" | "after-timeout":
                cell.reason = self._silence
            case "no-kernel":
                self._fail_without_kernel(cell, event["text"])
            case "kernel-died":
                cell.outcome = "failed"
                cell.error = Error(
                    cause=_("The kernel's process ended in the middle of this cell."),
                    fix=_(
                        "Look for what ends a process here: exit(), a crash in a compiled package, too little memory."
                    ),
                    link="",
                    original="",
                )
                self._silence = _("The kernel died in cell “{cell}”.").format(cell=cell.name)
            case "timeout":
                cell.outcome = "failed"
                cell.error = Error(
                    cause=_("The cell did not end within {seconds} seconds.").format(
                        seconds=self._place.cell_seconds
                    ),
                    fix=_("Look for a call that waits, or for input that nobody gives here."),
                    link="",
                    original="",
                    traceback=_clean(event["traceback"]),
                )
                self._silence = _(
                    "Cell “{cell}” before it did not end, so this one says nothing."
                ).format(cell=cell.name)
            case _:
                cell.outcome = "failed"
                cell.error = _error(event)
        if cell.outcome in ("passed", "changed"):
            self._find_blind_spots(cell, stored, event)

    def _fail_without_kernel(self, cell: Cell, text: str) -> None:
        if cell.number > 1:
            cell.reason = self._silence
            return
        cell.outcome = "failed"
        cell.error = Error(
            cause=_("The kernel did not start."),
            fix=_(
                "Start one in JupyterLab to see why, or install the tutorial's environment again."
            ),
            link="",
            original=masked(text),
        )
        self._silence = _("The kernel did not start.")

    def _why_skipped(self, stored: Event) -> str:
        for tag in stored["metadata"].get("tags", []):
            if reason := self._place.skipped_tags.get(tag):
                return reason
        return _("The cell is marked NBVAL_SKIP.")

    def _find_blind_spots(self, cell: Cell, stored: Event, event: Event) -> None:
        """Report what strict nbval lets pass although it compared nothing, or not all."""
        if not self._was_run(stored):
            cell.findings.append(
                _(
                    "The stored cell was never run, so there was nothing to compare with; refresh it."
                )
            )
        if self._is_marked(stored):
            cell.findings.append(
                _("Its output was not compared, because the cell is marked NBVAL_IGNORE_OUTPUT.")
            )
        if cut_widget(event["outputs"]):
            cell.findings.append(
                _(
                    "The text of this widget is cut at 110 characters, and what comes after was not compared; print the "
                    "state that matters, or give the widget a shorter text."
                )
            )
        if event["not_followed"]:
            cell.findings.append(
                _(
                    "The cell changes what it showed before ({messages}), which the comparison does not follow; let it "
                    "show the final state once."
                ).format(messages=", ".join(event["not_followed"]))
            )

    def _look_for_what_nbval_passes_over(self) -> None:
        if self._stored and not any(self._was_run(cell) for cell in self._stored):
            for cell in self._lesson.cells:
                cell.findings.clear()
            self._lesson.findings.append(
                _(
                    "This notebook is stored without outputs, so nothing was compared; run “acs-tutorial refresh {lesson}”."
                ).format(lesson=self._lesson.name)
            )
        made_on = self._made_on.get(MADE_ON[0], {}).get(MADE_ON[1])
        if made_on is not None and made_on != "sandbox":
            self._lesson.findings.append(
                _(
                    "The stored outputs say that they were not made on the sandbox (“{place}”); published ones are: refresh "
                    "the lesson."
                ).format(place=made_on)
            )

    def _name_what_follows(self) -> None:
        """Say of a missing name which cell should have made it, so that a writer begins there."""
        made_by: dict[str, Cell] = {}
        missed_by: dict[str, Cell] = {}
        for cell in self._lesson.cells:
            missing = _MISSING_NAME.match(cell.error.original) if cell.error else None
            if missing and missing[1] in made_by:
                cell.notes.append(
                    _("Follows from cell “{cell}”, which should have made “{name}”.").format(
                        cell=made_by[missing[1]].name, name=missing[1]
                    )
                )
            elif missing and missing[1] in missed_by:
                cell.notes.append(
                    _("The same as in cell “{cell}”.").format(cell=missed_by[missing[1]].name)
                )
            elif missing:
                missed_by[missing[1]] = cell
            if cell.outcome in ("failed", "skipped"):
                made_by |= dict.fromkeys(_names_made_in(cell.source), cell)

    @staticmethod
    def _was_run(stored: Event) -> bool:
        return stored.get("execution_count") is not None

    @staticmethod
    def _is_marked(stored: Event) -> bool:
        return bool(_UNCOMPARED_TAGS & set(stored["metadata"].get("tags", []))) or any(
            _UNCOMPARED_MARK.match(line) for line in stored["source"].splitlines()
        )


def _names_made_in(source: str) -> set[str]:
    """Return the names that a cell makes by assignment, import or definition."""
    try:
        nodes = list(ast.walk(ast.parse(source)))
    except SyntaxError:
        return set()  # Magic commands; what they make nobody knows.
    made = {
        node.id for node in nodes if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)
    }
    made |= {
        (alias.asname or alias.name).partition(".")[0]
        for node in nodes
        if isinstance(node, ast.Import | ast.ImportFrom)
        for alias in node.names
    }
    return made | {
        node.name
        for node in nodes
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef)
    }


def _error(event: Event) -> Error:
    """Return the error that ended a cell, explained by the kernel where it could, else by what is left of the error."""
    raised = [output for output in event.get("outputs", []) if output["output_type"] == "error"]
    if not raised:
        # nbval's own refusal, such as of a cell with outputs that was never run.
        text = event.get("text", "")
        if text == "Unrun reference cell has outputs":
            return Error(
                cause=_(
                    "The stored cell has outputs, but was never run: it was changed afterwards."
                ),
                fix=_("Refresh the lesson, and look at the difference."),
                link="",
                original="",
            )
        return Error(
            cause=_("nbval could not run this cell."),
            fix=_("Its own words are below."),
            link="",
            original=masked(text),
        )
    error = raised[-1]
    words = event.get("explanation") or vars(explain(rebuilt(error["ename"], error["evalue"])))
    return Error(
        **{name: masked(str(value)) for name, value in words.items()},
        traceback=_clean("\n".join(error["traceback"])),
        printed=_clean(
            "".join(
                output["text"] for output in event["outputs"] if output["output_type"] == "stream"
            )
        ),
    )


def rebuilt(name: str, text: str) -> BaseException:
    """Make an error anew from its name and text, for an explanation where the kernel could not give one."""
    kind = getattr(builtins, name, None)
    if isinstance(kind, type) and issubclass(kind, Exception):
        try:
            rebuilt: Exception = kind(text)
            return rebuilt
        except TypeError:
            pass  # Some take more than a text, such as UnicodeDecodeError.
    unknown: type[Exception] = type(name, (Exception,), {})
    return unknown(text)


def _clean(traceback: str) -> str:
    return masked(_COLOURS.sub("", traceback).strip())


def _keep(notebook: Notebook, events: Sequence[Event], folder: Path) -> str:
    """Write the notebook as it ran, and return where it is, seen from the folder above."""
    content = copy.deepcopy(notebook.content)
    cells = [cell for cell in content["cells"] if cell["cell_type"] == "code"]
    for event in events:
        if event["event"] == "cell" and event["outcome"] != "skipped":
            cell = cells[event["number"]]
            cell["outputs"] = event.get("outputs", [])
            cell["execution_count"] = event["number"] + 1
            for output in cell["outputs"]:
                output.get("data", {}).pop(_WIDGET_VIEW, None)
                output.pop("transient", None)
    mask_outputs({"type": "notebook", "content": content}, notebook.name)
    place = Path(notebook.language, notebook.path.name)
    (folder / place).parent.mkdir(parents=True, exist_ok=True)
    (folder / place).write_text(
        json.dumps(content, indent=1, ensure_ascii=False) + "\n", encoding="utf-8"
    )
    return f"{folder.name}/{place.as_posix()}"
