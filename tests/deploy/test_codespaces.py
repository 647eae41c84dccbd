"""The codespace: what its configuration names exists, and JupyterLab lets in the pages of this one codespace."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import json5
import jsonschema
import pytest
import yaml
from jupyter_server.utils import origin_matches_pat
from traitlets.config import PyFileConfigLoader

from tests.deploy.chart import INTEGER, TEXT, section
from tests.deploy.values import PROJECT

FOLDER = PROJECT / ".devcontainer"
CONFIGURATION: dict[str, Any] = json5.loads((FOLDER / "devcontainer.json").read_text("utf-8"))

# What the specification of development containers says of the keys that are used here.
PORT = section(
    label=TEXT,
    onAutoForward={
        "enum": ["notify", "openBrowser", "openBrowserOnce", "openPreview", "silent", "ignore"]
    },
)
SPECIFICATION = section(
    name=TEXT,
    image=TEXT,
    postCreateCommand=TEXT,
    remoteEnv={"type": "object", "additionalProperties": {"type": "string"}},
    forwardPorts={"type": "array", "items": INTEGER},
    portsAttributes={
        "type": "object",
        "propertyNames": {"pattern": r"^\d+$"},
        "additionalProperties": PORT,
    },
    otherPortsAttributes=PORT,
    customizations=section(
        codespaces=section(openFiles={"type": "array", "items": TEXT}),
        vscode=section(
            extensions={
                "type": "array",
                "items": {"type": "string", "pattern": r"^[\w-]+\.[\w-]+$"},
            },
            settings={"type": "object"},
        ),
    ),
)


def in_workspace(path: str) -> Path:
    return Path(path.replace("${containerWorkspaceFolder}", str(PROJECT)))


def test_the_specification_knows_every_key() -> None:
    jsonschema.validate(CONFIGURATION, SPECIFICATION)


def test_it_installs_as_the_readme_says() -> None:
    readme = (PROJECT / "README.md").read_text("utf-8")
    install, _, environment = CONFIGURATION["postCreateCommand"].partition(" && ")

    assert f"{install} && uv run acs-tutorial" in readme
    assert environment == "uv sync"


def test_its_python_is_that_of_the_other_images() -> None:
    conda = yaml.safe_load((PROJECT / "environment.yml").read_text("utf-8"))
    (python,) = (name for name in conda["dependencies"] if str(name).startswith("python="))

    assert CONFIGURATION["image"].endswith(f"/python:{python.removeprefix('python=')}")


def test_every_forwarded_port_has_a_name_and_no_other_is_forwarded() -> None:
    forwarded = CONFIGURATION["forwardPorts"]

    assert forwarded == [8888]
    assert sorted(CONFIGURATION["portsAttributes"]) == sorted(map(str, forwarded))
    assert CONFIGURATION["otherPortsAttributes"]["onAutoForward"] == "ignore"


def test_the_lessons_open_with_the_extensions_and_the_kernel_that_they_need() -> None:
    custom = CONFIGURATION["customizations"]

    for file in custom["codespaces"]["openFiles"]:
        assert (PROJECT / file).is_file()
    assert custom["vscode"]["extensions"] == ["ms-python.python", "ms-toolsai.jupyter"]
    interpreter = custom["vscode"]["settings"]["python.defaultInterpreterPath"]
    assert in_workspace(interpreter) == PROJECT / ".venv" / "bin" / "python"


def pattern(monkeypatch: pytest.MonkeyPatch, **environment: str) -> str | None:
    for name in ("CODESPACE_NAME", "GITHUB_CODESPACES_PORT_FORWARDING_DOMAIN"):
        monkeypatch.delenv(name, raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    folder = in_workspace(CONFIGURATION["remoteEnv"]["JUPYTER_CONFIG_PATH"])
    config = PyFileConfigLoader("jupyter_server_config.py", path=str(folder)).load_config()
    assert set(config) <= {"ServerApp"}
    found: str | None = config.get("ServerApp", {}).get("allow_origin_pat")
    return found


@pytest.mark.filterwarnings("ignore:.*fullmatch")
def test_jupyterlab_lets_in_the_pages_of_this_codespace_alone(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    own = pattern(
        monkeypatch,
        CODESPACE_NAME="fluffy-space-waffle-r4",
        GITHUB_CODESPACES_PORT_FORWARDING_DOMAIN="app.github.dev",
    )

    assert own
    assert origin_matches_pat(own, "https://fluffy-space-waffle-r4-8888.app.github.dev")
    for stranger in (
        "https://another-space-8888.app.github.dev",
        "https://fluffy-space-waffle-r4-8888.app.github.dev.example.com",
        "https://fluffy-space-waffle-r4-8888-app-github.dev",
        "http://fluffy-space-waffle-r4-8888.app.github.dev",
    ):
        assert not re.match(own, stranger)


def test_elsewhere_it_lets_in_nobody_more(monkeypatch: pytest.MonkeyPatch) -> None:
    assert pattern(monkeypatch) is None
