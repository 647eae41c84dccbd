"""The scan for keys, connection strings and tokens. Every secret here is made when the test runs."""

from __future__ import annotations

import base64
import json
import secrets as random
import subprocess
import time
from pathlib import Path
from typing import Any

import jwt
import nbformat
import pytest
import yaml
from nbformat.v4 import new_code_cell, new_notebook, new_output

from helpers import cli
from helpers.validation import secrets

ROOT = Path(__file__).resolve().parents[2]


def make_token(**claims: Any) -> str:
    """A token in the shape of the sample on Learn, expired years ago unless told otherwise."""
    shape = {
        "skypeid": "acs:00000000-0000-0000-0000-000000000000_00000000-0000-0000-0000-000000000000",
        "scp": 1792,
        "csi": "1665470068",
        "iat": 1665470068,
        "exp": 1665473668,
        "acsScope": "voip",
    }
    return jwt.encode({**shape, **claims}, random.token_hex(32), headers={"kid": "106"})


def make_key(length: int = 64) -> str:
    return base64.b64encode(random.token_bytes(length)).decode()


def kinds(text: str) -> list[str]:
    return [secret.kind for secret in secrets.find(text)]


@pytest.mark.parametrize(
    "around",
    ["{}", "token = '{}'", "<{}>", '"text": "\\n{}\\n"', "Bearer {}", "a={},b", "x\\n{}"],
)
def test_a_token_is_found_by_decoding_whatever_stands_around_it(around: str) -> None:
    token = make_token()
    text = around.replace("{}", token)

    (found,) = secrets.find(text)

    assert found.kind == "token"
    assert text[found.start : found.end] == token
    assert found.expires is not None
    assert found.expires.isoformat() == "2022-10-11T07:34:28+00:00"


def test_a_header_that_does_not_begin_as_usual_is_decoded_too() -> None:
    def part(value: dict[str, Any]) -> str:
        return base64.urlsafe_b64encode(json.dumps(value, indent=1).encode()).decode().rstrip("=")

    assert kinds(f"{part({'alg': 'RS256'})}.{part({'exp': 1})}.c2ln") == ["token"]


@pytest.mark.parametrize(
    "text",
    [
        "eyJhbGciOi… (807 characters)",
        "eyJhbGciOiJSUzI1NiJ9.eyJub3QganNvbg.signature",
        "www.example.com and package.module.function",
        "endpoint=https://x/;accesskey=<your key>",
        "endpoint=https://x/;accesskey=ACCESS_KEY_OF_YOUR_RESOURCE",
        "accesskey={connection_string.key}",
        "accesskey=…",
        "0" * 86 + "==",
        "a1" * 43 + "==",
        "sha512-" + base64.b64encode(bytes(range(64))).decode(),
        "8:acs:4ccc92c8-9815-4422-bddc-ceea181dc774_00000006-19e0-2727-80f5-8b3a0d003502",
    ],
)
def test_what_only_looks_like_one_is_left_alone(text: str) -> None:
    assert kinds(text) == []


def test_keys_are_found_alone_and_in_connection_strings() -> None:
    key, newer = make_key(), make_key(63)

    assert kinds(f"key = '{key}'") == ["access-key"]
    assert kinds(f"key = '{newer}'") == ["access-key"]
    assert kinds(f"Endpoint=https://x.communication.azure.com/;AccessKey={key}") == [
        "connection-string"
    ]
    assert kinds(f"accesskey={make_key(24)};endpoint=https://x/") == ["connection-string"]


@pytest.fixture
def notebook(tmp_path: Path) -> tuple[Path, dict[str, str]]:
    """A notebook with a token in every place that can hold one, and those tokens by place."""
    tokens = {
        place: make_token(place=place)
        for place in ("source", "output", "html", "cell metadata", "metadata", "attachment")
    }
    split = tokens["output"]
    cells = [
        new_code_cell(
            f"token = '{tokens['source']}'",
            outputs=[
                new_output("stream", text=f"first\n{split}\n"),
                new_output(
                    "display_data", data={"text/html": f"<b title='{tokens['html']}'>x</b>"}
                ),
            ],
            metadata={"note": tokens["cell metadata"]},
        ),
        nbformat.v4.new_markdown_cell(
            "![x](attachment:x.png)",
            attachments={
                "x.png": {
                    "image/png": base64.b64encode(
                        b"\x89PNG tEXt" + tokens["attachment"].encode()
                    ).decode()
                }
            },
        ),
    ]
    path = tmp_path / "lesson.ipynb"
    nbformat.write(new_notebook(cells=cells, metadata={"note": tokens["metadata"]}), path)
    return path, tokens


def test_every_place_of_a_notebook_is_searched(notebook: tuple[Path, dict[str, str]]) -> None:
    path, tokens = notebook

    found = {one.secret.fingerprint: one.place for one in secrets.scan([path])}

    assert set(found) == {secrets.fingerprint(token) for token in tokens.values()}
    assert found[secrets.fingerprint(tokens["attachment"])] == "cell 2, attachment"


def test_a_token_in_pieces_of_a_notebooks_list_is_found(tmp_path: Path) -> None:
    token = make_token()
    cell = {"cell_type": "code", "source": [token[:60], token[60:]], "metadata": {}, "outputs": []}
    path = tmp_path / "pieces.ipynb"
    path.write_text(json.dumps({"cells": [cell], "metadata": {}}))

    assert [one.place for one in secrets.scan([path])] == ["cell 1"]


def test_files_of_any_encoding_are_read(tmp_path: Path) -> None:
    (tmp_path / "wide.txt").write_text(make_token(), encoding="utf-16")
    (tmp_path / "bytes.bin").write_bytes(b"\x00\xff\xfe" + make_token().encode() + b"\x00\x80")

    assert len(list(secrets.scan([tmp_path]))) == 2


def test_in_a_work_tree_ignored_files_stay_out_and_untracked_ones_do_not(tmp_path: Path) -> None:
    subprocess.run(["git", "init", "--quiet"], cwd=tmp_path, check=True)
    (tmp_path / ".gitignore").write_text(".env\n")
    for name in (".env", "tracked.py", "untracked.py"):
        (tmp_path / name).write_text(make_token())
    subprocess.run(["git", "add", "tracked.py"], cwd=tmp_path, check=True)

    assert [one.path.name for one in secrets.scan([tmp_path])] == ["tracked.py", "untracked.py"]
    # Whoever names a file means it.
    assert [one.path.name for one in secrets.scan([tmp_path / ".env"])] == [".env"]


def test_elsewhere_every_file_is_read(tmp_path: Path) -> None:
    (tmp_path / "deep").mkdir()
    (tmp_path / "deep" / ".env").write_text(make_token())

    assert [one.path.name for one in secrets.scan([tmp_path])] == [".env"]


def test_deliberate_cases_are_allowed_by_a_comment_or_a_fingerprint(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys
) -> None:
    token = make_token()
    (tmp_path / "a.py").write_text(f"x = '{make_token()}'  # acs-tutorial: allow-secret, a fixture")
    (tmp_path / "b.py").write_text(f"x = '{token}'")
    monkeypatch.chdir(tmp_path)

    assert cli.main(["scan"]) == 1
    (tmp_path / ".secrets-allowed").write_text(f"{secrets.fingerprint(token)}  # a fixture\n")
    assert cli.main(["scan"]) == 0


def test_the_command_says_where_and_what_and_never_the_secret(tmp_path: Path, capsys) -> None:
    key = make_key()
    valid = make_token(exp=int(time.time()) + 3600)
    file = tmp_path / "file.py"
    file.write_text(
        f"\na = '{make_token()}'\nb = '{valid}'\nc = 'endpoint=https://x/;accesskey={key}'\n"
    )

    assert cli.main(["scan", str(file)]) == 1
    said = capsys.readouterr().out
    assert f"{file.as_posix()}:2:6: token, expired 2022-10-11" in said
    assert f"{file.as_posix()}:3:6: token, valid until" in said
    assert f"{file.as_posix()}:4:36: access key in a connection string" in said
    assert "3 secrets found." in said
    assert cli.main(["scan", str(file), "--format", "json"]) == 1
    printed = capsys.readouterr().out
    assert [one["kind"] for one in json.loads(printed)] == ["token", "token", "connection-string"]
    for output in (said, printed):
        assert valid[:30] not in output
        assert key[:12] not in output
    assert cli.main(["scan", str(tmp_path / "absent")]) == 2


def test_the_hook_hands_file_names_to_the_command() -> None:
    (hook,) = yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text(encoding="utf-8"))

    assert hook["entry"] == "acs-tutorial scan"
    assert hook.get("pass_filenames", True)
    assert hook["language"] == "python"


def test_the_project_itself_is_clean() -> None:
    found = [
        f"{one.path.relative_to(ROOT)}:{one.line} {one.secret.kind}"
        for one in secrets.scan([ROOT], allowed=secrets.allowed_in(ROOT))
    ]

    assert found == []
