"""Scenes, each played with the real SDK on a sandbox: what they show, and that they end tidy."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from helpers import scenes
from helpers.errors import TutorialError
from helpers.journal import Journal
from helpers.sandbox import Sandbox
from helpers.sandbox.store import Store
from helpers.scenes import Scene

STORY = {
    # What each step shows: what was printed, or the status that the explanation begins with.
    "revoked": ["0 threads", "", "ClientAuthenticationError", "0 threads"],
    "expired": ["0 threads", "", "ClientAuthenticationError", "0 threads"],
    "throttled": [
        "",
        "token 1\ntoken 2\ntoken 3 HttpResponseError: (TooManyRequests)",
        "recovered",
        "[429, 200]",
    ],
    "wrong_key": ["ClientAuthenticationError: (Denied)", "created"],
    "wrong_clock": ["ClientAuthenticationError: (Denied)", "created"],
    "service_down": ["", "[503, 503, 200]", "HttpResponseError: (ServiceUnavailable)", "issued"],
}
CAUSE = {
    "revoked": "revoked or expired",
    "expired": "revoked or expired",
    "throttled": "Too many requests",
    "wrong_key": "does not know the access key",
    "wrong_clock": "clock is off",
    "service_down": "problem of its own",
}


@pytest.fixture
def session(
    tmp_path: Path, journal: Journal, monkeypatch: pytest.MonkeyPatch
) -> Iterator[SimpleNamespace]:
    with Sandbox(tmp_path) as sandbox:
        authority = tmp_path / "authority.pem"
        authority.write_bytes(sandbox.certificate_authority)
        monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(authority))
        for name in ("NO_PROXY", "no_proxy"):
            monkeypatch.setenv(name, "localhost")
        yield SimpleNamespace(
            sandbox=sandbox,
            journal=journal,
            id=journal.session,
            observe=journal.observe,
            exchanges=journal.exchanges,
        )


def living(folder: Path) -> int:
    store = Store(folder)
    try:
        return store.count_identities()
    finally:
        store.close()


def shown(scene: Scene) -> list[str]:
    return [
        " ".join(filter(None, (step.printed, step.error.original if step.error else "")))
        for step in scene.steps
    ]


@pytest.mark.parametrize("name", scenes.NAMES)
def test_a_scene_tells_its_story_and_ends_tidy(
    name: str, session: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    slept: list[float] = []
    sleep = time.sleep
    monkeypatch.setattr(time, "sleep", lambda seconds: (slept.append(seconds), sleep(seconds)))
    session.sandbox.clock.advance(hours=3)
    session.sandbox.rate_limits = {"create_identity": 700}

    scene = scenes.play(session, name)

    for seen, expected in zip(shown(scene), STORY[name], strict=True):
        assert seen.startswith(expected) if expected else not seen
    (explanation,) = [step.error for step in scene.steps if step.error]
    assert CAUSE[name] in explanation.cause
    assert scene.name == name
    assert scene.remember.startswith("Remember: ")
    # As it was before
    assert living(tmp_path) == 0
    assert all(identity.deleted_at for identity in session.journal.identities())
    assert session.sandbox.clock.offset == timedelta(hours=3)
    assert session.sandbox.rate_limits == {"create_identity": 700}
    assert max(slept, default=0) <= 1


@pytest.mark.parametrize("name", ["revoked", "wrong_key", "wrong_clock"])
def test_a_scene_shows_the_same_each_time_and_nothing_secret(name: str, session: Any) -> None:
    first, second = scenes.play(session, name), scenes.play(session, name)

    assert repr(first) == repr(second)
    assert first._repr_html_() == second._repr_html_()
    key = session.sandbox.connection_string.partition("accesskey=")[2]
    for text in (repr(first), first._repr_html_()):
        assert key not in text
        assert "eyJ" not in text
        assert not re.search(r"localhost:\d", text)


def test_every_form_holds_lines_outcome_explanation_and_what_to_remember(session: Any) -> None:
    scene = scenes.play(session, "wrong_key")

    for text in (repr(scene), scene._repr_html_()):
        for part in (
            scene.title,
            "stranger.create_user()",
            "✔ created",
            "does not know the access key",
            "Remember: ",
        ):
            assert part in text
    assert "AzureKeyCredential(wrong)" in scene._repr_html_()


def test_what_existed_before_a_scene_exists_after_it(session: Any, tmp_path: Path) -> None:
    from azure.communication.identity import CommunicationIdentityClient

    client = CommunicationIdentityClient.from_connection_string(
        session.sandbox.connection_string, raw_response_hook=session.observe
    )
    mine = client.create_user()
    scenes.play(session, "wrong_key")

    assert living(tmp_path) == 1
    assert client.get_token(mine, ["chat"]).token


def test_a_scene_that_goes_otherwise_says_so_and_still_ends_tidy(
    session: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # A service that forgets to limit.
    monkeypatch.setattr("helpers.sandbox.control.RateLimits.admits", lambda *arguments: True)

    with pytest.raises(TutorialError, match="went otherwise"):
        scenes.play(session, "throttled")

    assert living(tmp_path) == 0
    assert session.sandbox.rate_limits == {}


def test_an_error_that_is_not_part_of_the_story_is_not_hidden(session: Any, tmp_path: Path) -> None:
    from azure.core.exceptions import HttpResponseError

    session.sandbox.fail_next(500, times=4)
    with pytest.raises(HttpResponseError), scenes._stage(session) as stage:
        stage.step(
            "",
            "CommunicationIdentityClient.from_connection_string("
            "connection_string, retry_backoff_factor=0.01).create_user()",
        )

    assert living(tmp_path) == 0


def test_a_real_resource_is_no_stage(session: Any) -> None:
    session.sandbox = None

    with pytest.raises(TutorialError, match="never on a real resource"):
        scenes.play(session, "revoked")


def test_a_scene_that_does_not_exist_names_those_that_do(session: Any) -> None:
    with pytest.raises(TutorialError, match=r"“meltdown”.*revoked, expired, throttled"):
        scenes.play(session, "meltdown")
