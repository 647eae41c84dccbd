"""Checks a page: everything that is wrong with it, as findings in the order of the page."""

from __future__ import annotations

import ast
import difflib
import re
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from helpers.errors import TutorialError
from helpers.language import gettext as _
from helpers.validation import secrets
from helpers.validation.pages import markdown, packages, program, prose, transcript, trial
from helpers.validation.pages.findings import Finding
from helpers.validation.pages.markdown import Page, Source
from helpers.validation.pages.names import Names, imports
from helpers.validation.pages.program import Problem, Program
from helpers.validation.pages.sentences import sentence


@dataclass
class Report:
    """What a check found."""

    path: Path
    findings: list[Finding] = field(default_factory=list)
    not_tried: list[str] = field(default_factory=list)
    """What could not be tried here, in sentences; no fault of the page."""
    blocks: int = 0
    """How many blocks of Python were followed."""


def check(path: Path, *, pivot: str | None = None) -> Report:
    """Check the page at *path*, as the reader of *pivot* sees it.

    Without a *pivot*: the Python one where the page has one, else every pivot in turn.

    Raises:
        TutorialError: there is no such page, or it has no such pivot.
    """
    source = markdown.read(path)
    report = Report(path)
    for chosen in _pivots(source, pivot):
        page = source.page(chosen)
        report.blocks += len(page.python)
        for finding in _check(source, page, report.not_tried):
            if finding not in report.findings:
                report.findings.append(finding)
    report.not_tried = list(dict.fromkeys(report.not_tried))
    return report


def _pivots(source: Source, wanted: str | None) -> list[str | None]:
    if wanted is not None:
        found = source.matching(wanted)
        if not found and source.pivots:
            raise TutorialError(
                _("{path} has no zone pivot “{pivot}”; it has: {pivots}.").format(
                    path=source.path, pivot=wanted, pivots=", ".join(source.pivots)
                )
            )
        return [*found] or [None]
    python = source.matching("python")
    return [*(python or source.pivots)] or [None]


def _check(source: Source, page: Page, not_tried: list[str]) -> Iterator[Finding]:
    assembled = program.assemble(page)
    names = Names(assembled, page)
    # A name that is reported as never defined is reported once, where it is first used.
    tried = trial.run(
        assembled,
        imports={**names.imported, **{name: home for name, (home, _node) in names.homes.items()}},
        bound=names.bound,
        signs_in=any("msal" in module for module, _line in imports(assembled.tree)),
    ) if assembled.pieces else trial.Trial()  # fmt: skip
    unlisted = list(_packages(page, assembled, names, tried, not_tried))
    problems = [
        *assembled.problems,
        *_fences(page),
        *names.problems(tried),
        *unlisted,
        *tried.problems,
        *_identities(assembled, tried),
        *_lifetimes(page, tried),
        *transcript.compare(page, assembled, tried),
    ]
    for line, reason in tried.not_tried:
        not_tried.append(_not_tried(page, line, reason))
    findings = [_finding(page, problem) for problem in _without_repetition(problems)]
    findings += _whole_page(source, page, assembled)
    findings.sort(key=lambda finding: _order(page, finding))
    yield from findings


def _without_repetition(problems: Iterable[Problem]) -> Iterator[Problem]:
    seen: set[tuple[object, ...]] = set()
    for problem in problems:
        details = problem.details
        key = (
            problem.rule, problem.line, problem.column,
            details.get("name"), details.get("kind"), details.get("printed"), details.get("argument"),
        )  # fmt: skip
        if key not in seen:
            seen.add(key)
            yield problem


def _finding(page: Page, problem: Problem) -> Finding:
    index = min(max(problem.line - 1, 0), len(page.lines) - 1)
    line = page.lines[index]
    offset = 0
    for block in page.blocks:
        if block.lines and block.lines[0] <= index <= block.lines[-1]:
            offset = block.columns[index - block.lines[0]]
    return Finding(
        line.file,
        line.number,
        offset + problem.column + 1,
        problem.rule,
        sentence(problem.rule, problem.details),
        line.text.strip(),
    )


def _order(page: Page, finding: Finding) -> tuple[int, int, str]:
    # The line of an include is no line of the page: it stands after the one before it.
    before = -1
    for index, line in enumerate(page.lines):
        if line.file == finding.file and line.number <= finding.line:
            before = index
    return before, finding.column, finding.rule


def _not_tried(page: Page, line: int, reason: str) -> str:
    at = page.lines[min(max(line - 1, 0), len(page.lines) - 1)]
    place = f"{at.file.name}:{at.number}"
    if reason == "time":
        return _("{place}: this call took longer than {seconds} seconds and was left out.").format(
            place=place, seconds=trial.SECONDS
        )
    if reason == "loop":
        return _("{place}: this loop does not end by itself and was left early.").format(
            place=place
        )
    if reason.startswith("package:"):
        return _(
            "{place}: the package {package} is not installed here, so its calls were not tried."
        ).format(place=place, package=reason.removeprefix("package:"))
    return _("{place}: this needs {what}, which a check does not reach.").format(
        place=place, what=reason
    )


# Packages


def _packages(
    page: Page, assembled: Program, names: Names, tried: trial.Trial, not_tried: list[str]
) -> Iterator[Problem]:
    installed = list(packages.installed_by(page))
    for package, index, column in installed:
        if package in packages.DEPRECATED_PACKAGES:
            yield _deprecated(package, index + 1, column)
    available = set(packages.mentioned_in(page))
    for package in {package for package, _index, _column in installed} | available:
        available |= packages.brings(package)
    needed: dict[str, tuple[str, int, int]] = {}
    for module, node in imports(assembled.tree):
        line, column = getattr(node, "lineno", 1), getattr(node, "col_offset", 0)
        if module in packages.DEPRECATED_MODULES:
            yield _deprecated(module.replace(".", "-"), line, column)
        elif holder := packages.package_of(module):
            needed.setdefault(holder, (module, line, column))
    replaced = {packages.DEPRECATED_PACKAGES.get(package) for package, _index, _column in installed}
    for (module, _attribute), name_node in names.homes.values():
        holder = packages.package_of(module)
        if holder and holder not in replaced:
            needed.setdefault(holder, (module, name_node.lineno, name_node.col_offset))
    broken: set[str] = set()
    for event in tried.missing_modules:
        package = packages.package_of(event["module"]) or ""
        if not package:
            continue
        if package in available and not packages.is_installed_here(package):
            not_tried.append(_not_tried(page, event["line"], f"package:{package}"))
            continue
        close = difflib.get_close_matches(event["module"], sorted(packages._files()), 1, 0.85)
        if close or packages.is_installed_here(package):
            broken.add(package)
            yield Problem(
                "unknown-import",
                event["line"],
                event["column"],
                {
                    "kind": "module",
                    "module": event["module"],
                    "package": package,
                    "suggestion": "".join(close),
                },
            )
        else:
            not_tried.append(_not_tried(page, event["line"], f"package:{package}"))
    if packages.installs_from_file(page):
        return
    used = {package for package in needed}
    for package, (_module, line, column) in needed.items():
        if package in available or package in broken:
            continue
        misspelt = [
            (name, index, at)
            for name, index, at in installed
            if name not in used
            and not packages.is_installed_here(name)
            and difflib.SequenceMatcher(None, name, package).ratio() > 0.85
        ]
        if misspelt:
            name, index, at = misspelt[0]
            yield Problem(
                "missing-install",
                index + 1,
                at,
                {"kind": "misspelt", "name": name, "suggestion": package},
            )
        else:
            yield Problem("missing-install", line, column, {"package": package})


def _deprecated(package: str, line: int, column: int) -> Problem:
    return Problem(
        "deprecated-package",
        line,
        column,
        {"package": package, "replacement": packages.DEPRECATED_PACKAGES[package]},
    )


# What the trial showed


def _fences(page: Page) -> Iterator[Problem]:
    for block in page.blocks:
        if not block.closed:
            text = page.lines[block.opening].text
            fence = re.search(r"`{3,}|~{3,}", text)
            if fence:
                yield Problem(
                    "unclosed-fence", block.opening + 1, fence.start(), {"fence": fence[0]}
                )


def _identities(assembled: Program, tried: trial.Trial) -> Iterator[Problem]:
    if not tried.completed or tried.deleting_failed:
        return
    # A function that nothing on the page calls may be what deletes them.
    for node in ast.walk(assembled.tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            inside = ast.unparse(node)
            lines = range(node.lineno, (node.end_lineno or node.lineno) + 1)
            if "delete" in inside and not tried.entered & set(lines):
                return
    for place in dict.fromkeys(tried.left):
        yield Problem(
            "identity-not-deleted", place[0], place[1], {"count": tried.left.count(place)}
        )


_AMOUNTS = {"a": 1, "an": 1, "one": 1, "two": 2, "three": 3, "six": 6, "eight": 8, "twelve": 12}
_DURATION = re.compile(
    r"\b(\d+|an?|one|two|three|six|eight|twelve)[\s-]+(minute|hour|day)s?\b", re.I
)
_MINUTES = {"minute": 1, "hour": 60, "day": 1440}


def _lifetimes(page: Page, tried: trial.Trial) -> Iterator[Problem]:
    """A comment right above a call that says how long its token lives, and is wrong."""
    for line, minutes in dict(tried.tokens).items():
        index = line - 2
        while index >= 0 and page.lines[index].text.strip().startswith("#"):
            text = page.lines[index].text
            found = _DURATION.search(text)
            if found and re.search(r"(?i)valid|lifetime|expir|lives?\b|good for", text):
                amount = _AMOUNTS.get(found[1].lower()) or int(found[1])
                shown = amount * _MINUTES[found[2].lower()]
                if shown != minutes:
                    yield Problem(
                        "lifetime-claim",
                        index + 1,
                        text.index("#"),
                        {"shown": shown, "printed": minutes},
                    )
                break
            index -= 1


# The page as text


def _whole_page(source: Source, page: Page, assembled: Program) -> Iterator[Finding]:
    for missing in page.missing:
        include = {"target": missing.target, "kind": "cyclic" if missing.cyclic else ""}
        yield Finding(
            missing.line.file,
            missing.line.number,
            missing.column,
            "missing-include",
            sentence("missing-include", include),
            missing.line.text.strip(),
        )
    yield from prose.links(source, page)
    for index, line in enumerate(page.lines):
        for secret in secrets.find(line.text):
            if secrets.ALLOW_COMMENT in line.text:
                continue
            kind = {"access-key": "key"}.get(secret.kind, secret.kind)
            expired = secret.expires is not None and secret.expires.timestamp() < time.time()
            details: dict[str, Any] = {
                "kind": kind,
                "expired": expired,
                "expires": secret.expires.date().isoformat() if secret.expires else "",
            }
            yield prose.at(page, index, secret.start + 1, "secret-in-page", details)
    yield from prose.python_versions(page, assembled)
    yield from prose.files_to_run(page)
    yield from prose.names_in_text(page, assembled)
