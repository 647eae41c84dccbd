"""The names of a program: which are bound, which are imported, which are neither."""

from __future__ import annotations

import ast
import builtins
import difflib
import importlib
import symtable
from collections.abc import Iterator

from helpers.validation.pages import packages, program, trial
from helpers.validation.pages.instrument import RUNNER
from helpers.validation.pages.markdown import Page
from helpers.validation.pages.program import Problem, Program


class Names:
    """The names of a program: which are bound, which are imported, which are neither."""

    def __init__(self, assembled: Program, page: Page) -> None:
        tree = assembled.tree
        marks = {program.BEGIN_ALTERNATIVE, program.END_ALTERNATIVE, RUNNER}
        self.imported = _import_table(tree)
        self.bound = set(program.bound_names(tree.body))
        self._first: dict[str, ast.Name] = {}
        self._definitions: dict[str, int] = {}
        for node in sorted(
            (node for node in ast.walk(tree) if isinstance(node, ast.Name)),
            key=lambda node: (node.lineno, node.col_offset),
        ):
            if isinstance(node.ctx, ast.Load):
                self._first.setdefault(node.id, node)
            elif isinstance(node.ctx, ast.Store):
                self._definitions.setdefault(node.id, node.lineno)
        for defined in ast.walk(tree):
            # Functions and classes define names too, where nothing is stored.
            if isinstance(defined, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
                self._definitions.setdefault(defined.name, defined.lineno)
        star = any(
            isinstance(node, ast.ImportFrom) and node.names[0].name == "*"
            for node in ast.walk(tree)
        )
        unknown = set() if star else _unresolved(assembled) - marks
        modules = [module for module, _line in imports(tree) if module.startswith("azure.")]
        self._page = page
        self.homes: dict[str, tuple[tuple[str, str], ast.Name]] = {}
        self.undefined: dict[str, ast.Name] = {}
        for name in sorted(unknown & set(self._first)):
            home = packages.home_of(name, [packages.DEPRECATED_MODULES.get(m, m) for m in modules])
            if home and (home[1] or _is_used_as_module(tree, name)):
                self.homes[name] = (home, self._first[name])
            else:
                self.undefined[name] = self._first[name]

    def problems(self, tried: trial.Trial) -> Iterator[Problem]:
        for name, ((module, attribute), node) in self.homes.items():
            if attribute and attribute != name:
                statement = f"from {module} import {attribute}"
            else:
                statement = f"from {module} import {name}" if attribute else f"import {module}"
            yield Problem(
                "missing-import",
                node.lineno,
                node.col_offset,
                {"name": name, "statement": statement},
            )
        for name, node in self.undefined.items():
            close = difflib.get_close_matches(name, sorted(self._definitions), 1, 0.75)
            yield Problem(
                "undefined-name",
                node.lineno,
                node.col_offset,
                {"name": name, "suggestion": "".join(close)},
            )
        reported: set[str] = set()
        for name, line in tried.used_before:
            if name in reported or name in self.homes or name in self.undefined:
                continue
            reported.add(name)
            defined = self._definitions.get(name, 0)
            first = self._first.get(name)
            yield Problem(
                "undefined-name",
                line,
                first.col_offset if first is not None and first.lineno == line else 0,
                {
                    "kind": "later",
                    "name": name,
                    "where": self._page.lines[defined - 1].number if defined else 0,
                },
            )


def _unresolved(assembled: Program) -> set[str]:
    """The names that nothing in the program binds, in whatever scope they are used."""
    try:
        table = symtable.symtable(ast.unparse(assembled.tree), "page", "exec")
    except (SyntaxError, RecursionError, ValueError):
        return set()
    known = set(dir(builtins)) | {"__file__", "__name__", "__doc__", "__builtins__", "__spec__"}
    tables = [table]
    used: set[str] = set()
    while tables:
        scope = tables.pop()
        tables += scope.get_children()
        for symbol in scope.get_symbols():
            name = symbol.get_name()
            binds = symbol.is_assigned() or symbol.is_imported() or symbol.is_namespace()
            if (scope is table or symbol.is_declared_global()) and binds:
                known.add(name)
            if symbol.is_referenced() and (symbol.is_global() or (scope is table and not binds)):
                used.add(name)
    return used - known


def imports(tree: ast.AST) -> Iterator[tuple[str, ast.AST]]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield alias.name, node
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            if node.module in packages.SHARED:
                for alias in node.names:
                    yield f"{node.module}.{alias.name}", node
            else:
                yield node.module, node


def _import_table(tree: ast.AST) -> dict[str, tuple[str, str]]:
    """Where imported names come from, wherever on the page the import stands."""
    found: dict[str, tuple[str, str]] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                if alias.asname:
                    found[alias.asname] = (alias.name, "")
                else:
                    found[alias.name.partition(".")[0]] = (alias.name, "")
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            for alias in node.names:
                found[alias.asname or alias.name] = (node.module, alias.name)
    return found


def _is_used_as_module(tree: ast.AST, name: str) -> bool:
    attributes = [
        node.attr
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute)
        and isinstance(node.value, ast.Name)
        and node.value.id == name
    ]
    if not attributes or name in ("this", "antigravity"):
        return False
    try:
        module = importlib.import_module(name)
    except Exception:
        return False
    return any(hasattr(module, attribute) for attribute in attributes)
