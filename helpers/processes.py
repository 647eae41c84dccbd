"""Which of the tutorial's sessions still run: each kernel is a process, and leaves its mark in the journal."""

from __future__ import annotations

import os
import socket
import sys
import time

# A lesson takes a quarter of an hour.
_LONGEST_LESSON_SECONDS = 3600


def this_one() -> tuple[str, int, float]:
    """Return this machine's name, this process's number, and when it started (unix seconds)."""
    if sys.platform == "emscripten":
        return socket.gethostname(), os.getpid(), time.time()
    import psutil

    return socket.gethostname(), os.getpid(), psutil.Process().create_time()


def is_running(host: str, number: int, started: float) -> bool:
    """Say whether a process still runs, given what `this_one` said in it."""
    if host != socket.gethostname():
        return True  # A shared home folder: another machine's sessions are its own business.
    if sys.platform == "emscripten":
        # A browser does not tell which of its notebooks are open. Those of the last hour may be: what they made is theirs.
        return time.time() - started < _LONGEST_LESSON_SECONDS
    import psutil

    try:
        process = psutil.Process(number)
        # In a container without an init, a killed kernel whose parent is gone stays in the list of processes for ever.
        if process.status() == psutil.STATUS_ZOMBIE:
            return False
        # A process number can be given out again, so its start counts too.
        return bool(abs(process.create_time() - started) < 1)
    except psutil.Error:
        return False
