"""Wheels for tests, with nothing in them but what the tests ask about."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from zipfile import ZipFile

from helpers.site.wheels import Wheel


def make_wheel(
    folder: Path, name: str, *, files: Sequence[str], requires: Sequence[str] = ()
) -> Wheel:
    """Write the wheel of a package, version 1.0, with empty *files*."""
    path = folder / f"{name}-1.0-py3-none-any.whl"
    metadata = ["Metadata-Version: 2.1", f"Name: {name}", "Version: 1.0"]
    metadata += [f"Requires-Dist: {requirement}" for requirement in requires]
    with ZipFile(path, "w") as archive:
        archive.writestr(f"{name}-1.0.dist-info/METADATA", "\n".join(metadata) + "\n")
        for file in files:
            archive.writestr(file, "")
    return Wheel(path)
