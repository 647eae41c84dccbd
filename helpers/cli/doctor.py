"""``acs-tutorial doctor``: whether this machine is ready, with one sentence of advice where it is not."""

from __future__ import annotations

import argparse
import os
import sys
from typing import TYPE_CHECKING

from helpers.language import gettext as _

if TYPE_CHECKING:
    from helpers.cli.arguments import Commands

_COLOURS = {"ok": "32", "warning": "33", "problem": "31"}


def add_command(commands: Commands) -> None:
    command = commands.add_parser(
        "doctor",
        help=_("check that this machine is ready for the tutorial"),
        description=_(
            "Checks Python, packages, kernel, JupyterLab and its widgets, settings, proxies, certificates, disk, clock and "
            "browser, starts a sandbox and gets a first token from it. Each line is ok, a warning or a problem, with a "
            "sentence of advice. It changes nothing and shows nothing secret."
        ),
        epilog=_(
            "Exit status: 0 when the tutorial works here, 1 when something has to be put right."
        ),
        allow_abbrev=False,
    )
    command.add_argument("--json", action="store_true", help=_("print JSON, for programs"))
    command.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    from helpers.doctor import doctor
    from helpers.doctor.diagnosis import ASCII_SIGNS, SIGNS

    diagnosis = doctor()
    if options.json:
        print(diagnosis.as_json())
        return 0 if diagnosis.is_ready else 1
    encoding = sys.stdout.encoding or "ascii"
    signs = SIGNS
    try:
        "".join(SIGNS.values()).encode(encoding)
    except UnicodeEncodeError:
        signs = ASCII_SIGNS
    if sys.stdout.isatty() and "NO_COLOR" not in os.environ and os.name != "nt":
        signs = {state: f"\x1b[{_COLOURS[state]}m{sign}\x1b[0m" for state, sign in signs.items()}
    print(diagnosis.text(signs).encode(encoding, "replace").decode(encoding))
    return 0 if diagnosis.is_ready else 1
