from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest

from helpers.site import lock
from helpers.site.wheels import Wheel

from .wheels_made_here import make_wheel


@pytest.fixture
def wheels(tmp_path: Path) -> list[Wheel]:
    core = make_wheel(tmp_path, "azure_core", files=["azure/core/__init__.py"])
    requires = ["azure-core>=1", "elsewhere"]
    identity = make_wheel(
        tmp_path, "azure_identity", files=["azure/identity/__init__.py"], requires=requires
    )
    return [core, identity]


@pytest.fixture
def pyodide(tmp_path: Path) -> Path:
    folder = tmp_path / "pyodide"
    folder.mkdir()
    original = {"info": {"python": "3.14.2"}, "packages": {"numpy": {"file_name": "numpy.whl"}}}
    (folder / lock.LOCK).write_text(json.dumps(original), encoding="utf-8")
    return folder


def test_the_lock_knows_the_wheels_and_nothing_else(pyodide: Path, wheels: list[Wheel]) -> None:
    lock.rewrite(pyodide, wheels)

    rewritten = json.loads((pyodide / lock.LOCK).read_text(encoding="utf-8"))
    assert list(rewritten["packages"]) == ["azure-core", "azure-identity"]
    assert rewritten["info"] == {"python": "3.14.2"}


def test_each_entry_names_a_file_that_is_there_and_its_digest(
    pyodide: Path, wheels: list[Wheel]
) -> None:
    lock.rewrite(pyodide, wheels)

    rewritten = json.loads((pyodide / lock.LOCK).read_text(encoding="utf-8"))
    for entry in rewritten["packages"].values():
        content = (pyodide / entry["file_name"]).read_bytes()
        assert entry["sha256"] == hashlib.sha256(content).hexdigest()


def test_an_entry_says_what_it_provides_and_needs(wheels: list[Wheel]) -> None:
    entry = lock.entry(wheels[1], wheels)

    assert entry["imports"] == ["azure.identity"]
    assert entry["depends"] == ["azure-core"]  # what the site does not have, it cannot load
    assert (entry["name"], entry["version"]) == ("azure-identity", "1.0")


def test_the_same_wheels_give_the_same_lock(pyodide: Path, wheels: list[Wheel]) -> None:
    lock.rewrite(pyodide, wheels)
    first = (pyodide / lock.LOCK).read_bytes()

    lock.rewrite(pyodide, wheels[::-1])

    assert (pyodide / lock.LOCK).read_bytes() == first
