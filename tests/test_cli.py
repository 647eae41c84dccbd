"""The command ``acs-tutorial``, as a person meets it in a terminal."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
import urllib.request
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path

import psutil
import pytest
from azure.communication.identity import CommunicationIdentityClient
from azure.core.exceptions import HttpResponseError
from azure.core.pipeline.transport import RequestsTransport

from helpers import cli
from helpers.cli import arguments, lab

PROJECT = Path(__file__).resolve().parents[1]


@pytest.fixture
def private_home(tmp_path: Path) -> dict[str, str]:
    """An environment in which Jupyter neither finds nor leaves anything of the person who runs the tests."""
    environment = {name: value for name, value in os.environ.items() if "JUPYTER" not in name}
    return environment | {
        "HOME": str(tmp_path),
        "USERPROFILE": str(tmp_path),
        "APPDATA": str(tmp_path),
        "JUPYTER_RUNTIME_DIR": str(tmp_path / "runtime"),
        "PYTHONUNBUFFERED": "1",
    }


@pytest.fixture
def taken_port() -> Iterator[int]:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        yield listening.getsockname()[1]


def exit_status(*arguments: str) -> int:
    try:
        return cli.main(arguments)
    except SystemExit as ending:
        return int(ending.code or 0)


def test_help_names_every_command_and_option(capsys):
    assert exit_status("--help") == 0

    text = capsys.readouterr().out
    for name in ("--no-browser", "--port", "--version", "quickstart", "refresh", "sandbox"):
        assert name in text


@pytest.mark.parametrize("command", ["quickstart", "refresh", "sandbox"])
def test_each_command_explains_itself(command, capsys):
    assert exit_status(command, "--help") == 0

    assert f"acs-tutorial {command}" in capsys.readouterr().out


def test_version_is_that_of_the_package(capsys):
    assert exit_status("--version") == 0

    assert capsys.readouterr().out == f"acs-tutorial {version('acs-tutorial')}\n"


@pytest.mark.parametrize(
    "arguments",
    [
        ["fly"],
        ["--fly"],
        ["--no-brow"],
        ["--port", "lab"],
        ["--port", "-1"],
        ["--port", "65536"],
        ["--port"],
        ["quickstart", "extra"],
        ["sandbox", "--port", "x"],
        ["sandbox", "fly"],
    ],
)
def test_what_is_not_understood_gets_one_line_and_status_2(arguments, capsys):
    assert exit_status(*arguments) == 2

    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.count("\n") == 1
    assert re.search(r"See “acs-tutorial.* --help”\.\n$", captured.err)


def test_help_does_not_load_jupyter():
    code = "import sys, helpers.cli as cli; cli._parser(); print('jupyterlab' in sys.modules)"

    answer = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )

    assert answer.stdout == "False\n"


def test_a_taken_port_is_one_sentence(taken_port, capsys):
    assert exit_status("--no-browser", "--port", str(taken_port)) == 1

    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err == (
        f"acs-tutorial: port {taken_port} is in use by another program, or not allowed; choose another one, or leave "
        "--port out to use a free one.\n"
    )


def test_without_the_lessons_the_reader_learns_where_they_are(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(lab, "_PROJECT", tmp_path)

    assert exit_status("--no-browser") == 1

    assert "clone the tutorial's repository" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("platform", "environment", "expected"),
    [
        ("linux", {}, False),
        ("linux", {"DISPLAY": ":0"}, True),
        ("linux", {"WAYLAND_DISPLAY": "wayland-0"}, True),
        ("linux", {"BROWSER": "open-on-my-side"}, True),
        ("linux", {"DISPLAY": ""}, False),
        ("darwin", {}, True),
        ("win32", {}, True),
    ],
)
def test_a_browser_opens_only_where_there_is_a_screen(platform, environment, expected, monkeypatch):
    for name in ("DISPLAY", "WAYLAND_DISPLAY", "BROWSER"):
        monkeypatch.delenv(name, raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(sys, "platform", platform)

    assert arguments.has_screen() is expected


def test_the_readers_own_configuration_folders_stay_in_force(monkeypatch):
    monkeypatch.setenv("JUPYTER_CONFIG_PATH", "theirs")

    lab._use_bundled_configuration()

    ours, theirs = os.environ["JUPYTER_CONFIG_PATH"].split(os.pathsep)
    assert (Path(ours) / "jupyter_server_config.json").is_file()
    assert theirs == "theirs"


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no signals to send to one process")
class TestJupyterLab:
    """JupyterLab, started for real."""

    @pytest.fixture
    def terminal(self) -> Iterator[tuple[int, int]]:
        import pty

        controller, terminal = pty.openpty()
        yield controller, terminal
        os.close(controller)
        os.close(terminal)

    @pytest.fixture
    def command(self, private_home, tmp_path, terminal) -> Iterator[subprocess.Popen[str]]:
        # Standard input is a terminal, as it is for a person: that is when Jupyter would ask whether it was meant.
        process = subprocess.Popen(
            [sys.executable, "-m", "helpers.cli", "--no-browser"],
            cwd=tmp_path,
            env=private_home,
            stdin=terminal[1],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )
        yield process
        process.kill()
        process.communicate()

    def test_where_there_is_a_screen_a_browser_is_sent_to_the_first_lesson(
        self, private_home, tmp_path
    ):
        # The "browser" keeps the page it was given, which sends a real one on; so the token stays out of process lists.
        browser, visited = tmp_path / "browser.py", tmp_path / "visited.html"
        browser.write_text(
            "import sys, urllib.request as r; "
            f"open({str(visited)!r}, 'wb').write(r.urlopen(sys.argv[1]).read())"
        )
        process = subprocess.Popen(
            [sys.executable, "-m", "helpers.cli"],
            cwd=tmp_path,
            env=private_home | {"BROWSER": f"{sys.executable} {browser} %s"},
            stdout=subprocess.PIPE,
            text=True,
        )
        try:
            assert process.stdout is not None
            address, token = process.stdout.readline().split()[-1].split("?")
            deadline = time.monotonic() + 20
            while not (visited.exists() and visited.stat().st_size) and time.monotonic() < deadline:
                time.sleep(0.05)
        finally:
            process.terminate()
            process.communicate(timeout=15)

        assert (
            f"{address}lab/workspaces/acs-tutorial/tree/notebooks/en/00-start-here.ipynb?{token}"
            in (visited.read_text("utf-8"))
        )

    @pytest.mark.parametrize(("name", "kernel_state"), [("SIGINT", "busy"), ("SIGTERM", "idle")])
    def test_a_signal_ends_it_at_once_with_its_kernels(self, name, kernel_state, command, tmp_path):
        assert command.stdout is not None
        opened = command.stdout.readline()
        address = re.fullmatch(
            r"The tutorial is open at (http://localhost:\d+/)\?token=(\w+)\n", opened
        )
        assert address, opened
        assert command.stdout.readline() == "Press Ctrl-C here to stop it.\n"
        kernel = start_kernel(*address.groups(), tmp_path / "runtime", kernel_state)

        asked = time.monotonic()
        command.send_signal(getattr(signal, name))
        rest, _ = command.communicate(timeout=15)

        assert time.monotonic() - asked < 5
        assert rest == "\nThe tutorial is closed.\n"
        assert command.returncode == 0
        assert not is_running(kernel)


@pytest.fixture
def sandbox_home(tmp_path, monkeypatch) -> Path:
    monkeypatch.setenv("ACS_TUTORIAL_HOME", str(tmp_path / "state"))
    return tmp_path / "state"


@contextmanager
def running_sandbox(*options: str) -> Iterator[subprocess.Popen[str]]:
    command = [sys.executable, "-m", "helpers.cli", "sandbox", *options]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            yield process
        finally:
            process.terminate()


def sandbox_facts(process: subprocess.Popen[str]) -> dict[str, str]:
    assert process.stdout is not None
    facts: dict[str, str] = json.loads(process.stdout.readline())
    return facts


@contextmanager
def client_of(
    facts: dict[str, str], connection_string: str | None = None
) -> Iterator[CommunicationIdentityClient]:
    with RequestsTransport(connection_verify=facts["ca_file"]) as transport:
        yield CommunicationIdentityClient.from_connection_string(
            connection_string or facts["connection_string"], transport=transport
        )


def test_a_client_elsewhere_uses_the_sandbox_with_what_json_says(sandbox_home):
    with running_sandbox("--json") as process:
        facts = sandbox_facts(process)
        with client_of(facts) as client:
            user, token = client.create_user_and_token(["chat"])

    assert set(facts) == {
        "connection_string",
        "endpoint",
        "ca_file",
        "identity_endpoint",
        "identity_header",
        "log",
    }
    assert user.properties["id"].startswith("8:acs:")
    assert token.token.startswith("eyJ")
    assert "POST /identities" in Path(facts["log"]).read_text("ascii")
    assert facts["identity_endpoint"].startswith(facts["endpoint"])


def test_without_json_the_same_facts_are_a_sheet_to_read(sandbox_home):
    with running_sandbox() as process:
        assert process.stdout is not None
        assert (
            process.stdout.readline() == "The sandbox is running. Press Ctrl-C here to stop it.\n"
        )
        assert process.stdout.readline() == "\n"
        lines = [process.stdout.readline() for _ in range(6)]

    assert re.fullmatch(
        r"  connection string +endpoint=https://localhost:\d+/;accesskey=\S+\n", lines[0]
    )
    assert [line.split("  ")[1] for line in lines[1:]] == [
        "endpoint",
        "certificate authority to trust",
        "IDENTITY_ENDPOINT",
        "IDENTITY_HEADER",
        "log of requests",
    ]


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no signals to send to one process")
@pytest.mark.parametrize("name", ["SIGINT", "SIGTERM"])
def test_a_signal_ends_the_sandbox_and_removes_its_certificate(name, sandbox_home):
    with running_sandbox("--json") as process:
        facts = sandbox_facts(process)

        process.send_signal(getattr(signal, name))

        assert process.wait(timeout=10) == 0
        assert not Path(facts["ca_file"]).exists()


def test_identities_survive_a_restart_of_the_sandbox(sandbox_home):
    with running_sandbox("--json") as process, client_of(sandbox_facts(process)) as client:
        user = client.create_user()
    with running_sandbox("--json") as process, client_of(sandbox_facts(process)) as client:
        token = client.get_token(user, ["chat"])

    assert token.token


def test_in_memory_nothing_survives_and_nothing_is_written(sandbox_home):
    with running_sandbox("--json", "--in-memory") as process:
        facts = sandbox_facts(process)
        with client_of(facts) as client:
            client.create_user()

    assert not sandbox_home.exists()


def test_the_sandboxs_taken_port_is_one_sentence(taken_port, sandbox_home, capsys):
    assert exit_status("sandbox", "--port", str(taken_port)) == 1

    error = capsys.readouterr().err
    assert error.startswith(f"acs-tutorial: Port {taken_port} on 127.0.0.1 is already in use")
    assert error.count("\n") == 1


def test_a_teams_users_token_is_accepted_by_the_running_sandbox(sandbox_home, capsys):
    application, user = str(uuid.uuid4()), str(uuid.uuid4())
    assert exit_status("sandbox", "teams-token", "--app-id", application, "--user-id", user) == 0
    teams = json.loads(capsys.readouterr().out)

    with running_sandbox("--json") as process, client_of(sandbox_facts(process)) as client:
        token = client.get_token_for_teams_user(teams["access_token"], application, teams["oid"])

    assert set(teams) == {"access_token", "oid"}
    assert teams["oid"] == user
    assert token.token.startswith("eyJ")


def test_an_expired_teams_token_is_refused(sandbox_home, capsys):
    application = str(uuid.uuid4())
    exit_status("sandbox", "teams-token", "--app-id", application, "--expired")
    teams = json.loads(capsys.readouterr().out)

    with (
        running_sandbox("--json") as process,
        client_of(sandbox_facts(process)) as client,
        pytest.raises(HttpResponseError),
    ):
        client.get_token_for_teams_user(teams["access_token"], application, teams["oid"])


def test_an_added_resource_has_keys_of_its_own_that_work_at_once(sandbox_home, capsys):
    with running_sandbox("--json") as process:
        facts = sandbox_facts(process)
        assert exit_status("sandbox", "resource", "add", "second") == 0
        added = json.loads(capsys.readouterr().out)
        other = f"endpoint={facts['endpoint']};accesskey={added['secondary_key']}"
        with client_of(facts, other) as client:
            user = client.create_user()

    assert set(added) == {"name", "id", "primary_key", "secondary_key"}
    assert user.properties["id"].startswith(f"8:acs:{added['id']}_")


@pytest.mark.parametrize(
    "arguments",
    [
        ["sandbox", "teams-token", "--app-id", "mine"],
        ["sandbox", "resource", "add", "Not A Name"],
    ],
)
def test_what_the_sandbox_refuses_is_one_sentence(arguments, sandbox_home, capsys):
    assert exit_status(*arguments) == 1

    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.startswith("acs-tutorial: ")
    assert captured.err.count("\n") == 1


# In a process of its own: the blocking client leaves event loops behind.
BRING_KERNEL_TO = """
import sys
from pathlib import Path
from time import sleep
from jupyter_client import BlockingKernelClient

connection_file, state, marker = sys.argv[1:]
client = BlockingKernelClient()
client.load_connection_file(connection_file)
client.start_channels()
reply = client.execute(
    "import os, pathlib, time", user_expressions={"pid": "os.getpid()"}, reply=True, timeout=30
)
if state == "busy":
    client.execute(f"pathlib.Path({marker!r}).touch(); time.sleep(60)")
    while not Path(marker).exists():
        sleep(0.05)
client.stop_channels()
print(reply["content"]["user_expressions"]["pid"]["data"]["text/plain"])
"""


def start_kernel(address: str, token: str, runtime_folder: Path, state: str) -> int:
    """Start a kernel as a browser does, bring it to *state*, ``busy`` or ``idle``, and return its process id."""
    request = urllib.request.Request(
        f"{address}api/kernels",
        data=b'{"name": "python3"}',
        headers={"Authorization": f"token {token}"},
    )
    with urllib.request.urlopen(request, timeout=20) as answer:
        identifier = json.load(answer)["id"]
    connection_file = runtime_folder / f"kernel-{identifier}.json"
    marker = runtime_folder / "busy"
    brought = subprocess.run(
        [sys.executable, "-c", BRING_KERNEL_TO, str(connection_file), state, str(marker)],
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    return int(brought.stdout)


def is_running(process_id: int) -> bool:
    return (
        psutil.pid_exists(process_id)
        and psutil.Process(process_id).status() != psutil.STATUS_ZOMBIE
    )
