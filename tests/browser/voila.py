"""What ``acs-tutorial`` serves as a page of its own: the playground, and slides that are live."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
from pathlib import Path

from .jupyterlab import GUARD, PROJECT


class ServedPage:
    """A command and what it serves; a context manager."""

    address: str
    """What the command printed."""

    def __init__(self, workspace: Path, *command: str) -> None:
        """Run ``acs-tutorial`` with *command*, all its folders in the empty folder *workspace*."""
        self.home = workspace
        """Where the tutorial keeps its state, and all that Jupyter writes."""
        self.refused = workspace / "refused.log"
        """What tried to leave this machine, one line each; no file if nothing did."""
        self._command = command
        self._log = workspace / "acs-tutorial.log"

    def __enter__(self) -> ServedPage:
        with self._log.open("w", encoding="utf-8") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "helpers.cli", *self._command, "--no-browser"],
                cwd=self.home,
                env=self._environment(),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
            )
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline and self._process.poll() is None:
            if found := re.search(r"http://\S+", self.log):
                self.address = found[0]
                return self
            time.sleep(0.05)
        self.__exit__()
        raise RuntimeError(
            f"acs-tutorial {' '.join(self._command)} printed no address:\n{self.log}"
        )

    def __exit__(self, *_: object) -> None:
        self.stop()

    def stop(self) -> int:
        """End the command as its user does, and return its exit status."""
        self._process.terminate()
        return self._process.wait(timeout=20)

    @property
    def log(self) -> str:
        """What the command has printed."""
        return self._log.read_text(encoding="utf-8")

    @property
    def process(self) -> int:
        """The command's process number."""
        return self._process.pid

    def _environment(self) -> dict[str, str]:
        environment = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith(
                ("JUPYTER", "ACS_TUTORIAL", "COMMUNICATION_SERVICES", "IDENTITY_")
            )
        }
        return environment | {
            "HOME": str(self.home),
            "USERPROFILE": str(self.home),
            "JUPYTER_CONFIG_DIR": str(self.home / "configuration"),
            "JUPYTER_DATA_DIR": str(self.home / "data"),
            "JUPYTER_RUNTIME_DIR": str(self.home / "runtime"),
            "IPYTHONDIR": str(self.home / "ipython"),
            "ACS_TUTORIAL_HOME": str(self.home / "state"),
            "ACS_TUTORIAL_GUARD_LOG": str(self.refused),
            "PYTHONPATH": os.pathsep.join([str(GUARD), str(PROJECT)]),
            "PYTHONUNBUFFERED": "1",
        }
