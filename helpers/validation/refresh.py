"""Run lessons from top to bottom and store what they show.

Stored outputs are made by running, never by hand. The files stay the same from run to run but for what truly differs:
widget models (which no viewer could show without a kernel), timings and versions are left out.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import nbformat
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError
from nbformat import NotebookNode
from traitlets.config import Config

from helpers import settings
from helpers.errors import TutorialError
from helpers.language import gettext as _

_LESSONS = Path(__file__).parents[2] / "notebooks"

_WIDGET_VIEW = "application/vnd.jupyter.widget-view+json"
_SECONDS_PER_CELL = 60


def main(paths: Sequence[Path]) -> None:
    """Run the notebooks at *paths* (without any: all lessons) and store their outputs in place.

    Raises:
        TutorialError: a cell failed that was not meant to, or there is no notebook at a path. Lessons before it are stored.
    """
    with _own_sandbox():
        for path in paths or sorted(_LESSONS.glob("*/[0-9][0-9]-*.ipynb")):
            try:
                notebook = nbformat.read(path, as_version=4)  # type: ignore[no-untyped-call]
                run(notebook, folder=path.parent)
            except OSError as error:
                raise TutorialError(
                    _("There is no notebook at {path} ({reason}).").format(
                        path=path, reason=error.strerror
                    )
                ) from error
            except CellExecutionError as error:
                raise TutorialError(
                    _("{path} stays as it was, because a cell failed:\n{error}").format(
                        path=path, error=error
                    )
                ) from error
            nbformat.write(normalised(notebook), path)  # type: ignore[no-untyped-call]
            print(_("Refreshed {path}").format(path=path))


def run(notebook: NotebookNode, *, folder: Path) -> None:
    """Execute every cell of *notebook* in a fresh kernel whose working folder is *folder*.

    Raises:
        nbclient.exceptions.CellExecutionError: a cell failed that was not meant to.
    """
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
    """Return *notebook* without what differs from run to run or from machine to machine."""
    notebook.metadata = {
        "kernelspec": {
            "display_name": "Python 3 (ipykernel)",
            "language": "python",
            "name": "python3",
        },
        "language_info": {"name": "python"},
    }
    for cell in notebook.cells:
        cell.metadata.pop("execution", None)
        for output in cell.get("outputs", []):
            output.get("data", {}).pop(_WIDGET_VIEW, None)
    return notebook


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
