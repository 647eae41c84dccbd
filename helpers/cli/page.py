"""One notebook as a page of its own, served by Voilà on this machine: what the playground and live slides have in common."""

from __future__ import annotations

import os
import secrets
import signal
import sys
import webbrowser
from collections.abc import Callable, Mapping
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Any

from helpers.cli.arguments import check_free, has_screen
from helpers.language import gettext as _

if TYPE_CHECKING:
    from nbformat import NotebookNode
    from voila.app import Voila

# Voilà finds its templates, ours and its own, in the folders "voila/templates" and "nbconvert/templates" of each of
# Jupyter's data folders.
_DATA = Path(__file__).resolve().parents[1]
_FIRST_PORT = 8866


def serve(
    notebook: Path,
    *,
    template: str,
    prepare: Callable[[NotebookNode], None],
    opened: str,
    closed: str,
    port: int | None = None,
    browser: bool = True,
    shows_code: bool = False,
    resources: Mapping[str, Any] | None = None,
) -> None:
    """Serve the *notebook* until Ctrl-C or a termination signal, then end its kernels.

    Args:
        template: the name of a Voilà template of ours.
        prepare: changes the notebook before it is run and shown, each time that the page is opened.
        opened: the sentence that names the page's ``{address}``, printed when it can be opened.
        closed: the sentence printed at the end.
        port: the port to listen on; by default 8866, or a free one near it.
        browser: whether to open a browser, where there is a screen.
        shows_code: whether the page shows the code beside what it does.
        resources: what the template gets beside the notebook.

    Raises:
        TutorialError: the *port* is taken.
    """
    if port is not None:
        check_free(port)
    try:
        voila = _voila(notebook, template=template, port=port)
        voila.voila_configuration.prelaunch_hook = _prelaunch_hook(prepare)
        voila.voila_configuration.strip_sources = not shows_code
        if resources:
            voila.voila_configuration.config.VoilaConfiguration.resources = dict(resources)
        _announce_when_ready(voila, opened=opened, browser=browser and has_screen())
        voila.start()
        print("\n" + closed)
    except KeyboardInterrupt:
        # Ctrl-C before there is anything to stop.
        pass


def _voila(notebook: Path, *, template: str, port: int | None) -> Voila:
    folders = [str(_DATA), os.environ.get("JUPYTER_PATH")]
    os.environ["JUPYTER_PATH"] = os.pathsep.join(folder for folder in folders if folder)
    from voila.app import Voila

    voila = Voila()
    # Never Voilà's own way to open a browser: it forgets the access token.
    voila.initialize(
        [
            str(notebook),
            "--no-browser",
            f"--template={template}",
            f"--token={secrets.token_hex(16)}",
            "--Voila.ip=localhost",
            f"--Voila.port={_FIRST_PORT if port is None else port}",
            f"--Voila.port_retries={50 if port is None else 0}",
            "--Voila.log_level=ERROR",
            # The messages between page and kernel stay on this machine; say so, or each kernel warns about it.
            "--KernelManager.transport_encryption=auto",
            # A page ends its kernel when it is closed. If the browser died instead, this does.
            "--MappingKernelManager.cull_idle_timeout=120",
            "--MappingKernelManager.cull_interval=30",
        ]
    )
    # Widgets, and none of the other extensions that JupyterLab has: they slow the page down and add nothing to it.
    voila.voila_configuration.extension_allowlist = [
        "@jupyter-widgets/jupyterlab-manager",
        "@voila-dashboards/widgets-manager8",
    ]
    voila.tornado_settings = {
        # When the page goes, it asks to end its kernel, and knows of no form token. That is all it can ask for.
        "disable_check_xsrf": True,
        "ws_ping_timeout": 30_000,  # as long as the interval; Voilà's own choice is longer, and warned about
    }
    return voila


def _prelaunch_hook(prepare: Callable[[NotebookNode], None]) -> Callable[..., NotebookNode]:
    def hook(_request: Any, notebook: NotebookNode, cwd: str) -> NotebookNode:
        prepare(notebook)
        return notebook

    return hook


def _announce_when_ready(voila: Voila, *, opened: str, browser: bool) -> None:
    # The server chooses its port and starts the event loop in one step; what is said comes first in that loop.
    from tornado.ioloop import IOLoop, PeriodicCallback

    loop = IOLoop.current()

    def announce() -> None:
        address = f"http://localhost:{voila.port}/?token={voila.token}"
        print(opened.format(address=address))
        print(_("Press Ctrl-C here to stop it."), flush=True)
        if browser:
            webbrowser.open(address)

    def stop(number: int, frame: FrameType | None) -> None:
        loop.add_callback_from_signal(loop.stop)

    loop.add_callback(announce)
    for name in (signal.SIGINT, signal.SIGTERM):
        signal.signal(name, stop)
    if sys.platform == "win32":
        # There, Python sees a signal only when the event loop wakes up.
        PeriodicCallback(lambda: None, 250).start()
