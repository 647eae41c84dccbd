"""Every operation of the async client, as a program of its own.

aiohttp reads SSL_CERT_FILE once, when it is imported; a program that starts after it was set trusts the sandbox. Reads the
connection string and a Teams user's token from the environment, and prints the tokens it got as JSON.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
from datetime import timedelta
from typing import Any

from azure.communication.identity import CommunicationTokenScope
from azure.communication.identity.aio import CommunicationIdentityClient
from azure.core.exceptions import HttpResponseError
from azure.identity.aio import DefaultAzureCredential

SCOPES = [CommunicationTokenScope.CHAT, CommunicationTokenScope.VOIP]


async def walk(client: Any) -> dict[str, Any]:
    user = await client.create_user()
    other, first = await client.create_user_and_token(SCOPES)
    second = await client.get_token(user, SCOPES, token_expires_in=timedelta(hours=1))
    await client.revoke_tokens(user)
    await client.delete_user(other)
    teams = json.loads(os.environ["TEAMS_USER"])
    exchanged = await client.get_token_for_teams_user(*teams)
    last = await client.get_token(user, SCOPES)
    try:
        await client.get_token(user, SCOPES, token_expires_in=timedelta(minutes=59))
    except HttpResponseError as error:
        refused = [error.status_code, error.error.code, error.error.target]
    return {
        "ended": [first.token, second.token],
        "working": [exchanged.token, last.token],
        "refused": refused,
    }


async def main(by: str) -> None:
    connection_string = os.environ["COMMUNICATION_SERVICES_CONNECTION_STRING"]
    if by == "key":
        async with CommunicationIdentityClient.from_connection_string(connection_string) as client:
            print(json.dumps(await walk(client)))
    else:
        endpoint = connection_string.split(";")[0].removeprefix("endpoint=").rstrip("/")
        async with (
            DefaultAzureCredential() as credential,
            CommunicationIdentityClient(endpoint, credential) as client,
        ):
            print(json.dumps(await walk(client)))


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))
