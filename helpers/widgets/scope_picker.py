"""Choose the scopes of an access token."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import ipywidgets
import traitlets

from helpers.language import gettext as _
from helpers.scopes import SCOPES, checked, needless
from helpers.widgets import style
from helpers.widgets.code import python_source
from helpers.widgets.panel import Panel


class _Scopes(traitlets.TraitType[list[str], Iterable[str]]):
    default_value: Any = ()

    def validate(self, _obj: Any, value: object) -> list[str]:
        return checked(value)

    # A copy, so that appending to what was read cannot make the value differ from the boxes on the screen.
    def get(self, obj: Any, cls: Any = None) -> list[str]:
        return list(super().get(obj, cls) or ())


class ScopePicker(Panel):
    """Five checkboxes, one per scope, with what each permits.

    ``value`` is the list for the next call, as in ``client.get_token(identity, scopes.value)``: wire names in the order of the
    documentation. It can be set from code as well, also with members of ``CommunicationTokenScope``.
    """

    value = _Scopes()

    def __init__(self, value: Iterable[str] = ("voip",)) -> None:
        """Show the choice with *value* chosen.

        Raises:
            TutorialError: *value* is not a collection of known scopes.
        """
        chosen = checked(value)
        self.checkboxes = {
            scope.name: ipywidgets.Checkbox(
                description=scope.name,
                tooltip=scope.permits,
                indent=False,
            )
            for scope in SCOPES
        }
        self._advice = ipywidgets.HTML()
        self._code = ipywidgets.HTML()
        super().__init__(
            [
                ipywidgets.HTML(style.title(_("Scopes: what may the holder of this token do?"))),
                self._group(_("Chat"), "chat"),
                self._group(_("Calls (voice and video over IP)"), "voip"),
                self._advice,
                self._code,
            ]
        )
        self.add_class("acs-scope-picker")
        for box in self.checkboxes.values():
            box.observe(self._handler(self._box_changed), names="value")
        # Differs from the trait's default even when empty, so this draws as well.
        self.value = chosen

    def __repr__(self) -> str:
        return f"ScopePicker(value={self.value})"

    @property
    def advice(self) -> str:
        """What the widget says about the choice: a hint towards least privilege."""
        return _advice(self.value)

    def _group(self, heading: str, service: str) -> ipywidgets.Widget:
        rows = [ipywidgets.HTML(f'<div class="acs-group">{style.escape(heading)}</div>')]
        for scope in SCOPES:
            if scope.service == service:
                row = ipywidgets.HBox(
                    [
                        self.checkboxes[scope.name],
                        ipywidgets.HTML(
                            f'<span class="acs-quiet">{style.escape(scope.permits)}</span>'
                        ),
                    ]
                )
                row.add_class("acs-choice")
                rows.append(row)
        return ipywidgets.VBox(rows)

    @traitlets.observe("value")
    def _value_changed(self, change: Any) -> None:
        for name, box in self.checkboxes.items():
            box.value = name in change["new"]
        self._show()

    def _box_changed(self, change: Any) -> None:
        # Only this box counts: when code sets the value, the others may not have followed yet.
        others = [name for name in self.value if name != change["owner"].description]
        self.value = [*others, change["owner"].description] if change["new"] else others

    def _show(self) -> None:
        self._advice.value = style.advice(self.advice)
        self._code.value = style.code_block(f"scopes = {python_source(self.value)}")


def _advice(chosen: list[str]) -> str:
    if not chosen:
        return _(
            "No scope is chosen yet. Choose at least one: the service issues no token without."
        )
    superfluous = needless(chosen)
    if superfluous:
        narrow, wide = next(iter(superfluous.items()))
        return _(
            "“{narrow}” adds nothing here, because “{wide}” already includes it. "
            "Grant only what is needed: keep one of the two."
        ).format(narrow=narrow, wide=wide)
    questions = {
        "chat": _(
            "Least privilege: must this user create, change or delete threads? "
            "If not, “chat.join” is enough."
        ),
        "chat.join": _(
            "Least privilege: must this user add or remove participants? "
            "If not, “chat.join.limited” is enough."
        ),
        "voip": _("Least privilege: must this user start calls? If not, “voip.join” is enough."),
    }
    wide_scopes = [questions[name] for name in chosen if name in questions]
    if wide_scopes:
        return " ".join(wide_scopes)
    return _("Least privilege: nothing narrower exists for this.")
