"""``acs-tutorial playground``: the token playground as a page of its own, without a notebook around it."""

from __future__ import annotations

import argparse
import os
import secrets
import signal
import sys
import webbrowser
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Any

from helpers.cli.arguments import check_free, has_screen, port_number
from helpers.cli.lab import notebook_path
from helpers.errors import TutorialError
from helpers.language import gettext as _

if TYPE_CHECKING:
    from nbformat import NotebookNode
    from voila.app import Voila

    from helpers.cli.arguments import Commands

_PROJECT = Path(__file__).resolve().parents[2]
# Voilà finds its templates, ours and its own, in the folder "voila/templates" of each of Jupyter's data folders.
_DATA = Path(__file__).resolve().parents[1]
_TEMPLATE = "playground"

_NOTEBOOK_ONLY = "notebook-only"
"""The tag of cells that make sense only where the code can be seen."""


def add_command(commands: Commands) -> None:
    command = commands.add_parser(
        "playground",
        help=_("open the token playground: pick, issue, inspect and revoke on one page"),
        description=_(
            "Opens the token playground as a page of its own: choose scopes and a lifetime, issue a token, look inside, "
            "revoke it. Against the sandbox, or against your own resource with ACS_TUTORIAL_MODE=live."
        ),
        allow_abbrev=False,
    )
    command.add_argument(
        "--no-browser",
        action="store_false",
        dest="browser",
        help=_("only print the address of the page; do not open a browser"),
    )
    command.add_argument(
        "--port",
        metavar="N",
        type=port_number,
        help=_("the port for the page (default: 8866, or a free one near it)"),
    )
    command.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Serve the playground on this machine until Ctrl-C or a termination signal, then end its kernels."""
    notebook = _PROJECT / notebook_path("playground.ipynb")
    if not notebook.is_file():
        raise TutorialError(
            _("the notebook {path} is missing; clone the tutorial's repository again.").format(
                path=notebook
            )
        )
    if options.port is not None:
        check_free(options.port)
    try:
        voila = _voila(notebook, port=options.port)
        _announce_when_ready(voila, browser=options.browser and has_screen())
        voila.start()
        print("\n" + _("The playground is closed."))
    except KeyboardInterrupt:
        # Ctrl-C before there is anything to stop.
        pass
    return 0


def _voila(notebook: Path, *, port: int | None) -> Voila:
    folders = [str(_DATA), os.environ.get("JUPYTER_PATH")]
    os.environ["JUPYTER_PATH"] = os.pathsep.join(folder for folder in folders if folder)
    from voila.app import Voila

    voila = Voila()
    # Never Voilà's own way to open a browser: it forgets the access token.
    voila.initialize(
        [
            str(notebook),
            "--no-browser",
            f"--template={_TEMPLATE}",
            f"--token={secrets.token_hex(16)}",
            "--Voila.ip=localhost",
            f"--Voila.port={8866 if port is None else port}",
            f"--Voila.port_retries={50 if port is None else 0}",
            "--Voila.log_level=ERROR",
            # The messages between page and kernel stay on this machine; say so, or each kernel warns about it.
            "--KernelManager.transport_encryption=auto",
            # A page ends its kernel when it is closed. If the browser died instead, this does.
            "--MappingKernelManager.cull_idle_timeout=120",
            "--MappingKernelManager.cull_interval=30",
        ]
    )
    voila.voila_configuration.prelaunch_hook = _without_notebook_only_cells
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


def _without_notebook_only_cells(_request: Any, notebook: NotebookNode, cwd: str) -> NotebookNode:
    notebook.cells = [
        cell for cell in notebook.cells if _NOTEBOOK_ONLY not in cell.metadata.get("tags", [])
    ]
    notebook.metadata["title"] = _("Token playground")
    return notebook


def _announce_when_ready(voila: Voila, *, browser: bool) -> None:
    # The server chooses its port and starts the event loop in one step; what is said comes first in that loop.
    from tornado.ioloop import IOLoop, PeriodicCallback

    loop = IOLoop.current()

    def announce() -> None:
        address = f"http://localhost:{voila.port}/?token={voila.token}"
        print(_("The playground is open at {address}").format(address=address))
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
