"""The tutorial running in JupyterLab, a window on it, and a lesson in that window."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal
from urllib.parse import urlsplit

from playwright.sync_api import ConsoleMessage, Locator, Page, Request

PROJECT = Path(__file__).resolve().parents[2]
SCREENSHOTS = PROJECT / "build" / "screenshots"
GUARD = PROJECT / "tests" / "guard"

_NOT_COPIED = shutil.ignore_patterns(
    ".git",
    ".venv",
    "build",
    "dist",
    "uv.lock",
    ".env",
    ".*_cache",
    "__pycache__",
    ".ipynb_checkpoints",
)


class Lab:
    """The tutorial, started by its own command on a copy of the project; a context manager."""

    address: str
    """What the command printed: the address that opens the first lesson."""

    def __init__(self, workspace: Path, *arguments: str) -> None:
        """Work in the empty folder *workspace*; *arguments* are added to the command line."""
        self.folder = workspace / "project"
        """The copy of the project: its notebooks are the ones that are opened and saved."""
        self.refused = workspace / "refused.log"
        """What tried to leave this machine, one line each; no file if nothing did."""
        self._home = workspace / "home"
        self._log = workspace / "acs-tutorial.log"
        self._arguments = arguments

    def __enter__(self) -> Lab:
        shutil.copytree(PROJECT, self.folder, ignore=_NOT_COPIED)
        configuration = self._home / ".jupyter"
        configuration.mkdir(parents=True)
        # The one thing the harness adds: JupyterLab's own handle for tests, window.jupyterapp.
        (configuration / "jupyter_lab_config.json").write_text(
            json.dumps({"LabApp": {"expose_app_in_browser": True}}), encoding="utf-8"
        )
        with self._log.open("w", encoding="utf-8") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "helpers.cli", "--no-browser", *self._arguments],
                cwd=self._home,
                env=self._environment(configuration),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
            )
        try:
            self.address = self._printed_address()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self._process.terminate()
        try:
            self._process.wait(timeout=20)
        except subprocess.TimeoutExpired:
            self._process.kill()
            raise

    @property
    def log(self) -> str:
        """What the command has printed."""
        return self._log.read_text(encoding="utf-8")

    def _environment(self, configuration: Path) -> dict[str, str]:
        environment = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith(
                ("JUPYTER", "ACS_TUTORIAL", "COMMUNICATION_SERVICES", "IDENTITY_")
            )
        }
        return environment | {
            "HOME": str(self._home),
            "USERPROFILE": str(self._home),
            "JUPYTER_CONFIG_DIR": str(configuration),
            "JUPYTER_DATA_DIR": str(self._home / "data"),
            "JUPYTER_RUNTIME_DIR": str(self._home / "runtime"),
            "IPYTHONDIR": str(self._home / "ipython"),
            "ACS_TUTORIAL_HOME": str(self._home / "state"),
            "ACS_TUTORIAL_GUARD_LOG": str(self.refused),
            "PYTHONPATH": os.pathsep.join([str(GUARD), str(self.folder)]),
            "PYTHONUNBUFFERED": "1",
        }

    def _printed_address(self) -> str:
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline and self._process.poll() is None:
            if found := re.search(r"http://\S+", self.log):
                return found[0]
            time.sleep(0.05)
        raise RuntimeError(f"acs-tutorial printed no address:\n{self.log}")


class ThePage:
    """A browser window on JupyterLab that remembers what went wrong in it."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.console_errors: list[str] = []
        """Errors on the browser's console and uncaught exceptions, since the last lesson was opened."""
        self.outside_requests: list[str] = []
        """Addresses beyond this machine that the page asked for, since it was opened."""
        self.first_document = ""
        """The path of the document that was in front when JupyterLab had opened."""
        page.on("console", self._heard)
        page.on("pageerror", lambda error: self.console_errors.append(str(error)))
        page.on("request", self._requested)

    def open(self, address: str) -> None:
        """Open JupyterLab and wait until it has settled on the first lesson."""
        self.page.goto(address)
        self.page.wait_for_function("() => window.jupyterapp", timeout=60_000)
        self.page.evaluate("async () => { await window.jupyterapp.restored; }")
        self.page.wait_for_selector(".jp-Notebook", timeout=30_000)
        self.first_document = self.page.evaluate(
            "() => window.jupyterapp.shell.currentWidget.context.path"
        )

    def open_lesson(self, path: Path, folder: Path) -> Lesson:
        """Open the notebook at *path*, inside the served *folder*, and wait until its kernel answers."""
        self.console_errors.clear()
        self.page.evaluate(_OPEN, path.relative_to(folder).as_posix())
        return Lesson(self, path)

    def use_theme(self, theme: Literal["light", "dark"]) -> None:
        """Switch JupyterLab's theme and wait until the page wears it."""
        self.page.evaluate(
            "theme => window.jupyterapp.commands.execute('apputils:change-theme', {theme})",
            f"JupyterLab {theme.capitalize()}",
        )
        is_light = str(theme == "light").lower()
        self.page.wait_for_selector(f'body[data-jp-theme-light="{is_light}"]', state="attached")

    def close_everything(self) -> None:
        """Close every document without saving and end every kernel."""
        self.page.evaluate(_CLOSE)

    def _heard(self, message: ConsoleMessage) -> None:
        if message.type == "error":
            self.console_errors.append(f"{message.text} ({message.location.get('url', '')})")

    def _requested(self, request: Request) -> None:
        parts = urlsplit(request.url)
        if parts.scheme not in ("data", "blob") and parts.hostname not in (
            "localhost",
            "127.0.0.1",
        ):
            self.outside_requests.append(request.url)


@dataclass
class Lesson:
    """A notebook that is open in front, with a kernel that answers."""

    window: ThePage
    path: Path
    """The notebook's file."""

    @property
    def page(self) -> Page:
        return self.window.page

    @property
    def panel(self) -> Locator:
        """The part of the page that shows this lesson; look for widgets in here."""
        return self.page.locator(".jp-NotebookPanel:not(.lm-mod-hidden)")

    def cell(self, index: int) -> Locator:
        """Return the cell at *index*, counted from 0 over all cells."""
        return self.panel.locator(f'.jp-Cell[data-windowed-list-index="{index}"]')

    def run_all(self, *, timeout_seconds: float = 60) -> float:
        """Run every cell, wait for the last output, and return the seconds it took.

        Raises:
            AssertionError: a cell was not run or, unless it is tagged ``raises-exception``, ended with an error.
        """
        started = time.monotonic()
        self.page.evaluate(_START_RUN_ALL)
        self.page.wait_for_function(
            "() => window.ranAll !== undefined", timeout=timeout_seconds * 1000
        )
        seconds = time.monotonic() - started
        assert self.errors() == []
        counts = [cell["execution_count"] for cell in self.cells() if cell["cell_type"] == "code"]
        first = counts[0]
        assert counts == list(range(first, first + len(counts))), f"not run in order: {counts}"
        return seconds

    def run_cell(self, index: int) -> None:
        """Run the cell at *index*, counted from 0 over all cells, and wait for its outputs."""
        self.page.evaluate(_RUN_CELL, index)

    def run_through(self, source: str) -> int:
        """Run the code cells from the top through the one that holds *source*, and return that one's index."""
        last = self.find(source)
        for index in range(last + 1):
            self.run_cell(index)
        assert self.errors() == []
        return last

    def find(self, source: str) -> int:
        """Return the index of the only cell whose source holds *source*."""
        (index,) = (n for n, cell in enumerate(self.cells()) if source in cell["source"])
        return index

    def output_text(self, index: int) -> str:
        """Return what the cell at *index* printed."""
        return "".join(output.get("text", "") for output in self.cells()[index]["outputs"])

    def cells(self) -> list[dict[str, Any]]:
        """Return the cells as they are now, in nbformat's form, outputs included."""
        notebook: dict[str, Any] = self.page.evaluate(
            "() => window.jupyterapp.shell.currentWidget.context.model.toJSON()"
        )
        return list(notebook["cells"])

    def errors(self) -> list[str]:
        """Return the errors among the outputs of cells that are not meant to raise one."""
        return [
            f"{output['ename']}: {output['evalue']}"
            for cell in self.cells()
            if "raises-exception" not in cell["metadata"].get("tags", [])
            for output in cell.get("outputs", [])
            if output["output_type"] == "error"
        ]

    def save(self) -> dict[str, Any]:
        """Save through JupyterLab and return the notebook as it is in its file."""
        self.page.evaluate("() => window.jupyterapp.commands.execute('docmanager:save')")
        saved: dict[str, Any] = json.loads(self.path.read_text(encoding="utf-8"))
        return saved

    def screenshot(self, name: str, *, whole: bool = False) -> Path:
        """Keep a picture in ``build/screenshots``: of what the window shows or, if *whole*, of the lesson in its full length."""
        SCREENSHOTS.mkdir(parents=True, exist_ok=True)
        picture = SCREENSHOTS / f"{name}.png"
        size = self.page.viewport_size
        if whole and size:
            self.page.set_viewport_size({"width": size["width"], "height": self._full_height()})
            self.panel.locator(".jp-WindowedPanel-outer").evaluate("panel => panel.scrollTo(0, 0)")
            self.page.wait_for_timeout(300)  # the notebook lays itself out again
        self.page.screenshot(path=picture)
        if whole and size:
            self.page.set_viewport_size(size)
        return picture

    def _full_height(self) -> int:
        height: int = self.panel.evaluate(
            """panel => [...panel.querySelectorAll('.jp-Cell')]
                .reduce((sum, cell) => sum + cell.offsetHeight + 8, 250)"""
        )
        return min(height, 16_000)


# The indicator that says "idle" comes before the kernel's connection is up, and cells run until then are dropped; the kernel's
# answer to an information request is the proof that it listens.
_OPEN = """async path => {
    const lab = window.jupyterapp;
    await lab.restored;
    const widget = await lab.commands.execute('docmanager:open', {path, factory: 'Notebook'});
    await widget.revealed;
    await widget.context.ready;
    lab.shell.activateById(widget.id);
    await widget.sessionContext.ready;
    await widget.sessionContext.session.kernel.info;
}"""

_START_RUN_ALL = """() => {
    window.ranAll = undefined;
    window.jupyterapp.commands.execute('notebook:run-all-cells').then(done => { window.ranAll = done; });
}"""

_RUN_CELL = """async index => {
    const widget = window.jupyterapp.shell.currentWidget;
    widget.content.activeCellIndex = index;
    widget.content.deselectAll();
    await window.jupyterapp.commands.execute('notebook:run-cell');
}"""

_CLOSE = """async () => {
    const lab = window.jupyterapp;
    for (const widget of [...lab.shell.widgets('main')]) {
        if (widget.context) {
            await widget.sessionContext?.shutdown();
            widget.context.model.dirty = false;
        }
        widget.dispose();
    }
}"""
