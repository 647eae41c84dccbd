"""A deck: one file that needs nothing but a browser, with every slide and every note in it."""

from __future__ import annotations

import re
import secrets
from base64 import urlsafe_b64encode
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path

import nbformat
import pytest

from helpers import cli, language, settings
from helpers.masking import masked
from helpers.slides import deck
from helpers.slides.notes import Notes
from helpers.validation import lessons
from tests.notebooks.lessons import LESSONS

# What makes a browser fetch something: not the target of a link, which waits for a click.
_FETCHES = {"src", "srcset", "href", "data", "poster", "action", "xlink:href"}


class Page(HTMLParser):
    """What a page is made of."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.fetched: list[str] = []
        self.links: list[str] = []
        self.styles = ""
        self.opened: list[str] = []
        self.timings: list[int] = []
        self.asides = ""
        self._inside: list[str] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        self.opened.append(tag)
        self._inside.append(tag)
        for name, value in attributes:
            if tag == "a" and name == "href":
                if not (value or "").startswith("#"):
                    self.links.append(value or "")
            elif name in _FETCHES and not (value or "").startswith("data:"):
                self.fetched.append(value or "")
            elif name == "data-timing":
                self.timings.append(int(value or 0))

    def handle_endtag(self, tag: str) -> None:
        while self._inside and self._inside.pop() != tag:
            pass

    def handle_data(self, data: str) -> None:
        if self._inside[-1:] == ["style"]:
            self.styles += data
        if "aside" in self._inside:
            self.asides += data


@pytest.fixture(autouse=True)
def _english_again() -> Iterator[None]:
    yield
    language.use(language.SOURCE)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The decks of three lessons, with their index."""
    built = tmp_path_factory.mktemp("slides")
    deck.build([LESSONS[0], LESSONS[3], LESSONS[9]], built)
    return built


@pytest.fixture(scope="module")
def korean(tmp_path_factory: pytest.TempPathFactory) -> Path:
    built = tmp_path_factory.mktemp("slides-ko")
    assert cli.main(["slides", "03", "--language", "ko", "--output", str(built)]) == 0
    return built / "03-issue-access-tokens.html"


def page(path: Path) -> Page:
    return Page(path.read_text("utf-8"))


def notes_of(path: Path) -> list[Notes]:
    cells = lessons.read(path).content["cells"]
    return [found for cell in cells if (found := Notes.of(cell["metadata"]))]


def test_nothing_is_fetched_from_anywhere(folder: Path) -> None:
    files = list(folder.iterdir())

    assert len(files) == 4
    for file in files:
        assert page(file).fetched == []
        styles = page(file).styles
        assert not re.search(r"@import|url\((?!['\"]?data:)", styles)
        program = file.read_text("utf-8")
        assert not re.search(r"\bfetch\(['\"]|importScripts|sourceMappingURL|new Worker", program)


def test_the_programs_inside_do_not_end_the_page_they_are_in(folder: Path) -> None:
    # The speaker view is a page inside of a program.
    opened = page(folder / "03-issue-access-tokens.html").opened

    assert opened.count("script") == 1
    assert opened.count("html") == opened.count("body") == 1
    assert not re.search("</script|<!--", deck.assets()["program"], re.IGNORECASE)


def test_every_slide_is_there_with_its_time_and_its_notes(folder: Path) -> None:
    for lesson in (LESSONS[0], LESSONS[3], LESSONS[9]):
        made = page(folder / f"{lesson.stem}.html")
        notes = notes_of(lesson)

        assert made.timings == [round(each.minutes * 60) for each in notes]
        for each in notes:
            said = each.say.replace("`", "")
            assert said in made.asides
            for question in each.questions:
                assert question.question in made.asides
                assert question.answer in made.asides
        assert notes[0].goal in made.asides


def test_explanations_that_are_no_slide_are_notes(folder: Path) -> None:
    made = page(folder / "00-start-here.html")

    assert "Read the card from top to bottom" in made.asides


def test_pictures_stand_in_for_widgets(folder: Path) -> None:
    html = (folder / "03-issue-access-tokens.html").read_text("utf-8")

    assert 'class="acs acs-scope-picker"' in html
    assert "ScopePicker(value=" not in html


def test_a_picture_comes_before_a_view_that_needs_a_kernel() -> None:
    view, state = (f"application/vnd.jupyter.widget-{part}+json" for part in ("view", "state"))
    data = {view: {"model_id": "m1"}, "text/html": "<b>a picture</b>", "text/plain": "Widget()"}
    output = nbformat.v4.new_output("execute_result", data)
    # As JupyterLab saves it, when it is asked to keep the state of widgets.
    notebook = nbformat.v4.new_notebook(
        cells=[nbformat.v4.new_code_cell("widget", outputs=[output])],
        metadata={
            "widgets": {state: {"state": {"m1": {}}, "version_major": 2, "version_minor": 0}}
        },
    )

    html = deck.deck(notebook, "own")

    assert "<b>a picture</b>" in html
    assert "m1" not in html.partition("<body")[2].partition("reveal.js 4")[0]


def test_code_that_would_not_fit_stays_away_and_skipped_cells_too(folder: Path) -> None:
    html = (folder / "09-complete-quickstart.html").read_text("utf-8")

    assert "Deleted the identity with ID: " in html  # what the program printed
    assert "What may be printed of a token" not in html  # the program itself
    assert "The page as it began" not in html


def test_tokens_that_somebody_saved_are_masked(tmp_path: Path) -> None:
    parts = [urlsafe_b64encode(b'{"a' + secrets.token_bytes(60)).decode() for _ in range(3)]
    token = ".".join(parts).replace("=", "")
    notebook = nbformat.v4.new_notebook(
        cells=[
            nbformat.v4.new_markdown_cell("# Mine"),
            nbformat.v4.new_code_cell(
                "print(token)", outputs=[nbformat.v4.new_output("stream", text=token)]
            ),
        ]
    )
    path = tmp_path / "mine.ipynb"
    nbformat.write(notebook, path)

    (file,) = deck.build([path], tmp_path)

    assert token not in file.read_text("utf-8")
    assert masked(token) in file.read_text("utf-8")


def test_links_lead_to_decks_that_are_there(folder: Path, tmp_path: Path) -> None:
    (alone,) = deck.build([LESSONS[0]], tmp_path)

    for file in folder.iterdir():
        targets = [link for link in page(file).links if not link.startswith("https://")]
        assert [target for target in targets if not (folder / target).exists()] == []
    assert "03-issue-access-tokens.html" in page(folder / "00-start-here.html").links
    assert page(alone).links == []


def test_the_index_names_every_deck_with_goal_and_time(folder: Path) -> None:
    html = (folder / "index.html").read_text("utf-8")

    assert page(folder / "index.html").links == [
        "00-start-here.html",
        "03-issue-access-tokens.html",
        "09-complete-quickstart.html",
    ]
    for text in ("03 · Issue access tokens", "15 min", notes_of(LESSONS[3])[0].goal):
        assert text in html


def test_korean_slides_are_korean_throughout(korean: Path) -> None:
    made = page(korean)
    notes = notes_of(lessons.select(["03"], language="ko")[0])

    assert '<html lang="ko">' in korean.read_text("utf-8")
    assert "목표:" in made.asides
    assert notes[0].say in made.asides
    assert re.search("[가-힣]", notes[0].say)
    assert "Goal:" not in made.asides and " min" not in made.asides
    assert made.fetched == []


# The command


def test_the_command_says_where_the_slides_are_and_how_to_show_them(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(["slides", "4", "--output", str(tmp_path / "new" / "folder")]) == 0

    first, *others = capsys.readouterr().out.splitlines()
    assert first == f"1 lesson as slides: {tmp_path / 'new' / 'folder' / LESSONS[4].stem}.html"
    assert Path(first.partition(": ")[2]).is_file()
    assert "S opens the speaker's notes" in " ".join(others)


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["77"], "There is no lesson “77”"),
        (["--live"], "say which, for example: acs-tutorial slides --live 03"),
        (["04", "--output", __file__], "cannot be written"),
    ],
)
def test_a_mistake_is_answered_in_one_sentence(
    arguments: list[str], complaint: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(["slides", *arguments]) == 1

    said = capsys.readouterr().err
    assert complaint in said
    assert len(said.splitlines()) == 1


def test_live_slides_run_on_the_sandbox_whatever_the_settings_say(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    served: list[tuple[Path, str]] = []
    monkeypatch.setenv(settings.MODE, "live")
    monkeypatch.setattr(
        "helpers.cli.page.serve",
        lambda path, **options: served.append((path, settings.load().mode)),
    )

    assert cli.main(["slides", "--live", "03"]) == 0

    assert served == [(LESSONS[3], "sandbox")]
