"""The tutorial as a web page: built by its own command, served on loopback, in a browser that can reach nothing else."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from pathlib import Path

from playwright.sync_api import Browser, BrowserContext, Playwright

from helpers.site.server import server

from .chromium import find_chromium, launch_options
from .jupyterlab import GUARD, PROJECT


class StaticSite:
    """A built site and its server; a context manager."""

    address: str
    """The site's root, with a slash at the end."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def build(self) -> None:
        """Build it as its users do. Unlike the rest of the tests, this may reach the package registries."""
        folders = os.environ.get("PYTHONPATH", "").split(os.pathsep)
        environment = os.environ | {
            "PYTHONPATH": os.pathsep.join(name for name in folders if name not in ("", str(GUARD)))
        }
        ran = subprocess.run(
            [sys.executable, "-m", "helpers.cli", "site", "--output", str(self.folder)],
            cwd=PROJECT,
            env=environment,
            capture_output=True,
            encoding="utf-8",
        )
        if ran.returncode:
            raise RuntimeError(f"acs-tutorial site failed:\n{ran.stdout}{ran.stderr}")

    def expose_the_app(self) -> None:
        """Add the one thing that the harness needs: JupyterLab's own handle for tests, window.jupyterapp."""
        path = self.folder / "jupyter-lite.json"
        configuration = json.loads(path.read_text(encoding="utf-8"))
        configuration["jupyter-config-data"]["exposeAppInBrowser"] = True
        path.write_text(json.dumps(configuration), encoding="utf-8")

    def __enter__(self) -> StaticSite:
        self._server = server(self.folder, port=0)
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)
        self._thread.start()
        self.address = f"http://127.0.0.1:{self._server.server_address[1]}/"
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


def browser_without_network(playwright: Playwright) -> Browser | None:
    """Start a Chromium to which no host but this machine exists; ``None`` where there is no Chromium."""
    executable = find_chromium(playwright)
    if executable is None:
        return None
    options = launch_options()
    options["args"].append("--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1")
    return playwright.chromium.launch(executable_path=executable, **options)


def outside_requests(context: BrowserContext, site: StaticSite) -> list[str]:
    """Return a list that fills with every address beyond *site* that a page, a worker or a service worker asks for."""
    outside: list[str] = []

    def note(url: str) -> None:
        if not url.startswith((site.address, "data:", "blob:")):
            outside.append(url)

    context.on("request", lambda request: note(request.url))
    return outside
