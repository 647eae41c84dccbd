"""What a lesson can change: time, faults, pace, limits."""

from __future__ import annotations

import time
from datetime import timedelta, timezone

import pytest

from helpers.sandbox import Sandbox, SandboxError
from helpers.sandbox.control import DOCUMENTED_RATE_LIMITS, Clock, Controls
from tests.sandbox.wire import ConnectionDropped, Service

# Time


def test_the_clock_follows_the_machine_until_it_is_moved() -> None:
    clock = Clock()
    assert abs(clock.time_ns() - time.time_ns()) < 10**9
    assert clock.now().tzinfo is timezone.utc

    clock.advance(hours=23, minutes=55)
    assert clock.offset == timedelta(hours=23, minutes=55)
    clock.advance(minutes=-5, seconds=1)
    assert clock.offset == timedelta(hours=23, minutes=50, seconds=1)
    assert abs(clock.time_ns() - time.time_ns() - clock.offset.total_seconds() * 1e9) < 10**9

    clock.reset()
    assert clock.offset == timedelta(0)
    assert "offset=0:00:00" in repr(clock)


@pytest.mark.rule("documented")
def test_a_token_ends_when_its_time_is_over(service: Service) -> None:
    raw_id = service.new_identity()
    reply = service.issue(raw_id, {"scopes": ["chat"], "expiresInMinutes": 60})
    token = reply.json["token"]
    service.control.clock.advance(minutes=59, seconds=55)
    assert service.works(token)
    service.control.clock.advance(seconds=6)
    assert not service.works(token)
    service.control.clock.advance(minutes=-30)
    assert service.works(token)


@pytest.mark.rule("documented")
def test_a_revocation_may_take_its_time(service: Service) -> None:
    service.control.revocation_delay = timedelta(minutes=15)
    raw_id, deleted = service.new_identity(), service.new_identity()
    tokens = [service.token(raw_id), service.token(deleted)]
    service.revoke(raw_id)
    service.delete(deleted)

    assert all(service.works(token) for token in tokens)
    service.control.clock.advance(minutes=14, seconds=55)
    assert all(service.works(token) for token in tokens)
    service.control.clock.advance(seconds=6)
    assert not any(service.works(token) for token in tokens)


def test_a_revocation_at_once_is_not_undone_by_the_clock(service: Service) -> None:
    raw_id = service.new_identity()
    token = service.token(raw_id)
    service.revoke(raw_id)
    service.control.clock.advance(hours=-1)

    assert not service.works(token)


# Faults


@pytest.mark.parametrize(
    ("status", "code"),
    [(429, "TooManyRequests"), (500, "InternalServerError"), (503, "ServiceUnavailable")],
)
@pytest.mark.parametrize("retry_after", [None, 0, 7])
def test_the_next_request_fails_and_the_one_after_works(
    service: Service, status: int, code: str, retry_after: int | None
) -> None:
    service.control.faults.add(status, retry_after=retry_after)
    failed = service.create()

    assert failed.error[:2] == (status, code)
    assert failed.headers.get("retry-after") == (None if retry_after is None else str(retry_after))
    assert service.directory.store.count_identities() == 0
    assert service.create().status == 201


@pytest.mark.rule("assumed")
def test_no_other_answer_says_when_to_retry(service: Service) -> None:
    raw_id = service.new_identity()

    for reply in (
        service.create(),
        service.issue(raw_id, {}),
        service.revoke("foo"),
        service.create(version="1"),
        service.call("GET", "/nowhere"),
    ):
        assert "retry-after" not in reply.headers


def test_faults_wait_in_order_and_as_often_as_told(service: Service) -> None:
    service.control.faults.add(503, times=2)
    service.control.faults.add(500)

    assert [service.create().status for _ in range(4)] == [503, 503, 500, 201]


def test_only_callers_who_are_let_in_meet_a_fault(service: Service) -> None:
    service.control.faults.add(503)

    assert service.create(key="AAAA").status == 401
    assert service.create().status == 503


@pytest.mark.parametrize(("drop", "created"), [("before", 0), ("after", 1)])
def test_a_connection_is_dropped_before_or_after_the_work(
    service: Service, drop: str, created: int
) -> None:
    service.control.faults.add(drop=drop)  # type: ignore[arg-type]
    with pytest.raises(ConnectionDropped):
        service.create()

    assert service.directory.store.count_identities() == created
    assert service.create().status == 201


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"status": 404},
        {"status": 429, "drop": "before"},
        {"drop": "during"},
        {"drop": "before", "retry_after": 1},
        {"status": 429, "retry_after": -1},
        {"status": 429, "times": 0},
    ],
)
def test_a_fault_that_cannot_be_is_refused(options: dict[str, object]) -> None:
    with pytest.raises(SandboxError):
        Sandbox(None).fail_next(**options)  # type: ignore[arg-type]


# Limits


@pytest.mark.rule("documented")
def test_the_documented_limits_are_off_until_set() -> None:
    sandbox = Sandbox(None)
    assert sandbox.rate_limits == {}

    sandbox.rate_limits = True
    assert sandbox.rate_limits == DOCUMENTED_RATE_LIMITS
    assert sandbox.rate_limits["issue_token"] == 1000
    assert sandbox.rate_limits["delete_identity"] == 500

    sandbox.rate_limits = False
    assert sandbox.rate_limits == {}
    with pytest.raises(SandboxError, match="nonsense"):
        sandbox.rate_limits = {"nonsense": 1}


@pytest.mark.rule("documented")
@pytest.mark.parametrize(
    "operation",
    [
        "create_identity",
        "create_identity_and_token",
        "issue_token",
        "revoke_tokens",
        "delete_identity",
        "exchange_teams_user_token",
    ],
)
def test_a_limit_counts_per_operation_over_thirty_seconds(service: Service, operation: str) -> None:
    raw_id = service.new_identity()
    service.control.rate_limits.set({operation: 2})
    calls = {
        "create_identity": lambda: service.create(),
        "create_identity_and_token": lambda: service.create({"createTokenWithScopes": ["chat"]}),
        "issue_token": lambda: service.issue(raw_id, {"scopes": ["chat"]}),
        "revoke_tokens": lambda: service.revoke(raw_id),
        "delete_identity": lambda: service.delete(raw_id),
        "exchange_teams_user_token": lambda: service.exchange({}),
    }

    assert [calls[operation]().status == 429 for _ in range(3)] == [False, False, True]
    others = {name: call for name, call in calls.items() if name != operation}
    assert all(call().status != 429 for call in others.values())
    service.control.clock.advance(seconds=31)
    assert calls[operation]().status != 429


@pytest.mark.rule("documented")
def test_refused_requests_count_too(service: Service) -> None:
    service.control.rate_limits.set({"create_identity": 1})
    service.create()
    for _ in range(3):
        service.control.clock.advance(seconds=20)

        assert service.create().error[:2] == (429, "TooManyRequests")
    service.control.clock.advance(seconds=31)
    assert service.create().status == 201


def test_each_resource_has_its_own_count(service: Service) -> None:
    other = service.directory.add_resource("other")
    service.control.rate_limits.set({"create_identity": 1})

    assert service.create().status == 201
    assert service.create(key=other.primary_key).status == 201
    assert service.create().status == 429


# Settings


def test_a_reset_undoes_everything() -> None:
    sandbox = Sandbox(None)
    sandbox.clock.advance(hours=5)
    sandbox.fail_next(503)
    sandbox.latency = 1.5
    sandbox.rate_limits = True
    sandbox.revocation_delay = timedelta(minutes=15)
    sandbox.reset()

    assert sandbox.clock.offset == timedelta(0)
    assert sandbox._control.faults.take() is None
    assert sandbox.latency == 0
    assert sandbox.rate_limits == {}
    assert sandbox.revocation_delay == timedelta(0)
    sandbox.stop()


def test_settings_that_cannot_be_are_refused() -> None:
    sandbox = Sandbox(None)

    with pytest.raises(SandboxError, match="latency"):
        sandbox.latency = -1
    with pytest.raises(SandboxError, match="negative"):
        sandbox.revocation_delay = timedelta(seconds=-1)
    with pytest.raises(SandboxError, match="app_id is not a GUID"):
        sandbox.teams_user_token(app_id="app")


# One resource apart


def test_a_resource_can_have_time_faults_and_limits_of_its_own(service: Service) -> None:
    second = service.directory.add_resource("second")
    own = Controls(service.directory.set_apart(second.id))
    own.clock.advance(hours=-23)
    own.fail_next(503)
    own.rate_limits = {"issue_token": 1}

    first_id = service.new_identity()
    assert service.create(key=second.primary_key).status == 503
    second_id = service.new_identity(key=second.primary_key)
    issued = service.issue(second_id, {"scopes": ["chat"]}, key=second.primary_key)
    assert service.issue(second_id, {"scopes": ["chat"]}, key=second.primary_key).status == 429
    for _ in range(2):
        assert service.issue(first_id, {"scopes": ["chat"]}).status == 200

    token = issued.json["token"]
    assert service.works(token)
    own.clock.reset()
    assert service.works(token)
    own.clock.advance(hours=2)
    assert not service.works(token)
    assert service.works(service.token(first_id))


def test_a_revocation_waits_by_the_clock_of_its_resource(service: Service) -> None:
    second = service.directory.add_resource("second")
    own = Controls(service.directory.set_apart(second.id))
    own.revocation_delay = timedelta(minutes=5)
    raw_id = service.new_identity(key=second.primary_key)
    token = service.token(raw_id, key=second.primary_key)
    service.revoke(raw_id, key=second.primary_key)

    assert service.works(token)
    own.clock.advance(minutes=6)
    assert not service.works(token)


def test_reset_undoes_what_was_set_apart() -> None:
    with Sandbox(None) as sandbox:
        sandbox.add_resource("second")
        own = sandbox.controls_of("second")
        own.clock.advance(hours=1)
        sandbox.reset()

        assert own.clock.offset == timedelta(0)
        assert sandbox.controls_of("second").clock is own.clock
