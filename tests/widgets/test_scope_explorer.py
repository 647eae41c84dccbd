from __future__ import annotations

import pytest

from helpers.errors import TutorialError
from helpers.scopes import CAPABILITIES, SCOPE_NAMES, narrowest
from helpers.widgets import ScopeExplorer
from helpers.widgets.scope_explorer import SCENARIOS, Scenario, judge

ANSWERS = [
    ["chat.join.limited"],
    ["voip.join"],
    ["chat.join"],
    ["chat"],
    ["chat.join.limited", "voip.join"],
    ["chat.join.limited", "voip"],
    ["voip.join"],
]


def states(explorer: ScopeExplorer) -> dict[str, str]:
    """The last cell of each row."""
    rows = explorer._tables.value.split("<tr>")[1:]
    return {
        row.split('<th scope="row">')[1].split("</th>")[0]: row.split('acs-state">')[1].split("<")[
            0
        ]
        for row in rows
        if '<th scope="row">' in row
    }


def test_every_label_of_a_scenario_is_a_row_of_the_tables() -> None:
    known = {capability.label for capability in CAPABILITIES}

    for scenario in SCENARIOS:
        assert set(scenario.labels) <= known
        assert len(scenario.needed) == len(set(scenario.labels)) > 0


@pytest.mark.parametrize(("scenario", "answer"), list(zip(SCENARIOS, ANSWERS, strict=True)))
def test_each_scenario_has_one_right_answer_among_all_choices(
    scenario: Scenario, answer: list[str]
) -> None:
    choices = [
        [name for bit, name in enumerate(SCOPE_NAMES) if number >> bit & 1] for number in range(32)
    ]

    assert [choice for choice in choices if judge(choice, scenario.needed).right] == [answer]
    assert narrowest(scenario.needed) == answer


def test_a_verdict_names_what_is_wrong() -> None:
    guest = SCENARIOS[0].needed

    assert {c.label for c in judge(["voip"], guest).missing} == set(SCENARIOS[0].labels)
    assert [c.label for c in judge(["chat.join"], guest).excess] == [
        "Add participant to a chat thread",
        "Remove participant from a chat thread",
    ]
    assert judge(["chat", "chat.join"], SCENARIOS[3].needed).needless == ("chat.join",)


def test_exploring_shows_what_the_choice_permits() -> None:
    explorer = ScopeExplorer(["chat.join"])
    assert len(states(explorer)) == 21
    assert states(explorer)["Create chat thread"] == "– not allowed"
    assert states(explorer)["Add participant to a chat thread"] == "✓ allowed"

    explorer.picker.checkboxes["voip.join"].value = True

    assert states(explorer)["Start a VoIP call"] == "– not allowed"
    assert states(explorer)["Join an InProgress VoIP call"] == "✓ allowed"
    assert [state for state in states(explorer).values() if "by role" in state] == [
        "✓ allowed by role"
    ]


def test_chosen_columns_are_marked_in_words() -> None:
    explorer = ScopeExplorer(["voip"])

    assert explorer._tables.value.count("<br>chosen</th>") == 1
    assert "<code>voip</code><br>chosen" in explorer._tables.value
    assert explorer._tables.value.count("acs-mark acs-chosen") == 1 + 6


def test_the_cells_repeat_the_published_tables() -> None:
    html = ScopeExplorer()._tables.value

    assert (html.count(">yes<"), html.count(">no<"), html.count(">by role<")) == (46, 9, 2)


def test_what_is_needed_stays_open_until_the_choice_is_judged() -> None:
    explorer = ScopeExplorer(["chat.join"])
    explorer.scenario.value = SCENARIOS[0]
    assert "invite nobody" in explorer.describe()
    assert "needed" not in "".join(states(explorer).values())

    explorer.judge_button.click()

    assert states(explorer) | {
        "Create chat thread": "– not needed",
        "Add participant to a chat thread": "! needless",
        "Get chat threads": "✓ needed, allowed",
        "Send typing indicator": "· comes along",
        "Start a VoIP call": "– not needed",
    } == states(explorer)

    explorer.picker.checkboxes["chat.join"].value = False
    assert "needed" not in "".join(states(explorer).values())
    explorer.judge_button.click()
    assert states(explorer)["Get chat threads"] == "✗ needed, missing"


@pytest.mark.parametrize(
    ("choice", "words"),
    [
        ([], "Not enough: this choice does not permit “Get chat threads”."),
        (["chat.join"], "Too much: this choice also permits “Add participant to a chat thread”"),
        (["chat.join.limited"], "Right: this permits all that is needed, and nothing narrower"),
    ],
)
def test_the_verdict_is_told_in_a_sentence(choice: list[str], words: str) -> None:
    explorer = ScopeExplorer(choice)
    explorer.scenario.value = SCENARIOS[0]

    explorer.judge_button.click()

    assert words in explorer.describe()
    assert ("✓" in explorer._verdict.value) == words.startswith("Right")

    explorer.value = ["chat"]

    assert words not in explorer.describe()


def test_a_needless_scope_is_named_when_nothing_else_is_wrong() -> None:
    explorer = ScopeExplorer(["chat", "chat.join"])
    explorer.scenario.value = SCENARIOS[3]

    explorer.judge_button.click()

    assert "“chat.join” adds nothing: leave it out." in explorer.describe()
    assert explorer.solved == []


def test_the_game_can_be_played_to_its_end() -> None:
    explorer = ScopeExplorer(["chat"])

    for number, answer in enumerate(ANSWERS, 1):
        explorer.next_button.click()
        assert explorer.scenario.value is SCENARIOS[number - 1]
        assert explorer.value == []
        explorer.value = answer
        explorer.judge_button.click()
        assert f"Solved: {number} of 7." in explorer.describe()

    assert len(explorer.solved) == 7 and explorer.solved[0] == "A guest in a chat"
    assert repr(explorer) == "ScopeExplorer(value=['voip.join'], 7/7)"
    explorer.next_button.click()
    assert explorer.scenario.value is SCENARIOS[0]


def test_at_first_the_list_says_that_no_scenario_is_chosen() -> None:
    assert ScopeExplorer().scenario.label == "none: just explore"


def test_without_a_scenario_there_is_nothing_to_judge() -> None:
    explorer = ScopeExplorer(["chat"])
    assert explorer.judge_button.disabled

    explorer.judge_button.click()
    assert explorer._verdict.value == ""
    assert "That did not work" not in explorer.describe()

    explorer.scenario.value = SCENARIOS[1]
    assert not explorer.judge_button.disabled
    assert "A listener joins calls" in explorer.describe()

    explorer.scenario.value = ""
    assert explorer.judge_button.disabled
    assert "A listener joins calls" not in explorer.describe()


def test_bad_scopes_get_one_sentence() -> None:
    with pytest.raises(TutorialError, match="did you mean “voip”"):
        ScopeExplorer(["vopi"])
    with pytest.raises(TutorialError, match="given as a list"):
        ScopeExplorer().value = "voip"  # type: ignore[assignment]


def test_its_controls_are_labelled_and_its_text_twin_is_short() -> None:
    explorer = ScopeExplorer(SCOPE_NAMES)

    assert len(repr(explorer)) < 100
    for control in (explorer.scenario, explorer.judge_button, explorer.next_button):
        assert control.description and control.tooltip


def test_it_speaks_the_chosen_language(korean: None) -> None:
    assert "가나다라마바사아자차카타파하Create chat thread" in ScopeExplorer().describe()
