"""The lessons of a language, built from the English ones and a catalogue."""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from helpers.language import SOURCE
from helpers.translation.text import paragraphs, translated

Notebook = dict[str, Any]

_NOTEBOOKS = Path(__file__).parents[2] / "notebooks"

_START = re.compile(r"\bhelpers\.start\((?P<arguments>[^()]*)\)")


def english() -> list[Path]:
    """Return the notebooks that others are built from, in their order."""
    return sorted((_NOTEBOOKS / SOURCE).glob("*.ipynb"))


def folder_of(language: str) -> Path:
    """Return where the notebooks of *language* are."""
    return _NOTEBOOKS / language


def read(path: Path) -> Notebook:
    """Read a notebook as JSON, the source of each cell as one text."""
    notebook: Notebook = json.loads(path.read_text(encoding="utf-8"))
    for cell in notebook["cells"]:
        cell["source"] = "".join(cell["source"])
    return notebook


def write(notebook: Notebook, path: Path) -> None:
    """Write a notebook as JupyterLab does, so that a later save there changes nothing else."""
    lines = copy.deepcopy(notebook)
    for cell in lines["cells"]:
        cell["source"] = cell["source"].splitlines(keepends=True)
    path.parent.mkdir(parents=True, exist_ok=True)
    text = json.dumps(lines, indent=1, ensure_ascii=False, sort_keys=True)
    path.write_text(text + "\n", encoding="utf-8", newline="\n")


def texts_of(cell: Mapping[str, Any]) -> Iterator[str]:
    """Return what is translated of a cell: the paragraphs of a text, and the speaker notes to a slide."""
    if cell["cell_type"] == "markdown":
        yield from (piece for piece, to_translate in paragraphs(cell["source"]) if to_translate)
    yield from _texts(cell["metadata"].get("acs", {}).get("notes"))


def _with_notes(cell: Mapping[str, Any], translate: Callable[[str], str]) -> dict[str, Any]:
    """Return the metadata of *cell* with its speaker notes translated."""
    metadata = dict(cell["metadata"])
    if notes := metadata.get("acs", {}).get("notes"):
        metadata["acs"] = metadata["acs"] | {"notes": _each_text(notes, translate)}
    return metadata


def _texts(value: Any) -> Iterator[str]:
    # In speaker notes, whatever is a text is for people.
    if isinstance(value, str):
        yield value
    elif isinstance(value, list | dict):
        for item in value.values() if isinstance(value, dict) else value:
            yield from _texts(item)


def _each_text(value: Any, change: Callable[[str], str]) -> Any:
    """Return *value* with every text in it changed."""
    if isinstance(value, str):
        return change(value)
    if isinstance(value, list):
        return [_each_text(item, change) for item in value]
    if isinstance(value, dict):
        return {key: _each_text(item, change) for key, item in value.items()}
    return value


def built(original: Notebook, language: str, translate: Callable[[str], str]) -> Notebook:
    """Return a notebook in *language*: text translated, code the same but for the language of its session, nothing run."""
    notebook = without_outputs(original)
    for cell in notebook["cells"]:
        cell["metadata"] = _with_notes(cell, translate)
        if cell["cell_type"] == "markdown":
            cell["source"] = translated(cell["source"], translate)
        elif cell["cell_type"] == "code":
            cell["source"] = _START.sub(
                lambda call: _started(call["arguments"], language), cell["source"]
            )
    return notebook


def _started(arguments: str, language: str) -> str:
    arguments = ", ".join(filter(None, [arguments, f'language="{language}"']))
    return f"helpers.start({arguments})"


def without_outputs(notebook: Notebook) -> Notebook:
    """Return *notebook* as if it had never been run."""
    notebook = copy.deepcopy(notebook)
    notebook["metadata"].pop("acs", None)  # where the outputs were made
    for cell in notebook["cells"]:
        if cell["cell_type"] == "code":
            cell["outputs"] = []
            cell["execution_count"] = None
    return notebook


def keep_outputs(notebook: Notebook, stored: Notebook) -> bool:
    """Give the cells of *notebook* the outputs of *stored*; return whether it is the same program, so that they still fit."""
    outputs = {
        cell["id"]: (cell["source"], cell["outputs"], cell["execution_count"])
        for cell in stored["cells"]
        if cell["cell_type"] == "code"
    }
    code = [cell for cell in notebook["cells"] if cell["cell_type"] == "code"]
    if [(cell["id"], cell["source"]) for cell in code] != [
        (name, source) for name, (source, _outputs, _count) in outputs.items()
    ]:
        return False
    notebook["metadata"] = stored["metadata"] | notebook["metadata"]
    for cell in code:
        _source, cell["outputs"], cell["execution_count"] = outputs[cell["id"]]
    return True
