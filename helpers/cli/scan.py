"""``acs-tutorial scan``: finds keys, connection strings and tokens before they are committed."""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from datetime import datetime, timezone
from pathlib import Path
from typing import TYPE_CHECKING

from helpers.language import gettext as _
from helpers.language import ngettext

if TYPE_CHECKING:
    from helpers.cli.arguments import Commands
    from helpers.validation.secrets import Found, Secret


def add_command(commands: Commands) -> None:
    command = commands.add_parser(
        "scan",
        help=_("find access keys, connection strings and tokens in files and notebooks"),
        description=_(
            "Finds access keys, connection strings and access tokens, expired ones too, in files, notebooks (outputs, metadata, "
            "attachments) and folders. In a Git work tree it reads what is tracked or could be added, elsewhere every file. "
            "What it finds is never shown."
        ),
        epilog=_(
            "A deliberate case: put the comment “acs-tutorial: allow-secret” with a reason on its line, or its fingerprint on "
            "a line of the file .secrets-allowed. Exit status: 0 when nothing was found, 1 when something was, 2 when the "
            "command line or a file could not be read."
        ),
        allow_abbrev=False,
    )
    command.add_argument(
        "paths",
        metavar="PATH",
        nargs="*",
        type=Path,
        help=_("a file or folder; without any, the current folder"),
    )
    command.add_argument(
        "--format",
        choices=("text", "json"),
        default="text",
        help=_("text to read, or JSON for programs (default: text)"),
    )
    command.set_defaults(run=run, failure=2)


def run(options: argparse.Namespace) -> int:
    from helpers.validation import secrets

    paths = options.paths or [Path()]
    found = list(secrets.scan(paths, allowed=secrets.allowed_in(Path.cwd())))
    print(_as_json(found) if options.format == "json" else _text(found))
    return 1 if found else 0


def _text(found: Sequence[Found]) -> str:
    lines = []
    for one in found:
        place = f"{one.path.as_posix()}:{one.line}:{one.column}"
        what = _described(one.secret)
        if one.place:
            what = f"{what} ({one.place})"
        lines.append(f"{place}: {what}  [{one.secret.fingerprint}]")
    if found:
        lines.append("")
        lines.append(
            ngettext(
                "{count} secret found. Take it out; if it ever worked, revoke the token or rotate the key.",
                "{count} secrets found. Take them out; what ever worked must be revoked or rotated.",
                len(found),
            ).format(count=len(found))
        )
    else:
        lines.append(_("No secrets found."))
    return "\n".join(lines)


def _described(secret: Secret) -> str:
    if secret.kind == "connection-string":
        return _("access key in a connection string, {length} characters").format(
            length=secret.length
        )
    if secret.kind == "access-key":
        return _("access key, {length} characters").format(length=secret.length)
    if secret.expires is None:
        return _("token without an end, {length} characters").format(length=secret.length)
    date = secret.expires.strftime("%Y-%m-%d")
    if secret.expires < datetime.now(timezone.utc):
        return _("token, expired {date}, {length} characters").format(
            date=date, length=secret.length
        )
    return _("token, valid until {date}, {length} characters").format(
        date=date, length=secret.length
    )


def _as_json(found: Sequence[Found]) -> str:
    return json.dumps(
        [
            {
                "file": one.path.as_posix(),
                "line": one.line,
                "column": one.column,
                "place": one.place,
                "kind": one.secret.kind,
                "length": one.secret.length,
                "expires": one.secret.expires.isoformat() if one.secret.expires else None,
                "fingerprint": one.secret.fingerprint,
            }
            for one in found
        ],
        indent=2,
        ensure_ascii=False,
    )
