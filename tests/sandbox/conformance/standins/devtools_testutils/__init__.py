"""Stands in for Microsoft's recording infrastructure: every test is live, nothing is recorded."""

from __future__ import annotations

import asyncio
import functools
import inspect
import os
import unittest
from collections.abc import Callable
from typing import Any

import msal
import pytest


def is_live() -> bool:
    return True


class _TeamsSignIn:
    """Takes the place of MSAL's sign-in with a password: the sandbox has made the token already."""

    def __init__(self, client_id: str, authority: str) -> None:
        assert client_id == os.environ["COMMUNICATION_M365_APP_ID"]

    def acquire_token_by_username_password(self, **options: Any) -> dict[str, Any]:
        return {
            "access_token": os.environ["TEAMS_ACCESS_TOKEN"],
            "id_token_claims": {"oid": os.environ["TEAMS_USER_ID"]},
        }


msal.PublicClientApplication = _TeamsSignIn


class _Scrubber:
    def register_name_pair(self, *names: str) -> None:
        pass


class AzureTestCase(unittest.TestCase):
    def __init__(self, method_name: str, *args: Any, **options: Any) -> None:
        super().__init__(method_name)
        self.scrubber = _Scrubber()
        self.recording_processors: list[Any] = []

    def is_playback(self) -> bool:
        return False


class AzureRecordedTestCase:
    def is_playback(self) -> bool:
        return False


class PowerShellPreparer:
    """Hands over settings from the environment, named in capitals."""

    def __init__(self, prefix: str, **settings: str) -> None:
        self.settings = {name: os.environ[name.upper()] for name in settings}

    def __call__(self, test: Callable[..., Any]) -> Callable[..., Any]:
        wanted = inspect.signature(test).parameters
        settings = {name: value for name, value in self.settings.items() if name in wanted}

        @functools.wraps(test)
        def run(case: Any, *args: Any) -> Any:
            result = test(case, *args, **settings)
            return asyncio.run(result) if inspect.iscoroutine(result) else result

        # Or pytest would look for fixtures of these names.
        del run.__wrapped__
        return run


ResourceGroupPreparer = PowerShellPreparer


def recorded_by_proxy(test: Callable[..., Any]) -> Callable[..., Any]:
    return test


@pytest.fixture(scope="session")
def test_proxy() -> None:
    pass


def __getattr__(name: str) -> Callable[..., None]:
    if name.startswith(("add_", "set_")):
        return lambda *args, **options: None
    raise AttributeError(name)
