"""JupyterLab without a server: JupyterLite, with the lessons in it and settings like those of the local edition."""

from __future__ import annotations

import json
import shutil
import tempfile
from collections.abc import Iterable
from datetime import datetime
from pathlib import Path
from typing import Any

from helpers import language
from helpers.site import tools

_KERNEL = "@jupyterlite/pyodide-kernel-extension"
_WIDGETS = "@jupyter-widgets/jupyterlab-manager"
_OVERRIDES = Path(__file__).parents[1] / "jupyter" / "labconfig" / "default_setting_overrides.json"

TITLE = "Azure Communication Services"
"""What the browser shows until JupyterLab has opened a lesson, in any language."""

# JupyterLab's names for its languages, by ours; the site has one copy of its first page in each.
_LOCALES = {"ko": "ko_KR"}

_SETTINGS: dict[str, dict[str, Any]] = {
    # Light or dark, as the reader's system is.
    "@jupyterlab/apputils-extension:themes": {"adaptive-theme": True},
    # Each open notebook is a Python of its own, in a browser's memory.
    "@jupyterlab/notebook-extension:tracker": {"kernelShutdown": True},
}

# For other front ends, for developers, and fonts in formats that browsers with WebAssembly have not needed for years.
_UNNEEDED = (
    "build/*.eot",
    "build/*.ttf",
    "build/fa-*.svg",
    "doc",
    "package.json",
    "rspack.config*.js",
)

# Where the sandbox keeps its state, seen from the files of JupyterLite.
_STATE = ".acs-tutorial"

# The moment that files in the site are said to be from; any will do, as long as it stays the same.
_EPOCH = round(datetime.fromisoformat(tools.AS_OF.replace("Z", "+00:00")).timestamp())


def app(code: str) -> str:
    """Return the folder in which JupyterLab speaks the language *code*."""
    return "lab" if code not in _LOCALES else f"lab-{code}"


def build(notebooks: Path, output: Path, *, packages: Iterable[str]) -> None:
    """Build JupyterLite, with the folder *notebooks* as its files, into the folder *output*.

    Args:
        packages: the Python packages that are there when a notebook's kernel has started.
    """
    with tempfile.TemporaryDirectory(prefix="acs-tutorial-site-") as temporary:
        folder = Path(temporary)
        copy_lessons(notebooks, folder / "files")
        _write(folder / "overrides.json", _settings())
        _write(folder / "jupyter-lite.json", _configuration(packages))
        tools.run(
            [
                *(*tools.jupyterlite(), "build", "--lite-dir", ".", "--contents", "files"),
                *("--apps", "lab", "--no-sourcemaps", "--no-unused-shared-packages"),
                *("--source-date-epoch", str(_EPOCH), "--output-dir", str(output.resolve())),
            ],
            folder=folder,
            # Nothing of the reader's own Jupyter.
            environment={"JUPYTER_CONFIG_DIR": temporary, "JUPYTER_NO_CONFIG": "1"},
        )
    for pattern in _UNNEEDED:
        for path in output.glob(pattern):
            shutil.rmtree(path) if path.is_dir() else path.unlink()
    _prepare_the_page(output)
    _list_state(output / "api" / "contents")
    for code, locale in _LOCALES.items():
        _add_language(output, code, locale)


def kernel_wheels(output: Path) -> Path:
    """Return the folder with the packages that the kernel brings, in a site that was built."""
    return output / "extensions" / _KERNEL / "static" / "pypi"


def copy_lessons(notebooks: Path, folder: Path) -> None:
    """Copy the notebooks of every language, and the program to take away, as they are now."""
    for code in language.available():
        (folder / code).mkdir(parents=True)
        for notebook in sorted((notebooks / code).glob("*.ipynb")):
            text = notebook.read_text(encoding="utf-8")
            (folder / code / notebook.name).write_text(joined(text), encoding="utf-8")
    for program in sorted(notebooks.glob("*.py")):
        shutil.copy(program, folder)


def joined(notebook: str) -> str:
    """Return a notebook in which each printed output is one text and not a list of lines.

    A Jupyter server does this to every notebook that it hands out; JupyterLite does not, and would print the commas.
    """
    content = json.loads(notebook)
    for cell in content["cells"]:
        for output in cell.get("outputs", []):
            if isinstance(output.get("text"), list):
                output["text"] = "".join(output["text"])
    return json.dumps(content, indent=1, ensure_ascii=False) + "\n"


def _configuration(packages: Iterable[str]) -> dict[str, Any]:
    kernel = {
        "pyodideUrl": "./static/pyodide/pyodide.mjs",
        "disablePyPIFallback": True,
        "loadPyodideOptions": {"packages": sorted(packages)},
    }
    return {
        "jupyter-lite-schema-version": 0,
        "jupyter-config-data": {"litePluginSettings": {f"{_KERNEL}:kernel": kernel}},
    }


def _settings() -> dict[str, Any]:
    settings: dict[str, Any] = json.loads(_OVERRIDES.read_text(encoding="utf-8"))
    # There is no manager of extensions in a site, and JupyterLite would ask for its settings.
    settings.pop("@jupyterlab/extensionmanager-extension:plugin")
    return settings | _SETTINGS


def _prepare_the_page(output: Path) -> None:
    """Add to JupyterLab's page an icon, a title, and the code and the signs of the widgets.

    Without an icon of its own, the browser asks the root of the host for one, and complains when there is none. What the
    widgets are made of would come when the first one is shown: too late for a reader whose network has gone by then.
    """
    path = output / "lab" / "index.html"
    page = path.read_text(encoding="utf-8")
    head = [f"<title>{TITLE}</title>", '<link rel="icon" href="favicon.ico">']
    head += [
        f'<link rel="preload" as="font" type="font/woff2" crossorigin href="{_seen(font, output)}">'
        for font in sorted((output / "build").glob("fa-solid-*.woff2"))
    ]
    chunks = sorted((output / "extensions" / _WIDGETS / "static").glob("[0-9]*.js"))
    scripts = [f'<script async src="{_seen(chunk, output)}"></script>' for chunk in chunks]
    page = page.replace("<title>JupyterLite</title>", "\n".join(head))
    page = page.replace("</body>", "\n".join([*scripts, "</body>"]))
    path.write_text(page, encoding="utf-8")


def _seen(path: Path, output: Path) -> str:
    """Return the address of a file, seen from JupyterLab's page."""
    return f"../{path.relative_to(output).as_posix()}"


def _list_state(contents: Path) -> None:
    """Say that there is a folder for the sandbox's state, and nothing in it.

    JupyterLite would find out by asking for it, again and again, and each time the browser complains that it is missing.
    """
    top = json.loads((contents / "all.json").read_text(encoding="utf-8"))
    folder = {**top, "name": _STATE, "path": _STATE}
    top["content"].append({**folder, "content": None, "format": None})
    _write(contents / "all.json", top)
    (contents / _STATE).mkdir()
    _write(contents / _STATE / "all.json", {**folder, "content": []})


def _add_language(output: Path, code: str, locale: str) -> None:
    """Give JupyterLab in another language an address of its own, beside the first."""
    folder = output / app(code)
    shutil.copytree(output / "lab", folder)
    path = folder / "jupyter-lite.json"
    configuration = json.loads(path.read_text(encoding="utf-8"))
    data = configuration["jupyter-config-data"]
    data["appUrl"] = f"/{folder.name}"
    data["settingsOverrides"] = {"@jupyterlab/translation-extension:plugin": {"locale": locale}}
    _write(path, configuration)


def _write(path: Path, content: dict[str, Any]) -> None:
    path.write_text(json.dumps(content, indent=1, sort_keys=True) + "\n", encoding="utf-8")
