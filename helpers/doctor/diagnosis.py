"""What the doctor found: one line per check, for a terminal, a notebook cell and a program alike."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from html import escape
from typing import Literal

from helpers.language import gettext as _
from helpers.language import listed, ngettext
from helpers.masking import masked

State = Literal["ok", "warning", "problem"]

SIGNS: dict[State, str] = {"ok": "✔", "warning": "!", "problem": "✘"}
# For terminals that have no others.
ASCII_SIGNS: dict[State, str] = {"ok": "+", "warning": "!", "problem": "x"}


@dataclass(frozen=True)
class Verdict:
    """What one check says: how it stands, what it saw, and what to do about it. Nothing secret is in it."""

    state: State
    text: str
    advice: str = ""


def ok(text: str) -> Verdict:
    """Everything is as it should be."""
    return Verdict("ok", masked(text))


def warning(text: str, advice: str) -> Verdict:
    """The tutorial works, but something around it is not as it should be."""
    return Verdict("warning", masked(text), masked(advice))


def problem(text: str, advice: str) -> Verdict:
    """The tutorial does not work before this is put right."""
    return Verdict("problem", masked(text), masked(advice))


@dataclass(frozen=True)
class Finding:
    """A check with its verdict."""

    check: str
    """The check's name for programs; the same in every language."""
    title: str
    state: State
    text: str
    advice: str


class Diagnosis:
    """Every finding of one examination, in the order of the checks.

    Its forms for a notebook show what keeps the lessons from working. Every ready machine therefore shows the same, whatever
    its versions, folders and warnings are, and the stored output of a lesson fits them all. :meth:`text` says all of it.
    """

    def __init__(self, findings: Sequence[Finding]) -> None:
        self.findings = list(findings)

    @property
    def is_ready(self) -> bool:
        """Whether the tutorial works here: no check found a problem. Warnings do not count."""
        return all(finding.state != "problem" for finding in self.findings)

    @property
    def summary(self) -> str:
        """The verdict in one sentence."""
        counts = Counter(finding.state for finding in self.findings)
        if problems := counts["problem"]:
            return ngettext(
                "This machine is not ready yet: {count} problem to put right.",
                "This machine is not ready yet: {count} problems to put right.",
                problems,
            ).format(count=problems)
        if warnings := counts["warning"]:
            return ngettext(
                "This machine is ready; {count} thing is worth a look.",
                "This machine is ready; {count} things are worth a look.",
                warnings,
            ).format(count=warnings)
        return _("This machine is ready.")

    def text(self, signs: dict[State, str] = SIGNS) -> str:
        """Return every finding with what was seen, and the summary last, where the eye ends."""
        width = max((len(finding.title) for finding in self.findings), default=0)
        lines = []
        for finding in self.findings:
            lines.append(f"{signs[finding.state]} {finding.title:<{width}}  {finding.text}")
            if finding.advice:
                lines.append(f"  {'':<{width}}  → {finding.advice}")
        return "\n".join([*lines, "", self.summary])

    def as_json(self) -> str:
        """Return the findings for programs."""
        return json.dumps(
            {"ready": self.is_ready, "findings": [asdict(finding) for finding in self.findings]},
            indent=2,
            ensure_ascii=False,
        )

    def __repr__(self) -> str:
        if self.is_ready:
            return f"{SIGNS['ok']} {self._ready}\n  {self._examined}\n  → {self._more}"
        lines = [f"{SIGNS['problem']} {self.summary}"]
        for finding in self._amiss:
            lines.append(f"{SIGNS[finding.state]} {finding.title}: {finding.text}")
            lines.append(f"  → {finding.advice}")
        return "\n".join(lines)

    def _repr_html_(self) -> str:
        arrow = "<span aria-hidden='true'>→</span>"
        if self.is_ready:
            said = f"<span aria-hidden='true'>{SIGNS['ok']}</span> {escape(self._ready)}"
            below = f"<div>{escape(self._examined)}</div><div>{arrow} {escape(self._more)}</div>"
        else:
            said = f"<span aria-hidden='true'>{SIGNS['problem']}</span> {escape(self.summary)}"
            rows = [
                "<li style='list-style:none'>"
                f"<span aria-hidden='true'>{SIGNS[finding.state]}</span> {escape(finding.title)}: "
                f"{escape(finding.text)}<br>{arrow} {escape(finding.advice)}</li>"
                for finding in self._amiss
            ]
            below = f"<ul style='margin:6px 0;padding:0'>{''.join(rows)}</ul>"
        return (
            "<div role='status' style='border-left:4px solid currentColor;padding:2px 10px'>"
            f"<strong>{said}</strong>{below}</div>"
        )

    @property
    def _ready(self) -> str:
        return _(
            "This machine is ready: {count} things examined, nothing in the way of the lessons."
        ).format(count=len(self.findings))

    @property
    def _examined(self) -> str:
        return listed(finding.title for finding in self.findings)

    @property
    def _more(self) -> str:
        return _("print(helpers.doctor().text()) shows what was found, line by line.")

    @property
    def _amiss(self) -> list[Finding]:
        return [
            finding
            for state in ("problem", "warning")
            for finding in self.findings
            if finding.state == state
        ]
