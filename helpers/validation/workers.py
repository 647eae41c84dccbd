"""Processes that run notebooks (``worker.py``), and how several of them share the work."""

from __future__ import annotations

import json
import os
import subprocess
import tempfile
import time
from collections.abc import Callable, Generator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import Any, TypeVar

import psutil

Event = dict[str, Any]
Item = TypeVar("Item")
Result = TypeVar("Result")

_ENDING_SECONDS = 5
_PROGRAM = Path(__file__).with_name("worker.py")


class Worker:
    """One process that runs notebooks, one at a time. Started when it is needed, and again should it have ended."""

    def __init__(self, python: str, environment: dict[str, str]) -> None:
        self._command = [python, str(_PROGRAM)]
        self._environment = environment
        self._process: subprocess.Popen[str] | None = None
        self._killed = False
        # A file, because nobody reads a pipe while the process runs.
        self._complaints = tempfile.TemporaryFile(  # noqa: SIM115 – closed in kill()
            "w+", encoding="utf-8", errors="replace"
        )

    def run(self, job: Event, *, told: Callable[[Event], None]) -> None:
        """Run one notebook; *told* gets each event, a last one called ``ended`` if the process ends before its time."""
        if self._killed:
            return
        if self._process is None or self._process.poll() is not None:
            self._close_pipes()
            self._process = subprocess.Popen(
                self._command,
                env=self._environment,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=self._complaints,
                encoding="utf-8",
            )
        process = self._process
        assert process.stdin and process.stdout
        # Errors mean that the process ended in the middle of a line, which the last event says.
        with suppress(OSError, ValueError):
            process.stdin.write(json.dumps(job) + "\n")
            process.stdin.flush()
            for line in process.stdout:
                event = json.loads(line)
                if event["event"] == "done":
                    return
                told(event)
        told({"event": "ended", "status": process.wait(), "text": self._last_words()})

    def kill(self) -> None:
        """End the process and the kernels that it started; it runs nothing any more."""
        self._killed = True
        process = self._process
        if process is not None and process.poll() is None:
            kernels: list[psutil.Process] = []
            with suppress(psutil.Error):
                kernels = psutil.Process(process.pid).children(recursive=True)
            process.kill()
            process.wait()
            for kernel in kernels:
                _end(kernel)
        self._close_pipes()
        self._complaints.close()

    def _close_pipes(self) -> None:
        if self._process is not None:
            for pipe in (self._process.stdin, self._process.stdout):
                if pipe is not None:
                    with suppress(OSError):  # What was still to be written has no reader any more.
                        pipe.close()

    def _last_words(self) -> str:
        with suppress(ValueError):  # Closed: it was killed, and there is nobody to tell.
            self._complaints.seek(0)
            return self._complaints.read().strip()
        return ""


def _end(kernel: psutil.Process) -> None:
    """Kill a kernel and see it dead: only then does its session count as ended, and what it made can be cleaned up."""
    until = time.monotonic() + _ENDING_SECONDS
    with suppress(psutil.Error):
        kernel.kill()
        # Nobody may be there to take the dead process off the list.
        while kernel.status() != psutil.STATUS_ZOMBIE and time.monotonic() < until:
            time.sleep(0.01)


def share(
    items: Sequence[Item],
    work: Callable[[Worker, Item], Result],
    *,
    jobs: int,
    python: str,
    environment: dict[str, str] | None = None,
) -> Generator[Result, None, None]:
    """Do *work* for each of the *items*, *jobs* at a time, each with a worker of its own; yield what is done, as it is.

    Why not pytest-xdist: its workers cannot outlive a crash of their own with a report, and it is no dependency of the
    tutorial, whose own command this is.
    """
    waiting: SimpleQueue[Item] = SimpleQueue()
    for item in items:
        waiting.put(item)
    done: SimpleQueue[Result] = SimpleQueue()
    jobs = max(1, min(jobs, len(items)))
    workers = [Worker(python, dict(environment or os.environ)) for _number in range(jobs)]
    stopped = False

    def draw(worker: Worker) -> None:
        while not stopped:
            try:
                item = waiting.get_nowait()
            except Empty:
                return
            done.put(work(worker, item))

    with ThreadPoolExecutor(jobs) as threads:
        drawing = [threads.submit(draw, worker) for worker in workers]
        try:
            for _item in items:
                while True:
                    try:
                        # A short wait: on Windows nothing else lets Ctrl-C through.
                        yield done.get(timeout=0.2)
                        break
                    except Empty:
                        for thread in drawing:
                            if thread.done() and (error := thread.exception()):
                                raise error from None
        finally:
            stopped = True
            for worker in workers:
                worker.kill()
