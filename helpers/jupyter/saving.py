"""What a notebook prints is masked when it is saved, so that no file keeps a credential that works."""

from __future__ import annotations

import logging
from typing import Any

from helpers.language import gettext as _
from helpers.masking import masked

_log = logging.getLogger(__name__)

_WIDGET_STATE = "application/vnd.jupyter.widget-state+json"
# Binary content travels as base64, in which a key would be found by mere chance.
_BINARY = ("image/", "audio/", "video/", "application/pdf", "application/octet-stream")
_TEXT_IN_BINARY_FAMILY = "image/svg+xml"


def mask_outputs(model: dict[str, Any], path: str = "", **_others: Any) -> None:
    """Mask every token and key in the outputs of the notebook that is being saved; a Jupyter ``pre_save_hook``.

    The reader's own source is never altered: a credential in it is reported in the log instead.

    Parameters:
        model: the contents model about to be written; its outputs are masked in place.
        path: where it goes, for the log.
    """
    if model.get("type") != "notebook" or not model.get("content"):
        return
    notebook = model["content"]
    for number, cell in enumerate(notebook.get("cells", []), start=1):
        if cell.get("outputs"):
            cell["outputs"] = [_masked_output(output) for output in cell["outputs"]]
        source = _text(cell.get("source", ""))
        if masked(source) != source:
            _log.warning(
                _(
                    "%s, cell %d: the source holds an access token or access key and is saved as you wrote it; "
                    "move the secret to the .env file."
                ),
                path,
                number,
            )
    widgets = notebook.get("metadata", {}).get("widgets", {})
    if _WIDGET_STATE in widgets:
        widgets[_WIDGET_STATE] = _masked_json(widgets[_WIDGET_STATE])


def _masked_output(output: dict[str, Any]) -> dict[str, Any]:
    """Mask one output: a stream's text, an error's value and traceback, or the data of each MIME type."""
    result: dict[str, Any] = _masked_json({key: output[key] for key in output if key != "data"})
    if "text" in output:
        result["text"] = _masked_text(output["text"])
    if "data" in output:
        result["data"] = {
            media_type: _masked_data(media_type, value)
            for media_type, value in output["data"].items()
        }
    return result


def _masked_data(media_type: str, value: Any) -> Any:
    if media_type.startswith(_BINARY) and media_type != _TEXT_IN_BINARY_FAMILY:
        return value
    if media_type.endswith("json"):
        return _masked_json(value)
    return _masked_text(value)


def _masked_text(text: str | list[str]) -> str | list[str]:
    """Mask a text as nbformat allows it: whole, or as a list of pieces that belong together."""
    if isinstance(text, str):
        return masked(text)
    return masked("".join(text)).splitlines(keepends=True)


def _masked_json(value: Any) -> Any:
    if isinstance(value, str):
        return masked(value)
    if isinstance(value, list):
        return [_masked_json(item) for item in value]
    if isinstance(value, dict):
        return {key: _masked_json(item) for key, item in value.items()}
    return value


def _text(source: str | list[str]) -> str:
    return source if isinstance(source, str) else "".join(source)
