"""A running sandbox, and the environment in which another program trusts and finds it."""

from __future__ import annotations

import contextlib
import os
import tempfile
import uuid
from collections.abc import Iterator
from pathlib import Path

import certifi

from helpers.sandbox import Sandbox


@contextlib.contextmanager
def environment() -> Iterator[tuple[Sandbox, dict[str, str]]]:
    """Start a sandbox and yield it with the variables that a program needs."""
    with tempfile.TemporaryDirectory() as folder, Sandbox(None) as sandbox:
        authority = Path(folder) / "authority.pem"
        authority.write_bytes(sandbox.certificate_authority)
        bundle = Path(folder) / "bundle.pem"
        bundle.write_bytes(Path(certifi.where()).read_bytes() + sandbox.certificate_authority)
        app_id = str(uuid.uuid4())
        teams = sandbox.teams_user_token(app_id=app_id)
        connection_string = sandbox.connection_string
        yield (
            sandbox,
            {
                **os.environ,
                "REQUESTS_CA_BUNDLE": str(bundle),
                "SSL_CERT_FILE": str(bundle),
                "NODE_EXTRA_CA_CERTS": str(authority),
                "NO_PROXY": "localhost,127.0.0.1",
                "no_proxy": "localhost,127.0.0.1",
                "IDENTITY_ENDPOINT": sandbox.identity_endpoint,
                "IDENTITY_HEADER": sandbox.identity_header,
                "COMMUNICATION_CONNECTION_STRING": connection_string,
                "COMMUNICATION_LIVETEST_DYNAMIC_CONNECTION_STRING": connection_string,
                "COMMUNICATION_LIVETEST_STATIC_CONNECTION_STRING": connection_string,
                "COMMUNICATION_M365_APP_ID": app_id,
                "COMMUNICATION_M365_AAD_AUTHORITY": "https://login.example",
                "COMMUNICATION_M365_AAD_TENANT": teams.tenant_id,
                "COMMUNICATION_M365_SCOPE": "Teams.ManageCalls",
                "COMMUNICATION_MSAL_USERNAME": "learner",
                "COMMUNICATION_MSAL_PASSWORD": "not used",
                "COMMUNICATION_EXPIRED_TEAMS_TOKEN": sandbox.teams_user_token(
                    app_id=app_id, user_id=teams.user_id, expired=True
                ).access_token,
                "SKIP_INT_IDENTITY_EXCHANGE_TOKEN_TEST": "false",
                "TEAMS_ACCESS_TOKEN": teams.access_token,
                "TEAMS_USER_ID": teams.user_id,
                "AZURE_TEST_RUN_LIVE": "true",
            },
        )
