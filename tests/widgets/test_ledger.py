from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime, timezone
from typing import Any

import pytest
from azure.communication.identity import CommunicationUserIdentifier
from azure.core.exceptions import (
    HttpResponseError,
    ResourceNotFoundError,
    ServiceRequestError,
)

from helpers.errors import TutorialError
from helpers.widgets import Ledger

MORNING = datetime(2026, 11, 22, 9, 0, tzinfo=timezone.utc)


@dataclass(frozen=True)
class Identity:
    raw_id: str
    session: str = "mine"
    lesson: str | None = "03"
    created_at: datetime = MORNING
    deleted_at: datetime | None = None
    abandoned: bool = False


@dataclass
class Journal:
    rows: list[Identity]
    asked: list[str | None] = field(default_factory=list)

    def identities(self, *, service: str | None = None) -> list[Identity]:
        self.asked.append(service)
        return list(self.rows)

    def mark_deleted(self, raw_id: str) -> None:
        self.rows = [
            replace(row, deleted_at=MORNING) if row.raw_id == raw_id else row for row in self.rows
        ]


@dataclass
class Session:
    journal: Journal
    id: str = "mine"
    service: str = "sandbox"
    lesson: str | None = "03"


@dataclass
class Client:
    """Answers as the service would, and reports to the journal unless it is not *observed*."""

    journal: Journal
    errors: dict[str, Exception] = field(default_factory=dict)
    observed: bool = True
    deleted: list[str] = field(default_factory=list)
    during: Callable[[], None] = lambda: None

    def delete_user(self, user: CommunicationUserIdentifier, **_options: Any) -> None:
        self.during()
        raw_id = user.properties["id"]
        error = self.errors.get(raw_id)
        if self.observed and (error is None or isinstance(error, ResourceNotFoundError)):
            self.journal.mark_deleted(raw_id)
        if error:
            raise error
        self.deleted.append(raw_id)


def ledger(*rows: Identity, **options: Any) -> tuple[Ledger, Client, Journal]:
    journal = Journal(list(rows))
    client = Client(journal, **options)
    return Ledger(Session(journal), client), client, journal


@pytest.fixture(params=["click", "code"])
def clean_up(request: pytest.FixtureRequest) -> Iterator[Callable[[Ledger], None]]:
    """Both ways to clean up: a person's and a program's."""
    if request.param == "click":
        yield lambda widget: widget.delete_button.click()
    else:
        yield lambda widget: widget.clean_up() and None


def test_it_lists_what_this_session_created_and_what_ended_sessions_left() -> None:
    widget, _client, journal = ledger(
        Identity("8:acs:mine"),
        Identity("8:acs:gone", deleted_at=MORNING),
        Identity("8:acs:left", session="killed", lesson="05", abandoned=True),
        Identity("8:acs:left-long-ago", session="older", lesson=None, abandoned=True),
        Identity("8:acs:left-and-gone", session="older", abandoned=True, deleted_at=MORNING),
        Identity("8:acs:of-a-running-session", session="other"),
    )

    assert widget.raw_ids == ["8:acs:mine", "8:acs:left", "8:acs:left-long-ago"]
    assert widget.summary == "2 identities created in this lesson, 1 deleted, 1 left."
    text = widget.describe()
    assert "1 left. 2 more were left behind by sessions that have ended." in text
    assert "8:acs:mine 2026-11-22 09:00:00 UTC this session" in text
    assert "8:acs:left 2026-11-22 09:00:00 UTC an ended session of lesson 05" in text
    assert "8:acs:left-long-ago 2026-11-22 09:00:00 UTC an ended session" in text
    assert "8:acs:of-a-running-session" not in text
    assert set(journal.asked) == {"sandbox"}


def test_clean_up_deletes_exactly_what_is_listed(clean_up: Callable[[Ledger], None]) -> None:
    widget, client, _journal = ledger(
        Identity("8:acs:a"),
        Identity("8:acs:b"),
        Identity("8:acs:gone", deleted_at=MORNING),
        Identity("8:acs:left", session="killed", abandoned=True),
        Identity("8:acs:of-a-running-session", session="other"),
    )

    clean_up(widget)

    assert client.deleted == ["8:acs:a", "8:acs:b", "8:acs:left"]
    assert widget.raw_ids == []
    assert widget.summary == "3 identities created in this lesson, 3 deleted, 0 left."
    assert repr(widget) == "Ledger(3 identities created in this lesson, 3 deleted, 0 left.)"
    assert "3 identities deleted; nothing is left behind." in widget.describe()
    assert "8:acs:" not in widget.describe()
    assert (widget.progress.value, widget.progress.max) == (3, 3)
    assert widget.delete_button.disabled


def test_what_was_created_since_is_cleaned_up_too() -> None:
    widget, client, journal = ledger(Identity("8:acs:a"))
    journal.rows.append(Identity("8:acs:new"))

    assert widget.clean_up() == "2 identities deleted; nothing is left behind."
    assert client.deleted == ["8:acs:a", "8:acs:new"]


def test_refresh_reads_the_journal_again() -> None:
    widget, _client, journal = ledger()
    assert widget.delete_button.disabled
    journal.rows.append(Identity("8:acs:new"))

    widget.refresh()

    assert widget.raw_ids == ["8:acs:new"]
    assert not widget.delete_button.disabled
    assert "8:acs:new" in widget.describe()


def test_with_nothing_to_do_it_says_so() -> None:
    widget, client, _journal = ledger()

    assert widget.clean_up() == "Nothing is left to delete."
    assert "Nothing is left to delete." in widget.describe()
    assert widget.summary == "0 identities created in this lesson, 0 deleted, 0 left."
    assert client.deleted == []
    assert widget.progress.layout.display == "none"


def test_one_is_one() -> None:
    widget, _client, _journal = ledger(
        Identity("8:acs:a"), Identity("8:acs:left", session="killed", abandoned=True)
    )
    assert widget.summary == "1 identity created in this lesson, 0 deleted, 1 left."
    assert "1 more was left behind by a session that has ended." in widget.describe()

    journal_of_one, _client, _journal = ledger(Identity("8:acs:a"))
    assert journal_of_one.clean_up() == "1 identity deleted; nothing is left behind."


def test_the_button_cannot_be_pressed_twice_and_the_bar_moves_while_it_works() -> None:
    seen: list[tuple[bool, int, str]] = []
    widget, client, _journal = ledger(Identity("8:acs:a"), Identity("8:acs:b"))
    client.during = lambda: seen.append(
        (widget.delete_button.disabled, widget.progress.value, widget.progress.layout.display)
    )

    widget.delete_button.click()

    assert seen == [(True, 0, ""), (True, 1, "")]


def test_a_failure_is_reported_and_does_not_stop_the_others(
    clean_up: Callable[[Ledger], None],
) -> None:
    widget, client, _journal = ledger(
        Identity("8:acs:a"),
        Identity("8:acs:b"),
        Identity("8:acs:c"),
        errors={"8:acs:b": ServiceRequestError("no network <here>")},
    )

    clean_up(widget)

    assert client.deleted == ["8:acs:a", "8:acs:c"]
    assert widget.raw_ids == ["8:acs:b"]
    assert (
        "1 identity could not be deleted (8:acs:b: no network <here>); 2 deleted. Try again."
        in widget.describe()
    )
    assert "&lt;here&gt;" in widget._result.value
    assert not widget.delete_button.disabled
    assert widget.progress.value == 2

    client.errors.clear()
    seen: list[tuple[str, int]] = []
    client.during = lambda: seen.append((widget._result.value, widget.progress.value))
    clean_up(widget)

    assert seen == [("", 0)]  # Nothing of the first attempt is left while the second one runs.

    assert widget.raw_ids == []
    assert "1 identity deleted; nothing is left behind." in widget.describe()
    assert "could not be deleted" not in widget.describe()


def test_several_failures_are_all_named_and_their_secrets_hidden() -> None:
    key = "endpoint=https://x/;accesskey=" + "k" * 40
    widget, _client, _journal = ledger(
        Identity("8:acs:a"),
        Identity("8:acs:b"),
        errors={
            "8:acs:a": HttpResponseError(key),
            "8:acs:b": HttpResponseError("(Busy) busy\nCode: Busy"),
        },
    )

    sentence = widget.clean_up()

    assert sentence.startswith("2 identities could not be deleted (8:acs:a: endpoint=")
    assert sentence.endswith("; 8:acs:b: (Busy) busy); 0 deleted. Try again.")
    assert "k" * 40 not in sentence + widget.describe()


def test_one_that_is_gone_already_counts_as_deleted() -> None:
    widget, _client, _journal = ledger(
        Identity("8:acs:a"),
        Identity("8:acs:b"),
        errors={"8:acs:a": ResourceNotFoundError("Provided identity doesn't exist.")},
    )

    assert widget.clean_up() == "2 identities deleted; nothing is left behind."
    assert widget.raw_ids == []


def test_a_client_that_does_not_report_is_found_out() -> None:
    widget, client, _journal = ledger(Identity("8:acs:a"), observed=False)

    sentence = widget.clean_up()

    assert client.deleted == ["8:acs:a"]
    assert "build it with raw_response_hook=session.observe" in sentence
    assert sentence in widget.describe()
    assert "nothing is left" not in widget.describe()


def test_an_unforeseen_error_shows_and_leaves_the_widget_usable() -> None:
    widget, client, _journal = ledger(
        Identity("8:acs:a"), Identity("8:acs:b"), errors={"8:acs:b": ZeroDivisionError("oops")}
    )

    with pytest.raises(ZeroDivisionError):
        widget.clean_up()
    client.errors["8:acs:b"] = ZeroDivisionError("oops again")
    widget.delete_button.click()  # ipywidgets hands the error to IPython; here that is the log.

    assert "That did not work: oops again" in widget.describe()
    assert widget.raw_ids == ["8:acs:b"]
    assert not widget.delete_button.disabled


@pytest.mark.parametrize("wrong", [None, "endpoint=…", object()])
def test_without_a_client_it_says_what_it_needs(wrong: Any) -> None:
    with pytest.raises(TutorialError, match="as in Ledger\\(session, client\\), not"):
        Ledger(Session(Journal([])), wrong)


def test_markup_in_the_record_stays_text() -> None:
    widget, _client, _journal = ledger(
        Identity("<script>", session="killed", lesson="<script>", abandoned=True)
    )

    html = "".join(child.value for child in widget.children if hasattr(child, "value"))

    assert "<script" not in html and html.count("&lt;script&gt;") == 2


def test_its_controls_are_labelled() -> None:
    widget, _client, _journal = ledger()

    assert widget.delete_button.description == "Delete all of these"
    assert widget.delete_button.tooltip == "Delete every identity in this list from the service"
    assert widget.progress.description == "Deleted" and widget.progress.tooltip


def test_its_text_twin_is_short_however_many_there_are() -> None:
    widget, _client, _journal = ledger(*(Identity(f"8:acs:{n}") for n in range(1000)))

    assert len(repr(widget)) < 100


def test_it_speaks_the_chosen_language(korean: None) -> None:
    widget, _client, _journal = ledger(Identity("8:acs:a"))

    assert widget.delete_button.description == "가나다라마바사아자차카타파하Delete all of these"
    assert widget.summary.startswith("가나다라마바사아자차카타파하1 identity created")


@dataclass
class RealSession:
    journal: Any
    service: str = "sandbox"
    lesson: str | None = "05"

    @property
    def id(self) -> str:
        return self.journal.session


def test_with_the_real_client_the_service_forgets_what_is_cleaned_up(
    make_client: Any, journal: Any
) -> None:
    client = make_client(raw_response_hook=journal.observe)
    first, second = client.create_user(), client.create_user()
    client.delete_user(second)
    widget = Ledger(RealSession(journal), client)
    assert widget.raw_ids == [first.raw_id]

    widget.delete_button.click()

    assert widget.summary == "2 identities created in this lesson, 2 deleted, 0 left."
    with pytest.raises(HttpResponseError):
        client.get_token(first, ["voip"])


def test_with_a_real_client_that_nobody_observes_no_wrong_count_is_shown(
    make_client: Any, journal: Any
) -> None:
    make_client(raw_response_hook=journal.observe).create_user()
    widget = Ledger(RealSession(journal), make_client())

    assert "build it with raw_response_hook=session.observe" in widget.clean_up()

    observed = Ledger(RealSession(journal), make_client(raw_response_hook=journal.observe))
    assert observed.clean_up() == "1 identity deleted; nothing is left behind."
