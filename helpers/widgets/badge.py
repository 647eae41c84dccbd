"""The badge: where the calls of this lesson go."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from helpers.language import gettext as _


class Badge:
    """Says where calls go, in one line, and what the reader should know about the settings below it."""

    def __init__(self, *, mode: str, host: str, notes: Sequence[str] = ()) -> None:
        """*mode* is ``sandbox``, ``room`` or ``live``; *host* names the real resource, or the seat and where the room is.

        *notes* are whole sentences.
        """
        self.mode = mode
        self.title = {"sandbox": _("Sandbox"), "room": _("Room"), "live": _("Live")}[mode]
        self.place = _("nothing leaves this machine") if mode == "sandbox" else host
        self.notes = list(notes)

    def __repr__(self) -> str:
        return "\n".join([f"{self.title} · {self.place}", *self.notes])

    def _repr_html_(self) -> str:
        # Live is dashed as well as warm, so that nothing is said by colour alone.
        line = "2px dashed #b3541e" if self.mode == "live" else "1px solid #2e7d5b"
        notes = "".join(f"<div style='margin-top:4px'>{escape(note)}</div>" for note in self.notes)
        return (
            f"<div role='status' style='display:inline-block;border:{line};border-radius:6px;padding:4px 10px'>"
            f"<strong>{escape(self.title)}</strong> · {escape(self.place)}{notes}</div>"
        )
