"""How soon the web page gives a first token, and what it loads for it: ``python benchmarks/site.py [RUNS]``.

Beside the tutorial's site it builds the plain demo that anyone can make: JupyterLite, its Pyodide kernel and the same packages, all
of the same versions and served by the same server, with a notebook whose first cell installs the SDK and the widgets with
``%pip``, as JupyterLite's documentation shows. The demo is done when the SDK and the widgets are imported; it has no service,
so that it issues no token. The tutorial is done when its sandbox has issued one. Each opening is in a new browser profile, which
then opens the page again; the two take turns. The exit status is 1 if a bar is missed.
"""

from __future__ import annotations

import json
import shutil
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from playwright.sync_api import Browser, BrowserContext, Response, sync_playwright

PROJECT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(PROJECT))

from helpers.site import lite, lock, tools, wheels  # noqa: E402
from tests.browser.jupyterlab import ThePage  # noqa: E402
from tests.browser.static_site import StaticSite, browser_without_network  # noqa: E402

LESSON = "en/03-issue-access-tokens"
DEMO = "demo"
BAR = 1.3
TOKEN_SECONDS = 30

DEMO_CELLS = (
    "%pip install -q azure-communication-identity ipywidgets python-dotenv",
    "import ipywidgets\nfrom azure.communication.identity import CommunicationIdentityClient\n"
    "print(CommunicationIdentityClient, ipywidgets.Button())",
)


def build_demo(site: StaticSite, folder: Path) -> StaticSite:
    """Build the plain demo from the wheels of *site*: in Pyodide's lock what is in it by nature, the rest for ``%pip``."""
    pyodide = site.folder / "static" / "pyodide"
    source, built = folder / "source", folder / "demo"
    (source / "static" / "pyodide").mkdir(parents=True)
    (source / "files").mkdir()
    (source / "pypi").mkdir()
    tools.unpack_pyodide(source / "static" / "pyodide")
    path = source / "static" / "pyodide" / lock.LOCK
    of_pyodide = json.loads(path.read_text(encoding="utf-8"))["packages"]
    own = [*wheels.KERNEL_PARTS, "acs-tutorial"]
    shipped = [wheel for wheel in wheels.in_folder(pyodide) if wheel.name not in own]
    lock.rewrite(path.parent, [wheel for wheel in shipped if wheel.name in of_pyodide])
    for wheel in shipped:
        if wheel.name not in of_pyodide:
            shutil.copy(wheel.path, source / "pypi")
    # The front-end half of ipywidgets, which "%pip" wants to see and the site leaves out.
    front_end = "jupyterlab-widgets>=3,<4"
    tools.run(
        [*tools.pip(), "download", "-q", "--no-deps", "--dest", str(source / "pypi"), front_end],
        folder=source,
    )
    cell = {"cell_type": "code", "execution_count": None, "metadata": {}, "outputs": []}
    notebook = {
        "cells": [{**cell, "id": str(n), "source": text} for n, text in enumerate(DEMO_CELLS)],
        "metadata": {"kernelspec": {"name": "python", "display_name": "Python (Pyodide)"}},
        "nbformat": 4,
        "nbformat_minor": 5,
    }
    (source / "files" / f"{DEMO}.ipynb").write_text(json.dumps(notebook), encoding="utf-8")
    tools.run(
        [
            *(*tools.jupyterlite(), "build", "--lite-dir", ".", "--contents", "files"),
            *("--no-sourcemaps", "--output-dir", str(built)),
        ],
        folder=source,
    )
    demo = StaticSite(built)
    demo.expose_the_app()
    return demo


class Visit:
    """One opening of a page: the seconds until it is done, and the bytes that came over the wire."""

    def __init__(self, context: BrowserContext, site: StaticSite) -> None:
        self._context = context
        self._site = site
        self.bytes = 0

    def run(self, path: str, until: Callable[[ThePage], None]) -> float:
        self._context.on("response", self._count)
        window = ThePage(self._context.new_page())
        began = time.monotonic()
        window.page.goto(self._site.address + path)
        window.page.wait_for_function("() => window.jupyterapp", timeout=60_000)
        until(window)
        seconds = time.monotonic() - began
        self._context.remove_listener("response", self._count)
        window.page.close()
        return seconds

    def _count(self, response: Response) -> None:
        if response.status != 200 or response.from_service_worker:
            return
        path = response.url.removeprefix(self._site.address).partition("?")[0]
        file = self._site.folder / path
        if file.is_file():
            self.bytes += file.stat().st_size


def first_token(window: ThePage) -> None:
    lesson = window.open_lesson(Path(f"{LESSON}.ipynb"), Path())
    lesson.run_through("print(helpers.mask_token(token_result.token))")


def demo_done(window: ThePage) -> None:
    window.open_lesson(Path(f"{DEMO}.ipynb"), Path()).run_all(timeout_seconds=120)


def visit_twice(
    browser: Browser, site: StaticSite, path: str, until: Callable[[ThePage], None]
) -> tuple[float, int, float]:
    """Open a page in a new profile, and again: seconds and bytes when all is new, and seconds from the cache."""
    context = browser.new_context(viewport={"width": 1280, "height": 900}, locale="en-US")
    cold = Visit(context, site)
    seconds = cold.run(path, until)
    again = Visit(context, site).run(path, until)
    context.close()
    return seconds, cold.bytes, again


def total(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def megabytes(count: float) -> str:
    return f"{count / 1e6:6.2f} MB"


def report_wheels(site: StaticSite) -> None:
    print("\nwhat each package costs:")
    shipped = wheels.in_folder(site.folder / "static" / "pyodide")
    for wheel in sorted(shipped, key=lambda wheel: -wheel.path.stat().st_size):
        print(f"  {megabytes(wheel.path.stat().st_size)}   {wheel.name} {wheel.version}")
    size = sum(wheel.path.stat().st_size for wheel in shipped)
    print(f"  {megabytes(size)}   all {len(shipped)}")


def main(runs: int = 3) -> int:
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as temporary:
        folder = Path(temporary)
        site = StaticSite(folder / "site")
        site.build()
        site.expose_the_app()
        demo = build_demo(site, folder)
        of_site: list[tuple[float, int, float]] = []
        of_demo: list[tuple[float, int, float]] = []
        with sync_playwright() as playwright, site, demo:
            browser = browser_without_network(playwright)
            if browser is None:
                print("no Chromium, Chrome or Edge was found on this machine")
                return 1
            for _ in range(runs):
                path = f"{lite.app('en')}/index.html?path={LESSON}.ipynb"
                of_site.append(visit_twice(browser, site, path, first_token))
                path = f"lab/index.html?path={DEMO}.ipynb"
                of_demo.append(visit_twice(browser, demo, path, demo_done))
            browser.close()
        cold, loaded, warm = (statistics.median(column) for column in zip(*of_site, strict=True))
        demo_cold, demo_loaded, demo_warm = (
            statistics.median(column) for column in zip(*of_demo, strict=True)
        )
        first_page = (site.folder / "index.html").stat().st_size
        print(f"the first page: {first_page / 1e3:.1f} kB, one file\n")
        print(f"{'':<38}{'tutorial':>10} {'plain demo':>12}   ratio   bar {BAR}")
        rows = [
            ("from opening to the first token, cold", cold, demo_cold),
            ("the same again, from the cache", warm, demo_warm),
            ("loaded until then, MB", loaded / 1e6, demo_loaded / 1e6),
            ("on the host in all, MB", total(site.folder) / 1e6, total(demo.folder) / 1e6),
        ]
        for what, ours, theirs in rows:
            verdict = "held" if ours <= BAR * theirs else "MISSED"
            print(f"{what:<38}{ours:>10.2f} {theirs:>12.2f}   {ours / theirs:5.2f}   {verdict}")
        verdict = "held" if cold <= TOKEN_SECONDS else "MISSED"
        print(f"first token within {TOKEN_SECONDS} s of opening: {cold:.1f} s   {verdict}")
        report_wheels(site)
        print(f"\nmedians of {runs} runs; seconds where nothing else is said; sizes uncompressed")
        missed = any(ours > BAR * theirs for _, ours, theirs in rows) or cold > TOKEN_SECONDS
        return int(missed)


if __name__ == "__main__":
    sys.exit(main(*map(int, sys.argv[1:])))
