"""Issues a token and leaves it on the drive; where one lies there already, says what it is good for now."""

from __future__ import annotations

import os
from pathlib import Path

from azure.communication.chat import ChatClient, CommunicationTokenCredential
from azure.communication.identity import CommunicationIdentityClient, CommunicationUserIdentifier
from azure.core.exceptions import HttpResponseError

import helpers

LEFT = Path("/drive/token.txt")

session = helpers.start("07")
client = CommunicationIdentityClient.from_connection_string(
    os.environ["COMMUNICATION_SERVICES_CONNECTION_STRING"], raw_response_hook=session.observe
)
if LEFT.exists():
    (identity,) = session.journal.identities()
    chat = ChatClient(
        os.environ["COMMUNICATION_SERVICES_ENDPOINT"],
        CommunicationTokenCredential(LEFT.read_text("utf-8")),
    )
    print("issued in lesson", identity.lesson)
    print("threads:", list(chat.list_chat_threads()))
    client.revoke_tokens(CommunicationUserIdentifier(identity.raw_id))
    try:
        list(chat.list_chat_threads())
    except HttpResponseError as error:
        print("revoked:", error.status_code)
else:
    LEFT.write_text(client.create_user_and_token(["chat"])[1].token, "utf-8")
