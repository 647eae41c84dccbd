"""What a lesson uses: ``helpers.start()`` and the widgets. The SDK itself is imported by the lesson, as in any program."""

from helpers.doctor import doctor
from helpers.errors import TutorialError
from helpers.language import gettext as _

try:
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
except ModuleNotFoundError as error:
    # The doctor works without the SDK and the widgets, and says what is missing; all else says so when it is asked for.
    _missing = error.name or str(error)

    def __getattr__(name: str) -> object:
        if name not in __all__:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        raise TutorialError(
            _(
                "The package for “{package}” is not in this notebook's environment. Run “uv sync” in the tutorial's folder "
                "and restart the kernel; helpers.doctor() tells more."
            ).format(package=_missing)
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
    "doctor",
    "explain",
    "mask_token",
    "start",
]
