"""The consumer of tokens."""

from __future__ import annotations

import pytest

from helpers.sandbox.entra import COMMUNICATION_AUDIENCE
from tests.sandbox.wire import Service, ask

EMPTY_REFUSAL = (401, b"", "0")


@pytest.mark.rule("assumed")
@pytest.mark.parametrize("scope", ["chat", "chat.join", "chat.join.limited"])
def test_a_chat_scope_opens_an_empty_list_of_threads(service: Service, scope: str) -> None:
    reply = service.threads(service.token(service.new_identity(), scope))

    assert (reply.status, reply.json) == (200, {"value": []})


@pytest.mark.rule("assumed")
@pytest.mark.parametrize("scopes", [("voip",), ("voip.join",), ("voip", "voip.join")])
def test_other_scopes_do_not(service: Service, scopes: tuple[str, ...]) -> None:
    reply = service.threads(service.token(service.new_identity(), *scopes))

    assert (reply.status, reply.content, reply.headers["content-length"]) == EMPTY_REFUSAL


@pytest.mark.rule("assumed")
def test_what_is_no_access_token_is_refused_with_an_empty_body(service: Service) -> None:
    entra, _ = service.directory.entra.managed_identity_token(COMMUNICATION_AUDIENCE)
    token = service.token(service.new_identity())
    for bad in ("", "x", "a.b.c", entra, token + "x", token[:-4] + "AAAA"):
        reply = service.threads(bad)

        assert (reply.status, reply.content, reply.headers["content-length"]) == EMPTY_REFUSAL
    assert service.works(token)


def test_only_reading_is_there(service: Service) -> None:
    token = service.token(service.new_identity())
    headers = [("Host", "localhost"), ("Authorization", f"Bearer {token}")]

    assert ask(service.app, "POST", "/chat/threads?api-version=2024-03-07", headers).status == 405


def test_a_token_of_another_sandbox_is_unknown(service: Service) -> None:
    # The same signing key, so that only the memory differs.
    other = Service()

    assert not service.works(other.token(other.new_identity()))
