"""The tutorial as a web page: the same lessons, the real SDK and the sandbox, all inside the reader's browser.

A site is a folder of files for any static host. It asks no other address for anything. What goes into it:

    landing.py   the first page, in every language
    lite.py      JupyterLab without a server (JupyterLite), with the lessons as they are in notebooks/
    wheels.py    the Python packages that the lessons need in a browser, and the helpers' own
    lock.py      tells Pyodide, which is Python in the browser, where they are
    tools.py     what builds it: fetched from the package registries at fixed versions, by uv and npm
    server.py    shows it on this machine
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from helpers import language
from helpers.errors import TutorialError
from helpers.language import gettext as _
from helpers.site import landing, lite, lock, tools, wheels

_PROJECT = Path(__file__).resolve().parents[2]
_PYODIDE = Path("static") / "pyodide"

Progress = Callable[[int, int, str], None]
"""Is told, before each step: its number, how many there are, and what it does."""

_STEPS = 5


def build(output: Path, *, project: Path = _PROJECT, progress: Progress) -> None:
    """Build the site into the folder *output*, in the place of one that is there already.

    Args:
        output: made if it is not there.
        project: where the helpers and the lessons are.
        progress: is told what is being done.

    Raises:
        TutorialError: there are no lessons, *output* holds something else, or a tool is missing or failed.
    """
    notebooks = project / "notebooks"
    if not (notebooks / language.SOURCE).is_dir():
        raise TutorialError(
            _(
                "the lessons are not beside the installed package; clone the tutorial's repository and run "
                "“uv run acs-tutorial site” in it."
            )
        )
    _check(output)
    with tempfile.TemporaryDirectory(prefix="acs-tutorial-site-") as temporary:
        packages, site = Path(temporary) / "packages", Path(temporary) / "site"
        packages.mkdir()
        progress(1, _STEPS, _("Fetch the Python packages that the lessons need"))
        wheels.download(project, packages)
        progress(2, _STEPS, _("Pack the tutorial's own helpers"))
        wheels.build_helpers(project, packages)
        progress(3, _STEPS, _("Build JupyterLab with the lessons"))
        names = [wheel.name for wheel in wheels.in_folder(packages)]
        lite.build(notebooks, site, packages=[*names, *wheels.KERNEL_PARTS])
        progress(4, _STEPS, _("Add Python for the browser"))
        (site / _PYODIDE).mkdir(parents=True)
        tools.unpack_pyodide(site / _PYODIDE)
        lock.rewrite(
            site / _PYODIDE,
            [
                *wheels.in_folder(packages),
                *(
                    wheel
                    for wheel in wheels.in_folder(lite.kernel_wheels(site))
                    if wheel.name in wheels.KERNEL_PARTS
                ),
            ],
        )
        progress(5, _STEPS, _("Write the first page"))
        write_landing(notebooks, site)
        if output.exists():
            shutil.rmtree(output)
        output.parent.mkdir(parents=True, exist_ok=True)
        shutil.copytree(site, output)


def write_landing(notebooks: Path, site: Path) -> None:
    """Write the first page of *site* in every language."""
    fetch_ahead = [path.relative_to(site).as_posix() for path in _needed_by_every_lesson(site)]
    for code in language.available():
        with _speaking(code):
            text = landing.page(notebooks, fetch_ahead=fetch_ahead)
        folder = site if code == language.SOURCE else site / code
        folder.mkdir(exist_ok=True)
        (folder / "index.html").write_text(text, encoding="utf-8")


def _needed_by_every_lesson(site: Path) -> list[Path]:
    pyodide = site / _PYODIDE
    return [
        *sorted((site / "build").glob("jlab_core.*.js")),
        *sorted(path for path in pyodide.iterdir() if path.name != "package.json"),
    ]


@contextmanager
def _speaking(code: str) -> Iterator[None]:
    before = language.current()
    language.use(code)
    try:
        yield
    finally:
        language.use(before)


def _check(output: Path) -> None:
    """Refuse to replace what is not a site."""
    if output.is_dir() and any(output.iterdir()) and not (output / _PYODIDE / lock.LOCK).is_file():
        raise TutorialError(
            _(
                "the folder {folder} holds something other than a site; empty it, or choose another one with --output."
            ).format(folder=output)
        )
    if output.exists() and not output.is_dir():
        raise TutorialError(
            _("{folder} is a file; choose a folder with --output.").format(folder=output)
        )
