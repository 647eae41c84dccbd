"""A sound page gives nothing, however it is written."""

from __future__ import annotations

from pathlib import Path

import pytest

from helpers.validation.pages.checks import check
from tests.validation.pages.writing import CLIENT, INSTALL, found, python, write

SOUND = sorted((Path(__file__).parent / "sound").glob("*.md"))


@pytest.mark.parametrize("page", SOUND, ids=lambda page: page.stem)
def test_a_sound_page_gives_nothing(page: Path) -> None:
    checked = check(page)

    assert checked.findings == []
    assert checked.blocks > 0


def test_windows_line_ends_a_byte_order_mark_and_deep_lists_change_nothing(tmp_path: Path) -> None:
    lines = [
        "# Titre accentué",
        "",
        "```console",
        "pip install azure-communication-identity",
        "```",
        "1. Faites ceci",
        "",
        "    ```python",
        "    from azure.communication.identity import CommunicationIdentityClient",
        "",
        '    client = CommunicationIdentityClient.from_connection_string("<connection string>")',
        "    user = client.create_user()",
        "    ```",
        "",
        "   - profondeur",
        "",
        "     ~~~~ python",
        "     client.delete_user(user)",
        "     ~~~~",
        "",
    ]
    page = tmp_path / "page.md"
    page.write_bytes(b"\xef\xbb\xbf" + "\r\n".join(lines).encode())

    assert check(page).blocks == 2
    assert found(page) == []


def test_what_a_check_cannot_reach_is_said_and_is_no_finding() -> None:
    chat = check(Path(__file__).parent / "sound" / "chat.md")
    sms = check(Path(__file__).parent / "sound" / "sms.md")

    assert chat.not_tried == ["chat.md:18: this needs /chat/threads, which a check does not reach."]
    assert sms.not_tried == [
        "sms.md:9: the package azure-communication-sms is not installed here, so its calls were not tried."
    ]


def test_a_program_under_trial_reaches_nothing_beyond_its_own_folder(tmp_path: Path) -> None:
    victim = tmp_path / "victim.txt"
    victim.write_text("still here")
    page = write(
        tmp_path,
        INSTALL,
        python(f"""
            import os, socket, subprocess
            os.remove({str(victim)!r})
            open({str(victim)!r}, "w").write("gone")
            socket.create_connection(("example.com", 443))
            subprocess.run(["git", "--version"])
        """),
    )

    checked = check(page)

    assert victim.read_text() == "still here"
    assert checked.findings == []
    assert [reason.split("needs ")[1].split(",")[0] for reason in checked.not_tried] == [
        str(victim),
        str(victim),
        "example.com",
        "subprocess.Popen",
    ]


def test_nothing_of_the_callers_settings_reaches_the_program(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setenv("MY_SECRET_SETTING", "seen")
    page = write(
        tmp_path,
        INSTALL,
        python("""
            import os
            print("MY_SECRET_SETTING" in os.environ)
        """),
        "The output:\n\n```output\nFalse\n```\n",
    )

    assert found(page) == []


def test_a_loop_without_end_and_a_wait_for_hours_hold_nothing_up(tmp_path: Path) -> None:
    page = write(
        tmp_path,
        INSTALL,
        CLIENT,
        python("""
            import time
            time.sleep(7200)
            while True:
                if input("Go on? ") == "no":
                    break
            print("never reached by itself")
        """),
    )

    assert found(page) == []
