"""The image, as far as it can be made without one: what goes into it, and what ``postBuild`` does there.

repo2docker copies the folder, updates a conda environment from ``environment.yml`` and runs ``postBuild``. The environment
here is a fresh one that borrows the packages of this one; nothing is installed, so no network is needed.
"""

from __future__ import annotations

import json
import os
import shutil
import site
import subprocess
import sys
import sysconfig
import time
import urllib.request
import venv
from base64 import urlsafe_b64encode
from collections.abc import Iterator
from pathlib import Path
from secrets import token_hex
from typing import Any

import pytest

from tests.deploy.values import PROJECT

pytestmark = pytest.mark.skipif(
    sys.platform == "win32", reason="images are made on Linux and macOS"
)

CONFIGURATION = PROJECT / "helpers" / "jupyter"

# The reader's own folders are among those that Jupyter looks into; the image's must be enough.
DEFAULTS = """
import json
from jupyterlab_server.config import get_page_config
from jupyterlab_server.settings_utils import _get_overrides
print(json.dumps([get_page_config([]), _get_overrides("")[0]]))
"""

RUN_LESSON = """
import nbformat, sys
from nbclient import NotebookClient
import helpers
assert helpers.__file__.startswith(sys.argv[1]), helpers.__file__
notebook = nbformat.read("notebooks/en/03-issue-access-tokens.ipynb", as_version=4)
NotebookClient(notebook, timeout=60, resources={"metadata": {"path": "notebooks/en"}}).execute()
print(notebook.cells[-2].outputs[-1]["data"]["text/plain"])
"""


class Image:
    """The home folder and the environment of an image."""

    def __init__(self, folder: Path) -> None:
        self.home = folder / "jovyan"
        self.prefix = folder / "notebook"
        self.home.mkdir()
        left_out = shutil.ignore_patterns(*(line[3:] for line in ignored() if line[:3] == "**/"))
        for name in kept():
            if (PROJECT / name).is_dir():
                shutil.copytree(PROJECT / name, self.home / name, ignore=left_out)
            else:
                shutil.copy2(PROJECT / name, self.home / name)
        venv.create(self.prefix, symlinks=True)
        packages = Path(sysconfig.get_path("purelib", vars={"base": str(self.prefix)}))
        borrowed = [str(self.home), *site.getsitepackages()]
        (packages / "borrowed.pth").write_text("\n".join(borrowed), encoding="utf-8")

    @property
    def environment(self) -> dict[str, str]:
        own = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith(("JUPYTER", "VIRTUAL_ENV"))
        }
        return own | {
            "PATH": os.pathsep.join([str(self.prefix / "bin"), os.environ["PATH"]]),
            "HOME": str(self.home),
            "ACS_TUTORIAL_HOME": str(self.home / "state"),
        }

    def run(self, *command: str) -> str:
        finished = subprocess.run(
            command,
            cwd=self.home,
            env=self.environment,
            capture_output=True,
            text=True,
            encoding="utf-8",
            timeout=120,
        )
        assert finished.returncode == 0, finished.stderr
        return finished.stdout

    def configuration(self) -> dict[str, Any]:
        """Return the configuration files of the environment by their names."""
        folder = self.prefix / "etc" / "jupyter"
        return {
            file.relative_to(folder).as_posix(): json.loads(file.read_text("utf-8"))
            for file in folder.rglob("*.json")
        }


def ignored() -> list[str]:
    lines = (PROJECT / ".dockerignore").read_text("utf-8").splitlines()
    return [line for line in lines if line and not line.startswith("#")]


def kept() -> list[str]:
    return [line.removeprefix("!") for line in ignored() if line.startswith("!")]


@pytest.fixture(scope="module")
def image(tmp_path_factory: pytest.TempPathFactory) -> Image:
    image = Image(tmp_path_factory.mktemp("image"))
    assert image.run("./postBuild") == ""
    return image


def test_the_image_holds_what_is_named_and_nothing_else() -> None:
    first, *others = ignored()

    assert first == "*"
    assert ".env" not in kept()
    assert [name for name in kept() if not (PROJECT / name).exists()] == []
    # What is not let in is only shut out further.
    assert [line for line in others if not line.startswith(("!", "**/"))] == []


def test_the_image_holds_what_building_the_package_needs() -> None:
    assert {"pyproject.toml", "README.md", "LICENSE", "helpers", "notebooks"} <= set(kept())
    assert {"environment.yml", "postBuild"} <= set(kept())


def test_post_build_can_be_executed() -> None:
    script = PROJECT / "postBuild"

    assert os.access(script, os.X_OK)
    assert script.read_bytes().startswith(b"#!/usr/bin/env bash\n")
    assert b"\r" not in script.read_bytes()


def test_the_configuration_of_the_command_becomes_that_of_the_environment(image: Image) -> None:
    for file in [*CONFIGURATION.glob("*.json"), *CONFIGURATION.glob("labconfig/*.json")]:
        name = file.relative_to(CONFIGURATION).as_posix()

        assert image.configuration()[name] == json.loads(file.read_text("utf-8"))


@pytest.mark.campaign
def test_jupyterlab_finds_it_there_whoever_starts_it(image: Image) -> None:
    page, overrides = json.loads(image.run("python", "-c", DEFAULTS))

    assert overrides["@jupyterlab/apputils-extension:notification"]["fetchNews"] == "false"
    assert overrides["@jupyterlab/extensionmanager-extension:plugin"]["enabled"] is False
    assert "@voila-dashboards/jupyterlab-preview" in page["disabledExtensions"]


def test_post_build_may_run_twice(image: Image) -> None:
    before = image.configuration()

    image.run("./postBuild")

    assert image.configuration() == before


def test_every_module_of_the_helpers_is_compiled(image: Image) -> None:
    def compiled(module: Path) -> Path:
        return module.parent / "__pycache__" / f"{module.stem}.{sys.implementation.cache_tag}.pyc"

    modules = list((image.home / "helpers").rglob("*.py"))

    assert modules
    assert [module for module in modules if not compiled(module).is_file()] == []


@pytest.mark.campaign
def test_a_lesson_runs_in_the_image(image: Image) -> None:
    shown = image.run("python", "-c", RUN_LESSON, str(image.home))

    assert "0 left" in shown


TOKEN = token_hex(16)


@pytest.fixture
def server(image: Image) -> Iterator[str]:
    """JupyterLab as a hub starts it: without the command, and configured by the image's files alone."""
    runtime = image.home / "runtime"
    process = subprocess.Popen(
        [sys.executable, "-m", "jupyterlab", "--no-browser", f"--IdentityProvider.token={TOKEN}"],
        cwd=image.home,
        env=image.environment
        | {
            "JUPYTER_CONFIG_PATH": str(image.prefix / "etc" / "jupyter"),
            "JUPYTER_CONFIG_DIR": str(image.home / "empty"),
            "JUPYTER_RUNTIME_DIR": str(runtime),
        },
        stderr=subprocess.DEVNULL,
    )
    try:
        file = runtime / f"jpserver-{process.pid}.json"
        deadline = time.monotonic() + 60
        while not file.exists() and time.monotonic() < deadline:
            time.sleep(0.1)
        yield json.loads(file.read_text("utf-8"))["url"]
    finally:
        process.terminate()
        process.wait(30)


def ask(url: str, body: object = None) -> Any:
    request = urllib.request.Request(
        url,
        method="GET" if body is None else "PUT",
        headers={"Authorization": f"token {TOKEN}"},
        data=None if body is None else json.dumps(body).encode(),
    )
    with urllib.request.urlopen(request, timeout=30) as answer:
        return json.loads(answer.read())


@pytest.mark.campaign
def test_jupyterlab_asks_no_news_and_masks_what_it_saves(image: Image, server: str) -> None:
    news = ask(f"{server}lab/api/settings/@jupyterlab/apputils-extension:notification")
    assert news["schema"]["properties"]["fetchNews"]["default"] == "false"

    parts = ('{"alg":"RS256"}', '{"scp":"chat"}', token_hex(128))
    token = ".".join(urlsafe_b64encode(part.encode()).decode().rstrip("=") for part in parts)
    output = {"output_type": "stream", "name": "stdout", "text": token}
    cell = {"cell_type": "code", "id": "a", "metadata": {}, "source": "", "execution_count": 1}
    notebook = {
        "cells": [cell | {"outputs": [output]}],
        "metadata": {},
        "nbformat": 4,
        "nbformat_minor": 5,
    }
    ask(f"{server}api/contents/saved.ipynb", {"type": "notebook", "content": notebook})

    saved = (image.home / "saved.ipynb").read_text("utf-8")
    assert "stdout" in saved
    assert token[-40:] not in saved
