"""The Python that a choice stands for: what a reader would type instead of clicking."""

from __future__ import annotations

import ast
import json
from datetime import timedelta


def python_source(value: object) -> str:
    """Return the expression for *value* as it is written in the lessons (double quotes, ``timedelta`` imported)."""
    if isinstance(value, timedelta):
        hours, minutes = divmod(round(value.total_seconds() / 60), 60)
        parts = {"hours": hours, "minutes": minutes}
        return f"timedelta({', '.join(f'{unit}={n}' for unit, n in parts.items() if n)})"
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False)
    if isinstance(value, list):
        return f"[{', '.join(python_source(item) for item in value)}]"
    return repr(value)


def wrapped(source: str, *, width: int = 76) -> str:
    """Return a call that is longer than *width* with one argument a line; any other source as it is."""
    if len(source) <= width:
        return source
    try:
        statement = ast.parse(source).body[0]
    except SyntaxError:
        return source
    call = getattr(statement, "value", None)
    if not isinstance(call, ast.Call) or not (call.args or call.keywords):
        return source
    arguments = [ast.get_source_segment(source, argument) for argument in call.args]
    arguments += [
        f"{keyword.arg}={ast.get_source_segment(source, keyword.value)}"
        if keyword.arg
        else f"**{ast.get_source_segment(source, keyword.value)}"
        for keyword in call.keywords
    ]
    opening = source[: source.index("(", call.func.end_col_offset or 0) + 1]
    return "\n".join([opening, *(f"    {argument}," for argument in arguments), ")"])
