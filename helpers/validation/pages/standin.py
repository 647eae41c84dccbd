"""What takes the place of a value that a page's program could not get, so that one mistake does not hide the next."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

UNKNOWN = "\ue000"
"""Stands in printed text for what cannot be known; matches anything."""


class StandIn:
    """Takes part in everything and knows nothing. Whatever fails with it is not the page's fault."""

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__") and name.endswith("__"):
            raise AttributeError(name)
        return StandIn()

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return StandIn()

    def __getitem__(self, key: Any) -> Any:
        return StandIn()

    def __setitem__(self, key: Any, value: Any) -> None:
        pass

    def __iter__(self) -> Iterator[Any]:
        yield StandIn()

    def __aiter__(self) -> Any:
        return self._values()

    async def _values(self) -> Any:
        yield StandIn()

    def __await__(self) -> Any:
        yield from ()
        return StandIn()

    def __enter__(self) -> Any:
        return StandIn()

    def __exit__(self, *args: Any) -> None:
        pass

    async def __aenter__(self) -> Any:
        return StandIn()

    async def __aexit__(self, *args: Any) -> None:
        pass

    def __bool__(self) -> bool:
        return True

    def __len__(self) -> int:
        return 1

    def __contains__(self, value: Any) -> bool:
        return True

    def __int__(self) -> int:
        return 1

    def __float__(self) -> float:
        return 1.0

    def __str__(self) -> str:
        return UNKNOWN

    def __repr__(self) -> str:
        return UNKNOWN

    def __format__(self, specification: str) -> str:
        return UNKNOWN

    def __lt__(self, other: Any) -> bool:
        return True

    __le__ = __gt__ = __ge__ = __lt__

    def __eq__(self, other: Any) -> bool:
        return True

    def __hash__(self) -> int:
        return 1

    def __radd__(self, other: Any) -> Any:
        return other + UNKNOWN if isinstance(other, str) else StandIn()

    def __add__(self, other: Any) -> Any:
        return UNKNOWN + other if isinstance(other, str) else StandIn()

    def _any(self, other: Any) -> Any:
        return StandIn()

    __sub__ = __rsub__ = __mul__ = __rmul__ = __truediv__ = __rtruediv__ = _any
    __mod__ = __rmod__ = __floordiv__ = __rfloordiv__ = __or__ = __ror__ = __and__ = __rand__ = _any

    def __fspath__(self) -> str:
        return "stand-in"


def is_standin(value: Any, depth: int = 2) -> bool:
    """Whether *value* is a stand-in, holds one, or is text with something unknown in it."""
    if isinstance(value, StandIn):
        return True
    if isinstance(value, str):
        return UNKNOWN in value
    if depth and isinstance(value, list | tuple | set):
        return any(is_standin(item, depth - 1) for item in value)
    if depth and isinstance(value, dict):
        return any(is_standin(item, depth - 1) for item in value.values())
    # Such as an identifier that was made of one.
    if depth and type(value).__module__.startswith("azure."):
        return any(is_standin(item, depth - 1) for item in getattr(value, "__dict__", {}).values())
    return False
