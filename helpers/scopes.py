"""What an access token may permit: the five scopes and the published tables of their capabilities.

Source: "Identity model" in the Azure Communication Services documentation, as published on 2 January 2024. The tables
are data here, so that pickers, games and exercises judge by the same rows that the page prints.
"""

from __future__ import annotations

import difflib
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass, field

from helpers.errors import TutorialError
from helpers.language import gettext as _
from helpers.language import listed


@dataclass(frozen=True)
class Scope:
    """A scope that an access token can carry."""

    name: str
    """The scope as it goes over the wire, such as ``chat.join``."""
    # A function, because the language is chosen after this module is imported.
    sentence: Callable[[], str] = field(repr=False, compare=False)
    includes: tuple[str, ...] = ()
    """The scopes that this one makes needless: it permits all that they permit."""

    @property
    def permits(self) -> str:
        """What a token with this scope lets its holder do, in one sentence."""
        return self.sentence()

    @property
    def service(self) -> str:
        """The service that the scope belongs to: ``chat`` or ``voip``."""
        return self.name.partition(".")[0]


@dataclass(frozen=True)
class Capability:
    """One row of the published tables: something that a user may do, and the scopes that permit it."""

    label: str
    """The row's name as it is published, in English; also its identifier."""
    sentence: Callable[[], str] = field(repr=False, compare=False)
    scopes: tuple[str, ...]
    """Any one of these scopes permits it."""
    depends_on_role: bool = False
    """Whether the user's role in the Virtual Room has the last word."""

    @property
    def name(self) -> str:
        """The row's name in the chosen language."""
        return self.sentence()

    @property
    def service(self) -> str:
        """The service that the capability belongs to: ``chat`` or ``voip``."""
        return self.scopes[0].partition(".")[0]


SCOPES: tuple[Scope, ...] = (
    Scope(
        "chat",
        lambda: _(
            "Everything in chat: create, change and delete threads, manage participants, "
            "and read and write messages."
        ),
        includes=("chat.join", "chat.join.limited"),
    ),
    Scope(
        "chat.join",
        lambda: _(
            "Take part in threads that exist: add and remove participants, and read and write messages."
        ),
        includes=("chat.join.limited",),
    ),
    Scope(
        "chat.join.limited",
        lambda: _("Take part in threads that exist: read and write messages, but invite nobody."),
    ),
    Scope(
        "voip",
        lambda: _("Everything in calling: start calls and join them."),
        includes=("voip.join",),
    ),
    Scope(
        "voip.join",
        lambda: _("Join calls that are in progress, and calls in a Room one is invited to."),
    ),
)
"""All five, in the order of the published page; within a service the widest comes first."""

SCOPE_NAMES: tuple[str, ...] = tuple(scope.name for scope in SCOPES)

_CHAT = ("chat", "chat.join", "chat.join.limited")
_VOIP = ("voip", "voip.join")

CAPABILITIES: tuple[Capability, ...] = (
    Capability("Create chat thread", lambda: _("Create chat thread"), ("chat",)),
    Capability("Update chat thread with ID", lambda: _("Update chat thread with ID"), ("chat",)),
    Capability("Delete chat thread with ID", lambda: _("Delete chat thread with ID"), ("chat",)),
    Capability(
        "Add participant to a chat thread",
        lambda: _("Add participant to a chat thread"),
        ("chat", "chat.join"),
    ),
    Capability(
        "Remove participant from a chat thread",
        lambda: _("Remove participant from a chat thread"),
        ("chat", "chat.join"),
    ),
    Capability("Get chat threads", lambda: _("Get chat threads"), _CHAT),
    Capability("Get chat thread with ID", lambda: _("Get chat thread with ID"), _CHAT),
    Capability("Get ReadReceipt", lambda: _("Get ReadReceipt"), _CHAT),
    Capability("Create ReadReceipt", lambda: _("Create ReadReceipt"), _CHAT),
    Capability(
        "Create message for chat thread with ID",
        lambda: _("Create message for chat thread with ID"),
        _CHAT,
    ),
    Capability("Get message with message ID", lambda: _("Get message with message ID"), _CHAT),
    Capability(
        "Update your own message with message ID",
        lambda: _("Update your own message with message ID"),
        _CHAT,
    ),
    Capability(
        "Delete your own message with message ID",
        lambda: _("Delete your own message with message ID"),
        _CHAT,
    ),
    Capability("Send typing indicator", lambda: _("Send typing indicator"), _CHAT),
    Capability("Get participant for thread ID", lambda: _("Get participant for thread ID"), _CHAT),
    Capability("Start a VoIP call", lambda: _("Start a VoIP call"), ("voip",)),
    Capability(
        "Start a VoIP call in Virtual Rooms, when the user is already invited to the Room",
        lambda: _(
            "Start a VoIP call in Virtual Rooms, when the user is already invited to the Room"
        ),
        _VOIP,
    ),
    Capability("Join an InProgress VoIP call", lambda: _("Join an InProgress VoIP call"), _VOIP),
    Capability(
        "Join an InProgress VoIP call in Virtual Rooms, "
        "when the user is already invited to the Room",
        lambda: _(
            "Join an InProgress VoIP call in Virtual Rooms, "
            "when the user is already invited to the Room"
        ),
        _VOIP,
    ),
    Capability(
        "All other in-call operations such as mute/unmute, screen share, and so on",
        lambda: _("All other in-call operations such as mute/unmute, screen share, and so on"),
        _VOIP,
    ),
    Capability(
        "All other in-call operations such as mute/unmute, screen share, and so on, "
        "in Virtual Rooms",
        lambda: _(
            "All other in-call operations such as mute/unmute, screen share, and so on, "
            "in Virtual Rooms"
        ),
        _VOIP,
        depends_on_role=True,
    ),
)
"""The rows of the two published tables, chat first, in their order."""


def checked(scopes: object) -> list[str]:
    """Return *scopes* as wire names in canonical order, each once.

    Accepts strings and members of the SDK's ``CommunicationTokenScope``.

    Raises:
        TutorialError: not a collection of known scopes; the sentence says which part is wrong.
    """
    if isinstance(scopes, str):
        raise TutorialError(
            _("Scopes are given as a list, even a single one: write [“{scope}”].").format(
                scope=_wire_name(scopes)
            )
        )
    if not isinstance(scopes, Iterable):
        raise TutorialError(
            _("Scopes are given as a list such as [“chat”, “voip”], not as {type}.").format(
                type=type(scopes).__name__
            )
        )
    names = [_wire_name(scope) for scope in scopes]
    for name in names:
        if name not in SCOPE_NAMES:
            raise _unknown(name)
    return [name for name in SCOPE_NAMES if name in names]


def permits(scopes: Iterable[str]) -> list[Capability]:
    """Return what a token with *scopes* lets its holder do, in the order of the published tables.

    Raises:
        TutorialError: *scopes* names no known scopes.
    """
    chosen = checked(scopes)
    return [
        capability
        for capability in CAPABILITIES
        if any(scope in capability.scopes for scope in chosen)
    ]


def needless(scopes: Iterable[str]) -> dict[str, str]:
    """Return the scopes that add nothing to the others, each with the widest one that already includes it.

    Raises:
        TutorialError: *scopes* names no known scopes.
    """
    chosen = checked(scopes)
    return {
        narrow: next(
            wide.name for wide in SCOPES if wide.name in chosen and narrow in wide.includes
        )
        for narrow in chosen
        if any(narrow in wide.includes for wide in SCOPES if wide.name in chosen)
    }


def narrowest(capabilities: Collection[Capability]) -> list[str]:
    """Return the scopes that permit all *capabilities* and as little else as possible: least privilege.

    The scopes of one service are nested, so one per service is always enough, and there is only one answer.
    """
    chosen = []
    for service in ("chat", "voip"):
        wanted = [capability for capability in capabilities if capability.service == service]
        if wanted:
            # Widest first, so the last that permits everything is the narrowest.
            chosen.append(
                [
                    scope.name
                    for scope in SCOPES
                    if all(scope.name in capability.scopes for capability in wanted)
                ][-1]
            )
    return chosen


def _wire_name(scope: object) -> str:
    # A member of a str enum prints as its Python name on Python 3.11 and later; its value is the wire name.
    return str(getattr(scope, "value", scope))


def _unknown(name: str) -> TutorialError:
    close = difflib.get_close_matches(name.lower().replace("_", "."), SCOPE_NAMES, n=1)
    if close:
        return TutorialError(
            _("There is no scope “{name}”; did you mean “{suggestion}”?").format(
                name=name, suggestion=close[0]
            )
        )
    return TutorialError(
        _("There is no scope “{name}”; the scopes are {scopes}.").format(
            name=name, scopes=listed(SCOPE_NAMES)
        )
    )
