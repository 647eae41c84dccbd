"""For every test and every notebook under test: a state of its own, nothing of the developer's settings, and no way out."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

import pytest

from helpers import settings

GUARD = Path(__file__).parent / "tests" / "guard"
GUARD_LOG = "ACS_TUTORIAL_GUARD_LOG"


def pytest_configure(config: pytest.Config) -> None:
    # Kernels that nbval starts inherit this environment. Empty values also switch off a .env file.
    home = tempfile.TemporaryDirectory(prefix="acs-tutorial-tests-", ignore_cleanup_errors=True)
    config.add_cleanup(home.cleanup)
    os.environ.update(dict.fromkeys(settings.KEYS, ""))
    os.environ[settings.MODE] = "sandbox"
    os.environ[settings.HOME] = home.name
    os.environ["LANGUAGE"] = "en"  # whatever this computer speaks
    # Nothing may leave this machine: the guard starts with every Python process from here on, kernels and workers included.
    folders = os.environ.get("PYTHONPATH", "").split(os.pathsep)
    os.environ["PYTHONPATH"] = os.pathsep.join(dict.fromkeys([str(GUARD), *filter(None, folders)]))
    # One log for the whole run: workers inherit the name.
    os.environ.setdefault(GUARD_LOG, str(Path(home.name) / "refused.log"))


def pytest_sessionfinish(session: pytest.Session) -> None:
    # A refusal that some library swallowed still fails the run.
    log = Path(os.environ[GUARD_LOG])
    if log.exists():
        print(f"\nSomething tried to leave this machine:\n{log.read_text('utf-8')}")
        session.exitstatus = pytest.ExitCode.TESTS_FAILED
