"""Catch up: a laptop that comes late gets what the room has when a lesson begins.

The lessons before it are run, with the solutions of their exercises put in, on the laptop's own sandbox: each exercise is
judged by what was really sent, the record holds the exchanges, and each lesson deletes what it created. They run in a process
of their own, with a sandbox server of its own on the same state, so that clock, clients and widgets of the one who waits are
left alone.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from contextlib import redirect_stdout
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import Any

from helpers import browser, settings
from helpers.errors import TutorialError
from helpers.language import gettext as _
from helpers.language import listed, ngettext

_SECONDS = 120


@dataclass(frozen=True)
class CaughtUp:
    """What catching up did."""

    lesson: str
    """The lesson that can begin."""
    done: tuple[str, ...]
    """The lessons that were run for it, by number."""

    def __repr__(self) -> str:
        if not self.done:
            return _("✔ You were there already: lesson {lesson} can begin.").format(
                lesson=self.lesson
            )
        return ngettext(
            "✔ Lesson {done} was done for you; lesson {lesson} can begin.",
            "✔ Lessons {done} were done for you; lesson {lesson} can begin.",
            len(self.done),
        ).format(done=listed(self.done), lesson=self.lesson)

    def _repr_html_(self) -> str:
        return (
            "<div role='status' style='border-left:4px solid currentColor;padding:2px 10px'>"
            f"{escape(repr(self))}</div>"
        )


def catch_up(lesson: str) -> CaughtUp:
    """Bring this computer to where *lesson* (its number, such as ``"07"``) begins: every lesson before it done.

    Lessons whose exercise is solved stay as they are, so that doing it again does nothing. Takes a few seconds.

    Raises:
        TutorialError: there is no such lesson, the mode is live, or an earlier lesson failed.
    """
    from helpers.exercises import LESSONS
    from helpers.journal import Journal

    number = lesson.zfill(2)
    if number not in LESSONS:
        raise TutorialError(
            _("There is no lesson “{lesson}”; there are {numbers}.").format(
                lesson=lesson, numbers=listed(LESSONS)
            )
        )
    if browser.HERE:
        raise TutorialError(
            _(
                "A web page cannot run other lessons by itself: open each and choose “Run All Cells” from the menu “Run”, or catch "
                "up with the tutorial on your computer."
            )
        )
    chosen = settings.load()
    if chosen.mode == "live":
        raise TutorialError(
            _(
                "Catching up happens on the sandbox only, never on a real resource: remove ACS_TUTORIAL_MODE=live and "
                "start again."
            )
        )
    journal = Journal(chosen.home, service="sandbox", lesson=number)
    try:
        solved = journal.solved()
    finally:
        journal.close()
    missing = [earlier for earlier in LESSONS if earlier < number and earlier not in solved]
    if missing:
        _run_elsewhere(missing, home=chosen.home)
    return CaughtUp(number, tuple(missing))


def _run_elsewhere(lessons: Sequence[str], *, home: Path) -> None:
    # What this process was told about its own sandbox does not hold for the other one.
    environment = {
        name: value
        for name, value in os.environ.items()
        if name not in ("REQUESTS_CA_BUNDLE", "SSL_CERT_FILE")
    }
    environment |= dict.fromkeys(settings.KEYS, "")
    environment |= {
        settings.MODE: "sandbox",
        settings.HOME: str(home),
        "PYTHONIOENCODING": "utf-8",
    }
    try:
        ran = subprocess.run(
            [sys.executable, "-m", "helpers.catch_up", *lessons],
            cwd=Path(__file__).parents[1],
            env=environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            encoding="utf-8",
            timeout=_SECONDS,
        )
    except subprocess.TimeoutExpired as error:
        raise TutorialError(
            _(
                "Catching up did not end within {seconds} seconds; look with “acs-tutorial doctor” what keeps this machine busy."
            ).format(seconds=_SECONDS)
        ) from error
    try:
        answer = json.loads(ran.stdout.splitlines()[-1])
    except (ValueError, IndexError):
        answer = {"reason": next(reversed(ran.stderr.strip().splitlines()), str(ran.returncode))}
    if answer.get("lesson"):
        raise TutorialError(
            _(
                "Catching up came to a stop in lesson {lesson}. {reason} Run that lesson yourself, or ask “acs-tutorial doctor”."
            ).format(lesson=answer["lesson"], reason=answer["reason"])
        )
    if answer:
        raise TutorialError(
            _("Catching up did not begin: {reason}. Ask “acs-tutorial doctor” why.").format(
                reason=answer["reason"].rstrip(".")
            )
        )


def main(lessons: Sequence[str]) -> dict[str, str]:
    """Do *lessons* in this process, in order, and return in which one it came to a stop and why; nothing if all are done."""
    from helpers.explain import explain
    from helpers.masking import masked
    from helpers.session import Session, start

    # What lessons print is for nobody; standard output carries the answer alone.
    with redirect_stdout(sys.stderr):
        first = start()
        for lesson in lessons:
            session = Session(first.settings, lesson=lesson, sandbox=first.sandbox)
            try:
                _do(lesson, session)
            except TutorialError as error:
                return {"lesson": lesson, "reason": str(error)}
            except Exception as error:
                return {"lesson": lesson, "reason": masked(explain(error).cause)}
            finally:
                session.journal.close()
    return {}


def _do(lesson: str, session: Any) -> None:
    """Run the cells of a lesson from top to bottom, and see that its exercise is right and that nothing stays behind."""
    import helpers
    from helpers.exercises import of_lesson
    from helpers.validation.lessons import read, select

    names: dict[str, Any] = {"__name__": "__main__", "helpers": helpers, "session": session}
    (path,) = select([lesson], language="en")
    for cell in read(path).code_cells:
        code = cell["source"]
        if "helpers.start(" in code:
            continue  # The session of this lesson is there already.
        if "exercise" in cell["metadata"].get("tags", []):
            code += "\n" + of_lesson(lesson).solution
        exec(compile(code, path.name, "exec"), names)
    if lesson not in session.journal.solved():
        raise TutorialError(_("Its solution was not judged right."))
    if any(
        identity.session == session.id and identity.deleted_at is None
        for identity in session.journal.identities()
    ):
        raise TutorialError(_("It left an identity behind."))


if __name__ == "__main__":
    print(json.dumps(main(sys.argv[1:])))
