"""The scope picker in lesson 03: what is clicked, or reached and pressed with the keyboard, is what the next cell sends."""

from __future__ import annotations

import json

import pytest
from playwright.sync_api import Locator, expect

from .conftest import OpenLesson
from .jupyterlab import Lesson, ThePage

ISSUES = "print(session.exchanges()[-1].request_body)"


@pytest.fixture
def lesson(open_lesson: OpenLesson) -> Lesson:
    opened = open_lesson("03-issue-access-tokens")
    opened.run_through("helpers.CallPreview(")
    return opened


@pytest.fixture
def picker(lesson: Lesson) -> Locator:
    return lesson.panel.locator(".acs-scope-picker")


@pytest.fixture
def preview(lesson: Lesson) -> Locator:
    return lesson.panel.locator(".acs-call-preview").first


def requested_scopes(lesson: Lesson) -> list[str]:
    index = lesson.find(ISSUES)
    expect(lesson.cell(index).locator(".jp-OutputArea-output")).to_have_count(1)
    scopes: list[str] = json.loads(lesson.output_text(index))["scopes"]
    return scopes


def test_a_token_is_issued_for_what_the_mouse_chose(
    lesson: Lesson, picker: Locator, preview: Locator, lab_page: ThePage
) -> None:
    picker.get_by_label("voip", exact=True).click()
    picker.get_by_label("chat.join", exact=True).click()
    picker.get_by_label("voip.join", exact=True).click()
    expect(preview).to_contain_text('["chat.join", "voip.join"]')

    lesson.cell(lesson.find(ISSUES)).locator(".jp-Editor").click()
    lesson.page.locator(".jp-NotebookPanel:not(.lm-mod-hidden) [data-jp-item-name=run]").click()

    assert requested_scopes(lesson) == ["chat.join", "voip.join"]
    lesson.screenshot("scope-picker-by-mouse")
    assert lab_page.console_errors == []


def test_a_token_is_issued_for_what_the_keyboard_chose(
    lesson: Lesson, picker: Locator, preview: Locator, lab_page: ThePage
) -> None:
    keyboard = lesson.page.keyboard
    below = lesson.find(ISSUES) - lesson.find("helpers.ScopePicker()")
    keyboard.press("ArrowUp")  # from the preview's cell, which ran last, to the picker's

    focus_with_tab(lesson, "chat")
    keyboard.press("Space")
    focus_with_tab(lesson, "voip")
    keyboard.press("Space")
    expect(preview).to_contain_text('["chat"]')
    lesson.screenshot("scope-picker-by-keyboard")
    keyboard.press("Escape")
    for _ in range(below):
        keyboard.press("ArrowDown")
    keyboard.press("Shift+Enter")

    assert requested_scopes(lesson) == ["chat"]
    assert lab_page.console_errors == []


def focus_with_tab(lesson: Lesson, label: str) -> None:
    """Press Tab until the checkbox with that label has the focus."""
    box = lesson.panel.locator(".acs-scope-picker").get_by_label(label, exact=True)
    for _ in range(60):
        if box.evaluate("box => box === document.activeElement"):
            return
        lesson.page.keyboard.press("Tab")
    raise AssertionError(f"Tab does not reach the checkbox “{label}”")
