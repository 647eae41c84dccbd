"""Slides as a presenter shows them: opened from a file, turned with the keys, with the speaker's notes; and live."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from helpers import language
from helpers.slides import deck
from helpers.slides.notes import Notes
from helpers.validation import lessons

from .accessibility import violations
from .jupyterlab import SCREENSHOTS, ThePage
from .layout import broken_places
from .voila import ServedPage

# A projector's size. Below this share of their full size, slides could not be read from the last row.
SCREEN = {"width": 1280, "height": 720}
SMALLEST = 0.65

LANGUAGES = lessons.languages()
NUMBERS = [path.stem[:2] for path in lessons.select(language=language.SOURCE)]


@dataclass
class Stage:
    """A browser window for slides that remembers what went wrong in it and what it asked for."""

    page: Page
    errors: list[str] = field(default_factory=list)
    requests: list[str] = field(default_factory=list)

    def open(self, address: str) -> None:
        self.errors.clear()
        self.requests.clear()
        self.page.goto(address)
        self.page.wait_for_function("() => window.Reveal?.isReady()")

    @property
    def outside(self) -> list[str]:
        """What was asked for beyond the file itself."""
        return [address for address in self.requests if not address.startswith(("file:", "data:"))]

    def where(self) -> list[int]:
        return self.page.evaluate(
            "() => { const {h, v} = Reveal.getIndices(); return [h, v ?? 0]; }"
        )

    def turn(self) -> bool:
        """Press the key until another slide is there, fragments first; return whether there is one."""
        before = self.where()
        for _ in range(8):
            self.page.keyboard.press("ArrowRight")
            if self.where() != before:
                return True
        return False

    def slide(self) -> dict[str, Any]:
        """How the present slide stands in its frame, once it has been made to fit."""
        self.page.evaluate(
            "() => new Promise(done => requestAnimationFrame(() => setTimeout(done, 30)))"
        )
        return self.page.evaluate(
            """() => {
                const content = Reveal.getCurrentSlide().querySelector('.slide-content'), frame = content.parentElement;
                return {
                    name: content.innerText.slice(0, 40),
                    zoom: Number(content.style.zoom),
                    fits: frame.scrollHeight <= frame.clientHeight && content.scrollWidth <= content.clientWidth + 1,
                    empty: !content.innerText.trim(),
                };
            }"""
        )


@pytest.fixture(scope="module")
def decks(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Path]]:
    """A folder of decks for each language, built when it is asked for."""
    folder = tmp_path_factory.mktemp("slides")
    yield {code: folder / code for code in LANGUAGES}


def built(folder: Path, number: str) -> Path:
    """The deck of a lesson, in the language that *folder* is named after."""
    language.use(folder.name)
    try:
        return deck.build(lessons.select([number], language=folder.name), folder)[0]
    finally:
        language.use(language.SOURCE)


def notes_of(number: str, code: str) -> list[Notes]:
    (path,) = lessons.select([number], language=code)
    cells = lessons.read(path).content["cells"]
    return [found for cell in cells if (found := Notes.of(cell["metadata"]))]


def stage_in(context: BrowserContext) -> Stage:
    stage = Stage(context.new_page())
    context.on("request", lambda request: stage.requests.append(request.url))
    context.on("weberror", lambda error: stage.errors.append(str(error.error)))
    context.on(
        "console",
        lambda message: stage.errors.append(message.text) if message.type != "log" else None,
    )
    return stage


@pytest.fixture(scope="module", params=["light", pytest.param("dark", marks=pytest.mark.campaign)])
def stage(request: pytest.FixtureRequest, chromium: Browser) -> Iterator[Stage]:
    context = chromium.new_context(viewport=SCREEN, color_scheme=request.param)
    yield stage_in(context)
    context.close()


SHOWN = [
    pytest.param(
        code,
        number,
        id=f"{code}-{number}",
        marks=[] if (code, number) == ("en", "03") else [pytest.mark.campaign],
    )
    for code in LANGUAGES
    for number in NUMBERS
]


@pytest.mark.parametrize(("code", "number"), SHOWN)
def test_the_arrow_key_walks_all_slides_and_each_fits(
    code: str, number: str, stage: Stage, decks: dict[str, Path]
) -> None:
    stage.open(built(decks[code], number).as_uri())
    scheme = stage.page.evaluate("() => matchMedia('(prefers-color-scheme: dark)').matches")
    SCREENSHOTS.mkdir(parents=True, exist_ok=True)

    seen = []
    while True:
        seen.append(stage.slide())
        name = f"slides-{code}-{number}-{len(seen):02}-{'dark' if scheme else 'light'}.png"
        stage.page.screenshot(path=SCREENSHOTS / name)
        panels = stage.page.locator("section.present section.present .acs:not(.acs .acs)")
        if panels.count():
            assert broken_places(panels) == []
        if not stage.turn():
            break

    assert len(seen) == stage.page.evaluate("() => Reveal.getTotalSlides()")
    assert len(seen) == len(notes_of(number, code))
    assert [slide for slide in seen if slide["empty"] or not slide["fits"]] == []
    assert [slide for slide in seen if slide["zoom"] < SMALLEST] == []
    assert stage.errors == []
    assert stage.outside == []


def test_the_speaker_view_opens_from_a_file_and_follows(
    stage: Stage, decks: dict[str, Path]
) -> None:
    notes = notes_of("03", "en")
    stage.open(built(decks["en"], "03").as_uri())

    with stage.page.expect_popup() as popup:
        stage.page.keyboard.press("s")
    shown = popup.value.locator(".speaker-controls-notes .value")

    expect(shown).to_contain_text(notes[0].goal)
    expect(shown).to_contain_text(notes[0].say)
    expect(shown).to_contain_text("1 min")
    stage.turn()
    expect(shown).to_contain_text(notes[1].say)
    expect(shown).to_contain_text(notes[1].questions[0].answer)
    expect(shown).not_to_contain_text(notes[0].say)
    # How much time is left, by the minutes of each slide.
    expect(popup.value.locator(".pacing-title")).to_be_visible()
    popup.value.screenshot(path=SCREENSHOTS / "slides-speaker-view.png")
    popup.value.close()
    assert stage.errors == []
    assert stage.outside == []


@pytest.mark.campaign
@pytest.mark.parametrize("code", LANGUAGES)
def test_the_printed_slides_are_one_page_each_and_nothing_is_cut_off(
    code: str, stage: Stage, decks: dict[str, Path]
) -> None:
    stage.open(built(decks[code], "03").as_uri() + "?print-pdf")
    stage.page.wait_for_selector(".pdf-page")
    stage.page.emulate_media(media="print")
    stage.page.wait_for_timeout(500)

    pdf = stage.page.pdf(prefer_css_page_size=True, print_background=True)
    cut = stage.page.evaluate(
        "() => [...document.querySelectorAll('.slide-frame')].filter(f => f.scrollHeight > f.clientHeight).length"
    )

    stage.page.emulate_media(media="screen")
    assert cut == 0
    assert pdf.count(b"/Type /Page\n") == len(notes_of("03", code))


@pytest.mark.campaign
@pytest.mark.parametrize("code", LANGUAGES)
def test_the_index_and_the_slides_have_no_serious_accessibility_problem(
    code: str, stage: Stage, decks: dict[str, Path]
) -> None:
    language.use(code)
    try:
        index = deck.build(lessons.select(["00", "03"], language=code), decks[code])[0]
    finally:
        language.use(language.SOURCE)

    stage.page.goto(index.as_uri())
    found = violations(stage.page, "main")
    stage.page.screenshot(path=SCREENSHOTS / f"slides-{code}-index.png")
    stage.page.get_by_role("link").last.click()
    stage.page.wait_for_function("() => window.Reveal?.isReady()")
    # What lies over the slides, and can be seen through, keeps axe from judging contrasts.
    stage.page.add_style_tag(content=".reveal > :not(.slides) { display: none !important; }")
    while True:
        stage.slide()
        found += violations(stage.page, "section.present section.present")
        if not stage.turn():
            break

    assert found == []


@pytest.mark.campaign
@pytest.mark.parametrize("code", LANGUAGES)
def test_live_slides_answer_clicks(code: str, chromium: Browser, tmp_path: Path) -> None:
    context = chromium.new_context(viewport=SCREEN, color_scheme="dark")
    window = ThePage(context.new_page())
    stage = Stage(window.page)
    with ServedPage(tmp_path, "slides", "03", "--live", "--language", code) as served:
        window.page.goto(served.address)
        window.page.wait_for_function("() => window.Reveal?.isReady()", timeout=60_000)
        window.page.locator(".acs-scope-picker").first.wait_for(state="attached", timeout=30_000)
        picker = window.page.locator("section.present section.present .acs-scope-picker")
        while not picker.count():
            assert stage.turn()

        picker.get_by_label("chat", exact=True).click()

        expect(picker).to_contain_text('scopes = ["chat", "chat.join", "voip.join"]')
        window.page.screenshot(path=SCREENSHOTS / f"slides-{code}-live.png")
        assert stage.turn()  # a box that was clicked does not keep the keys
        preview = window.page.locator("section.present section.present .acs-call-preview")
        expect(preview).to_contain_text('["chat", "chat.join", "voip.join"]')
        with window.page.expect_popup() as popup:
            window.page.keyboard.press("s")
        expect(popup.value.locator(".speaker-controls-notes .value")).to_contain_text(
            notes_of("03", code)[3].say, timeout=30_000
        )
        assert window.outside_requests == []
        assert window.console_errors == []
        assert not served.refused.exists(), served.refused.read_text()
        context.close()
        assert served.stop() == 0
