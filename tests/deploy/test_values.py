"""The values for the chart: well-formed, known to the chart, and true to what the lessons need."""

from __future__ import annotations

import copy
import re
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from tests.deploy import chart
from tests.deploy.values import DEPLOY, EXAMPLES, KOREAN, PAGE, PROJECT, VALUES, Values, merged

ALL = [VALUES, KOREAN, *EXAMPLES]


@pytest.mark.parametrize("values", ALL)
def test_the_chart_knows_every_value(values: Values) -> None:
    jsonschema.validate(values, chart.VALUES)


@pytest.mark.parametrize("example", [KOREAN, *EXAMPLES])
def test_what_is_added_changes_only_what_it_names(example: Values) -> None:
    both = merged(VALUES, example)

    jsonschema.validate(both, chart.VALUES)
    assert both["singleuser"]["image"] == VALUES["singleuser"]["image"]
    assert both["singleuser"]["storage"] == VALUES["singleuser"]["storage"]
    assert both != VALUES


@pytest.mark.parametrize(
    ("path", "wrong"),
    [
        ("singleuser.defaultURL", "/lab"),
        ("singleuser.memory.request", "1G"),
        ("singleuser.memory.guarantee", "1 GB"),
        ("singleuser.storage.type", "nothing"),
        ("singleuser.networkPolicy.egressAllowRules.publicIPs", False),
        ("hub.config.authenticator", {}),
        ("culling", {"enabled": True}),
        ("scheduling.userPlaceholder.replicas", "many"),
    ],
)
def test_a_slip_of_the_pen_is_found(path: str, wrong: Any) -> None:
    values = copy.deepcopy(VALUES)
    *sections, key = path.split(".")
    place = values
    for name in sections:
        place = place.setdefault(name, {})
    place[key] = wrong

    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(values, chart.VALUES)


@pytest.mark.parametrize(("values", "language"), [(VALUES, "en"), (merged(VALUES, KOREAN), "ko")])
def test_a_learner_arrives_at_the_first_lesson(values: Values, language: str) -> None:
    folder, lesson = values["singleuser"]["defaultUrl"].split("/lab/tree/")

    assert folder == ""
    assert lesson == f"notebooks/{language}/00-start-here.ipynb"
    assert (PROJECT / lesson).is_file()


def test_the_lessons_in_the_home_folder_of_the_image_are_not_hidden_by_a_volume() -> None:
    assert VALUES["singleuser"]["storage"] == {"type": "none"}


def test_a_container_reaches_nothing_but_the_hub() -> None:
    policy = VALUES["singleuser"]["networkPolicy"]

    assert policy["enabled"] is True
    assert "egress" not in policy
    assert set(policy["egressAllowRules"].values()) == {False}
    # The hub is found by its name.
    assert not [rule for rule in policy["egressAllowRules"] if rule.startswith("dns")]


def test_the_room_is_the_one_example_that_opens_a_way_out() -> None:
    (room,) = (example for example in EXAMPLES if "networkPolicy" in example.get("singleuser", {}))

    (rule,) = room["singleuser"]["networkPolicy"]["egress"]

    assert [port["port"] for port in rule["ports"]] == [8443, 8444]
    assert merged(VALUES, room)["singleuser"]["networkPolicy"]["enabled"] is True


@pytest.mark.parametrize("file", sorted(DEPLOY.iterdir()), ids=lambda file: file.name)
def test_no_password_and_no_secret_is_written_down(file: Path) -> None:
    given = re.findall(r"(?:password|secret)\w*:\s*(\S+)", file.read_text("utf-8"))

    assert given == []
    # Without one, the authenticator lets nobody in.
    assert VALUES["hub"]["config"]["JupyterHub"]["authenticator_class"] == "shared-password"


def test_korean_reaches_jupyterlab_through_a_file_that_it_reads() -> None:
    (file,) = KOREAN["singleuser"]["extraFiles"].values()
    folder, _, name = file["mountPath"].rpartition("/")

    assert folder == "/usr/local/etc/jupyter/labconfig"
    assert name == "default_setting_overrides.json"
    assert file["data"] == {"@jupyterlab/translation-extension:plugin": {"locale": "ko_KR"}}
    assert KOREAN["singleuser"]["extraEnv"] == {"ACS_TUTORIAL_LANGUAGE": "ko"}


def test_page_and_values_name_one_version_of_the_chart() -> None:
    named = re.findall(r"--version (\S+)", PAGE)
    named += re.findall(r"version (\d[\d.]+\d)\.", (DEPLOY / "values.yaml").read_text("utf-8"))

    assert len(named) >= 3
    assert set(named) == {chart.VERSION}


def test_the_links_of_the_page_lead_somewhere() -> None:
    targets = re.findall(r"\]\(([^)#]+)\)", PAGE)

    assert targets
    assert [target for target in targets if not (DEPLOY / target).exists()] == []
