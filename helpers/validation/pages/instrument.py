"""Rewrites a program so that every call, attribute and item goes through the runner, which reports what fails and goes on.

A failing expression would otherwise end the program and hide every mistake below it. What is rewritten means the same as
long as nothing fails.
"""

from __future__ import annotations

import ast
import re
from typing import Any, TypeVar

from helpers.validation.pages.program import BEGIN_ALTERNATIVE, END_ALTERNATIVE

RUNNER = "__page__"

# These look at the frame of their caller.
_NEED_THEIR_FRAME = {"super", "locals", "globals", "vars", "dir", "eval", "exec", "__import__"}
_SIMPLE = (
    ast.Assign, ast.AnnAssign, ast.AugAssign, ast.Expr, ast.Delete, ast.Assert, ast.Import, ast.ImportFrom, ast.Return,
)  # fmt: skip
_COMPOUND = (ast.If, ast.While, ast.For, ast.AsyncFor, ast.With, ast.AsyncWith, ast.Match)
_BROAD = {"Exception", "BaseException"}

# A value that readers replace by their own.
PLACEHOLDER = re.compile(
    r"(?is)^\s*(?:<[^<>]+>|\[[^\[\]]+\]|\{[^{}]+\}|your[-_ ].*|.*\byour[-_ ].*|(?-i:[A-Z]+(?:[-_][A-Z]+)+)"
    r"|endpoint=.*|https://[^/]*\.communication\.azure\.com/?|8:acs:.*|\S*\.\.\.\S*|placeholder|<.*>.*)\s*$"
)
_GUID_NAME = re.compile(
    r"(?i)(?:client|app|application|tenant|object|oid|user_object|aad)_?(?:app_?)?id$|^oid$"
)
_KEY_NAME = re.compile(
    r"(?i)(?:access|account|primary|secondary|acs)_?key$|^key$|secret$|connection_?string"
)

_Node = TypeVar("_Node", bound=ast.AST)


def instrument(body: list[ast.stmt], *, interactive: bool = False) -> ast.Module:
    """Return the module for *body*, ready to compile."""
    module = ast.Module(_Rewriter(interactive).suite(body), [])
    return ast.fix_missing_locations(module)


class _Rewriter(ast.NodeTransformer):
    def __init__(self, interactive: bool) -> None:
        self._interactive = interactive
        self._targets: list[str] = []
        self._depth = 0

    # Statements

    def suite(self, body: list[ast.stmt]) -> list[ast.stmt]:
        return [new for statement in body for new in self._statement(statement)]

    def _statement(self, node: ast.stmt) -> list[ast.stmt]:
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            return [node]
        mark = node.value if isinstance(node, ast.Expr) else None
        if (
            isinstance(mark, ast.Call)
            and isinstance(mark.func, ast.Name)
            and mark.func.id in (BEGIN_ALTERNATIVE, END_ALTERNATIVE)
        ):
            method = "begin_alternative" if mark.func.id == BEGIN_ALTERNATIVE else "end_alternative"
            return [ast.copy_location(ast.Expr(self._ask(method, node)), node)]
        line, column = node.lineno, node.col_offset
        if isinstance(node, ast.ImportFrom) and node.module == "__future__":
            return []
        if isinstance(node, _SIMPLE):
            names = _names(node)
            kind = type(node).__name__
            if isinstance(node, ast.Import | ast.ImportFrom):
                return self._imports(node)
            if isinstance(node, ast.Expr) and self._interactive and not self._depth:
                shown = self._ask("shown", node, self.visit(node.value))
                new: ast.stmt = ast.copy_location(ast.Expr(shown), node)
            else:
                self._targets = names
                new = self.visit(node)
                self._targets = []
            return [self._guarded(new, line, column, names, returns=kind == "Return")]
        new = self.visit(node)
        if isinstance(node, _COMPOUND):
            return [self._guarded(new, line, column, [])]
        return [new]

    def _imports(self, node: ast.Import | ast.ImportFrom) -> list[ast.stmt]:
        """One import per name, so that one that fails does not take the others with it."""
        new: list[ast.stmt] = []
        for alias in node.names:
            if isinstance(node, ast.ImportFrom):
                one: ast.stmt = ast.ImportFrom(node.module, [alias], node.level)
                module, name = "." * node.level + (node.module or ""), alias.name
            else:
                one, module, name = ast.Import([alias]), alias.name, ""
            ast.copy_location(one, node)
            bound = (alias.asname or alias.name).partition(".")[0]
            handler: list[ast.stmt] = []
            missing = self._ask(
                "missing_import", alias, ast.Name("__error__", ast.Load()), _constant(module),
                _constant(name),
            )  # fmt: skip
            if bound == "*":
                handler.append(ast.Expr(missing))
            else:
                handler.append(ast.Assign([ast.Name(bound, ast.Store())], missing))
            new.append(
                ast.copy_location(
                    ast.Try([one], [_handler(handler)], [], []),
                    node,
                )
            )
        return new

    def _guarded(
        self, node: ast.stmt, line: int, column: int, names: list[str], *, returns: bool = False
    ) -> ast.stmt:
        failed = ast.Call(
            ast.Attribute(ast.Name(RUNNER, ast.Load()), "failed", ast.Load()),
            [_constant(line), _constant(column), ast.Name("__error__", ast.Load())],
            [],
        )
        handler: list[ast.stmt]
        if returns:
            handler = [ast.Return(failed)]
        else:
            handler = [ast.Expr(failed)]
            for name in names:
                handler.append(
                    ast.Assign(
                        [ast.Name(name, ast.Store())],
                        ast.Call(
                            ast.Attribute(ast.Name(RUNNER, ast.Load()), "stand_in", ast.Load()),
                            [_constant(name)],
                            [],
                        ),
                    )
                )
        return ast.copy_location(ast.Try([node], [_handler(handler)], [], []), node)

    def generic_visit(self, node: ast.AST) -> ast.AST:
        # Suites through suite(), everything else as usual.
        for name, value in ast.iter_fields(node):
            if isinstance(value, list) and value and isinstance(value[0], ast.stmt):
                setattr(node, name, self.suite(value))
            elif isinstance(value, list):
                setattr(
                    node,
                    name,
                    [self.visit(item) if isinstance(item, ast.AST) else item for item in value],
                )
            elif isinstance(value, ast.AST):
                setattr(node, name, self.visit(value))
        return node

    def _function(self, node: Any) -> Any:
        self._depth += 1
        docstring = node.body[:1] if ast.get_docstring(node, clean=False) is not None else []
        entered = ast.copy_location(
            ast.Expr(self._ask("entered", node, _constant(node.name))), node.body[0]
        )
        rest = self.suite(node.body[len(docstring) :])
        node.body = [*docstring, entered, *rest]
        node.args.defaults = [self.visit(default) for default in node.args.defaults]
        node.args.kw_defaults = [
            self.visit(default) if default else default for default in node.args.kw_defaults
        ]
        self._depth -= 1
        return node

    visit_FunctionDef = visit_AsyncFunctionDef = _function

    def visit_Try(self, node: ast.Try) -> ast.AST:
        kinds = [
            handler.type
            for handler in node.handlers
            if handler.type is not None and not _is_broad(handler.type)
        ]
        types = ast.Tuple(
            [
                element
                for kind in kinds
                for element in (kind.elts if isinstance(kind, ast.Tuple) else [kind])
            ],
            ast.Load(),
        )
        body = self.suite(node.body)
        if kinds:
            nothing = ast.arguments([], [], None, [], [], None, [])
            expecting = ast.withitem(
                self._ask("expecting", node, ast.Lambda(nothing, _copy(types))), None
            )
            body = [ast.copy_location(ast.With([expecting], body), node)]
        node.body = body
        node.handlers = [self._visit_handler(handler) for handler in node.handlers]
        node.orelse = self.suite(node.orelse)
        node.finalbody = self.suite(node.finalbody)
        return node

    def _visit_handler(self, handler: ast.ExceptHandler) -> ast.ExceptHandler:
        handler.body = self.suite(handler.body)
        return handler

    def visit_withitem(self, node: ast.withitem) -> ast.AST:
        place = node.context_expr
        node.context_expr = self._ask("context", place, self.visit(place))
        return node

    def visit_AnnAssign(self, node: ast.AnnAssign) -> ast.AST:
        if node.value:
            node.value = self.visit(node.value)
        return node

    def visit_Assign(self, node: ast.Assign) -> ast.AST:
        node.targets = [self.visit(target) for target in node.targets]
        node.value = self._constant_for(node.value, self._targets[:1])
        return node

    def visit_Match(self, node: ast.Match) -> ast.AST:
        node.subject = self.visit(node.subject)
        for case in node.cases:
            case.body = self.suite(case.body)
        return node

    # Expressions

    def _ask(
        self, method: str, place: Any, *arguments: ast.expr, at: int | None = None
    ) -> ast.Call:
        column = place.col_offset if at is None else at
        call = ast.Call(
            ast.Attribute(ast.Name(RUNNER, ast.Load()), method, ast.Load()),
            [_constant(place.lineno), _constant(column), *arguments],
            [],
        )
        return ast.copy_location(call, place)

    def _constant_for(self, node: ast.expr, names: list[str]) -> ast.expr:
        """A literal in whose place readers put their own value becomes a value that works."""
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and names:
            if (
                PLACEHOLDER.match(node.value)
                or (_GUID_NAME.search(names[0]) and not _is_guid(node.value))
                or _KEY_NAME.search(names[0])
            ):
                return self._ask("placeholder", node, node, _constant(names[0]))
            return node
        visited: ast.expr = self.visit(node)
        return visited

    def visit_Constant(self, node: ast.Constant) -> ast.AST:
        if isinstance(node.value, str) and re.match(
            r"(?i)^(?:<[^<>]+>|endpoint=https?://.*|https://[^/]*\.communication\.azure\.com/?|8:acs:.*|your[-_ ].*)$",
            node.value,
        ):
            return self._ask("placeholder", node, node, _constant(""))
        return node

    def visit_JoinedStr(self, node: ast.JoinedStr) -> ast.AST:
        for value in node.values:
            if isinstance(value, ast.FormattedValue):
                value.value = self.visit(value.value)
        return node

    def visit_Attribute(self, node: ast.Attribute) -> ast.AST:
        value = self.visit(node.value)
        if not isinstance(node.ctx, ast.Load) or (
            node.attr.startswith("__") and not node.attr.endswith("__")
        ):
            node.value = value
            return node
        column = (node.end_col_offset or 0) - len(node.attr)
        if node.end_lineno != node.lineno:
            column = node.col_offset
        return self._ask("attribute", node, value, _constant(node.attr), at=column)

    def visit_Subscript(self, node: ast.Subscript) -> ast.AST:
        if not isinstance(node.ctx, ast.Load) or isinstance(node.slice, ast.Slice | ast.Tuple):
            node.value = self.visit(node.value)
            return node
        return self._ask("item", node, self.visit(node.value), self.visit(node.slice))

    def visit_BinOp(self, node: ast.BinOp) -> ast.AST:
        return self._ask(
            "binary",
            node.right,
            self.visit(node.left),
            self.visit(node.right),
            _constant(type(node.op).__name__),
        )

    def visit_Await(self, node: ast.Await) -> ast.AST:
        return ast.copy_location(
            ast.Await(self._ask("awaited", node.value, self.visit(node.value))), node
        )

    def visit_Call(self, node: ast.Call) -> ast.AST:
        if isinstance(node.func, ast.Name) and node.func.id in _NEED_THEIR_FRAME:
            node.args = [self.visit(argument) for argument in node.args]
            return node
        is_print = isinstance(node.func, ast.Name) and node.func.id == "print"
        arguments = [
            argument if is_print and isinstance(argument, ast.Constant) else self.visit(argument)
            for argument in node.args
        ]
        for keyword in node.keywords:
            keyword.value = self._constant_for(keyword.value, [keyword.arg or ""])
        call = self._ask("call", node, self.visit(node.func), *arguments)
        call.keywords = node.keywords
        return call


def _constant(value: object) -> ast.Constant:
    return ast.Constant(value)  # type: ignore[arg-type]


def _handler(body: list[ast.stmt]) -> ast.ExceptHandler:
    return ast.ExceptHandler(ast.Name("Exception", ast.Load()), "__error__", body)


def _copy(node: ast.expr) -> ast.expr:
    parsed = ast.parse(ast.unparse(node), mode="eval").body
    return parsed


def _is_broad(kind: ast.expr) -> bool:
    kinds = kind.elts if isinstance(kind, ast.Tuple) else [kind]
    return any(isinstance(one, ast.Name) and one.id in _BROAD for one in kinds)


def _is_guid(text: str) -> bool:
    return re.fullmatch(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}", text) is not None


def _names(node: ast.stmt) -> list[str]:
    """The names that a simple statement binds."""
    if isinstance(node, ast.Assign):
        targets: list[ast.AST] = list(node.targets)
    elif isinstance(node, ast.AnnAssign):
        targets = [node.target] if node.value else []
    else:
        targets = []
    return [
        name.id
        for target in targets
        for name in ast.walk(target)
        if isinstance(name, ast.Name) and isinstance(name.ctx, ast.Store)
    ]
