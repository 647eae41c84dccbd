"""How the widgets look, in one place, and the few words that all of them share.

Colours come from the page: ``currentColor`` for text, transparent tints for surfaces, JupyterLab's variables where there are
any. So one style sheet is right in light and dark JupyterLab, Notebook, VS Code and Voilà. A tint never carries a
meaning on its own; words or signs say the same.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from html import escape as _escape
from pathlib import Path

from helpers import language
from helpers.language import gettext as _

_CSS = (Path(__file__).parent / "style.css").read_text(encoding="utf-8")

STYLE = f"<style>{' '.join(_CSS.split())}</style>"
"""The style sheet as HTML, in one line. Everything in it is under ``.acs``, so it may stand in a page any number of times."""


def escape(value: object) -> str:
    """Return *value* as text that is safe anywhere in HTML, attributes included."""
    return _escape(str(value), quote=True)


def title(text: str) -> str:
    """Return the heading of a widget."""
    return f'<div class="acs-title">{escape(text)}</div>'


def code_block(source: str) -> str:
    """Return Python to copy: one click selects all of it."""
    return f'<pre tabindex="0">{escape(source)}</pre>'


def advice(text: str) -> str:
    """Return a sentence that helps to choose; an empty text gives nothing."""
    return _note("advice", "", text)


def problem(text: str) -> str:
    """Return a sentence about something that went wrong; an empty text gives nothing."""
    return _note("problem", "⚠", text)


def done(text: str) -> str:
    """Return a sentence about something that was achieved; an empty text gives nothing."""
    return _note("done", "✓", text)


def _note(kind: str, sign: str, text: str) -> str:
    if not text:
        return ""
    mark = f'<span aria-hidden="true">{sign}</span> ' if sign else ""
    return f'<div class="acs-note acs-note-{kind}">{mark}{escape(text)}</div>'


def pills(names: list[str]) -> str:
    """Return *names* as labels in a row."""
    return "".join(f'<span class="acs-pill">{escape(name)}</span>' for name in names)


def duration(length: timedelta) -> str:
    """Return a length of time in hours and minutes, to the nearest minute."""
    hours, minutes = divmod(round(length.total_seconds() / 60), 60)
    if not minutes:
        return _("{hours} h").format(hours=hours)
    if not hours:
        return _("{minutes} min").format(minutes=minutes)
    return _("{hours} h {minutes} min").format(hours=hours, minutes=minutes)


def lifetime_bar(lifetime: timedelta, words: str, *, used: float = 0.0) -> str:
    """Return a picture of *lifetime* on a scale of 24 hours, with the share of it that is *used* (0 to 1).

    *words* say the same for those who do not see it.
    """
    scale = "".join(
        f"<span>{escape(duration(timedelta(hours=hours)))}</span>" for hours in (0, 12, 24)
    )
    whole = min(lifetime / timedelta(hours=24), 1.0) * 100
    return (
        f'<div class="acs-bar" role="img" aria-label="{escape(words)}">'
        f'<div class="acs-bar-whole" style="width: {whole:.1f}%"></div>'
        f'<div class="acs-bar-used" style="width: {whole * used:.1f}%"></div></div>'
        f'<div class="acs-scale" aria-hidden="true">{scale}</div>'
    )


def utc(moment: datetime) -> str:
    """Return a moment as UTC, to the second."""
    return language.moment(moment)
