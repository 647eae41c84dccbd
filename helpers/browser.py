"""The tutorial inside a browser, where Python has no sockets, processes or packages with compiled code of their own."""

from __future__ import annotations

import importlib.abc
import importlib.machinery
import importlib.util
import sys
from collections.abc import Sequence
from pathlib import Path
from types import ModuleType
from typing import Any, NoReturn

from helpers.errors import TutorialError
from helpers.language import gettext as _

HERE = sys.platform == "emscripten"

if HERE and "" in sys.path:
    # The notebook's own folder is asked through the page's service worker, milliseconds for each module: so it comes last.
    sys.path[:] = [*filter(None, sys.path), ""]

# JupyterLite shows a notebook's kernel its drive there, which lives in the browser's own storage.
DRIVE = Path("/drive")


def state_folder() -> Path:
    """Return where the tutorial keeps its state: on the drive of the notebooks, or until the page is closed."""
    return (DRIVE if DRIVE.is_dir() else Path.home()) / ".acs-tutorial"


def forgets() -> bool:
    """Say whether the state is gone when the page is closed: the browser keeps no drive, as in some private windows."""
    return HERE and not DRIVE.is_dir()


def refuse(mode: str) -> NoReturn:
    """Say what a mode needs that a browser does not have."""
    raise TutorialError(
        _(
            "A web page may only call its own server, so the mode “{mode}” does not work here: remove its setting, or "
            "install the tutorial on your computer."
        ).format(mode=mode)
    )


def stand_in_for_cryptography() -> None:
    """Let azure-identity be imported where the package ``cryptography`` does not exist.

    It imports the names for its certificate credentials with the others. They are there, and say so when they are used.
    """
    if not any(isinstance(finder, _Finder) for finder in sys.meta_path):
        # The last one: a real package goes first.
        sys.meta_path.append(_Finder())


class _Finder(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        if fullname.partition(".")[0] != "cryptography":
            return None
        return importlib.util.spec_from_loader(fullname, self, is_package=True)

    def create_module(self, spec: importlib.machinery.ModuleSpec) -> ModuleType:
        return _Module(spec.name)

    def exec_module(self, module: ModuleType) -> None:
        """Nothing: every name is made when it is asked for."""


class _Module(ModuleType):
    def __getattr__(self, name: str) -> _Missing:
        if name.startswith("__"):
            raise AttributeError(name)
        return _Missing(name, (), {})


class _Missing(type):
    """A class in name only, good for annotations and ``isinstance``."""

    def __getattr__(cls, name: str) -> NoReturn:
        if name.startswith("__"):
            raise AttributeError(name)
        _refuse_certificates()

    def __call__(cls, *arguments: Any, **options: Any) -> NoReturn:
        _refuse_certificates()


def _refuse_certificates() -> NoReturn:
    raise TutorialError(
        _(
            "Certificates need the package “cryptography”, which a browser does not have: try them with the tutorial "
            "on your computer."
        )
    )
