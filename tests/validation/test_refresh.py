"""Stored outputs are made by running, on the sandbox only, and change only when a reader would see it."""

from __future__ import annotations

import json
from pathlib import Path

from helpers import cli, settings
from tests.validation.notebooks import code, notebook, printed

SANDBOX_MADE = {"outputs": "sandbox"}
GUID = "0f8fad5b-d9cb-469f-a165-70867728950e"


def stored(path: Path) -> dict[str, object]:
    content: dict[str, object] = json.loads(path.read_text("utf-8"))
    return content


def test_refresh_stores_what_changed_shows_it_and_is_content_afterwards(tmp_path, capsys):
    path = notebook(
        tmp_path / "a.ipynb",
        code("id", "import uuid\nprint(uuid.uuid4())", printed(f"{GUID}\n")),
        code("changed", "print('new')", printed("old\n")),
    )

    assert cli.main(["refresh", "--check", str(path)]) == 1
    assert "old" in path.read_text("utf-8")
    assert cli.main(["refresh", str(path)]) == 0

    said = capsys.readouterr().out
    assert "cell “changed”" in said
    assert "- old" in said and "+ new" in said
    assert "cell “id”" not in said
    assert "guid" in said and "matches nothing" in said
    after = path.read_bytes()
    assert b"old" not in after
    assert stored(path)["metadata"]["acs"] == SANDBOX_MADE

    # The second time only the id differs: the file is not touched.
    assert cli.main(["refresh", str(path)]) == 0
    assert path.read_bytes() == after
    assert cli.main(["refresh", "--check", str(path)]) == 0


def test_a_file_of_which_only_the_mark_is_missing_keeps_its_outputs(tmp_path):
    path = notebook(
        tmp_path / "a.ipynb",
        code("id", "import uuid\nprint(uuid.uuid4())", printed(f"{GUID}\n")),
    )

    cli.main(["refresh", str(path)])

    assert GUID in path.read_text("utf-8")
    assert stored(path)["metadata"]["acs"] == SANDBOX_MADE


def test_a_lesson_with_a_failing_cell_stays_as_it_was_and_the_error_is_explained(tmp_path, capsys):
    path = notebook(tmp_path / "a.ipynb", code("fails", "timedelta(hours=1)", printed("x")))
    before = path.read_bytes()

    assert cli.main(["refresh", str(path)]) == 1

    complaint = capsys.readouterr().err
    assert "stays as it was" in complaint
    assert "from datetime import timedelta" in complaint
    assert path.read_bytes() == before


def test_what_a_real_resource_answers_cannot_be_stored(tmp_path, monkeypatch, capsys):
    path = notebook(tmp_path / "a.ipynb", code("one", "print(1)"))
    before = path.read_bytes()
    monkeypatch.setenv(settings.MODE, "live")
    monkeypatch.setenv(
        settings.CONNECTION_STRING, "endpoint=https://contoso.example/;accesskey=" + "a" * 88
    )

    assert cli.main(["refresh", str(path)]) == 1

    assert "Published outputs are the sandbox's" in capsys.readouterr().err
    assert path.read_bytes() == before


def test_an_unknown_lesson_is_one_sentence_and_status_2(capsys):
    assert cli.main(["refresh", "42"]) == 2

    assert "There is no lesson “42”" in capsys.readouterr().err
