"""Where the learner is: which exercises are solved, which lesson is next, and a summary to keep."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING

from helpers.errors import TutorialError
from helpers.exercises import LESSONS, Outcome
from helpers.language import date, ngettext
from helpers.language import gettext as _

if TYPE_CHECKING:
    from helpers.session import Session


@dataclass(frozen=True)
class _Lesson:
    title: str
    skill: str
    """What somebody who solved its exercise can do, for the summary."""
    file: str


def _lessons() -> dict[str, _Lesson]:
    # Built on demand, because the language is chosen after this module is imported.
    words = (
        (_("Start here"), _("tell identity, access token and scope apart"), "start-here"),
        (
            _("Authenticate the client"),
            _("authenticate with a connection string, a key and Microsoft Entra ID"),
            "authenticate-the-client",
        ),
        (
            _("Create identities"),
            _("create identities and map them to users"),
            "create-identities",
        ),
        (
            _("Issue access tokens"),
            _("choose scopes by least privilege"),
            "issue-access-tokens",
        ),
        (_("Set token lifetimes"), _("choose a fitting lifetime"), "set-token-lifetimes"),
        (
            _("Create an identity with a token"),
            _("onboard a user in one request"),
            "create-identity-with-token",
        ),
        (
            _("Refresh access tokens"),
            _("refresh tokens for a stored identity"),
            "refresh-access-tokens",
        ),
        (
            _("Revoke access tokens"),
            _("revoke tokens and narrow rights"),
            "revoke-access-tokens",
        ),
        (_("Delete and clean up"), _("delete identities for good"), "delete-and-clean-up"),
        (
            _("The complete quickstart"),
            _("run an identity's whole life in three requests"),
            "complete-quickstart",
        ),
    )
    return {
        number: _Lesson(title, skill, f"{number}-{slug}.ipynb")
        for number, (title, skill, slug) in zip(LESSONS, words, strict=True)
    }


class Progress:
    """The ten lessons, each with its exercise solved or not. Kept for every kernel and every day, until it is reset.

    A picture of the moment when it is shown; what counts is what :meth:`Exercise.check` found right.
    """

    def __init__(self, session: Session) -> None:
        """Show the progress of the reader whose *session* this is."""
        self._journal = session.journal

    @property
    def solved(self) -> dict[str, datetime]:
        """The lessons whose exercise is solved, by number, each with the time (UTC)."""
        return {number: at for number, at in self._journal.solved().items() if number in LESSONS}

    @property
    def next(self) -> str | None:
        """The number of the first lesson whose exercise is not solved; ``None`` when all are."""
        solved = self.solved
        return next((number for number in LESSONS if number not in solved), None)

    def reset(self) -> None:
        """Begin again: no exercise counts as solved any more. Identities and the record of exchanges stay."""
        self._journal.forget_solved()

    def summary(self) -> str:
        """Return what the learner has shown to be able to do, as Markdown. It holds no id, no token and no name."""
        solved = self.solved
        lines = [
            _("# Azure Communication Services: identities and access tokens"),
            "",
            self._count(),
            "",
        ]
        for number, lesson in _lessons().items():
            if at := solved.get(number):
                lines.append(f"- {lesson.skill} ({date(at)})")
        if len(solved) == len(LESSONS):
            lines += ["", _("Every exercise was judged by the requests that were really sent.")]
        return "\n".join(lines).rstrip() + "\n"

    def export(self, path: str | Path = "acs-tutorial-summary.md") -> Path:
        """Write the summary to *path* and return where it is.

        Raises:
            TutorialError: the file cannot be written.
        """
        path = Path(path)
        try:
            path.write_text(self.summary(), encoding="utf-8")
        except OSError as error:
            raise TutorialError(
                _(
                    "The summary cannot be written to {path} ({reason}); choose another place."
                ).format(path=path, reason=error.strerror)
            ) from error
        return path.resolve()

    def _count(self) -> str:
        count = len(self.solved)
        return ngettext(
            "{count} of {all} exercises solved.", "{count} of {all} exercises solved.", count
        ).format(count=count, all=len(LESSONS))

    def _advice(self) -> str:
        number = self.next
        if number is None:
            return _("All done. Progress(session).export() writes a summary to keep.")
        return _("Next: {number} · {title}").format(number=number, title=_lessons()[number].title)

    def __repr__(self) -> str:
        solved = self.solved
        lines = [
            f"{(Outcome.RIGHT if number in solved else Outcome.NOT_ATTEMPTED).value} {number} · {lesson.title}"
            for number, lesson in _lessons().items()
        ]
        return "\n".join([self._count(), *lines, self._advice()])

    def _repr_html_(self) -> str:
        solved = self.solved
        rows = "".join(
            "<li style='list-style:none'>"
            f"<span aria-hidden='true'>{(Outcome.RIGHT if number in solved else Outcome.NOT_ATTEMPTED).value}</span> "
            f"<a href='{escape(lesson.file)}'>{number} · {escape(lesson.title)}</a> "
            f"{escape(_('solved') if number in solved else '')}</li>"
            for number, lesson in _lessons().items()
        )
        return (
            "<div style='border-left:4px solid currentColor;padding:2px 10px'>"
            f"<strong>{escape(self._count())}</strong>"
            f"<ul style='margin:6px 0;padding:0'>{rows}</ul>{escape(self._advice())}</div>"
        )
