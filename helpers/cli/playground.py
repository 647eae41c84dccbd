"""``acs-tutorial playground``: the token playground as a page of its own, without a notebook around it."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from helpers.cli.arguments import add_page_arguments
from helpers.cli.lab import notebook_path
from helpers.errors import TutorialError
from helpers.language import gettext as _

if TYPE_CHECKING:
    from nbformat import NotebookNode

    from helpers.cli.arguments import Commands

_PROJECT = Path(__file__).resolve().parents[2]

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
    add_page_arguments(
        command,
        no_browser_help=_("only print the address of the page; do not open a browser"),
        port_help=_("the port for the page (default: 8866, or a free one near it)"),
    )
    command.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Serve the playground on this machine until Ctrl-C or a termination signal, then end its kernels."""
    from helpers.cli.page import serve

    notebook = _PROJECT / notebook_path("playground.ipynb")
    if not notebook.is_file():
        raise TutorialError(
            _("the notebook {path} is missing; clone the tutorial's repository again.").format(
                path=notebook
            )
        )
    serve(
        notebook,
        template="playground",
        prepare=_without_notebook_only_cells,
        opened=_("The playground is open at {address}"),
        closed=_("The playground is closed."),
        port=options.port,
        browser=options.browser,
    )
    return 0


def _without_notebook_only_cells(notebook: NotebookNode) -> None:
    notebook.cells = [
        cell for cell in notebook.cells if _NOTEBOOK_ONLY not in cell.metadata.get("tags", [])
    ]
    notebook.metadata["title"] = _("Token playground")
