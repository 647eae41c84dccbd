"""The Korean catalogue: complete, consistent, and Korean that reads well whatever stands in its placeholders."""

from __future__ import annotations

import csv
import re
from pathlib import Path

import pytest
from babel.messages.catalog import Message

from helpers.translation import catalogue
from helpers.translation.catalogue import LESSON

GLOSSARY = Path(catalogue.__file__).parents[1] / "locale" / "ko" / "glossary.csv"


def sentences() -> list[tuple[str, str, Message]]:
    """Every message in English and Korean."""
    pairs = []
    for message in catalogue.read("ko"):
        if message.id and message.string and not message.fuzzy:
            english = message.id if isinstance(message.id, str) else message.id[-1]
            korean = message.string if isinstance(message.string, str) else message.string[0]
            pairs.append((english, korean, message))
    return pairs


SENTENCES = sentences()


def prose(text: str) -> str:
    """What is left of a text without code, links, placeholders, names of files and variables."""
    text = re.sub(r"“[^”]*”|acs-tutorial \w+|\w+, \w+ = .*|\w+\(.*?\)", " ", text)
    text = re.sub(r"```text\n|```", "", text)
    text = re.sub(r"`[^`]+`|\]\([^)]+\)|https?://\S+|\{[^}]*\}|<[^>]+>", " ", text)
    text = re.sub(r"\w*[A-Za-z]\w*(?:[._/=(\[][\w.=()\[\]\"':+, ]*)+", " ", text)
    return re.sub(r"\b[A-Za-z]+_\w+|--[\w-]+|\b\w+-\w+-\w+|(?<!\w)\.\w+|\b[A-Z]{3,}\b", " ", text)


def glossary() -> list[dict[str, str]]:
    with GLOSSARY.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_everything_is_translated() -> None:
    updated = catalogue.updated(catalogue.read("ko"), catalogue.template())

    problems = [
        (problem.kind, problem.places, problem.english) for problem in catalogue.problems(updated)
    ]

    assert problems == []


@pytest.mark.parametrize("term", glossary(), ids=lambda term: term["english"])
def test_a_term_is_translated_the_same_way_everywhere(term: dict[str, str]) -> None:
    # A longer term comes first: an “access key” is no “key” of another kind.
    word = re.compile(rf"\b{term['english']}(?:s|d|ed|es)?\b", re.IGNORECASE)
    missing = [
        (english, korean)
        for english, korean, _message in SENTENCES
        if word.search(prose(english))
        and not any(word_for_it in korean for word_for_it in term["korean"].split("|"))
    ]
    avoided = [
        korean
        for _english, korean, _message in SENTENCES
        for word_to_avoid in filter(None, term["avoid"].split("|"))
        if word_to_avoid in korean
    ]

    assert missing == []
    assert avoided == []


def test_particles_fit_whatever_stands_in_a_placeholder() -> None:
    # 을/를, 은/는, 이/가, 과/와, (으)로 depend on the last sound of what stands before them, which nobody knows here.
    # That goes for code as well, which everyone reads aloud in another way.
    risky = re.compile(
        r"[}`]['\"”’]*(?:을|를|은|는|이|가|과|와|로|으로|이나|나|라는|이라는|이며|며|이고|예요)(?![가-힣])"
    )
    written_out = re.compile(
        r"[을은이과]\((?:를|는|가|와)\)|\((?:으|이)\)|\S(?:을/를|은/는|이/가|와/과)"
    )

    assert [korean for _, korean, _ in SENTENCES if risky.search(korean)] == []
    assert [korean for _, korean, _ in SENTENCES if written_out.search(korean)] == []


def test_emphasis_ends_where_markdown_can_see_it() -> None:
    # “**(…)**은” is not bold: after punctuation, the closing asterisks need a space or punctuation behind them.
    emphasis = re.compile(r"(?<!\*)(\*{1,2})(?![\s*])(?P<inside>.+?)\1(?P<after>.?)")

    assert [
        korean
        for _, korean, _ in SENTENCES
        for found in emphasis.finditer(korean)
        if not found["inside"][-1].isalnum() and found["after"].isalnum()
    ] == []


def test_sentences_are_in_the_polite_form() -> None:
    plain = re.compile(r"(?:한다|된다|이다|있다|없다|않는다|했다|해요|돼요|예요|이에요|네요)[.!?]")

    assert [korean for _, korean, _ in SENTENCES if plain.search(korean)] == []


def test_no_english_sentence_is_left() -> None:
    # Three English words in a row are a sentence; names of products and of things on the screen are not.
    names = (
        "Azure Communication Services", "Microsoft Entra ID", "Microsoft Entra", "Microsoft Teams", "Virtual Room",
        "SARIF", "VoIP", "Shift + Enter", "Azure Portal", "Learn", "JupyterLab", "acs-tutorial", "uv run", "uv pip install",
        "az account get-access-token --resource", "pip install uv",
    )  # fmt: skip
    left = []
    for _english, korean, _message in SENTENCES:
        text = prose(korean)
        for name in names:
            text = text.replace(name, " ")
        if re.search(r"[A-Za-z]{2,}(?: [a-z]{2,}){2}", text):
            left.append(korean)

    assert left == []


def test_a_translation_begins_and_ends_like_its_original() -> None:
    def frame(text: str) -> tuple[str, str]:
        return text[: len(text) - len(text.lstrip())], text[len(text.rstrip()) :]

    assert [korean for english, korean, _ in SENTENCES if frame(english) != frame(korean)] == []


def test_lessons_have_a_context_of_their_own() -> None:
    assert {message.context for _, _, message in SENTENCES} >= {None, LESSON}
