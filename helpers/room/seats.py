"""The seats of a room: each is a resource of the room's sandbox, with keys and identities of its own."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from helpers.room.ticket import Ticket, code_of
from helpers.sandbox import Sandbox
from helpers.sandbox.control import Controls

_PREFIX = "seat-"


@dataclass(frozen=True)
class Seat:
    """One seat and what opens it."""

    name: str
    """Its number as it is written: ``07``."""
    connection_string: str = field(repr=False)
    identity_endpoint: str
    """Where the seat's managed identity is asked for."""
    identity_header: str = field(repr=False)
    code: str = field(repr=False)
    controls: Controls
    """Clock, faults and limits of this seat alone."""

    def ticket(self, address: str, fingerprint: str) -> Ticket:
        """Return the seat's ticket for a room whose door is at *address*."""
        return Ticket(address, self.name, self.code, fingerprint)


class Seats:
    """The seats called *names* of a sandbox that runs; those that it does not have yet are added."""

    def __init__(self, sandbox: Sandbox, names: Iterable[str]) -> None:
        known = {resource.name: resource for resource in sandbox.resources()}
        self._seats: dict[str, Seat] = {}
        for name in names:
            resource = known.get(_PREFIX + name) or sandbox.add_resource(_PREFIX + name)
            self._seats[name] = Seat(
                name,
                f"endpoint={sandbox.endpoint};accesskey={resource.primary_key}",
                sandbox.identity_endpoint,
                sandbox.identity_header_of(resource.name),
                code_of(resource.primary_key),
                sandbox.controls_of(resource.name),
            )

    def __iter__(self) -> Iterator[Seat]:
        return iter(self._seats.values())

    def __len__(self) -> int:
        return len(self._seats)

    def get(self, name: str) -> Seat | None:
        """Return a seat by its name; ``None`` when there is none of that name."""
        return self._seats.get(name)


def seat_of(resource: str | None) -> str | None:
    """Return the name of the seat whose resource this is; ``None`` for a resource that is no seat's."""
    if resource is None or not resource.startswith(_PREFIX):
        return None
    return resource.removeprefix(_PREFIX)
