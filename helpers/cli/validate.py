"""``acs-tutorial validate``: run the lessons and compare what they show with what is stored."""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from helpers.language import gettext as _

if TYPE_CHECKING:
    from helpers.cli.arguments import Commands
    from helpers.validation.report import Report

_REPORT = Path("build", "validation")


def add_command(commands: Commands) -> None:
    command = commands.add_parser(
        "validate",
        help=_("run the lessons and report what they show differently (for the docs team)"),
        description=_(
            "Runs lessons from top to bottom, each in a fresh kernel, and compares what every cell shows with what is stored "
            "in the notebook. What may differ (ids, times, ports) is left out. The report is a page to read, with the same "
            "for machines beside it; nothing in the lessons is changed."
        ),
        epilog=_(
            "Exit status: 0 when everything is as stored, 1 when something changed, failed or could not be compared, 2 when "
            "the command cannot be done as given. A change that is wanted is stored with “acs-tutorial refresh”."
        ),
        allow_abbrev=False,
    )
    command.add_argument(
        "--lesson",
        metavar="LESSON",
        nargs="+",
        action="extend",
        dest="lessons",
        default=[],
        help=_("only these: a number (03), a name, or a notebook file"),
    )
    command.add_argument(
        "--language", metavar="CODE", help=_("only lessons in this language, such as en")
    )
    command.add_argument(
        "--changed-since",
        metavar="REVISION",
        help=_(
            "only lessons that a change since this Git revision can touch, such as main or HEAD~1"
        ),
    )
    command.add_argument(
        "--jobs",
        metavar="N",
        type=_jobs,
        help=_("how many lessons at a time (default: one per processor; live: one)"),
    )
    command.add_argument(
        "--report",
        metavar="FOLDER",
        type=Path,
        default=_REPORT,
        help=_("where the report goes (default: {folder})").format(folder=_REPORT.as_posix()),
    )
    command.add_argument(
        "--live",
        action="store_true",
        help=_(
            "run against your own Azure resource, which ACS_TUTORIAL_MODE=live and a connection string must name; cells that "
            "only make sense on the sandbox are skipped, and every identity is deleted again"
        ),
    )
    command.add_argument(
        "--yes",
        action="store_true",
        help=_("with --live: do not ask whether the resource may be used, or cleaned up"),
    )
    command.add_argument(
        "--sdk",
        metavar="VERSIONS",
        type=_versions,
        help=_(
            "run with other versions of azure-communication-identity, such as 1.3.1,1.4.0,latest, each in an environment of "
            "its own (needs uv and a package index)"
        ),
    )
    command.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Validate, write the report, and return the exit status."""
    from helpers.validation import lessons

    try:
        if options.live and options.sdk:
            raise lessons.SelectionError(_("--live and --sdk do not go together; choose one."))
        paths = lessons.select(options.lessons, language=options.language)
        if options.changed_since is not None:
            paths = lessons.changed_since(options.changed_since, paths)
            if not paths:
                print(
                    _("Nothing since {revision} can touch a lesson.").format(
                        revision=options.changed_since
                    )
                )
                return 0
        return _validate(paths, options)
    except lessons.SelectionError as error:
        print(f"acs-tutorial: {error}", file=sys.stderr)
        return 2


def _validate(paths: list[Path], options: argparse.Namespace) -> int:
    from helpers.validation.report import Report
    from helpers.validation.report.terminal import Terminal
    from helpers.validation.validate import validate

    report = Report(options.report)
    if options.sdk:
        return _validate_with(options.sdk, paths, report, jobs=options.jobs or _processors())
    terminal = Terminal(len(paths))
    if options.live:
        from helpers.validation.live import consent

        with consent(yes=options.yes) as resource:
            run = validate(
                paths,
                place=resource,
                jobs=options.jobs or 1,
                progress=terminal,
                executed=report.executed,
            )
        run.findings += resource.findings
        run.notes += resource.notes
    else:
        run = validate(
            paths,
            jobs=options.jobs or _processors(),
            progress=terminal,
            executed=report.executed,
        )
    terminal.summary(run)
    report.write(run)
    return 0 if run.is_sound else 1


def _validate_with(versions: list[str], paths: list[Path], report: Report, *, jobs: int) -> int:
    from helpers.validation.report import matrix
    from helpers.validation.report.terminal import Terminal
    from helpers.validation.sdk import validate_with

    def progress(version: str) -> Terminal:
        print(f"\nazure-communication-identity {version}")
        return Terminal(len(paths))

    trials = list(
        validate_with(versions, paths, jobs=jobs, progress=progress, executed=report.executed_with)
    )
    matrix.write(trials, sys.stdout)
    report.write_matrix(trials)
    return 0 if all(trial.is_sound for trial in trials) else 1


def _processors() -> int:
    return os.cpu_count() or 1


def _jobs(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(_("the number of jobs is 1 or more"))
    return int(text)


def _versions(text: str) -> list[str]:
    versions = [version.strip() for version in text.split(",") if version.strip()]
    if not versions:
        raise argparse.ArgumentTypeError(_("name at least one version, such as 1.4.0 or latest"))
    return list(dict.fromkeys(versions))
