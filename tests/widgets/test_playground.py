from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from azure.core.exceptions import ServiceRequestError

from helpers.sandbox import Sandbox
from helpers.session import Session
from helpers.settings import load
from helpers.widgets import Playground
from tests.conftest import MakeClient


@pytest.fixture
def session(sandbox: Sandbox, tmp_path: Path) -> Iterator[Session]:
    settings = load({"ACS_TUTORIAL_MODE": "sandbox", "ACS_TUTORIAL_HOME": str(tmp_path)})
    opened = Session(settings, lesson=None, sandbox=sandbox)
    yield opened
    opened.journal.close()


@pytest.fixture
def playground(session: Session, make_client: MakeClient) -> Playground:
    return Playground(session, make_client(raw_response_hook=session.observe))


def operations(session: Session) -> list[str]:
    return [exchange.operation for exchange in session.exchanges()]


def test_it_begins_empty_and_asks_nobody(playground: Playground, session: Session) -> None:
    assert repr(playground) == "Playground(scopes=['chat'], minutes=60, issued=0)"
    assert playground.revoke_button.disabled
    assert session.exchanges() == []


def test_the_first_token_creates_an_identity_and_the_next_uses_it(
    playground: Playground, session: Session
) -> None:
    playground.issue_button.click()
    playground.scopes.value = ["voip.join"]
    playground.lifetime.minutes = 90
    playground.issue_button.click()

    assert operations(session) == ["create_user", "get_token", "get_token"]
    assert playground.card is not None
    assert playground.card.scopes == ["voip.join"]
    assert playground.card.lifetime == timedelta(minutes=90)
    assert "voip.join" in playground.timeline.text
    assert len(playground.ledger.raw_ids) == 1
    assert not playground.revoke_button.disabled


def test_revoking_shows_in_the_timeline(playground: Playground) -> None:
    playground.issue_button.click()
    playground.revoke_button.click()

    assert "revoked just now" in playground.timeline.text
    assert "up to 15 minutes" in playground.message


def test_what_the_service_refuses_is_explained_and_not_raised(playground: Playground) -> None:
    playground.scopes.value = []
    playground.issue_button.click()

    assert playground.message.startswith("The service did not accept the scopes")
    assert "HttpResponseError" in playground.message
    assert playground.card is None


def test_a_service_that_cannot_be_reached_is_explained(
    playground: Playground, monkeypatch: pytest.MonkeyPatch
) -> None:
    playground.issue_button.click()

    def unreachable(*_arguments: Any, **_options: Any) -> None:
        raise ServiceRequestError("no route")

    monkeypatch.setattr(playground._client, "revoke_tokens", unreachable)
    playground.revoke_button.click()

    assert "ServiceRequestError" in playground.message
    assert "revoked" not in playground.timeline.text


def test_after_the_ledger_has_deleted_the_identity_the_next_token_gets_another(
    playground: Playground, session: Session
) -> None:
    playground.issue_button.click()
    playground.ledger.delete_button.click()
    assert playground.revoke_button.disabled
    assert "Deleted: the next token creates another one." in playground.describe()

    playground.issue_button.click()

    assert operations(session)[-2:] == ["create_user", "get_token"]
    assert len(playground.ledger.raw_ids) == 1


def test_an_identity_deleted_elsewhere_is_noticed(playground: Playground, session: Session) -> None:
    playground.issue_button.click()
    playground.ledger.clean_up()  # as another notebook's ledger would
    count = len(session.exchanges())

    playground.revoke_button.click()

    assert len(session.exchanges()) == count
    assert playground.revoke_button.disabled


def test_a_client_that_does_not_report_is_named(session: Session, make_client: MakeClient) -> None:
    playground = Playground(session, make_client())

    playground.issue_button.click()

    assert "does not report to the session" in playground.describe()


def test_no_token_is_in_the_page(playground: Playground) -> None:
    playground.issue_button.click()

    # A masked token is cut after a few characters; a whole one goes on for hundreds.
    assert "eyJhbGciOi…" in playground.describe()
    assert ".eyJ" not in playground._repr_mimebundle_()["text/html"]
