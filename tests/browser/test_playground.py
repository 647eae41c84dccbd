"""The token playground: as a page of its own with the mouse and with the keyboard alone, and inside JupyterLab."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from importlib.util import find_spec
from pathlib import Path

import psutil
import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from .accessibility import violations
from .conftest import OpenLesson
from .hands import Hand, Keyboard, Mouse
from .jupyterlab import SCREENSHOTS, ThePage
from .layout import broken_places
from .voila import ServedPage

pytestmark = pytest.mark.skipif(
    find_spec("voila") is None, reason="the playground's own page needs Voilà"
)

SCOPES = ("chat", "chat.join", "chat.join.limited", "voip", "voip.join")


@pytest.fixture(scope="module")
def served(chromium: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServedPage]:
    with ServedPage(tmp_path_factory.mktemp("playground"), "playground") as running:
        yield running


@pytest.fixture(scope="module", params=[Mouse, pytest.param(Keyboard, marks=pytest.mark.campaign)])
def hand(request: pytest.FixtureRequest) -> Hand:
    chosen: Hand = request.param()
    return chosen


@pytest.fixture(scope="module")
def window(chromium: Browser, served: ServedPage, hand: Hand) -> Iterator[ThePage]:
    """A page with a kernel of its own, in the theme of the hand that will use it."""
    context = chromium.new_context(viewport={"width": 1280, "height": 900}, locale="en-US")
    opened = ThePage(context.new_page())
    opened.page.goto(f"{served.address}&theme={hand.theme}")
    expect(opened.page.get_by_role("button", name="Issue a token")).to_be_visible(timeout=30_000)
    yield opened
    context.close()


def use(playground: Locator, hand: Hand) -> None:
    """From a refusal to nothing left behind, pressing every button."""
    issue = playground.get_by_role("button", name="Issue a token")
    revoke = playground.get_by_role("button", name="Revoke all its tokens")
    delete = playground.get_by_role("button", name="Delete all of these")
    expect(revoke).to_be_disabled()

    for scope in SCOPES:
        box = playground.get_by_label(scope, exact=True)
        if box.is_checked():
            hand.press(box)
    expect(playground).to_contain_text("client.get_token(identity, []")
    hand.press(issue)
    expect(playground).to_contain_text("The service did not accept the scopes")

    hand.press(playground.get_by_label("chat.join", exact=True))
    hand.press(playground.get_by_role("button", name="2 h", exact=True))
    expect(playground).to_contain_text('["chat.join"]')
    hand.press(issue)
    card = playground.locator(".acs-token-card")
    expect(card.locator(".acs-pill")).to_have_text(["chat.join"])
    expect(card).to_contain_text("2 h, 0 % of it used")
    timeline = playground.locator(".acs-timeline")
    expect(timeline).to_contain_text("valid for another 2 h")
    expect(playground.locator(".acs-wire-panel")).to_contain_text("get_token")
    expect(playground.locator(".acs-ledger tbody tr")).to_have_count(1)

    hand.press(revoke)
    expect(timeline).to_contain_text("revoked just now")
    expect(playground.locator(".acs-wire-panel")).to_contain_text("revoke_tokens")

    hand.press(delete)
    expect(playground.locator(".acs-ledger")).to_contain_text("nothing is left behind")
    expect(playground).to_contain_text("Deleted: the next token creates another one.")
    expect(revoke).to_be_disabled()


def take_picture(page: Page, name: str) -> None:
    SCREENSHOTS.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=SCREENSHOTS / f"{name}.png")


def test_a_token_is_issued_inspected_and_revoked_on_one_page(
    window: ThePage, hand: Hand, served: ServedPage
) -> None:
    playground = window.page.locator(".acs-playground")

    before = what_exists(served.home / "state")

    use(playground, hand)

    assert what_exists(served.home / "state") == {"identities": 0, "issued": before["issued"] + 1}
    take_picture(window.page, f"playground-{hand.theme}")
    assert window.console_errors == []
    assert window.outside_requests == []
    assert not served.refused.exists(), served.refused.read_text()


def what_exists(home: Path) -> dict[str, int]:
    """Ask the sandbox's own store, not the page."""
    with closing(sqlite3.connect(home / "sandbox.sqlite3")) as database:
        (identities,) = database.execute("SELECT count(*) FROM identities").fetchone()
    with closing(sqlite3.connect(home / "journal.sqlite3")) as database:
        (issued,) = database.execute(
            "SELECT count(*) FROM exchanges WHERE path LIKE '%issueAccessToken' AND status = 200"
        ).fetchone()
    return {"identities": identities, "issued": issued}


def test_the_page_has_no_serious_accessibility_problem_and_fits_narrow_windows(
    window: ThePage, hand: Hand
) -> None:
    page = window.page
    page.get_by_role("button", name="Issue a token").click()
    expect(page.locator(".acs-token-card")).to_be_visible()

    broken = {}
    for width in (1280, 800, 640):
        page.set_viewport_size({"width": width, "height": 4500})
        broken[width] = broken_places(page.locator(".acs-playground"))
        take_picture(page, f"playground-{width}-wide-{hand.theme}")
        if width == 1280:
            found = violations(page, "#rendered_cells")
    page.get_by_role("button", name="Delete all of these").click()
    expect(page.locator(".acs-ledger")).to_contain_text("nothing is left behind")

    assert broken == {1280: [], 800: [], 640: []}
    assert found == []


@pytest.mark.campaign
def test_the_playground_works_in_jupyterlab_too(open_lesson: OpenLesson, lab_page: ThePage) -> None:
    hand = Keyboard()  # here it has to get along with JupyterLab's own keys
    lab_page.use_theme(hand.theme)
    lesson = open_lesson("playground")
    lesson.run_through("playground = helpers.Playground(")

    use(lesson.panel.locator(".acs-playground:not(.jp-RenderedHTML *)").first, hand)

    lesson.screenshot("playground-in-jupyterlab")
    assert lab_page.console_errors == []


@pytest.mark.campaign
def test_the_command_prints_two_lines_and_ends_the_kernel_of_a_page_that_is_closed(
    chromium: Browser, tmp_path: Path
) -> None:
    with ServedPage(tmp_path, "playground") as running:
        page = chromium.new_page()
        page.goto(running.address)
        expect(page.get_by_role("button", name="Issue a token")).to_be_visible(timeout=30_000)
        kernels = psutil.Process(running.process).children(recursive=True)
        assert kernels

        page.goto("about:blank")
        _, alive = psutil.wait_procs(kernels, timeout=20)
        page.close()
        status = running.stop()

    assert alive == []
    assert status == 0
    assert running.log.splitlines() == [
        f"The playground is open at {running.address}",
        "Press Ctrl-C here to stop it.",
        "",
        "The playground is closed.",
    ]
