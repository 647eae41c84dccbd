"""Refuses every connection and name lookup that would leave this machine.

Python imports a module of this name by itself when it starts, wherever the folder is on ``PYTHONPATH``: so the guard reaches
the test run's kernels and servers without a line in them. What was refused is also written to the file that
``ACS_TUTORIAL_GUARD_LOG`` names, for callers that swallow the error.
"""

from __future__ import annotations

import ipaddress
import os
import socket
import sys
from typing import Any

_CONNECTS = {"socket.connect", "socket.sendto", "socket.sendmsg"}
_LOOKS_UP = {"socket.getaddrinfo", "socket.gethostbyname"}
_THIS_MACHINE = {None, "", "localhost", socket.gethostname()}


class OutsideConnectionRefused(ConnectionRefusedError):
    """Something tried to reach beyond loopback."""


def _is_this_machine(host: Any) -> bool:
    if isinstance(host, bytes):
        host = host.decode("ascii", "replace")
    if host in _THIS_MACHINE:
        return True
    try:
        address = ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        return False
    return address.is_loopback or address.is_unspecified


def _refuse_outside(event: str, arguments: tuple[Any, ...]) -> None:
    if event in _CONNECTS:
        address = arguments[1]
        if not isinstance(
            address, tuple
        ):  # a Unix socket's path, or a datagram on a connected socket
            return
        host = address[0]
    elif event in _LOOKS_UP:
        host = arguments[0]
    else:
        return
    if _is_this_machine(host):
        return
    sentence = f"{event} to {host!r}: only this machine may be reached"
    if log := os.environ.get("ACS_TUTORIAL_GUARD_LOG"):
        with open(log, "a", encoding="utf-8") as file:
            file.write(sentence + "\n")
    raise OutsideConnectionRefused(sentence)


sys.addaudithook(_refuse_outside)
