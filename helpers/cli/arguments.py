"""What several commands read from the command line, and how they are stopped."""

from __future__ import annotations

import argparse
import os
import signal
import socket
import sys
import threading
from typing import TYPE_CHECKING

from helpers.errors import TutorialError
from helpers.language import gettext as _

if TYPE_CHECKING:
    # What ArgumentParser.add_subparsers returns; argparse has no public name for it.
    Commands = argparse._SubParsersAction[argparse.ArgumentParser]


def port_number(text: str) -> int:
    """Read a TCP port; 0 means any free one."""
    try:
        port = int(text)
    except ValueError:
        port = -1
    if not 0 <= port <= 65535:
        raise argparse.ArgumentTypeError(_("a port is a number from 0 to 65535"))
    return port


def add_page_arguments(
    parser: argparse.ArgumentParser, *, no_browser_help: str, port_help: str
) -> None:
    """Add what every command has that opens a page of this machine: ``options.browser`` and ``options.port``."""
    parser.add_argument("--no-browser", action="store_false", dest="browser", help=no_browser_help)
    parser.add_argument("--port", metavar="N", type=port_number, help=port_help)


def port_taken(port: int) -> TutorialError:
    """Return the complaint that *port* cannot be listened on."""
    return TutorialError(
        _(
            "port {port} is in use by another program, or not allowed; choose another one, or leave --port out "
            "to use a free one."
        ).format(port=port)
    )


def check_free(port: int) -> None:
    """Raise a TutorialError when *port* of this machine cannot be listened on."""
    try:
        socket.create_server(("127.0.0.1", port)).close()
    except OSError as error:
        raise port_taken(port) from error


def when_stopped() -> threading.Event:
    """Return what Ctrl-C and a termination signal set from now on, instead of ending this process."""
    stopped = threading.Event()
    for name in (signal.SIGINT, signal.SIGTERM):
        signal.signal(name, lambda number, frame: stopped.set())
    return stopped


def wait_for(stopped: threading.Event) -> None:
    """Wait until it is set."""
    while not stopped.wait(0.5):  # Windows looks for Ctrl-C only between waits
        pass


def has_screen() -> bool:
    """Say whether a browser window could be shown."""
    # Without one, Python would offer a text browser, which takes the terminal away. Remote editors set BROWSER to a
    # program that opens the page on the reader's side.
    if sys.platform in ("win32", "darwin"):
        return True
    return any(os.environ.get(name) for name in ("DISPLAY", "WAYLAND_DISPLAY", "BROWSER"))
