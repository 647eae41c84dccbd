"""Every line of code on the published quickstart page has its place in a lesson."""

from __future__ import annotations

import ast
import re
from collections import defaultdict

import pytest

from tests.notebooks.lessons import LESSONS, ROOT, code_cells, read

PAGE = (
    ROOT.parent
    / "shared/published-pages/access-tokens/includes/access-tokens/access-token-python.md"
)

# The sections of the page that hold Python, by their anchors.
SECTIONS = {
    "create-a-new-python-application",
    "authenticate-the-client",
    "create-an-identity",
    "issue-an-access-token",
    "set-a-custom-token-expiration-time",
    "create-an-identity-and-issue-an-access-token-in-the-same-request",
    "refresh-an-access-token",
    "revoke-access-tokens",
    "delete-an-identity",
}
# One that holds only the command to run it all.
RUN = "run-the-code"


def statements(code: str) -> list[str]:
    """The statements of a program, one by one, in one spelling: quotes, spaces and line breaks do not count."""
    return list(_statements(ast.parse(code).body))


def _statements(body: list[ast.stmt]):  # type: ignore[no-untyped-def]
    for statement in body:
        if isinstance(statement, ast.Try):
            yield "try"
            yield from _statements(statement.body)
            for handler in statement.handlers:
                yield f"except {ast.unparse(handler.type) if handler.type else ''} as {handler.name}"
                yield from _statements(handler.body)
        elif isinstance(statement, ast.FunctionDef | ast.For | ast.With):
            yield from _statements(statement.body)
        elif isinstance(statement, ast.ImportFrom):
            # What is imported counts, not in how many lines.
            for name in statement.names:
                yield f"from {statement.module} import {name.name}"
        else:
            yield ast.unparse(statement)


def taught() -> tuple[dict[str, set[str]], dict[str, dict[str, str]]]:
    """By section: the statements that lessons have there, and the published ones that they replace, with the reason."""
    covered: dict[str, set[str]] = defaultdict(set)
    replaced: dict[str, dict[str, str]] = defaultdict(dict)
    for lesson in LESSONS:
        for cell in code_cells(read(lesson)):
            acs = cell.metadata.get("acs", {})
            for section in [acs.get("step"), *acs.get("covers", [])]:
                if section:
                    covered[section].update(statements(cell.source))
            for line, reason in acs.get("replaces", {}).items():
                replaced[acs["step"]].update({statement: reason for statement in statements(line)})
    return covered, replaced


def test_every_section_with_code_has_a_lesson_step_and_no_step_is_made_up() -> None:
    covered, _ = taught()

    assert set(covered) == SECTIONS | {RUN}


def test_every_correction_says_why() -> None:
    _, replaced = taught()

    assert replaced
    assert all(len(reason.split()) > 5 for lines in replaced.values() for reason in lines.values())


@pytest.mark.skipif(
    not PAGE.exists(),
    reason="needs the published page in ../shared, which is not part of the project",
)
def test_every_published_line_of_code_is_taught_or_corrected() -> None:
    covered, replaced = taught()
    page = PAGE.read_text(encoding="utf-8")
    section = ""
    published: list[tuple[str, str]] = []
    for heading, code in re.findall(
        r"^#{2,3} ([^\n]+)$|```python\n(.*?)```", page, re.MULTILINE | re.DOTALL
    ):
        if heading:
            section = re.sub(r"[^a-z]+", "-", heading.lower()).strip("-")
        else:
            lines = code.splitlines()
            indent = min(len(line) - len(line.lstrip()) for line in lines if line.strip())
            program = "\n".join(line[indent:] for line in lines)
            published += [(section, statement) for statement in statements(program)]

    missing = [
        (section, statement)
        for section, statement in published
        if statement not in covered[section] and statement not in replaced[section]
    ]

    assert len(published) > 25
    assert {section for section, _ in published} == SECTIONS
    assert missing == []


@pytest.mark.skipif(
    not PAGE.exists(),
    reason="needs the published page in ../shared, which is not part of the project",
)
def test_the_terminal_commands_of_the_page_are_in_the_lessons_text() -> None:
    commands = re.findall(r"```console\n(?:   )?(.+?)\n", PAGE.read_text(encoding="utf-8"))
    commands = [command for command in commands if not command.startswith("Azure")]
    text = "\n".join(
        cell.source
        for lesson in LESSONS
        for cell in read(lesson).cells
        if cell.cell_type == "markdown"
    )

    assert len(commands) == 3
    assert [command for command in commands if command not in text] == []


@pytest.mark.skipif(
    not PAGE.exists(),
    reason="needs the published page in ../shared, which is not part of the project",
)
def test_lesson_09_prints_the_transcript_of_the_page() -> None:
    printed = re.search(
        r"```console\n(Azure Communication Services.*?)```",
        PAGE.read_text(encoding="utf-8"),
        re.DOTALL,
    )
    assert printed
    shape = re.compile(r"(8:acs:\S+)|\d{4}-\d\d-\d\dT\S+(?=:)|<sample token.*>")
    wanted = [
        shape.sub("*", line)
        for line in printed[1].splitlines()
        if line.strip() and not line.startswith("<")
    ]

    (cell,) = [cell for cell in code_cells(read(LESSONS[9])) if cell.id == "program"]
    shown = [shape.sub("*", line) for line in cell.outputs[0].text.splitlines() if line.strip()]

    # Every line of the page, in its order; ours has more, for the steps that the page does in silence.
    remaining = iter(shown)
    assert [line for line in wanted if line not in remaining] == []
