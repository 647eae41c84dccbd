"""What a run of the lessons is told as: in the terminal, on a page, and to machines."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path

from helpers.errors import TutorialError
from helpers.language import gettext as _
from helpers.validation.report import matrix
from helpers.validation.report.machines import annotate, write_json, write_junit
from helpers.validation.report.page import write_page
from helpers.validation.results import Run
from helpers.validation.sdk import Trial


class Report:
    """A folder with the page, the same for machines, and the notebooks as they ran."""

    def __init__(self, folder: Path) -> None:
        """Make the folder ready; what an earlier report left in it goes.

        Raises:
            TutorialError: it cannot be made.
        """
        self.folder = folder
        self.executed = folder / "executed"
        try:
            folder.mkdir(parents=True, exist_ok=True)
            # Only what a report itself writes: somebody may have named a folder with other things in it.
            shutil.rmtree(self.executed, ignore_errors=True)
        except OSError as error:
            raise TutorialError(
                _(
                    "The report cannot be written to {folder} ({reason}); name another folder."
                ).format(folder=folder, reason=error.strerror)
            ) from error

    def write(self, run: Run) -> None:
        """Write the report of one run, and say where it is."""
        write_page(run, self.folder / "index.html")
        write_json(run, self.folder / "report.json")
        write_junit([run], self.folder / "junit.xml")
        annotate([run])
        self._say_where()

    def write_matrix(self, trials: Sequence[Trial]) -> None:
        """Write the report on several releases of the SDK, with a whole one for each, and say where it is."""
        for trial in trials:
            if trial.run is not None:
                folder = self.folder / trial.version
                folder.mkdir(exist_ok=True)
                write_page(trial.run, folder / "index.html")
        matrix.write_page(trials, self.folder / "index.html")
        matrix.write_json(trials, self.folder / "report.json")
        runs = [trial.run for trial in trials if trial.run is not None]
        write_junit(runs, self.folder / "junit.xml")
        annotate(runs)
        self._say_where()

    def executed_with(self, version: str) -> Path:
        """Return where the notebooks go that ran with a release of the SDK."""
        return self.folder / version / "executed"

    def _say_where(self) -> None:
        """Say where the page is, as an address to click."""
        page = (self.folder / "index.html").resolve()
        print(_("Report: {address}").format(address=page.as_uri()))
