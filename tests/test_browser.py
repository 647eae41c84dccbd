"""The tutorial as a browser lets it: no sockets, no processes, no packages with compiled code. Here in an ordinary Python."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from helpers.validation.differences import differences
from helpers.validation.rules import rules_for
from tests.notebooks.lessons import NOTEBOOKS, ROOT, code_cells, read

INSIDE = ROOT / "tests" / "pyodide" / "inside.py"

# What the browser's Python is, as far as this one can be made to be it. The libraries of others go by their own lights.
BROWSER = """
import runpy, sys
from importlib.machinery import PathFinder

import azure.communication.chat, azure.communication.identity, IPython, ipywidgets, msal, requests, starlette.routing

absent = {"babel", "cryptography", "jupyterlab", "jwt", "nbval", "psutil", "trustme", "uvicorn", "voila"}
find = PathFinder.find_spec
PathFinder.find_spec = lambda name, *rest: None if name.split(".")[0] in absent else find(name, *rest)

def refuse(event, arguments):
    if event.startswith("subprocess.") or event in ("socket.bind", "socket.connect", "socket.getaddrinfo"):
        raise OSError(f"a browser has no {event}")

sys.addaudithook(refuse)
sys.platform = "emscripten"
"""
RUN_ON_A_DRIVE = """
import pathlib
from helpers import browser

_, browser.DRIVE, program, *lessons = map(pathlib.Path, sys.argv)
sys.argv = [str(program), *map(str, lessons)]
runpy.run_path(program)
"""


def in_browser(code: str, *arguments: object, home: Path) -> str:
    """Run *code* as a browser would, and return what it printed."""
    ran = subprocess.run(
        [sys.executable, "-c", BROWSER + code, *map(str, arguments)],
        env=os.environ | {"ACS_TUTORIAL_HOME": "", "HOME": str(home), "USERPROFILE": str(home)},
        capture_output=True,
        encoding="utf-8",
        timeout=60,
    )
    assert ran.returncode == 0, ran.stderr
    return ran.stdout


def test_lessons_show_what_they_show_anywhere_and_keep_their_state(tmp_path):
    lessons = [
        NOTEBOOKS / "en" / f"{name}.ipynb"
        for name in ("01-authenticate-the-client", "07-revoke-access-tokens")
    ]

    told = in_browser(RUN_ON_A_DRIVE, tmp_path, INSIDE, *lessons, home=tmp_path)

    for lesson, line in zip(lessons, told.splitlines(), strict=True):
        cells = {cell["id"]: cell for cell in json.loads(line)["cells"]}
        for cell in code_cells(read(lesson)):
            assert cells[cell.id]["error"] is None
            assert differences(cell.outputs, cells[cell.id]["outputs"], rules_for("sandbox")) == []
    kept = tmp_path / ".acs-tutorial"
    assert sorted(file.name for file in kept.iterdir()) == ["journal.sqlite3", "sandbox.sqlite3"]


REFUSALS = {
    "certificates": (
        "from azure.identity import CertificateCredential\n"
        "CertificateCredential('a', 'b', certificate_data=b'PEM')",
        "Certificates need the package “cryptography”, which a browser does not have",
    ),
    "catching up": (
        "session.catch_up('07')",
        "A web page cannot run other lessons by itself",
    ),
    "live mode": (
        "import helpers.session, os; helpers.session._current = None\n"
        "os.environ |= {'ACS_TUTORIAL_MODE': 'live', 'COMMUNICATION_SERVICES_ENDPOINT': 'https://contoso.communication.azure.com'}\n"
        "helpers.start()",
        "A web page may only call its own server",
    ),
}


@pytest.fixture(scope="module")
def refusals(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """What each of them says, asked in one process."""
    code = f"""
import helpers
from helpers import processes
session = helpers.start()
print("doctor", *(f"{{found.check}}={{found.state}} {{found.text}}" for found in helpers.doctor().findings), sep="\\t")
print("badge", "\\t".join(session.badge.notes), sep="\\t")
host, number, started = processes.this_one()
ages = [processes.is_running(host, number, started - age) for age in (0, 1800, 7200)]
print("running", *ages, sep="\\t")
for name, (lines, _) in {REFUSALS!r}.items():
    try:
        exec(lines)
    except helpers.errors.TutorialError as error:
        print(name, error, sep="\\t")
"""
    told = in_browser(code, home=tmp_path_factory.mktemp("home"))
    return dict(line.split("\t", 1) for line in told.splitlines() if "\t" in line)


@pytest.mark.parametrize("name", REFUSALS)
def test_what_a_browser_cannot_do_is_said_in_a_sentence(name, refusals):
    assert refusals[name].startswith(REFUSALS[name][1])


def test_a_browser_that_keeps_nothing_is_said_on_the_badge_and_by_the_doctor(refusals):
    assert refusals["badge"].startswith("This browser keeps nothing for this page")
    assert "state-folder=warning This browser keeps nothing" in refusals["doctor"]
    # The only thing amiss, and nothing is examined that a page does not have.
    assert refusals["doctor"].count("=ok ") == len(refusals["doctor"].split("\t")) - 1


def test_sessions_of_the_last_hour_count_as_running_because_a_browser_does_not_tell(refusals):
    assert refusals["running"] == "True\tTrue\tFalse"


def test_packages_are_found_before_the_notebooks_folder_is_asked(tmp_path):
    code = 'import sys; sys.path.insert(0, ""); import helpers; print(sys.path.index(""), len(sys.path))'

    place, length = in_browser(code, home=tmp_path).split()

    assert int(place) == int(length) - 1
