"""The sandbox on this machine: a port, a certificate that is trusted, and the SDK's first token."""

from __future__ import annotations

import http.client
import socket
import ssl
import tempfile
from pathlib import Path
from urllib.parse import urlsplit

from helpers.doctor.diagnosis import Verdict, ok, problem
from helpers.language import gettext as _

_SECONDS = 5


def sandbox() -> Verdict:
    """Whether a sandbox can listen on this machine, and be reached and trusted under its name."""
    from helpers.sandbox import Sandbox, SandboxError

    try:
        addresses = {str(found[4][0]) for found in socket.getaddrinfo("localhost", None)}
    except OSError:
        addresses = set()
    if not addresses & {"127.0.0.1", "::1"}:
        return problem(
            _("The name “localhost” does not lead to this machine."),
            _("Put the line “127.0.0.1 localhost” back into the hosts file."),
        )
    try:
        with Sandbox(None) as running:
            where = urlsplit(running.endpoint)
            connection = http.client.HTTPSConnection(
                where.hostname or "",
                where.port,
                timeout=_SECONDS,
                context=ssl.create_default_context(cadata=running.certificate_authority.decode()),
            )
            connection.request("GET", "/")
            connection.getresponse().read()
            connection.close()
    except ssl.SSLError as error:
        return problem(
            _("The sandbox's certificate was not accepted: {reason}.").format(
                reason=error.reason or error
            ),
            _("Look for a program that inspects encrypted traffic, and exempt localhost from it."),
        )
    except (OSError, SandboxError) as error:
        return problem(
            _("The sandbox could not be reached on this machine: {reason}").format(reason=error),
            _("Allow Python to listen on localhost in the firewall or security program."),
        )
    return ok(_("reached, and its certificate trusted"))


def first_token() -> Verdict:
    """Whether the SDK, unmodified, gets an identity and a token; from a sandbox in memory, which then is gone."""
    from azure.communication.identity import CommunicationIdentityClient
    from azure.core.exceptions import AzureError

    from helpers.sandbox import Sandbox, SandboxError

    try:
        with Sandbox(None) as running, tempfile.TemporaryDirectory() as folder:
            authority = Path(folder) / "authority.pem"
            authority.write_bytes(running.certificate_authority)
            client = CommunicationIdentityClient.from_connection_string(
                running.connection_string,
                connection_verify=str(authority),
                use_env_settings=False,  # Proxies and trusted files have lines of their own.
                retry_total=0,
            )
            client.create_user_and_token(["chat"])
    except (AzureError, OSError, SandboxError) as error:
        return problem(
            _("The SDK got no token from the sandbox: {reason}").format(
                reason=next(iter(str(error).splitlines()), type(error).__name__)
            ),
            _("Put the lines above right first; if this one stays, run “uv sync” again."),
        )
    return ok(_("issued"))
