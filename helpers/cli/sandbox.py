"""``acs-tutorial sandbox``: the sandbox as a process of its own, for curl, other languages' SDKs and shared rooms."""

from __future__ import annotations

import argparse
import json
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from helpers import settings
from helpers.cli.arguments import port_number, wait_for, when_stopped
from helpers.errors import TutorialError
from helpers.language import gettext as _

if TYPE_CHECKING:
    from helpers.cli.arguments import Commands
    from helpers.sandbox import Sandbox


def add_command(commands: Commands) -> None:
    command = commands.add_parser(
        "sandbox",
        usage=_("acs-tutorial sandbox [options] [COMMAND …]"),
        help=_("run the sandbox by itself, for curl and other languages' SDKs"),
        description=_(
            "Runs the local Azure Communication Services Identity service until Ctrl-C and prints what a client needs. "
            "Identities, tokens and keys are kept for the next start and shared with the lessons."
        ),
        allow_abbrev=False,
    )
    command.add_argument(
        "--port", metavar="N", type=port_number, default=0, help=_("the port (default: a free one)")
    )
    command.add_argument(
        "--host",
        metavar="ADDRESS",
        default="127.0.0.1",
        help=_(
            "listen on this address instead of this machine's own (127.0.0.1); whoever reaches it and has a key can "
            "use the sandbox"
        ),
    )
    command.add_argument(
        "--in-memory", action="store_true", help=_("keep nothing; share nothing with the lessons")
    )
    command.add_argument(
        "--json", action="store_true", help=_("print one line of JSON, for programs")
    )
    command.set_defaults(run=_serve)
    actions = command.add_subparsers(title=_("more commands"), metavar="COMMAND", prog=command.prog)
    _add_teams_token(actions)
    _add_resource(actions)


def _add_teams_token(actions: Commands) -> None:
    teams_token = actions.add_parser(
        "teams-token",
        help=_("print an Entra token of a Teams user, to exchange for an access token"),
        description=_(
            "Prints, as JSON, a Microsoft Entra access token of a Teams user and that user's object id: what "
            "get_token_for_teams_user takes. It works with every sandbox that was not started with --in-memory."
        ),
        allow_abbrev=False,
    )
    teams_token.add_argument(
        "--app-id", metavar="GUID", help=_("the client application (default: a made-up one)")
    )
    teams_token.add_argument(
        "--user-id", metavar="GUID", help=_("the user's object id (default: a made-up one)")
    )
    teams_token.add_argument("--expired", action="store_true", help=_("make it an expired token"))
    teams_token.set_defaults(run=_print_teams_token)


def _add_resource(actions: Commands) -> None:
    resource = actions.add_parser(
        "resource",
        help=_("add another Communication Services resource"),
        description=_("Changes the resources of every sandbox not started with --in-memory."),
        allow_abbrev=False,
    )
    verbs = resource.add_subparsers(title=_("commands"), metavar="COMMAND", required=True)
    add = verbs.add_parser(
        "add",
        help=_("add a resource with its own keys and identities"),
        description=_(
            "Adds a resource and prints its id and keys as JSON. All resources share the sandbox's endpoint: put one of "
            "the keys after “accesskey=” in the connection string that the running sandbox printed."
        ),
        allow_abbrev=False,
    )
    add.add_argument(
        "name", metavar="NAME", help=_("its name: lower-case letters, digits and hyphens")
    )
    add.set_defaults(run=_print_new_resource)


def _serve(options: argparse.Namespace) -> int:
    stopped = when_stopped()
    with tempfile.TemporaryDirectory(prefix="acs-tutorial-sandbox-") as temporary:
        folder = Path(temporary)
        state = None if options.in_memory else settings.sandbox_home()
        log = (state or folder) / "sandbox.log"
        with _sandbox(state, host=options.host, port=options.port, log=log) as sandbox:
            sandbox.start()
            ca_file = folder / "ca.pem"
            ca_file.write_bytes(sandbox.certificate_authority)
            facts = {
                "connection_string": sandbox.connection_string,
                "endpoint": sandbox.endpoint,
                "ca_file": str(ca_file),
                "identity_endpoint": sandbox.identity_endpoint,
                "identity_header": sandbox.identity_header,
                "log": str(log),
            }
            print(json.dumps(facts) if options.json else _sheet(facts), flush=True)
            wait_for(stopped)
    if not options.json:
        print("\n" + _("The sandbox is stopped."))
    return 0


def _sheet(facts: dict[str, str]) -> str:
    labels = {
        "connection_string": _("connection string"),
        "endpoint": _("endpoint"),
        "ca_file": _("certificate authority to trust"),
        "identity_endpoint": "IDENTITY_ENDPOINT",
        "identity_header": "IDENTITY_HEADER",
        "log": _("log of requests"),
    }
    width = max(map(len, labels.values()))
    lines = [f"  {labels[name]:<{width}}  {value}" for name, value in facts.items()]
    return "\n".join([_("The sandbox is running. Press Ctrl-C here to stop it."), "", *lines])


def _print_teams_token(options: argparse.Namespace) -> int:
    with _sandbox(settings.sandbox_home()) as sandbox:
        token = sandbox.teams_user_token(
            app_id=options.app_id, user_id=options.user_id, expired=options.expired
        )
    print(json.dumps({"access_token": token.access_token, "oid": token.user_id}))
    return 0


def _print_new_resource(options: argparse.Namespace) -> int:
    with _sandbox(settings.sandbox_home()) as sandbox:
        added = sandbox.add_resource(options.name)
    print(
        json.dumps(
            {
                "name": added.name,
                "id": added.id,
                "primary_key": added.primary_key,
                "secondary_key": added.secondary_key,
            }
        )
    )
    return 0


@contextmanager
def _sandbox(
    state: Path | None, *, host: str = "127.0.0.1", port: int = 0, log: Path | None = None
) -> Iterator[Sandbox]:
    """A sandbox, not started yet, whose complaints are the tutorial's; stopped in the end."""
    from helpers.sandbox import Sandbox, SandboxError

    try:
        sandbox = Sandbox(state, host=host, port=port, log=log)
        try:
            yield sandbox
        finally:
            sandbox.stop()
    except SandboxError as error:
        raise TutorialError(str(error)) from error
