"""Other releases of the SDK: what each does is observed, and the reason is the release's own."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from helpers import cli
from helpers.errors import TutorialError
from helpers.uv import uv as find_uv
from helpers.validation import sdk


def test_the_probe_observes_the_installed_release():
    with sdk._sandbox() as (service, variables):
        ran = subprocess.run(
            [sys.executable, str(sdk._PROBE)],
            input=json.dumps(service),
            env=variables,
            capture_output=True,
            text=True,
            check=True,
        )

    assert json.loads(ran.stdout)["facts"] == {
        "api-version": "2023-10-01",
        "AzureKeyCredential": "accepted",
        "type of expires_on": "str",
        "get_token(token_expires_in=…)": "honoured",
        "create_user_and_token(token_expires_in=…)": "honoured",
    }
    assert service["key"] not in ran.stdout + ran.stderr


def test_the_environments_differ_from_this_one_in_the_sdk_alone():
    requirements = {sdk._name(requirement) for requirement in sdk._requirements()}
    constraints = {sdk._name(constraint) for constraint in sdk._constraints()}

    assert sdk.SDK not in requirements | constraints
    assert {"nbval", "ipywidgets", "azure-communication-chat"} <= requirements <= constraints


def test_without_uv_it_is_one_sentence(monkeypatch):
    monkeypatch.setattr("shutil.which", lambda name: None)
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)

    with pytest.raises(TutorialError, match="install it: pip install uv"):
        list(
            sdk.validate_with(
                ["1.5.0"],
                [],
                jobs=1,
                progress=lambda version: None,
                executed=lambda version: Path(),
            )
        )


def can_install() -> bool:
    """Whether uv is here and a package index answers it."""
    try:
        command = find_uv(missing="uv")
    except TutorialError:
        return False
    asked = [*command, "pip", "install", "--dry-run", "--quiet", f"{sdk.SDK}==1.3.1"]
    return subprocess.run([*asked, "--python", sys.executable], capture_output=True).returncode == 0


@pytest.mark.campaign
def test_the_matrix_tells_todays_truth(tmp_path, capsys):
    if not can_install():
        pytest.skip("needs uv, and a package index that it reaches")

    options = {
        "--sdk": ["1.0.0,1.3.1,1.4.0,latest,0.0.1"],
        "--lesson": ["00", "01", "03", "04"],
        "--language": ["en"],
        "--report": [str(tmp_path)],
    }
    status = cli.main(["validate", *(word for name in options for word in (name, *options[name]))])

    assert status == 1
    trials = {
        trial["requested"]: trial
        for trial in json.loads((tmp_path / "report.json").read_text("utf-8"))
    }
    facts = {version: trial["facts"] for version, trial in trials.items()}
    assert [facts[version]["type of expires_on"] for version in ("1.0.0", "1.3.1")] == [
        "datetime",
        "str",
    ]
    assert "unexpected keyword" in facts["1.0.0"]["get_token(token_expires_in=…)"]
    assert facts["1.3.1"]["get_token(token_expires_in=…)"] == "honoured"
    assert "TypeError" in facts["1.3.1"]["AzureKeyCredential"]
    assert facts["1.4.0"]["AzureKeyCredential"] == "accepted"
    assert [trials[version]["undeclared"] for version in ("1.0.0", "1.3.1", "1.4.0")] == [
        ["six"],
        ["six"],
        [],
    ]
    assert trials["latest"]["passed"] is True
    assert trials["0.0.1"]["problem"].startswith("It could not be installed.")
    assert "unexpected keyword argument 'token_expires_in'" in capsys.readouterr().out
