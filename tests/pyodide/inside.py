"""Runs every code cell of the notebooks that it is given, in IPython, and tells what came of each as JSON."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Any

from IPython.core.displayhook import DisplayHook
from IPython.core.interactiveshell import InteractiveShell
from IPython.utils.capture import CapturedIO, capture_output

import helpers.session


class ShowTheValue(DisplayHook):
    """Shows the value of a cell's last line as a kernel does, not as a terminal would."""

    def write_output_prompt(self) -> None:
        pass

    def write_format_data(self, format_dict: dict[str, Any], md_dict: Any = None) -> None:
        self.shell.display_pub.publish(format_dict, md_dict)


InteractiveShell.displayhook_class = ShowTheValue
SHELL = InteractiveShell.instance()
ENVIRONMENT = dict(os.environ)


def run(notebook: Path) -> list[dict[str, Any]]:
    """Run a notebook as a kernel of its own would."""
    os.chdir(notebook.parent)
    cells = []
    for cell in json.loads(notebook.read_text("utf-8"))["cells"]:
        if cell["cell_type"] == "code":
            with capture_output() as captured:
                ended = SHELL.run_cell("".join(cell["source"]))
            error = ended.error_before_exec or ended.error_in_exec
            cells.append(
                {
                    "id": cell["id"],
                    "error": f"{type(error).__name__}: {error}" if error else None,
                    "outputs": outputs(captured),
                }
            )
    # What ends with a kernel: its session, its names, its environment.
    if session := helpers.session._current:
        session.close()
    helpers.session._current = None
    SHELL.reset()
    os.environ.clear()
    os.environ |= ENVIRONMENT
    return cells


def outputs(captured: CapturedIO) -> list[dict[str, Any]]:
    """Return what a cell showed, in the form of a notebook."""
    streams = {"stdout": captured.stdout, "stderr": captured.stderr}
    return [
        *(
            {"output_type": "stream", "name": name, "text": text}
            for name, text in streams.items()
            if text
        ),
        *({"output_type": "display_data", "data": shown.data} for shown in captured.outputs),
    ]


for name in sys.argv[1:]:
    print(json.dumps({"notebook": name, "cells": run(Path(name))}), flush=True)
