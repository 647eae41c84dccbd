"""Findings for people (text), for programs (JSON) and for code-scanning viewers (SARIF 2.1.0)."""

from __future__ import annotations

import json
import textwrap
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

from helpers.language import gettext as _
from helpers.language import ngettext
from helpers.validation.pages import baseline
from helpers.validation.pages.checks import Report
from helpers.validation.pages.findings import Finding, rules

FORMATS = ("text", "json", "sarif")
_WIDTH = 100


def text(
    report: Report, findings: Sequence[Finding], *, known: int = 0, color: bool = False
) -> str:
    """Return the findings for a terminal, file by file, each with the line that it is about."""
    lines: list[str] = []
    file: Path | None = None
    for finding in findings:
        if finding.file != file:
            file = finding.file
            lines += ["", _bold(baseline.relative(file, Path.cwd()), color)]
        mark = _severity(finding.severity, color)
        place = f"{finding.line}:{finding.column}"
        lines.append("")
        lines.append(f"  {place:<8}{mark}  {_faint(finding.rule, color)}")
        lines += textwrap.wrap(
            finding.message, _WIDTH, initial_indent=" " * 10, subsequent_indent=" " * 10,
            break_long_words=False, break_on_hyphens=False,
        )  # fmt: skip
        if finding.text:
            lines.append(" " * 10 + _faint(f"│ {_shown(finding)}", color))
    if report.not_tried:
        lines += ["", _("Not tried here:")]
        lines += [f"  {sentence}" for sentence in report.not_tried]
    lines += ["", summary(report, findings, known=known)]
    return "\n".join(lines).lstrip("\n")


def summary(report: Report, findings: Sequence[Finding], *, known: int = 0) -> str:
    """Return one sentence for all of it."""
    errors = sum(finding.severity == "error" for finding in findings)
    warnings = len(findings) - errors
    followed = ngettext(
        "Followed {count} block of Python", "Followed {count} blocks of Python", report.blocks
    ).format(count=report.blocks)
    if not findings:
        found = _("nothing new found") if known else _("nothing found")
    else:
        found = _("{errors} and {warnings}").format(
            errors=ngettext("{count} error", "{count} errors", errors).format(count=errors),
            warnings=ngettext("{count} warning", "{count} warnings", warnings).format(
                count=warnings
            ),
        )
    if known:
        hidden = ngettext(
            "{count} known finding left out", "{count} known findings left out", known
        ).format(count=known)
        return _("{followed}: {found} ({hidden}).").format(
            followed=followed, found=found, hidden=hidden
        )
    return _("{followed}: {found}.").format(followed=followed, found=found)


def as_json(report: Report, findings: Sequence[Finding], *, known: int = 0) -> str:
    """Return the findings as one JSON object."""
    content = {
        "page": report.path.as_posix(),
        "blocks": report.blocks,
        "findings": [
            {
                "rule": finding.rule,
                "severity": finding.severity,
                "file": baseline.relative(finding.file, Path.cwd()),
                "line": finding.line,
                "column": finding.column,
                "message": finding.message,
            }
            for finding in findings
        ],
        "known": known,
        "not_tried": report.not_tried,
    }
    return json.dumps(content, indent=2, ensure_ascii=False)


def sarif(report: Report, findings: Sequence[Finding]) -> str:
    """Return the findings as a SARIF 2.1.0 log, as GitHub, Azure DevOps and editors read it."""
    known = rules()
    ids = list(known)
    results: list[dict[str, Any]] = [
        {
            "ruleId": finding.rule,
            "ruleIndex": ids.index(finding.rule),
            "level": finding.severity,
            "message": {"text": finding.message},
            "locations": [
                {
                    "physicalLocation": {
                        "artifactLocation": {
                            "uri": _uri(finding.file),
                            "uriBaseId": "%SRCROOT%",
                        },
                        "region": {"startLine": finding.line, "startColumn": finding.column},
                    }
                }
            ],
            "partialFingerprints": {
                "acsTutorial/v1": baseline.fingerprint(finding, folder=Path.cwd())
            },
        }
        for finding in findings
    ]
    driver = {
        "name": "acs-tutorial check-page",
        "version": version("acs-tutorial"),
        "rules": [
            {
                "id": rule.id,
                "shortDescription": {"text": rule.summary},
                "defaultConfiguration": {"level": rule.severity},
            }
            for rule in known.values()
        ],
    }
    run = {
        "tool": {"driver": driver},
        "columnKind": "unicodeCodePoints",
        "results": results,
    }
    log = {
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [run],
    }
    return json.dumps(log, indent=2, ensure_ascii=False)


def _uri(path: Path) -> str:
    from urllib.parse import quote

    return quote(baseline.relative(path, Path.cwd()))


def _shown(finding: Finding) -> str:
    """The line, without what must not be repeated."""
    from helpers.masking import masked
    from helpers.validation import secrets

    line = finding.text
    for secret in reversed(secrets.find(line)):
        line = line[: secret.start] + "…" + line[secret.end :]
    line = masked(line)
    if len(line) <= 90:
        return line
    start = max(0, min(finding.column - 40, len(line) - 88))
    return (
        ("…" if start else "") + line[start : start + 88] + ("…" if start + 88 < len(line) else "")
    )


def _bold(words: str, color: bool) -> str:
    return f"\x1b[1m{words}\x1b[0m" if color else words


def _faint(words: str, color: bool) -> str:
    return f"\x1b[2m{words}\x1b[0m" if color else words


def _severity(severity: str, color: bool) -> str:
    word = _("error") if severity == "error" else _("warning")
    word = word.ljust(max(len(_("error")), len(_("warning"))))
    if not color:
        return word
    return f"\x1b[{31 if severity == 'error' else 33}m{word}\x1b[0m"
