"""Puts a page's Python together as a reader would who follows it.

A quickstart often gives a frame first (``try:`` with ``# Quickstart code goes here``); what later blocks show goes in there.
Line numbers in the tree are positions in ``Page.lines``, from 1, so that everything found later knows file and line.
"""

from __future__ import annotations

import ast
import doctest
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from helpers.validation.pages.markdown import Block, Page

_GOES_HERE = re.compile(
    r"^\s*#.*(\bgoes? here|\bgo here|\bcode here|\bcode below|code goes|\binsert\b|\badd (?:your|the)?\s*\w*\s*code"
    r"|your code|rest of the code|following code|next steps?|여기|ここ|此处|这里|aquí|ici\b|hier\b)",
    re.I,
)
_ALTERNATIVE = re.compile(
    r"(?i)\b(alternatively|alternative|instead|or,? (?:you|if|use)|another (?:way|option)"
    r"|alternativ\w*|sinon|en su lugar|como alternativa|o bien|em vez|oppure)\b|또는|대신|다른 방법|代わりに|または|あるいは|或者|另外"
)
_JAVASCRIPT = re.compile(
    r"^\s*(?:const|let|var)\s+\w+\s*=|=\s*new\s+\w+\s*\(|^\s*}|{\s*$|=>|^\s*//"
)
_UNQUOTED = re.compile(r"<[^<>=!'\"]+>")
_LONGEST_RECOVERY = 40


@dataclass(frozen=True)
class Problem:
    """A mistake at a position: what ``checks`` and ``trial`` find, before it becomes a sentence."""

    rule: str
    line: int
    """A position in ``Page.lines``, from 1."""
    column: int
    """From 0, in the code as the reader copies it."""
    details: dict[str, Any] = field(default_factory=dict, compare=False)


@dataclass
class Piece:
    """Statements of one block that stand on their own, outside of any frame."""

    body: list[ast.stmt]
    interactive: bool = False


@dataclass
class Expected:
    """What an interactive session shows after a statement."""

    statement: range
    """The lines of the statement, from 1."""
    lines: list[int]


@dataclass
class Program:
    pieces: list[Piece] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    expected: list[Expected] = field(default_factory=list)

    @property
    def tree(self) -> ast.Module:
        """The whole program."""
        return ast.Module([node for piece in self.pieces for node in piece.body], [])


@dataclass
class _Frame:
    """The place in an earlier block where later blocks go."""

    suite: list[ast.stmt]
    at: int
    is_module_level: bool
    is_async: bool


# Marks that the runner understands; names that no page uses.
BEGIN_ALTERNATIVE = "__page_begin_alternative__"
END_ALTERNATIVE = "__page_end_alternative__"


def assemble(page: Page) -> Program:
    """Return the page's program, with what is not Python in it."""
    program = Program()
    frame: _Frame | None = None
    bound: set[str] = set()
    first_tabs: dict[int, str] = {}
    blocks = [(block, _parse(block, program)) for block in _joined(page)]
    has_async = any(
        isinstance(node, ast.AsyncFunctionDef)
        for _block, body in blocks
        for statement in body
        for node in ast.walk(statement)
    )
    for block, body in blocks:
        if not body:
            continue
        names = set(bound_names(body))
        tab = block.tab
        other_tab = tab is not None and first_tabs.setdefault(tab[0], tab[1]) != tab[1]
        alternative = (
            other_tab or _ALTERNATIVE.search(block.before.rsplit("\n\n", 1)[-1]) is not None
        ) and bool(names & bound)
        own = _frame(block, body)
        into = frame if frame and not own and not _is_whole_program(body) else None
        if not has_async and not block.is_interactive:
            program.problems += _stray_awaits(body)
        bound |= names
        if alternative and (into is None or into.is_module_level):
            line = body[0].lineno
            body = [_mark(BEGIN_ALTERNATIVE, line), *body, _mark(END_ALTERNATIVE, line)]
        if into:
            into.suite[into.at : into.at] = body
            into.at += len(body)
        else:
            program.pieces.append(Piece(body, interactive=block.is_interactive))
        frame = own or frame
    return program


def _mark(name: str, line: int) -> ast.stmt:
    mark = ast.parse(f"{name}()").body[0]
    for node in ast.walk(mark):
        if hasattr(node, "lineno"):
            node.lineno = node.end_lineno = line  # type: ignore[attr-defined]
    return mark


def bound_names(body: list[ast.stmt]) -> Iterator[str]:
    """Every name that these statements bind in their own scope, comprehensions and functions left out."""
    for statement in body:
        if isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            yield statement.name
            continue
        stack: list[ast.AST] = [statement]
        while stack:
            node = stack.pop()
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
                yield node.name
                continue
            if isinstance(
                node, ast.Lambda | ast.ListComp | ast.SetComp | ast.DictComp | ast.GeneratorExp
            ):
                stack += [inner for inner in ast.walk(node) if isinstance(inner, ast.NamedExpr)]
                continue
            if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
                yield node.id
            elif isinstance(node, ast.ExceptHandler) and node.name:
                yield node.name
            elif isinstance(node, ast.alias):
                yield (node.asname or node.name).partition(".")[0]
            elif isinstance(node, ast.MatchAs | ast.MatchStar) and node.name:
                yield node.name
            elif isinstance(node, ast.Global):
                yield from node.names
            stack.extend(ast.iter_child_nodes(node))


def _is_whole_program(body: list[ast.stmt]) -> bool:
    """A block with imports and a beginning of its own is another file, not a piece for the frame."""
    imports = [node for node in body if isinstance(node, ast.Import | ast.ImportFrom)]
    others = [node for node in body if not isinstance(node, ast.Import | ast.ImportFrom)]
    return len(imports) >= 2 and any(
        isinstance(node, ast.Try | ast.FunctionDef | ast.AsyncFunctionDef)
        or (isinstance(node, ast.If) and "__name__" in ast.unparse(node.test))
        for node in others
    )


def _stray_awaits(body: list[ast.stmt]) -> Iterator[Problem]:
    for statement in body:
        stack: list[ast.AST] = [statement]
        while stack:
            node = stack.pop()
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
                continue
            if isinstance(node, ast.Await | ast.AsyncFor | ast.AsyncWith):
                yield Problem("syntax", node.lineno, node.col_offset, {"kind": "await"})
                break
            stack.extend(ast.iter_child_nodes(node))


# Frames


def _frame(block: Block, body: list[ast.stmt]) -> _Frame | None:
    for position, code in zip(block.lines, block.code, strict=True):
        if _GOES_HERE.match(code):
            indent = len(code) - len(code.lstrip())
            if found := _suite_at(body, position + 1, indent):
                return found
    # “…which you add to the `try` block”, without a comment that marks the place.
    tries = [node for node in body if isinstance(node, ast.Try)]
    if len(tries) == 1 and len(tries[0].body) == 1 and not _calls_sdk(tries[0].body[0]):
        return _Frame(tries[0].body, 1, is_module_level=True, is_async=False)
    return None


def _calls_sdk(statement: ast.stmt) -> bool:
    return any(
        isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)
        for node in ast.walk(statement)
    )


def _suite_at(body: list[ast.stmt], line: int, indent: int) -> _Frame | None:
    """The innermost suite in which a comment at *line* stands."""
    best: _Frame | None = None

    def visit(
        suite: list[ast.stmt], header: int, end: float, module: bool, asynchronous: bool
    ) -> None:
        nonlocal best
        if not (header < line < end):
            return
        column = suite[0].col_offset
        if column == indent and column > 0:
            at = sum(node.lineno < line for node in suite)
            best = _Frame(suite, at, module, asynchronous)
        for number, node in enumerate(suite):
            following = suite[number + 1].lineno if number + 1 < len(suite) else end
            is_function = isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef)
            in_async = isinstance(node, ast.AsyncFunctionDef) or (asynchronous and not is_function)
            inner = [(part, lines) for part, lines in _suites(node) if part]
            for place, (part, start) in enumerate(inner):
                stop = inner[place + 1][1] if place + 1 < len(inner) else following
                visit(part, start, stop, module and not is_function, in_async)

    if body:
        visit(body, 0, float("inf"), True, False)
    return best


def _suites(node: ast.stmt) -> Iterator[tuple[list[ast.stmt], int]]:
    """The suites of a compound statement, each with the line of its header (or the last line before it)."""
    body = getattr(node, "body", None)
    if isinstance(body, list):
        yield body, node.lineno
    for handler in getattr(node, "handlers", []):
        yield handler.body, handler.lineno
    for name in ("orelse", "finalbody"):
        suite = getattr(node, name, None)
        if suite:
            yield suite, suite[0].lineno - 1


# Reading blocks


def _joined(page: Page) -> list[Block]:
    """The Python blocks; one that ends within ``try:`` is held open where a later one brings the ``except``."""
    return [block for block in page.python if block.text.strip()]


def _parse(block: Block, program: Program) -> list[ast.stmt]:
    if not block.lines:
        return []
    if block.is_interactive:
        return _parse_session(block, program)
    code = list(block.code)
    prefix = 0
    if re.match(r"(?:except|finally|else|elif)\b", next(filter(str.strip, code)).strip()):
        opening = "if False:" if re.match(r"(?:else|elif)\b", "".join(code).strip()) else "try:"
        code[:0] = [opening, "    pass"]
        prefix = 2
    last = next(text for text in reversed(code) if text.strip())
    tree = _tree("\n".join(code))
    if tree is None and _tree("\n".join([*code, "except Exception:", "    raise"])) is not None:
        code += ["except Exception:", "    raise"]
        tree = _tree("\n".join(code))
    if tree is None and last.rstrip().endswith(":"):
        indent = " " * (len(last) - len(last.lstrip()) + 4)
        extended = [*code, f"{indent}pass"]
        if _tree("\n".join(extended)) is None:
            extended += ["except Exception:", "    raise"]
        tree = _tree("\n".join(extended))
    problems: list[Problem] = []
    if tree is None:
        tree, problems = _recover(code)
    # One block that is not Python at all is one mistake, not many.
    meaningful = [text for text in block.code if text.strip()]
    foreign = [one for one in problems if one.details["kind"] in ("javascript", "python")]
    if len(meaningful) > 3 and len(foreign) > len(meaningful) / 2:
        problems = problems[:1]
        problems[0].details["whole"] = True
        tree = ast.Module([], [])
    first, last_line = block.lines[0] + 1, block.lines[-1] + 1
    positions = block.lines
    for node in ast.walk(tree):
        if hasattr(node, "lineno"):
            for name in ("lineno", "end_lineno"):
                at = getattr(node, name) - 1 - prefix
                line = positions[min(max(at, 0), len(positions) - 1)] + 1
                setattr(node, name, line)
    assert first <= last_line
    for problem in problems:
        at = min(max(problem.line - 1 - prefix, 0), len(positions) - 1)
        program.problems.append(
            Problem(problem.rule, positions[at] + 1, problem.column, problem.details)
        )
    return tree.body


def _parse_session(block: Block, program: Program) -> list[ast.stmt]:
    body: list[ast.stmt] = []
    for example in doctest.DocTestParser().parse("\n".join(block.code) + "\n"):
        if isinstance(example, str):
            continue
        try:
            tree = ast.parse(example.source)
        except SyntaxError as error:
            program.problems.append(
                Problem(
                    "syntax",
                    block.lines[example.lineno] + (error.lineno or 1),
                    4,
                    {"kind": "python", "reason": _reason(error)},
                )
            )
            continue
        shift = block.lines[example.lineno]
        for node in ast.walk(tree):
            if hasattr(node, "lineno"):
                node.lineno += shift
                node.end_lineno += shift  # type: ignore[attr-defined]
                node.col_offset += 4  # type: ignore[attr-defined]
                node.end_col_offset += 4  # type: ignore[attr-defined]
        body += tree.body
        if example.want.strip() and tree.body:
            start = example.lineno + example.source.count("\n")
            wanted = [block.lines[start + number] for number in range(example.want.count("\n"))]
            last = tree.body[-1]
            end = last.end_lineno or last.lineno
            program.expected.append(Expected(range(last.lineno, end + 1), wanted))
    return body


def _reason(error: SyntaxError) -> str:
    """Python's own words, without the lines that it counts within the block."""
    return re.sub(r"\s*\(?(?:detected )?(?:at|on) line \d+\)?", "", error.msg)


def _tree(code: str) -> ast.Module | None:
    try:
        return ast.parse(code)
    except (SyntaxError, ValueError):
        return None


def _error(code: list[str]) -> SyntaxError | None:
    try:
        ast.parse("\n".join(code))
    except SyntaxError as error:
        return error
    except ValueError as error:
        return SyntaxError(str(error), ("", 1, 1, ""))
    return None


def _recover(code: list[str]) -> tuple[ast.Module, list[Problem]]:
    """Parse what can be parsed: each faulty line is put right as best one can, or left out."""
    code = list(code)
    problems: list[Problem] = []
    for _round in range(_LONGEST_RECOVERY):
        error = _error(code)
        if error is None:
            return ast.parse("\n".join(code)), problems
        at = min(max((error.lineno or 1) - 1, 0), len(code) - 1)
        while at > 0 and not code[at].strip():
            at -= 1
        at = _start_of_statement(code, at, error)
        kind, fixed = _repaired(code, at, error)
        problems.append(
            Problem(
                "syntax",
                at + 1,
                len(code[at]) - len(code[at].lstrip()),
                {"kind": kind, "reason": _reason(error)},
            )
        )
        if fixed is None:
            indent = code[at][: len(code[at]) - len(code[at].lstrip())]
            fixed = indent + ("if True:" if code[at].rstrip().endswith(":") else "pass")
            if fixed == code[at]:
                fixed = ""
            _drop_continuation(code, at)
        code[at] = fixed
    return ast.Module([], []), problems


def _start_of_statement(code: list[str], at: int, error: SyntaxError) -> int:
    """The parser often notices on the next line that a bracket or a comma is missing on the one before."""
    for start in range(at, max(at - 8, -1), -1):
        if start != at and _tree(_dedented(code[start : at + 1])) is not None:
            return at
        opened = sum(map(code[start].count, "([{")) - sum(map(code[start].count, ")]}"))
        if start < at and opened > 0:
            return start
    return at


def _dedented(lines: list[str]) -> str:
    indent = len(lines[0]) - len(lines[0].lstrip())
    return "\n".join(line[indent:] for line in lines)


def _drop_continuation(code: list[str], at: int) -> None:
    """Leave out what belongs to a dropped line: the rest of an open bracket."""
    opened = sum(map(code[at].count, "([{")) - sum(map(code[at].count, ")]}"))
    line = at + 1
    while opened > 0 and line < len(code) and code[line].strip():
        if _tree(code[line].strip()) is not None and line > at + 1 and not code[line][0].isspace():
            break
        opened += sum(map(code[line].count, "([{")) - sum(map(code[line].count, ")]}"))
        code[line] = ""
        line += 1


def _repaired(code: list[str], at: int, error: SyntaxError) -> tuple[str, str | None]:
    """What kind of mistake the line is, and the line as its writer will have meant it."""
    text = code[at]
    if _JAVASCRIPT.search(text):
        meant = re.sub(r"^(\s*)(?:const|let|var)\s+", r"\1", text)
        meant = re.sub(r"\bnew\s+(?=\w)", "", meant).rstrip().rstrip(";")
        return "javascript", _if_better(code, at, meant)
    candidates = [("placeholder", _UNQUOTED.sub("'placeholder'", text))]
    stripped = text.rstrip()
    if found := re.match(r"^(\s*)print\s+([^(=].*)$", text):
        candidates.append(("print", f"{found[1]}print({found[2]})"))
    if re.match(r"^\s*(?:def|class|if|elif|else|for|while|try|with|except|finally|async)\b", text):
        candidates.append(("colon", stripped + ":"))
    for closing in (")", "]", "}", '"', "'", '")', "')", "])", '"])', "))", '"]'):
        candidates.append(("bracket", stripped + closing))
    if stripped and stripped[-1] in ")]}":
        candidates.append(("bracket", stripped[:-1]))
    candidates.append(("indent", text.lstrip()))
    if at:
        before = code[at - 1]
        indent = before[: len(before) - len(before.lstrip())]
        candidates.append(("indent", indent + text.lstrip()))
        if before.rstrip().endswith(":"):
            candidates.append(("indent", f"{indent}    {text.lstrip()}"))
    for kind, meant in candidates:
        if meant != text and (better := _if_better(code, at, meant)) is not None:
            return kind, better
    return "python", None


def _if_better(code: list[str], at: int, meant: str) -> str | None:
    """*meant* if with it the first mistake comes later, or not at all."""
    after = _error([*code[:at], meant, *code[at + 1 :]])
    if after is None or (after.lineno or 0) > at + 1:
        return meant
    # Some mistakes are noticed before those of lines above them.
    return meant if (after.lineno or 0) <= at and _tree(meant.strip()) is not None else None
