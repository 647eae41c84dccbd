"""Choose how long an access token is valid."""

from __future__ import annotations

from datetime import timedelta
from functools import partial
from typing import Any

import ipywidgets
import traitlets

from helpers.errors import TutorialError
from helpers.language import gettext as _
from helpers.widgets import style
from helpers.widgets.code import python_source
from helpers.widgets.panel import Panel

SHORTEST_MINUTES = 60
LONGEST_MINUTES = 1440
"""The bounds that the service sets (specification, recorded live); the longest is also its default."""


class _Lifetime(traitlets.TraitType[timedelta, timedelta]):
    default_value: Any = timedelta(minutes=LONGEST_MINUTES)

    def validate(self, _obj: Any, value: object) -> timedelta:
        if not isinstance(value, timedelta):
            raise TutorialError(
                _(
                    "A lifetime is a timedelta such as timedelta(hours=1), not {type}; "
                    "for a number of minutes set .minutes instead."
                ).format(type=type(value).__name__)
            )
        minutes = value / timedelta(minutes=1)
        if not minutes.is_integer():
            raise TutorialError(
                _("A lifetime is a whole number of minutes; {lifetime} is not.").format(
                    lifetime=value
                )
            )
        _check_range(int(minutes))
        return value


class LifetimePicker(Panel):
    """Common lifetimes to click and a field for any other, shown in hours and minutes.

    ``value`` is the ``datetime.timedelta`` for the next call, as in
    ``client.get_token(identity, scopes.value, token_expires_in=lifetime.value)``; ``minutes`` is the same as an ``int``. Both can be
    set from code.
    """

    value = _Lifetime()

    def __init__(self, minutes: int = LONGEST_MINUTES) -> None:
        """Show the choice with *minutes* (60 to 1440) chosen.

        Raises:
            TutorialError: *minutes* is not a whole number in that range.
        """
        self._reading = ipywidgets.HTML()
        # Buttons, not a slider: the handle of ipywidgets' slider has no name for a screen reader.
        self.presets = {
            hours: ipywidgets.Button(
                description=style.duration(timedelta(hours=hours)),
                tooltip=_("Set the lifetime to {minutes} minutes").format(minutes=hours * 60),
            )
            for hours in (1, 2, 4, 8, 12, 24)
        }
        self.entry = ipywidgets.IntText(
            value=LONGEST_MINUTES,
            description=_("Minutes"),
            tooltip=_("Lifetime in minutes: type a number from 60 to 1440, then press Enter"),
        )
        self._note = ipywidgets.HTML()
        self._code = ipywidgets.HTML()
        controls = ipywidgets.HBox([*self.presets.values(), self.entry])
        controls.add_class("acs-row")
        super().__init__(
            [
                ipywidgets.HTML(style.title(_("Lifetime: how long may this token be used?"))),
                self._reading,
                controls,
                self._note,
                self._code,
            ]
        )
        self.add_class("acs-lifetime-picker")
        for hours, button in self.presets.items():
            button.on_click(self._handler(partial(self._set_minutes, hours * 60)))
        self.entry.observe(self._handler(self._entry_changed), names="value")
        self.minutes = minutes
        self._show()

    @property
    def minutes(self) -> int:
        """The lifetime in minutes."""
        return int(self.value / timedelta(minutes=1))

    @minutes.setter
    def minutes(self, minutes: int) -> None:
        if not isinstance(minutes, int) or isinstance(minutes, bool):
            raise TutorialError(
                _("Minutes are a whole number such as 90, not {type}.").format(
                    type=type(minutes).__name__
                )
            )
        _check_range(minutes)  # Before the conversion: a timedelta has bounds of its own.
        self.value = timedelta(minutes=minutes)

    def __repr__(self) -> str:
        return f"LifetimePicker(minutes={self.minutes})"

    @traitlets.observe("value")
    def _value_changed(self, _change: Any) -> None:
        self.entry.value = self.minutes
        self._show()

    def _set_minutes(self, minutes: int, _button: Any) -> None:
        self.minutes = minutes

    def _entry_changed(self, change: Any) -> None:
        typed = change["new"]
        self.minutes = min(max(typed, SHORTEST_MINUTES), LONGEST_MINUTES)
        if typed != self.minutes:
            self.entry.value = self.minutes
            self._note.value = style.problem(
                _(
                    "The service issues tokens for {shortest} to {longest} minutes, "
                    "so {typed} became {minutes}."
                ).format(
                    shortest=SHORTEST_MINUTES,
                    longest=LONGEST_MINUTES,
                    typed=typed,
                    minutes=self.minutes,
                )
            )

    def _show(self) -> None:
        words = style.duration(self.value)
        self._reading.value = (
            f'<div class="acs-large">{style.escape(words)}</div>'
            f"{style.lifetime_bar(self.value, words)}"
        )
        self._note.value = style.advice(_advice(self.minutes))
        self._code.value = style.code_block(f"lifetime = {python_source(self.value)}")


def _check_range(minutes: int) -> None:
    if not SHORTEST_MINUTES <= minutes <= LONGEST_MINUTES:
        raise TutorialError(
            _(
                "The service issues tokens for {shortest} to {longest} minutes; "
                "{minutes} is outside of that."
            ).format(shortest=SHORTEST_MINUTES, longest=LONGEST_MINUTES, minutes=minutes)
        )


def _advice(minutes: int) -> str:
    if minutes == LONGEST_MINUTES:
        return _(
            "This is the longest, and what the service gives when no lifetime is asked for. "
            "For a single meeting a shorter one is safer."
        )
    if minutes == SHORTEST_MINUTES:
        return _(
            "This is the shortest. It suits a single meeting: a token that leaks is soon useless."
        )
    return _(
        "Short lifetimes suit a single meeting, "
        "longer ones people who use your application all day."
    )
