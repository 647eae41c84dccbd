"""The tutorial as a web page, built and opened in a browser that can reach nothing but the page's own address."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Literal

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright

from .accessibility import violations
from .hands import Hand, Keyboard, Mouse
from .jupyterlab import PROJECT, SCREENSHOTS, Lesson, ThePage
from .static_site import StaticSite, browser_without_network, outside_requests

pytestmark = pytest.mark.campaign

LESSONS = sorted(
    path.relative_to(PROJECT / "notebooks").with_suffix("").as_posix()
    for path in (PROJECT / "notebooks").glob("*/*.ipynb")
)
# The bar of the design: from opening the page to the first token.
FIRST_TOKEN_SECONDS = 30

OpenLesson = Callable[[str], Lesson]


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[StaticSite]:
    site = StaticSite(tmp_path_factory.mktemp("site") / "site")
    site.build()
    site.expose_the_app()
    with site:
        yield site


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = browser_without_network(playwright)
        if browser is None:
            pytest.skip("no Chromium, Chrome or Edge was found on this machine")
        yield browser
        browser.close()


@pytest.fixture
def context(browser: Browser, site: StaticSite) -> Iterator[BrowserContext]:
    """A profile that has never seen the site; in the end, nothing but the site may have been asked for anything."""
    context = browser.new_context(viewport={"width": 1280, "height": 900}, locale="en-US")
    outside = outside_requests(context, site)
    yield context
    context.close()
    assert outside == []


@pytest.fixture
def page(context: BrowserContext) -> Iterator[Page]:
    """A new tab; in the end, nothing may have been complained about on its console."""
    window = ThePage(context.new_page())
    yield window.page
    assert window.console_errors == []


@pytest.fixture(scope="module")
def windows(browser: Browser, site: StaticSite) -> Iterator[dict[str, ThePage]]:
    """JupyterLab in every language, loaded once for all lessons."""
    windows: dict[str, ThePage] = {}
    context = browser.new_context(viewport={"width": 1280, "height": 900}, locale="en-US")
    outside = outside_requests(context, site)
    yield windows
    context.close()
    assert outside == []


@pytest.fixture
def open_lesson(
    windows: dict[str, ThePage], browser: Browser, site: StaticSite
) -> Iterator[OpenLesson]:
    """Open a lesson by its path, such as ``en/03-issue-access-tokens``."""
    opened: list[Lesson] = []

    def open_it(name: str) -> Lesson:
        code = name.partition("/")[0]
        if code not in windows:
            context = browser.contexts[0]
            windows[code] = ThePage(context.new_page())
            app = "lab" if code == "en" else f"lab-{code}"
            windows[code].page.goto(f"{site.address}{app}/index.html")
            windows[code].page.wait_for_function("() => window.jupyterapp", timeout=60_000)
        opened.append(windows[code].open_lesson(site.folder / f"{name}.ipynb", site.folder))
        return opened[-1]

    yield open_it
    for lesson in opened:
        assert lesson.window.console_errors == []
        lesson.window.close_everything()


def test_building_again_gives_the_same_files(site: StaticSite, tmp_path: Path) -> None:
    again = StaticSite(tmp_path / "again")
    again.build()
    again.expose_the_app()

    names, other_names = (
        sorted(path.relative_to(folder) for path in folder.rglob("*") if path.is_file())
        for folder in (site.folder, again.folder)
    )
    assert names == other_names
    assert [
        name
        for name in names
        if (site.folder / name).read_bytes() != (again.folder / name).read_bytes()
    ] == []


@pytest.mark.parametrize("name", LESSONS)
def test_a_lesson_runs_to_its_end(name: str, open_lesson: OpenLesson) -> None:
    lesson = open_lesson(name)

    lesson.run_all(timeout_seconds=90)

    lesson.screenshot("site-" + name.replace("/", "-"), whole=True)


@pytest.mark.parametrize("hand", [Mouse(), Keyboard()], ids=["mouse", "keyboard"])
def test_a_token_is_issued_for_the_scopes_that_were_chosen(
    hand: Hand, open_lesson: OpenLesson
) -> None:
    lesson = open_lesson("en/03-issue-access-tokens")
    lesson.run_through("helpers.CallPreview(")
    issues = lesson.find("print(session.exchanges()[-1].request_body)")
    picker = lesson.panel.locator(".acs-scope-picker")

    hand.press(picker.get_by_label("voip", exact=True))
    hand.press(picker.get_by_label("voip.join", exact=True))
    lesson.run_cell(issues)

    assert '"voip.join"' in lesson.output_text(issues)
    assert '"voip"' not in lesson.output_text(issues)


def test_a_revoked_token_stops_working(open_lesson: OpenLesson) -> None:
    lesson = open_lesson("en/07-revoke-access-tokens")

    refused = lesson.run_through("print(error.status_code, error.reason)")

    assert lesson.output_text(refused) == "401 Unauthorized\n"


@pytest.mark.parametrize("name", ["en/03-issue-access-tokens", "ko/03-issue-access-tokens"])
def test_axe_finds_nothing_serious_in_what_a_lesson_shows(
    name: str, open_lesson: OpenLesson
) -> None:
    lesson = open_lesson(name)
    lesson.run_all(timeout_seconds=90)

    # axe judges what is on the screen: all of it shall be.
    lesson.page.set_viewport_size({"width": 1280, "height": 8000})
    lesson.panel.locator(".jp-WindowedPanel-outer").evaluate("panel => panel.scrollTo(0, 0)")
    for _attempt in range(5):
        # The notebook lays itself out again, on a busy machine for a while; what is really wrong stays.
        lesson.page.wait_for_timeout(500)
        found = violations(
            lesson.page, ".jp-NotebookPanel:not(.lm-mod-hidden) .jp-OutputArea-output"
        )
        if not found:
            break
    lesson.page.set_viewport_size({"width": 1280, "height": 900})

    assert found == []


def test_a_newcomer_has_a_token_within_half_a_minute_and_finishes_the_lesson_offline(
    page: Page, context: BrowserContext, site: StaticSite
) -> None:
    began = time.monotonic()
    page.goto(site.address)
    page.get_by_role("link", name="Issue access tokens").click()
    lesson = opened(page, site, "en/03-issue-access-tokens")
    lesson.run_through("print(helpers.mask_token(token_result.token))")
    seconds = time.monotonic() - began

    assert seconds <= FIRST_TOKEN_SECONDS
    context.set_offline(True)
    lesson.run_all(timeout_seconds=90)
    lesson.screenshot("site-newcomer")
    assert page.get_by_text("Click to show javascript error").count() == 0


def test_work_survives_a_reload_until_it_is_deleted(page: Page, site: StaticSite) -> None:
    name = "en/00-start-here"
    address = f"{site.address}lab/index.html?path={name}.ipynb"
    solution = "client.create_user()"
    page.goto(address)
    lesson = opened(page, site, name)
    exercise = lesson.find("exercise = session.exercise()")
    page.evaluate(_ADD_LINE, [exercise, solution])
    lesson.run_all()
    assert "1 of 10" in progress_in(lesson)
    page.evaluate("() => window.jupyterapp.commands.execute('docmanager:save')")

    page.goto(address)
    lesson = opened(page, site, name)
    assert lesson.cells()[exercise]["source"].endswith(solution)
    lesson.run_through("identity = client.create_user()")
    assert "1 of 10" in progress_in(lesson)

    page.goto(site.address)
    page.on("dialog", lambda dialog: dialog.accept())
    page.get_by_role("button", name="Delete everything and start anew").click()
    expect(page.locator("#reset-status")).to_have_text("Deleted. The lessons are as new.")
    page.goto(address)
    lesson = opened(page, site, name)
    assert not lesson.cells()[exercise]["source"].endswith(solution)
    lesson.run_through("identity = client.create_user()")
    assert "0 of 10" in progress_in(lesson)


def test_the_program_can_be_taken_away(page: Page, site: StaticSite) -> None:
    page.goto(site.address)

    with page.expect_download() as download:
        page.get_by_role("link", name="issue-access-tokens.py").click()

    program = PROJECT / "notebooks" / "issue-access-tokens.py"
    assert Path(download.value.path()).read_bytes() == program.read_bytes()


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("path", ["", "ko/"], ids=["en", "ko"])
def test_axe_finds_nothing_serious_on_the_first_page(
    path: str, theme: Literal["light", "dark"], page: Page, site: StaticSite
) -> None:
    page.emulate_media(color_scheme=theme)
    page.set_viewport_size({"width": 820, "height": 1180})
    page.goto(site.address + path)
    expect(page.locator("#ready progress")).to_be_hidden(timeout=30_000)

    SCREENSHOTS.mkdir(parents=True, exist_ok=True)
    language = path.strip("/") or "en"
    page.screenshot(path=SCREENSHOTS / f"site-first-page-{language}-{theme}.png", full_page=True)
    assert violations(page, "body") == []


def test_the_keyboard_leads_from_the_first_page_into_the_first_lesson(
    page: Page, site: StaticSite
) -> None:
    page.goto(site.address)
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to the list of lessons")).to_be_focused()
    start = page.get_by_role("link", name="Start with lesson 00")
    while not start.evaluate("link => link === document.activeElement"):
        page.keyboard.press("Tab")

    page.keyboard.press("Enter")

    assert opened(page, site, "en/00-start-here").cells()


def test_the_menus_of_jupyterlab_speak_the_language_of_the_lesson(
    page: Page, site: StaticSite
) -> None:
    page.goto(f"{site.address}ko/")
    page.locator("a.start").click()
    opened(page, site, "ko/00-start-here")

    expect(page.get_by_role("menuitem", name="파일")).to_be_visible()


def opened(page: Page, site: StaticSite, name: str) -> Lesson:
    """Wait for a lesson that the page's address opens, and for its kernel."""
    page.wait_for_function("() => window.jupyterapp", timeout=60_000)
    # The fixture listens to what the console says; this only drives.
    return ThePage(page).open_lesson(site.folder / f"{name}.ipynb", site.folder)


def progress_in(lesson: Lesson) -> str:
    """Run the cell that shows the progress and return it as text."""
    index = lesson.find("helpers.Progress(session)")
    lesson.run_cell(index)
    return "".join(lesson.cells()[index]["outputs"][-1]["data"]["text/plain"])


_ADD_LINE = """([index, line]) => {
    const cell = window.jupyterapp.shell.currentWidget.content.widgets[index].model.sharedModel;
    cell.setSource(cell.getSource() + '\\n' + line);
}"""
