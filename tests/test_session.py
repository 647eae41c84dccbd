"""``helpers.start()``, each time in a process of its own, as a kernel would call it."""

from __future__ import annotations

import base64
import os
import subprocess
import sys
from pathlib import Path

import pytest

KEY = base64.b64encode(bytes(range(64))).decode()
LIVE = f"endpoint=https://contoso.communication.azure.com/;accesskey={KEY}"

CLIENT = """
import os
from azure.communication.identity import CommunicationIdentityClient
client = CommunicationIdentityClient.from_connection_string(
    os.environ["COMMUNICATION_SERVICES_CONNECTION_STRING"], raw_response_hook=session.observe
)
"""


def run(code: str, folder: Path, *, check: bool = True, **environment: str) -> str:
    finished = subprocess.run(
        [sys.executable, "-W", "error", "-c", "import helpers\n" + code],
        cwd=folder,
        env={**os.environ, "ACS_TUTORIAL_HOME": str(folder / "home"), **environment},
        capture_output=True,
        text=True,
        encoding="utf-8",
        timeout=60,
    )
    if check:
        assert finished.returncode == 0, finished.stderr
    return finished.stdout + finished.stderr


def test_the_sdk_works_unmodified_after_start(tmp_path: Path) -> None:
    printed = run(
        f"session = helpers.start('05')\n{CLIENT}\n"
        "identity, token = client.create_user_and_token(['chat'])\n"
        "print(identity.raw_id.startswith('8:acs:'), len(session.exchanges()))",
        tmp_path,
    )

    assert printed.splitlines() == ["Sandbox · nothing leaves this machine", "True 1"]


def test_the_default_azure_credential_works_unmodified(tmp_path: Path) -> None:
    printed = run(
        "session = helpers.start()\n"
        "import os\n"
        "from azure.identity import DefaultAzureCredential\n"
        "from azure.communication.identity import CommunicationIdentityClient\n"
        "client = CommunicationIdentityClient(os.environ['COMMUNICATION_SERVICES_ENDPOINT'], DefaultAzureCredential())\n"
        "print(client.create_user().kind.value)",
        tmp_path,
        # A developer's own service principal must not be asked, let alone reached.
        AZURE_CLIENT_ID="11111111-1111-1111-1111-111111111111",
        AZURE_TENANT_ID="11111111-1111-1111-1111-111111111111",
        AZURE_CLIENT_SECRET="not-used",
    )

    assert "communication_user" in printed


def test_the_async_client_works_unmodified(tmp_path: Path) -> None:
    printed = run(
        "session = helpers.start()\n"
        "import asyncio, os\n"
        "from azure.communication.identity.aio import CommunicationIdentityClient\n"
        "async def main():\n"
        "    client = CommunicationIdentityClient.from_connection_string(\n"
        "        os.environ['COMMUNICATION_SERVICES_CONNECTION_STRING'], raw_response_hook=session.observe)\n"
        "    async with client:\n"
        "        await client.create_user_and_token(['voip'])\n"
        "asyncio.run(main())\n"
        "print(session.exchanges()[-1].operation, len(session.journal.identities()))",
        tmp_path,
    )

    assert "create_user_and_token 1" in printed


def test_starting_twice_gives_the_same_session(tmp_path: Path) -> None:
    printed = run("print(helpers.start('03') is helpers.start('03'))", tmp_path)

    assert printed.splitlines()[-1] == "True"


def test_what_was_trusted_before_is_still_trusted(tmp_path: Path) -> None:
    company = tmp_path / "company.pem"
    company.write_text("# the company's own certificate authority\n")
    printed = run(
        "session = helpers.start()\n"
        "import os\n"
        "from pathlib import Path\nbundle = Path(os.environ['REQUESTS_CA_BUNDLE']).read_text()\n"
        "print('company' in bundle, bundle.count('BEGIN CERTIFICATE'), os.environ['SSL_CERT_FILE'] == os.environ['REQUESTS_CA_BUNDLE'])",
        tmp_path,
        REQUESTS_CA_BUNDLE=str(company),
    )

    assert printed.splitlines()[-1] == "True 1 True"


def test_a_proxy_does_not_catch_loopback(tmp_path: Path) -> None:
    printed = run(
        f"session = helpers.start()\n{CLIENT}\nclient.create_user()\nprint(os.environ['no_proxy'])",
        tmp_path,
        HTTPS_PROXY="http://127.0.0.1:9",
        https_proxy="http://127.0.0.1:9",
        no_proxy="intranet",
    )

    assert printed.splitlines()[-1] == "intranet,localhost,127.0.0.1"


def test_a_kernel_takes_its_trusted_certificates_away_and_those_of_a_killed_one(
    tmp_path: Path,
) -> None:
    trusted = tmp_path / "home" / "trusted"
    run("helpers.start()\nimport os\nos._exit(0)", tmp_path)
    assert len(list(trusted.iterdir())) == 1

    run("helpers.start()", tmp_path)
    assert list(trusted.iterdir()) == []


def test_identities_outlive_the_kernel(tmp_path: Path) -> None:
    first = run(
        f"session = helpers.start()\n{CLIENT}\nprint(client.create_user().raw_id)", tmp_path
    )
    raw_id = first.splitlines()[-1]
    second = run(
        f"session = helpers.start()\n{CLIENT}\n"
        "from azure.communication.identity import CommunicationUserIdentifier\n"
        f"client.get_token(CommunicationUserIdentifier({raw_id!r}), ['chat'])\n"
        "print([identity.abandoned for identity in session.journal.identities()])",
        tmp_path,
    )

    assert second.splitlines()[-1] == "[True]"


def test_a_connection_string_alone_is_seen_and_not_used(tmp_path: Path) -> None:
    printed = run(
        "import os\nsession = helpers.start()\nprint(os.environ['COMMUNICATION_SERVICES_CONNECTION_STRING'][:27])",
        tmp_path,
        COMMUNICATION_SERVICES_CONNECTION_STRING=LIVE,
    )

    badge, note, connection_string = printed.splitlines()
    assert badge == "Sandbox · nothing leaves this machine"
    assert note.startswith("Settings for contoso.communication.azure.com were found and left alone")
    assert connection_string == "endpoint=https://localhost:"


def test_a_malformed_resource_does_not_stop_the_sandbox(tmp_path: Path) -> None:
    printed = run("helpers.start()", tmp_path, COMMUNICATION_SERVICES_CONNECTION_STRING=f"'{LIVE}'")

    assert "quotation marks" in printed
    assert KEY[:16] not in printed


def test_live_says_where_calls_go_and_starts_nothing(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text(
        f"ACS_TUTORIAL_MODE=live\nCOMMUNICATION_SERVICES_CONNECTION_STRING={LIVE}\n"
    )
    # Settings that the test run itself has switched off.
    code = (
        "import os, threading\n"
        "session = helpers.start()\n"
        "print(session.sandbox, session.service, threading.active_count())\n"
        "print('IDENTITY_ENDPOINT' in os.environ, os.environ['COMMUNICATION_SERVICES_ENDPOINT'])\n"
        "print(os.environ['COMMUNICATION_SERVICES_CONNECTION_STRING'].startswith('endpoint='))"
    )
    finished = subprocess.run(
        [sys.executable, "-c", "import helpers\n" + code],
        cwd=tmp_path,
        env={
            **{
                name: value
                for name, value in os.environ.items()
                if not name.startswith(("ACS_", "COMMUNICATION_"))
            },
            "ACS_TUTORIAL_HOME": str(tmp_path / "home"),
        },
        capture_output=True,
        text=True,
        encoding="utf-8",
        timeout=60,
        check=True,
    )

    assert finished.stdout.splitlines() == [
        "Live · contoso.communication.azure.com",
        "None contoso.communication.azure.com 1",
        "False https://contoso.communication.azure.com",
        "True",
    ]


@pytest.mark.parametrize(
    ("environment", "says"),
    [
        (
            {"ACS_TUTORIAL_MODE": "production"},
            "ACS_TUTORIAL_MODE: must be “sandbox”, “room” or “live”",
        ),
        ({"ACS_TUTORIAL_MODE": "live"}, "no resource is named"),
        (
            {"ACS_TUTORIAL_MODE": "live", "COMMUNICATION_SERVICES_CONNECTION_STRING": KEY},
            "access key alone",
        ),
        ({"ACS_TUTORIAL_LANGUAGE": "tlh"}, "does not speak “tlh” yet"),
    ],
)
def test_a_setting_that_cannot_be_used_is_one_sentence_in_a_notebook(
    tmp_path: Path, environment: dict[str, str], says: str
) -> None:
    # IPython renders the error the way a notebook does.
    printed = run(
        "from IPython.core.interactiveshell import InteractiveShell\n"
        "shell = InteractiveShell()\n"
        "shell.run_cell('import helpers; helpers.start()')",
        tmp_path,
        **environment,
    )

    assert says in printed
    assert "Traceback" not in printed
    assert len(printed.strip().splitlines()) == 1
    assert KEY[:16] not in printed


def test_a_state_folder_that_cannot_be_used_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "home").mkdir()
    (tmp_path / "home" / "sandbox.sqlite3").write_bytes(b"this is no database " * 500)

    printed = run("helpers.start()", tmp_path, check=False)

    assert "TutorialError" in printed
    assert "damaged" in printed


def test_the_tokens_of_an_identity_are_read_from_the_record(tmp_path: Path) -> None:
    printed = run(
        f"session = helpers.start()\n{CLIENT}\n"
        "from datetime import timedelta\n"
        "other = client.create_user()\n"
        "identity, token = client.create_user_and_token(['chat'], token_expires_in=timedelta(hours=2))\n"
        "client.get_token(other, ['chat'])\n"
        "client.revoke_tokens(identity)\n"
        "client.get_token(identity, ['voip'])\n"
        "first, second = session.tokens(identity)\n"
        "print(first.scopes, first.expires - first.issued, first.state(session.now()))\n"
        "print(second.scopes, second.expires - second.issued, second.revoked)\n"
        "client.delete_user(identity)\n"
        "print([token.state(session.now()) for token in session.tokens(identity)])",
        tmp_path,
    )

    assert printed.splitlines()[1:] == [
        "['chat'] 2:00:00 revoked just now",
        "['voip'] 1 day, 0:00:00 None",
        "['revoked just now', 'revoked just now']",
    ]


def test_now_follows_the_sandbox_clock(tmp_path: Path) -> None:
    printed = run(
        "session = helpers.start()\nbefore = session.now()\nsession.sandbox.clock.advance(hours=5)\n"
        "print(round((session.now() - before).total_seconds() / 3600))",
        tmp_path,
    )

    assert printed.splitlines()[-1] == "5"
