"""Checks what a page says around its code: links, versions, file names, and names of the SDK."""

from __future__ import annotations

import ast
import builtins
import contextlib
import difflib
import importlib
import inspect
import re
import sys
import warnings
from collections.abc import Iterator
from typing import Any
from urllib.parse import unquote

from helpers.errors import TutorialError
from helpers.validation.pages import markdown, packages
from helpers.validation.pages.findings import Finding
from helpers.validation.pages.markdown import Page, Source, docs_root
from helpers.validation.pages.names import imports
from helpers.validation.pages.program import Program
from helpers.validation.pages.sentences import sentence
from helpers.validation.pages.values import RENAMED


def at(page: Page, index: int, column: int, rule: str, details: dict[str, Any]) -> Finding:
    line = page.lines[index]
    return Finding(line.file, line.number, column, rule, sentence(rule, details), line.text.strip())


def links(source: Source, page: Page) -> Iterator[Finding]:
    for target, index, column in page.links():
        address, _mark, anchor = target.partition("#")
        address = unquote(address.partition("?")[0])
        if re.match(r"[a-z][a-z0-9+.-]*:|/", address, re.I):
            continue
        line = page.lines[index]
        if not address:
            known = {one.lower() for one in page.anchors}
            is_tab = anchor.lower().startswith("tab/")
            if (
                anchor
                and not is_tab
                and not source.missing
                and unquote(anchor).lower() not in known
            ):
                yield at(page, index, column, "missing-anchor", {"target": target})
            continue
        path = markdown._resolve(address, line.file)
        if path is None:
            continue
        if path.exists():
            if anchor and path.suffix == ".md" and not anchor.lower().startswith("tab/"):
                try:
                    other = markdown.read(path)
                except TutorialError:
                    continue
                known = {one.lower() for one in other.page(None).anchors}
                if not other.missing and unquote(anchor).lower() not in known:
                    yield at(page, index, column, "missing-anchor", {"target": target})
        elif docs_root(line.file) is not None:
            yield at(page, index, column, "missing-link", {"target": target})


_VERSIONS = re.compile(
    r"\bPython\b\]?(?:\([^)]*\))?\s*(?:version\s*)?((?:\d\.\d+\+?(?:,\s*|\s+(?:or|and)\s+)?)+)"
)


def python_versions(page: Page, assembled: Program) -> Iterator[Finding]:
    """A version of Python that the text asks for and the SDK does not run on."""
    needed: dict[str, tuple[int, ...]] = {}
    for module, _node in imports(assembled.tree):
        package = packages.package_of(packages.DEPRECATED_MODULES.get(module, module))
        # Of other packages an older version may do; of the SDK, older ones have other methods.
        if not package or not package.startswith("azure-communication-"):
            continue
        if lowest := packages.lowest_python(package):
            needed[package] = lowest
    if not needed:
        return
    package, lowest = max(needed.items(), key=lambda item: item[1])
    for index in page.prose:
        for found in _VERSIONS.finditer(page.lines[index].text):
            too_low = [
                version
                for version in re.findall(r"\d\.\d+", found[1])
                if tuple(map(int, version.split("."))) < lowest
            ]
            if too_low:
                details = {
                    "shown": too_low[0],
                    "package": package,
                    "needed": ".".join(map(str, lowest)),
                }
                yield at(page, index, found.start(1) + 1, "python-version", details)


_PYTHON_FILE = re.compile(r"(?<![\w/.-])(?:\./|\.\\)?([\w-]+\.py)\b")
_RUN = re.compile(r"(?:^|\s)(?:python[\d.]*|py)\s+(?:-\S+\s+)*(?:\./|\.\\)?([\w-]+\.py)\b")


def files_to_run(page: Page) -> Iterator[Finding]:
    """A file that is run, or looked for, under a name much like that under which it was made."""
    code = {index for block in page.python for index in block.lines}
    made: list[str] = []
    for index, line in enumerate(page.lines):
        if index in code:
            continue
        for found in _PYTHON_FILE.finditer(_without_addresses(line.text)):
            name = found[1]
            if name in made:
                continue
            close = difflib.get_close_matches(name, made, 1, 0.85)
            run = any(match[1] == name for match in _RUN.finditer(line.text))
            if (
                close
                and not re.search(r"\d", name.removesuffix(".py")[-2:])
                and (run or _is_slip(name, close[0]))
            ):
                yield at(
                    page,
                    index,
                    found.start(1) + 1,
                    "file-name",
                    {"name": name, "suggestion": close[0]},
                )
            else:
                made.append(name)


def _is_slip(name: str, other: str) -> bool:
    """Whether two file names differ by a letter or two only."""
    matcher = difflib.SequenceMatcher(None, name, other)
    same = sum(block.size for block in matcher.get_matching_blocks())
    return max(len(name), len(other)) - same <= 2


def _without_addresses(text: str) -> str:
    return re.sub(r"https?://\S+|\]\([^)]*\)", lambda found: " " * len(found[0]), text)


_KIND = r"(?:methods?|functions?|class(?:es)?|objects?|parameters?|m[eé]thodes?|m[eé]todos?|Methoden?|Funktion|Klasse|메서드|함수|클래스|개체|매개 변수|メソッド|クラス|方法|类|類別)"
_NAMED = re.compile(
    rf"`([A-Za-z_][\w.]*)(?:\(\))?`\s?{_KIND}(?![a-z])|(?<![A-Za-z]){_KIND}\s+`([A-Za-z_][\w.]*)(?:\(\))?`",
    re.I,
)


def names_in_text(page: Page, assembled: Program) -> Iterator[Finding]:
    """Methods, classes and parameters that the text names and the SDK does not have."""
    if not assembled.pieces:
        return
    with warnings.catch_warnings():
        # To look at a deprecated name is not to use it.
        warnings.simplefilter("ignore")
        known = _vocabulary(page, assembled)
    if known is None:
        return
    for index in page.prose:
        for found in _NAMED.finditer(page.lines[index].text):
            group = 1 if found[1] else 2
            name = found[group].rpartition(".")[2]
            compound = "_" in name or re.search(r"[a-z][A-Z]", name)
            if name in known or not compound:
                continue
            snake = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower().removesuffix("_async")
            renamed = RENAMED.get(snake) or packages.RENAMED_CLASSES.get(name) or ""
            if not renamed and snake in known:
                renamed = snake
            close = [renamed] if renamed else []
            yield at(
                page,
                index,
                found.start(group) + 1,
                "unknown-name-in-text",
                {"name": name, "suggestion": "".join(close)},
            )


def _vocabulary(page: Page, assembled: Program) -> set[str] | None:
    """Every name that the page's libraries and its own code know; None if a library is not installed here."""
    known = set(dir(builtins))
    for block in page.blocks:
        if block.is_python:
            continue
        known |= set(re.findall(r"\w+", block.text))
    modules = {"azure.communication.identity", "azure.communication.identity.aio", "azure.identity",
               "azure.core.credentials", "azure.core.exceptions"}  # fmt: skip
    for module, _node in imports(assembled.tree):
        modules.add(packages.DEPRECATED_MODULES.get(module, module))
    for module in sorted(modules):
        top = module.partition(".")[0]
        if top in sys.stdlib_module_names:
            if top in ("this", "antigravity"):
                continue
        elif top not in ("azure", "msal", "requests", "aiohttp", "jwt", "dotenv"):
            if not packages.is_installed_here(packages.package_of(module) or top):
                return None
            continue
        try:
            found = importlib.import_module(module)
        except Exception:
            return None
        known.add(module.rpartition(".")[2])
        known |= set(dir(found))
        is_standard = top in sys.stdlib_module_names
        for value in vars(found).values():
            # What a module of the standard library only passes on is none of its own.
            if is_standard and getattr(value, "__module__", "") != module:
                continue
            if isinstance(value, type):
                known |= set(dir(value))
                known |= set(re.findall(r"\w+", inspect.getdoc(value) or ""))
                for member in vars(value).values():
                    known |= _words_of(member)
            elif callable(value):
                known |= _words_of(value)
    for node in ast.walk(assembled.tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            known.add(node.name)
        elif isinstance(node, ast.arg):
            known.add(node.arg)
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            known.add(node.id)
        elif isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store):
            known.add(node.attr)
    return known


def _words_of(function: object) -> set[str]:
    function = getattr(function, "__func__", function)
    words = set(re.findall(r":(?:param|keyword)[^:]*?(\w+):", inspect.getdoc(function) or ""))
    with contextlib.suppress(TypeError, ValueError):
        words |= set(inspect.signature(function).parameters)  # type: ignore[arg-type]
    return words
