"""The report for machines: JSON, JUnit XML, and annotations for a hosted CI."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterable
from pathlib import Path
from xml.etree import ElementTree

from helpers.validation.differences import readable
from helpers.validation.report import words
from helpers.validation.results import Cell, Lesson, Run

# XML has no place for these, not even escaped.
_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_LONGEST_ANNOTATION = 4000


def write_json(run: Run, path: Path) -> None:
    """Write everything that a run found."""
    path.write_text(
        json.dumps(run.as_json(), indent=1, ensure_ascii=False, default=str) + "\n",
        encoding="utf-8",
    )


def write_junit(runs: Iterable[Run], path: Path) -> None:
    """Write runs as JUnit XML: a suite for each lesson, a case for each cell, one more for the lesson as a whole."""
    root = ElementTree.Element("testsuites", name="acs-tutorial validate")
    total = {"tests": 0, "failures": 0, "errors": 0, "skipped": 0}
    seconds = 0.0
    for run in runs:
        seconds += run.seconds
        for lesson in run.lessons:
            suite = ElementTree.SubElement(
                root,
                "testsuite",
                name=f"{lesson.name} ({run.place}, {run.sdk})",
                time=f"{lesson.seconds:.3f}",
                timestamp=run.started_at.removesuffix("+00:00"),
            )
            counts = dict.fromkeys(total, 0)
            for cell in lesson.cells:
                counts["tests"] += 1
                _add_cell(suite, counts, lesson, cell)
            if lesson.findings:
                counts["tests"] += 1
                counts["failures"] += 1
                case = ElementTree.SubElement(
                    suite, "testcase", classname=_class_name(lesson), name="(notebook)"
                )
                _add(case, "failure", lesson.findings[0], "\n".join(lesson.findings))
            suite.attrib |= {name: str(count) for name, count in counts.items()}
            for name in total:
                total[name] += counts[name]
        for finding in run.findings:
            total["tests"] += 1
            total["failures"] += 1
            suite = ElementTree.SubElement(
                root, "testsuite", name=f"{run.place}, {run.sdk}", tests="1", failures="1"
            )
            case = ElementTree.SubElement(suite, "testcase", classname="run", name=run.place)
            _add(case, "failure", finding, finding)
    root.attrib |= {name: str(count) for name, count in total.items()} | {"time": f"{seconds:.3f}"}
    ElementTree.ElementTree(root).write(path, encoding="utf-8", xml_declaration=True)


def _add_cell(
    suite: ElementTree.Element, counts: dict[str, int], lesson: Lesson, cell: Cell
) -> None:
    case = ElementTree.SubElement(
        suite,
        "testcase",
        classname=_class_name(lesson),
        name=cell.name,
        file=lesson.name,
        line=str(cell.line),
        time=f"{cell.seconds:.3f}",
    )
    if cell.outcome == "failed":
        counts["errors"] += 1
        error = cell.error
        _add(case, "error", error.cause if error else "", _told(cell))
    elif not cell.is_sound:
        counts["failures"] += 1
        _add(case, "failure", _headline(cell), _told(cell))
    elif cell.outcome == "skipped":
        counts["skipped"] += 1
        _add(case, "skipped", cell.reason, "")


def _add(case: ElementTree.Element, tag: str, message: str, text: str) -> None:
    element = ElementTree.SubElement(case, tag, message=_NOT_XML.sub("\ufffd", message))
    element.text = _NOT_XML.sub("\ufffd", text)


def _class_name(lesson: Lesson) -> str:
    return ".".join(filter(None, (lesson.language, lesson.path.stem)))


def _headline(cell: Cell) -> str:
    kind = words.word_of(words.kind_of(cell))
    return f"{kind}: {', '.join(each.kind for each in cell.differences) or cell.findings[0]}"


def _told(cell: Cell) -> str:
    """Everything that a report says of a cell, as text."""
    parts = [*cell.findings, *cell.notes]
    if cell.error is not None:
        error = cell.error
        parts += [error.cause, f"→ {error.fix}", error.original, error.traceback]
    for difference in cell.differences:
        expected, actual = readable(difference)
        parts.append(
            "\n".join(
                [
                    f"{difference.kind}:",
                    *(f"- {line}" for line in expected.splitlines()),
                    *(f"+ {line}" for line in actual.splitlines()),
                ]
            )
        )
    return "\n\n".join(filter(None, parts))


def annotate(runs: Iterable[Run]) -> None:
    """Print annotations that GitHub shows beside the changed lines, where it is GitHub that runs this."""
    if not os.environ.get("GITHUB_ACTIONS"):
        return
    for run in runs:
        for lesson in run.lessons:
            for finding in lesson.findings:
                _annotation(lesson.name, 1, lesson.title, finding)
            for cell in lesson.problems:
                _annotation(
                    lesson.name,
                    cell.line,
                    f"{words.word_of(words.kind_of(cell))}: {cell.name} ({run.place}, {run.sdk})",
                    _told(cell)[:_LONGEST_ANNOTATION],
                )
        for finding in run.findings:
            print(f"::error::{_escaped(finding)}")


def _annotation(file: str, line: int, title: str, text: str) -> None:
    print(
        f"::error file={_escaped_property(file)},line={line},title={_escaped_property(title)}::{_escaped(text)}"
    )


def _escaped(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _escaped_property(text: str) -> str:
    return _escaped(text).replace(":", "%3A").replace(",", "%2C")
