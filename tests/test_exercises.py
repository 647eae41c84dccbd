"""Each task is judged by what was sent: right, wrong, failed, not attempted."""

from __future__ import annotations

import contextlib
import io
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from azure.communication.identity import CommunicationIdentityClient
from azure.core.exceptions import HttpResponseError
from IPython.core.interactiveshell import InteractiveShell

from helpers.errors import TutorialError
from helpers.exercises import Exercise, Outcome, of_lesson
from helpers.journal import Journal
from tests.conftest import MakeClient

Attempt = Callable[[CommunicationIdentityClient, Any], Any]

NUMBERS = [f"{number:02}" for number in range(10)]


@pytest.fixture
def client(make_client: MakeClient, journal: Journal) -> CommunicationIdentityClient:
    return make_client(raw_response_hook=journal.observe)


def attempt(
    lesson: str, journal: Journal, client: CommunicationIdentityClient, try_it: Attempt
) -> Any:
    identity = client.create_user()
    exercise = Exercise(lesson, journal)
    try_it(client, identity)
    return exercise.check()


def sequence(*attempts: Attempt) -> Attempt:
    return lambda client, identity: [each(client, identity) for each in attempts]


def create(client: CommunicationIdentityClient, _identity: Any) -> Any:
    return client.create_user()


def issue(*scopes: str, minutes: int | None = None) -> Attempt:
    lifetime = {"token_expires_in": timedelta(minutes=minutes)} if minutes else {}
    return lambda client, identity: client.get_token(identity, list(scopes), **lifetime)


def together(*scopes: str, minutes: int | None = None) -> Attempt:
    lifetime = {"token_expires_in": timedelta(minutes=minutes)} if minutes else {}
    return lambda client, _identity: client.create_user_and_token(list(scopes), **lifetime)


def revoke(client: CommunicationIdentityClient, identity: Any) -> None:
    client.revoke_tokens(identity)


def delete(client: CommunicationIdentityClient, identity: Any) -> None:
    client.delete_user(identity)


def whole_life(*scopes: str) -> Attempt:
    def live(client: CommunicationIdentityClient, _identity: Any) -> None:
        identity, _token = client.create_user_and_token(list(scopes))
        client.revoke_tokens(identity)
        client.delete_user(identity)

    return live


def delete_two(client: CommunicationIdentityClient, _identity: Any) -> None:
    for identity in [client.create_user(), client.create_user()]:
        client.delete_user(identity)


RIGHT = [
    ("00", create),
    ("00", together("chat")),
    ("02", sequence(create, create, create)),
    ("03", issue("chat.join.limited")),
    ("03", sequence(issue("chat"), issue("chat.join.limited"))),
    ("04", issue("voip.join", minutes=90)),
    ("05", together("chat", minutes=120)),
    ("06", issue("chat")),
    ("07", sequence(revoke, issue("chat.join"))),
    ("08", delete_two),
    ("09", whole_life("chat")),
]


@pytest.mark.parametrize(("lesson", "try_it"), RIGHT)
def test_right(
    lesson: str, try_it: Attempt, journal: Journal, client: CommunicationIdentityClient
) -> None:
    feedback = attempt(lesson, journal, client, try_it)

    assert feedback.outcome is Outcome.RIGHT
    assert feedback.text.startswith("Right")


WRONG = [
    ("00", issue("chat"), "The service saw get_token; what is asked for is create_user."),
    ("01", create, "signed with the access key"),
    ("02", create, "1 identity was created"),
    ("02", sequence(create, create, create, create), "4 identities were created"),
    ("03", issue("chat", "voip"), "carries chat, voip. The guest needs only chat.join.limited."),
    ("03", sequence(issue("chat.join.limited"), issue("chat")), "carries chat."),
    ("03", create, "what is asked for is get_token"),
    ("04", issue("voip.join"), "the default 24 hours"),
    ("04", issue("voip.join", minutes=60), "lives for 60 minutes"),
    ("04", issue("voip", minutes=90), "voip.join is enough"),
    ("05", sequence(create, issue("chat", minutes=120)), "do it in one"),
    ("05", together("chat"), "two hours"),
    ("05", together("voip", minutes=120), "carries voip"),
    ("06", together("chat"), "a stranger"),
    ("06", issue("voip"), "carries voip"),
    ("07", issue("chat.join"), "revoke it first"),
    ("07", revoke, "no new one was issued"),
    ("07", sequence(issue("chat.join"), revoke), "no new one was issued"),
    ("07", sequence(revoke, issue("chat")), "carries chat"),
    ("08", delete, "One identity was deleted"),
    ("09", sequence(together("chat"), delete), "Wanted are three"),
    ("09", sequence(together("chat"), revoke, delete), "not about one and the same identity"),
    ("09", whole_life("voip"), "carries voip"),
]


@pytest.mark.parametrize(("lesson", "try_it", "says"), WRONG)
def test_wrong_says_what_was_observed(
    lesson: str, try_it: Attempt, says: str, journal: Journal, client: CommunicationIdentityClient
) -> None:
    feedback = attempt(lesson, journal, client, try_it)

    assert feedback.outcome is Outcome.WRONG
    assert says in feedback.text


def test_failed_says_what_the_service_said(
    journal: Journal, client: CommunicationIdentityClient
) -> None:
    def too_short(client: CommunicationIdentityClient, identity: Any) -> None:
        with pytest.raises(HttpResponseError):
            issue("voip.join", minutes=59)(client, identity)

    feedback = attempt("04", journal, client, too_short)

    assert feedback.outcome is Outcome.FAILED
    assert "get_token with status 400: ExpiresInMinutes value 59 is invalid." in feedback.text


def test_a_refusal_on_the_way_to_the_right_answer_is_forgiven(
    journal: Journal, client: CommunicationIdentityClient
) -> None:
    def second_try(client: CommunicationIdentityClient, identity: Any) -> None:
        with pytest.raises(HttpResponseError):
            issue("voip.join", minutes=59)(client, identity)
        issue("voip.join", minutes=90)(client, identity)

    assert attempt("04", journal, client, second_try).outcome is Outcome.RIGHT


@pytest.mark.parametrize("lesson", NUMBERS)
def test_not_attempted_repeats_the_goal(
    lesson: str, journal: Journal, client: CommunicationIdentityClient
) -> None:
    feedback = attempt(lesson, journal, client, lambda client, identity: None)

    assert feedback.outcome is Outcome.NOT_ATTEMPTED
    assert of_lesson(lesson).goal in feedback.text


@pytest.mark.parametrize("lesson", NUMBERS)
def test_hints_come_one_by_one_and_the_solution_is_code(lesson: str, journal: Journal) -> None:
    task = of_lesson(lesson)
    exercise = Exercise(lesson, journal)
    count = len(task.hints)

    hints = [exercise.hint().text for _ in range(count + 1)]

    assert count >= 2
    assert hints[:count] == [f"Hint {n} of {count}: {hint}" for n, hint in enumerate(task.hints, 1)]
    assert hints[count] == hints[count - 1]
    compile(exercise.solution().code or "", "solution", "exec")


def test_a_lesson_without_an_exercise_says_which_have_one() -> None:
    with pytest.raises(TutorialError, match="00, 01"):
        of_lesson(None)


def test_a_right_answer_counts_towards_the_progress_and_a_wrong_one_does_not(
    journal: Journal, client: CommunicationIdentityClient
) -> None:
    attempt("03", journal, client, issue("chat"))
    assert journal.solved() == {}

    attempt("03", journal, client, issue("chat.join.limited"))
    assert list(journal.solved()) == ["03"]


def test_code_that_fails_before_anything_is_sent_is_explained(
    journal: Journal, client: CommunicationIdentityClient
) -> None:
    shell = InteractiveShell.instance()
    shell.user_ns.update(
        Exercise=Exercise, journal=journal, client=client, identity=client.create_user()
    )
    try:
        with contextlib.redirect_stdout(io.StringIO()):
            shell.run_cell(
                'exercise = Exercise("03", journal)\nclient.get_token(identity, "chat.join.limited")'
            )
        feedback = shell.user_ns["exercise"].check()
        shell.run_cell(
            'exercise = Exercise("03", journal)\nclient.get_token(identity, ["chat.join.limited"]);'
        )
        second = shell.user_ns["exercise"].check()
    finally:
        InteractiveShell.clear_instance()

    assert feedback.outcome is Outcome.FAILED
    assert "given as one text" in feedback.text and "square brackets" in feedback.text
    assert second.outcome is Outcome.RIGHT


def test_feedback_reads_the_same_as_text_and_as_html(journal: Journal) -> None:
    feedback = Exercise("03", journal).solution()

    assert "get_token" in repr(feedback)
    assert "<pre" in feedback._repr_html_()
    assert "&quot;chat.join.limited&quot;" in feedback._repr_html_()
