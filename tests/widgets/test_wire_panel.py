from __future__ import annotations

import json
import shlex
from types import SimpleNamespace
from typing import Any

import pytest
from azure.core.exceptions import HttpResponseError

from helpers.errors import TutorialError
from helpers.journal import Journal
from helpers.sandbox import Sandbox
from helpers.widgets.wire_panel import WirePanel, curl
from tests.conftest import MakeClient


def panel(journal: Journal, **options: Any) -> WirePanel:
    return WirePanel(SimpleNamespace(exchanges=journal.exchanges), **options)


def html(shown: WirePanel) -> str:
    return shown._repr_mimebundle_()["text/html"]


def test_before_anything_is_sent_it_says_so(journal: Journal) -> None:
    assert str(panel(journal)) == "Nothing has gone over the wire in this lesson yet."


def test_an_exchange_reads_as_a_conversation(make_client: MakeClient, journal: Journal) -> None:
    client = make_client(raw_response_hook=journal.observe)
    identity, token = client.create_user_and_token(["chat"])

    text = str(panel(journal))

    assert "→ POST /identities?api-version=2023-10-01" in text
    assert '"createTokenWithScopes"' in text
    assert "    x-ms-date: " in text
    assert (
        "    Authorization: HMAC-SHA256 SignedHeaders=x-ms-date;host;x-ms-content-sha256&Signature=…"
        in text
    )
    assert "← 201 Created · " in text and " ms" in text
    assert identity.raw_id in text
    assert token.token not in text


def test_the_notebook_shows_the_same_and_no_secret(
    make_client: MakeClient, journal: Journal
) -> None:
    client = make_client(raw_response_hook=journal.observe)
    _identity, token = client.create_user_and_token(["chat"])

    shown = html(panel(journal))

    for part in (
        "create_user_and_token",
        "201 Created",
        "x-ms-content-sha256",
        "api-supported-versions",
        "As a curl command",
    ):
        assert part in shown
    assert token.token.split(".")[1] not in shown


def test_a_retry_is_marked(make_client: MakeClient, journal: Journal, sandbox: Sandbox) -> None:
    client = make_client(raw_response_hook=journal.observe)
    sandbox.fail_next(429, retry_after=0)
    client.create_user()

    first, second = str(panel(journal)).split("→")[1:]

    assert "retry" not in first and "429" in first
    assert "retry 1" in second and "201" in second


def test_a_refusal_is_shown_with_its_reason(make_client: MakeClient, journal: Journal) -> None:
    client = make_client(raw_response_hook=journal.observe)
    with pytest.raises(HttpResponseError):
        client.create_user_and_token([])

    assert "← 400 Bad Request" in str(panel(journal))
    assert "Scopes field is required" in html(panel(journal))
    assert "⚠" in html(panel(journal))


def test_only_the_last_ones_are_shown_and_the_rest_counted(
    make_client: MakeClient, journal: Journal
) -> None:
    client = make_client(raw_response_hook=journal.observe)
    for _ in range(3):
        client.create_user()

    shown = panel(journal, last=1)

    assert repr(shown) == "WirePanel(exchanges=1)"
    assert str(shown).startswith("The last exchange of this lesson. 2 earlier ones are not shown.")
    assert str(shown).count("→") == 1


def test_the_curl_command_is_one_that_a_shell_reads(
    make_client: MakeClient, journal: Journal
) -> None:
    make_client(raw_response_hook=journal.observe).create_user_and_token(["chat"])

    words = shlex.split(curl(journal.exchanges()[0]).replace("\\\n", " "))

    assert words[:3] == ["curl", "-X", "POST"]
    assert words[3] == "$COMMUNICATION_SERVICES_ENDPOINT/identities?api-version=2023-10-01"
    assert "Authorization: Bearer $ENTRA_TOKEN" in words
    assert json.loads(words[-1]) == {"createTokenWithScopes": ["chat"]}


def exchange(**parts: Any) -> SimpleNamespace:
    return SimpleNamespace(
        **{
            "operation": "POST /x",
            "method": "POST",
            "path": "/x",
            "api_version": None,
            "request_id": None,
            "request_headers": {},
            "request_body": "",
            "status": 299,
            "response_headers": {},
            "response_body": "",
            "milliseconds": None,
            **parts,
        }
    )


def test_a_body_with_an_apostrophe_stays_one_word_in_the_shell() -> None:
    words = shlex.split(curl(exchange(request_body='{"name": "it\'s"}')).replace("\\\n", " "))  # type: ignore[arg-type]

    assert json.loads(words[-1]) == {"name": "it's"}


def test_what_was_sent_cannot_become_html() -> None:
    nasty = "<script>alert(1)</script>"
    shown = html(
        WirePanel(
            SimpleNamespace(
                exchanges=lambda: [
                    exchange(
                        path=nasty,
                        request_body=nasty,
                        response_body=nasty,
                        request_headers={"x-ms-date": nasty},
                        response_headers={"MS-CV": nasty},
                    )
                ]
            )
        )
    )

    assert "<script>" not in shown
    assert shown.count("&lt;script&gt;") >= 4


@pytest.mark.parametrize("last", [0, -1, "five"])
def test_a_number_that_makes_no_sense_is_one_sentence(journal: Journal, last: Any) -> None:
    with pytest.raises(TutorialError, match="above 0"):
        panel(journal, last=last)
