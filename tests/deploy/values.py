"""The values for the chart, as the files and the examples of the page have them."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import yaml

PROJECT = Path(__file__).resolve().parents[2]
DEPLOY = PROJECT / "deploy"
PAGE = (DEPLOY / "README.md").read_text("utf-8")

Values = dict[str, Any]


def read(name: str) -> Values:
    values: Values = yaml.safe_load((DEPLOY / name).read_text("utf-8"))
    return values


VALUES = read("values.yaml")
KOREAN = read("values-ko.yaml")
EXAMPLES: list[Values] = [
    yaml.safe_load(example)
    for example in re.findall(r"^```yaml\n(.+?)^```", PAGE, re.MULTILINE | re.DOTALL)
]


def merged(values: Values, more: Values) -> Values:
    """Merge as Helm does: mappings key by key, all else is replaced."""
    result = dict(values)
    for key, value in more.items():
        old = result.get(key)
        both = isinstance(old, dict) and isinstance(value, dict)
        result[key] = merged(old, value) if both else value
    return result


def megabytes(size: str) -> float:
    """Read a size as KubeSpawner does: ``1G`` is 1024 MB."""
    return float(size[:-1]) * {"M": 1, "G": 1024}[size[-1]]
