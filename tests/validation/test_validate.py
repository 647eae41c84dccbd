"""What became of each cell: one run over small notebooks, seen from every side."""

from __future__ import annotations

import io
import json
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from helpers import cli
from helpers.masking import masked
from helpers.validation.places import OwnSandbox
from helpers.validation.validate import rebuilt, validate
from tests.validation.notebooks import code, notebook, printed


def test_a_cell_that_shows_what_is_stored_has_passed(cells):
    assert cells["same"].outcome == "passed"
    assert cells["same"].is_sound


def test_what_a_rule_hides_is_no_change_and_is_counted(cells, run):
    assert cells["id"].outcome == "passed"
    assert run.rules["guid"] == 2  # the stored one and the new one


def test_a_rule_that_matches_nothing_says_so(run):
    assert run.rules["port"] == 0


def test_a_changed_cell_tells_both_sides(cells):
    (difference,) = cells["changed"].differences

    assert cells["changed"].outcome == "changed"
    assert (difference.kind, difference.expected, difference.actual) == (
        "stdout",
        "one\nthree\n",
        "one\ntwo\n",
    )


def test_an_output_that_is_gone_is_a_change(cells):
    (difference,) = cells["silent"].differences

    assert cells["silent"].outcome == "changed"
    assert difference.actual is None


def test_a_changed_picture_is_a_change_although_nbval_passes_over_it(cells):
    (difference,) = cells["picture"].differences

    assert cells["picture"].outcome == "changed"
    assert difference.kind == "image/png"


@pytest.mark.parametrize(
    ("cell", "words"),
    [
        ("never-run", "never run"),
        ("ignored", "NBVAL_IGNORE_OUTPUT"),
        ("cut", "cut at 110 characters"),
        ("cleared", "clear_output"),
    ],
)
def test_what_was_not_compared_is_a_finding(cell, words, cells):
    (finding,) = cells[cell].findings

    assert words in finding
    assert not cells[cell].is_sound


def test_outputs_of_a_cell_that_was_never_run_are_refused(cells):
    assert cells["half-stored"].outcome == "failed"
    assert "never run" in cells["half-stored"].error.cause


def test_a_marked_cell_is_skipped_and_says_why(cells):
    assert cells["marked"].outcome == "skipped"
    assert "NBVAL_SKIP" in cells["marked"].reason


def test_a_failed_cell_is_explained_in_the_tutorials_words(cells):
    error = cells["fails"].error

    assert cells["fails"].outcome == "failed"
    assert error.cause == "Nothing is called “client” here yet."
    assert error.original == "NameError: name 'client' is not defined"
    assert error.printed == "soon"
    assert "\x1b" not in error.traceback


def test_the_explanation_is_of_the_error_itself_as_the_kernel_has_it(cells):
    # Its name and text alone would say nothing.
    assert cells["complains"].error.cause == "It is late; wait."


def test_a_failure_that_follows_names_the_cell_to_begin_with(cells):
    assert cells["fails"].notes == []
    assert cells["follows"].notes == ["Follows from cell “fails”, which should have made “made”."]
    assert cells["again"].notes == ["The same as in cell “fails”."]


def test_later_cells_run_all_the_same(cells):
    assert cells["lives-on"].outcome == "passed"


def test_a_dead_kernel_is_noticed_and_the_rest_is_skipped_with_the_reason(cells, lessons):
    assert cells["before"].outcome == "passed"
    assert cells["dies"].outcome == "failed"
    assert "process ended" in cells["dies"].error.cause
    assert cells["after"].outcome == "skipped"
    assert "“dies”" in cells["after"].reason
    assert (
        lessons["dying"].seconds < 30
    )  # nbval alone waits for the cell's whole time, 60 seconds here


def test_a_notebook_without_outputs_does_not_pass(lessons):
    assert not lessons["stripped"].is_sound
    assert "without outputs" in lessons["stripped"].findings[0]


def test_outputs_that_claim_another_origin_do_not_pass(lessons):
    assert any("not made on the sandbox" in finding for finding in lessons["various"].findings)


def test_a_cell_says_where_it_is_and_what_it_covers(cells, lessons):
    line = lessons["failing"].path.read_text("utf-8").splitlines()[cells["fails"].line - 1]

    assert '"id": "fails"' in line
    assert cells["fails"].step == "create-an-identity"


def test_the_lessons_come_in_the_order_in_which_they_were_named(run):
    assert [lesson.path.stem for lesson in run.lessons] == [
        "various",
        "failing",
        "dying",
        "stripped",
    ]


def test_no_token_leaves_the_run(run, cells, lessons):
    written = json.dumps(run.as_json(), default=str)
    executed = lessons["various"].path.parent / lessons["various"].executed

    assert "eyJhbGciOi…" in cells["token"].differences[0].shown
    assert masked(written) == written
    assert masked(executed.read_text("utf-8")) == executed.read_text("utf-8")


def test_the_notebook_as_it_ran_is_kept_and_opens(lessons):
    import nbformat

    lesson = lessons["various"]
    ran = nbformat.read(lesson.path.parent / lesson.executed, as_version=4)

    nbformat.validate(ran)
    (cell,) = [cell for cell in ran.cells if cell.id == "changed"]
    assert cell.outputs[0].text == "one\ntwo\n"


def test_an_error_is_rebuilt_for_an_explanation_where_the_kernel_could_give_none():
    assert isinstance(rebuilt("ModuleNotFoundError", "No module named 'six'"), ModuleNotFoundError)
    assert type(rebuilt("HttpResponseError", "text")).__name__ == "HttpResponseError"
    assert str(rebuilt("UnicodeDecodeError", "text")) == "text"


def test_a_cell_that_does_not_end_is_interrupted_and_the_rest_says_nothing(tmp_path):
    path = notebook(
        tmp_path / "slow.ipynb",
        code("slow", "import time\ntime.sleep(60)"),
        code("after", "print(1)", printed("2\n")),
    )

    (lesson,) = validate([path], place=OwnSandbox(cell_seconds=1)).lessons

    assert [cell.outcome for cell in lesson.cells] == ["failed", "skipped"]
    assert "within 1 seconds" in lesson.cells[0].error.cause
    assert "“slow”" in lesson.cells[1].reason


# A kernel that dies of a taken port: what happens when two processes start one at the same moment.
DIES = """
import os, sys
from pathlib import Path
if "ipykernel_launcher" in " ".join(sys.orig_argv):
    starts = Path(os.environ["STARTS"])
    starts.write_text(starts.read_text() + "x" if starts.exists() else "x")
    if len(starts.read_text()) <= int(os.environ["DEATHS"]):
        os._exit(1)
"""


@pytest.mark.parametrize(("deaths", "is_sound"), [(1, True), (9, False)])
def test_a_kernel_that_dies_at_its_start_gets_another_chance(
    deaths, is_sound, sound_notebook, tmp_path, monkeypatch
):
    (tmp_path / "sitecustomize.py").write_text(DIES)
    monkeypatch.setenv("STARTS", str(tmp_path / "starts"))
    monkeypatch.setenv("DEATHS", str(deaths))

    run = validate([sound_notebook], python_path=str(tmp_path))

    assert run.is_sound is is_sound
    if not is_sound:
        assert run.lessons[0].cells[0].error.cause == "The kernel did not start."


def test_a_worker_that_ends_is_reported_and_another_goes_on(tmp_path, sound_notebook):
    killer = notebook(
        tmp_path / "killer.ipynb",
        code("kills", "import os, signal\nos.kill(os.getppid(), signal.SIGTERM)"),
        code("after", "print(1)", printed("1\n")),
    )

    first, second = validate([killer, sound_notebook]).lessons

    assert "ended before its time" in first.findings[0]
    assert {cell.outcome for cell in first.cells} == {"skipped"}
    assert second.is_sound


def is_running(process_id: int) -> bool:
    try:
        return psutil.Process(process_id).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


# The command


def test_the_command_says_it_all_with_its_exit_status(sound_notebook, tmp_path, capsys):
    assert cli.main(["validate", "--lesson", str(sound_notebook), "--report", str(tmp_path)]) == 0
    assert "The lesson shows what is stored." in capsys.readouterr().out

    changed = notebook(tmp_path / "changed.ipynb", code("one", "print(1)", printed("2\n")))
    assert cli.main(["validate", "--lesson", str(changed), "--report", str(tmp_path)]) == 1
    assert "- 2" in capsys.readouterr().out
    assert {path.name for path in tmp_path.iterdir()} >= {
        "index.html",
        "report.json",
        "junit.xml",
        "executed",
    }


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--lesson", "42"], "There is no lesson “42”; there are 00, 01"),
        (["--lesson", "nothing.ipynb"], "There is no notebook at nothing.ipynb."),
        (["--language", "xx"], "There are no lessons in “xx”; there are some in: en"),
        (["--changed-since", "no-such-revision"], "Git cannot tell what changed"),
        (["--live"], "set ACS_TUTORIAL_MODE=live"),
        (["--live", "--sdk", "1.4.0"], "do not go together"),
    ],
)
def test_what_cannot_be_done_as_given_is_one_sentence_and_status_2(
    arguments, words, tmp_path, capsys
):
    assert cli.main(["validate", *arguments, "--report", str(tmp_path / "report")]) == 2

    captured = capsys.readouterr()
    assert words in captured.err
    assert captured.err.count("\n") == 1


@pytest.mark.parametrize("arguments", [["--jobs", "0"], ["--jobs", "many"], ["--sdk", ","]])
def test_a_slip_in_an_option_is_one_sentence_and_status_2(arguments, capsys):
    with pytest.raises(SystemExit) as ending:
        cli.main(["validate", *arguments])

    assert ending.value.code == 2
    assert capsys.readouterr().err.count("\n") == 1


def test_what_is_no_notebook_is_one_sentence(tmp_path, capsys):
    path = tmp_path / "broken.ipynb"
    path.write_text("{}")

    assert cli.main(["validate", "--lesson", str(path), "--report", str(tmp_path)]) == 1

    assert "is not a notebook of format 4" in capsys.readouterr().err


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no signals to send to one process")
def test_ctrl_c_ends_it_with_its_kernels(tmp_path):
    mark = tmp_path / "pid"
    path = notebook(
        tmp_path / "slow.ipynb",
        code(
            "slow",
            f"import os, time\nopen({str(mark)!r}, 'w').write(str(os.getpid()))\ntime.sleep(60)",
        ),
    )
    command = [sys.executable, "-m", "helpers.cli", "validate", "--lesson", str(path)]
    process = subprocess.Popen(
        [*command, "--report", str(tmp_path / "report")],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    until = time.monotonic() + 30
    while not (mark.exists() and mark.read_text()) and time.monotonic() < until:
        time.sleep(0.05)

    process.send_signal(signal.SIGINT)
    _out, complaint = process.communicate(timeout=20)

    assert process.returncode == 130
    assert complaint == ""
    assert not is_running(int(mark.read_text()))


def test_progress_overwrites_itself_only_where_somebody_watches(run):
    from helpers.validation.report.terminal import Terminal

    class Watched(io.StringIO):
        encoding = "utf-8"

        def isatty(self) -> bool:
            return True

    for stream, counts in ((Watched(), True), (io.StringIO(), False)):
        terminal = Terminal(2, stream=stream)
        terminal.cell_finished(run.lessons[0])
        terminal.lesson_finished(run.lessons[0])
        assert ("\r" in stream.getvalue()) is counts
        assert "various" in stream.getvalue()


def test_a_terminal_without_signs_gets_letters(run):
    from helpers.validation.report.terminal import Terminal

    buffer = io.BytesIO()
    stream = io.TextIOWrapper(buffer, encoding="cp1252", write_through=True)

    terminal = Terminal(4, stream=stream)
    for lesson in run.lessons:
        terminal.lesson_finished(lesson)
    terminal.summary(run)

    assert b"/ changed" in buffer.getvalue()


@pytest.mark.campaign
def test_every_lesson_shows_what_is_stored(tmp_path: Path, capsys):
    assert cli.main(["validate", "--report", str(tmp_path)]) == 0
