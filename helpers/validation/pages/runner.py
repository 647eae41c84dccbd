"""Runs a page's program against a sandbox of its own, and reports what happens as it happens.

This is the process that ``trial`` starts: ``python -m helpers.validation.pages.runner PROGRAM EVENTS``. It reads a pickled
:class:`~helpers.validation.pages.trial.Task` and appends one line of JSON per event.
"""

from __future__ import annotations

import ast
import asyncio
import builtins
import contextlib
import contextvars
import difflib
import importlib
import inspect
import io
import json
import operator
import os
import pickle
import re
import sys
import threading
import types
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from helpers.masking import masked
from helpers.sandbox import Sandbox
from helpers.validation.pages.calls import (
    binds,
    closest_argument,
    described,
    is_about_type,
    misspelt,
    name_of,
    without_function_name,
)
from helpers.validation.pages.guard import Guard, NotTried
from helpers.validation.pages.instrument import RUNNER, instrument
from helpers.validation.pages.packages import DEPRECATED_MODULES, RENAMED_CLASSES
from helpers.validation.pages.standin import UNKNOWN, StandIn, is_standin
from helpers.validation.pages.surroundings import hurry, set_environment, sign_in_by_itself, trust
from helpers.validation.pages.values import RENAMED, Identity, Repaired, Values
from helpers.validation.secrets import claims_of

FILE = "<page>"

_CALLS_PER_PLACE = 300
_JWT = re.compile(r"\beyJ[\w-]+\.[\w-]+\.[\w-]+")
_OPERATORS: dict[str, Callable[[Any, Any], Any]] = {
    "Add": operator.add, "Sub": operator.sub, "Mult": operator.mul, "MatMult": operator.matmul,
    "Div": operator.truediv, "Mod": operator.mod, "Pow": operator.pow, "LShift": operator.lshift,
    "RShift": operator.rshift, "BitOr": operator.or_, "BitXor": operator.xor,
    "BitAnd": operator.and_, "FloorDiv": operator.floordiv,
}  # fmt: skip

_expected: contextvars.ContextVar[tuple[type[BaseException], ...]] = contextvars.ContextVar(
    "expected", default=()
)


class _Stop(BaseException):
    """A loop that does not end by itself."""


class _Builtins(dict[str, Any]):
    """Answers for names that nothing defines. Python asks it last, inside functions too."""

    def __init__(self, runner: Runner) -> None:
        super().__init__(vars(builtins))
        self._runner = runner

    def __missing__(self, name: str) -> Any:
        if name.startswith("__") and name.endswith("__"):
            raise KeyError(name)
        return self._runner.undefined(name)


class Runner:
    def __init__(self, task: Any, events: int, sandbox: Sandbox, guard: Guard) -> None:
        self.task = task
        self.sandbox = sandbox
        self.guard = guard
        self.at = (0, 0)
        self._events = events
        self._reported: set[str] = set()
        self._counts: Counter[tuple[int, int]] = Counter()
        self.values = Values(sandbox)
        self._coroutines: dict[int, Any] = {}
        self._placeholders: dict[str, Any] = {}
        self._branches: list[tuple[dict[str, Any], set[str]]] = []
        self._deleting_failed = False
        self._entered: set[int] = set()
        self.uncalled = False
        self._secrets = [key for resource in sandbox.resources() for _number, key in resource.keys]
        self.namespace: dict[str, Any] = {
            "__name__": "__main__",
            "__file__": "page.py",
            "__doc__": None,
            RUNNER: self,
        }
        names = _Builtins(self)
        names["input"] = self._input
        self.namespace["__builtins__"] = names
        self.loop = asyncio.new_event_loop()

    # Events

    def send(self, event: str, **details: Any) -> None:
        line = json.dumps({"event": event, **details}, default=str) + "\n"
        os.write(self._events, line.encode())

    def report(
        self, rule: str, line: int, column: int, *, sdk: bool = False, **details: Any
    ) -> None:
        """Report a problem. *sdk*: the SDK said so, whatever the values around it are."""
        if self.uncalled and not sdk and rule not in ("service-refuses", "secret-printed"):
            return
        key = json.dumps([rule, line, column, details], default=str)
        if key not in self._reported:
            self._reported.add(key)
            self.send("problem", rule=rule, line=line, column=column, details=details)

    def not_tried(self, line: int, reason: str) -> None:
        self.send("not-tried", line=line, reason=reason)

    def printed(self, text: str) -> None:
        line, column = self.at
        if not self.uncalled:
            self.send("printed", line=line, text=text)
        kind = ""
        lowered = text.lower()
        if any(secret in text for secret in self._secrets):
            kind = "connection-string" if "accesskey=" in lowered else "key"
        elif any(claims_of(found) for found in _JWT.findall(text)):
            kind = "token"
        if kind:
            self.report("secret-printed", line, column, kind=kind)

    # Running

    def run(self) -> None:
        for piece in self.task.pieces:
            try:
                module = instrument(piece.body, interactive=piece.interactive)
            except RecursionError:
                self.not_tried(piece.body[0].lineno, "too deep")
                continue
            for statement in module.body:
                self._run(statement)
        for raw_id, (line, column) in self.values.alive.items():
            if raw_id not in self.values.hidden:
                self.send("left", line=line, column=column)
        self._call_what_nothing_calls()
        self.send("end", deleting_failed=self._deleting_failed)

    def _call_what_nothing_calls(self) -> None:
        """Try functions that the page only shows, such as those a web framework would call.

        What they are given is unknown, so only what they ask of the SDK counts.
        """
        self.uncalled = True
        for name, function in list(self.namespace.items()):
            if not isinstance(function, types.FunctionType) or not _is_of_page(function):
                continue
            code = function.__code__
            if name.startswith("__") or any(
                line in self._entered for line in range(code.co_firstlineno, _last_line(code) + 1)
            ):
                continue
            arguments = {
                parameter.name: self._argument(parameter)
                for parameter in inspect.signature(function).parameters.values()
                if parameter.default is parameter.empty
                and parameter.kind in (parameter.POSITIONAL_OR_KEYWORD, parameter.KEYWORD_ONLY)
            }
            try:
                result = function(**arguments)
                if inspect.iscoroutine(result):
                    self.loop.run_until_complete(result)
            except (Exception, _Stop, SystemExit):
                continue

    def _argument(self, parameter: inspect.Parameter) -> Any:
        annotation = parameter.annotation
        kind = annotation if isinstance(annotation, str) else getattr(annotation, "__name__", "")
        if "CommunicationIdentityClient" in kind or parameter.name in ("client", "identity_client"):
            return self.values.working_client()
        if kind == "CommunicationUserIdentifier":
            return self.values.identity()
        return StandIn()

    def _run(self, statement: ast.stmt) -> None:
        try:
            code = compile(
                ast.Module([statement], []),
                FILE,
                "exec",
                flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT,
                dont_inherit=True,
            )
        except (SyntaxError, ValueError) as error:
            line = getattr(error, "lineno", None) or statement.lineno
            self.report(
                "syntax", line, 0, kind="python", reason=getattr(error, "msg", None) or str(error)
            )
            return
        self.at = (statement.lineno, statement.col_offset)
        try:
            result = eval(code, self.namespace)
            if inspect.iscoroutine(result):
                self.loop.run_until_complete(result)
        except _Stop:
            self.not_tried(self.at[0], "loop")
        except SystemExit:
            pass
        except Exception as error:
            self.failed(statement.lineno, statement.col_offset, error)
        except BaseException as error:
            self.report("fails", *self.at, kind="exception", error=described(error))

    # What the instrumented program calls

    def entered(self, line: int, column: int, name: str) -> None:
        if not self.uncalled:
            self._entered.add(line)
            self.send("entered", line=line)

    def begin_alternative(self, line: int, column: int) -> None:
        self._branches.append((dict(self.namespace), set(self.values.alive)))

    def end_alternative(self, line: int, column: int) -> None:
        before, alive = self._branches.pop()
        for name, value in before.items():
            self.namespace[name] = value
        # Nobody follows both ways: what this one created, the reader of the other never had.
        self.values.hidden |= set(self.values.alive) - alive

    @contextlib.contextmanager
    def expecting(self, line: int, column: int, types_of: Callable[[], Any]) -> Iterator[None]:
        try:
            kinds = tuple(
                kind
                for kind in types_of()
                if isinstance(kind, type) and issubclass(kind, BaseException)
            )
        except Exception:
            kinds = ()
        token = _expected.set(_expected.get() + kinds)
        try:
            yield
        finally:
            with contextlib.suppress(ValueError):
                _expected.reset(token)

    def failed(self, line: int, column: int, error: Exception) -> Any:
        if isinstance(error, _expected.get()):
            raise error
        if not self._excused(line, error):
            trace = error.__traceback__
            last = line
            while trace is not None:
                if trace.tb_frame.f_code.co_filename == FILE:
                    last = trace.tb_lineno
                trace = trace.tb_next
            self.report(
                "wrong-type" if isinstance(error, TypeError) else "fails",
                last,
                column if last == line else 0,
                kind="exception",
                error=described(error),
            )
        return StandIn()

    def stand_in(self, name: str) -> Any:
        return self.namespace.get(name, StandIn())

    def shown(self, line: int, column: int, value: Any) -> None:
        if value is not None:
            self.at = (line, column)
            self.printed(repr(value) + "\n")

    def missing_import(
        self, line: int, column: int, error: Exception, module: str, name: str
    ) -> Any:
        if isinstance(error, _expected.get()):
            raise error
        replacement = DEPRECATED_MODULES.get(module)
        if replacement:
            with contextlib.suppress(ImportError):
                found = importlib.import_module(replacement)
                if name and hasattr(found, RENAMED_CLASSES.get(name, name)):
                    return getattr(found, RENAMED_CLASSES.get(name, name))
            return StandIn()
        if isinstance(error, ModuleNotFoundError) and error.name:
            self.send(
                "no-module", line=line, column=column, module=module, missing=error.name, name=name
            )
            return StandIn()
        if isinstance(error, ImportError) and name:
            names = dir(sys.modules.get(module))
            close = difflib.get_close_matches(RENAMED_CLASSES.get(name, name), names, 1, 0.75)
            self.report(
                "unknown-import", line, column, module=module, name=name, suggestion="".join(close)
            )
            if close:
                return getattr(sys.modules[module], close[0])
        elif not self._excused(line, error):
            self.report("fails", line, column, kind="exception", error=described(error))
        return StandIn()

    def undefined(self, name: str) -> Any:
        """The best value for a name that nothing defines; ``checks`` has reported it already, or it is defined later."""
        if name in self.task.imports:
            module, attribute = self.task.imports[name]
            try:
                value: Any = importlib.import_module(module)
                value = getattr(value, attribute) if attribute else value
            except Exception:
                value = StandIn()
            if not attribute:
                value = sys.modules.get(
                    module.partition(".")[0] if "." in module else module, value
                )
            self.namespace[name] = value
            return value
        frame = sys._getframe(1)
        while frame.f_code.co_filename != FILE and frame.f_back:
            frame = frame.f_back
        if name in self.task.bound:
            self.send("undefined", name=name, line=frame.f_lineno)
        return self.values.guess(name, {**self.namespace, **frame.f_locals})

    def attribute(self, line: int, column: int, value: Any, name: str) -> Any:
        try:
            return getattr(value, name)
        except AttributeError as error:
            if isinstance(error, _expected.get()):
                raise
            if isinstance(value, str) and UNKNOWN in value:
                return lambda *args, **kwargs: UNKNOWN
            if is_standin(value):
                return StandIn()
            return self._repaired_attribute(line, column, value, name)
        except Exception as error:
            return self.failed(line, column, error)

    def _repaired_attribute(self, line: int, column: int, value: Any, name: str) -> Any:
        owner = (
            value.__name__ if isinstance(value, type | types.ModuleType) else type(value).__name__
        )
        sdk = type(value).__module__.startswith("azure.") or owner.startswith("azure.")
        details: dict[str, Any] = {"owner": owner, "name": name, "sdk": sdk}
        properties = getattr(value, "properties", None)
        if name in ("identifier", "id", "user_id", "communication_user_id") and isinstance(
            properties, dict
        ):
            self.report("unknown-attribute", line, column, suggestion='properties["id"]', **details)
            return Identity(properties.get("id", UNKNOWN))
        if isinstance(value, dict) and name in value:
            self.report("unknown-attribute", line, column, suggestion=f'["{name}"]', **details)
            return value[name]
        if inspect.iscoroutine(value):
            self.report("unknown-attribute", line, column, kind="not-awaited", **details)
            value.close()
            function, _tainted = self._coroutines.pop(id(value), (None, False))
            return getattr(self.values.result_of(function), name, StandIn())
        if isinstance(value, tuple):
            for number, element in enumerate(value):
                if hasattr(element, name):
                    self.report(
                        "unknown-attribute",
                        line,
                        column,
                        suggestion=f"[{number}].{name}",
                        **details,
                    )
                    return getattr(element, name)
        if isinstance(value, str) and name in ("strftime", "isoformat", "timestamp", "astimezone"):
            self.report("unknown-attribute", line, column, kind="time-is-text", **details)
            return lambda *args, **kwargs: UNKNOWN
        names = [known for known in dir(value) if not known.startswith("_")]
        snake = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower().removesuffix("_async")
        wanted = RENAMED.get(snake, snake)
        close = [wanted] if wanted in names else difflib.get_close_matches(wanted, names, 1, 0.6)
        self.report("unknown-attribute", line, column, suggestion="".join(close), **details)
        if not close:
            return StandIn()
        found = getattr(value, close[0])
        if callable(found):
            # Its arguments may have been others under the old name: what it refuses now is no mistake of its own.
            return Repaired(found)
        return found

    def item(self, line: int, column: int, value: Any, key: Any) -> Any:
        try:
            return value[key]
        except Exception as error:
            if isinstance(error, _expected.get()):
                raise
            if is_standin(value) or is_standin(key) or self._excused(line, error):
                return StandIn()
            if value is os.environ:
                return UNKNOWN
            kind = type(value).__name__
            if isinstance(error, TypeError):
                self.report("wrong-type", line, column, kind="exception", error=described(error))
                attribute = getattr(value, key, None) if isinstance(key, str) else None
                return attribute if attribute is not None else StandIn()
            known = list(value) if isinstance(value, dict) else []
            close = difflib.get_close_matches(str(key), [str(one) for one in known], 1, 0.5)
            if len(known) == 1:
                close = [str(known[0])]
            self.report(
                "fails", line, column, kind="item", owner=kind, key=repr(key),
                suggestion="".join(close), error=described(error),
            )  # fmt: skip
            if close and close[0] in value:
                found = value[close[0]]
                is_raw_id = isinstance(found, str) and found.startswith("8:acs:")
                return Identity(found) if is_raw_id else found
            return StandIn()

    def binary(self, line: int, column: int, left: Any, right: Any, kind: str) -> Any:
        try:
            return _OPERATORS[kind](left, right)
        except Exception as error:
            if isinstance(error, _expected.get()):
                raise
            if is_standin(left) or is_standin(right):
                text = [one for one in (left, right) if isinstance(one, str)]
                return UNKNOWN if text else StandIn()
            if (
                isinstance(error, TypeError)
                and kind == "Add"
                and (isinstance(left, str) or isinstance(right, str))
            ):
                other = right if isinstance(left, str) else left
                self.report("wrong-type", line, column, kind="text", type=type(other).__name__)
                return f"{left}{UNKNOWN}" if isinstance(left, str) else f"{UNKNOWN}{right}"
            return self.failed(line, column, error)

    def context(self, line: int, column: int, value: Any) -> Any:
        kind = type(value)
        if isinstance(value, contextlib.suppress):
            return _Suppressing(value)
        if isinstance(value, StandIn) or hasattr(kind, "__enter__") or hasattr(kind, "__aenter__"):
            return value
        self.report("wrong-type", line, column, kind="context", type=kind.__name__)
        return _Nothing(value)

    async def awaited(self, line: int, column: int, value: Any) -> Any:
        function, tainted = self._coroutines.pop(id(value), (None, False))
        before, self.at = self.at, (line, column)
        try:
            if not inspect.isawaitable(value):
                if not is_standin(value):
                    self.report("wrong-type", line, column, kind="await", type=type(value).__name__)
                return value
            self.guard.touched = ""
            result = await value
        except Exception as error:
            if isinstance(error, _expected.get()):
                raise
            if function is None or _is_of_page(function):
                return self.failed(line, column, error)
            arguments = (StandIn(),) if tainted else ()
            result = self._refused(line, column, function, arguments, {}, error)
        finally:
            self.at = before
        self._after(line, column, result)
        return result

    def call(self, line: int, column: int, function: Any, *args: Any, **kwargs: Any) -> Any:
        place = (line, column)
        if list(place) in self.task.skip:
            return self.values.result_of(function)
        self._counts[place] += 1
        if self._counts[place] > _CALLS_PER_PLACE:
            raise _Stop
        before, self.at = self.at, place
        native = isinstance(function, types.BuiltinFunctionType)
        if not native:
            self.send("call", line=line, column=column)
            self.guard.touched = ""
        try:
            result = function(*args, **kwargs)
        except Exception as error:
            if isinstance(error, (*_expected.get(), StopIteration, StopAsyncIteration)):
                raise
            if _is_of_page(function) and binds(function, args, kwargs):
                raise
            result = self._refused(line, column, function, args, kwargs, error)
        finally:
            self.at = before
        if inspect.iscoroutine(result):
            tainted = is_standin(args) or is_standin(kwargs)
            self._coroutines[id(result)] = (function, tainted)
        elif not native:
            self._after(line, column, result)
        return result

    def placeholder(self, line: int, column: int, text: str, name: str) -> Any:
        """The reader's own value for a literal such as ``"<your connection string>"``."""
        key = f"{name}\0{text}"
        if key not in self._placeholders:
            self._placeholders[key] = self.values.own_value(text, name)
        return self._placeholders[key]

    # What becomes of a failure

    def _excused(self, line: int, error: BaseException) -> bool:
        """Whether the page cannot be blamed: it needs what a check has not, or something before it failed."""
        text = f"{type(error).__name__} {error}"
        if (
            UNKNOWN in text
            or ascii(UNKNOWN)[1:-1] in text
            or "StandIn" in text
            or "stand-in" in text
        ):
            return True
        if self.guard.touched or isinstance(error, NotTried):
            self.not_tried(line, self.guard.touched)
            return True
        response: Any = getattr(error, "response", None)
        url = getattr(getattr(response, "request", None), "url", None)
        if isinstance(url, str):
            path = re.sub(r"^https?://[^/]+", "", url)
            reads_threads = path.startswith("/chat/threads?") and response.request.method == "GET"
            if not (path.startswith(("/identities", "/teamsUser")) or reads_threads):
                self.not_tried(line, path.partition("?")[0])
                return True
        return False

    def _refused(
        self,
        line: int,
        column: int,
        function: Any,
        args: tuple[Any, ...],
        kwargs: dict[str, Any],
        error: Exception,
    ) -> Any:
        """Report why a call failed, and return the best stand-in for its result."""
        name = name_of(function)
        repaired = isinstance(function, Repaired)
        target = function.function if repaired else function
        if "delete" in name:
            self._deleting_failed = True
        if repaired:
            return self.values.result_of(target)
        text = str(error)
        sdk = str(getattr(target, "__module__", "")).startswith("azure.")
        unknown = re.search(
            r"unexpected keyword argument '(\w+)'|'(\w+)' is an invalid keyword", text
        )
        argument = (unknown[1] or unknown[2]) if unknown else misspelt(target, kwargs)
        if isinstance(error, TypeError) and argument in kwargs:
            self.report(
                "wrong-arguments", line, column, kind="unknown", call=name, argument=argument,
                suggestion=closest_argument(target, argument), sdk=sdk,
            )  # fmt: skip
            rest = {key: value for key, value in kwargs.items() if key != argument}
            if not binds(target, args, rest):
                return self.values.result_of(target)
            return self.call(line, column, function, *args, **rest)
        status = getattr(error, "status_code", None)
        if isinstance(error, TypeError) and not binds(target, args, kwargs):
            self.report(
                "wrong-arguments", line, column, kind="number", call=name,
                error=without_function_name(text), sdk=sdk,
            )  # fmt: skip
        elif is_standin(args) or is_standin(kwargs) or self._excused(line, error):
            pass
        elif isinstance(status, int):
            detail = getattr(error, "error", None)
            self.report(
                "service-refuses", line, column, call=name, status=status,
                code=str(getattr(detail, "code", "") or ""),
                error=masked(str(getattr(detail, "message", "") or "") or text.splitlines()[0]),
            )  # fmt: skip
        elif is_about_type(error):
            self.report(
                "wrong-type", line, column, kind="call", call=name, error=described(error), sdk=sdk
            )
        else:
            self.report("fails", line, column, kind="call", call=name, error=described(error))
        return self.values.result_of(target)

    def _input(self, prompt: object = "") -> str:
        if prompt:
            self.printed(str(prompt))
        return UNKNOWN

    # What happened on the sandbox

    def _after(self, line: int, column: int, result: Any) -> None:
        rows = self.sandbox.snapshot().tables["identities"]
        if len(rows) != len(self.values.alive) or any(
            row[0] not in self.values.alive for row in rows
        ):
            present = {row[0] for row in rows}
            for raw_id in [raw_id for raw_id in self.values.alive if raw_id not in present]:
                del self.values.alive[raw_id]
            for raw_id in present - set(self.values.alive):
                self.values.alive[raw_id] = (line, column)
        # An AccessToken is a tuple too.
        several = isinstance(result, tuple) and not hasattr(result, "token")
        for token in result if several else (result,):
            text = getattr(token, "token", None)
            if isinstance(text, str) and (claims := claims_of(text)) and "skypeid" in claims:
                minutes = round((claims["exp"] - claims["iat"]) / 60)
                self.send("token", line=line, column=column, minutes=minutes)


class _Suppressing:
    """``contextlib.suppress``: what it suppresses is expected."""

    def __init__(self, suppress: contextlib.suppress) -> None:
        self._suppress = suppress

    def __enter__(self) -> None:
        self._token = _expected.set((*_expected.get(), *vars(self._suppress)["_exceptions"]))

    def __exit__(self, *args: Any) -> bool:
        _expected.reset(self._token)
        return self._suppress.__exit__(*args)


class _Nothing:
    """Lets a ``with`` go on over what is no context manager."""

    def __init__(self, value: Any) -> None:
        self._value = value

    def __enter__(self) -> Any:
        return self._value

    def __exit__(self, *args: object) -> None:
        pass

    async def __aenter__(self) -> Any:
        return self._value

    async def __aexit__(self, *args: object) -> None:
        pass


class _Output(io.TextIOBase):
    def __init__(self, runner: Runner) -> None:
        self._runner = runner

    def write(self, text: str) -> int:
        if text:
            self._runner.printed(text)
        return len(text)

    def writable(self) -> bool:
        return True


def _last_line(code: types.CodeType) -> int:
    lines = [line for _start, _end, line in code.co_lines() if line]
    return max(lines, default=code.co_firstlineno)


def _is_of_page(function: Any) -> bool:
    code = getattr(getattr(function, "__func__", function), "__code__", None)
    if isinstance(function, type):
        return function.__module__ == "__main__"
    return code is not None and code.co_filename == FILE


def main(task_path: str, events_path: str) -> None:
    task = pickle.loads(Path(task_path).read_bytes())
    events = os.open(events_path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    guard = Guard()
    with Sandbox(None) as sandbox:
        trust(sandbox, Path(os.getcwd()))
        runner = Runner(task, events, sandbox, guard)
        hurry(threading.main_thread())
        if task.signs_in:
            sign_in_by_itself(sandbox, runner.values)
        set_environment(runner.values, task.environment)
        # So that what the page's own modules leave behind is not taken for its mistakes.
        sys.argv = ["page.py"]
        sys.stdin = io.StringIO("")
        output = _Output(runner)
        real_output, real_error = sys.stdout, sys.stderr
        sys.stdout = output
        sys.stderr = io.StringIO()
        guard.active = True
        try:
            asyncio.set_event_loop(runner.loop)
            runner.run()
        finally:
            guard.active = False
            sys.stdout, sys.stderr = real_output, real_error
    # Threads that a page left running do not hold up the check.
    os._exit(0)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2])
