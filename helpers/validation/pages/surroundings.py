"""What surrounds a page's program while it is tried: settings, certificates, time, and somebody who signs in."""

from __future__ import annotations

import asyncio
import getpass
import importlib
import os
import threading
import time
import uuid
from pathlib import Path
from typing import Any

import certifi

from helpers.sandbox import Sandbox
from helpers.validation.pages.standin import UNKNOWN
from helpers.validation.pages.values import Values


def trust(sandbox: Sandbox, folder: Path) -> None:
    bundle = folder / "trusted.pem"
    bundle.write_bytes(
        Path(certifi.where()).read_bytes().rstrip() + b"\n" + sandbox.certificate_authority
    )
    os.environ.update(
        {
            "COMMUNICATION_SERVICES_CONNECTION_STRING": sandbox.connection_string,
            "COMMUNICATION_SERVICES_ENDPOINT": sandbox.endpoint.rstrip("/"),
            "IDENTITY_ENDPOINT": sandbox.identity_endpoint,
            "IDENTITY_HEADER": sandbox.identity_header,
            "AZURE_TOKEN_CREDENTIALS": "ManagedIdentityCredential",
            "REQUESTS_CA_BUNDLE": str(bundle),
            "SSL_CERT_FILE": str(bundle),
            "NO_PROXY": "localhost,127.0.0.1",
            "no_proxy": "localhost,127.0.0.1",
        }
    )


def set_environment(values: Values, names: list[str]) -> None:
    """Give the variables that the page reads the values that its readers would give them."""
    for name in names:
        if name not in os.environ:
            value = values.own_value("<value>", name)
            os.environ[name] = value if isinstance(value, str) else "value"


def hurry(main: threading.Thread) -> None:
    """A page's waiting is no part of what is tried."""
    sleep, asynchronous_sleep = time.sleep, asyncio.sleep

    def hurried(seconds: float) -> None:
        sleep(0 if threading.current_thread() is main else seconds)

    async def hurried_asynchronously(seconds: float, result: Any = None) -> Any:
        return await asynchronous_sleep(
            0 if threading.current_thread() is main else seconds, result
        )

    time.sleep = hurried  # type: ignore[assignment]
    asyncio.sleep = hurried_asynchronously  # type: ignore[assignment]
    getpass.getpass = lambda *args, **kwargs: UNKNOWN


def sign_in_by_itself(sandbox: Sandbox, values: Values) -> None:
    """Let Microsoft's sign-in library answer as if a Teams user had signed in, once it has checked what it was asked."""
    try:
        authority: Any = importlib.import_module("msal.authority")
        sign_in = importlib.import_module("msal.oauth2cli.oidc").Client
    except ImportError:
        return
    place = "https://login.microsoftonline.com/common"

    def discovered(
        tenant_discovery_endpoint: str, http_client: Any, **kwargs: Any
    ) -> dict[str, str]:
        return {
            "authorization_endpoint": f"{place}/oauth2/v2.0/authorize",
            "token_endpoint": f"{place}/oauth2/v2.0/token",
            "device_authorization_endpoint": f"{place}/oauth2/v2.0/devicecode",
            "issuer": f"{place}/v2.0",
        }

    def signed_in(client: Any, *args: Any, **kwargs: Any) -> dict[str, Any]:
        client_id = getattr(client, "client_id", None)
        client_id = client_id if _is_guid(client_id) else values.client_id
        token = sandbox.teams_user_token(app_id=client_id, user_id=values.object_id)
        return {
            "token_type": "Bearer",
            "expires_in": 3600,
            "access_token": token.access_token,
            "id_token_claims": {
                "oid": token.user_id,
                "tid": token.tenant_id,
                "aud": client_id,
                "preferred_username": "user@contoso.com",
            },
        }

    values.signed_in = signed_in
    authority.tenant_discovery = discovered
    for method in (
        "obtain_token_by_browser",
        "obtain_token_by_username_password",
        "obtain_token_by_device_flow",
    ):
        setattr(sign_in, method, signed_in)


def _is_guid(text: object) -> bool:
    try:
        uuid.UUID(str(text))
    except ValueError:
        return False
    return True
