"""Small pages of one's own, and what the checker says of them."""

from __future__ import annotations

import textwrap
from pathlib import Path

from helpers.validation.pages.checks import check

INSTALL = """\
```console
pip install azure-communication-identity
```
"""

CLIENT = """\
```python
import os
from azure.communication.identity import CommunicationIdentityClient

client = CommunicationIdentityClient.from_connection_string(
    os.environ["COMMUNICATION_SERVICES_CONNECTION_STRING"]
)
```
"""


def python(code: str) -> str:
    """A block of Python with *code*, which may be indented like its surroundings."""
    return f"```python\n{textwrap.dedent(code).strip()}\n```\n"


def write(folder: Path, *parts: str, name: str = "page.md") -> Path:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join(parts), encoding="utf-8")
    return path


def found(path: Path, *, pivot: str | None = None) -> list[tuple[str, str]]:
    """Every finding as its rule and the line that it is about."""
    return [(one.rule, one.text) for one in check(path, pivot=pivot).findings]


def messages(path: Path) -> dict[str, str]:
    """The sentence of each finding, by its line."""
    return {one.text: one.message for one in check(path).findings}
