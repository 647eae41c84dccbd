"""uv, which makes Python environments: found on the PATH or beside this interpreter."""

from __future__ import annotations

import importlib.util
import shutil
import sys

from helpers.errors import TutorialError


def uv(*, missing: str) -> list[str]:
    """Return the command of uv.

    Raises:
        TutorialError: there is none; its text is *missing*.
    """
    if found := shutil.which("uv"):
        return [found]
    if importlib.util.find_spec("uv"):
        return [sys.executable, "-m", "uv"]
    raise TutorialError(missing)
