"""The browser harness: a real Chromium on the real JupyterLab that ``acs-tutorial`` starts.

``lab`` is a running tutorial on a copy of the project, with folders of its own and a guard that refuses connections beyond
this machine. ``open_lesson("03-issue-access-tokens")`` opens a lesson in it and returns a `Lesson` to drive. Screenshots go
to ``build/screenshots``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

# Its assertions explain themselves like those of a test.
pytest.register_assert_rewrite(f"{__package__}.jupyterlab")

from .chromium import find_chromium, launch_options  # noqa: E402
from .jupyterlab import Lab, Lesson, ThePage  # noqa: E402

OpenLesson = Callable[..., Lesson]


# Package scope, not session: Playwright's event loop must be gone before tests elsewhere run one of their own.
@pytest.fixture(scope="package")
def chromium() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        executable = find_chromium(playwright)
        if executable is None:
            pytest.skip("no Chromium, Chrome or Edge was found on this machine")
        browser = playwright.chromium.launch(executable_path=executable, **launch_options())
        yield browser
        browser.close()


@pytest.fixture(scope="package")
def lab(chromium: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    with Lab(tmp_path_factory.mktemp("lab")) as running:
        yield running


@pytest.fixture(scope="package")
def lab_page(chromium: Browser, lab: Lab) -> Iterator[ThePage]:
    """One window on the tutorial, shared by the tests: JupyterLab takes seconds to load."""
    context = chromium.new_context(viewport={"width": 1280, "height": 900}, locale="en-US")
    page = ThePage(context.new_page())
    page.open(lab.address)
    yield page
    context.close()


@pytest.fixture
def page(lab_page: ThePage) -> Page:
    """The Playwright page that shows JupyterLab."""
    return lab_page.page


@pytest.fixture
def open_lesson(lab: Lab, lab_page: ThePage) -> Iterator[OpenLesson]:
    """Open a lesson by its name without ``.ipynb``, or a notebook made by the test by its path; see `ThePage.open_lesson`."""

    def open_it(name: str | Path) -> Lesson:
        path = name if isinstance(name, Path) else lab.folder / f"notebooks/en/{name}.ipynb"
        return lab_page.open_lesson(path, lab.folder)

    yield open_it
    lab_page.use_theme("light")
    lab_page.close_everything()
