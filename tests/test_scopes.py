from __future__ import annotations

import re
from pathlib import Path

import pytest
from azure.communication.identity import CommunicationTokenScope

from helpers.errors import TutorialError
from helpers.scopes import CAPABILITIES, SCOPE_NAMES, SCOPES, checked, narrowest, needless, permits

PUBLISHED_PAGE = (
    Path(__file__).parents[2] / "shared" / "published-pages" / "concepts" / "identity-model.md"
)


def labels(scopes: list[str]) -> set[str]:
    return {capability.label for capability in permits(scopes)}


def test_the_scopes_are_those_of_the_sdk() -> None:
    assert {scope.value for scope in CommunicationTokenScope} == set(SCOPE_NAMES)


@pytest.mark.skipif(
    not PUBLISHED_PAGE.exists(), reason="the published page is not beside this clone"
)
def test_the_tables_are_those_of_the_published_page() -> None:
    published = {}
    header: list[str] = []
    for line in PUBLISHED_PAGE.read_text(encoding="utf-8").splitlines():
        cells = [cell.strip().strip("`") for cell in line.strip().strip("|").split("|")]
        if cells[0].startswith("Capability /"):
            header = cells[1:]
        elif header and line.startswith("|") and not cells[0].startswith("---"):
            published[cells[0]] = dict(zip(header, cells[1:], strict=True))
        elif not line.startswith("|"):
            header = []

    assert len(published) == 21
    assert [capability.label for capability in CAPABILITIES] == list(published)
    for capability in CAPABILITIES:
        row = published[capability.label]
        granted = {scope for scope, mark in row.items() if re.fullmatch(r"Y|Determined.*", mark)}
        assert set(capability.scopes) == granted, capability.label
        assert capability.depends_on_role == any("role" in mark for mark in row.values())


def test_a_scope_includes_exactly_what_permits_nothing_more() -> None:
    for wide in SCOPES:
        included = {
            narrow.name
            for narrow in SCOPES
            if narrow.name != wide.name and labels([narrow.name]) < labels([wide.name])
        }

        assert set(wide.includes) == included


def test_every_scope_says_what_it_permits_in_a_sentence() -> None:
    sentences = [scope.permits for scope in SCOPES]

    assert all(sentence[0].isupper() and sentence.endswith(".") for sentence in sentences)
    assert len(set(sentences)) == len(SCOPES)


def test_scopes_belong_to_one_service() -> None:
    assert [scope.service for scope in SCOPES] == ["chat", "chat", "chat", "voip", "voip"]


def test_capabilities_belong_to_one_service() -> None:
    for capability in CAPABILITIES:
        assert {scope.partition(".")[0] for scope in capability.scopes} == {capability.service}
        assert capability.name == capability.label  # English is the source language.


def test_scopes_are_put_in_the_published_order_each_once() -> None:
    assert checked(["voip", "chat", "voip"]) == ["chat", "voip"]
    assert checked([]) == []


def test_members_of_the_sdk_enumeration_become_wire_names() -> None:
    assert checked((CommunicationTokenScope.VOIP_JOIN, CommunicationTokenScope.CHAT)) == [
        "chat",
        "voip.join",
    ]


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        ("voip", "write [“voip”]"),
        (CommunicationTokenScope.VOIP, "write [“voip”]"),
        (7, "not as int"),
        (None, "not as NoneType"),
        (["vopi"], "“vopi”; did you mean “voip”?"),
        (["CHAT_JOIN"], "did you mean “chat.join”?"),
        (["teams"], "the scopes are chat, chat.join, chat.join.limited, voip, voip.join"),
        ([3], "no scope “3”"),
    ],
)
def test_what_is_no_list_of_scopes_gets_one_sentence(wrong: object, sentence: str) -> None:
    with pytest.raises(TutorialError) as caught:
        checked(wrong)

    assert sentence in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_guest_may_write_but_not_invite() -> None:
    allowed = labels(["chat.join.limited"])

    assert "Create message for chat thread with ID" in allowed
    assert "Add participant to a chat thread" not in allowed


def test_several_scopes_permit_what_any_of_them_permits() -> None:
    assert labels(["chat.join", "voip"]) == labels(["chat.join"]) | labels(["voip"])
    assert permits([]) == []


@pytest.mark.parametrize(
    ("scopes", "superfluous"),
    [
        (["chat", "voip"], {}),
        (["chat", "chat.join"], {"chat.join": "chat"}),
        (["chat.join", "chat.join.limited"], {"chat.join.limited": "chat.join"}),
        (
            ["chat", "chat.join", "chat.join.limited"],
            {"chat.join": "chat", "chat.join.limited": "chat"},
        ),
        (["voip.join", "voip"], {"voip.join": "voip"}),
        (["chat.join", "voip.join"], {}),
    ],
)
def test_needless_scopes_are_named_with_the_widest_that_includes_them(
    scopes: list[str], superfluous: dict[str, str]
) -> None:
    assert needless(scopes) == superfluous


@pytest.mark.parametrize("scope", SCOPE_NAMES)
def test_the_narrowest_choice_for_all_that_a_scope_permits_is_that_scope(scope: str) -> None:
    assert narrowest(permits([scope])) == [scope]


def test_the_narrowest_choice_covers_both_services() -> None:
    wanted = [
        capability
        for capability in CAPABILITIES
        if capability.label in {"Send typing indicator", "Start a VoIP call"}
    ]

    assert narrowest(wanted) == ["chat.join.limited", "voip"]
    assert narrowest([]) == []
