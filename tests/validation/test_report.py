"""What a person and a machine get to read of one run."""

from __future__ import annotations

import json
import re
from html.parser import HTMLParser
from pathlib import Path
from xml.etree import ElementTree

import pytest

from helpers.validation.report import Report, machines, matrix
from helpers.validation.report.page import difference_table, run_body
from helpers.validation.results import Cell, Difference, Error, Lesson, Run
from helpers.validation.sdk import Trial


@pytest.fixture
def report(run: Run, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Path:
    Report(tmp_path).write(run)
    capsys.readouterr()
    return tmp_path


class Links(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.targets: list[str] = []
        self.anchors: list[str] = []
        self.tags: set[str] = set()
        self.loaded: list[str] = []

    def handle_starttag(self, tag, attrs):
        named = dict(attrs)
        self.tags.add(tag)
        if "id" in named:
            self.anchors.append(named["id"])
        if tag == "a":
            self.targets.append(named["href"])
        if "src" in named or tag in ("link", "script", "iframe", "img"):
            self.loaded.append(tag)


@pytest.fixture
def links(report: Path) -> Links:
    links = Links()
    links.feed((report / "index.html").read_text("utf-8"))
    return links


def test_the_page_stands_alone(links):
    assert links.loaded == []
    assert "style" in links.tags


def test_every_link_inside_the_page_leads_somewhere(links):
    inside = [target[1:] for target in links.targets if target.startswith("#")]

    assert len(inside) > 10
    assert set(inside) <= set(links.anchors)
    assert len(links.anchors) == len(set(links.anchors))


def test_what_has_to_be_looked_at_comes_first_and_side_by_side(report):
    text = (report / "index.html").read_text("utf-8")

    assert text.index("What to look at") < text.index('id="lessons"')
    assert "t<del>hree</del>" in text or "<del>three</del>" in text
    assert "<ins>two</ins>" in text


def test_a_page_without_problems_says_so_and_shows_no_list(run):
    sound = Run(
        "sandbox", "sandbox", "1.5.0", "3.11", "2026-01-01T00:00:00+00:00", [run.lessons[0]]
    )
    sound.lessons = [
        Lesson(
            path=Path("a.ipynb"),
            name="a.ipynb",
            title="A",
            language="en",
            cells=[Cell(1, "one", "1", 1, outcome="passed")],
        )
    ]

    body = run_body(sound)

    assert "The lesson shows what is stored" in body
    assert "What to look at" not in body


def test_what_a_cell_shows_is_text_and_never_markup():
    table = difference_table(Difference("stdout", "<script>1</script>", "<b>2</b>", "", ""))

    assert "<script>" not in table
    assert "<b>" not in table


def test_words_that_differ_are_marked_and_long_equal_parts_folded():
    before = "".join(f"line {number}\n" for number in range(20))
    after = before.replace("line 9\n", "line nine\n")

    table = difference_table(Difference("stdout", before, after, "", ""))

    assert "line <del>9</del>" in table
    assert "line <ins>nine</ins>" in table
    assert "7 equal lines" in table
    assert "8 equal lines" in table


def test_json_tells_the_verdict_of_each_level(report, run):
    told = json.loads((report / "report.json").read_text("utf-8"))

    assert told["passed"] is False
    assert [lesson["passed"] for lesson in told["lessons"]] == [False] * 4
    assert told["lessons"][0]["cells"][0]["outcome"] == "passed"


def test_junit_counts_what_the_run_counted(report, run):
    root = ElementTree.parse(report / "junit.xml").getroot()
    cases = root.findall("testsuite/testcase")

    cells = sum(len(lesson.cells) for lesson in run.lessons)
    notebooks = sum(bool(lesson.findings) for lesson in run.lessons)
    assert int(root.attrib["tests"]) == len(cases) == cells + notebooks
    assert int(root.attrib["errors"]) == run.counts["failed"]
    assert int(root.attrib["skipped"]) == run.counts["skipped"]
    (changed,) = [case for case in cases if case.attrib["name"] == "changed"]
    assert changed.find("failure").text.splitlines()[-2:] == ["+ one", "+ two"]


def test_junit_survives_what_xml_cannot_hold(tmp_path):
    cell = Cell(1, "one", "", 1, outcome="failed", error=Error("\x1b[31m", "", "", "\x00"))
    lesson = Lesson(Path("a"), "a", "A", "en", cells=[cell])
    run = Run("sandbox", "sandbox", "1", "3", "2026-01-01T00:00:00+00:00", lessons=[lesson])

    machines.write_junit([run], tmp_path / "junit.xml")

    assert ElementTree.parse(tmp_path / "junit.xml")


def test_github_gets_a_line_for_each_problem_with_its_place(run, lessons, monkeypatch, capsys):
    monkeypatch.setenv("GITHUB_ACTIONS", "true")

    machines.annotate([run])

    lines = capsys.readouterr().out.splitlines()
    problems = len(list(run.problems)) + sum(len(lesson.findings) for lesson in run.lessons)
    assert len(lines) == problems
    assert all(re.match(r"::error file=.+,line=\d+,title=.+::.+", line) for line in lines)
    assert any("- three%0A" in line for line in lines)


def test_elsewhere_nothing_is_annotated(run, monkeypatch, capsys):
    monkeypatch.delenv("GITHUB_ACTIONS", raising=False)

    machines.annotate([run])

    assert capsys.readouterr().out == ""


def test_a_new_report_keeps_other_files_of_its_folder(run, tmp_path):
    (tmp_path / "mine.txt").write_text("mine")
    (tmp_path / "executed").mkdir()
    (tmp_path / "executed" / "old.ipynb").write_text("old")

    Report(tmp_path).write(run)

    assert (tmp_path / "mine.txt").exists()
    assert not (tmp_path / "executed" / "old.ipynb").exists()


# Several releases


@pytest.fixture
def trials(run: Run) -> list[Trial]:
    sound = Run("sandbox", "sandbox", "1.5.0", "3.11", run.started_at, [])
    sound.lessons = [
        Lesson(lesson.path, lesson.name, lesson.title, "", [Cell(1, "x", "", 1, outcome="passed")])
        for lesson in run.lessons
    ]
    return [
        Trial(
            "1.0.0", "1.0.0", undeclared=["six"], facts={"type of expires_on": "datetime"}, run=run
        ),
        Trial("9.9.9", "9.9.9", problem="It could not be installed."),
        Trial("latest", "1.5.0", facts={"type of expires_on": "str"}, run=sound),
    ]


def test_the_matrix_says_what_breaks_with_what_and_why(trials, tmp_path, capsys):
    Report(tmp_path).write_matrix(trials)
    text = (tmp_path / "index.html").read_text("utf-8")

    assert "The lessons work with 1.5.0, and not with 1.0.0, 9.9.9" in text
    assert "It imports “six”" in text
    assert "≠ str" in text
    assert "It could not be installed." in text
    assert (tmp_path / "1.0.0" / "index.html").is_file()
    told = json.loads((tmp_path / "report.json").read_text("utf-8"))
    assert [trial["passed"] for trial in told] == [False, False, True]


def test_a_reason_is_one_line_and_what_only_follows_is_left_out(trials):
    reasons = matrix.reasons(trials[0])
    cells = " ".join(cell for _lesson, cell, _reason in reasons)

    assert ("changed", "shows “two” instead of “three”") in [
        (cell, reason) for _lesson, cell, reason in reasons
    ]
    assert "fails" in cells
    assert "follows" not in cells
