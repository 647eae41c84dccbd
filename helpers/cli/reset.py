"""``acs-tutorial reset``: everything back to the beginning, for the next room or another try."""

from __future__ import annotations

import argparse
import sys
from contextlib import closing
from typing import TYPE_CHECKING

from helpers import settings
from helpers.errors import TutorialError
from helpers.language import gettext as _
from helpers.language import listed, ngettext

if TYPE_CHECKING:
    from helpers.cli.arguments import Commands
    from helpers.journal import Journal


def add_command(commands: Commands) -> None:
    command = commands.add_parser(
        "reset",
        help=_("put sandbox, record and progress back to the beginning"),
        description=_(
            "Deletes every identity and token of the sandbox on this machine, forgets what was sent to it and which exercises "
            "are solved. The sandbox's resources keep their keys, so that open lessons go on working. A real resource is never "
            "touched, and what is recorded of its identities stays."
        ),
        allow_abbrev=False,
    )
    command.add_argument("--yes", action="store_true", help=_("do not ask"))
    command.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    from helpers.journal import Journal
    from helpers.sandbox import Sandbox, SandboxError

    # Whatever the lessons are set to, this is about the sandbox.
    home = settings.sandbox_home()
    with closing(Journal(home, service="sandbox")) as journal:
        for line in _announcement(journal):
            print(line)
        if not options.yes and not _agreed():
            print(_("Nothing was changed."))
            return 1
        sandbox = Sandbox(home)
        try:
            sandbox.reset()
        except SandboxError as error:
            raise TutorialError(str(error)) from error
        finally:
            sandbox.stop()
        journal.forget_sandbox()
    print(_("Everything is back to the beginning."))
    return 0


def _announcement(journal: Journal) -> list[str]:
    solved = len(journal.solved())
    lines = [
        _(
            "This empties the sandbox in {folder} and forgets what was sent to it; notebooks stay as they are."
        ).format(folder=journal.file.parent),
        ngettext(
            "{count} solved exercise will be forgotten.",
            "{count} solved exercises will be forgotten.",
            solved,
        ).format(count=solved),
    ]
    living = {
        service: sum(
            identity.deleted_at is None for identity in journal.identities(service=service)
        )
        for service in journal.services()
        if service != journal.service
    }
    kept = sum(living.values())
    if kept:
        lines.append(
            ngettext(
                "{count} identity on {services} is not touched, and stays recorded.",
                "{count} identities on {services} are not touched, and stay recorded.",
                kept,
            ).format(
                count=kept, services=listed(service for service, count in living.items() if count)
            )
        )
    return lines


def _agreed() -> bool:
    if not sys.stdin.isatty():
        raise TutorialError(_("nobody is here to say yes to that; add --yes if it is meant."))
    print(_("Go on? [y/N]") + " ", end="", flush=True)
    return sys.stdin.readline().strip().lower() in ("y", "yes", _("y"), _("yes"))
