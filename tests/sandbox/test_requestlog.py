"""What may be told of a request, to a log or to whoever asks."""

from __future__ import annotations

import pytest

from helpers.sandbox.app import create_app
from helpers.sandbox.requestlog import RequestRecord
from tests.sandbox.wire import IDENTITY_HEADER, ConnectionDropped, Service


class Watched(Service):
    """A service whose requests are noted."""

    def __init__(self) -> None:
        super().__init__()
        self.seen: list[RequestRecord] = []
        self.app = create_app(
            self.directory, identity_header=IDENTITY_HEADER, on_request=self.seen.append
        )


@pytest.fixture
def watched() -> Watched:
    return Watched()


def test_a_record_says_who_did_what(watched: Watched) -> None:
    raw_id = watched.new_identity()
    watched.issue(raw_id, {"scopes": ["voip", "chat"], "expiresInMinutes": 90})
    watched.revoke(raw_id)
    watched.delete(raw_id, entra=True)

    assert [(record.operation, record.status) for record in watched.seen] == [
        ("create_identity", 201),
        ("issue_token", 200),
        ("revoke_tokens", 204),
        ("delete_identity", 204),
    ]
    assert {record.resource for record in watched.seen} == {"default"}
    assert {record.identity for record in watched.seen} == {raw_id}
    assert [record.credential for record in watched.seen] == ["key", "key", "key", "entra"]
    assert [record.scopes for record in watched.seen] == [None, ("voip", "chat"), None, None]
    assert watched.seen[1].lifetime_minutes == 90


def test_a_token_made_with_its_identity_is_noted(watched: Watched) -> None:
    raw_id = watched.create({"createTokenWithScopes": ["chat"]}).json["identity"]["id"]

    (record,) = watched.seen
    assert (record.identity, record.scopes, record.lifetime_minutes) == (raw_id, ("chat",), None)


def test_a_refusal_is_noted_with_its_code_and_without_what_was_asked(watched: Watched) -> None:
    raw_id = watched.new_identity()
    watched.issue(raw_id, {"scopes": ["a-pasted-secret"]})
    watched.create(key="AAAA")

    refused, unknown = watched.seen[1:]
    assert (refused.code, refused.status, refused.scopes) == ("ValidationError", 400, None)
    assert refused.message == "Invalid scopes - Provided scope is not supported."
    assert "secret" not in repr(refused)
    assert (unknown.code, unknown.status, unknown.resource) == ("Denied", 401, None)


def test_a_dropped_connection_has_no_status(watched: Watched) -> None:
    watched.control.faults.add(drop="after")

    with pytest.raises(ConnectionDropped):
        watched.create()
    assert [(record.operation, record.status) for record in watched.seen] == [
        ("create_identity", None)
    ]


def test_a_token_in_the_address_is_hidden(watched: Watched) -> None:
    token = watched.token(watched.new_identity())

    watched.call("GET", f"/identities/{token}")
    assert token not in repr(watched.seen)
