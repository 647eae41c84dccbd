from __future__ import annotations

from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest

from helpers.errors import TutorialError
from helpers.room.watch import RECENT, STUCK_AFTER, Watch

from .conftest import record

NOW = datetime(2026, 11, 22, 9, 30, tzinfo=timezone.utc)


@pytest.fixture
def watch() -> Watch:
    return Watch(["01", "02"])


def steps(watch: Watch, seat: str = "01") -> set[str]:
    return next(set(state.steps) for state in watch.seats() if state.seat == seat)


@pytest.mark.parametrize(
    ("seen", "shows"),
    [
        ([record("01", "get_identity")], {"01"}),
        ([record("01", "create_identity", identity="a")], {"01", "02"}),
        ([record("01", "issue_token", identity="a", scopes=("chat",))], {"01", "03"}),
        (
            [record("01", "issue_token", identity="a", scopes=("chat",), lifetime_minutes=60)],
            {"01", "03", "04"},
        ),
        (
            [record("01", "issue_token", identity="a", scopes=("chat",), lifetime_minutes=1440)],
            {"01", "03"},
        ),
        (
            [record("01", "create_identity", identity="a", scopes=("chat",))],
            {"01", "02", "05"},
        ),
        (
            [record("01", "issue_token", identity=raw_id, scopes=("chat",)) for raw_id in "ab"],
            {"01", "03"},
        ),
        (
            [record("01", "issue_token", identity=raw_id, scopes=("chat",)) for raw_id in "aba"],
            {"01", "03", "06"},
        ),
        (
            [
                record("01", "create_identity", identity="a", scopes=("chat",)),
                record("01", "issue_token", identity="a", scopes=("chat",)),
            ],
            {"01", "02", "03", "05", "06"},
        ),
        ([record("01", "revoke_tokens", identity="a")], {"01", "07"}),
        ([record("01", "delete_identity", identity="a")], {"01", "08"}),
    ],
)
def test_each_step_shows_by_what_was_asked_for(watch, seen, shows):
    for one in seen:
        watch.note(one)

    assert steps(watch) == shows
    assert steps(watch, "02") == set()


@pytest.mark.parametrize("status", [400, 404, 429, 503, None])
def test_a_request_that_failed_shows_the_key_and_nothing_else(watch, status):
    watch.note(record("01", "create_identity", status=status))

    assert steps(watch) == {"01"}


@pytest.mark.parametrize(("lesson", "counts"), [("03", False), ("08", True), ("09", True)])
def test_cleaning_up_at_the_end_of_another_lesson_is_not_the_step_of_lesson_08(
    watch, lesson, counts
):
    watch.joined("01", lesson)
    watch.note(record("01", "delete_identity", identity="a"))

    assert ("08" in steps(watch)) is counts


def test_a_seat_is_stuck_when_its_latest_requests_failed_for_a_while(watch):
    for second in (0, 20):
        watch.note(record("01", status=404, code="IdentityNotFound", at=NOW + timedelta(0, second)))

    assert watch.stuck(NOW + STUCK_AFTER - timedelta(seconds=1)) == []
    (trouble,) = watch.stuck(NOW + STUCK_AFTER)
    assert (trouble.seat, trouble.code, trouble.times) == ("01", "IdentityNotFound", 2)
    assert trouble.lasts(NOW + STUCK_AFTER) == STUCK_AFTER


def test_whoever_gets_an_answer_again_is_not_stuck_any_more(watch):
    watch.note(record("01", status=400, code="ValidationError", at=NOW))
    watch.note(record("01", "create_identity", at=NOW))

    assert watch.stuck(NOW + STUCK_AFTER) == []


def test_the_longest_stuck_comes_first(watch):
    watch.note(record("02", status=400, at=NOW))
    watch.note(record("01", status=400, at=NOW + timedelta(seconds=1)))

    assert [trouble.seat for trouble in watch.stuck(NOW + 2 * STUCK_AFTER)] == ["02", "01"]


def test_requests_without_a_key_of_the_room_are_counted_by_computer(watch):
    for client in ("10.0.0.1", "10.0.0.2", "10.0.0.1"):
        watch.note(record(None, status=401, code="Denied", client=client, at=NOW))
    watch.note(record(None, status=404, client="10.0.0.3", at=NOW))

    found = watch.strangers(NOW + timedelta(seconds=5))
    assert found is not None
    assert (found.computers, found.times, found.latest) == (2, 3, NOW)
    assert watch.strangers(NOW + RECENT + timedelta(seconds=1)) is None


def test_the_presenters_own_resource_is_no_seat(watch):
    presenter = record(None, "create_identity")
    presenter.resource = "default"
    watch.note(presenter)
    watch.note(record("99", "create_identity"))

    assert not any(state.taken for state in watch.seats())


def test_a_seat_is_taken_when_somebody_joins_or_uses_it(watch):
    watch.joined("01", None)
    watch.joined("99", None)
    watch.note(record("02"))

    assert [state.taken for state in watch.seats()] == [True, True]


def test_a_lesson_that_was_opened_is_not_forgotten_by_another_program(watch):
    watch.joined("01", "04")
    watch.joined("01", None)

    assert watch.seats()[0].lesson == "04"


def test_steps_outlive_the_room(tmp_path: Path):
    first = Watch(["01", "02"], tmp_path / "steps.log")
    first.note(record("01", "create_identity", identity="a"))
    first.close()

    second = Watch(["01"], tmp_path / "steps.log")
    second.close()
    assert steps(second) == {"01", "02"}


def test_a_file_of_steps_that_cannot_be_used_is_one_sentence(tmp_path: Path):
    with pytest.raises(TutorialError, match="begin again with --new"):
        Watch(["01"], tmp_path)
