"""The Python call that the choices on the screen amount to."""

from __future__ import annotations

from string import Formatter
from typing import Any

import ipywidgets

from helpers.errors import TutorialError
from helpers.language import gettext as _
from helpers.widgets import style
from helpers.widgets.code import python_source, wrapped
from helpers.widgets.panel import Panel


class CallPreview(Panel):
    """A call with its arguments filled in, live: what you click is what you would type.

    ``code`` is the call as text.
    """

    def __init__(self, template: str, **parts: Any) -> None:
        """Show *template*, each ``{name}`` in it replaced by the Python for the part of that name.

        A part is a picker, whose value is followed as it changes, or any other value.

        Raises:
            TutorialError: the names in the template and those of the parts are not the same.
        """
        try:
            names = {
                name for _text, name, _spec, _conversion in Formatter().parse(template) if name
            }
        except ValueError as error:
            raise TutorialError(
                _("The call “{call}” has a brace without its partner.").format(call=template)
            ) from error
        for name in sorted(names ^ parts.keys()):
            raise TutorialError(
                (
                    _("The call has a place for “{name}”, but nothing of that name was given.")
                    if name in names
                    else _("“{name}” was given, but the call has no place for it.")
                ).format(name=name)
            )
        self._template = template
        self._parts = parts
        self._block = ipywidgets.HTML()
        super().__init__(
            [
                ipywidgets.HTML(
                    style.title(_("The call you have put together"))
                    + f'<div class="acs-quiet">{style.escape(_("One click selects it for copying."))}</div>'
                ),
                self._block,
            ]
        )
        self.add_class("acs-call-preview")
        for part in parts.values():
            if _is_picker(part):
                part.observe(self._handler(self._show), names="value")
        self._show()

    @property
    def code(self) -> str:
        """The call, ready to run."""
        values = {
            name: python_source(part.value if _is_picker(part) else part)
            for name, part in self._parts.items()
        }
        return wrapped(self._template.format(**values))

    def __repr__(self) -> str:
        code = " ".join(self.code.split())
        return f"CallPreview({code if len(code) <= 80 else code[:79] + '…'})"

    def _show(self, _change: Any = None) -> None:
        self._block.value = style.code_block(self.code)


def _is_picker(part: Any) -> bool:
    return isinstance(part, ipywidgets.Widget) and part.has_trait("value")
