"""Finds a Chromium on this machine, whatever its name."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import Any

from playwright.sync_api import Playwright

_COMMANDS = (
    "chromium",
    "chromium-browser",
    "google-chrome",
    "google-chrome-stable",
    "microsoft-edge",
    "msedge",
)
_APPLICATIONS = (
    "/Applications/Chromium.app/Contents/MacOS/Chromium",
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
    "/Applications/Microsoft Edge.app/Contents/MacOS/Microsoft Edge",
)
_WINDOWS_FOLDERS = ("ProgramFiles", "ProgramFiles(x86)", "LocalAppData")
_WINDOWS_PROGRAMS = (
    "Google/Chrome/Application/chrome.exe",
    "Microsoft/Edge/Application/msedge.exe",
)


def find_chromium(playwright: Playwright) -> Path | None:
    """Return the executable of a Chromium, Chrome or Edge; Playwright's own comes first, if it was installed."""
    candidates = [Path(playwright.chromium.executable_path)]
    candidates += [Path(found) for name in _COMMANDS if (found := shutil.which(name))]
    candidates += [Path(application) for application in _APPLICATIONS]
    candidates += [
        Path(os.environ[folder]) / program
        for folder in _WINDOWS_FOLDERS
        if folder in os.environ
        for program in _WINDOWS_PROGRAMS
    ]
    return next((candidate for candidate in candidates if candidate.is_file()), None)


def launch_options() -> dict[str, Any]:
    """Return options that keep Chromium silent on the network; its own sandbox refuses to run for root."""
    arguments = [
        "--disable-background-networking",
        "--disable-component-update",
        "--disable-gpu",
        "--disable-quic",
        "--disable-sync",
        "--no-first-run",
    ]
    if hasattr(os, "geteuid") and os.geteuid() == 0:
        arguments.append("--no-sandbox")
    return {"args": arguments, "headless": True}
