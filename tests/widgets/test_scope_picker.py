from __future__ import annotations

import pytest
from azure.communication.identity import CommunicationTokenScope

from helpers.errors import TutorialError
from helpers.scopes import SCOPE_NAMES, SCOPES
from helpers.widgets import ScopePicker


def ticked(picker: ScopePicker) -> list[str]:
    return [name for name, box in picker.checkboxes.items() if box.value]


def test_it_starts_with_voip() -> None:
    picker = ScopePicker()

    assert picker.value == ["voip"] == ticked(picker)


@pytest.mark.parametrize("name", SCOPE_NAMES)
def test_each_box_adds_and_removes_its_scope(name: str) -> None:
    picker = ScopePicker([])

    picker.checkboxes[name].value = True
    assert picker.value == [name]

    picker.checkboxes[name].value = False
    assert picker.value == []


def test_several_boxes_give_the_published_order_whatever_the_order_of_clicks() -> None:
    picker = ScopePicker([])

    for name in reversed(SCOPE_NAMES):
        picker.checkboxes[name].value = True

    assert picker.value == list(SCOPE_NAMES)


def test_setting_the_value_ticks_the_boxes_in_one_change() -> None:
    picker = ScopePicker(["chat", "chat.join"])
    changes = []
    picker.observe(lambda change: changes.append(change["new"]), names="value")

    picker.value = [CommunicationTokenScope.VOIP_JOIN, "chat.join.limited"]

    assert ticked(picker) == picker.value == ["chat.join.limited", "voip.join"]
    assert changes == [["chat.join.limited", "voip.join"]]


def test_a_bad_value_gets_one_sentence_and_changes_nothing() -> None:
    picker = ScopePicker(["chat"])

    with pytest.raises(TutorialError, match="did you mean “voip”"):
        picker.value = ["vopi"]
    with pytest.raises(TutorialError, match="given as a list"):
        picker.value = "voip"
    with pytest.raises(TutorialError):
        ScopePicker(["nothing"])

    assert picker.value == ["chat"] == ticked(picker)


def test_appending_to_what_was_read_does_not_change_the_choice_behind_the_boxes() -> None:
    picker = ScopePicker(["chat"])

    picker.value.append("voip")

    assert picker.value == ["chat"] == ticked(picker)


def test_the_python_follows_the_choice() -> None:
    picker = ScopePicker()
    assert 'scopes = ["voip"]' in picker.describe().splitlines()

    picker.checkboxes["chat"].value = True

    assert 'scopes = ["chat", "voip"]' in picker.describe().splitlines()


@pytest.mark.parametrize(
    ("chosen", "hint"),
    [
        ([], "Choose at least one"),
        (["chat"], "If not, “chat.join” is enough."),
        (["chat.join"], "If not, “chat.join.limited” is enough."),
        (["chat.join.limited"], "nothing narrower exists"),
        (["voip"], "If not, “voip.join” is enough."),
        (["voip.join"], "nothing narrower exists"),
        (["chat", "chat.join"], "“chat.join” adds nothing here, because “chat”"),
        (["voip", "voip.join"], "“voip.join” adds nothing here, because “voip”"),
    ],
)
def test_the_hint_leads_to_least_privilege(chosen: list[str], hint: str) -> None:
    by_code = ScopePicker(["chat.join.limited", "voip.join"])
    by_code.value = chosen
    by_click = ScopePicker([])
    for name in chosen:
        by_click.checkboxes[name].value = True

    assert hint in by_code.advice
    assert by_code.advice in by_code.describe().splitlines()
    assert by_code.describe() == by_click.describe()


def test_two_wide_scopes_get_both_questions() -> None:
    text = ScopePicker(["chat", "voip"]).describe()

    assert "“chat.join” is enough" in text and "“voip.join” is enough" in text


def test_every_box_is_labelled_and_says_what_it_permits() -> None:
    picker = ScopePicker()
    text = picker.describe()

    for scope in SCOPES:
        box = picker.checkboxes[scope.name]
        assert (box.description, box.tooltip, box.disabled) == (scope.name, scope.permits, False)
        assert text.splitlines().count(scope.permits) == 1


def test_the_boxes_stand_under_their_service() -> None:
    lines = ScopePicker([]).describe().splitlines()
    order = [line.split("”")[0] for line in lines if line.startswith(("Checkbox", "Chat", "Calls"))]

    assert order == [
        "Chat",
        "Checkbox “chat",
        "Checkbox “chat.join",
        "Checkbox “chat.join.limited",
        "Calls (voice and video over IP)",
        "Checkbox “voip",
        "Checkbox “voip.join",
    ]


def test_its_text_twin_is_short_enough_to_be_compared_whole() -> None:
    picker = ScopePicker(SCOPE_NAMES)

    assert repr(picker) == f"ScopePicker(value={list(SCOPE_NAMES)})"
    assert len(repr(picker)) < 100


def test_it_speaks_the_chosen_language(korean: None) -> None:
    assert "가나다라마바사아자차카타파하No scope is chosen yet." in ScopePicker([]).describe()
