"""What surrounds the code: the conda environment, the example settings, and what must never be committed."""

from __future__ import annotations

import base64
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from secrets import token_bytes

import pytest
import yaml
from dotenv import dotenv_values
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet

from helpers import settings

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

PROJECT = Path(__file__).resolve().parents[1]

WHOLE_TOKEN = re.compile(r"\beyJ[\w-]{10,}\.eyJ[\w-]{10,}\.[\w-]{40,}")
WHOLE_KEY = re.compile(
    r"(?<![A-Za-z0-9+/])[A-Za-z0-9+/]{84}(?:[A-Za-z0-9+/]{2}==)?(?![A-Za-z0-9+/=])"
)

# As repo2docker reads it: “=” and a minor version. Anything else is a version of its own choice.
EXACT_PYTHON = re.compile(r"python=(3\.\d+)$")

# Registries of Python, Conda and JavaScript packages; this file is searched too, hence no name in full.
REGISTRY_HOSTS = re.compile(
    r"\b(?:files\.pythonhosted|pypi|test\.pypi|anaconda|conda|npmjs|registry\.npmjs|registry\.yarnpkg)"
    r"\.(?:org|com)\b",
    re.IGNORECASE,
)


@pytest.fixture(scope="module")
def project() -> dict[str, object]:
    loaded: dict[str, object] = tomllib.loads((PROJECT / "pyproject.toml").read_text("utf-8"))
    return loaded["project"]


@pytest.fixture(scope="module")
def conda_packages() -> list[object]:
    return yaml.safe_load((PROJECT / "environment.yml").read_text("utf-8"))["dependencies"]


@pytest.fixture(scope="module")
def committed_files() -> list[Path]:
    """What is committed, or would be by ``git add --all``."""
    if shutil.which("git") is None or not (PROJECT / ".git").exists():
        pytest.skip(
            "this is no git clone, or there is no git: nothing says which files are committed"
        )
    listing = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=PROJECT,
        capture_output=True,
        check=True,
    )
    names = listing.stdout.decode("utf-8").split("\0")
    return [PROJECT / name for name in names if name and (PROJECT / name).is_file()]


def text_of(path: Path) -> str:
    return path.read_bytes().decode("utf-8", "ignore")


def outside_of_a_browser(dependencies: list[str]) -> Iterator[str]:
    """The requirements that hold on a machine, without saying so."""
    for line in dependencies:
        requirement = Requirement(line)
        if requirement.marker is None or requirement.marker.evaluate({"sys_platform": "linux"}):
            requirement.marker = None
            yield str(requirement)


def test_conda_installs_the_same_requirements_as_pip(project, conda_packages):
    (pip_section,) = (entry["pip"] for entry in conda_packages if isinstance(entry, dict))

    requirements = [Requirement(line) for line in pip_section if line != "-e ."]

    assert pip_section[-1] == "-e ."
    assert sorted(map(str, requirements)) == sorted(outside_of_a_browser(project["dependencies"]))


def test_conda_installs_one_python_that_the_project_supports(project, conda_packages):
    (version,) = (found[1] for name in conda_packages if (found := EXACT_PYTHON.match(str(name))))

    assert version in SpecifierSet(project["requires-python"])


def test_the_lock_file_is_not_committed(committed_files):
    assert PROJECT / "uv.lock" not in committed_files


def test_no_committed_file_names_a_package_registry(committed_files):
    naming = {
        path.relative_to(PROJECT).as_posix(): found[0]
        for path in committed_files
        if (found := REGISTRY_HOSTS.search(text_of(path)))
    }

    assert naming == {}


def test_no_committed_file_holds_a_whole_token_or_key(committed_files):
    holding = [
        f"{path.relative_to(PROJECT).as_posix()}:{number}"
        for path in committed_files
        for number, line in enumerate(text_of(path).splitlines(), start=1)
        if WHOLE_TOKEN.search(line) or WHOLE_KEY.search(line)
    ]

    assert holding == []


@pytest.mark.parametrize("parts", [(30, 60, 256), (27, 200, 64)])
def test_a_whole_token_would_be_found(parts):
    header, claims, signature = (base64.urlsafe_b64encode(b'{"a' + token_bytes(n)) for n in parts)

    token = b".".join([header, claims, signature]).replace(b"=", b"").decode()

    assert WHOLE_TOKEN.search(f'    "text": "{token}\\n",')


@pytest.mark.parametrize("size", [63, 64])
def test_a_whole_key_would_be_found(size):
    key = base64.b64encode(token_bytes(size)).decode()

    assert WHOLE_KEY.search(f'"endpoint=https://localhost:1/;accesskey={key}"')
    assert WHOLE_KEY.search(f"key = '{key}'")


def test_the_example_documents_every_setting_and_no_other():
    named = dotenv_values(PROJECT / ".env.example", interpolate=False)

    assert tuple(named) == settings.KEYS


def test_each_example_setting_is_explained_above_it():
    paragraphs = (PROJECT / ".env.example").read_text("utf-8").split("\n\n")

    for paragraph in paragraphs[1:]:
        *comments, setting = paragraph.strip().splitlines()
        assert 1 <= len(comments) <= 2, setting
        assert all(line.startswith("# ") for line in comments), setting


def test_the_example_works_as_it_is(tmp_path, monkeypatch):
    shutil.copy(PROJECT / ".env.example", tmp_path / ".env")
    monkeypatch.chdir(tmp_path)

    loaded = settings.load({settings.HOME: str(tmp_path / "state")})

    assert loaded.mode == "sandbox"
    assert loaded.connection_string is None
    assert loaded.endpoint is None
    assert loaded.problems == ()
