"""Findings as text, JSON and SARIF, and the baseline that lets only new ones count."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from helpers import cli
from helpers.validation.pages import baseline, report
from helpers.validation.pages.checks import Report
from helpers.validation.pages.findings import Finding, rules
from tests.validation.pages.writing import CLIENT, INSTALL, python, write


def finding(
    folder: Path, line: int = 3, *, text: str = "print(x)", rule: str = "undefined-name"
) -> Finding:
    return Finding(folder / "page.md", line, 7, rule, "“x” is never defined on this page.", text)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def status(*arguments: object) -> int:
    try:
        return cli.main([str(argument) for argument in arguments])
    except SystemExit as ending:
        return int(ending.code or 0)


def test_text_names_file_line_rule_and_shows_the_line(folder: Path) -> None:
    checked = Report(folder / "page.md", [finding(folder)], ["page.md:9: this needs X."], blocks=2)

    assert report.text(checked, checked.findings) == "\n".join(
        [
            "page.md",
            "",
            "  3:7     error    undefined-name",
            "          “x” is never defined on this page.",
            "          │ print(x)",
            "",
            "Not tried here:",
            "  page.md:9: this needs X.",
            "",
            "Followed 2 blocks of Python: 1 error and 0 warnings.",
        ]
    )


def test_text_of_a_sound_page_is_one_line(folder: Path) -> None:
    assert report.text(Report(folder / "page.md", blocks=1), []) == (
        "Followed 1 block of Python: nothing found."
    )


def test_no_report_repeats_a_secret(folder: Path) -> None:
    key = ("Ab3" * 29)[:86] + "=="
    checked = Report(
        folder / "page.md", [finding(folder, text=f'c = "endpoint=https://x/;accesskey={key}"')]
    )

    for content in (
        report.text(checked, checked.findings),
        report.as_json(checked, checked.findings),
        report.sarif(checked, checked.findings),
    ):
        assert key[:20] not in content


def test_json_holds_every_finding(folder: Path) -> None:
    content = json.loads(report.as_json(Report(folder / "page.md"), [finding(folder)], known=4))

    assert content["known"] == 4
    assert content["findings"] == [
        {
            "rule": "undefined-name",
            "severity": "error",
            "file": "page.md",
            "line": 3,
            "column": 7,
            "message": "“x” is never defined on this page.",
        }
    ]


def test_sarif_is_what_viewers_expect(folder: Path) -> None:
    log = json.loads(report.sarif(Report(folder / "page.md"), [finding(folder)]))

    (run,) = log["runs"]
    (result,) = run["results"]
    known = run["tool"]["driver"]["rules"]
    assert log["version"] == "2.1.0"
    assert known[result["ruleIndex"]]["id"] == result["ruleId"] == "undefined-name"
    assert result["level"] == "error"
    place = result["locations"][0]["physicalLocation"]
    assert place["artifactLocation"]["uri"] == "page.md"
    assert place["region"] == {"startLine": 3, "startColumn": 7}
    assert result["partialFingerprints"]["acsTutorial/v1"]


def test_every_rule_is_described_and_has_a_sentence_to_say() -> None:
    for name, rule in rules().items():
        assert rule.id == name
        assert rule.summary.endswith(".")


def test_a_baseline_knows_findings_whose_lines_moved_and_counts_repetitions(folder: Path) -> None:
    file = folder / "known.json"
    baseline.write(file, [finding(folder, 3), finding(folder, 9)])
    moved = [finding(folder, 13), finding(folder, 19), finding(folder, 29)]

    fresh = baseline.new(moved, baseline.read(file), folder=folder)

    assert [one.line for one in fresh] == [29]


@pytest.mark.parametrize(
    "changed", [{"text": "print(y)"}, {"rule": "missing-import"}], ids=["line", "rule"]
)
def test_another_line_or_rule_is_new(changed: dict[str, str], folder: Path) -> None:
    file = folder / "known.json"
    baseline.write(file, [finding(folder)])

    assert baseline.new([finding(folder, **changed)], baseline.read(file), folder=folder)


def test_a_baseline_holds_no_line_of_the_page(folder: Path) -> None:
    file = folder / "known.json"
    baseline.write(file, [finding(folder, text="a secret line")])

    assert "secret" not in file.read_text()
    assert "page.md" in file.read_text()


@pytest.fixture
def page(folder: Path) -> Path:
    return write(folder, INSTALL, CLIENT, python("client.forget()"))


def test_the_exit_status_says_it_all(page: Path, folder: Path, capsys) -> None:
    sound = write(folder, INSTALL, CLIENT, name="sound.md")

    assert status("check-page", page) == 1
    assert "“CommunicationIdentityClient” has no “forget”" in capsys.readouterr().out
    assert status("check-page", sound) == 0
    assert capsys.readouterr().out == "Followed 1 block of Python: nothing found.\n"


def test_with_a_baseline_only_new_problems_count(page: Path, folder: Path, capsys) -> None:
    known = folder / "known.json"

    assert status("check-page", page, "--baseline", known, "--update-baseline") == 0
    text = page.read_text(encoding="utf-8")
    page.write_text("A new first line.\n\n" + text, encoding="utf-8")
    capsys.readouterr()
    assert status("check-page", page, "--baseline", known) == 0
    assert capsys.readouterr().out == (
        "Followed 2 blocks of Python: nothing new found (1 known finding left out).\n"
    )
    page.write_text(text.replace("client.forget()", "client.forget()\nclient.regret()"), "utf-8")
    assert status("check-page", page, "--baseline", known) == 1
    said = capsys.readouterr().out
    assert "regret" in said
    assert "has no “forget”" not in said


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["absent.md"], "There is no page at absent.md"),
        (["page.md", "--update-baseline"], "--update-baseline needs --baseline"),
        (["page.md", "--baseline", "absent.json"], "There is no baseline at absent.json"),
        (["page.md", "--baseline", "page.md"], "is no baseline of this tool"),
        (["page.md", "--format", "xml"], "invalid choice"),
        (["zones.md", "--pivot", "rust"], "has no zone pivot “rust”; it has: java."),
        ([], "PAGE.md"),
    ],
)
def test_a_usage_mistake_is_one_sentence_and_status_2(
    arguments: list[str], complaint: str, folder: Path, capsys
) -> None:
    write(folder, "# Nothing")
    write(folder, '::: zone pivot="java"', "x", "::: zone-end", name="zones.md")

    assert status("check-page", *arguments) == 2

    error = capsys.readouterr().err
    assert complaint in error
    assert error.count("\n") == 1


def test_the_report_goes_to_a_file_where_asked(folder: Path, capsys) -> None:
    write(folder, "# Nothing")

    assert status("check-page", "page.md", "--format", "sarif", "--output", "out.sarif") == 0

    assert capsys.readouterr().out == ""
    assert json.loads((folder / "out.sarif").read_text(encoding="utf-8"))["version"] == "2.1.0"
    assert status("check-page", "page.md", "--output", os.path.join("absent", "out.txt")) == 2
