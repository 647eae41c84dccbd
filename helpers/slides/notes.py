"""Speaker notes: what the presenter sees while the room looks at a slide.

They stand in the metadata of the slide's first cell, in the tutorial's own corner of it::

    "acs": {"notes": {
        "goal": "…",        only on the first slide: what the room shall take away from the lesson
        "minutes": 1.5,
        "say": "…",
        "questions": [{"question": "…", "answer": "…"}]
    }}

Every string in there is a text, in which `backticks` mean code, and is translated with those of the lesson.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from html import escape
from typing import Any

from helpers.language import gettext as _

_CODE = re.compile(r"`([^`]+)`")


@dataclass(frozen=True)
class Question:
    """What somebody in the room is likely to ask, and what to answer."""

    question: str
    answer: str


@dataclass(frozen=True)
class Notes:
    """The notes to one slide."""

    say: str
    minutes: float
    """How long the slide is on, in minutes."""
    questions: tuple[Question, ...] = ()
    goal: str = ""

    @classmethod
    def of(cls, metadata: Mapping[str, Any]) -> Notes | None:
        """Return the notes in a cell's *metadata*, or ``None`` where there are none."""
        found = metadata.get("acs", {}).get("notes")
        if not found:
            return None
        return cls(
            say=found.get("say", ""),
            minutes=found.get("minutes", 0),
            questions=tuple(Question(**question) for question in found.get("questions", ())),
            goal=found.get("goal", ""),
        )

    def html(self) -> str:
        """Return the notes for reveal.js's speaker view, which has its own style."""
        parts = [f"<p><strong>{escape(duration(self.minutes))}</strong></p>"]
        if self.goal:
            parts.append(f"<p><strong>{escape(_('Goal:'))}</strong> {_marked_up(self.goal)}</p>")
        parts.append(f"<p>{_marked_up(self.say)}</p>")
        for question in self.questions:
            parts.append(
                f"<p><strong>{escape(_('If they ask:'))}</strong> {_marked_up(question.question)}<br>"
                f"→ {_marked_up(question.answer)}</p>"
            )
        return "".join(parts)


def _marked_up(text: str) -> str:
    return _CODE.sub(r"<code>\1</code>", escape(text))


def duration(minutes: float) -> str:
    """Return a number of minutes, halves included, in words."""
    return _("{minutes} min").format(minutes=f"{minutes:g}")
