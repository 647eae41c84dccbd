"""What all widgets have in common: the frame, the text twin, and handlers that never fail in silence."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from html import unescape
from typing import Any

import ipywidgets

from helpers.language import gettext as _
from helpers.masking import masked
from helpers.widgets import style


class Panel(ipywidgets.VBox):
    """A framed column of widgets.

    Children are only ever changed through their traits, so that a click, code and a run from top to bottom do the same.
    """

    def __init__(self, children: Sequence[ipywidgets.Widget]) -> None:
        self._failure = ipywidgets.HTML()
        super().__init__(children=[ipywidgets.HTML(style.STYLE), *children, self._failure])
        self.add_class("acs")

    def describe(self) -> str:
        """Return everything that the widget shows and offers, as plain text: one line per part."""
        return "\n".join(_lines(self.children))

    def _repr_mimebundle_(self, **options: Any) -> dict[str, Any]:
        # Where no kernel runs (a saved notebook, GitHub, nbviewer) the picture of this moment stands in for the widget. It also
        # lets a comparison of outputs see all of the widget, of which the plain text shows only the beginning.
        bundle: dict[str, Any] = super()._repr_mimebundle_(**options)
        css_classes = " ".join(self._dom_classes)
        bundle["text/html"] = (
            f'{style.STYLE}<div class="{css_classes}">{_still(self.children)}</div>'
        )
        return bundle

    def _handler(self, handle: Callable[[Any], object]) -> Callable[[Any], None]:
        """Return a callback that runs *handle* and, when it fails, says so here before the error goes its way.

        Jupyter sends an error in a callback to a log that few people open.
        """

        def callback(event: Any) -> None:
            self._failure.value = ""
            try:
                handle(event)
            except Exception as error:
                self._failure.value = style.problem(
                    _("That did not work: {reason}").format(
                        reason=masked(str(error)) or type(error).__name__
                    )
                )
                raise

        return callback


def text_of(html: str) -> str:
    """Return the words of a piece of HTML, in one line."""
    without_style = re.sub(r"<style>.*?</style>", "", html, flags=re.DOTALL)
    without_signs = re.sub(
        r'<(span|div)[^>]* aria-hidden="true">.*?</\1>', "", without_style, flags=re.DOTALL
    )
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", without_signs)).split())


def _still(widgets: Sequence[Any]) -> str:
    """Return widgets as HTML that does nothing: what they show, at this moment."""
    return "".join(_still_widget(widget) for widget in widgets if widget.layout.display != "none")


def _still_widget(widget: Any) -> str:
    if isinstance(widget, Panel):
        return f'<div style="margin: 18px 0 0">{_still(widget.children)}</div>'
    if isinstance(widget, ipywidgets.HBox):
        row = "display: flex; flex-wrap: wrap; gap: 2px 12px; align-items: baseline"
        return f'<div style="{row}">{_still(widget.children)}</div>'
    if isinstance(widget, ipywidgets.Box):
        return f'<div style="flex: 1 1 300px">{_still(widget.children)}</div>'
    if isinstance(widget, ipywidgets.HTML):
        # The style sheet stands at the top once, not again in each widget inside.
        return (
            ""
            if widget.value == style.STYLE
            else (f'<div style="flex: 1 1 260px">{widget.value}</div>')
        )
    label = style.escape(widget.description)
    if isinstance(widget, ipywidgets.Checkbox):
        return f'<div style="min-width: 160px">{"☑" if widget.value else "☐"} <code>{label}</code></div>'
    if isinstance(widget, ipywidgets.Button):
        return f'<span class="acs-pill">{label}</span>'
    if isinstance(widget, ipywidgets.Dropdown):
        return f"<div>{label}: {style.escape(widget.label)}</div>"
    if isinstance(widget, ipywidgets.IntProgress):
        return f"<div>{label}: {widget.value} / {widget.max}</div>"
    return f"<div>{label}: {style.escape(widget.value)}</div>"


def _lines(widgets: Sequence[Any]) -> Iterator[str]:
    for widget in widgets:
        if isinstance(widget, ipywidgets.Box):
            yield from _lines(widget.children)
            continue
        hidden = " (hidden)" if widget.layout.display == "none" else ""
        if isinstance(widget, ipywidgets.HTML):
            text = text_of(widget.value)
            if text:
                yield f"{text}{hidden}"
            continue
        traits = [
            f"{name}={getattr(widget, name)!r}"
            for name in ("value", "min", "max", "options", "disabled", "tooltip")
            if widget.has_trait(name)
        ]
        yield f"{type(widget).__name__} “{widget.description}”: {', '.join(traits)}{hidden}"
