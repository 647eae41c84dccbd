"""Pick, issue, inspect, revoke: an access token's life on one page."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, Protocol

import ipywidgets
from azure.communication.identity import CommunicationUserIdentifier
from azure.core.credentials import AccessToken
from azure.core.exceptions import AzureError

from helpers.errors import TutorialError
from helpers.explain import explain
from helpers.language import gettext as _
from helpers.widgets import style
from helpers.widgets.call_preview import CallPreview
from helpers.widgets.ledger import Ledger
from helpers.widgets.lifetime_picker import LifetimePicker
from helpers.widgets.panel import Panel, text_of
from helpers.widgets.scope_picker import ScopePicker
from helpers.widgets.timeline import Timeline, TokenRecord
from helpers.widgets.token_card import TokenCard
from helpers.widgets.wire_panel import WirePanel


class _Session(Protocol):
    """What the ledger and the wire panel read as well, and the tokens with the clock they live by."""

    @property
    def id(self) -> str: ...
    @property
    def service(self) -> str: ...
    @property
    def journal(self) -> Any: ...
    def exchanges(self) -> Sequence[Any]: ...
    def tokens(self, identity: CommunicationUserIdentifier) -> list[TokenRecord]: ...
    def now(self) -> datetime: ...


class _Client(Protocol):
    def create_user(self, **kwargs: Any) -> CommunicationUserIdentifier: ...
    def get_token(
        self,
        user: CommunicationUserIdentifier,
        scopes: list[str],
        *,
        token_expires_in: timedelta,
        **kwargs: Any,
    ) -> AccessToken: ...
    def revoke_tokens(self, user: CommunicationUserIdentifier, **kwargs: Any) -> None: ...
    def delete_user(self, user: CommunicationUserIdentifier, **kwargs: Any) -> None: ...


class Playground(Panel):
    """Choose scopes and a lifetime, issue a token, look inside, revoke: everything the lessons show, side by side.

    The buttons call the client that it was given. What the service refuses is explained on the page.
    """

    card: TokenCard | None
    """The anatomy of the token that was issued last."""

    def __init__(self, session: _Session, client: _Client) -> None:
        """Show an empty playground of *session*; *client* does the work, and must report to ``session.observe``.

        Raises:
            TutorialError: *client* is no identity client.
        """
        self._session = session
        self._client = client
        self._identity: CommunicationUserIdentifier | None = None
        self.card = None
        self.scopes = ScopePicker(["chat"])
        self.lifetime = LifetimePicker(minutes=60)
        self.preview = CallPreview(
            "client.get_token(identity, {scopes}, token_expires_in={lifetime})",
            scopes=self.scopes,
            lifetime=self.lifetime,
        )
        self.issue_button = ipywidgets.Button(
            description=_("Issue a token"),
            button_style="primary",
            tooltip=_("Make the call above; the first time, also create an identity for it"),
        )
        self.revoke_button = ipywidgets.Button(
            description=_("Revoke all its tokens"),
            tooltip=_("End every token of this identity: client.revoke_tokens(identity)"),
        )
        self.timeline = Timeline()
        self.ledger = Ledger(session, client)
        self._identity_line = ipywidgets.HTML()
        self._message = ipywidgets.HTML()
        self._card_picture = ipywidgets.HTML()
        self._wire_picture = ipywidgets.HTML()
        buttons = ipywidgets.HBox([self.issue_button, self.revoke_button])
        buttons.add_class("acs-row")
        actions = ipywidgets.VBox([self._identity_line, buttons, self._message])
        # Side by side where there is room for both, else one below the other.
        choose_and_see = ipywidgets.HBox(
            [
                _column(self.scopes, self.lifetime),
                _column(self.preview, actions, self.timeline, self._card_picture),
            ],
            layout={"flex_flow": "row wrap", "grid_gap": "28px 40px"},
        )
        super().__init__(
            [_stacked([choose_and_see, self._wire_picture, self.ledger], min_width="0")]
        )
        self.add_class("acs-playground")
        self.layout.max_width = "1240px"  # two columns beside each other; other widgets are one
        self.issue_button.on_click(self._handler(self._issue_clicked))
        self.revoke_button.on_click(self._handler(self._revoke_clicked))
        # The ledger's own handler was there first: when this one runs, the identities are gone.
        self.ledger.delete_button.on_click(self._handler(self._ledger_clicked))
        self._show()

    @property
    def message(self) -> str:
        """What became of the last click, in words."""
        return text_of(self._message.value)

    def __repr__(self) -> str:
        return (
            f"Playground(scopes={self.scopes.value}, minutes={self.lifetime.minutes}, "
            f"issued={len(self._tokens())})"
        )

    def _issue_clicked(self, _button: Any) -> None:
        try:
            identity = self._living_identity() or self._create_identity()
            token = self._client.get_token(
                identity, self.scopes.value, token_expires_in=self.lifetime.value
            )
        except AzureError as error:
            self._explain(error)
        else:
            self.card = TokenCard(token, now=self._session.now())
            self._message.value = style.done(
                _("Issued. Look at the token, at its time, and at what went over the wire.")
            )
        self._show()

    def _create_identity(self) -> CommunicationUserIdentifier:
        self._identity = self._client.create_user()
        if self._living_identity() is None:
            raise TutorialError(
                _(
                    "This client does not report to the session: "
                    "build it with raw_response_hook=session.observe."
                )
            )
        return self._identity

    def _revoke_clicked(self, _button: Any) -> None:
        identity = self._living_identity()
        if identity is None:
            self._show()  # Deleted meanwhile, elsewhere.
            return
        try:
            self._client.revoke_tokens(identity)
        except AzureError as error:
            self._explain(error)
        else:
            self._message.value = style.done(
                _(
                    "Revoked: every token issued so far to this identity has ended. In Azure that takes "
                    "up to 15 minutes. The next token works again."
                )
            )
        self._show()

    def _ledger_clicked(self, _button: Any) -> None:
        self._message.value = ""
        self._show()

    def _explain(self, error: AzureError) -> None:
        explanation = explain(error)
        self._message.value = (
            style.problem(_("{cause} {fix}").format(cause=explanation.cause, fix=explanation.fix))
            + f'<div class="acs-quiet"><a href="{style.escape(explanation.link)}">'
            f"{style.escape(_('Read more'))}</a> · <code>{style.escape(explanation.original)}</code></div>"
        )

    def _living_identity(self) -> CommunicationUserIdentifier | None:
        self.ledger.refresh()
        identity = self._identity
        return identity if identity and identity.raw_id in self.ledger.raw_ids else None

    def _tokens(self) -> list[TokenRecord]:
        return self._session.tokens(self._identity) if self._identity else []

    def _show(self) -> None:
        self.revoke_button.disabled = self._living_identity() is None
        self._identity_line.value = (
            f'<div class="acs-group">{style.escape(_("Identity"))}</div>'
            f"<div>{self._identity_in_words()}</div>"
        )
        self._card_picture.value = (
            _html(self.card)
            if self.card
            else style.title(_("Access token"))
            + style.advice(_("Issue a token, and what is inside appears here."))
        )
        self.timeline.show(self._tokens(), now=self._session.now())
        self._wire_picture.value = _html(WirePanel(self._session, last=3))

    def _identity_in_words(self) -> str:
        if self._identity is None:
            return style.escape(_("None yet: the first token creates one."))
        raw_id = f'<code class="acs-long">{style.escape(self._identity.raw_id)}</code>'
        if self._living_identity():
            return raw_id
        return f"{raw_id}<br>{style.escape(_('Deleted: the next token creates another one.'))}"


def _column(*parts: ipywidgets.Widget) -> ipywidgets.VBox:
    return _stacked(parts, flex="1 1 400px", min_width="0")


def _stacked(parts: Sequence[ipywidgets.Widget], **layout: str) -> ipywidgets.VBox:
    return ipywidgets.VBox(parts, layout={"grid_gap": "28px", **layout})


def _html(picture: TokenCard | WirePanel) -> str:
    return picture._repr_mimebundle_()["text/html"]
