"""Runs notebooks under nbval and tells what each cell did: a job comes in as a line of JSON, each event leaves as one.

This is a program, run as a script in a process of its own, for three reasons. What speeds nbval up must happen before
pytest is imported. A kernel that takes its parent along must not take the report along. And with another release of the SDK,
the interpreter is that of another environment, where importing ``helpers`` may be just what breaks: so nothing here does.

The comparison is nbval's own, unchanged: this is a pytest plugin beside it, with its kernel made attentive.
"""

from __future__ import annotations

import os
import sys

# A script's folder comes first on the path; the modules beside this one must not pass for the standard library's.
_HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:] = [folder for folder in sys.path if os.path.abspath(folder or ".") != _HERE]
# jsonschema asks for this package and does without it; its grammar takes a second to build, at every “import nbformat”.
sys.modules.setdefault("rfc3987_syntax", None)  # type: ignore[arg-type]
# Only nbval is wanted, whatever else is installed beside it.
os.environ["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"

import ast  # noqa: E402
import contextlib  # noqa: E402
import io  # noqa: E402
import json  # noqa: E402
import tempfile  # noqa: E402
import threading  # noqa: E402
import time  # noqa: E402
from collections.abc import Generator, Iterator, Mapping  # noqa: E402
from pathlib import Path  # noqa: E402
from queue import Empty, SimpleQueue  # noqa: E402
from typing import Any, TextIO  # noqa: E402

import nbval.plugin  # type: ignore[import-untyped]  # noqa: E402
import pytest  # noqa: E402
from nbval.kernel import RunningKernel  # type: ignore[import-untyped]  # noqa: E402

_LOOK_EVERY_SECONDS = 0.5
_STARTS = 2
_EXPLAIN_SECONDS = 20
_PRELUDE_SECONDS = 60
# Messages that a front end acts on and nbval does not.
_NOT_FOLLOWED = ("clear_output", "update_display_data")
_EXPLANATION = "__import__('json').dumps(vars(__import__('helpers').explain()))"


class KernelDied(Exception):
    """The kernel's process ended in the middle of a cell."""


class AttentiveKernel(RunningKernel):  # type: ignore[misc]
    """nbval's kernel, which notices when its process has ended instead of waiting for an answer until the time is up."""

    prelude = ""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        began = time.perf_counter()
        self.not_followed: set[str] = set()
        for attempt in range(1, _STARTS + 1):
            try:
                super().__init__(*arguments, **options)
                break
            except RuntimeError:
                # Two processes that start kernels at the same moment may be given the same port; the later kernel dies of it.
                if attempt == _STARTS:
                    raise
        self.start_seconds = time.perf_counter() - began
        if self.prelude:
            error = self.ask(self.prelude, {}, _PRELUDE_SECONDS).get("evalue")
            if error:
                raise RuntimeError(error)

    def await_reply(self, msg_id: str, timeout: float | None = None) -> None:
        until = time.monotonic() + (timeout or 0)
        while True:
            try:
                super().await_reply(msg_id, timeout=_LOOK_EVERY_SECONDS)
                return
            except Empty:
                if not self.is_alive():
                    self.stop()
                    raise KernelDied from None
                if time.monotonic() >= until:
                    raise

    def get_message(self, stream: str, timeout: float | None = None) -> dict[str, Any]:
        message: dict[str, Any] = super().get_message(stream, timeout=timeout)
        if message["msg_type"] in _NOT_FOLLOWED:
            self.not_followed.add(message["msg_type"])
        return message

    def ask(self, code: str, expressions: Mapping[str, str], seconds: float) -> dict[str, Any]:
        """Run *code* without a trace in history or outputs, and return the reply with the *expressions*' values."""
        asked = self.kc.execute(
            code, silent=True, store_history=False, allow_stdin=False, user_expressions=expressions
        )
        until = time.monotonic() + seconds
        while (left := until - time.monotonic()) > 0 and self.is_alive():
            with contextlib.suppress(Empty):
                message = self.kc.get_shell_msg(timeout=min(left, _LOOK_EVERY_SECONDS))
                if message["parent_header"].get("msg_id") == asked:
                    content: dict[str, Any] = message["content"]
                    return content
        return {}


class Reporter:
    """A pytest plugin that sends an event for each cell of the notebook that runs."""

    def __init__(self, events: TextIO, skipped_tags: list[str]) -> None:
        self._events = events
        self._skipped_tags = set(skipped_tags)

    def send(self, event: str, **facts: Any) -> None:
        self._events.write(json.dumps({"event": event, **facts}) + "\n")
        self._events.flush()

    def pytest_collection_modifyitems(self, items: list[Any]) -> None:
        for item in items:
            if self._skipped_tags & set(item.cell.metadata.get("tags", [])):
                item.options["skip"] = True

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        if report.failed:
            self.send("problem", text=report.longreprtext)

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(
        self, item: Any, call: pytest.CallInfo[None]
    ) -> Generator[None, pytest.TestReport, pytest.TestReport]:
        report = yield
        error = call.excinfo.value if call.excinfo else None
        if call.when == "call":
            self.send(
                "cell", number=item.cell_num, seconds=report.duration, **_facts(item, report, error)
            )
        elif error is not None and call.when == "setup":
            self.send(
                "cell",
                number=item.cell_num,
                seconds=report.duration,
                outcome="no-kernel",
                text=str(error) or type(error).__name__,
            )
        elif error is not None:
            self.send("problem", text=report.longreprtext)
        return report

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_setup(self, item: Any) -> Generator[None, None, None]:
        first = item.parent.kernel is None
        yield
        if first:
            self.send("kernel", seconds=item.parent.kernel.start_seconds)
        item.parent.kernel.not_followed.clear()


def _facts(item: Any, report: pytest.TestReport, error: BaseException | None) -> dict[str, Any]:
    """What became of a cell, in the words of the events."""
    outputs = [dict(output) for output in item.test_outputs or []]
    facts: dict[str, Any] = {
        "outcome": report.outcome,
        "outputs": outputs,
        "not_followed": sorted(item.parent.kernel.not_followed),
    }
    if hasattr(report, "wasxfail"):
        # nbval's word for: a cell before this one took too long, so what this one does means nothing.
        facts["outcome"] = "after-timeout"
    elif isinstance(error, KernelDied):
        facts["outcome"] = "kernel-died"
    elif error is not None and str(error) == "Kernel dead on test start":
        facts["outcome"] = "after-death"
    elif isinstance(error, nbval.plugin.NbCellError):
        facts["text"] = str(error)
        facts["traceback"] = error.inner_traceback or ""
        if str(error) == "Cell outputs differ":
            facts["outcome"] = "changed"
        elif str(error).startswith("Timeout"):
            facts["outcome"] = "timeout"
        elif any(output["output_type"] == "error" for output in outputs):
            facts["explanation"] = _explanation(item.parent.kernel)
    elif report.failed:
        facts["text"] = report.longreprtext
    return facts


def _explanation(kernel: AttentiveKernel) -> dict[str, str] | None:
    """Ask the kernel for the tutorial's words about its last error: only there is the error whole."""
    answer = kernel.ask("", {"explanation": _EXPLANATION}, _EXPLAIN_SECONDS)
    value = answer.get("user_expressions", {}).get("explanation", {})
    if value.get("status") != "ok":
        return None
    explanation: dict[str, str] = json.loads(ast.literal_eval(value["data"]["text/plain"]))
    return explanation


def run(job: dict[str, Any], events: TextIO, configuration: Path) -> None:
    """Run one notebook: its ``path``, with ``environment`` for the kernel and the names of ``rules`` and limits."""
    os.environ.update(job["environment"])
    AttentiveKernel.prelude = job["prelude"]
    reporter = Reporter(events, job["skipped_tags"])
    said = io.StringIO()
    with contextlib.redirect_stdout(said):
        status = pytest.main(
            [
                "--quiet",
                "--color=no",
                "--noconftest",
                "--capture=no",
                "--tb=no",
                f"--config-file={configuration}",
                f"--rootdir={Path(job['path']).parent}",
                "-p",
                "no:cacheprovider",
                "--nbval",
                "--nbval-current-env",
                f"--nbval-cell-timeout={job['cell_seconds']}",
                f"--nbval-sanitize-with={job['rules']}",
                job["path"],
            ],
            plugins=["nbval.plugin", reporter],
        )
    if status not in (
        pytest.ExitCode.OK,
        pytest.ExitCode.TESTS_FAILED,
        pytest.ExitCode.NO_TESTS_COLLECTED,
    ):
        reporter.send("problem", text=said.getvalue())
    reporter.send("done")


def _jobs() -> Iterator[dict[str, Any]]:
    """Yield jobs as they come in; when nobody can send any more, end at once, whatever a cell is doing.

    The kernel notices that its parent is gone and ends as well. Without this, the kernel of a run that was killed would go
    on, here unseen, and on a real resource at somebody's cost.
    """
    lines: SimpleQueue[str] = SimpleQueue()

    def listen() -> None:
        for line in sys.stdin:
            lines.put(line)
        os._exit(1)

    threading.Thread(target=listen, daemon=True).start()
    while True:
        yield json.loads(lines.get())


def main() -> None:
    # Events alone leave by standard output: whatever else would be printed there goes to standard error.
    events = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    # nbval has no hook for the kernel's class.
    nbval.plugin.RunningKernel = AttentiveKernel
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        configuration = Path(folder) / "pytest.ini"
        configuration.write_text("[pytest]\n", encoding="ascii")
        for job in _jobs():
            run(job, events, configuration)


if __name__ == "__main__":
    main()
