"""The tutorial in Korean, as a Korean reader sees it: lessons, widgets and JupyterLab itself."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, expect

from .jupyterlab import Lab, Lesson, ThePage

WIDGETS = ["00-start-here", "03-issue-access-tokens", "04-set-token-lifetimes", "playground"]

HANGUL = re.compile("[가-힣]")

# What a reader would see cut off: text that is wider or higher than the box that hides the rest of it.
CLIPPED = """panel => [...panel.querySelectorAll('.acs *, .jp-RenderedMarkdown *')]
    .filter(element => element.offsetParent && [...element.childNodes].some(
        node => node.nodeType === Node.TEXT_NODE && node.textContent.trim()))
    .filter(element => getComputedStyle(element).overflow !== 'visible')
    .filter(element => element.scrollWidth > element.clientWidth + 1
        || element.scrollHeight > element.clientHeight + 1)
    .filter(element => !['auto', 'scroll'].includes(getComputedStyle(element).overflowX))
    .map(element => element.textContent)"""

# The labels and buttons of one row must not lie on each other.
OVERLAPPING = """panel => {
    const pairs = [];
    for (const row of panel.querySelectorAll('.acs .widget-hbox')) {
        const parts = [...row.children].filter(part => part.offsetParent);
        for (const [index, one] of parts.entries()) {
            for (const other of parts.slice(index + 1)) {
                const a = one.getBoundingClientRect(), b = other.getBoundingClientRect();
                if (Math.min(a.right, b.right) - Math.max(a.left, b.left) > 1
                    && Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top) > 1)
                    pairs.push([one.textContent, other.textContent]);
            }
        }
    }
    return pairs;
}"""


def _has_korean_font() -> bool:
    if not shutil.which("fc-list"):
        return True  # Windows and macOS have one.
    listed = subprocess.run(["fc-list", ":lang=ko"], capture_output=True, text=True, check=True)
    return bool(listed.stdout)


@pytest.fixture(scope="module")
def korean_lab(chromium: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    if not _has_korean_font():
        pytest.skip("no font for Korean was found on this machine")
    with Lab(tmp_path_factory.mktemp("korean-lab"), "--language", "ko") as running:
        yield running


@pytest.fixture(scope="module")
def korean_page(chromium: Browser, korean_lab: Lab) -> Iterator[ThePage]:
    context = chromium.new_context(viewport={"width": 1280, "height": 900}, locale="ko-KR")
    page = ThePage(context.new_page())
    page.open(korean_lab.address)
    yield page
    context.close()


def open_lesson(name: str, lab: Lab, page: ThePage) -> Lesson:
    # Nothing is closed before: closing the first lesson while its kernel still starts makes JupyterLab complain.
    return page.open_lesson(lab.folder / f"notebooks/ko/{name}.ipynb", lab.folder)


def test_the_command_opens_the_first_lesson_in_korean(
    korean_lab: Lab, korean_page: ThePage
) -> None:
    assert korean_page.first_document == "notebooks/ko/00-start-here.ipynb"
    lines = korean_lab.log.splitlines()
    assert len(lines) == 2
    assert all(HANGUL.search(line) for line in lines)


def test_jupyterlab_speaks_korean_without_a_change_of_the_readers_settings(
    korean_lab: Lab, korean_page: ThePage
) -> None:
    expect(korean_page.page.locator(".lm-MenuBar-itemLabel").first).to_have_text("파일")
    assert [*korean_lab.folder.parent.rglob("*.jupyterlab-settings")] == []


@pytest.mark.parametrize(
    "name",
    [
        name if name == WIDGETS[0] else pytest.param(name, marks=pytest.mark.campaign)
        for name in WIDGETS
    ],
)
def test_a_korean_lesson_runs_and_nothing_in_it_is_clipped_or_overlaps(
    name: str, korean_lab: Lab, korean_page: ThePage
) -> None:
    lesson = open_lesson(name, korean_lab, korean_page)

    lesson.run_all()
    lesson.screenshot(f"{name}-korean", whole=True)

    assert lesson.panel.evaluate(CLIPPED) == []
    assert lesson.panel.evaluate(OVERLAPPING) == []
    assert korean_page.console_errors == []
    assert korean_page.outside_requests == []


def test_a_korean_reader_issues_a_token_by_clicking(korean_lab: Lab, korean_page: ThePage) -> None:
    korean_page.close_everything()  # a run of this lesson by another test would leave its boxes ticked
    lesson = open_lesson("03-issue-access-tokens", korean_lab, korean_page)
    lesson.run_through("helpers.CallPreview(")

    picker = lesson.panel.locator(".acs-scope-picker")
    expect(picker.get_by_label("voip", exact=True)).to_be_checked()
    picker.get_by_label("chat.join", exact=True).click()
    expect(picker).to_contain_text("최소 권한")
    expect(lesson.panel.locator(".acs-call-preview").first).to_contain_text('["chat.join", "voip"]')
    index = lesson.find("print(session.exchanges()[-1].request_body)")
    lesson.run_cell(index)

    expect(lesson.cell(index).locator(".jp-OutputArea-output")).to_have_count(1)
    assert lesson.output_text(index) == '{"scopes": ["chat.join", "voip"]}\n'
