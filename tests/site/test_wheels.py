from __future__ import annotations

import re
from pathlib import Path

from helpers.site import tools

from .wheels_made_here import make_wheel

PROJECT = Path(__file__).resolve().parents[2]


def test_a_package_is_imported_by_its_folder(tmp_path: Path) -> None:
    wheel = make_wheel(tmp_path, "traitlets", files=["traitlets/__init__.py", "traitlets/a/b.py"])

    assert wheel.imports == ["traitlets"]


def test_a_module_is_imported_by_its_file(tmp_path: Path) -> None:
    wheel = make_wheel(tmp_path, "six", files=["six.py"])

    assert wheel.imports == ["six"]


def test_a_package_in_a_namespace_is_imported_by_its_whole_name(tmp_path: Path) -> None:
    files = ["azure/core/__init__.py", "azure/core/rest/__init__.py"]
    wheel = make_wheel(tmp_path, "azure_core", files=files)

    assert wheel.imports == ["azure.core"]


def test_what_describes_a_package_is_not_imported(tmp_path: Path) -> None:
    files = ["rsa/__init__.py", "rsa-1.0.data/scripts/run.py", "rsa/py.typed"]
    wheel = make_wheel(tmp_path, "rsa", files=files)

    assert wheel.imports == ["rsa"]


def test_only_what_the_browser_needs_is_required(tmp_path: Path) -> None:
    wheel = make_wheel(
        tmp_path,
        "helpers",
        files=["helpers/__init__.py"],
        requires=[
            "Starlette>=0.46",
            "uvicorn; sys_platform != 'emscripten'",
            "rsa; sys_platform == 'emscripten'",
            "tomli; python_version < '3.11'",
            "pytest; extra == 'test'",
        ],
    )

    assert wheel.requirements == ["rsa", "starlette"]


def test_the_site_is_made_of_what_was_published_when_the_environment_was() -> None:
    found = re.search(r'^exclude-newer = "(.+)"$', (PROJECT / "pyproject.toml").read_text(), re.M)

    assert found
    assert found[1] == tools.AS_OF
