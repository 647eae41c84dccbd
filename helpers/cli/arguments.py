"""What several commands read from the command line."""

from __future__ import annotations

import argparse
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


def port_taken(port: int) -> TutorialError:
    """Return the complaint that *port* cannot be listened on."""
    return TutorialError(
        _(
            "port {port} is in use by another program, or not allowed; choose another one, or leave --port out "
            "to use a free one."
        ).format(port=port)
    )
