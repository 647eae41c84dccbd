from __future__ import annotations

import ipywidgets
import pytest

from helpers.widgets import LifetimePicker, ScopeExplorer, ScopePicker, style
from helpers.widgets.panel import Panel, text_of


class _Failing(Panel):
    def __init__(self, error: Exception | None) -> None:
        self.error = error
        self.box = ipywidgets.Checkbox(description="Go", tooltip="Go now")
        self.box.observe(self._handler(self._go), names="value")
        super().__init__([self.box])

    def click(self) -> None:
        self.box.value = not self.box.value

    def _go(self, _change: object) -> None:
        if self.error:
            raise self.error


def test_a_failing_handler_says_so_in_the_widget_and_lets_the_error_go_on() -> None:
    panel = _Failing(ValueError("<b>broken</b>"))

    with pytest.raises(ValueError, match="broken"):
        panel.click()

    assert "That did not work: <b>broken</b>" in panel.describe()


def test_the_report_of_a_failing_handler_hides_keys() -> None:
    panel = _Failing(ValueError("endpoint=https://x/;accesskey=" + "k" * 40))

    with pytest.raises(ValueError):
        panel.click()

    assert "k" * 40 not in panel.describe()


def test_an_error_without_words_is_named() -> None:
    panel = _Failing(KeyError())

    with pytest.raises(KeyError):
        panel.click()

    assert "That did not work: KeyError" in panel.describe()


def test_the_report_goes_when_the_handler_works_again() -> None:
    panel = _Failing(ValueError("broken"))
    with pytest.raises(ValueError):
        panel.click()
    panel.error = None

    panel.click()

    assert "That did not work" not in panel.describe()


def test_the_description_holds_every_part() -> None:
    inner = ipywidgets.HBox(
        [
            ipywidgets.Checkbox(value=True, description="on", tooltip="tip"),
            ipywidgets.Dropdown(options=["a", "b"], description="pick", disabled=True),
        ]
    )
    hidden = ipywidgets.HTML("<i>unseen &amp; quiet</i>")
    hidden.layout.display = "none"

    assert Panel([inner, hidden]).describe().splitlines() == [
        "Checkbox “on”: value=True, disabled=False, tooltip='tip'",
        "Dropdown “pick”: value='a', options=('a', 'b'), disabled=True, tooltip=None",
        "unseen & quiet (hidden)",
    ]


def test_it_brings_its_style_along() -> None:
    panel = Panel([])

    assert "acs" in panel._dom_classes
    assert panel.children[0].value == style.STYLE


def test_the_text_of_html_leaves_out_styles_and_decoration() -> None:
    html = '<style>.x{}</style><p>One</p><span class="s" aria-hidden="true">⚠</span> <b>two&lt;</b>'

    assert text_of(html) == "One two<"


def test_without_a_kernel_the_picture_of_the_moment_stands_in() -> None:
    picker = ScopePicker(["chat"])
    bundle = picker._repr_mimebundle_()

    assert "☑ <code>chat</code>" in bundle["text/html"]
    assert "☐ <code>voip</code>" in bundle["text/html"]
    assert style.escape(picker.advice) in bundle["text/html"]
    assert "application/vnd.jupyter.widget-view+json" in bundle


def test_the_picture_shows_every_kind_of_control_and_nothing_hidden() -> None:
    html = "".join(
        panel._repr_mimebundle_()["text/html"]
        for panel in (LifetimePicker(minutes=90), ScopeExplorer())
    )

    assert ": 90</div>" in html
    assert "none: just explore" in html
    assert "Judge my choice" in html
    hidden = Panel(
        [
            ipywidgets.HTML("secret", layout={"display": "none"}),
            ipywidgets.IntProgress(2, max=3, description="<b>"),
        ]
    )
    shown = hidden._repr_mimebundle_()["text/html"]
    assert "secret" not in shown
    assert "&lt;b&gt;: 2 / 3" in shown
