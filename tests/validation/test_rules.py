"""The sanitising rules: each has a name, hides what it should, and is counted."""

from __future__ import annotations

import pytest
from nbval.plugin import get_sanitize_patterns

from helpers.errors import TutorialError
from helpers.validation.rules import LIVE_RULES, SANDBOX_RULES, Rule, Rules, read, rules_for


def test_every_rule_of_the_project_has_a_name_of_its_own():
    names = [rule.name for rule in (*read(SANDBOX_RULES), *read(LIVE_RULES))]

    assert len(names) == len(set(names)) > 10


@pytest.mark.parametrize("mode", ["sandbox", "live"])
def test_nbval_reads_the_same_rules_in_the_same_order(mode, tmp_path):
    rules = rules_for(mode)

    written = rules.write(tmp_path / "rules.cfg")

    files = [SANDBOX_RULES, *([LIVE_RULES] if mode == "live" else [])]
    assert get_sanitize_patterns(written.read_text("ascii")) == [
        pair for file in files for pair in get_sanitize_patterns(file.read_text("ascii"))
    ]


def test_a_rule_is_counted_once_for_each_output_that_it_changed():
    rules = Rules([Rule("number", r"\d+", "N"), Rule("idle", "x", "y")])

    assert rules.applied("1 and 2") == "N and N"
    assert rules.applied("none") == "none"
    assert rules.hits == {"number": 1, "idle": 0}


def test_rules_apply_one_after_the_other():
    rules = Rules([Rule("first", "a", "b"), Rule("second", "b", "c")])

    assert rules.applied("ab") == "cc"


@pytest.mark.parametrize(
    "text",
    [
        "[name]\nregex: a\nreplace:\n",  # nbval would drop the pair without a word
        "regex: a\nreplace: b\n",
        "[name]\nregex: a\n\nreplace: b\n",
    ],
)
def test_an_incomplete_rule_is_refused(text, tmp_path):
    path = tmp_path / "rules.cfg"
    path.write_text(text)

    with pytest.raises(TutorialError, match="not complete"):
        read(path)


def test_missing_rules_are_one_sentence(tmp_path):
    with pytest.raises(TutorialError, match="cannot be read"):
        read(tmp_path / "nothing.cfg")
