"""Lessons' text is cut into paragraphs and put together again, and what must stay is seen to stay."""

from __future__ import annotations

import pytest

from helpers.translation.notebooks import english, read
from helpers.translation.text import harm, paragraphs, placeholders, translated

CELL = """# A heading
Directly below it.

A paragraph
of two lines.

- one
- two

| a | b |
|---|---|
| 1 | 2 |

```console
pip install this

and that
```

```text
 server ──▶ device
```

<!-- note -->
**Inside.**
<!-- /note -->
The last."""


def test_a_paragraph_a_list_and_a_table_are_one_piece_each_and_code_is_none() -> None:
    pieces = [piece for piece, to_translate in paragraphs(CELL) if to_translate]

    assert pieces == [
        "# A heading\nDirectly below it.",
        "A paragraph\nof two lines.",
        "- one\n- two",
        "| a | b |\n|---|---|\n| 1 | 2 |",
        "```text\n server ──▶ device\n```",
        "**Inside.**",
        "The last.",
    ]


def test_what_is_not_translated_stays_as_it_is() -> None:
    upper = translated(CELL, str.upper)

    assert translated(CELL, str) == CELL
    assert "pip install this\n\nand that" in upper
    assert "<!-- note -->\n**INSIDE.**\n<!-- /note -->\n" in upper


def test_every_text_of_the_lessons_is_put_together_again() -> None:
    cells = [
        cell["source"]
        for path in english()
        for cell in read(path)["cells"]
        if cell["cell_type"] == "markdown"
    ]

    assert cells
    assert [cell for cell in cells if translated(cell, str) != cell] == []


@pytest.mark.parametrize(
    ("original", "translation", "lost"),
    [
        ("Call `get_token`.", "`get_token` 메서드를 호출하세요.", None),
        ("Call `get_token`.", "get_token을 호출하세요.", "`get_token`"),
        ("Read.", "`읽으세요`.", "`읽으세요`"),
        ("See [02](02.ipynb).", "[02](02.ipynb) 단원을 보세요.", None),
        ("See [02](02.ipynb).", "[02](03.ipynb) 단원을 보세요.", "02.ipynb"),
        ("See https://a.example/b.", "보세요.", "https://a.example/b."),
        ('<a id="x"></a>Text', "텍스트", '<a id="x">'),
        ("## Title", "## 제목", None),
        ("## Title", "# 제목", "## "),
        ("| a | b |", "| 가 | 나 |", None),
        ("| a | b |", "| 가 |", "|"),
    ],
)
def test_harm_names_what_a_translation_lost_or_altered(
    original: str, translation: str, lost: str | None
) -> None:
    assert harm(original, translation) == lost


def test_placeholders_are_found_in_both_forms() -> None:
    assert placeholders("%s, cell %d: {name} of {all}") == {"%s", "%d", "{name}", "{all}"}
    assert placeholders("{moment.year}-{moment.month:02}") == {"{moment}"}
    assert placeholders("5 % of it, 100 %") == set()
    assert placeholders("{open") == {"an unpaired brace"}
