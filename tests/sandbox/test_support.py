"""SUPPORT.md and the tests say the same."""

from __future__ import annotations

import ast
import re
from pathlib import Path

from tests.sandbox.test_recordings import DIFFERENCES

HERE = Path(__file__).parent
SUPPORT = (HERE.parents[1] / "helpers" / "sandbox" / "SUPPORT.md").read_text("utf-8")
SOURCES = {"recorded", "spec", "documented", "reported", "assumed"}
ROW = re.compile(
    r"^\| (?P<rule>[^|]+) \| (?P<source>\w+) \| `(?P<test>test_\w+\.py::test_\w+)` \|$", re.M
)


def rules_in_tests() -> dict[str, str]:
    """Every test that holds a rule, with the source that its mark names."""
    found: dict[str, str] = {}
    for path in sorted(HERE.glob("test_*.py")):
        for node in ast.parse(path.read_text("utf-8")).body:
            if not isinstance(node, ast.FunctionDef):
                continue
            for mark in node.decorator_list:
                if isinstance(mark, ast.Call) and ast.unparse(mark.func) == "pytest.mark.rule":
                    found[f"{path.name}::{node.name}"] = ast.literal_eval(mark.args[0])
    return found


def rules_in_document() -> dict[str, str]:
    rows = ROW.findall(SUPPORT)
    tests = [test for _, _, test in rows]
    assert len(tests) == len(set(tests)), "a test holds two rows"
    return {test: source for _, source, test in rows}


def test_every_rule_names_the_test_that_holds_it_and_its_source() -> None:
    assert len(rules_in_tests()) > 80
    assert rules_in_document() == rules_in_tests()


def test_every_source_is_one_of_the_named() -> None:
    assert set(rules_in_tests().values()) == SOURCES
    for source in SOURCES:
        assert f"| **{source}** |" in SUPPORT


def test_every_line_of_a_rules_table_is_understood() -> None:
    lines = [line for line in SUPPORT.splitlines() if "test_" in line and line.startswith("|")]

    assert len(lines) == len(ROW.findall(SUPPORT))


def test_the_differences_from_the_recordings_are_all_listed() -> None:
    for difference, reason in DIFFERENCES.items():
        assert f"| {difference} | {reason} |" in SUPPORT
