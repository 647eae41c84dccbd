"""Identities' ids, resources and their keys, known states."""

from __future__ import annotations

import base64
import uuid
from datetime import datetime, timedelta, timezone

import pytest

from helpers.sandbox import SandboxError
from helpers.sandbox.store import Store
from tests.sandbox.wire import Service

EPOCH = datetime(2020, 1, 1, 8, tzinfo=timezone.utc)


def created_at(raw_id: str) -> datetime:
    digits = raw_id.split("_")[1].replace("-", "")[:16]
    return EPOCH + timedelta(milliseconds=int(digits, 16))


@pytest.mark.rule("recorded")
def test_an_id_carries_its_moment_of_creation(service: Service) -> None:
    # Of a public recording: created in the second 06:22:27.
    example = "8:acs:00000000-0000-0000-0000-000000000000_0000000d-604b-afca-84f5-084822003abf"
    assert created_at(example).isoformat(timespec="seconds") == "2021-10-27T06:22:27+00:00"

    service.control.clock.advance(days=100)
    raw_id = service.new_identity()

    assert abs(created_at(raw_id) - service.control.clock.now()) < timedelta(seconds=5)
    assert len(raw_id) == 79


def test_ids_are_distinct_even_at_one_moment(service: Service) -> None:
    assert len({service.new_identity() for _ in range(300)}) == 300


def test_a_clock_before_the_epoch_still_gives_an_id(service: Service) -> None:
    service.control.clock.advance(days=-4000)

    assert created_at(service.new_identity()) == EPOCH


def test_a_new_resource_has_a_random_guid_and_two_64_byte_keys(service: Service) -> None:
    other = Service()
    first, second = service.directory.resource(), other.directory.resource()

    for resource in (first, second):
        assert str(uuid.UUID(resource.id)) == resource.id
        for _, key in resource.keys:
            assert len(base64.b64decode(key, validate=True)) == 64
    assert len({key for r in (first, second) for _, key in r.keys}) == 4
    assert first.id != second.id


@pytest.mark.parametrize("name", ["", "A", "under_score", "-x", "x-", "a b", "é", "x" * 64])
def test_a_resource_needs_a_name_that_a_host_could_have(service: Service, name: str) -> None:
    with pytest.raises(SandboxError, match="lower-case letters"):
        service.directory.add_resource(name)


def test_a_resources_name_is_taken_once(service: Service) -> None:
    service.directory.add_resource("contoso")

    with pytest.raises(SandboxError, match="already a resource named 'contoso'"):
        service.directory.add_resource("contoso")
    with pytest.raises(SandboxError, match="no resource named 'fabrikam'; there are: default, co"):
        service.directory.resource("fabrikam")


@pytest.mark.rule("documented")
def test_rotating_a_key_ends_it_and_the_tokens_issued_under_it(service: Service) -> None:
    resource = service.directory.resource()
    raw_id = service.new_identity()
    by_first = service.token(raw_id, "chat")
    by_second = service.token(raw_id, "chat", key=resource.secondary_key)
    by_entra = service.token(raw_id, "chat", entra=True)
    rotated = service.directory.rotate_key("primary")

    assert rotated.primary_key != resource.primary_key
    assert rotated.secondary_key == resource.secondary_key
    assert service.create(key=resource.primary_key).status == 401
    assert service.create(key=rotated.primary_key).status == 201
    assert service.create(key=resource.secondary_key).status == 201
    assert not service.works(by_first)
    assert service.works(by_second)
    assert service.works(by_entra)


def test_a_key_has_one_of_two_slots(service: Service) -> None:
    with pytest.raises(SandboxError, match="'primary' and a 'secondary'"):
        service.directory.rotate_key("third")  # type: ignore[arg-type]


def test_a_seed_makes_ids_and_keys_repeatable(service: Service) -> None:
    def walk(seed: int) -> list[str]:
        service.directory.seed(seed)
        ids = [service.new_identity() for _ in range(3)]
        other = service.directory.add_resource("other")
        return [*ids, service.key, other.id, other.secondary_key]

    first = walk(7)
    service.control.clock.advance(days=1)

    assert walk(7) == first
    assert walk(8)[0] != first[0]
    assert [r.name for r in service.directory.store.resources()] == ["default", "other"]


def test_two_processes_with_one_seed_do_not_collide(service: Service) -> None:
    service.directory.seed(7)
    first = service.new_identity()
    again = Service(service.directory.store)
    again.directory._random.seed(7)  # type: ignore[attr-defined]

    assert again.new_identity() != first


def test_a_snapshot_brings_everything_back(service: Service) -> None:
    raw_id = service.new_identity()
    token = service.token(raw_id)
    key = service.key
    snapshot = service.directory.snapshot()
    service.delete(raw_id)
    later = service.new_identity()
    service.directory.add_resource("later")
    service.directory.rotate_key("primary")
    service.directory.restore(snapshot)

    assert service.key == key
    assert service.works(token)
    assert service.issue(raw_id, {"scopes": ["chat"]}).status == 200
    assert service.revoke(later).status == 404
    assert [r.name for r in service.directory.store.resources()] == ["default"]


def test_a_snapshot_can_be_restored_twice_and_elsewhere(service: Service) -> None:
    raw_id = service.new_identity()
    snapshot = service.directory.snapshot()
    other = Service(Store(None))
    for directory in (service.directory, service.directory, other.directory):
        directory.restore(snapshot)

        assert directory.store.identity(raw_id) is not None


def test_a_reset_keeps_resources_and_keys(service: Service) -> None:
    resource = service.directory.resource()
    raw_id = service.new_identity()
    token = service.token(raw_id)
    service.directory.reset()

    assert service.directory.resource() == resource
    assert service.directory.store.count_identities() == 0
    assert not service.works(token)
    assert service.revoke(raw_id).status == 404
