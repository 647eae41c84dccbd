"""``acs-tutorial site``: the whole tutorial as a web page that needs nothing but a browser."""

from __future__ import annotations

import argparse
import time
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from helpers.cli.arguments import port_number
from helpers.language import gettext as _

if TYPE_CHECKING:
    from helpers.cli.arguments import Commands

_OUTPUT = Path("build") / "site"


def add_command(commands: Commands) -> None:
    command = commands.add_parser(
        "site",
        help=_("build the tutorial as a web page: nothing to install for those who open it"),
        description=_(
            "Builds a folder of files for any static web host: the lessons of every language, running inside the browser with "
            "the real SDK and the sandbox. The page asks no other address for anything. Building takes the parts from the "
            "package registries, with uv and npm; docs/hosting.md tells how to publish the result."
        ),
        allow_abbrev=False,
    )
    command.add_argument(
        "--output",
        metavar="DIR",
        type=Path,
        default=_OUTPUT,
        help=_("the folder to build (default: {folder})").format(folder=_OUTPUT.as_posix()),
    )
    command.add_argument(
        "--serve", action="store_true", help=_("then show it on this machine, until Ctrl-C")
    )
    command.add_argument(
        "--port",
        metavar="N",
        type=port_number,
        help=_("the port for --serve (default: 8000, or a free one)"),
    )
    command.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    from helpers import site
    from helpers.site.server import server

    output = options.output.resolve()
    # A port that is taken is said before the minute that building takes.
    serving = server(output, port=options.port) if options.serve else None
    began = time.monotonic()
    site.build(output, progress=_say)
    files = [path for path in output.rglob("*") if path.is_file()]
    print(
        _("The site is in {folder}: {count} files, {size} MB, built in {seconds} s.").format(
            folder=output,
            count=len(files),
            size=f"{sum(path.stat().st_size for path in files) / 1e6:.1f}",
            seconds=f"{time.monotonic() - began:.0f}",
        )
    )
    if serving:
        address = f"http://localhost:{serving.server_address[1]}/"
        print(_("The tutorial is open at {address}").format(address=address))
        print(_("Press Ctrl-C here to stop it."), flush=True)
        with serving, suppress(KeyboardInterrupt):
            serving.serve_forever()
        print("\n" + _("The tutorial is closed."))
    return 0


def _say(number: int, of: int, doing: str) -> None:
    print(
        _("{number} of {count}: {doing} …").format(number=number, count=of, doing=doing), flush=True
    )
