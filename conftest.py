"""For every test and every notebook under test: a state of its own, and nothing of the developer's settings."""

from __future__ import annotations

import os
import tempfile

import pytest

from helpers import settings


def pytest_configure(config: pytest.Config) -> None:
    # Kernels that nbval starts inherit this environment. Empty values also switch off a .env file.
    home = tempfile.TemporaryDirectory(prefix="acs-tutorial-tests-", ignore_cleanup_errors=True)
    config.add_cleanup(home.cleanup)
    os.environ.update(dict.fromkeys(settings.KEYS, ""))
    os.environ[settings.MODE] = "sandbox"
    os.environ[settings.HOME] = home.name
