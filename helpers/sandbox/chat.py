"""The smallest consumer of access tokens: the chat service's list of threads, always empty.

It lets a lesson see a revoked or expired token stop working, with the real `ChatClient`.
"""

from __future__ import annotations

from helpers.sandbox.directory import CHAT_SCOPES, Directory, TokenHolder
from helpers.sandbox.errors import denied


def list_threads(directory: Directory, token: str | None) -> TokenHolder:
    """Return who may list their chat threads; refuses a token that is missing, invalid, ended or without a chat scope."""
    if token is None:
        raise denied()
    holder = directory.check_token(token)
    if CHAT_SCOPES.isdisjoint(holder.scopes):
        raise denied()
    return holder
