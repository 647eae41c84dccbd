"""A language that nobody speaks, from one catalogue alone: a new language needs nothing else, and no text goes past it.

Every message is put into brackets, in accented letters and a third longer, as many languages are. What is still plain English
in what a lesson shows did not come through the catalogue.
"""

from __future__ import annotations

import ast
import json
import os
import re
import shutil
import subprocess
import sys
from html import unescape
from pathlib import Path

import pytest

from helpers.translation import catalogue
from helpers.translation.text import _KEPT

ROOT = Path(__file__).parents[2]

ACCENTED = str.maketrans("aceinouyACEINOUY", "áçéíñóúýÁÇÉÍÑÓÚÝ")

# What the service, the SDK, the lessons' own code or HTTP say is English in every language; so are Python's own words.
NOT_OURS = (
    # The service's words, as they go over the wire.
    r"Denied by the resource provider",
    r"Value must be within the",
    r"Provided identity doesn't exist",
    r"Scopes field is required",
    # The programs of the lessons.
    r"Azure Communication Services - Access Tokens Quickstart",
    r"(?:Created an|Deleted the) identity with ID",
    r"Issued an access token [^:]*",
    r"Refreshed the access token of the identity with ID",
    r"Successfully revoked all access tokens for identity with ID",
    r"a user of Azure Communication Services",
    r"the resource that the identity belongs to",
    r"this one identity",
    r"'\w+' object has no attribute",
    r"request (?:so far|was sent)",
)  # fmt: skip


def pseudo(text: str) -> str:
    """Return a message as the made-up language has it; code, links, placeholders and the marks of Markdown stay."""
    kept = re.compile(
        rf"{_KEPT.pattern}|\{{[^}}]*\}}|%\(?\w*\)?[sdr]|^#+ |^[-|] ?|[|*\[\]()]|^```.*$|\s+$|^\s+",
        re.MULTILINE,
    )
    result, end = [], 0
    for mark in kept.finditer(text):
        result += [_dressed(text[end : mark.start()]), mark[0]]
        end = mark.end()
    return "".join([*result, _dressed(text[end:])])


def _dressed(words: str) -> str:
    if not re.search(r"[A-Za-z]", words):
        return words
    padding = "~" * (len(words) // 3)
    body = words.strip()
    return words.replace(body, f"⟦{body.translate(ACCENTED)}{padding}⟧")


# Runs every lesson once more.
pytestmark = pytest.mark.campaign


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the project in which one file was added: the catalogue of “xx”."""
    copy = tmp_path_factory.mktemp("pseudo")
    for folder in ("helpers", "notebooks"):
        shutil.copytree(
            ROOT / folder, copy / folder, ignore=shutil.ignore_patterns("__pycache__", "ko")
        )
    shutil.copytree(ROOT / "tests" / "notebooks", copy / "tests" / "notebooks")
    made = catalogue.updated(catalogue.read("xx"), catalogue.template())
    for message in made:
        if message.id and isinstance(message.id, str):
            message.string = pseudo(message.id)
        elif message.id:
            message.string = tuple(pseudo(form) for form in message.id)
    path = copy / "helpers" / "locale" / "xx" / "LC_MESSAGES" / "acs-tutorial.po"
    path.parent.mkdir(parents=True)
    path.write_bytes(catalogue.as_po(made))
    return copy


def acs_tutorial(project: Path, *arguments: str, **environment: str) -> str:
    ran = subprocess.run(
        [sys.executable, "-m", "helpers.cli", *arguments],
        cwd=project,
        env={
            **os.environ,
            "PYTHONPATH": os.pathsep.join([str(project), os.environ.get("PYTHONPATH", "")]),
            "PYTHONUTF8": "1",
            **environment,
        },
        capture_output=True,
        encoding="utf-8",
        check=True,
    )
    return ran.stdout


@pytest.fixture(scope="module")
def lessons(project: Path) -> dict[str, dict[str, object]]:
    """The lessons in “xx”, built and run by the translators' command."""
    said = acs_tutorial(project, "translate", "xx")
    assert said.splitlines()[-1] == "xx: everything is translated."
    return {
        path.stem: json.loads(path.read_text(encoding="utf-8"))
        for path in sorted((project / "notebooks" / "xx").glob("*.ipynb"))
    }


def english_in(text: str) -> list[str]:
    """The pieces of a text that are three plain English words in a row."""
    text = re.sub(
        r"<style>.*?</style>|<(?:code|pre)\b.*?</(?:code|pre)>", " ", text, flags=re.DOTALL
    )
    text = unescape(re.sub(r"<[^>]+>", " · ", text))
    while "⟦" in (text := re.sub(r"⟦[^⟦⟧]*⟧", " · ", text)) and re.search(r"⟦[^⟦⟧]*⟧", text):
        pass
    for phrase in NOT_OURS:
        text = re.sub(phrase, " · ", text)
    return re.findall(r"[A-Za-z][a-z']+(?:,? [a-z']{2,}){2,}", text)


def test_adding_a_language_is_adding_its_catalogue(lessons: dict[str, dict[str, object]]) -> None:
    originals = {path.stem for path in (ROOT / "notebooks" / "en").glob("*.ipynb")}

    assert set(lessons) == originals
    assert "⟦" in str(lessons["00-start-here"])


def test_everything_that_a_lesson_shows_comes_through_the_catalogue(
    lessons: dict[str, dict[str, object]],
) -> None:
    left = {
        (name, cell["id"], piece)
        for name, lesson in lessons.items()
        for cell in lesson["cells"]  # type: ignore[attr-defined]
        for text in shown(cell)
        for piece in english_in(text)
    }

    assert left == set()


def shown(cell: dict[str, object]) -> list[str]:
    if cell["cell_type"] == "markdown":
        # Code blocks are the same in every language.
        source = re.sub(r"```\w*\n.*?```", " ", "".join(cell["source"]), flags=re.DOTALL)  # type: ignore[arg-type]
        return [re.sub(r"`[^`]*`|\]\([^)]*\)|<!--.*?-->", " · ", source)]
    texts = []
    for output in cell.get("outputs", []):  # type: ignore[attr-defined]
        data = output.get("data", {})
        for text in (output.get("text", ""), data.get("text/plain", ""), data.get("text/html", "")):
            texts.append("".join(text))
    # What the lesson's own code prints is the code's, which is the same in every language.
    printed = [
        node.value.strip()
        for node in ast.walk(ast.parse("".join(cell["source"])))  # type: ignore[arg-type]
        if isinstance(node, ast.Constant)
        and isinstance(node.value, str)
        and " " in node.value.strip()
    ]
    for literal in sorted(printed, key=len, reverse=True):
        texts = [text.replace(literal, " · ") for text in texts]
    return texts


@pytest.mark.parametrize(
    "arguments",
    [["--help"], ["quickstart", "--help"], ["sandbox", "--help"], ["translate", "--help"]],
)
def test_everything_that_the_command_line_says_comes_through_the_catalogue(
    project: Path, lessons: dict[str, dict[str, object]], arguments: list[str]
) -> None:
    text = acs_tutorial(project, "--language", "xx", *arguments, COLUMNS="1000")

    assert english_in(text) == []


def test_the_quickstart_and_the_badge_speak_the_chosen_language(
    project: Path, lessons: dict[str, dict[str, object]]
) -> None:
    said = acs_tutorial(project, "--language", "xx", "quickstart")

    assert re.match(r"⟦Sáñdbóx~*⟧ · ⟦ñóthíñg léávés", said)
    assert english_in(said) == []


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        ("Hello", "⟦Hélló~⟧"),
        ("Call `get_token` for {name}.", "⟦Çáll~⟧ `get_token` ⟦fór~⟧ {name}."),
        ("## Your turn", "## ⟦Ýóúr túrñ~~~⟧"),
        ("1440", "1440"),
    ],
)
def test_the_made_up_language_keeps_what_must_stay(message: str, expected: str) -> None:
    assert pseudo(message) == expected


def test_plain_english_is_seen() -> None:
    assert english_in("<b>This is plain</b> ⟦ñót thís óñé⟧") == ["This is plain"]
    assert english_in("⟦óúter ⟦íññer text of mine⟧ more of it⟧") == []
