"""Small notebooks of the tests' own: a list of cells, each with its source and what is stored of it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any


def printed(text: str) -> dict[str, Any]:
    return {"output_type": "stream", "name": "stdout", "text": text.splitlines(keepends=True)}


def returned(**data: str) -> dict[str, Any]:
    """What a last expression shows; ``text_plain="1"`` stands for the media type text/plain."""
    return {
        "output_type": "execute_result",
        "execution_count": 1,
        "metadata": {},
        "data": {kind.replace("_", "/"): value for kind, value in data.items()},
    }


def code(
    name: str,
    source: str,
    *outputs: dict[str, Any],
    run: bool = True,
    tags: tuple[str, ...] = (),
    **metadata: Any,
) -> dict[str, Any]:
    return {
        "cell_type": "code",
        "id": name,
        "source": source,
        "execution_count": 1 if run else None,
        "metadata": {**({"tags": list(tags)} if tags else {}), **metadata},
        "outputs": list(outputs),
    }


def notebook(path: Path, *cells: dict[str, Any], title: str = "Small", **metadata: Any) -> Path:
    """Write a notebook to *path*."""
    count = 0
    for cell in cells:
        if cell["execution_count"] is not None:
            count += 1
            cell["execution_count"] = count
    heading = {"cell_type": "markdown", "id": "title", "source": f"# {title}", "metadata": {}}
    content = {
        "cells": [heading, *cells],
        "metadata": {
            "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
            "language_info": {"name": "python"},
            **metadata,
        },
        "nbformat": 4,
        "nbformat_minor": 5,
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(content, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    return path
