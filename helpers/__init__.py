"""What a lesson uses: ``helpers.start()`` and the widgets. The SDK itself is imported by the lesson, as in any program."""

from helpers.explain import explain
from helpers.masking import mask_token
from helpers.progress import Progress
from helpers.session import start
from helpers.widgets import (
    CallPreview,
    Ledger,
    LifetimePicker,
    Playground,
    ScopeExplorer,
    ScopePicker,
    Timeline,
    TokenCard,
    WirePanel,
)

__all__ = [
    "CallPreview",
    "Ledger",
    "LifetimePicker",
    "Playground",
    "Progress",
    "ScopeExplorer",
    "ScopePicker",
    "Timeline",
    "TokenCard",
    "WirePanel",
    "explain",
    "mask_token",
    "start",
]
