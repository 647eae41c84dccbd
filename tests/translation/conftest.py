"""A copy of the lessons and catalogues to translate, so that no test changes those of the project."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from helpers.translation import catalogue, notebooks

ROOT = Path(__file__).parents[2]


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of the copy; what the tools of translators read and write is in there."""
    shutil.copytree(ROOT / "notebooks", tmp_path / "notebooks")
    shutil.copytree(ROOT / "helpers" / "locale", tmp_path / "locale")
    monkeypatch.setattr(notebooks, "_NOTEBOOKS", tmp_path / "notebooks")
    monkeypatch.setattr(catalogue, "CATALOGUES", tmp_path / "locale")
    return tmp_path
