from __future__ import annotations

import base64
import gettext
import json
from collections.abc import Callable
from typing import Any

import pytest

from helpers import language


def encoded(part: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=")


@pytest.fixture
def make_token() -> Callable[..., str]:
    """A JWT with the given claims, made here so that no token is ever committed."""

    def make(**claims: Any) -> str:
        header = {"alg": "RS256", "kid": "sandbox-key", "typ": "JWT"}
        return f"{encoded(header)}.{encoded(claims)}.{'s' * 342}"

    return make


class _LongKorean(gettext.NullTranslations):
    """Says every sentence in Korean words without a space to break at, and keeps its placeholders."""

    def gettext(self, message: str) -> str:
        return f"가나다라마바사아자차카타파하{message}"

    def ngettext(self, msgid1: str, msgid2: str, n: int) -> str:
        return self.gettext(msgid1 if n == 1 else msgid2)

    def pgettext(self, context: str, message: str) -> str:
        # How moments and lists are written is a form, not a sentence.
        return message if "{" in message or message == ", " else self.gettext(message)


@pytest.fixture
def korean(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(language, "_translations", _LongKorean())
