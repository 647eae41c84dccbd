"""An exercise: check, hint, solution. The judge reads the journal, not the learner's variables."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from html import escape
from typing import Any

from IPython.core.getipython import get_ipython

from helpers.exercises.tasks import of_lesson
from helpers.explain import explain
from helpers.journal import Journal
from helpers.language import gettext as _


class Outcome(Enum):
    """How an attempt stands. The symbols say it without colour."""

    RIGHT = "✔"
    WRONG = "✘"
    FAILED = "⚠"
    NOT_ATTEMPTED = "○"


@dataclass(frozen=True)
class Feedback:
    """One answer of an exercise, for a notebook and for a terminal alike."""

    text: str
    outcome: Outcome | None = None
    code: str | None = None

    def __repr__(self) -> str:
        line = f"{self.outcome.value} {self.text}" if self.outcome else self.text
        return f"{line}\n\n{self.code}" if self.code else line

    def _repr_html_(self) -> str:
        symbol = (
            f"<strong aria-hidden='true'>{self.outcome.value}</strong> " if self.outcome else ""
        )
        code = f"<pre style='margin:6px 0 0'>{escape(self.code)}</pre>" if self.code else ""
        return (
            "<div role='status' style='border-left:4px solid currentColor;padding:2px 10px'>"
            f"{symbol}{escape(self.text)}{code}</div>"
        )


class Exercise:
    """One attempt at a lesson's task: what is sent after it was made counts."""

    def __init__(self, lesson: str | None, journal: Journal) -> None:
        """Begin the exercise of *lesson* (its number, such as ``"03"``).

        Raises:
            TutorialError: that lesson has no exercise.
        """
        self._task = of_lesson(lesson)
        self._lesson = lesson or ""
        self._journal = journal
        self._hints_given = 0
        self._error: BaseException | None = None
        earlier = journal.exchanges()
        self._since = earlier[-1].number if earlier else 0
        self._watch_cell()

    def check(self) -> Feedback:
        """Judge what was sent since this exercise began; a right answer counts towards the progress."""
        attempt = self._journal.exchanges(since=self._since)
        problem = self._task.judge([exchange for exchange in attempt if exchange.succeeded])
        if attempt and problem is None:
            self._journal.solve(self._lesson)
            return Feedback(self._task.praise, Outcome.RIGHT)
        if self._error is not None:
            explanation = explain(self._error)
            return Feedback(
                _("Your code ended with an error. {cause} {fix}").format(
                    cause=explanation.cause, fix=explanation.fix
                ),
                Outcome.FAILED,
            )
        if not attempt:
            return Feedback(
                _("Not attempted yet: nothing was sent since the exercise began. {goal}").format(
                    goal=self._task.goal
                ),
                Outcome.NOT_ATTEMPTED,
            )
        last = attempt[-1]
        if not last.succeeded:
            error = last.answered.get("error") or {}
            return Feedback(
                _("The service refused {operation} with status {status}: {message}").format(
                    operation=last.operation,
                    status=last.status,
                    message=error.get("message") or _("it gave no reason."),
                ),
                Outcome.FAILED,
            )
        return Feedback(problem or self._task.goal, Outcome.WRONG)

    def _watch_cell(self) -> None:
        """Notice when the cell that holds the attempt ends with an error: then nothing may have been sent at all."""
        shell = get_ipython()
        if shell is None:
            return

        def ended(result: Any) -> None:
            shell.events.unregister("post_run_cell", ended)
            self._error = result.error_in_exec

        shell.events.register("post_run_cell", ended)

    def hint(self) -> Feedback:
        """Give the next hint; after the last one, the last one again."""
        hints = self._task.hints
        self._hints_given = min(self._hints_given + 1, len(hints))
        return Feedback(
            _("Hint {number} of {count}: {hint}").format(
                number=self._hints_given, count=len(hints), hint=hints[self._hints_given - 1]
            )
        )

    def solution(self) -> Feedback:
        """Show lines that solve the task."""
        return Feedback(_("One way to do it:"), code=self._task.solution)

    def __repr__(self) -> str:
        return f"Exercise({self._task.goal!r})"
