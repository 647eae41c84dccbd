"""What a stored lesson shows where no kernel runs, as on GitHub or nbviewer: made with nbconvert, read by a browser."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from nbconvert import HTMLExporter
from playwright.sync_api import Browser, Page, expect

from .accessibility import violations
from .jupyterlab import PROJECT, SCREENSHOTS
from .layout import broken_places

STORED = sorted((PROJECT / "notebooks" / "en").glob("*.ipynb"))
WIDTH = 1000


@pytest.fixture(scope="module")
def page(chromium: Browser) -> Iterator[Page]:
    context = chromium.new_context(viewport={"width": WIDTH, "height": 900}, locale="en-US")
    # nbconvert's page asks for libraries that ours does without.
    context.route(lambda address: address.startswith("http"), lambda route: route.abort())
    yield context.new_page()
    context.close()


@pytest.mark.parametrize("theme", ["light", pytest.param("dark", marks=pytest.mark.campaign)])
@pytest.mark.parametrize("stored", STORED, ids=lambda path: path.stem)
def test_a_stored_lesson_can_be_read_without_a_kernel(stored: Path, theme: str, page: Page) -> None:
    html, _ = HTMLExporter(theme=theme).from_filename(str(stored))

    page.set_viewport_size({"width": WIDTH, "height": 900})
    page.set_content(html, wait_until="domcontentloaded")
    height = page.evaluate("() => document.documentElement.scrollHeight")
    page.set_viewport_size({"width": WIDTH, "height": height})

    expect(page.locator("body")).not_to_contain_text("Error displaying widget")
    for panel in page.locator(".jp-OutputArea .acs").all():
        expect(panel).to_be_visible()
    if page.locator(".acs").count():
        assert broken_places(page.locator(".acs:not(.acs .acs)")) == []
    SCREENSHOTS.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=SCREENSHOTS / f"{stored.stem}-without-kernel-{theme}.png")
    assert violations(page, ".jp-OutputArea-output") == []
