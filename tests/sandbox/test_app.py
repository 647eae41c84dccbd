"""The operations: what they answer, and what they refuse in which words."""

from __future__ import annotations

import json
import re
from datetime import datetime, timedelta, timezone
from typing import Any

import pytest

from helpers.sandbox.operations import expires_on
from tests.sandbox.wire import Service

RAW_ID = re.compile(
    r"8:acs:[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"
    r"_[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{2}3a0d00[0-9a-f]{4}"
)
NIL = "00000000-0000-0000-0000-000000000000"
FOREIGN_ID = f"8:acs:{NIL}_{NIL}"
NOT_OWNED = (401, "IdentityNotOwned", "Provided identity doesn't belong to the resource.", None)
NOT_FOUND = (404, "IdentityNotFound", "Provided identity doesn't exist.", None)
SCOPES_REQUIRED = (400, "ValidationError", "Scopes: The Scopes field is required.", "Scopes")
SCOPES_EMPTY = (400, "ValidationError", "Invalid scopes - Scopes field is required.", "scopes")
SCOPES_UNKNOWN = (
    400,
    "ValidationError",
    "Invalid scopes - Provided scope is not supported.",
    "scopes",
)
CREATE_SCOPES_MISSING = (
    400,
    "ValidationError",
    "CreateTokenWithScopes value is missing.",
    "CreateTokenWithScopes",
)
NOT_JSON = (400, "ValidationError", "The body is not valid JSON.", None)
NO_OBJECT = (400, "ValidationError", "The body must be a JSON object.", None)

RECORDED_SCOPES = [
    ["chat"],
    ["voip"],
    ["chat.join"],
    ["chat.join.limited"],
    ["voip.join"],
    ["voip", "chat"],
    ["chat", "chat.join", "chat.join.limited"],
    ["voip", "voip.join"],
    ["chat.join", "voip.join"],
]


def lifetime_of(reply_token: dict[str, Any], service: Service) -> timedelta:
    text = reply_token["expiresOn"]
    whole = re.sub(r"\.\d+", "", text)
    moment = datetime.fromisoformat(whole)
    return moment - service.control.clock.now().replace(microsecond=0)


def out_of_range(minutes: int) -> tuple[int, str, str, str]:
    message = (
        f"ExpiresInMinutes value {minutes} is invalid. "
        "Value must be within the [60, 1440] interval."
    )
    return 400, "ValidationError", message, "ExpiresInMinutes"


# Create


@pytest.mark.rule("recorded")
@pytest.mark.parametrize("body", [None, {}, b"{ }"])
def test_an_identity_is_created_without_a_token(service: Service, body: object) -> None:
    reply = service.create(body)

    assert reply.status == 201
    assert list(reply.json) == ["identity"]
    assert list(reply.json["identity"]) == ["id"]
    assert RAW_ID.fullmatch(reply.json["identity"]["id"])
    assert "location" not in reply.headers


@pytest.mark.rule("recorded")
def test_the_body_of_a_created_identity_is_101_bytes(service: Service) -> None:
    assert service.create().headers["content-length"] == "101"


@pytest.mark.rule("recorded")
@pytest.mark.parametrize("scopes", RECORDED_SCOPES)
def test_an_identity_is_created_with_a_token(service: Service, scopes: list[str]) -> None:
    reply = service.create({"createTokenWithScopes": scopes})

    assert reply.status == 201
    assert list(reply.json) == ["identity", "accessToken"]
    assert list(reply.json["accessToken"]) == ["token", "expiresOn"]
    assert service.directory.check_token(reply.json["accessToken"]["token"]).scopes == tuple(scopes)


@pytest.mark.rule("recorded")
@pytest.mark.parametrize("minutes", [60, 61, 1439, 1440])
def test_a_lifetime_from_60_to_1440_minutes_is_accepted(service: Service, minutes: int) -> None:
    created = service.create({"createTokenWithScopes": ["chat"], "expiresInMinutes": minutes})
    issued = service.issue(
        service.new_identity(), {"scopes": ["chat"], "expiresInMinutes": minutes}
    )

    assert created.status == 201
    assert issued.status == 200
    for token in (created.json["accessToken"], issued.json):
        assert abs(lifetime_of(token, service) - timedelta(minutes=minutes)).total_seconds() <= 1


@pytest.mark.rule("spec")
@pytest.mark.parametrize("extra", [{}, {"expiresInMinutes": None}])
def test_a_token_lives_a_day_unless_told(service: Service, extra: dict[str, object]) -> None:
    issued = service.issue(service.new_identity(), {"scopes": ["chat"], **extra})

    assert abs(lifetime_of(issued.json, service) - timedelta(days=1)).total_seconds() <= 1


@pytest.mark.rule("recorded")
@pytest.mark.parametrize("minutes", [59, 1441])
def test_a_lifetime_out_of_range_is_refused(service: Service, minutes: int) -> None:
    created = service.create({"createTokenWithScopes": ["chat"], "expiresInMinutes": minutes})
    issued = service.issue(
        service.new_identity(), {"scopes": ["chat"], "expiresInMinutes": minutes}
    )

    for reply in (created, issued):
        assert reply.error == out_of_range(minutes)
        assert "api-supported-versions" in reply.headers


@pytest.mark.rule("assumed")
@pytest.mark.parametrize("minutes", [-5, 0, 2**31 - 1, -(2**31)])
def test_any_other_whole_number_out_of_range_is_refused_alike(
    service: Service, minutes: int
) -> None:
    reply = service.create({"createTokenWithScopes": ["chat"], "expiresInMinutes": minutes})

    assert reply.error == out_of_range(minutes)


@pytest.mark.rule("recorded")
def test_a_null_list_of_scopes_at_creation_is_refused(service: Service) -> None:
    reply = service.create({"createTokenWithScopes": None}, version="2022-10-01")

    assert reply.error == CREATE_SCOPES_MISSING
    assert "api-supported-versions" in reply.headers


@pytest.mark.rule("assumed")
@pytest.mark.parametrize(
    ("version", "status"), [("2021-03-07", 201), ("2022-06-01", 201), ("2023-10-01", 400)]
)
def test_a_null_list_of_scopes_is_refused_from_2022_10_01_on(
    service: Service, version: str, status: int
) -> None:
    assert service.create({"createTokenWithScopes": None}, version=version).status == status


@pytest.mark.rule("assumed")
def test_an_empty_list_of_scopes_at_creation_is_refused(service: Service) -> None:
    assert service.create({"createTokenWithScopes": []}).error == SCOPES_EMPTY


@pytest.mark.rule("assumed")
def test_a_lifetime_without_scopes_is_refused(service: Service) -> None:
    assert service.create({"expiresInMinutes": 60}).error == CREATE_SCOPES_MISSING
    assert service.create({"expiresInMinutes": 59}).error == out_of_range(59)
    assert service.create({"expiresInMinutes": None}).status == 201


@pytest.mark.rule("assumed")
def test_a_refused_creation_leaves_nothing_behind(service: Service) -> None:
    service.create({"createTokenWithScopes": ["nonsense"]})
    service.create({"createTokenWithScopes": ["chat"], "expiresInMinutes": 1})

    assert service.directory.store.count_identities() == 0


@pytest.mark.rule("spec")
def test_repeating_a_creation_makes_a_second_identity(service: Service) -> None:
    headers = [("repeatability-request-id", "one"), ("x-ms-client-request-id", "one")]

    assert service.new_identity(headers=headers) != service.new_identity(headers=headers)


# Issue


@pytest.mark.rule("recorded")
@pytest.mark.parametrize("scopes", RECORDED_SCOPES)
def test_a_token_is_issued(service: Service, scopes: list[str]) -> None:
    reply = service.issue(service.new_identity(), {"scopes": scopes})

    assert reply.status == 200
    assert list(reply.json) == ["token", "expiresOn"]
    assert service.directory.check_token(reply.json["token"]).scopes == tuple(scopes)


@pytest.mark.rule("recorded")
@pytest.mark.parametrize("body", [{}, {"scopes": None}])
@pytest.mark.parametrize("version", ["2022-06-01", "2022-10-01", "2023-10-01"])
def test_absent_scopes_are_refused_before_the_action(
    service: Service, body: object, version: str
) -> None:
    reply = service.issue(service.new_identity(), body, version=version)

    assert reply.error == SCOPES_REQUIRED
    assert "api-supported-versions" not in reply.headers


@pytest.mark.rule("assumed")
def test_a_missing_body_lacks_scopes_too(service: Service) -> None:
    assert service.issue(service.new_identity(), None).error == SCOPES_REQUIRED


@pytest.mark.rule("recorded")
def test_empty_scopes_are_refused_by_the_action(service: Service) -> None:
    reply = service.issue(service.new_identity(), {"scopes": []})

    assert reply.error == SCOPES_EMPTY
    assert "api-supported-versions" in reply.headers


@pytest.mark.rule("assumed")
@pytest.mark.parametrize("scope", ["", "video", "CHAT", "chat ", "pstn"])
def test_an_unknown_scope_is_refused(service: Service, scope: str) -> None:
    raw_id = service.new_identity()

    assert service.issue(raw_id, {"scopes": ["chat", scope]}).error == SCOPES_UNKNOWN
    assert service.create({"createTokenWithScopes": [scope]}).error == SCOPES_UNKNOWN


@pytest.mark.rule("assumed")
def test_a_scope_named_twice_counts_once(service: Service) -> None:
    token = service.token(service.new_identity(), "voip", "chat", "voip")

    assert service.directory.check_token(token).scopes == ("voip", "chat")


@pytest.mark.rule("assumed")
@pytest.mark.parametrize("version", ["2021-03-07", "2022-10-01"])
def test_a_join_scope_needs_a_version_that_knows_it(service: Service, version: str) -> None:
    raw_id = service.new_identity()

    assert service.issue(raw_id, {"scopes": ["voip.join"]}, version=version).error == SCOPES_UNKNOWN
    assert service.issue(raw_id, {"scopes": ["voip.join"]}, version="2023-10-01").status == 200


@pytest.mark.rule("assumed")
def test_what_is_wrong_first_is_said_first(service: Service) -> None:
    def refusal(scopes: list[str], minutes: int, raw_id: str) -> tuple[int, str, str, str | None]:
        return service.issue(raw_id, {"scopes": scopes, "expiresInMinutes": minutes}).error

    assert refusal([], 59, FOREIGN_ID) == SCOPES_EMPTY
    assert refusal(["nonsense"], 59, FOREIGN_ID) == out_of_range(59)
    assert refusal(["nonsense"], 60, FOREIGN_ID) == SCOPES_UNKNOWN
    assert refusal(["chat"], 60, FOREIGN_ID) == NOT_OWNED


# Whose identity


@pytest.mark.rule("recorded")
def test_a_foreign_identity_is_refused_by_issue_revoke_and_delete(service: Service) -> None:
    replies = [
        service.issue(FOREIGN_ID, {"scopes": ["chat", "voip"]}),
        service.revoke(FOREIGN_ID),
        service.delete(FOREIGN_ID),
    ]

    for reply in replies:
        assert reply.error == NOT_OWNED
        assert "api-supported-versions" in reply.headers


@pytest.mark.rule("spec")
def test_another_resource_of_the_sandbox_is_foreign_too(service: Service) -> None:
    other = service.directory.add_resource("other")
    raw_id = service.new_identity()

    assert service.issue(raw_id, {"scopes": ["chat"]}, key=other.primary_key).error == NOT_OWNED
    assert service.revoke(raw_id, key=other.primary_key).error == NOT_OWNED
    assert service.delete(raw_id, key=other.primary_key).error == NOT_OWNED
    assert service.issue(raw_id, {"scopes": ["chat"]}).status == 200


@pytest.mark.rule("assumed")
@pytest.mark.parametrize("raw_id", ["foo", "8:acs:", "%20", "4:+15551234567", "8:orgid:" + NIL])
def test_a_malformed_identity_belongs_to_nobody(service: Service, raw_id: str) -> None:
    assert service.issue(raw_id, {"scopes": ["chat"]}).error == NOT_OWNED
    assert service.revoke(raw_id).error == NOT_OWNED
    assert service.delete(raw_id).error == NOT_OWNED


@pytest.mark.rule("assumed")
def test_a_deleted_identity_does_not_exist(service: Service) -> None:
    raw_id = service.new_identity()
    service.delete(raw_id)

    for reply in (service.issue(raw_id, {"scopes": ["chat"]}), service.revoke(raw_id)):
        assert reply.error == NOT_FOUND
        assert "api-supported-versions" in reply.headers


@pytest.mark.rule("assumed")
def test_deleting_twice_is_no_error(service: Service) -> None:
    raw_id = service.new_identity()

    assert service.delete(raw_id).status == 204
    assert service.delete(raw_id).status == 204


@pytest.mark.rule("spec")
@pytest.mark.parametrize("encoded", [False, True])
def test_an_identity_may_come_raw_or_encoded(service: Service, encoded: bool) -> None:
    raw_id = service.new_identity()
    sent = raw_id.replace(":", "%3A") if encoded else raw_id

    assert service.issue(sent, {"scopes": ["chat"]}).status == 200
    assert service.revoke(sent).status == 204
    assert service.delete(sent).status == 204


@pytest.mark.rule("spec")
@pytest.mark.parametrize("odd", ["a%2Fb", "%3F", "caf%C3%A9", "%FF%FE", "%00", "%"])
def test_odd_characters_in_an_identity_stay_inside_it(service: Service, odd: str) -> None:
    assert service.revoke(odd).error == NOT_OWNED


# Revoke and delete


@pytest.mark.rule("recorded")
def test_revoking_and_deleting_answer_with_nothing(service: Service) -> None:
    raw_id = service.new_identity()

    for reply in (service.revoke(raw_id), service.delete(raw_id)):
        assert (reply.status, reply.content) == (204, b"")
        assert "content-type" not in reply.headers
        assert "content-length" not in reply.headers
        assert "api-supported-versions" in reply.headers


@pytest.mark.rule("documented")
def test_revoking_ends_every_token_so_far_and_no_later_one(service: Service) -> None:
    raw_id, bystander = service.new_identity(), service.new_identity()
    before = [service.token(raw_id, "chat"), service.token(raw_id, "chat", "voip")]
    others = service.token(bystander)
    assert all(service.works(token) for token in before)
    service.revoke(raw_id)
    after = service.token(raw_id, "chat")

    assert not any(service.works(token) for token in before)
    assert service.works(after)
    assert service.works(others)


@pytest.mark.rule("assumed")
def test_revoking_nothing_is_no_error(service: Service) -> None:
    raw_id = service.new_identity()

    assert service.revoke(raw_id).status == 204
    assert service.revoke(raw_id).status == 204


@pytest.mark.rule("spec")
def test_deleting_ends_the_tokens(service: Service) -> None:
    raw_id = service.new_identity()
    token = service.token(raw_id)
    service.delete(raw_id)

    assert not service.works(token)


@pytest.mark.rule("documented")
def test_an_identity_holds_many_valid_tokens(service: Service) -> None:
    raw_id = service.new_identity()
    tokens = [service.token(raw_id, *scopes) for scopes in (("chat",), ("chat", "voip"))]

    assert len(set(tokens)) == 2
    assert all(service.works(token) for token in tokens)


@pytest.mark.rule("documented")
def test_an_identity_outlives_its_tokens(service: Service) -> None:
    raw_id = service.new_identity()
    service.control.clock.advance(days=4000)

    assert service.issue(raw_id, {"scopes": ["chat"]}).status == 200


# The preview with custom ids


PREVIEW = "2025-03-02-preview"


@pytest.mark.rule("recorded")
def test_a_custom_id_comes_back_before_the_id(service: Service) -> None:
    reply = service.create({"customId": "bob@contoso.com"}, version=PREVIEW)

    assert reply.status == 201
    assert list(reply.json["identity"]) == ["customId", "id"]
    assert reply.json["identity"]["customId"] == "bob@contoso.com"


@pytest.mark.rule("recorded")
def test_creating_with_a_known_custom_id_finds_the_identity_again(service: Service) -> None:
    first = service.create({"customId": "bob@contoso.com"}, version=PREVIEW)
    second = service.create({"customId": "bob@contoso.com"}, version=PREVIEW)
    other = service.create({"customId": "alice@contoso.com"}, version=PREVIEW)

    assert (first.status, second.status) == (201, 201)
    assert first.json == second.json
    assert other.json["identity"]["id"] != first.json["identity"]["id"]


@pytest.mark.rule("recorded")
def test_an_identity_says_when_it_got_its_last_token(service: Service) -> None:
    body = {"customId": "alice", "createTokenWithScopes": ["voip"], "expiresInMinutes": 120}
    created = service.create(body, version=PREVIEW)
    read = service.call("GET", f"/identities/{created.json['identity']['id']}", version=PREVIEW)

    assert list(created.json["identity"]) == ["customId", "lastTokenIssuedAt", "id"]
    moment = created.json["identity"]["lastTokenIssuedAt"]
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\+00:00", moment)
    assert read.status == 200
    assert read.json == created.json["identity"]
    assert read.headers["accept-ranges"] == "bytes"


@pytest.mark.rule("assumed")
def test_a_resource_has_its_own_custom_ids(service: Service) -> None:
    other = service.directory.add_resource("other")
    body = {"customId": "bob"}
    first = service.create(body, version=PREVIEW)
    second = service.create(body, version=PREVIEW, key=other.primary_key)

    assert first.json["identity"]["id"] != second.json["identity"]["id"]


@pytest.mark.rule("assumed")
def test_a_custom_id_is_free_again_after_deletion(service: Service) -> None:
    first = service.create({"customId": "bob"}, version=PREVIEW).json["identity"]["id"]
    service.delete(first)

    assert service.create({"customId": "bob"}, version=PREVIEW).json["identity"]["id"] != first


@pytest.mark.rule("spec")
@pytest.mark.parametrize(("length", "status"), [(0, 400), (1, 201), (256, 201), (257, 400)])
def test_a_custom_id_has_1_to_256_characters(service: Service, length: int, status: int) -> None:
    reply = service.create({"customId": "é" * length}, version=PREVIEW)

    assert reply.status == status
    if status == 400:
        assert reply.error[1:] == (
            "ValidationError",
            "CustomId must be between 1 and 256 characters long.",
            "CustomId",
        )


@pytest.mark.rule("assumed")
def test_reading_an_identity_follows_the_same_rules_of_ownership(service: Service) -> None:
    raw_id = service.new_identity()
    plain = service.call("GET", f"/identities/{raw_id}", version=PREVIEW)
    service.delete(raw_id)

    assert plain.json == {"id": raw_id}
    assert service.call("GET", f"/identities/{raw_id}", version=PREVIEW).error == NOT_FOUND
    assert service.call("GET", f"/identities/{FOREIGN_ID}", version=PREVIEW).error == NOT_OWNED


@pytest.mark.rule("spec")
def test_custom_ids_are_unknown_to_other_versions(service: Service) -> None:
    first, second = (service.create({"customId": "bob"}) for _ in range(2))

    assert list(first.json["identity"]) == ["id"]
    assert first.json["identity"]["id"] != second.json["identity"]["id"]


# The first preview


OLD = "2020-07-20-preview2"


@pytest.mark.rule("recorded")
def test_the_first_preview_answers_in_its_own_shapes(service: Service) -> None:
    created = service.create(version=OLD)
    raw_id = created.json["id"]
    issued = service.call("POST", f"/identities/{raw_id}/token", {"scopes": ["chat"]}, version=OLD)
    revoked = service.call(
        "PATCH",
        f"/identities/{raw_id}",
        {},
        version=OLD,
        content_type="application/merge-patch+json",
    )

    assert (created.status, list(created.json)) == (200, ["id"])
    assert (issued.status, list(issued.json)) == (200, ["id", "token", "expiresOn"])
    assert issued.json["id"] == raw_id
    assert (revoked.status, revoked.content) == (204, b"")
    assert not service.works(issued.json["token"])
    assert service.delete(raw_id, version=OLD).status == 204


@pytest.mark.rule("spec")
def test_the_first_preview_revokes_what_was_issued_before_a_moment(service: Service) -> None:
    raw_id = service.create(version=OLD).json["id"]
    target = f"/identities/{raw_id}"
    old = service.token(raw_id, "chat")
    service.control.clock.advance(hours=1)
    moment = service.control.clock.now().isoformat()
    new = service.token(raw_id, "chat")
    reply = service.call("PATCH", target, {"tokensValidFrom": moment}, version=OLD)

    assert reply.status == 204
    assert not service.works(old)
    assert service.works(new)


@pytest.mark.parametrize(
    ("moment", "works"),
    [
        ("2020-07-20T00:00:00Z", True),
        ("2020-07-20T00:00:00.1234567+00:00", True),
        ("2020-07-20T00:00:00", True),
        ("9999-12-31T23:59:59.9999999Z", False),
        ("9999-12-31T23:59:59-14:00", False),
    ],
)
def test_a_moment_may_be_written_in_the_usual_ways(
    service: Service, moment: str, works: bool
) -> None:
    raw_id = service.create(version=OLD).json["id"]
    token = service.token(raw_id)
    reply = service.call("PATCH", f"/identities/{raw_id}", {"tokensValidFrom": moment}, version=OLD)

    assert reply.status == 204
    assert service.works(token) is works


@pytest.mark.rule("assumed")
@pytest.mark.parametrize("moment", ["yesterday", "2020-13-01T00:00:00Z", 5, "0001-01-01T00:00:00Z"])
def test_a_moment_that_is_none_is_refused(service: Service, moment: object) -> None:
    raw_id = service.create(version=OLD).json["id"]
    reply = service.call("PATCH", f"/identities/{raw_id}", {"tokensValidFrom": moment}, version=OLD)

    assert reply.status in (204, 400)
    if moment != "0001-01-01T00:00:00Z":
        assert reply.error[1:] == (
            "ValidationError",
            "TokensValidFrom: The TokensValidFrom field has a wrong type.",
            "TokensValidFrom",
        )


@pytest.mark.rule("spec")
def test_the_first_preview_knows_pstn(service: Service) -> None:
    raw_id = service.create(version=OLD).json["id"]
    target = f"/identities/{raw_id}/token"

    assert service.call("POST", target, {"scopes": ["pstn"]}, version=OLD).status == 200
    assert service.call("POST", target, {"scopes": ["voip.join"]}, version=OLD).status == 400


# Bodies


@pytest.mark.rule("assumed")
@pytest.mark.parametrize(
    "body",
    [
        b"{",
        b"nonsense",
        b"\xff\xfe{}",
        b"{} {}",
        b'{"scopes": ["chat"], "expiresInMinutes": NaN}',
        b"[" * 20_000,
        b'{"scopes": ' * 5_000,
        b"9" * 5_000,
        b"\x00",
    ],
)
def test_a_body_that_is_no_json_is_refused(service: Service, body: bytes) -> None:
    replies = [
        service.create(body),
        service.issue(service.new_identity(), body),
        service.exchange(body),
    ]

    for reply in replies:
        assert reply.error in (NOT_JSON, NO_OBJECT)
        assert "api-supported-versions" not in reply.headers


@pytest.mark.rule("assumed")
@pytest.mark.parametrize("body", [["chat"], "chat", 5, True])
def test_a_body_that_is_no_object_is_refused(service: Service, body: object) -> None:
    assert service.create(body).error == NO_OBJECT
    assert service.issue(service.new_identity(), body).error == NO_OBJECT


@pytest.mark.rule("assumed")
@pytest.mark.parametrize(
    ("field", "value", "target"),
    [
        ("scopes", "chat", "Scopes"),
        ("scopes", {"chat": True}, "Scopes"),
        ("scopes", ["chat", None], "Scopes"),
        ("scopes", [["chat"]], "Scopes"),
        ("scopes", ["\ud800"], "Scopes"),
        ("expiresInMinutes", "60", "ExpiresInMinutes"),
        ("expiresInMinutes", 60.5, "ExpiresInMinutes"),
        ("expiresInMinutes", True, "ExpiresInMinutes"),
        ("expiresInMinutes", 2**31, "ExpiresInMinutes"),
        ("expiresInMinutes", [60], "ExpiresInMinutes"),
    ],
)
def test_a_field_of_a_wrong_type_is_refused_before_the_action(
    service: Service, field: str, value: object, target: str
) -> None:
    reply = service.issue(service.new_identity(), {"scopes": ["chat"], field: value})

    message = f"{target}: The {target} field has a wrong type."
    assert reply.error == (400, "ValidationError", message, target)
    assert "api-supported-versions" not in reply.headers


@pytest.mark.rule("assumed")
def test_fields_that_a_version_does_not_know_are_ignored(service: Service) -> None:
    raw_id = service.new_identity()

    assert service.issue(raw_id, {"scopes": ["chat"], "roles": ["king"]}).status == 200
    for version in ("2021-03-07", "2022-06-01"):
        body = {"scopes": ["chat"], "expiresInMinutes": 5}
        reply = service.issue(raw_id, body, version=version)
        assert abs(lifetime_of(reply.json, service) - timedelta(days=1)).total_seconds() <= 1


@pytest.mark.rule("assumed")
def test_a_body_needs_to_be_announced_as_json(service: Service) -> None:
    raw_id = service.new_identity()
    message = "The body must be application/json."

    assert service.issue(raw_id, {"scopes": ["chat"]}, content_type="text/plain").error == (
        415,
        "UnsupportedMediaType",
        message,
        None,
    )
    for content_type in (None, "application/json; charset=utf-8", "APPLICATION/JSON"):
        body = {"scopes": ["chat"]}
        assert service.issue(raw_id, body, content_type=content_type).status == 200


@pytest.mark.rule("assumed")
def test_a_body_beyond_64_kib_is_refused(service: Service) -> None:
    fits = json.dumps({"pad": "x" * (64 * 1024 - 11)}).encode()
    assert len(fits) == 64 * 1024

    assert service.create(fits).status == 201
    reply = service.create(fits + b" ")
    assert reply.error[:2] == (413, "RequestBodyTooLarge")
    assert reply.headers["connection"] == "close"


# Times


@pytest.mark.rule("recorded")
@pytest.mark.parametrize(
    ("fraction", "expected"),
    [
        (358_516_600, "2023-10-20T12:46:12.3585166+00:00"),
        (447_802_099, "2023-10-20T12:46:12.447802+00:00"),
        (0, "2023-10-20T12:46:12+00:00"),
        (500_000_000, "2023-10-20T12:46:12.5+00:00"),
    ],
)
def test_expiry_is_written_with_up_to_seven_digits(fraction: int, expected: str) -> None:
    second = int(datetime(2023, 10, 20, 12, 46, 12, tzinfo=timezone.utc).timestamp())

    assert expires_on(second * 10**9 + fraction) == expected
