"""The Python packages of the site: which ones the lessons need in a browser, fetched and checked; and the helpers' own."""

from __future__ import annotations

import hashlib
import shutil
import sys
from dataclasses import dataclass
from pathlib import Path
from zipfile import ZipFile

from packaging.metadata import Metadata
from packaging.requirements import Requirement
from packaging.utils import NormalizedName, canonicalize_name, parse_wheel_filename

from helpers.site import tools

# What the kernel itself needs. Its own parts come with it; see KERNEL_PARTS. Later releases of jedi are three times as large.
_KERNEL = ("ipython", "jedi<0.20", "micropip")

KERNEL_PARTS = ("ipykernel", "piplite", "pyodide-kernel")
"""Packages that JupyterLite's kernel brings itself, two of them in place of ones that cannot work in a browser."""

_LEFT_OUT = (
    # azure-identity asks for these two. They have no wheel for a browser, and no lesson calls what needs them.
    "cryptography",
    "pyjwt",
    # Carry only what JupyterLab shows, which the site has already; nothing imports them.
    "jupyterlab-widgets",
    "widgetsnbextension",
)

# The wheels of a platform without a compiler: any Python 3, any machine.
_ANYWHERE = ("--platform=any", "--implementation=py", "--abi=none")
# As uv calls it; of the several releases of Pyodide's platform all mean the same to packages without compiled code.
_PLATFORM = "wasm32-pyodide2025"

# How Python describes itself in the browser, as far as conditions in packages' metadata ask for it.
BROWSER = {
    "extra": "",
    "implementation_name": "cpython",
    "os_name": "posix",
    "platform_machine": "wasm32",
    "platform_python_implementation": "CPython",
    "platform_system": "Emscripten",
    "python_full_version": f"{tools.PYODIDE_PYTHON}.0",
    "python_version": tools.PYODIDE_PYTHON,
    "sys_platform": "emscripten",
}


@dataclass(frozen=True)
class Wheel:
    """A package as a file."""

    path: Path

    @property
    def name(self) -> NormalizedName:
        return parse_wheel_filename(self.path.name)[0]

    @property
    def version(self) -> str:
        return str(parse_wheel_filename(self.path.name)[1])

    @property
    def imports(self) -> list[str]:
        """The modules that importing would take from here: what holds code at the top, below folders that hold none."""
        with ZipFile(self.path) as archive:
            files = [Path(name).parts for name in archive.namelist() if name.endswith(".py")]
        files = [parts for parts in files if not parts[0].endswith((".data", ".dist-info"))]
        packages = {parts[:-1] for parts in files if parts[-1] == "__init__.py"}
        found = {
            next(
                (parts[:depth] for depth in range(1, len(parts)) if parts[:depth] in packages),
                (*parts[:-1], parts[-1].removesuffix(".py")),
            )
            for parts in files
        }
        return sorted(".".join(parts) for parts in found)

    @property
    def requirements(self) -> list[NormalizedName]:
        """The packages that it needs in the browser."""
        with ZipFile(self.path) as archive:
            name = next(
                name
                for name in archive.namelist()
                if name.endswith(".dist-info/METADATA") and name.count("/") == 1
            )
            # What is not quite by the rules in somebody else's metadata is no reason to stop.
            metadata = Metadata.from_email(archive.read(name), validate=False)
        return sorted(
            canonicalize_name(requirement.name)
            for requirement in metadata.requires_dist or []
            if needed_in_browser(requirement)
        )


def needed_in_browser(requirement: Requirement) -> bool:
    return requirement.marker is None or requirement.marker.evaluate(BROWSER)


def build_helpers(project: Path, folder: Path) -> None:
    """Build the wheel of the helpers as they are now, into the folder *folder*."""
    out = folder / "built"
    tools.run([*tools.uv(), "build", "--quiet", "--wheel", "--out-dir", str(out)], folder=project)
    (built,) = out.glob("*.whl")
    # Its version stays when its content changes. The digest in its name keeps browsers from taking one build's for another's.
    name, version, kind = built.name.split("-", 2)
    digest = hashlib.sha256(built.read_bytes()).hexdigest()[:12]
    built.rename(folder / f"{name}-{version}-0{digest}-{kind}")
    shutil.rmtree(out)


def download(project: Path, folder: Path) -> None:
    """Fetch all that the helpers and the kernel need in a browser, at versions that *project* allows, into *folder*.

    What arrives is compared with the hashes that the package index gave for the versions that were chosen.
    """
    wanted = folder / "kernel.in"
    chosen = folder / "requirements.txt"
    wanted.write_text("\n".join(_KERNEL), encoding="utf-8")
    left_out = folder / "left-out.txt"
    left_out.write_text("\n".join(_LEFT_OUT), encoding="utf-8")
    tools.run(
        [
            *(*tools.uv(), "pip", "compile", "--quiet", "--generate-hashes", "--no-header"),
            *("--exclude-newer", tools.AS_OF, "--only-binary", ":all:"),
            *("--no-annotate", "--no-emit-index-url", "--no-emit-find-links"),
            # The Python that asks need not be the one that is asked for.
            *("--no-python-downloads", "--python", sys.executable),
            *("--python-version", tools.PYODIDE_PYTHON),
            *("--python-platform", _PLATFORM, "--excludes", str(left_out)),
            *(str(project / "pyproject.toml"), str(wanted), "--output-file", str(chosen)),
        ],
        folder=folder,
    )
    tools.run(
        [
            *(*tools.pip(), "download", "--quiet", "--no-deps", "--require-hashes"),
            *("--only-binary=:all:", f"--python-version={tools.PYODIDE_PYTHON}", *_ANYWHERE),
            *("--requirement", str(chosen), "--dest", str(folder)),
        ],
        folder=folder,
    )
    for path in (wanted, left_out, chosen):
        path.unlink()


def in_folder(folder: Path) -> list[Wheel]:
    return sorted(map(Wheel, folder.glob("*.whl")), key=lambda wheel: wheel.name)
