"""Keeps a page's program to itself while it is tried: no network beyond this machine, no other programs, no files elsewhere.

It stops what a page would do by the way. It is no wall against code that means harm.
"""

from __future__ import annotations

import ipaddress
import os
import socket
import sys
import tempfile
from pathlib import Path
from typing import Any


class NotTried(OSError):
    """Something that a check must not do: what it would have answered is unknown."""


class Guard:
    """Installed once per process; works while ``active``."""

    def __init__(self) -> None:
        self.active = False
        self.touched = ""
        """What was last refused; empty if nothing was."""
        self._folders = tuple(
            str(Path(folder).resolve()) for folder in {os.getcwd(), tempfile.gettempdir()}
        )
        sys.addaudithook(self._check)

    def _check(self, event: str, arguments: tuple[Any, ...]) -> None:
        if not self.active:
            return
        if event in ("socket.connect", "socket.sendto", "socket.sendmsg"):
            address = arguments[1]
            if isinstance(address, tuple) and not _is_this_machine(address[0]):
                self._refuse(str(address[0]))
        elif event in ("socket.getaddrinfo", "socket.gethostbyname"):
            if not _is_this_machine(arguments[0]):
                self._refuse(str(arguments[0]))
        elif event in ("subprocess.Popen", "os.system", "os.exec", "os.posix_spawn", "os.fork",
                       "os.spawn", "os.startfile", "webbrowser.open", "pty.spawn"):  # fmt: skip
            self._refuse(event)
        elif event == "open":
            path, mode, flags = arguments
            writes = (isinstance(mode, str) and set(mode) & set("wax+")) or (
                isinstance(flags, int) and flags & (os.O_WRONLY | os.O_RDWR | os.O_CREAT)
            )
            if writes and isinstance(path, str | bytes):
                self._check_path(path)
        elif event in ("os.remove", "os.rename", "os.rmdir", "os.mkdir", "os.truncate",
                       "shutil.rmtree", "shutil.move", "os.chmod", "os.link", "os.symlink"):  # fmt: skip
            self._check_path(arguments[0])

    def _check_path(self, path: Any) -> None:
        if isinstance(path, bytes):
            path = os.fsdecode(path)
        if not isinstance(path, str) or path == os.devnull:
            return
        absolute = os.path.realpath(path)
        if not any(
            absolute == folder or absolute.startswith(folder + os.sep) for folder in self._folders
        ):
            self._refuse(path)

    def _refuse(self, what: str) -> None:
        self.touched = what
        raise NotTried(f"a check does not reach {what}")


def _is_this_machine(host: Any) -> bool:
    if isinstance(host, bytes):
        host = host.decode("ascii", "replace")
    if host in (None, "", "localhost", socket.gethostname()):
        return True
    try:
        address = ipaddress.ip_address(str(host).partition("%")[0])
    except ValueError:
        return False
    return address.is_loopback or address.is_unspecified
