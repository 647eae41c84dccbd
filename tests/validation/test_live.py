"""Against a real resource, played by another process: consent, what is compared, and that nothing stays behind."""

from __future__ import annotations

import io
import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest

from helpers import settings
from helpers.validation.lessons import SelectionError
from helpers.validation.live import consent
from helpers.validation.rules import LIVE_RULES, Rules, read
from tests.validation import live_resource
from tests.validation.notebooks import code, notebook, printed

PROJECT = Path(__file__).parents[2]

# Two identities that no ledger of the lesson knows, one that it does.
CREATE_THREE = """
import os
import helpers
from azure.communication.identity import CommunicationIdentityClient
session = helpers.start("05")
connection_string = os.environ["COMMUNICATION_SERVICES_CONNECTION_STRING"]
unknown = CommunicationIdentityClient.from_connection_string(connection_string)
unknown.create_user()
unknown.create_user_and_token(["chat"])
known = CommunicationIdentityClient.from_connection_string(
    connection_string, raw_response_hook=session.observe
)
known.create_user()
"""


class Resource:
    """The running process, and how to validate against it."""

    def __init__(self, folder: Path, process: subprocess.Popen[str]) -> None:
        assert process.stdout
        self._folder = folder
        self.facts: dict[str, str] = json.loads(process.stdout.readline())
        self.environment = {
            **os.environ,
            **self.facts,
            "https_proxy": self.facts["HTTPS_PROXY"],
            "NO_PROXY": "",
            "no_proxy": "",
            settings.MODE: "live",
            settings.HOME: str(folder / "home"),
        }

    @property
    def living(self) -> int:
        return len(live_resource.living(self._folder / "service"))

    def validate(self, *arguments: str | Path) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            self.command(*arguments),
            env=self.environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            encoding="utf-8",
            timeout=300,
        )

    def command(self, *arguments: str | Path) -> list[str]:
        report = ["--report", str(self._folder / "report")]
        return [
            sys.executable,
            "-m",
            "helpers.cli",
            "validate",
            "--live",
            *report,
            *map(str, arguments),
        ]

    @property
    def report(self) -> dict[str, object]:
        report: dict[str, object] = json.loads(
            (self._folder / "report/report.json").read_text("utf-8")
        )
        return report

    def files(self) -> str:
        """Everything that was written, to be searched for secrets."""
        return "\n".join(
            path.read_text("utf-8", "replace")
            for folder in ("report", "home")
            for path in (self._folder / folder).rglob("*")
            if path.is_file()
        )


@pytest.fixture
def start_resource(tmp_path: Path) -> Iterator[Callable[..., Resource]]:
    (tmp_path / "service").mkdir()
    processes: list[subprocess.Popen[str]] = []

    def start(*options: str) -> Resource:
        process = subprocess.Popen(
            [sys.executable, live_resource.__file__, str(tmp_path / "service"), *options],
            env=os.environ | {"PYTHONPATH": str(PROJECT)},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        processes.append(process)
        return Resource(tmp_path, process)

    yield start
    for process in processes:
        process.communicate(timeout=20)


# Consent


def asked(
    environment: Mapping[str, str], monkeypatch: pytest.MonkeyPatch, home: Path, answer: str | None
) -> str:
    monkeypatch.setenv(settings.HOME, str(home))
    for key, value in environment.items():
        monkeypatch.setenv(key, value)
    with pytest.raises(SelectionError) as refusal:
        consent(yes=False, answers=None if answer is None else io.StringIO(answer))
    return str(refusal.value)


def connection_string() -> str:
    return "endpoint=https://contoso.communication.azure.com/;accesskey=" + "a" * 84 + "=="


@pytest.mark.parametrize(
    ("environment", "words"),
    [
        ({}, "set ACS_TUTORIAL_MODE=live"),
        ({settings.CONNECTION_STRING: connection_string()}, "set ACS_TUTORIAL_MODE=live"),
        ({settings.MODE: "live"}, "no resource is named"),
        (
            {settings.MODE: "live", settings.ENDPOINT: "https://contoso.example"},
            "an endpoint alone",
        ),
        (
            {settings.MODE: "live", settings.CONNECTION_STRING: connection_string()},
            "add --yes",
        ),
    ],
)
def test_without_consent_nothing_runs(environment, words, monkeypatch, tmp_path):
    monkeypatch.setattr("sys.stdin", io.StringIO())  # nobody is there

    assert words in asked(environment, monkeypatch, tmp_path, None)
    assert not (tmp_path / "validation").exists()


@pytest.mark.parametrize("answer", ["\n", "n\n", "no\n", "", "yellow\n"])
def test_only_a_yes_is_a_yes(answer, monkeypatch, tmp_path):
    environment = {settings.MODE: "live", settings.CONNECTION_STRING: connection_string()}

    assert asked(environment, monkeypatch, tmp_path, answer) == "Nothing was done."


@pytest.mark.parametrize("answer", ["y\n", " YES\n"])
def test_a_yes_opens_the_resource_that_was_named(answer, monkeypatch, tmp_path, capsys):
    monkeypatch.setenv(settings.HOME, str(tmp_path))
    monkeypatch.setenv(settings.MODE, "live")
    monkeypatch.setenv(settings.CONNECTION_STRING, connection_string())

    with consent(yes=False, answers=io.StringIO(answer)) as resource:
        assert resource.name == "contoso.communication.azure.com"

    said = capsys.readouterr().out
    assert "contoso.communication.azure.com" in said
    assert "a" * 84 not in said


# What is compared


@pytest.mark.parametrize(
    ("sandbox", "live"),
    [
        ("Sandbox · nothing leaves this machine", "Live · contoso.communication.azure.com"),
        (
            "샌드박스 · 이 컴퓨터 밖으로 아무것도 나가지 않습니다",
            "실제 서비스 · contoso.communication.azure.com",
        ),
        (
            "border:1px solid #2e7d5b;border-radius:6px;padding:4px 10px'><strong>Sandbox</strong> · nothing leaves this machine<",
            "border:2px dashed #b3541e;border-radius:6px;padding:4px 10px'><strong>Live</strong> · contoso.example<",
        ),
        ("endpoint = https://localhost:PORT/", "endpoint = https://contoso.example/"),
        ("  kid = SIGNING-KEY  (which", "  kid = 5C6E…_x  (which"),
        ("<code>kid</code></th><td><code>SIGNING-KEY<", "<code>kid</code></th><td><code>5c<"),
        ("rgn = amer  (", "rgn = emea  ("),
        (
            "<code>resourceLocation</code></th><td><code>unitedstates<",
            "<code>resourceLocation</code></th><td><code>europe<",
        ),
        ("eyJhbGciOi… (857 characters)", "eyJhbGciOi… (1001 characters)"),
    ],
)
def test_a_live_rule_makes_both_places_look_alike(sandbox, live):
    rules = Rules(read(LIVE_RULES))

    assert rules.applied(sandbox) == rules.applied(live) != sandbox


@pytest.mark.parametrize(
    "text",
    [
        "acsScope = chat.join,voip.join  (the scopes)",
        "POST /identities answered with 201",
        "→ https://learn.microsoft.com/azure/communication-services",
        "400 ValidationError",
        "create_user · 201",
        "one\nSandbox · two",
        "Lifetime: 24 h, 0 % of it used",
    ],
)
def test_no_live_rule_touches_behaviour(text):
    assert Rules(read(LIVE_RULES)).applied(text) == text


# Whole runs


@pytest.mark.campaign
def test_two_lessons_live_pass_skip_what_needs_the_sandbox_and_leave_nothing(start_resource):
    resource = start_resource()

    ran = resource.validate("--yes", "--language", "en", "--lesson", "01", "08")

    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert "2 cells skipped: It makes sense on the sandbox only." in ran.stdout
    assert "Live: acs-live.localhost" in ran.stdout
    assert resource.living == 0
    key = resource.facts[settings.CONNECTION_STRING].partition("accesskey=")[2]
    assert key not in ran.stdout + ran.stderr + resource.files()


@pytest.mark.campaign
def test_a_lesson_that_fails_in_the_middle_leaves_nothing(start_resource, tmp_path):
    resource = start_resource()
    failing = notebook(
        tmp_path / "failing.ipynb",
        code("create", CREATE_THREE + "\n1 / 0"),
    )

    ran = resource.validate("--yes", "--lesson", failing)

    assert ran.returncode == 1
    assert "3 identities that lessons had not deleted themselves were deleted" in ran.stdout
    assert resource.living == 0


@pytest.mark.campaign
def test_every_lesson_live_passes_through_throttling_and_failures(start_resource):
    resource = start_resource("--trouble", "12")

    ran = resource.validate("--yes")

    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert "“not now” (" in ran.stdout
    assert resource.living == 0
    rules = resource.report["rules"]
    assert isinstance(rules, dict)
    assert all(count for name, count in rules.items() if name.startswith("live: ")), rules


@pytest.mark.campaign
@pytest.mark.parametrize("name", ["SIGKILL", "SIGINT"])
@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no signals to send to one process")
def test_an_ended_run_leaves_nothing_or_the_next_one_cleans_up(name, start_resource, tmp_path):
    resource = start_resource()
    mark = tmp_path / "created"
    endless = notebook(
        tmp_path / "endless.ipynb",
        code(
            "create",
            f"{CREATE_THREE}\nopen({str(mark)!r}, 'w').close()\nimport time\ntime.sleep(60)",
        ),
    )
    sound = notebook(tmp_path / "sound.ipynb", code("one", "print(1)", printed("1\n")))
    process = subprocess.Popen(
        resource.command("--yes", "--lesson", endless),
        env=resource.environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        encoding="utf-8",
    )
    until = time.monotonic() + 60
    while not mark.exists() and time.monotonic() < until:
        time.sleep(0.05)
    assert resource.living == 3

    process.send_signal(getattr(signal, name))
    _out, complaint = process.communicate(timeout=60)

    if name == "SIGINT":
        assert process.returncode == 130
        assert "3 identities" in complaint
        assert resource.living == 0
        return
    assert resource.living == 3
    time.sleep(3)  # the orphaned kernel notices that nobody is there
    refused = resource.validate("--lesson", sound)
    assert refused.returncode == 2
    assert resource.living == 3

    again = resource.validate("--yes", "--lesson", sound)

    assert again.returncode == 0, again.stdout + again.stderr
    assert re.search(
        "left 3 identities on acs-live.localhost; they will be deleted first", again.stdout
    )
    assert resource.living == 0
