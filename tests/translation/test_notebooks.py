"""Lessons in another language: the same program, the same marks, other words."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from helpers.language import SOURCE, available
from helpers.translation import notebooks
from helpers.translation.notebooks import (
    built,
    english,
    folder_of,
    keep_outputs,
    read,
    texts_of,
)

LANGUAGES = [code for code in available() if code != SOURCE]
PAIRS = [
    pytest.param(original, folder_of(code) / original.name, code, id=f"{code}-{original.stem}")
    for code in LANGUAGES
    for original in english()
]
each_pair = pytest.mark.parametrize(("original", "translation", "code"), PAIRS)


def code_cells(notebook: dict[str, Any]) -> list[str]:
    return [cell["source"] for cell in notebook["cells"] if cell["cell_type"] == "code"]


@each_pair
def test_code_is_the_same_but_for_the_language_of_the_session(
    original: Path, translation: Path, code: str
) -> None:
    ours = "\n".join(code_cells(read(translation)))
    theirs = "\n".join(code_cells(read(original)))

    assert ours.count(f'language="{code}"') == 1
    assert ours.replace(f', language="{code}"', "").replace(f'language="{code}"', "") == theirs


@each_pair
def test_names_kinds_and_metadata_of_the_cells_are_the_same(
    original: Path, translation: Path, code: str
) -> None:
    def frame(path: Path) -> list[tuple[str, str, object]]:
        return [
            (cell["id"], cell["cell_type"], without_words(cell["metadata"]))
            for cell in read(path)["cells"]
        ]

    assert frame(translation) == frame(original)


def without_words(metadata: dict[str, Any]) -> dict[str, Any]:
    """Metadata with all words of the speaker notes replaced by one."""
    notes = metadata.get("acs", {}).get("notes")
    if notes is None:
        return metadata
    words = re.compile(r'(?<=: )"(?:[^"\\]|\\.)*"')
    wordless = json.loads(words.sub('"…"', json.dumps(notes)))
    return metadata | {"acs": metadata["acs"] | {"notes": wordless}}


@each_pair
def test_every_word_to_the_presenter_is_another_one(
    original: Path, translation: Path, code: str
) -> None:
    ours, theirs = (
        [text for cell in read(path)["cells"] if notes_of(cell) for text in texts_of(cell)]
        for path in (translation, original)
    )

    assert len(ours) == len(theirs)
    assert set(ours) & set(theirs) == set()


def notes_of(cell: dict[str, Any]) -> Any:
    return cell["metadata"].get("acs", {}).get("notes")


@each_pair
def test_every_text_is_another_one(original: Path, translation: Path, code: str) -> None:
    same = [
        cell["id"]
        for cell, other in zip(read(original)["cells"], read(translation)["cells"], strict=True)
        if cell["cell_type"] == "markdown" and cell["source"] == other["source"]
    ]

    assert same == []


def cell(name: str, kind: str, source: str, **rest: Any) -> dict[str, Any]:
    cell = {"id": name, "cell_type": kind, "source": source, "metadata": {}, **rest}
    return cell | ({"outputs": [], "execution_count": None} if kind == "code" else {})


def notebook(*cells: dict[str, Any]) -> dict[str, Any]:
    return {"cells": list(cells), "metadata": {"acs": {"outputs": "sandbox"}}}


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ('s = helpers.start("03")', 's = helpers.start("03", language="xx")'),
        ("s = helpers.start()", 's = helpers.start(language="xx")'),
        ("restart()\nclient.start(1)", "restart()\nclient.start(1)"),
    ],
)
def test_only_the_session_learns_the_language(source: str, expected: str) -> None:
    made = built(notebook(cell("a", "code", source)), "xx", str.upper)

    assert made["cells"][0]["source"] == expected


def test_slide_marks_and_tags_are_kept() -> None:
    marks = {"slideshow": {"slide_type": "slide"}, "tags": ["x"], "acs": {"step": "y"}}

    made = built(notebook(cell("a", "markdown", "words", metadata=marks)), "xx", str.upper)

    assert made["cells"][0] == cell("a", "markdown", "WORDS", metadata=marks)


def test_speaker_notes_are_translated_and_nothing_else_of_the_metadata() -> None:
    notes = {"minutes": 2, "say": "words", "questions": [{"question": "what", "answer": "that"}]}
    marks = {"slideshow": {"slide_type": "slide"}, "acs": {"step": "y", "notes": notes}}
    original = notebook(cell("a", "code", "1", metadata=marks))

    made = built(original, "xx", str.upper)

    assert list(texts_of(original["cells"][0])) == ["words", "what", "that"]
    assert made["cells"][0]["metadata"] == {
        "slideshow": {"slide_type": "slide"},
        "acs": {
            "step": "y",
            "notes": {
                "minutes": 2,
                "say": "WORDS",
                "questions": [{"question": "WHAT", "answer": "THAT"}],
            },
        },
    }
    assert notes["say"] == "words"  # the original is left alone


def run(notebook: dict[str, Any]) -> dict[str, Any]:
    for number, code in enumerate(notebook["cells"], start=1):
        code["outputs"], code["execution_count"] = [{"text": str(number)}], number
    return notebook


def test_outputs_are_kept_as_long_as_the_program_is_the_same() -> None:
    stored = run(notebook(cell("a", "code", "1"), cell("b", "code", "2")))
    same = built(stored, "xx", str)
    changed = built(notebook(cell("a", "code", "1"), cell("b", "code", "3")), "xx", str)
    longer = built(notebook(*stored["cells"], cell("c", "code", "3")), "xx", str)

    assert keep_outputs(same, stored)
    assert same == stored
    assert not keep_outputs(changed, stored)
    assert not keep_outputs(longer, stored)
    assert [code["outputs"] for code in (*changed["cells"], *longer["cells"])] == [[]] * 5


def test_writing_what_was_read_changes_nothing(tmp_path: Path) -> None:
    for path in english():
        copy = tmp_path / path.name
        notebooks.write(read(path), copy)

        assert copy.read_bytes() == path.read_bytes()
