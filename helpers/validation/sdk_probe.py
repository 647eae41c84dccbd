"""What one release of azure-communication-identity does, observed: a script that runs in that release's environment.

It reads ``{"connection_string", "endpoint", "key"}`` from standard input, tries a few calls against that service, and prints
what happened as one line of JSON: by question, the answer in a few words. It imports the SDK and nothing of the tutorial.
"""

from __future__ import annotations

import base64
import json
import sys
from collections.abc import Callable
from datetime import timedelta
from typing import Any


def main() -> None:
    service = json.load(sys.stdin)
    try:
        from azure.communication.identity import CommunicationIdentityClient
        from azure.core.credentials import AzureKeyCredential
    except ImportError as error:
        print(json.dumps({"missing": getattr(error, "name", None), "error": str(error)}))
        return

    versions: list[str] = []

    def note_version(response: Any) -> None:
        versions.append(response.http_request.url.partition("api-version=")[2].partition("&")[0])

    client = CommunicationIdentityClient.from_connection_string(
        service["connection_string"], raw_response_hook=note_version
    )
    user = client.create_user()

    def key_credential() -> str:
        CommunicationIdentityClient(
            service["endpoint"], AzureKeyCredential(service["key"])
        ).create_user()
        return "accepted"

    def lifetime(token: Any) -> str:
        payload = token.token.split(".")[1]
        claims = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
        minutes = round((claims["exp"] - claims["iat"]) / 60)
        return "honoured" if minutes == 60 else f"ignored: the token lives {minutes} minutes"

    hour = timedelta(hours=1)
    questions: dict[str, Callable[[], str]] = {
        "api-version": lambda: versions[0],
        "AzureKeyCredential": key_credential,
        "type of expires_on": lambda: type(client.get_token(user, ["voip"]).expires_on).__name__,
        "get_token(token_expires_in=…)": lambda: lifetime(
            client.get_token(user, ["voip"], token_expires_in=hour)
        ),
        "create_user_and_token(token_expires_in=…)": lambda: lifetime(
            client.create_user_and_token(["voip"], token_expires_in=hour)[1]
        ),
    }
    answers = {}
    for question, ask in questions.items():
        try:
            answers[question] = ask()
        except Exception as error:
            # Whatever a release does with the call is the answer.
            answers[question] = f"{type(error).__name__}: {error}".splitlines()[0][:160]
    print(json.dumps({"facts": answers}))


if __name__ == "__main__":
    main()
