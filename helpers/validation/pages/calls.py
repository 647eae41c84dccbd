"""What can be said of a callable and of the error with which it refused."""

from __future__ import annotations

import contextlib
import difflib
import inspect
import re
from typing import Any

from helpers.masking import masked


def binds(function: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> bool:
    try:
        inspect.signature(function).bind(*args, **kwargs)
    except TypeError:
        return False
    except ValueError:
        return True
    return True


def name_of(function: Any) -> str:
    name = getattr(function, "__name__", "") or type(function).__name__
    return str(name)


def misspelt(function: Any, kwargs: dict[str, Any]) -> str:
    """The argument that a required one was meant by, where ``**kwargs`` would have swallowed it."""
    try:
        parameters = inspect.signature(function).parameters.values()
    except (TypeError, ValueError):
        return ""
    required = [one.name for one in parameters if one.default is one.empty]
    for argument in kwargs:
        if argument not in required and difflib.get_close_matches(argument, required, 1, 0.7):
            return argument
    return ""


def closest_argument(function: Any, argument: str) -> str:
    """The argument that will have been meant. The SDK's own are in its documentation only."""
    names = set(
        re.findall(
            r":(?:param|keyword)\s+(?:[\w.~\[\], ]+\s)?(\w+):", inspect.getdoc(function) or ""
        )
    )
    with contextlib.suppress(TypeError, ValueError):
        names |= set(inspect.signature(function).parameters)
    if function.__module__ == "datetime":  # its signatures cannot be read
        names |= {"days", "seconds", "microseconds", "milliseconds", "minutes", "hours", "weeks"}
    names -= {"self", "kwargs", "args"}
    close = difflib.get_close_matches(argument, sorted(names), 1, 0.5)
    return "".join(close)


def returned(function: Any) -> str:
    try:
        annotation = inspect.signature(function).return_annotation
        if annotation is not inspect.Signature.empty:
            return "None" if annotation is None else str(annotation)
        found = re.search(r"#\s*type:\s*\([^)]*\)\s*->\s*(.+)", inspect.getsource(function))
    except (TypeError, ValueError, OSError):
        return ""
    return found[1].strip() if found else ""


def is_about_type(error: Exception) -> bool:
    if isinstance(error, ValueError) and re.search(
        r"(?:should|must) be an? (?:list|tuple|str|string|int|integer|dict|bytes|instance)\b",
        str(error),
    ):
        return True
    return isinstance(error, TypeError | AttributeError) or type(error).__name__ in (
        "SerializationError",
        "ValidationError",
    )


def described(error: BaseException) -> str:
    name = type(error).__name__
    if "Refuse str type as a valid iter type" in str(error) or (
        name == "SerializationError" and "as [str] an object of type <class 'str'>" in str(error)
    ):
        # What the SDK says fills a page.
        return f"{name}: text where a list is needed"
    text = next(iter(str(error).strip().splitlines()), "")
    if len(text) > 160:
        text = text[:159] + "…"
    return masked(f"{name}: {text}" if text else name)


def without_function_name(text: str) -> str:
    return masked(re.sub(r"^[\w.<>]+\(\)\s+", "", text))
