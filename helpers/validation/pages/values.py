"""The values that a page's readers would have of their own: a client, an identity, a token, a connection string.

They take the place of placeholders, of names that nothing defines, and of results that a refused call never gave.
"""

from __future__ import annotations

import difflib
import re
import uuid
from collections.abc import Callable, Mapping
from typing import Any

from helpers.sandbox import Sandbox
from helpers.validation.pages.calls import name_of, returned
from helpers.validation.pages.instrument import PLACEHOLDER
from helpers.validation.pages.standin import UNKNOWN, StandIn

_GUID_NAME = re.compile(r"(?i)(?:client|app|application|tenant|object|oid|aad)")

RENAMED = {
    "issue_token": "get_token",
    "create_user_with_token": "create_user_and_token",
    "exchange_user_token": "get_token_for_teams_user",
    "exchange_teams_token": "get_token_for_teams_user",
    "revoke_token": "revoke_tokens",
}
"""What methods of earlier packages and other languages are called now."""


class Identity(str):
    """The raw id of an identity, usable as the identity too: for a name that the page never defines."""

    @property
    def properties(self) -> dict[str, str]:
        return {"id": str(self)}

    @property
    def raw_id(self) -> str:
        return str(self)

    @property
    def kind(self) -> str:
        return "communication_user"


class Repaired:
    """A method under its present name, where the page has another."""

    def __init__(self, function: Any) -> None:
        self.function = function
        self.__name__ = getattr(function, "__name__", "")

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return self.function(*args, **kwargs)


class Values:
    """What stands in, made on the sandbox so that it works."""

    def __init__(self, sandbox: Sandbox) -> None:
        self._sandbox = sandbox
        self._client: Any = None
        self.hidden: set[str] = set()
        """Raw ids of identities that stand-ins brought along."""
        self.alive: dict[str, tuple[int, int]] = {}
        """Raw ids of the identities that exist, in the order of their creation, and what created them."""
        self.client_id = str(uuid.uuid4())
        self.object_id = str(uuid.uuid4())
        self.signed_in: Callable[..., Any] | None = None
        """What Microsoft's sign-in library returns for a Teams user."""

    def _hidden_client(self) -> Any:
        if self._client is None:
            from azure.communication.identity import CommunicationIdentityClient

            self._client = CommunicationIdentityClient.from_connection_string(
                self._sandbox.connection_string
            )
        return self._client

    def working_client(self, *, asynchronous: bool = False) -> Any:
        if asynchronous:
            from azure.communication.identity.aio import CommunicationIdentityClient as AsyncClient

            return AsyncClient.from_connection_string(self._sandbox.connection_string)
        from azure.communication.identity import CommunicationIdentityClient

        return CommunicationIdentityClient.from_connection_string(self._sandbox.connection_string)

    def identity(self) -> Any:
        """An identity of which the page knows nothing."""
        identity = self._hidden_client().create_user()
        self.hidden.add(identity.properties["id"])
        return identity

    def token(self) -> Any:
        """An access token that works."""
        token = self._hidden_client().get_token(self.identity(), ["voip"])
        return token

    def existing(self, *, oldest: bool) -> str:
        """The raw id of an identity that the page created, or else of any."""
        alive = [raw_id for raw_id in self.alive if raw_id not in self.hidden]
        if alive:
            return alive[0] if oldest else alive[-1]
        raw_id: str = self.identity().properties["id"]
        return raw_id

    def guess(self, name: str, names: Mapping[str, Any]) -> Any:
        """The best value for a name that nothing defines. *names*: the values that there are."""
        words = name.lower()
        known = {key: value for key, value in names.items() if key[0] != "_"}
        if close := difflib.get_close_matches(name, list(known), 1, 0.8):
            return known[close[0]]
        if "conn" in words and "str" in words:
            return self._sandbox.connection_string
        if "endpoint" in words:
            return self._sandbox.endpoint.rstrip("/")
        if "credential" in words:
            from azure.identity import DefaultAzureCredential

            return DefaultAzureCredential()
        if "client" in words and "id" not in words.split("_"):
            return self.working_client()
        if "scope" in words:
            return ["voip"]
        if "token" in words:
            return StandIn()
        if re.search(r"identity|user|identifier", words):
            return Identity(self.existing(oldest="exist" in words or "stor" in words))
        return StandIn()

    def own_value(self, text: str, name: str) -> Any:
        """The reader's own value for the literal *text* that is given the name *name*; often *text* itself."""
        words = f"{name} {text}".lower()
        is_placeholder = PLACEHOLDER.match(text) is not None
        if re.match(r"(?i)endpoint=", text.strip()):
            return self._sandbox.connection_string
        if re.match(r"(?i)https://[^/]*\.communication\.azure\.com", text):
            return self._sandbox.endpoint.rstrip("/")
        if text.startswith("8:acs:"):
            return self.existing(oldest=True)
        if not is_placeholder:
            if _GUID_NAME.search(name):
                return self._guid(name)
            if re.search(r"(?i)secret|(?:access|account|primary|secondary)_?key", name) or (
                len(text) > 20 and "key" in name.lower()
            ):
                return self._sandbox.resources()[0].primary_key
            return text
        if "connection" in words or "conn_str" in words:
            return self._sandbox.connection_string
        if "endpoint" in words:
            return self._sandbox.endpoint.rstrip("/")
        if _GUID_NAME.search(words) and "id" in words:
            return self._guid(words)
        if re.search(r"\bkey|_key|accesskey|secret", words):
            return self._sandbox.resources()[0].primary_key
        if "token" in words:
            return self.token().token
        if re.search(r"identity|user|raw_?id|acs_?id", words) and not re.search(
            r"name|mail", words
        ):
            return self.existing(oldest=True)
        return text

    def _guid(self, words: str) -> str:
        if re.search(r"object|oid|user", words.lower()):
            return self.object_id
        return self.client_id

    def result_of(self, function: Any) -> Any:
        """What a call would have returned, as far as the library says what that is."""
        if isinstance(function, Repaired):
            function = function.function
        if function in (str, repr, format):
            return UNKNOWN
        if self.signed_in is not None and name_of(function).startswith("acquire_token"):
            return self.signed_in(None)
        if isinstance(function, type):
            module, name = function.__module__, function.__name__
            if module.startswith("azure.communication.identity") and name.endswith("Client"):
                return self.working_client(asynchronous=".aio" in module)
            if name == "CommunicationUserIdentifier":
                return self.identity()
            return StandIn()
        promised = returned(function)
        if "CommunicationIdentityClient" in promised:
            return self.working_client(asynchronous=".aio" in getattr(function, "__module__", ""))
        made = [
            self.identity() if kind == "CommunicationUserIdentifier" else self.token()
            for kind in re.findall(r"CommunicationUserIdentifier|AccessToken", promised)
        ]
        if len(made) > 1:
            return tuple(made)
        if made:
            return made[0]
        return None if promised == "None" else StandIn()
