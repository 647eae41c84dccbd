"""Imported by the tests, used when recording only."""

from __future__ import annotations

from typing import Any


def is_text_payload(message: Any) -> bool:
    return False


def trim_kwargs_from_test_function(test: Any, options: dict[str, Any]) -> None:
    pass
