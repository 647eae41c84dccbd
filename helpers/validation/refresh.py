"""Run lessons from top to bottom and store what they show.

Stored outputs are made by running, never by hand, and all outputs of a lesson come from one run. A file is written only when
something else than what the sanitising rules hide would change: so Git shows what a reader would see, and nothing more.
"""

from __future__ import annotations

import copy
import os
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from helpers import settings
from helpers.errors import TutorialError
from helpers.explain import explain
from helpers.language import gettext as _
from helpers.language import ngettext
from helpers.masking import masked
from helpers.validation import lessons
from helpers.validation.differences import differences
from helpers.validation.report.terminal import Terminal
from helpers.validation.results import Difference
from helpers.validation.rules import Rules, rules_for

# jsonschema asks for this package and does without it; its grammar takes a second to build, at every “import nbformat”.
sys.modules.setdefault("rfc3987_syntax", None)  # type: ignore[arg-type]

if TYPE_CHECKING:
    from nbformat import NotebookNode

_WIDGET_VIEW = "application/vnd.jupyter.widget-view+json"
_SECONDS_PER_CELL = 60


@dataclass(frozen=True)
class Change:
    """What a cell would show differently from now on."""

    cell: str
    line: int
    differences: list[Difference]


def main(paths: Sequence[Path], *, check: bool = False) -> int:
    """Run the notebooks at *paths*, show what changes, and store it; with *check*, only show it.

    Returns:
        The exit status: 1 if *check* found something to store, else 0.

    Raises:
        TutorialError: the mode is live, a cell failed that was not meant to, or there is no notebook at a path. Lessons
            before it are stored.
    """
    _refuse_live()
    rules = rules_for("sandbox")
    terminal = Terminal(len(paths))
    stale = 0
    with _own_sandbox():
        for path in paths:
            if refresh(path, rules=rules, terminal=terminal, check=check):
                stale += 1
    _tell_rules(rules, terminal)
    if check:
        return int(bool(stale))
    return 0


def refresh(path: Path, *, rules: Rules, terminal: Terminal, check: bool) -> bool:
    """Run one notebook, show what changes and store it unless *check*; return whether there is anything to store."""
    import nbformat
    from nbclient.exceptions import CellExecutionError

    stored = lessons.read(path)
    notebook = nbformat.reads("\n".join(stored.lines), as_version=4)  # type: ignore[no-untyped-call]
    before = copy.deepcopy(notebook)
    try:
        run(notebook, folder=path.parent)
    except CellExecutionError as error:
        raise TutorialError(
            _("{path} stays as it was, because a cell failed:\n{explanation}").format(
                path=stored.name, explanation=_explained(error)
            )
        ) from error
    normalised(notebook)
    changes = compared(before, notebook, rules, stored)
    for change in changes:
        terminal.line()
        terminal.line(
            _("{file}:{line}  cell “{cell}”").format(
                file=stored.name, line=change.line, cell=change.cell
            )
        )
        for difference in change.differences:
            if difference.kind != "text/html" or len(change.differences) == 1:
                terminal.difference(difference)
    if not changes and _frame(before) == _frame(notebook):
        terminal.line(_("{path}: nothing to store").format(path=stored.name))
        return False
    if not changes:
        # What only ids and times would change stays as it is; the rest of the file is what this is about.
        for old, new in zip(before.cells, notebook.cells, strict=True):
            if new.cell_type == "code":
                new.outputs = normalised_outputs(old.outputs)
    said = (
        ngettext("{count} cell changed", "{count} cells changed", len(changes)).format(
            count=len(changes)
        )
        if changes
        else _("only what surrounds the outputs changed")
    )
    if check:
        terminal.line(_("{path}: to be refreshed, {what}").format(path=stored.name, what=said))
    else:
        nbformat.write(notebook, path)  # type: ignore[no-untyped-call]
        terminal.line(_("{path}: refreshed, {what}").format(path=stored.name, what=said))
    return True


def run(notebook: NotebookNode, *, folder: Path) -> None:
    """Execute every cell of *notebook* in a fresh kernel whose working folder is *folder*.

    Raises:
        nbclient.exceptions.CellExecutionError: a cell failed that was not meant to.
    """
    from nbclient import NotebookClient
    from traitlets.config import Config

    NotebookClient(
        notebook,
        kernel_name="python3",
        timeout=_SECONDS_PER_CELL,
        resources={"metadata": {"path": str(folder)}},
        record_timing=False,
        store_widget_state=False,
        # One paragraph stays one paragraph, however fast the machine was.
        coalesce_streams=True,
        # The kernel's messages do not leave this machine; say so, or it warns on every start.
        config=Config({"KernelManager": {"transport_encryption": "auto"}}),
    ).execute()


def normalised(notebook: NotebookNode) -> NotebookNode:
    """Return *notebook* without what differs from run to run or from machine to machine, and with where it was made."""
    notebook.metadata = {
        # Outputs made here are the sandbox's, and say so wherever the file goes.
        "acs": {"outputs": "sandbox"},
        "kernelspec": {
            "display_name": "Python 3 (ipykernel)",
            "language": "python",
            "name": "python3",
        },
        "language_info": {"name": "python"},
    }
    for cell in notebook.cells:
        cell.metadata.pop("execution", None)
        if "outputs" in cell:
            cell.outputs = normalised_outputs(cell.outputs)
    return notebook


def normalised_outputs(outputs: list[NotebookNode]) -> list[NotebookNode]:
    """Return *outputs* without references to widgets, which no viewer could show without the kernel."""
    for output in outputs:
        output.get("data", {}).pop(_WIDGET_VIEW, None)
    return outputs


def compared(
    before: NotebookNode, after: NotebookNode, rules: Rules, stored: lessons.Notebook
) -> list[Change]:
    """Return the cells that show something else than is stored, after sanitising."""
    changes = []
    for old, new in zip(before.cells, after.cells, strict=True):
        if new.cell_type == "code" and (found := differences(old.outputs, new.outputs, rules)):
            name = new.get("id", "")
            changes.append(Change(name, stored.line_of(name), found))
    return changes


def _frame(notebook: NotebookNode) -> NotebookNode:
    """Return everything of a notebook but the contents of its outputs."""
    frame = copy.deepcopy(notebook)
    for cell in frame.cells:
        for output in cell.get("outputs", []):
            kept = {"output_type", "name", "execution_count"}
            shown = sorted(output.get("data", {}))
            for key in set(output) - kept:
                del output[key]
            output["shown"] = shown
    return frame


def _explained(error: Exception) -> str:
    """Say which error ended a cell, in the tutorial's words; nbclient keeps only its name and text."""
    from helpers.validation.validate import rebuilt

    name, text = getattr(error, "ename", ""), getattr(error, "evalue", "")
    if not name:
        return masked(str(error))
    return repr(explain(rebuilt(name, text)))


def _tell_rules(rules: Rules, terminal: Terminal) -> None:
    """Say what each sanitising rule hid: one that hides nothing has no reason to be."""
    terminal.line()
    terminal.line(_("Sanitising rules, and in how many outputs each matched:"))
    for name, count in rules.hits.items():
        remark = "" if count else "  " + _("matches nothing in these lessons")
        terminal.line(f"  {count:>5}  {name}{remark}")


def _refuse_live() -> None:
    if settings.load().mode == "live":
        raise TutorialError(
            _(
                "Published outputs are the sandbox's, and what a real resource answers is never stored as such: remove "
                "ACS_TUTORIAL_MODE=live to refresh, or compare with “acs-tutorial validate --live”."
            )
        )


@contextmanager
def _own_sandbox() -> Iterator[None]:
    """Keep the reader's own settings and state out of what is published."""
    before = {key: os.environ.get(key) for key in settings.KEYS}
    with tempfile.TemporaryDirectory(prefix="acs-tutorial-", ignore_cleanup_errors=True) as home:
        os.environ.update(dict.fromkeys(settings.KEYS, ""))
        os.environ.update({settings.MODE: "sandbox", settings.HOME: home})
        try:
            yield
        finally:
            for key, value in before.items():
                if value is None:
                    del os.environ[key]
                else:
                    os.environ[key] = value
