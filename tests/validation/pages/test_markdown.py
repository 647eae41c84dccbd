"""Reading a Learn page."""

from __future__ import annotations

from pathlib import Path

import pytest

from helpers.errors import TutorialError
from helpers.validation.pages.markdown import read, slugify
from tests.validation.pages.writing import write


def blocks(path: Path, pivot: str | None = None) -> list[tuple[str, list[str], int]]:
    """Each block's language, code and the number of its first line of code."""
    page = read(path).page(pivot)
    return [
        (block.language, block.code, page.lines[block.lines[0]].number if block.lines else 0)
        for block in page.blocks
    ]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("```python\nx\n```", ("python", ["x"], 2)),
        ("```Python  \nx\n```  ", ("python", ["x"], 2)),
        ("~~~python\nx\n```\n~~~", ("python", ["x", "```"], 2)),
        ("````md\n```python\n```\n````", ("md", ["```python", "```"], 2)),
        ("1. a\n\n   ```python\n   x\n     y\n   ```", ("python", ["x", "  y"], 4)),
        ("- ```python\n  x\n  ```", ("python", ["x"], 2)),
        ("> [!NOTE]\n> ```python\n> x\n> ```", ("python", ["x"], 3)),
        ("\t```python\n\tx\n\t```", ("python", ["x"], 2)),
        ("```{.python .numberLines}\nx\n```", ("python", ["x"], 2)),
        ("```python\n    x\n    y\n```", ("python", ["x", "y"], 2)),
        ("---\ntitle: ```python\n---\n```python\nx\n```", ("python", ["x"], 5)),
        ("<!--\n```python\nno\n```\n-->\n```python\nx\n```", ("python", ["x"], 7)),
    ],
)
def test_a_block_of_code_is_read_as_the_reader_copies_it(
    text: str, expected: tuple[str, list[str], int], tmp_path: Path
) -> None:
    assert blocks(write(tmp_path, text)) == [expected]


def test_backticks_within_a_line_open_nothing(tmp_path: Path) -> None:
    assert blocks(write(tmp_path, "``` not ```a fence``` here")) == []


def test_a_block_that_is_never_closed_ends_with_its_file(tmp_path: Path) -> None:
    write(tmp_path, "```python\nx", name="open.md")
    after = "[!INCLUDE [a](open.md)]\n\n## After\n\n```python\ny\n```"
    page = read(write(tmp_path, after)).page(None)

    assert [(block.text, block.closed) for block in page.blocks] == [("x", False), ("y", True)]
    assert [heading.title for heading in page.headings] == ["After"]


def test_includes_are_read_where_they_stand_from_their_own_folder(tmp_path: Path) -> None:
    write(tmp_path, "---\na: b\n---\n```python\ninner\n```", name="a/b/inner.md")
    write(tmp_path, "[!include [x](b/inner.md)]\n\n```python\nmiddle\n```", name="a/middle.md")
    page = read(
        write(tmp_path, 'Text [!INCLUDE[y](<./a/middle.md> "title")] more', "```python\nouter\n```")
    ).page(None)

    places = [
        (block.text, page.lines[block.lines[0]].file.name, page.lines[block.lines[0]].number)
        for block in page.blocks
    ]
    assert places == [("inner", "inner.md", 5), ("middle", "middle.md", 4), ("outer", "page.md", 3)]


def test_an_include_of_itself_ends(tmp_path: Path) -> None:
    source = read(write(tmp_path, "[!INCLUDE [me](page.md)]"))

    assert [(one.target, one.cyclic) for one in source.missing] == [("page.md", True)]


def test_includes_that_are_shown_as_code_or_commented_out_are_not_followed(tmp_path: Path) -> None:
    source = read(
        write(
            tmp_path,
            "`[!INCLUDE [a](no.md)]`",
            "<!-- [!INCLUDE [a](no.md)] -->",
            "```md\n[!INCLUDE [a](no.md)]\n```",
        )
    )

    assert source.missing == []


def test_zones_belong_to_their_pivots_and_includes_inherit_them(tmp_path: Path) -> None:
    write(tmp_path, "```python\nincluded\n```", name="python.md")
    page = write(
        tmp_path,
        '::: zone pivot="programming-language-csharp"\n[!INCLUDE [c](absent.md)]\n::: zone-end',
        '::: zone pivot="programming-language-python"\n[!INCLUDE [p](python.md)]\n:::zone-end',
        '::: zone pivot="programming-language-csharp, programming-language-python"\n## Both\n::: zone-end',
    )
    source = read(page)

    assert source.pivots == ["programming-language-csharp", "programming-language-python"]
    assert source.matching("python") == ["programming-language-python"]
    python = source.page("programming-language-python")
    assert ([block.text for block in python.blocks], python.missing) == (["included"], [])
    assert [one.target for one in source.page("programming-language-csharp").missing] == [
        "absent.md"
    ]


def test_pieces_of_program_files_are_shown_as_blocks(tmp_path: Path) -> None:
    write(tmp_path, "one\n# <part>\ntwo\n# </part>\nthree", name="code/main.py")
    page = read(
        write(
            tmp_path,
            ':::code language="python" source="code/main.py" id="part":::',
            ':::code language="python" source="code/main.py" range="1,5":::',
            "[!code-python[Main](code/main.py?range=5-5)]",
            ':::code language="python" source="code/absent.py":::',
        )
    ).page(None)

    assert [block.code for block in page.blocks] == [["two"], ["one", "three"], ["three"]]
    assert page.lines[page.blocks[0].lines[0]].number == 3
    assert [one.target for one in page.missing] == ["code/absent.py"]


@pytest.mark.parametrize(
    ("title", "anchor"),
    [
        ("Issue an access token", "issue-an-access-token"),
        ("`get_token`: what it does", "get_token-what-it-does"),
        ("Access tokens (BYOI) & more", "access-tokens-byoi--more"),
        ("See [the docs](x.md)", "see-the-docs"),
        ("액세스 토큰 새로 고침", "액세스-토큰-새로-고침"),
    ],
)
def test_a_heading_gets_the_anchor_that_learn_gives_it(title: str, anchor: str) -> None:
    assert slugify(title) == anchor


def test_a_named_anchor_comes_before_the_translated_one(tmp_path: Path) -> None:
    page = read(write(tmp_path, '## <a name="run-the-code"></a>코드 실행')).page(None)

    assert page.headings[0].anchors == ["run-the-code", "코드-실행"]


def test_what_is_no_page_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "binary.md").write_bytes(b"\xff\xfe\x00")

    with pytest.raises(TutorialError, match="There is no page at"):
        read(tmp_path / "absent.md")
    with pytest.raises(TutorialError, match="is not UTF-8 text"):
        read(tmp_path / "binary.md")
