"""The save hook of the bundled Jupyter configuration, on what JupyterLab may hand it."""

from __future__ import annotations

import base64
import copy
import json
import logging
from pathlib import Path
from secrets import token_bytes
from typing import Any

import pytest

from helpers import jupyter
from helpers.jupyter.saving import mask_outputs


def make_token() -> str:
    parts = [b'{"alg":"RS256"}', b'{"scp":["chat"],"exp":1}', token_bytes(256)]
    return ".".join(base64.urlsafe_b64encode(part).rstrip(b"=").decode() for part in parts)


TOKEN = make_token()
KEY = base64.b64encode(token_bytes(64)).decode()
SECRETS = f"{TOKEN} and accesskey={KEY}"


def saved(*outputs: dict[str, Any], source: str = "", **metadata: Any) -> dict[str, Any]:
    """Return the notebook that is written when one with these *outputs* is saved."""
    cell = {"cell_type": "code", "source": source, "outputs": list(outputs), "metadata": {}}
    content = {"cells": [cell], "metadata": metadata, "nbformat": 4, "nbformat_minor": 5}
    model = {"type": "notebook", "content": copy.deepcopy(content)}
    mask_outputs(model=model, path="lesson.ipynb", contents_manager=None)
    written: dict[str, Any] = model["content"]  # type: ignore[assignment]
    return written


OUTPUTS = {
    "a stream": {"output_type": "stream", "name": "stdout", "text": SECRETS},
    "a stream in pieces": {
        "output_type": "stream",
        "name": "stderr",
        "text": ["first\n", f"{SECRETS}\n", "last"],
    },
    "a token across two pieces": {
        "output_type": "stream",
        "name": "stdout",
        "text": [TOKEN[:100], f"{TOKEN[100:]}\n"],
    },
    "a result": {
        "output_type": "execute_result",
        "data": {"text/plain": f"'{SECRETS}'"},
        "metadata": {},
        "execution_count": 1,
    },
    "HTML": {
        "output_type": "display_data",
        "data": {"text/html": [f"<code>{TOKEN}</code>\n", f"<b>{KEY}</b>"]},
        "metadata": {},
    },
    "a vector picture": {
        "output_type": "display_data",
        "data": {"image/svg+xml": f"<svg><text>{SECRETS}</text></svg>"},
        "metadata": {},
    },
    "JSON": {
        "output_type": "display_data",
        "data": {"application/json": {"tokens": [{"token": TOKEN}], "key": KEY, "count": 1}},
        "metadata": {},
    },
    "an error": {
        "output_type": "error",
        "ename": "ValueError",
        "evalue": SECRETS,
        "traceback": ["Traceback", f"ValueError: {SECRETS}"],
    },
}


@pytest.mark.parametrize("output", OUTPUTS.values(), ids=OUTPUTS)
def test_no_kind_of_output_keeps_a_credential(output):
    notebook = saved(output)

    text = json.dumps(notebook)
    assert TOKEN.rpartition(".")[2] not in text
    assert TOKEN[100:150] not in text
    assert KEY not in text


@pytest.mark.parametrize("output", OUTPUTS.values(), ids=OUTPUTS)
def test_a_masked_output_keeps_its_shape(output):
    (masked,) = saved(output)["cells"][0]["outputs"]

    assert masked.keys() == output.keys()
    assert masked["output_type"] == output["output_type"]
    assert masked.get("data", {}).keys() == output.get("data", {}).keys()


def test_what_holds_no_credential_is_saved_as_it_is():
    output = {
        "output_type": "display_data",
        "data": {"text/plain": ["one\n", "two"], "application/json": {"a": [1, None, True, "b"]}},
        "metadata": {"isolated": True},
    }

    assert saved(output)["cells"][0]["outputs"] == [output]


def test_a_picture_is_not_mistaken_for_a_key():
    picture = base64.b64encode(token_bytes(64)).decode()
    output = {"output_type": "display_data", "data": {"image/png": picture}, "metadata": {}}

    assert saved(output)["cells"][0]["outputs"] == [output]


def test_saved_widget_state_is_masked():
    state = {"state": {"id": {"model_name": "HTMLModel", "state": {"value": f"<p>{SECRETS}</p>"}}}}

    notebook = saved(widgets={"application/vnd.jupyter.widget-state+json": state})

    text = json.dumps(notebook)
    assert "HTMLModel" in text
    assert TOKEN not in text
    assert KEY not in text


def test_a_credential_in_the_source_stays_and_is_reported_without_repeating_it(caplog):
    source = f"connection_string = 'endpoint=https://localhost:1/;accesskey={KEY}'"

    with caplog.at_level(logging.WARNING):
        notebook = saved(source=source)

    assert notebook["cells"][0]["source"] == source
    (warning,) = (record.getMessage() for record in caplog.records)
    assert warning.startswith("lesson.ipynb, cell 1: the source holds")
    assert KEY not in warning


def test_an_ordinary_source_is_not_reported(caplog):
    with caplog.at_level(logging.WARNING):
        saved(
            source="client = CommunicationIdentityClient.from_connection_string(connection_string)"
        )

    assert caplog.records == []


@pytest.mark.parametrize("kind", ["file", "directory"])
def test_other_files_are_left_alone(kind):
    model = {"type": kind, "content": SECRETS}

    mask_outputs(model=model, path="notes.txt", contents_manager=None)

    assert model == {"type": kind, "content": SECRETS}


def test_a_new_notebook_without_content_can_be_made():
    model = {"type": "notebook", "content": None}

    mask_outputs(model=model, path="Untitled.ipynb", contents_manager=None)

    assert model["content"] is None


def test_every_configuration_file_is_valid_json():
    files = list(Path(jupyter.__file__).parent.rglob("*.json"))

    assert len(files) == 5
    for file in files:
        assert isinstance(json.loads(file.read_text("utf-8")), dict)
