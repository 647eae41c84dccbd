"""Compares a published page with the lessons: which sections no lesson covers, which steps no section has, where code differs.

A code cell of a lesson names its section in its metadata (``"acs": {"step": …, "covers": […]}``), and the published lines
that it replaces, each with the reason.
"""

from __future__ import annotations

import ast
import difflib
import json
import re
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Literal

import nbformat

from helpers.errors import TutorialError
from helpers.language import gettext as _
from helpers.language import ngettext
from helpers.validation.pages import baseline, checks, markdown, program
from helpers.validation.pages.findings import Finding
from helpers.validation.pages.markdown import Page

LESSONS = Path(__file__).parents[3] / "notebooks" / "en"

Right = Literal["lesson", "page", "both", "undecided"]


@dataclass(frozen=True)
class Section:
    """A section of the page that holds code or runs it."""

    anchor: str
    title: str
    file: str
    line: int
    closest_step: str = ""
    """The step that it resembles, where none has its name."""


@dataclass(frozen=True)
class Step:
    """A step of the lessons, and the cells that teach it."""

    name: str
    cells: list[str]


@dataclass(frozen=True)
class Difference:
    """A statement that the page has and the lessons have not."""

    section: str
    code: str
    file: str
    line: int
    right: Right
    """Who is right: the lesson (it differs with a reason, or the page is wrong), the page, or undecided."""
    reason: str


@dataclass
class Drift:
    page: str
    uncovered: list[Section] = field(default_factory=list)
    unpublished: list[Step] = field(default_factory=list)
    renamed: list[Section] = field(default_factory=list)
    differences: list[Difference] = field(default_factory=list)
    stale: list[Difference] = field(default_factory=list)
    """Replacements in lessons of lines that the page does not have (any more)."""
    covered: int = 0

    @property
    def is_current(self) -> bool:
        """Whether the lessons need no look: what differs does so on purpose."""
        open_ones = [one for one in self.differences if one.right != "lesson"]
        return not (self.uncovered or self.unpublished or self.renamed or open_ones or self.stale)


@dataclass
class _Taught:
    cells: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))
    statements: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    replaced: dict[str, dict[str, tuple[str, str]]] = field(
        default_factory=lambda: defaultdict(dict)
    )
    """By step: published statement, the reason for another one, and the cell."""


def compare(path: Path, *, pivot: str | None = None, lessons: Path = LESSONS) -> Drift:
    """Compare the page at *path* with the notebooks in *lessons*.

    Raises:
        TutorialError: there is no such page or pivot, or there are no lessons.
    """
    source = markdown.read(path)
    page = source.page(checks._pivots(source, pivot)[0])
    findings = checks.check(path, pivot=pivot).findings
    taught = _taught(lessons)
    published = _published(page)
    drift = Drift(path.as_posix())
    steps = dict.fromkeys(taught.cells)
    sections = {section.anchor: section for section, _statements in published}
    names = _matched(sections, steps)
    for anchor, section in sections.items():
        step = names.get(anchor)
        if step is None:
            drift.uncovered.append(section)
        elif step == anchor:
            drift.covered += 1
        else:
            drift.renamed.append(
                Section(section.anchor, section.title, section.file, section.line, step)
            )
    matched = set(names.values())
    drift.unpublished = [Step(name, taught.cells[name]) for name in steps if name not in matched]
    seen: dict[str, set[str]] = defaultdict(set)
    for section, statements in published:
        step = names.get(section.anchor)
        if step is None:
            continue
        wrong: dict[str, int] = {}
        for code, index in statements:
            seen[step].add(code)
            if code in taught.statements[step]:
                continue
            judged = _judged(page, section, step, code, index, taught, findings)
            loads, stores = _names(code)
            if judged.right == "page" and (causes := loads & set(wrong)):
                name = min(causes)
                judged = replace(
                    judged,
                    right="lesson",
                    reason=_("it uses “{name}” of line {line}, which is wrong").format(
                        name=name, line=wrong[name]
                    ),
                )
            elif judged.right == "lesson":
                wrong.update(dict.fromkeys(stores, judged.line))
            drift.differences.append(judged)
    if sections:
        drift.stale = [
            Difference(step, code, cell, 0, "undecided", reason)
            for step, lines in taught.replaced.items()
            for code, (reason, cell) in lines.items()
            if step in matched and code not in seen[step]
        ]
    return drift


def _matched(sections: dict[str, Section], steps: dict[str, None]) -> dict[str, str]:
    """The step of each section: by name, else the one whose name is most alike."""
    names = {anchor: anchor for anchor in sections if anchor in steps}
    free_steps = [step for step in steps if step not in names]
    pairs = sorted(
        (
            (-_likeness(anchor, step), anchor, step)
            for anchor in sections
            if anchor not in names
            for step in free_steps
        ),
    )
    for likeness, anchor, step in pairs:
        if -likeness >= 0.75 and anchor not in names and step not in names.values():
            names[anchor] = step
    return names


def _likeness(anchor: str, step: str) -> float:
    def words(name: str) -> list[str]:
        return [word.rstrip("s") for word in name.split("-") if word not in ("a", "an", "the")]

    return difflib.SequenceMatcher(None, words(anchor), words(step)).ratio()


def _judged(
    page: Page,
    section: Section,
    step: str,
    code: str,
    index: int,
    taught: _Taught,
    findings: list[Finding],
) -> Difference:
    line = page.lines[index]
    file = baseline.relative(line.file, Path.cwd())

    def difference(right: Right, reason: str) -> Difference:
        return Difference(section.anchor, code, file, line.number, right, reason)

    if code in taught.replaced[step]:
        return difference("lesson", taught.replaced[step][code][0])
    wrong = [
        finding
        for finding in findings
        if finding.file == line.file
        and finding.line == line.number
        and finding.rule not in ("identity-not-deleted", "secret-printed")
    ]
    if wrong:
        return difference(
            "lesson", _("the page is wrong: {message}").format(message=wrong[0].message)
        )
    if any(code in statements for statements in taught.statements.values()):
        where = next(name for name, statements in taught.statements.items() if code in statements)
        return difference("both", _("a lesson has it in another step, {step}").format(step=where))
    return difference("page", _("nothing is wrong with it, and no lesson has it or says why not"))


def _published(page: Page) -> list[tuple[Section, list[tuple[str, int]]]]:
    """The sections with code, each with its statements and where they stand."""
    found: dict[str, tuple[Section, list[tuple[str, int]]]] = {}
    run = re.compile(r"(?m)^\s*(?:[$>]\s*)?python[\d.]*\s+\S*\.py")
    for block in page.blocks:
        runs = not block.is_python and run.search(block.text) is not None
        if block.heading is None or not (block.is_python or runs):
            continue
        line = page.lines[block.heading.index]
        section = Section(
            block.heading.anchor,
            block.heading.title,
            baseline.relative(line.file, Path.cwd()),
            line.number,
        )
        _section, statements = found.setdefault(section.anchor, (section, []))
        if block.is_python:
            body = program._parse(block, program.Program())
            statements += [(code, number - 1) for code, number in _statements(body)]
    return list(found.values())


def _statements(body: list[ast.stmt]) -> Iterator[tuple[str, int]]:
    """The statements of a program one by one, in one spelling: quotes, spaces and line breaks do not count."""
    for statement in body:
        if isinstance(statement, ast.Try):
            yield "try", statement.lineno
            yield from _statements(statement.body)
            for handler in statement.handlers:
                kind = ast.unparse(handler.type) if handler.type else ""
                yield f"except {kind} as {handler.name}", handler.lineno
                yield from _statements(handler.body)
        elif isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef | ast.For | ast.With):
            yield from _statements(statement.body)
        elif isinstance(statement, ast.ImportFrom):
            # What is imported counts, not in how many lines.
            for name in statement.names:
                yield f"from {statement.module} import {name.name}", statement.lineno
        else:
            yield ast.unparse(statement), statement.lineno


def _taught(folder: Path) -> _Taught:
    taught = _Taught()
    lessons = sorted(folder.glob("[0-9][0-9]-*.ipynb"))
    if not lessons:
        raise TutorialError(
            _("There are no lessons in {folder}; clone the tutorial's repository again.").format(
                folder=folder
            )
        )
    for path in lessons:
        notebook = nbformat.read(path, as_version=4)  # type: ignore[no-untyped-call]
        for cell in notebook.cells:
            acs = cell.metadata.get("acs", {})
            cell_name = f"{path.stem} ({cell.get('id', '')})"
            for step in filter(None, [acs.get("step"), *acs.get("covers", [])]):
                taught.cells[step].append(cell_name)
                taught.statements[step].update(_codes(cell.source))
            for line, reason in acs.get("replaces", {}).items():
                for code in _codes(line):
                    taught.replaced[acs.get("step", "")][code] = (reason, cell_name)
    return taught


def _names(code: str) -> tuple[set[str], set[str]]:
    """The names that a statement reads, and those that it sets."""
    try:
        nodes = [node for node in ast.walk(ast.parse(code)) if isinstance(node, ast.Name)]
    except SyntaxError:  # “try” and “except …” by themselves
        return set(), set()
    stores = {node.id for node in nodes if isinstance(node.ctx, ast.Store)}
    return {node.id for node in nodes} - stores, stores


def _codes(source: str) -> set[str]:
    try:
        return {code for code, _line in _statements(ast.parse(source).body)}
    except SyntaxError:
        return set()


# Presentation


def text(drift: Drift) -> str:
    """Return the comparison for a terminal."""
    lines: list[str] = []
    if drift.uncovered:
        lines += [_("Sections that no lesson covers:")]
        lines += [
            f"  {one.file}:{one.line}  {one.title}  (#{one.anchor})" for one in drift.uncovered
        ]
        lines.append("")
    if drift.renamed:
        lines += [_("Sections that lessons cover under another name:")]
        lines += [
            f"  {one.file}:{one.line}  #{one.anchor}  →  {one.closest_step}"
            for one in drift.renamed
        ]
        lines.append("")
    if drift.unpublished:
        lines += [_("Steps that the page has no section for:")]
        lines += [f"  {one.name}:  {', '.join(one.cells)}" for one in drift.unpublished]
        lines.append("")
    verdicts = {
        "lesson": _("The lessons are right:"),
        "page": _("The page is right; a lesson should follow it:"),
        "both": _("Both are right, in other places:"),
    }
    for right, title in verdicts.items():
        differences = [one for one in drift.differences if one.right == right]
        if differences:
            lines.append(title)
            for one in differences:
                lines.append(f"  {one.file}:{one.line}  {_first_line(one.code)}")
                lines.append(f"      {one.reason}")
            lines.append("")
    if drift.stale:
        lines.append(_("Lessons replace lines that the page does not have:"))
        for one in drift.stale:
            lines.append(f"  {one.file}  {_first_line(one.code)}")
            lines.append(f"      {one.reason}")
        lines.append("")
    lines.append(_summary(drift))
    return "\n".join(lines)


def _first_line(code: str) -> str:
    first = code.splitlines()[0]
    return first if len(first) <= 90 else first[:89] + "…"


def _summary(drift: Drift) -> str:
    covered = ngettext(
        "{count} section is covered by the step of its name",
        "{count} sections are covered by the steps of their names",
        drift.covered,
    ).format(count=drift.covered)
    if drift.is_current:
        return _("{covered}; page and lessons agree.").format(covered=covered)
    return _("{covered}; page and lessons have drifted apart.").format(covered=covered)


def as_json(drift: Drift) -> str:
    """Return the comparison as one JSON object."""
    return json.dumps({**asdict(drift), "current": drift.is_current}, indent=2, ensure_ascii=False)
