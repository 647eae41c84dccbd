"""The widgets of the lessons: plain ipywidgets, HTML and SVG."""

from helpers.widgets.call_preview import CallPreview
from helpers.widgets.ledger import Ledger
from helpers.widgets.lifetime_picker import LifetimePicker
from helpers.widgets.playground import Playground
from helpers.widgets.scope_explorer import ScopeExplorer
from helpers.widgets.scope_picker import ScopePicker
from helpers.widgets.timeline import Timeline, TokenRecord
from helpers.widgets.token_card import TokenCard
from helpers.widgets.wire_panel import WirePanel

__all__ = [
    "CallPreview",
    "Ledger",
    "LifetimePicker",
    "Playground",
    "ScopeExplorer",
    "ScopePicker",
    "Timeline",
    "TokenCard",
    "TokenRecord",
    "WirePanel",
]
