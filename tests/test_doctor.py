"""The doctor, on machines that are well and on machines that are broken on purpose."""

from __future__ import annotations

import base64
import http.server
import json
import os
import platform
import secrets
import shutil
import socket
import ssl
import subprocess
import sys
import threading
import time
import webbrowser
from collections.abc import Iterator
from contextlib import contextmanager
from email.utils import formatdate
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import psutil
import pytest
import trustme

from helpers import cli, settings
from helpers.doctor import Diagnosis, Finding, configuration, doctor, environment, machine, service
from helpers.doctor.diagnosis import Verdict
from helpers.sandbox import Sandbox, SandboxError

PROJECT = Path(__file__).parents[1]
KEY = base64.b64encode(secrets.token_bytes(64)).decode()
CONNECTION_STRING = f"endpoint=https://contoso.communication.azure.com/;accesskey={KEY}"


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A state folder of its own, a working folder without settings, and no settings file above it."""
    folder = tmp_path / "state"
    monkeypatch.setenv(settings.HOME, str(folder))
    monkeypatch.chdir(tmp_path)
    for name in ("HTTPS_PROXY", "HTTP_PROXY", "ALL_PROXY", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)
    return folder


def states(diagnosis: Diagnosis) -> dict[str, str]:
    return {finding.check: finding.state for finding in diagnosis.findings}


def assert_verdict(verdict: Verdict | None, state: str, *words: str) -> None:
    assert verdict is not None
    assert verdict.state == state, verdict
    for word in words:
        assert word in verdict.text + " → " + verdict.advice
    assert bool(verdict.advice) == (state != "ok")


# The whole examination


def test_a_machine_that_runs_the_tests_is_ready(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["doctor", "--json"]) == 0

    answer = json.loads(capsys.readouterr().out)
    assert answer["ready"] is True
    found = {finding["check"]: finding["state"] for finding in answer["findings"]}
    assert len(found) == len(answer["findings"]) == 16
    for check in ("python", "packages", "kernel", "widgets", "state-folder", "first-token"):
        assert found[check] == "ok"


def test_the_terminal_shows_a_line_per_check_and_the_summary_last(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert cli.main(["doctor"]) == 0

    lines = capsys.readouterr().out.splitlines()
    assert lines[-1].startswith("This machine is ready")
    assert sum(line.startswith(("✔ ", "! ")) for line in lines) == 16


def test_a_problem_is_an_exit_status(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "nothing.pem"))

    assert cli.main(["doctor"]) == 1
    assert "1 problem to put right" in capsys.readouterr().out.splitlines()[-1]


def test_a_notebook_shows_the_same_on_every_ready_machine() -> None:
    well = Finding("python", "Python", "ok", "3.10.1", "")
    elsewhere = Finding("python", "Python", "warning", "An odd one.", "Look at it.")
    disk = Finding("disk", "disk", "ok", "80 000 MB free", "")
    one, other = Diagnosis([well, disk]), Diagnosis([elsewhere, disk])

    assert repr(one) == repr(other)
    assert repr(one).splitlines() == [
        "✔ This machine is ready: 2 things examined, nothing in the way of the lessons.",
        "  Python, disk",
        "  → print(helpers.doctor().text()) shows what was found, line by line.",
    ]
    assert one._repr_html_() == other._repr_html_()
    assert "2 things examined" in one._repr_html_()
    assert "Look at it." in other.text()


def test_a_notebook_shows_what_is_amiss_with_its_advice_the_worst_first() -> None:
    broken = Diagnosis(
        [
            Finding("disk", "disk", "warning", "It is small.", "Make room."),
            Finding("proxy", "proxy", "problem", "It is <odd>.", "Turn it off."),
        ]
    )

    assert repr(broken).splitlines() == [
        "✘ This machine is not ready yet: 1 problem to put right.",
        "✘ proxy: It is <odd>.",
        "  → Turn it off.",
        "! disk: It is small.",
        "  → Make room.",
    ]
    html = broken._repr_html_()
    assert "It is &lt;odd&gt;." in html
    assert html.index("Turn it off.") < html.index("Make room.")


@pytest.mark.parametrize(
    "surroundings",
    [{}, {"DISPLAY": "", "HTTPS_PROXY": "http://proxy.invalid:8080"}, {"VIRTUAL_ENV": os.sep}],
    ids=["as it is", "no screen and a proxy", "another environment"],
)
def test_what_lesson_00_shows_does_not_depend_on_the_machine(
    surroundings: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    # In a kernel, as the lesson runs.
    monkeypatch.setattr("IPython.core.getipython.get_ipython", lambda: SimpleNamespace(kernel=1))
    for name, value in surroundings.items():
        monkeypatch.setenv(name, value)
    lesson = json.loads((PROJECT / "notebooks/en/00-start-here.ipynb").read_text("utf-8"))
    (cell,) = [cell for cell in lesson["cells"] if cell["id"] == "doctor"]

    shown = doctor()

    assert repr(shown) == "".join(cell["outputs"][0]["data"]["text/plain"])
    assert shown._repr_html_() == "".join(cell["outputs"][0]["data"]["text/html"])


def test_a_check_that_fails_itself_is_a_problem_and_stops_no_other(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def fails(*arguments: object) -> None:
        raise RuntimeError(f"no luck with {CONNECTION_STRING}")

    monkeypatch.setattr(shutil, "disk_usage", fails)
    diagnosis = doctor()

    assert states(diagnosis)["disk"] == "problem"
    assert states(diagnosis)["first-token"] == "ok"
    assert "RuntimeError" in diagnosis.text()
    assert KEY not in diagnosis.text() + diagnosis.as_json() + repr(diagnosis)


def test_nothing_that_is_set_is_ever_repeated(monkeypatch: pytest.MonkeyPatch) -> None:
    password = secrets.token_hex(12)
    monkeypatch.setenv("HTTPS_PROXY", f"http://me:{password}@proxy.invalid:8080")
    monkeypatch.setenv(settings.CONNECTION_STRING, f'"{CONNECTION_STRING}"')
    monkeypatch.setenv(settings.MODE, "live")

    diagnosis = doctor()

    everything = diagnosis.text() + diagnosis.as_json() + repr(diagnosis) + diagnosis._repr_html_()
    assert states(diagnosis)["proxy"] == "warning"
    assert states(diagnosis)["connection-string"] == "problem"
    assert password not in everything
    assert KEY not in everything


# Environments that lack something


def run(
    *arguments: str, folders: list[Path], isolated: bool = False, **variables: str
) -> subprocess.CompletedProcess[str]:
    # Without “site”, Python sees these folders and its own library, nothing else.
    return subprocess.run(
        [sys.executable, *(["-S"] if isolated else []), *arguments],
        env={
            **os.environ,
            **variables,
            "PYTHONPATH": os.pathsep.join(map(str, folders)),
            "PYTHONIOENCODING": "utf-8",
        },
        capture_output=True,
        encoding="utf-8",
        timeout=60,
    )


def test_a_package_in_the_wrong_version_is_named_with_what_is_needed(tmp_path: Path) -> None:
    old = tmp_path / "old" / "azure_communication_identity-1.2.0.dist-info"
    old.mkdir(parents=True)
    (old / "METADATA").write_text(
        "Metadata-Version: 2.1\nName: azure-communication-identity\nVersion: 1.2.0\n"
    )

    ran = run("-m", "helpers.cli", "doctor", "--json", folders=[old.parent, PROJECT])

    assert ran.returncode == 1, ran.stderr
    found = {finding["check"]: finding for finding in json.loads(ran.stdout)["findings"]}
    assert found["packages"]["state"] == "problem"
    assert "azure-communication-identity 1.2.0 (needed: <2,>=1.5)" in found["packages"]["text"]
    assert "uv sync" in found["packages"]["advice"]


def environment_without(folder: Path, package: str, module: Path) -> Path:
    """Make an environment of everything that is installed here but one package."""
    folder.mkdir()
    try:
        _link_all_but(Path(pytest.__file__).parents[1], folder, module, package.replace("-", "_"))
    except OSError:
        pytest.skip("this machine does not allow links")
    return folder


def _link_all_but(source: Path, target: Path, module: Path, distribution: str) -> None:
    for entry in source.iterdir():
        if entry.name.startswith(f"{distribution}-") or entry == source / module:
            continue
        if entry.name == module.parts[0]:
            (target / entry.name).mkdir()
            _link_all_but(entry, target / entry.name, Path(*module.parts[1:]), distribution)
        else:
            (target / entry.name).symlink_to(entry)


def test_a_notebook_without_ipywidgets_still_has_the_doctor(tmp_path: Path) -> None:
    lacking = environment_without(tmp_path / "lacking", "ipywidgets", Path("ipywidgets"))
    code = (
        "import helpers\n"
        "print(repr(helpers.doctor()))\n"
        "try:\n    helpers.start()\n"
        "except Exception as error:\n    print(type(error).__name__, error)\n"
    )

    ran = run("-c", code, folders=[lacking, PROJECT], isolated=True)

    assert ran.returncode == 0, ran.stderr
    assert "✘ packages: Missing: ipywidgets." in ran.stdout
    assert "✘ widgets: ipywidgets is not installed here." in ran.stdout
    assert "uv sync" in ran.stdout
    assert ran.stdout.splitlines()[-1].startswith("TutorialError The package for “ipywidgets”")


def test_without_the_sdk_the_doctor_still_examines_and_other_commands_say_why(
    tmp_path: Path,
) -> None:
    lacking = environment_without(
        tmp_path / "lacking",
        "azure-communication-identity",
        Path("azure", "communication", "identity"),
    )

    examined = run("-m", "helpers.cli", "doctor", folders=[lacking, PROJECT], isolated=True)
    quickstart = run("-m", "helpers.cli", "quickstart", folders=[lacking, PROJECT], isolated=True)

    assert examined.returncode == 1, examined.stderr
    lines = examined.stdout.splitlines()
    assert any("Missing: azure-communication-identity." in line for line in lines)
    assert any(line.startswith("! first token") for line in lines)
    assert any(line.startswith("✔ sandbox") for line in lines)
    assert quickstart.returncode == 1
    assert quickstart.stderr.startswith("acs-tutorial: the package for “azure.communication")
    assert len(quickstart.stderr.splitlines()) == 1


def test_an_environment_without_the_tutorial_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(environment, "DISTRIBUTION", "acs-tutorial-that-is-not-here")

    assert_verdict(environment.packages(), "problem", "not installed in this environment")


def test_a_python_that_is_too_old(monkeypatch: pytest.MonkeyPatch) -> None:
    assert_verdict(environment.python(), "ok", platform.python_version())
    monkeypatch.setattr(platform, "python_version", lambda: "3.9.18")

    assert_verdict(environment.python(), "problem", "3.9.18", ">=3.10", "Install a newer Python")


# Kernel, JupyterLab, widgets


def test_a_kernel_of_another_environment_is_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kernel = tmp_path / "jupyter" / "kernels" / "python3"
    kernel.mkdir(parents=True)
    (kernel / "kernel.json").write_text(
        json.dumps({"argv": ["/opt/other/bin/python", "-m", "ipykernel_launcher"]})
    )
    monkeypatch.setenv("JUPYTER_PATH", str(tmp_path / "jupyter"))

    assert_verdict(
        environment.kernel(), "problem", "/opt/other/bin/python", "jupyter kernelspec remove"
    )


def test_another_environment_that_is_active_is_a_warning(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("VIRTUAL_ENV", sys.prefix)
    assert_verdict(environment.kernel(), "ok")
    monkeypatch.setenv("VIRTUAL_ENV", str(tmp_path / "other"))

    assert_verdict(environment.kernel(), "warning", "active environment", "uv run acs-tutorial")


@pytest.mark.parametrize(
    "disabled",
    [
        {"@jupyter-widgets/jupyterlab-manager": True},
        ["@jupyter-widgets/jupyterlab-manager:plugin"],
    ],
)
def test_a_widget_extension_that_is_switched_off_is_found(
    disabled: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "labconfig").mkdir()
    page = tmp_path / "labconfig" / "page_config.json"
    page.write_text(json.dumps({"disabledExtensions": {"another": True}}))
    monkeypatch.setenv("JUPYTER_CONFIG_PATH", str(tmp_path))
    assert_verdict(environment.widgets(), "ok")

    page.write_text(json.dumps({"disabledExtensions": disabled}))
    assert_verdict(environment.widgets(), "problem", "switched off", "labextension enable")


def test_a_widget_extension_that_is_missing_is_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("jupyter_core.paths.jupyter_path", lambda *parts: [str(tmp_path)])

    assert_verdict(environment.widgets(), "problem", "is missing", "jupyterlab_widgets")


# State folder, disk


def test_a_state_folder_that_is_a_file(home: Path) -> None:
    home.write_text("no folder")

    assert_verdict(machine.state_folder(), "problem", "cannot be made", "ACS_TUTORIAL_HOME")
    assert machine.disk() is None


def on_a_small_disk(folder: Path, options: str, code: str) -> str:
    """Run *code* where *folder* is a disk of its own, mounted with *options*."""
    if not shutil.which("unshare") or not shutil.which("mount"):
        pytest.skip("this machine cannot mount a disk for a test")
    folder.mkdir(exist_ok=True)
    ran = subprocess.run(
        [
            "unshare",
            "-rm",
            "sh",
            "-c",
            'mount -t tmpfs -o "$1" tmpfs "$2" || exit 77; shift 2; exec "$@"',
            "sh",
            options,
            str(folder),
            sys.executable,
            "-c",
            code,
        ],
        capture_output=True,
        encoding="utf-8",
        timeout=60,
    )
    if ran.returncode in (77, 1) and not ran.stdout:
        pytest.skip(f"this machine cannot mount a disk for a test: {ran.stderr}")
    assert ran.returncode == 0, ran.stderr
    return ran.stdout


STATE_FOLDER = (
    "from helpers.doctor import machine; print(machine.state_folder()); print(machine.disk())"
)


def test_a_full_disk_is_found(home: Path) -> None:
    said = on_a_small_disk(home, "size=512k", STATE_FOLDER)

    assert "problem" in said.splitlines()[0]
    assert "is full" in said.splitlines()[0]
    assert "Free some space" in said.splitlines()[0]
    assert "state='problem', text='0 MB free'" in said.splitlines()[1]


def test_a_disk_that_is_read_only_is_found(home: Path) -> None:
    said = on_a_small_disk(home, "ro", STATE_FOLDER)

    assert "Nothing can be written" in said
    assert "Make it writable" in said


def test_a_state_folder_that_works_is_left_as_it_was(home: Path) -> None:
    assert_verdict(machine.state_folder(), "ok", str(home))
    assert list(home.iterdir()) == []


@pytest.mark.parametrize("name", ["sandbox.sqlite3", "journal.sqlite3"])
def test_damaged_state_is_found(name: str, home: Path) -> None:
    home.mkdir()
    (home / name).write_bytes(b"this is no database " * 500)

    assert_verdict(machine.state_folder(), "problem", name, "damaged", "Move it away")


def test_a_folder_without_write_ahead_log_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    # What SQLite answers on file systems without shared memory.
    monkeypatch.setattr(machine, "_write_and_read", lambda file: "delete")

    assert_verdict(machine.state_folder(), "problem", "write-ahead log", "own disk")


def test_a_network_drive_is_a_warning(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    mounted = [
        SimpleNamespace(mountpoint=os.path.abspath(os.sep), fstype="ext4", opts="rw"),
        SimpleNamespace(mountpoint=str(home.parent), fstype="nfs4", opts="rw"),
    ]
    monkeypatch.setattr(psutil, "disk_partitions", lambda all: mounted)

    assert_verdict(machine.state_folder(), "warning", "network drive", "own disk")


@pytest.mark.parametrize(
    ("megabytes", "state"), [(49, "problem"), (499, "warning"), (501, "ok"), (80_000, "ok")]
)
def test_little_room_is_said_in_time(
    megabytes: int, state: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    usage = SimpleNamespace(free=megabytes * 1024 * 1024)
    monkeypatch.setattr(shutil, "disk_usage", lambda folder: usage)

    assert_verdict(machine.disk(), state, "MB free")


# Clock


def test_a_clock_before_the_tutorial_was_written_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    assert_verdict(machine.clock(), "ok")
    monkeypatch.setattr(time, "time", lambda: 946_684_800.0)

    assert_verdict(machine.clock(), "problem", "clock is behind", "update by itself")


@contextmanager
def resource_whose_clock_is(off: float, folder: Path) -> Iterator[tuple[str, Path]]:
    """Play a resource that refuses everything, as a real one does without a key, and dates its answer."""
    asked: list[str] = []

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_HEAD(self) -> None:
            asked.extend(f"{name}: {value}" for name, value in self.headers.items())
            self.send_response_only(401)
            self.send_header("Date", formatdate(time.time() + off, usegmt=True))
            self.send_header("Content-Length", "0")
            self.end_headers()

    authority = trustme.CA()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("localhost").configure_cert(context)
    bundle = folder / "authority.pem"
    bundle.write_bytes(authority.cert_pem.bytes())
    with http.server.ThreadingHTTPServer(("localhost", 0), Handler) as server:
        server.socket = context.wrap_socket(server.socket, server_side=True)
        threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        try:
            yield f"localhost:{server.server_port}", bundle
        finally:
            server.shutdown()
    assert asked and KEY not in " ".join(asked) and "Authorization" not in " ".join(asked)


@pytest.mark.parametrize(
    ("off", "state", "word"),
    [
        (0, "ok", "as at localhost"),
        (-120, "warning", "120 seconds off"),
        (1200, "problem", "1200 seconds off"),
    ],
)
def test_in_live_mode_the_resource_says_what_time_it_is(
    off: float, state: str, word: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with resource_whose_clock_is(off + (0.9 if off else 0), tmp_path) as (host, bundle):
        monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(bundle))
        monkeypatch.setenv(settings.MODE, "live")
        monkeypatch.setenv(settings.CONNECTION_STRING, f"endpoint=https://{host}/;accesskey={KEY}")
        verdict = machine.clock()

    if state != "ok":
        word = word.split(" ", 1)[1]  # a second more or less is not the point
    assert_verdict(verdict, state, word)


def test_in_live_mode_a_resource_that_nobody_reaches_is_a_problem(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    monkeypatch.setenv(settings.MODE, "live")
    monkeypatch.setenv(settings.ENDPOINT, f"https://localhost:{port}")

    assert_verdict(machine.clock(), "problem", "could not be asked", "Check the network")


# Browser


@pytest.mark.skipif(sys.platform != "linux", reason="only there a missing screen is known")
def test_a_machine_without_a_screen_is_a_warning(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DISPLAY", raising=False)
    monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)

    assert_verdict(machine.browser(), "warning", "no screen", "--no-browser")


def test_a_machine_without_a_browser_is_a_warning(monkeypatch: pytest.MonkeyPatch) -> None:
    def none() -> None:
        raise webbrowser.Error

    monkeypatch.setenv("DISPLAY", ":0")
    monkeypatch.setattr(webbrowser, "get", none)

    assert_verdict(machine.browser(), "warning", "No browser was found", "Install one")


def test_a_notebook_is_not_asked_for_a_browser(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("IPython.core.getipython.get_ipython", lambda: SimpleNamespace(kernel=1))

    assert machine.browser() is None


# Settings


@pytest.fixture
def settings_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for key in settings.KEYS:
        if key != settings.HOME:
            monkeypatch.delenv(key, raising=False)
    return tmp_path / ".env"


def test_no_settings_file_is_fine(settings_file: Path) -> None:
    assert_verdict(configuration.settings_file(), "ok", "no .env file")


def test_a_settings_file_that_can_be_read_is_fine(settings_file: Path) -> None:
    settings_file.write_text("# mine\n\nACS_TUTORIAL_MODE=sandbox\nOTHER='a b'\nexport X=1\n")

    assert_verdict(configuration.settings_file(), "ok", str(settings_file))


@pytest.mark.parametrize(
    ("line", "state", "words"),
    [
        (f"ACS_TUTORIAL_MODE {KEY}", "problem", "Line 2"),
        (f"COMMUNICATION_SERVICES_CONNECTION_STRING='{KEY}", "problem", "Line 2"),
        (
            f"COMMUNICATION_SERVICES_CONECTION_STRING={KEY}",
            "warning",
            "Probably COMMUNICATION_SERVICES_CONNECTION_STRING was meant",
        ),
        ("ACS_TUTORIAL_MODUS=live", "warning", "Probably ACS_TUTORIAL_MODE was meant"),
    ],
)
def test_a_malformed_line_is_named_and_not_repeated(
    line: str, state: str, words: str, settings_file: Path
) -> None:
    settings_file.write_text(f"# the second line is the one\n{line}\n")

    verdict = configuration.settings_file()

    assert_verdict(verdict, state, words)
    assert KEY not in str(verdict)


def test_a_settings_file_in_another_encoding_is_found(settings_file: Path) -> None:
    settings_file.write_bytes("ACS_TUTORIAL_MODE=sandbox # für mich\n".encode("latin-1"))

    assert_verdict(configuration.settings_file(), "problem", "UTF-8")


@pytest.mark.parametrize(
    ("variables", "state", "word"),
    [
        ({}, "ok", "Sandbox"),
        ({settings.MODE: "production"}, "problem", "ACS_TUTORIAL_MODE"),
        ({settings.MODE: "live"}, "problem", "no resource is named"),
        ({settings.LANGUAGE: "tlh"}, "problem", "ACS_TUTORIAL_LANGUAGE"),
        (
            {settings.MODE: "live", settings.CONNECTION_STRING: CONNECTION_STRING},
            "ok",
            "Live · contoso.communication.azure.com",
        ),
    ],
)
def test_settings_that_cannot_be_used_are_a_problem(
    variables: dict[str, str], state: str, word: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in variables.items():
        monkeypatch.setenv(name, value)

    assert_verdict(configuration.chosen(), state, word)


@pytest.mark.parametrize(
    ("mode", "value", "state", "word"),
    [
        ("sandbox", "", "ok", "none set"),
        ("sandbox", CONNECTION_STRING, "ok", "well-formed, for contoso"),
        ("live", CONNECTION_STRING, "ok", "well-formed, for contoso"),
        ("sandbox", f'"{CONNECTION_STRING}"', "warning", "quotation marks"),
        ("live", f'"{CONNECTION_STRING}"', "problem", "quotation marks"),
        ("live", KEY, "problem", "access key alone"),
        ("live", CONNECTION_STRING[:-70], "problem", "cut short"),
    ],
    ids=["none", "sandbox", "live", "sandbox quoted", "live quoted", "live key", "live cut"],
)
def test_the_shape_of_a_connection_string(
    mode: str, value: str, state: str, word: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(settings.MODE, mode)
    monkeypatch.setenv(settings.CONNECTION_STRING, value)

    verdict = configuration.connection_string()

    assert_verdict(verdict, state, word)
    assert KEY[:40] not in str(verdict)


# Proxies and certificates


@pytest.mark.parametrize("name", ["HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "ALL_PROXY"])
def test_a_proxy_that_would_catch_loopback_is_a_warning(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert_verdict(configuration.proxy(), "ok", "none")
    monkeypatch.setenv(name, "http://proxy.invalid:8080")

    assert_verdict(configuration.proxy(), "warning", name, "NO_PROXY=localhost,127.0.0.1")


def test_a_proxy_with_an_exception_for_this_machine_is_fine(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://proxy.invalid:8080")
    monkeypatch.setenv("NO_PROXY", "intranet,localhost,127.0.0.1")

    assert_verdict(configuration.proxy(), "ok", "leaves this machine's own calls alone")


@pytest.mark.parametrize("content", [None, "no certificate"])
def test_trusted_certificates_that_are_not_there_are_a_problem(
    content: str | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bundle = tmp_path / "company.pem"
    if content is not None:
        bundle.write_text(content)
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(bundle))

    assert_verdict(configuration.certificates(), "problem", "REQUESTS_CA_BUNDLE", "Correct")


def test_certificates_of_the_packages_are_enough(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("REQUESTS_CA_BUNDLE", raising=False)
    monkeypatch.delenv("SSL_CERT_FILE", raising=False)

    assert_verdict(configuration.certificates(), "ok")


# The sandbox on this machine


def test_a_broken_hosts_file_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    elsewhere = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("203.0.113.7", 0))]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *arguments: elsewhere)

    assert_verdict(service.sandbox(), "problem", "“localhost”", "hosts file")


def test_a_sandbox_that_may_not_listen_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(self: Sandbox) -> Sandbox:
        raise SandboxError("The sandbox cannot listen on 127.0.0.1: not permitted.")

    monkeypatch.setattr(Sandbox, "start", refused)

    assert_verdict(service.sandbox(), "problem", "not permitted", "firewall")
    assert_verdict(service.first_token(), "problem", "not permitted")


def test_traffic_that_somebody_else_encrypts_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    stranger = trustme.CA().cert_pem.bytes()
    monkeypatch.setattr(Sandbox, "certificate_authority", property(lambda self: stranger))

    assert_verdict(service.sandbox(), "problem", "certificate", "exempt localhost")
    assert_verdict(service.first_token(), "problem", "no token")
