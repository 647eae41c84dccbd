"""The Korean README says what the English one says, section by section."""

from __future__ import annotations

import re
from pathlib import Path

from helpers.translation import catalogue
from helpers.translation.catalogue import LESSON

ROOT = Path(__file__).parents[2]
ENGLISH = (ROOT / "README.md").read_text(encoding="utf-8")
KOREAN = (ROOT / "README.ko.md").read_text(encoding="utf-8")


def outline(text: str) -> list[str]:
    """The kinds of blocks of a text, in their order: headings with their level, code, pictures, comments, paragraphs."""
    text = re.sub(
        r"^\[(?:English|한국어)\]\(README(?:\.ko)?\.md\)\n+", "", text, flags=re.MULTILINE
    )
    blocks = re.findall(r"```.*?```|[^\n]+(?:\n[^\n]+)*", text, flags=re.DOTALL)
    return [re.match(r"#+|```\w*|!\[|<!--|[-|*]?", block)[0] for block in blocks]  # type: ignore[index]


def commands(text: str) -> list[str]:
    return [
        line.replace(" --language ko", "")
        for block in re.findall(r"```\w+\n(.*?)```", text, flags=re.DOTALL)
        for line in block.splitlines()
    ]


def links(text: str) -> list[str]:
    return sorted(
        target for target in re.findall(r"\]\(([^)]+)\)", text) if not target.startswith("README")
    )


def test_the_sections_are_the_same_and_have_the_same_parts() -> None:
    assert outline(KOREAN) == outline(ENGLISH)


def test_the_commands_and_settings_are_the_same() -> None:
    assert commands(KOREAN) == commands(ENGLISH)


def test_the_links_lead_to_the_same_places() -> None:
    assert links(KOREAN) == links(ENGLISH)
    assert [target for target in links(KOREAN) if not (ROOT / target).exists()] in (
        [],
        ["docs/lesson-03.png"],
    )


def test_the_retirement_note_is_that_of_the_korean_lesson() -> None:
    note = re.compile(r"<!-- retirement-note -->\n(.+?)\n<!-- /retirement-note -->", re.DOTALL)
    english, korean = note.search(ENGLISH), note.search(KOREAN)
    assert english and korean

    message = catalogue.read("ko").get(english[1], LESSON)

    assert message and korean[1] == message.string
