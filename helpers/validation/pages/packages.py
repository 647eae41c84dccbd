"""Which package holds a module, and which packages a page tells its readers to install."""

from __future__ import annotations

import importlib
import importlib.metadata
import importlib.util
import re
import shlex
import sys
from collections.abc import Iterator
from functools import lru_cache

from helpers.validation.pages.markdown import Page

DEPRECATED_PACKAGES = {"azure-communication-administration": "azure-communication-identity"}
DEPRECATED_MODULES = {
    package.replace("-", "."): replacement.replace("-", ".")
    for package, replacement in DEPRECATED_PACKAGES.items()
}
RENAMED_CLASSES = {"CommunicationUser": "CommunicationUserIdentifier"}

# Where names live that pages use without saying so; what the page imports from is looked at first.
_HOMES = (
    "azure.communication.identity",
    "azure.identity",
    "azure.core.credentials",
    "azure.core.exceptions",
    "azure.communication.chat",
    "msal",
    "datetime",
    "typing",
    "pathlib",
    "dataclasses",
    "collections",
    "functools",
    "contextlib",
    "dotenv",
)

# Import names that differ from the name of their package, for packages that may not be installed here.
_KNOWN = {
    "dotenv": "python-dotenv",
    "jwt": "PyJWT",
    "yaml": "PyYAML",
    "dateutil": "python-dateutil",
    "azure.functions": "azure-functions",
    "azure.eventgrid": "azure-eventgrid",
    "msgraph": "msgraph-sdk",
    "flask": "Flask",
}

SHARED = ("azure", "azure.communication", "azure.core.tracing")
"""Modules that many packages share and none holds."""

_INSTALL = re.compile(
    r"(?:^|[\s;&|!%(`>$])(?:pip[\d.]*|uv\s+pip|uv|pipx|poetry|pipenv|conda|mamba)\s+(?:install|add)\s+([^`|;&#)\n]+)"
)
_PACKAGE = re.compile(r"^[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?")


def normalised(name: str) -> str:
    """A package's name as indexes compare it."""
    return re.sub(r"[-_.]+", "-", name).lower()


def installed_by(page: Page) -> Iterator[tuple[str, int, int]]:
    """Every package that the page tells its readers to install, with line position (from 0) and column (from 0)."""
    python = {index for block in page.python for index in block.lines}
    for index, line in enumerate(page.lines):
        if index in python and not re.match(r"^\s*[!%]", line.text):
            continue
        for command in _INSTALL.finditer(line.text):
            try:
                words = shlex.split(command[1], posix=True)
            except ValueError:
                words = command[1].split()
            for word in words:
                found = _PACKAGE.match(word)
                if word.startswith("-") or not found:
                    continue
                column = line.text.find(word, command.start(1))
                yield normalised(found[0]), index, max(column, 0)
    for block in page.blocks:
        if block.is_python or not re.search(r"requirements", block.before):
            continue
        for index, code in zip(block.lines, block.code, strict=True):
            found = re.match(
                r"^([A-Za-z0-9][\w.-]*)(?:\[[\w,]+\])?\s*(?:[=<>~!].*)?$", code.strip()
            )
            if found:
                yield normalised(found[1]), index, 0


def installs_from_file(page: Page) -> bool:
    """Whether the page installs from a list that it does not show."""
    return any(
        re.search(r"install\s+(?:\S+\s+)*(?:-r|--requirement|-e)\b|install\s+\.", line.text)
        for line in page.lines
    )


def mentioned_in(page: Page) -> set[str]:
    """The packages that the text names as ``code`` or links, without a command."""
    found = {normalised(match[2]) for match, _index in page.inline_code()}
    for target, _index, _column in page.links():
        if project := re.search(r"/project/([\w.-]+)", target):
            found.add(normalised(project[1]))
    return found


def package_of(module: str) -> str | None:
    """The package that holds *module*: asked of what is installed here, else by convention. None: the standard library."""
    top = module.partition(".")[0]
    if top in sys.stdlib_module_names:
        return None
    parts = module.split(".")
    files = _files()
    for length in range(len(parts), 0, -1):
        name = ".".join(parts[:length])
        if name in _KNOWN:
            return normalised(_KNOWN[name])
        if name in files:
            return files[name]
    if top == "azure":
        return normalised(
            "-".join(parts[:3] if len(parts) > 2 and parts[1] in _GROUPS else parts[:2])
        )
    return normalised(top)


_GROUPS = {
    "communication",
    "core",
    "mgmt",
    "storage",
    "keyvault",
    "monitor",
    "ai",
    "data",
    "messaging",
}


@lru_cache
def _files() -> dict[str, str]:
    """The packages installed here, by the modules they hold."""
    found: dict[str, str] = {}
    for distribution in importlib.metadata.distributions():
        name = distribution.metadata["Name"]
        if not name:
            continue
        for file in distribution.files or ():
            parts = file.parts
            if len(parts) > 5 or not parts or parts[0].endswith((".dist-info", "..")):
                continue
            if parts[-1] == "__init__.py" and len(parts) > 1:
                found.setdefault(".".join(parts[:-1]), normalised(name))
            elif len(parts) == 1 and parts[0].endswith(".py"):
                found.setdefault(parts[0][:-3], normalised(name))
    for shared in SHARED:
        found.pop(shared, None)
    return found


@lru_cache
def brings(package: str) -> frozenset[str]:
    """*package* and what it installs along, as far as that is known here."""
    found: set[str] = set()
    waiting = [normalised(package)]
    while waiting:
        name = waiting.pop()
        if name in found:
            continue
        found.add(name)
        try:
            requirements = importlib.metadata.requires(name) or []
        except importlib.metadata.PackageNotFoundError:
            if name.startswith("azure-"):
                waiting.append("azure-core")
            continue
        for requirement in requirements:
            if "extra ==" not in requirement and (other := _PACKAGE.match(requirement)):
                waiting.append(normalised(other[0]))
    return frozenset(found)


def lowest_python(package: str) -> tuple[int, ...] | None:
    """The lowest version of Python that *package*, as installed here, says it runs on."""
    try:
        required = importlib.metadata.distribution(package).metadata["Requires-Python"]
    except importlib.metadata.PackageNotFoundError:
        return None
    found = re.search(r">=?\s*(\d+)\.(\d+)", required or "")
    return (int(found[1]), int(found[2])) if found else None


def is_installed_here(package: str) -> bool:
    try:
        importlib.metadata.distribution(package)
    except importlib.metadata.PackageNotFoundError:
        return False
    return True


def home_of(name: str, modules: list[str]) -> tuple[str, str] | None:
    """Where a name comes from that a page uses without importing it: a module, and the name in it (empty: the module)."""
    if name in RENAMED_CLASSES:
        return "azure.communication.identity", RENAMED_CLASSES[name]
    for module in dict.fromkeys([*modules, *_HOMES]):
        if module.partition(".")[0] in ("helpers",):
            continue
        try:
            found = importlib.import_module(module)
        except Exception:  # a page may name any module, and a module may do anything
            continue
        names = getattr(found, "__all__", None) or [
            one for one in vars(found) if not one.startswith("_")
        ]
        if name in names and name[0] != "_":
            if module in sys.stdlib_module_names and isinstance(vars(found).get(name), type(sys)):
                continue
            return module, name
    if name in sys.stdlib_module_names or name in (
        "azure",
        "msal",
        "requests",
        "aiohttp",
        "dotenv",
        "jwt",
    ):
        return name, ""
    return None
