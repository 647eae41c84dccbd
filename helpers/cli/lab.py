"""``acs-tutorial`` without a command: the lessons in JupyterLab."""

from __future__ import annotations

import argparse
import asyncio
import json
import logging
import os
import secrets
import signal
import sys
import tempfile
from importlib.metadata import entry_points
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING

from helpers import language
from helpers.cli.arguments import add_page_arguments, check_free, has_screen
from helpers.errors import TutorialError
from helpers.language import gettext as _

if TYPE_CHECKING:
    from jupyter_client.manager import KernelManager
    from jupyter_server.serverapp import ServerApp

_PROJECT = Path(__file__).resolve().parents[2]
_FIRST_LESSON = "00-start-here.ipynb"
_CONFIGURATION = Path(__file__).resolve().parents[1] / "jupyter"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add_page_arguments(
        parser,
        no_browser_help=_("only print the address of JupyterLab; do not open a browser"),
        port_help=_("the port for JupyterLab (default: 8888, or a free one near it)"),
    )
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Serve JupyterLab on this machine until Ctrl-C or a termination signal, then end its kernels."""
    if not (_PROJECT / first_lesson()).is_file():
        raise TutorialError(
            _(
                "the lessons are not beside the installed package; clone the tutorial's repository and run "
                "“uv run acs-tutorial” in it."
            )
        )
    if options.port is not None:
        check_free(options.port)
    try:
        with tempfile.TemporaryDirectory(prefix="acs-tutorial-lab-") as configuration:
            _use_bundled_configuration()
            _speak_in_jupyterlab(Path(configuration))
            server = _jupyterlab(port=options.port, browser=options.browser and has_screen())
            _stop_on_signals(server)
            server.io_loop.add_callback(_announce, server)
            server.start()
        print("\n" + _("The tutorial is closed."))
    except KeyboardInterrupt:
        # Ctrl-C before there is anything to stop.
        pass
    return 0


def notebook_path(name: str) -> str:
    """Return where a notebook is, seen from the project: in the chosen language, if it was built in that."""
    own = f"notebooks/{language.current()}/{name}"
    return own if (_PROJECT / own).is_file() else f"notebooks/{language.SOURCE}/{name}"


def first_lesson() -> str:
    """Return where the lesson is that opens first."""
    return notebook_path(_FIRST_LESSON)


def _jupyterlab(*, port: int | None, browser: bool) -> ServerApp:
    # Python's warnings about the code of Jupyter and its extensions are for their developers.
    logging.captureWarnings(True)
    logging.getLogger("py.warnings").setLevel(logging.ERROR)
    from jupyterlab.labapp import LabApp

    # A workspace of its own leaves the tabs of the reader's other work where they are. The access token is ours, so that
    # the address can be one line instead of Jupyter's page of alternatives.
    server: ServerApp = LabApp.initialize_server(
        argv=[
            f"--ServerApp.root_dir={_PROJECT}",
            f"--LabApp.default_url=/lab/workspaces/acs-tutorial/tree/{first_lesson()}",
            f"--ServerApp.open_browser={browser}",
            f"--ServerApp.port={8888 if port is None else port}",
            f"--ServerApp.port_retries={50 if port is None else 0}",
            f"--IdentityProvider.token={secrets.token_hex(16)}",
        ]
    )
    return server


def _use_bundled_configuration() -> None:
    _use_configuration(_CONFIGURATION)


def _use_configuration(folder: Path) -> None:
    """Put a Jupyter configuration folder before the reader's own, which stays in force for all it does not say."""
    folders = [str(folder), os.environ.get("JUPYTER_CONFIG_PATH")]
    os.environ["JUPYTER_CONFIG_PATH"] = os.pathsep.join(folder for folder in folders if folder)


def _speak_in_jupyterlab(configuration: Path) -> None:
    """Give JupyterLab the tutorial's language, if it has a language pack; one that the reader chose in its menu comes first."""
    packs = sorted(pack.name for pack in entry_points(group="jupyterlab.languagepack"))
    locale = next((name for name in packs if name.partition("_")[0] == language.current()), None)
    if locale:
        settings = configuration / "labconfig" / "default_setting_overrides.json"
        settings.parent.mkdir()
        settings.write_text(
            json.dumps({"@jupyterlab/translation-extension:plugin": {"locale": locale}}),
            encoding="utf-8",
        )
        _use_configuration(configuration)


def _announce(server: ServerApp) -> None:
    # The root of the server leads to the first lesson.
    address = f"{server.connection_url}?token={server.identity_provider.token}"
    print(_("The tutorial is open at {address}").format(address=address))
    print(_("Press Ctrl-C here to stop it."), flush=True)


def _stop_on_signals(server: ServerApp) -> None:
    """End at once on Ctrl-C, instead of asking whether it was meant; all that matters is saved on disk."""

    def stop(number: int, frame: FrameType | None) -> None:
        for name in (signal.SIGINT, signal.SIGTERM):
            signal.signal(
                name, signal.SIG_IGN
            )  # the ending has begun; a second Ctrl-C would tear it
        server.io_loop.add_callback_from_signal(_stop, server)

    for name in (signal.SIGINT, signal.SIGTERM):
        signal.signal(name, stop)
    if sys.platform == "win32":
        from tornado.ioloop import PeriodicCallback

        # There, Python sees a signal only when the event loop wakes up.
        PeriodicCallback(lambda: None, 250).start()


async def _stop(server: ServerApp) -> None:
    kernels = server.kernel_manager
    await asyncio.gather(*(_end(kernels.get_kernel(name)) for name in kernels.list_kernel_ids()))
    server.stop()


async def _end(kernel: KernelManager) -> None:
    # Jupyter would interrupt the kernel first, and a running cell answers that with a traceback in the terminal.
    from jupyter_core.utils import ensure_async

    kernel.stop_restarter()
    await ensure_async(kernel.request_shutdown())
    await ensure_async(kernel.finish_shutdown())
