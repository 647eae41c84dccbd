"""The identities that still exist, and their clean-up."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Protocol

import ipywidgets
from azure.communication.identity import CommunicationUserIdentifier
from azure.core.exceptions import AzureError, ResourceNotFoundError

from helpers.errors import TutorialError
from helpers.language import gettext as _
from helpers.language import ngettext
from helpers.masking import masked
from helpers.widgets import style
from helpers.widgets.panel import Panel


class _Identity(Protocol):
    @property
    def raw_id(self) -> str: ...
    @property
    def lesson(self) -> str | None: ...
    @property
    def session(self) -> str: ...
    @property
    def created_at(self) -> datetime: ...
    @property
    def deleted_at(self) -> datetime | None: ...
    @property
    def abandoned(self) -> bool: ...


class _Journal(Protocol):
    def identities(self, *, service: str | None = None) -> Sequence[_Identity]: ...


class _Session(Protocol):
    @property
    def id(self) -> str: ...
    @property
    def service(self) -> str: ...
    @property
    def journal(self) -> _Journal: ...


class _Client(Protocol):
    def delete_user(self, user: CommunicationUserIdentifier, **kwargs: Any) -> None: ...


class Ledger(Panel):
    """What this session created and has not deleted, and what ended sessions left behind, on the same service.

    Identities of sessions that still run belong to them and are not listed. Every count is read from the journal.
    """

    def __init__(self, session: _Session, client: _Client) -> None:
        """Show the ledger of *session*; *client* deletes, and must report to ``session.observe``.

        Raises:
            TutorialError: *client* is no identity client.
        """
        if not callable(getattr(client, "delete_user", None)):
            raise TutorialError(
                _(
                    "Ledger needs the CommunicationIdentityClient to clean up with, as in "
                    "Ledger(session, client), not {type}."
                ).format(type=type(client).__name__)
            )
        self._session = session
        self._client = client
        self._summary = ipywidgets.HTML()
        self._list = ipywidgets.HTML()
        self.delete_button = ipywidgets.Button(
            description=_("Delete all of these"),
            tooltip=_("Delete every identity in this list from the service"),
            icon="trash",
        )
        self.progress = ipywidgets.IntProgress(
            description=_("Deleted"), tooltip=_("How many of them are deleted so far")
        )
        self.progress.layout.display = "none"
        self._result = ipywidgets.HTML()
        controls = ipywidgets.HBox([self.delete_button, self.progress])
        controls.add_class("acs-row")
        super().__init__(
            [
                ipywidgets.HTML(style.title(_("Ledger: what exists because of you"))),
                self._summary,
                self._list,
                controls,
                self._result,
            ]
        )
        self.add_class("acs-ledger")
        self.delete_button.on_click(self._handler(self._button_clicked))
        self.refresh()

    @property
    def summary(self) -> str:
        """What became of this session's identities, as the widget last read it from the journal, in one sentence."""
        return ngettext(
            "{created} identity created in this lesson, {deleted} deleted, {left} left.",
            "{created} identities created in this lesson, {deleted} deleted, {left} left.",
            len(self._own),
        ).format(
            created=len(self._own),
            deleted=sum(not _exists(identity) for identity in self._own),
            left=sum(_exists(identity) for identity in self._own),
        )

    @property
    def raw_ids(self) -> list[str]:
        """The identities in the list: those that still exist."""
        return [identity.raw_id for identity in self._alive]

    def refresh(self) -> None:
        """Read the journal again and show what it says now."""
        identities = self._session.journal.identities(service=self._session.service)
        self._own = [identity for identity in identities if identity.session == self._session.id]
        self._left_behind = [
            identity
            for identity in identities
            if identity.session != self._session.id and identity.abandoned and _exists(identity)
        ]
        self._alive = [*filter(_exists, self._own), *self._left_behind]
        sentences = [self.summary]
        if self._left_behind:
            sentences.append(
                ngettext(
                    "{count} more was left behind by a session that has ended.",
                    "{count} more were left behind by sessions that have ended.",
                    len(self._left_behind),
                ).format(count=len(self._left_behind))
            )
        self._summary.value = f"<div>{style.escape(' '.join(sentences))}</div>"
        self._list.value = self._table() if self._alive else ""
        self.delete_button.disabled = not self._alive

    def clean_up(self) -> str:
        """Delete every identity in the list from the service and return the sentence that says how it went.

        One that cannot be deleted is reported and does not stop the others; one that is gone already counts as deleted.
        """
        self.refresh()
        if not self._alive:
            return self._say(style.done, _("Nothing is left to delete."))
        self._result.value = ""
        self.delete_button.disabled = True
        self.progress.value = 0
        self.progress.max = len(self._alive)
        self.progress.layout.display = ""
        deleted: list[str] = []
        failures: list[str] = []
        try:
            for identity in list(self._alive):
                try:
                    self._client.delete_user(CommunicationUserIdentifier(identity.raw_id))
                except ResourceNotFoundError:
                    deleted.append(identity.raw_id)  # Somebody was faster; that is what we want.
                except AzureError as error:
                    # The lines after the first only repeat it, as code and message.
                    reason = next(iter(error.message.splitlines()), type(error).__name__)
                    failures.append(f"{identity.raw_id}: {masked(reason)}")
                else:
                    deleted.append(identity.raw_id)
                self.progress.value = len(deleted)
        finally:
            self.refresh()
        unrecorded = [raw_id for raw_id in deleted if raw_id in self.raw_ids]
        if unrecorded:
            return self._say(
                style.problem,
                _(
                    "Deleted, but not recorded, because this client does not report to the session: "
                    "build it with raw_response_hook=session.observe and clean up again."
                ),
            )
        if failures:
            return self._say(
                style.problem,
                ngettext(
                    "{count} identity could not be deleted ({reasons}); {deleted} deleted. Try again.",
                    "{count} identities could not be deleted ({reasons}); {deleted} deleted. Try again.",
                    len(failures),
                ).format(count=len(failures), deleted=len(deleted), reasons="; ".join(failures)),
            )
        return self._say(
            style.done,
            ngettext(
                "{count} identity deleted; nothing is left behind.",
                "{count} identities deleted; nothing is left behind.",
                len(deleted),
            ).format(count=len(deleted)),
        )

    def __repr__(self) -> str:
        return f"Ledger({self.summary})"

    def _button_clicked(self, _button: Any) -> None:
        self.clean_up()

    def _say(self, kind: Any, sentence: str) -> str:
        self._result.value = kind(sentence)
        return sentence

    def _table(self) -> str:
        columns = "".join(
            f'<th scope="col">{style.escape(column)}</th>'
            for column in (_("Identity"), _("Created"), _("Where"))
        )
        rows = "".join(
            f'<tr><th scope="row"><code class="acs-long">{style.escape(identity.raw_id)}</code></th>'
            f'<td class="acs-nowrap">{style.escape(style.utc(identity.created_at))}</td>'
            f"<td>{style.escape(self._origin(identity))}</td></tr>"
            for identity in self._alive
        )
        return f"<table><thead><tr>{columns}</tr></thead><tbody>{rows}</tbody></table>"

    def _origin(self, identity: _Identity) -> str:
        if identity.session == self._session.id:
            return _("this session")
        if identity.lesson:
            return _("an ended session of lesson {lesson}").format(lesson=identity.lesson)
        return _("an ended session")


def _exists(identity: _Identity) -> bool:
    return identity.deleted_at is None
