"""A baseline: the findings that are known, so that only new ones count.

A finding is known by its file, its rule, its message and the text of its line, not by the line's number: lines above it may
come and go.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from helpers.errors import TutorialError
from helpers.language import gettext as _
from helpers.validation.pages.findings import Finding

_VERSION = 1


def fingerprint(finding: Finding, *, folder: Path) -> str:
    """What a finding is known by, wherever its line is now. *folder*: what its file is named from."""
    text = re.sub(r"\s+", " ", finding.text)
    # Line numbers of other places, and ids that differ from run to run, are part of some messages.
    message = re.sub(r"\d+|\b[0-9a-f]{8}-[\w-]+", "#", finding.message) if not text else ""
    parts = [relative(finding.file, folder), finding.rule, text, message]
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:16]


def relative(path: Path, folder: Path) -> str:
    """*path* as seen from *folder*, with forward slashes on every system."""
    try:
        return Path(os.path.relpath(path.resolve(), folder.resolve())).as_posix()
    except ValueError:  # another drive on Windows
        return path.resolve().as_posix()


def read(path: Path) -> Counter[str]:
    """Return the known findings in a baseline file, and how often each occurs.

    Raises:
        TutorialError: there is no such file, or it is no baseline.
    """
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        entries = content["findings"]
        if content["version"] != _VERSION:
            raise ValueError
        return Counter({str(entry["fingerprint"]): int(entry.get("count", 1)) for entry in entries})
    except OSError as error:
        raise TutorialError(
            _("There is no baseline at {path}; make one with --update-baseline.").format(path=path)
        ) from error
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise TutorialError(
            _("{path} is no baseline of this tool; make one with --update-baseline.").format(
                path=path
            )
        ) from error


def write(path: Path, findings: Sequence[Finding]) -> None:
    """Keep *findings* as known. The file says what they are, for people who review it; line numbers are left out.

    Raises:
        TutorialError: the file cannot be written.
    """
    folder = path.resolve().parent
    counts: Counter[str] = Counter()
    entries: dict[str, dict[str, object]] = {}
    for finding in findings:
        mark = fingerprint(finding, folder=folder)
        counts[mark] += 1
        entries[mark] = {
            "fingerprint": mark,
            "file": relative(finding.file, folder),
            "rule": finding.rule,
            "count": counts[mark],
        }
    content = {"version": _VERSION, "findings": list(entries.values())}
    try:
        path.write_text(json.dumps(content, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    except OSError as error:
        raise TutorialError(
            _("The baseline {path} cannot be written: {reason}.").format(
                path=path, reason=error.strerror
            )
        ) from error


def new(findings: Sequence[Finding], known: Counter[str], *, folder: Path) -> list[Finding]:
    """Return the findings that are not known; where one occurs more often than known, the later ones are new."""
    left = Counter(known)
    fresh: list[Finding] = []
    for finding in findings:
        mark = fingerprint(finding, folder=folder)
        if left[mark] > 0:
            left[mark] -= 1
        else:
            fresh.append(finding)
    return fresh
