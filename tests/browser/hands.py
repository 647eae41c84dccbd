"""Two ways to use a page: with the mouse, and with the keyboard alone. A test written for one hand works with the other."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Literal, Protocol

from playwright.sync_api import Locator, Page, expect

from .jupyterlab import Lesson

_MOST_TABS = 80


class Hand(Protocol):
    """What a person does to a control; each theme is used by one of the hands."""

    theme: Literal["light", "dark"]

    def press(self, control: Locator) -> None:
        """Click a button, a checkbox or a link, or open and close what unfolds."""

    def pick(self, choices: Locator, *, down: int) -> None:
        """Choose from a list the entry that is so many lines below the current one."""

    def enter_number(self, field: Locator, number: int) -> None:
        """Put a number into a field and confirm it."""

    def type_below(self, lesson: Lesson, index: int, source: str) -> None:
        """Add a line at the end of a cell, and run the cell."""


class Mouse:
    theme: Literal["light", "dark"] = "light"

    def press(self, control: Locator) -> None:
        control.click()

    def pick(self, choices: Locator, *, down: int) -> None:
        # The browser's own list lies outside of the page, where Playwright's mouse does not reach.
        current: int = choices.evaluate("choices => choices.selectedIndex")
        choices.select_option(index=current + down)

    def enter_number(self, field: Locator, number: int) -> None:
        field.click(click_count=3)
        field.page.keyboard.type(str(number))
        # A click beside the field confirms: here on the heading of its widget.
        widget = field.locator("xpath=ancestor::*[contains(concat(' ', @class, ' '), ' acs ')][1]")
        widget.locator(".acs-title").first.click()

    def type_below(self, lesson: Lesson, index: int, source: str) -> None:
        lesson.cell(index).locator(".cm-content").click()
        _type_at_end(lesson.page, source)
        with _run(lesson.cell(index)):
            lesson.panel.locator("[data-jp-item-name=run]").click()


class Keyboard:
    theme: Literal["light", "dark"] = "dark"

    def press(self, control: Locator) -> None:
        reach(control)
        is_link = control.evaluate("control => control.tagName === 'A'")
        control.page.keyboard.press("Enter" if is_link else "Space")

    def pick(self, choices: Locator, *, down: int) -> None:
        reach(choices)
        # JupyterLab takes an arrow key for itself, unless the list is open.
        choices.page.keyboard.press("Space")
        for _ in range(down):
            choices.page.keyboard.press("ArrowDown")
        choices.page.keyboard.press("Enter")

    def enter_number(self, field: Locator, number: int) -> None:
        reach(field)
        field.page.keyboard.press("ControlOrMeta+a")
        field.page.keyboard.type(str(number))
        field.page.keyboard.press("Enter")

    def type_below(self, lesson: Lesson, index: int, source: str) -> None:
        go_to_cell(lesson.page, index)
        lesson.page.keyboard.press("Enter")
        _type_at_end(lesson.page, source)
        with _run(lesson.cell(index)):
            lesson.page.keyboard.press("Shift+Enter")


def reach(control: Locator) -> None:
    """Press Tab, or Shift+Tab where the control lies above, until the control has the focus, and shows that it has.

    Raises:
        AssertionError: Tab does not lead there, or nothing on the control says that it has the focus.
    """
    page = control.page
    if page.locator(
        ".jp-NotebookPanel"
    ).count():  # in JupyterLab; elsewhere Tab alone leads everywhere
        _go_near(control)
    if _has_focus(control):  # perhaps by a click, which need not show
        page.keyboard.press("Shift+Tab")
    before = _look(control)
    key: str = control.evaluate(
        "control => control.compareDocumentPosition(document.activeElement)"
        " & Node.DOCUMENT_POSITION_FOLLOWING ? 'Shift+Tab' : 'Tab'"
    )
    for _ in range(_MOST_TABS):
        if _has_focus(control):
            break
        page.keyboard.press(key)
    else:
        raise AssertionError(f"{key} does not reach {control}")
    if _look(control) == before:
        raise AssertionError(f"nothing shows that {control} has the focus: {before}")


def go_to_cell(page: Page, index: int) -> None:
    """Leave whatever has the focus, and walk to the cell at *index* with the arrow keys."""
    page.keyboard.press("Escape")
    # How the keyboard comes into the notebook from JupyterLab's menus and tabs is JupyterLab's matter.
    page.evaluate("() => window.jupyterapp.shell.currentWidget.content.activate()")
    steps = index - _active_cell(page)
    for _ in range(abs(steps)):
        page.keyboard.press("ArrowDown" if steps > 0 else "ArrowUp")
    if _active_cell(page) != index:
        raise AssertionError(f"the arrow keys do not lead to cell {index}")


def _go_near(control: Locator) -> None:
    """Walk to the cell that the control belongs to, unless the focus is there already."""
    place: dict[str, Any] = control.evaluate(
        """control => {
            const cell = control.closest('.jp-Cell');
            return {
                index: Number(cell.dataset.windowedListIndex),
                near: cell.querySelector('.jp-Cell-outputWrapper').contains(document.activeElement),
            };
        }"""
    )
    if not place["near"]:
        go_to_cell(control.page, place["index"])


def _active_cell(page: Page) -> int:
    index: int = page.evaluate(
        "() => window.jupyterapp.shell.currentWidget.content.activeCellIndex"
    )
    return index


def _has_focus(control: Locator) -> bool:
    focused: bool = control.evaluate("control => control === document.activeElement")
    return focused


def _look(control: Locator) -> dict[str, str]:
    """What could show the focus."""
    look: dict[str, str] = control.evaluate(
        """control => {
            const {outlineStyle, outlineWidth, boxShadow, borderColor, backgroundColor} = getComputedStyle(control);
            return {outlineStyle, outlineWidth, boxShadow, borderColor, backgroundColor};
        }"""
    )
    return look


@contextmanager
def _run(cell: Locator) -> Iterator[None]:
    """Wait until the cell has run once more."""
    prompt = cell.locator(".jp-InputArea-prompt")
    before = prompt.inner_text()
    yield
    expect(prompt).not_to_have_text(before)
    expect(prompt).to_have_text(re.compile(r"\[\d+\]:"))


def _type_at_end(page: Page, source: str) -> None:
    page.keyboard.press("ControlOrMeta+End")
    for line in source.splitlines():
        page.keyboard.press("Enter")
        page.keyboard.press("Home")
        page.keyboard.type(line)
