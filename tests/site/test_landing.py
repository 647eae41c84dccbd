from __future__ import annotations

import json
import re
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path

import pytest

from helpers import language
from helpers.site import landing

NOTEBOOKS = Path(__file__).resolve().parents[2] / "notebooks"
LANGUAGES = language.available()


@pytest.fixture(params=LANGUAGES)
def code(request: pytest.FixtureRequest) -> Iterator[str]:
    language.use(request.param)
    yield request.param
    language.use(language.SOURCE)


@pytest.fixture
def page(code: str) -> str:
    return landing.page(NOTEBOOKS, fetch_ahead=["static/pyodide/pyodide.mjs"])


class _Addresses(HTMLParser):
    """Collects what a page links to, by the name of the element."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: list[tuple[str, str]] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        for name, value in attributes:
            if name in ("href", "src", "srcset", "action", "data", "poster"):
                self.found.append((tag, value or ""))


def test_the_page_says_which_language_it_is_in(code: str, page: str) -> None:
    assert f'<html lang="{code}">' in page


def test_every_lesson_is_on_the_page_with_its_own_words(code: str, page: str) -> None:
    for path in sorted((NOTEBOOKS / code).glob("[0-9]*.ipynb")):
        first = "".join(json.loads(path.read_text(encoding="utf-8"))["cells"][0]["source"])
        number, title = re.match(r"# (\d+) · (.+)", first).groups()  # type: ignore[union-attr]
        minutes = re.search(r"\*\* (\d+)", first)[1]  # type: ignore[index]
        row = re.search(rf'<li><a href="[^"]+path={code}/{path.name}">.*?</li>', page)
        assert row, path.name
        assert number in row[0]
        assert title in row[0]
        assert minutes in re.search(r'class="time">(.*?)<', row[0])[1]  # type: ignore[index]


def test_the_page_asks_no_other_address_for_anything(page: str) -> None:
    addresses = _Addresses(page).found

    assert addresses
    assert [found for found in addresses if re.match(r"(\w+:)?//", found[1])] == []
    without_namespace = page.replace("http://www.w3.org/2000/svg", "")
    assert re.findall(r"\w+://\S+", without_namespace) == []
    assert re.findall(r"@import|url\(", page) == []


def test_links_lead_to_what_the_builder_writes(code: str, page: str) -> None:
    root = "." if code == language.SOURCE else ".."
    folders = {
        address.removeprefix(f"{root}/").partition("/")[0]
        for tag, address in _Addresses(page).found
        if tag == "a" and not address.startswith("#")
    }

    assert folders - {"files", "", *LANGUAGES} == {"lab" if code == "en" else f"lab-{code}"}


def test_the_note_on_the_future_is_the_one_of_the_lessons(code: str, page: str) -> None:
    lesson = landing.read_lesson(NOTEBOOKS / code / "00-start-here.ipynb")
    note = page.partition('<p class="note">')[2].partition("</p>")[0]

    assert "**" in lesson.note
    assert "<strong>" in note
    assert re.sub(r"</?strong>", "**", note) == lesson.note
    assert "2028" in note


def test_what_lessons_say_cannot_become_markup(tmp_path: Path) -> None:
    first = "# 00 · <b>Bold</b>\n\n**After** `<i>` & more.\n\n**Time:** 10 minutes."
    notebook = {"cells": [{"cell_type": "markdown", "source": [first]}]}
    (tmp_path / "en").mkdir()
    (tmp_path / "en" / "00-a.ipynb").write_text(json.dumps(notebook), encoding="utf-8")

    page = landing.page(tmp_path, fetch_ahead=["</script><script>alert(1)//"])

    assert "&lt;b&gt;Bold&lt;/b&gt;" in page
    assert "<code>&lt;i&gt;</code> &amp; more" in page
    assert "</script><script>alert" not in page


def test_each_language_leads_to_the_others(code: str, page: str) -> None:
    nav = page.partition("<nav")[2].partition("</nav>")[0]

    assert nav.count("<a ") == len(LANGUAGES) - 1
    assert f'aria-current="page" lang="{code}"' in nav


def test_the_first_page_is_small(page: str) -> None:
    assert len(page.encode()) <= 24_000
