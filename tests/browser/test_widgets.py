"""Every control of every widget, in the lessons: with the mouse in light, with the keyboard alone in dark.

What counts is the effect: what the kernel holds afterwards, or what the page shows. The lessons are opened once for all tests.
"""

from __future__ import annotations

import ast
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from playwright.sync_api import expect

from .accessibility import violations
from .hands import Hand, Keyboard, Mouse, reach
from .jupyterlab import Lab, Lesson, ThePage
from .layout import broken_places

OpenOnce = Callable[[str], Lesson]

# How far each lesson runs before the tests use it: not to the end, where the ledger deletes what they need.
RUN_THROUGH = {
    "00-start-here": "helpers.Progress(session)",
    "08-delete-and-clean-up": "for _ in range(3):",
}
ELSE_THROUGH = "exercise.check()"


@pytest.fixture(scope="module")
def open_once(lab: Lab, lab_page: ThePage) -> Iterator[OpenOnce]:
    """Open a lesson and run it; the next time only bring it to the front, as it was left."""
    have_run = set()

    def open_it(name: str) -> Lesson:
        lesson = lab_page.open_lesson(lab.folder / f"notebooks/en/{name}.ipynb", lab.folder)
        if name not in have_run:
            have_run.add(name)
            lesson.run_through(RUN_THROUGH.get(name, ELSE_THROUGH))
        return lesson

    yield open_it
    lab_page.use_theme("light")
    lab_page.close_everything()


# One hand after the other, so that the theme changes once.
@pytest.fixture(scope="module", params=[Mouse, pytest.param(Keyboard, marks=pytest.mark.campaign)])
def hand(request: pytest.FixtureRequest, lab_page: ThePage) -> Hand:
    chosen: Hand = request.param()
    lab_page.use_theme(chosen.theme)
    return chosen


@contextmanager
def lesson_in_full_length(lesson: Lesson) -> Iterator[None]:
    """Make the window so high that nothing of the lesson is scrolled away."""
    size = lesson.page.viewport_size
    assert size
    height = lesson.panel.evaluate(
        "panel => panel.querySelector('.jp-WindowedPanel-inner').scrollHeight + 200"
    )
    lesson.page.set_viewport_size({"width": size["width"], "height": height})
    lesson.panel.locator(".jp-WindowedPanel-outer").evaluate("panel => panel.scrollTo(0, 0)")
    lesson.page.wait_for_timeout(200)  # the notebook lays itself out again
    yield
    lesson.page.set_viewport_size(size)


def kernel_value(lesson: Lesson, expression: str) -> Any:
    """Ask the lesson's kernel what a Python expression is, as JSON."""
    reply: dict[str, Any] = lesson.page.evaluate(
        """async expression => {
            const kernel = window.jupyterapp.shell.currentWidget.sessionContext.session.kernel;
            const code = 'import json';
            const future = kernel.requestExecute(
                {code, silent: true, store_history: false,
                 user_expressions: {value: `json.dumps(${expression})`}});
            return (await future.done).content.user_expressions.value;
        }""",
        expression,
    )
    assert reply["status"] == "ok", reply
    return json.loads(ast.literal_eval(reply["data"]["text/plain"]))


def test_each_box_of_the_scope_picker_changes_the_value_and_the_call(
    open_once: OpenOnce, hand: Hand, lab_page: ThePage
) -> None:
    lesson = open_once("03-issue-access-tokens")
    picker = lesson.panel.locator(".acs-scope-picker:not(.acs-scope-explorer *)")
    preview = lesson.panel.locator(".acs-call-preview").first
    chosen = kernel_value(lesson, "scopes.value")

    for scope in ("chat", "chat.join", "chat.join.limited", "voip", "voip.join"):
        hand.press(picker.get_by_label(scope, exact=True))
        chosen = [name for name in chosen if name != scope] + [scope] * (scope not in chosen)
        chosen = sorted(chosen)
        expect(preview.locator("pre")).to_contain_text(json.dumps(chosen))
        expect(picker.locator("pre")).to_have_text(f"scopes = {json.dumps(chosen)}")
        assert kernel_value(lesson, "scopes.value") == chosen

    lesson.screenshot(f"scope-picker-{hand.theme}")
    assert lab_page.console_errors == []


def test_the_scope_explorer_plays_its_game(
    open_once: OpenOnce, hand: Hand, lab_page: ThePage
) -> None:
    lesson = open_once("03-issue-access-tokens")
    explorer = lesson.panel.locator(".acs-scope-explorer")
    judge = explorer.get_by_role("button", name="Judge my choice")
    following = explorer.get_by_role("button", name="Next scenario")
    scenario = explorer.locator("select")
    scenario.evaluate(_BACK_TO_THE_FIRST)
    expect(judge).to_be_disabled()
    for box in explorer.get_by_role("checkbox").all():
        if box.is_checked():
            hand.press(box)
    expect(explorer.locator("th.acs-chosen")).to_have_count(0)

    hand.pick(scenario, down=1)
    expect(explorer).to_contain_text("A guest may read and write in a thread")
    hand.press(explorer.get_by_label("chat.join", exact=True))
    expect(explorer.locator("th.acs-chosen")).to_have_text(["chat.joinchosen"])
    hand.press(judge)
    expect(explorer).to_contain_text("Too much: this choice also permits")
    hand.press(explorer.get_by_label("chat.join", exact=True))
    hand.press(explorer.get_by_label("chat.join.limited", exact=True))
    hand.press(judge)
    expect(explorer).to_contain_text("Right: this permits all that is needed")
    expect(explorer).to_contain_text("needed, allowed")
    lesson.screenshot(f"scope-explorer-{hand.theme}")

    hand.press(following)
    expect(explorer).to_contain_text("A listener joins calls")
    expect(explorer.locator("th.acs-chosen")).to_have_count(0)
    for scope in ("chat", "voip", "voip.join"):
        hand.press(explorer.get_by_label(scope, exact=True))
    expect(explorer.locator("th.acs-chosen")).to_have_count(3)
    for scope in ("chat", "voip", "voip.join"):
        hand.press(explorer.get_by_label(scope, exact=True))
    expect(explorer.locator("th.acs-chosen")).to_have_count(0)
    assert lab_page.console_errors == []


def test_the_parts_of_a_token_card_unfold(open_once: OpenOnce, hand: Hand) -> None:
    lesson = open_once("03-issue-access-tokens")
    card = lesson.panel.locator(".acs-token-card").last
    for part, inside in (("Header", "how it is signed"), ("Claims", "the scopes")):
        was_visible = card.get_by_text(inside, exact=True).is_visible()
        hand.press(card.locator("summary", has_text=part))
        expect(card.get_by_text(inside, exact=True)).to_be_visible(visible=not was_visible)


def test_an_exercise_is_solved_by_typing(open_once: OpenOnce, hand: Hand) -> None:
    lesson = open_once("03-issue-access-tokens")
    index = lesson.find("exercise = session.exercise()")
    check = lesson.find("exercise.check()")

    hand.type_below(lesson, index, 'client.get_token(identity, ["chat"])')
    lesson.run_cell(check)
    expect(lesson.cell(check)).to_contain_text("✘ The token you issued carries chat.")

    hand.type_below(lesson, index, 'client.get_token(identity, ["chat.join.limited"])')
    lesson.run_cell(check)
    expect(lesson.cell(check)).to_contain_text("✔ Right")
    lesson.screenshot(f"exercise-{hand.theme}")


def test_each_control_of_the_lifetime_picker_changes_the_value_and_the_call(
    open_once: OpenOnce, hand: Hand, lab_page: ThePage
) -> None:
    lesson = open_once("04-set-token-lifetimes")
    picker = lesson.panel.locator(".acs-lifetime-picker")
    preview = lesson.panel.locator(".acs-call-preview").first

    for hours in (2, 4, 8, 12, 24, 1):
        hand.press(picker.get_by_role("button", name=f"{hours} h", exact=True))
        expect(preview.locator("pre")).to_contain_text(f"timedelta(hours={hours})")
        expect(picker.locator(".acs-large")).to_have_text(f"{hours} h")
        assert kernel_value(lesson, "lifetime.minutes") == hours * 60

    hand.enter_number(picker.get_by_label("Minutes"), 90)
    expect(preview.locator("pre")).to_contain_text("timedelta(hours=1, minutes=30)")
    assert kernel_value(lesson, "lifetime.minutes") == 90

    hand.enter_number(picker.get_by_label("Minutes"), 2000)
    expect(picker).to_contain_text("so 2000 became 1440")
    assert kernel_value(lesson, "lifetime.minutes") == 1440
    lesson.screenshot(f"lifetime-picker-{hand.theme}")
    assert lab_page.console_errors == []


def test_one_click_selects_the_whole_call(open_once: OpenOnce, lab_page: ThePage) -> None:
    lesson = open_once("04-set-token-lifetimes")
    code = lesson.panel.locator(".acs-call-preview pre").first

    code.click()

    assert lesson.page.evaluate("() => String(window.getSelection())") == code.inner_text()


def test_the_call_can_be_reached_without_a_mouse(open_once: OpenOnce) -> None:
    reach(open_once("04-set-token-lifetimes").panel.locator(".acs-call-preview pre").first)


def test_the_button_of_the_ledger_deletes(
    open_once: OpenOnce, hand: Hand, lab_page: ThePage
) -> None:
    lesson = open_once("08-delete-and-clean-up")
    forget = lesson.find("for _ in range(3):")
    lesson.run_cell(forget)
    lesson.run_cell(forget + 2)  # the ledger as a picture, below the words between
    ledger = lesson.cell(forget + 2).locator(".acs-ledger")
    existing = kernel_value(lesson, "ledger.raw_ids")
    assert len(existing) >= 3
    expect(ledger.locator("tbody tr")).to_have_count(len(existing))

    hand.press(ledger.get_by_role("button", name="Delete all of these"))

    expect(ledger).to_contain_text("identities deleted; nothing is left behind.")
    expect(ledger.locator("tbody tr")).to_have_count(0)
    expect(ledger.get_by_role("button", name="Delete all of these")).to_be_disabled()
    assert kernel_value(lesson, "ledger.raw_ids") == []
    assert kernel_value(lesson, "[e.status for e in session.exchanges()[-3:]]") == [204] * 3
    lesson.screenshot(f"ledger-{hand.theme}")
    assert lab_page.console_errors == []


def test_the_wire_panel_unfolds_to_what_was_sent_and_to_curl(
    open_once: OpenOnce, hand: Hand
) -> None:
    lesson = open_once("01-authenticate-the-client")
    panel = lesson.panel.locator(".acs-wire-panel")
    exchange = panel.locator("details").first
    sent = exchange.get_by_text("x-ms-content-sha256", exact=True)
    curl = exchange.get_by_text("curl -X POST")
    expect(sent).to_be_visible()
    expect(curl).to_be_hidden()

    hand.press(exchange.locator("summary", has_text="As a curl command"))
    expect(curl).to_be_visible()
    lesson.screenshot(f"wire-panel-{hand.theme}")
    hand.press(exchange.locator("summary", has_text="As a curl command"))
    expect(curl).to_be_hidden()

    hand.press(exchange.locator("summary").first)
    expect(sent).to_be_hidden()
    hand.press(exchange.locator("summary").first)
    expect(sent).to_be_visible()


def test_the_timeline_follows_the_clock_of_the_sandbox(open_once: OpenOnce, hand: Hand) -> None:
    lesson = open_once("06-refresh-access-tokens")
    timeline = lesson.panel.locator(".acs-timeline")
    lesson.run_cell(lesson.find("timeline = helpers.Timeline("))
    expect(timeline).to_contain_text("valid for another")
    lesson.screenshot(f"timeline-{hand.theme}")
    past = timeline.get_by_text("expired").count()

    lesson.run_cell(lesson.find("timeline.show(now=session.now())"))

    expect(timeline.locator(".acs-timeline-row .acs-quiet", has_text="expired")).not_to_have_count(
        past
    )
    assert timeline.locator("svg .acs-timeline-line").first.get_attribute("x1") != "0.00%"


def test_the_progress_leads_to_a_lesson(open_once: OpenOnce, hand: Hand) -> None:
    lesson = open_once("00-start-here")

    hand.press(lesson.panel.get_by_role("link", name="04 · Set token lifetimes").first)

    lesson.page.wait_for_function(
        "() => window.jupyterapp.shell.currentWidget.context?.path"
        " === 'notebooks/en/04-set-token-lifetimes.ipynb'"
    )


_BACK_TO_THE_FIRST = """list => {
    list.selectedIndex = 0;
    list.dispatchEvent(new Event('change', {bubbles: true}));
}"""

_FILE_LIST = """show => {
    const shell = window.jupyterapp.shell;
    show ? shell.expandLeft() : shell.collapseLeft();
}"""

WITH_WIDGETS = [
    "00-start-here",
    "01-authenticate-the-client",
    "03-issue-access-tokens",
    "04-set-token-lifetimes",
    "06-refresh-access-tokens",
    "08-delete-and-clean-up",
]


@pytest.mark.parametrize("name", WITH_WIDGETS)
def test_axe_finds_nothing_serious_in_what_a_lesson_shows(
    name: str, open_once: OpenOnce, hand: Hand
) -> None:
    lesson = open_once(name)

    with lesson_in_full_length(lesson):
        found = violations(
            lesson.page, ".jp-NotebookPanel:not(.lm-mod-hidden) .jp-OutputArea-output"
        )

    assert found == []


# 640 wide is what remains of 1280 at a zoom of 200 %.
@pytest.mark.parametrize(("width", "height"), [(800, 900), (640, 450)], ids=["800px", "200%"])
def test_the_widgets_stay_usable_in_a_narrow_window(
    width: int, height: int, open_once: OpenOnce, hand: Hand, lab_page: ThePage
) -> None:
    page = lab_page.page
    size = page.viewport_size
    assert size
    broken = {}
    page.set_viewport_size({"width": width, "height": height})
    # Who sees a notebook twice as large folds JupyterLab's file list away.
    page.evaluate(_FILE_LIST, width > 640)
    try:
        for name in WITH_WIDGETS:
            lesson = open_once(name)
            page.wait_for_timeout(100)  # the notebook lays itself out again
            broken[name] = broken_places(lesson.panel.locator(".acs:not(.acs .acs)"))
            lesson.screenshot(f"{name}-{width}-wide-{hand.theme}")
    finally:
        page.set_viewport_size(size)
        page.evaluate(_FILE_LIST, True)

    assert broken == {name: [] for name in WITH_WIDGETS}
