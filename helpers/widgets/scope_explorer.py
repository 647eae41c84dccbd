"""Scopes against capabilities, and a game of least privilege."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

import ipywidgets

from helpers.language import gettext as _
from helpers.language import pgettext
from helpers.scopes import (
    CAPABILITIES,
    SCOPES,
    Capability,
    checked,
    narrowest,
    needless,
    permits,
)
from helpers.widgets import style
from helpers.widgets.panel import Panel
from helpers.widgets.scope_picker import ScopePicker


@dataclass(frozen=True)
class Scenario:
    """A user of somebody's application, and the capabilities that this user needs."""

    title: Callable[[], str] = field(repr=False, compare=False)
    story: Callable[[], str] = field(repr=False, compare=False)
    labels: tuple[str, ...]

    @property
    def needed(self) -> list[Capability]:
        """The rows of the published tables that this user needs."""
        return [capability for capability in CAPABILITIES if capability.label in self.labels]


_READ = ("Get chat threads", "Get message with message ID")
_WRITE = (*_READ, "Create message for chat thread with ID")
_MANAGE = ("Add participant to a chat thread", "Remove participant from a chat thread")
_OWN = ("Create chat thread", "Update chat thread with ID", "Delete chat thread with ID")
_JOIN = (
    "Join an InProgress VoIP call",
    "All other in-call operations such as mute/unmute, screen share, and so on",
)

# Not None: a dropdown takes that for nothing chosen, and shows an empty line.
_NO_SCENARIO = ""

SCENARIOS: tuple[Scenario, ...] = (
    Scenario(
        lambda: _("A guest in a chat"),
        lambda: _("A guest may read and write in a thread, but invite nobody."),
        _WRITE,
    ),
    Scenario(
        lambda: _("A listener in a call"),
        lambda: _("A listener joins calls that others have started, and may never start one."),
        _JOIN,
    ),
    Scenario(
        lambda: _("A moderator"),
        lambda: _(
            "A moderator reads and writes, lets people in and sees them out. "
            "The threads themselves are made by your server."
        ),
        (*_WRITE, *_MANAGE),
    ),
    Scenario(
        lambda: _("A support desk"),
        lambda: _(
            "An agent opens a thread for each case, adds the customer, writes, "
            "and deletes the thread in the end. There are no calls."
        ),
        (*_WRITE, *_MANAGE, *_OWN),
    ),
    Scenario(
        lambda: _("A patient"),
        lambda: _(
            "A patient joins the call that the doctor has started and writes in the thread beside it, "
            "where nobody else should come in."
        ),
        (*_WRITE, *_JOIN),
    ),
    Scenario(
        lambda: _("A doctor"),
        lambda: _(
            "The doctor starts the call and writes in the thread beside it, "
            "which your server has made with the right two people in it."
        ),
        (*_WRITE, *_JOIN, "Start a VoIP call"),
    ),
    Scenario(
        lambda: _("A meeting in a Room"),
        lambda: _(
            "An invited speaker comes to a call in a Virtual Room, also as the first one there. "
            "Outside of Rooms this user must start nothing."
        ),
        ("Start a VoIP call in Virtual Rooms, when the user is already invited to the Room",),
    ),
)
"""From easy to harder. What is right follows from the tables, not from a list of answers."""


@dataclass(frozen=True)
class Verdict:
    """How a choice of scopes compares with what is needed."""

    missing: tuple[Capability, ...]
    """Needed, but not permitted."""
    excess: tuple[Capability, ...]
    """Permitted, though a narrower choice would do without."""
    needless: tuple[str, ...]
    """Scopes that add nothing to the others chosen."""

    @property
    def right(self) -> bool:
        """Whether the choice permits what is needed and nothing narrower would."""
        return not (self.missing or self.excess or self.needless)


def judge(scopes: Iterable[str], needed: Iterable[Capability]) -> Verdict:
    """Judge a choice of *scopes* by least privilege: all that is *needed*, and as little else as the scopes allow."""
    chosen = checked(scopes)
    wanted = list(needed)
    permitted = permits(chosen)
    unavoidable = permits(narrowest(wanted))
    return Verdict(
        missing=tuple(capability for capability in wanted if capability not in permitted),
        excess=tuple(capability for capability in permitted if capability not in unavoidable),
        needless=tuple(needless(chosen)),
    )


class ScopeExplorer(Panel):
    """The published tables, with what the chosen scopes permit; and scenarios to find the narrowest scopes for.

    ``value`` is the chosen list, as in :class:`ScopePicker`.
    """

    def __init__(self, value: Iterable[str] = ()) -> None:
        """Show the tables with *value* chosen.

        Raises:
            TutorialError: *value* is not a collection of known scopes.
        """
        self.picker = ScopePicker(value)
        self.scenario = ipywidgets.Dropdown(
            options=[
                (_("none: just explore"), _NO_SCENARIO),
                *((scenario.title(), scenario) for scenario in SCENARIOS),
            ],
            description=_("Scenario"),
            tooltip=_("Choose a user to find the narrowest scopes for"),
        )
        self.judge_button = ipywidgets.Button(
            description=_("Judge my choice"),
            tooltip=_("Compare the chosen scopes with what this user needs"),
            disabled=True,
        )
        self.next_button = ipywidgets.Button(
            description=_("Next scenario"), tooltip=_("Go to the next scenario, and choose anew")
        )
        self._story = ipywidgets.HTML()
        self._verdict = ipywidgets.HTML()
        self._tables = ipywidgets.HTML()
        self._solved: set[Scenario] = set()
        buttons = ipywidgets.HBox([self.judge_button, self.next_button])
        buttons.add_class("acs-row")
        super().__init__(
            [
                ipywidgets.HTML(style.title(_("Scope explorer: what does each scope permit?"))),
                self.scenario,
                self._story,
                self.picker,
                buttons,
                self._verdict,
                self._tables,
            ]
        )
        self.add_class("acs-scope-explorer")
        self.picker.observe(self._handler(self._choice_changed), names="value")
        self.scenario.observe(self._handler(self._scenario_changed), names="value")
        self.judge_button.on_click(self._handler(self._judge))
        self.next_button.on_click(self._handler(self._next))
        self._show()

    @property
    def value(self) -> list[str]:
        """The chosen scopes, in the order of the published page."""
        return self.picker.value

    @value.setter
    def value(self, scopes: Iterable[str]) -> None:
        self.picker.value = scopes

    @property
    def solved(self) -> list[str]:
        """The titles of the scenarios that were solved, in their order."""
        return [scenario.title() for scenario in SCENARIOS if scenario in self._solved]

    def __repr__(self) -> str:
        return f"ScopeExplorer(value={self.value}, {len(self._solved)}/{len(SCENARIOS)})"

    def _choice_changed(self, _change: Any) -> None:
        self._show()

    def _scenario_changed(self, _change: Any) -> None:
        self.judge_button.disabled = self.scenario.value == _NO_SCENARIO
        self._show()

    def _next(self, _button: Any) -> None:
        position = SCENARIOS.index(self.scenario.value) + 1 if self.scenario.value else 0
        self.picker.value = []
        self.scenario.value = SCENARIOS[position % len(SCENARIOS)]

    def _judge(self, _button: Any) -> None:
        if self.scenario.value == _NO_SCENARIO:
            return
        verdict = judge(self.value, self.scenario.value.needed)
        if verdict.right:
            self._solved.add(self.scenario.value)
        kind = style.done if verdict.right else style.problem
        self._verdict.value = kind(self._in_words(verdict))
        self._draw_tables(self.scenario.value.needed)

    def _in_words(self, verdict: Verdict) -> str:
        if verdict.missing:
            return _("Not enough: this choice does not permit “{capability}”.").format(
                capability=verdict.missing[0].name
            )
        if verdict.excess:
            return _(
                "Too much: this choice also permits “{capability}”, which this user does not need."
            ).format(capability=verdict.excess[0].name)
        if verdict.needless:
            return _("Right so far, but “{scope}” adds nothing: leave it out.").format(
                scope=verdict.needless[0]
            )
        return _(
            "Right: this permits all that is needed, and nothing narrower does. Solved: {solved} of {all}."
        ).format(solved=len(self._solved), all=len(SCENARIOS))

    def _show(self) -> None:
        scenario = self.scenario.value
        self._story.value = (
            ""
            if scenario == _NO_SCENARIO
            else f'<div class="acs-story">{style.escape(scenario.story())}</div>'
        )
        self._verdict.value = ""
        self._draw_tables(None)  # What is needed stays open until the choice is judged.

    def _draw_tables(self, needed: list[Capability] | None) -> None:
        self._tables.value = _table(_("Chat"), "chat", self.value, needed) + _table(
            _("Calls (voice and video over IP)"), "voip", self.value, needed
        )


def _table(heading: str, service: str, chosen: list[str], needed: list[Capability] | None) -> str:
    scopes = [scope.name for scope in SCOPES if scope.service == service]
    columns = "".join(
        f'<th scope="col" class="acs-mark{" acs-chosen" if scope in chosen else ""}">'
        f"<code>{style.escape(scope).replace('.', '.<wbr>')}</code>"
        f"{'<br>' + style.escape(_('chosen')) if scope in chosen else ''}</th>"
        for scope in scopes
    )
    rows = "".join(
        f'<tr><th scope="row">{style.escape(capability.name)}</th>'
        + "".join(_mark(capability, scope, chosen) for scope in scopes)
        + f'<td class="acs-state">{style.escape(_state(capability, chosen, needed))}</td></tr>'
        for capability in CAPABILITIES
        if capability.service == service
    )
    return (
        f'<div class="acs-scroll" tabindex="0" role="region" aria-label="{style.escape(heading)}">'
        f'<table class="acs-matrix"><thead><tr><th scope="col">{style.escape(heading)}</th>'
        f'{columns}<th scope="col" class="acs-state">{style.escape(_("With your choice"))}</th></tr></thead>'
        f"<tbody>{rows}</tbody></table></div>"
    )


def _mark(capability: Capability, scope: str, chosen: list[str]) -> str:
    if scope not in capability.scopes:
        mark = pgettext("may a user do it?", "no")
    elif capability.depends_on_role:
        mark = _("by role")
    else:
        mark = pgettext("may a user do it?", "yes")
    highlight = " acs-chosen" if scope in chosen else ""
    return f'<td class="acs-mark{highlight}">{style.escape(mark)}</td>'


def _state(capability: Capability, chosen: list[str], needed: list[Capability] | None) -> str:
    allowed = any(scope in capability.scopes for scope in chosen)
    if needed is None:
        if not allowed:
            return _("– not allowed")
        return _("✓ allowed by role") if capability.depends_on_role else _("✓ allowed")
    if capability in needed:
        return _("✓ needed, allowed") if allowed else _("✗ needed, missing")
    if not allowed:
        return _("– not needed")
    unavoidable = capability in permits(narrowest(needed))
    return _("· comes along") if unavoidable else _("! needless")
