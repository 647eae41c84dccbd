from __future__ import annotations

import base64
from pathlib import Path

import pytest

from helpers import settings
from helpers.settings import SettingsError

KEY = base64.b64encode(bytes(range(64))).decode()
GOOD = f"endpoint=https://contoso.communication.azure.com/;accesskey={KEY}"


@pytest.fixture(autouse=True)
def an_empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def load(tmp_path: Path, **values: str) -> settings.Settings:
    return settings.load({settings.HOME: str(tmp_path / "home"), **values})


def test_without_settings_the_mode_is_sandbox(tmp_path: Path) -> None:
    loaded = load(tmp_path)

    assert loaded.mode == "sandbox"
    assert loaded.connection_string is None
    assert loaded.problems == ()


def test_a_connection_string_alone_does_not_go_live(tmp_path: Path) -> None:
    loaded = load(tmp_path, COMMUNICATION_SERVICES_CONNECTION_STRING=GOOD)

    assert loaded.mode == "sandbox"
    assert loaded.host == "contoso.communication.azure.com"


def test_live_needs_the_mode_and_a_resource(tmp_path: Path) -> None:
    loaded = load(tmp_path, ACS_TUTORIAL_MODE="live", COMMUNICATION_SERVICES_CONNECTION_STRING=GOOD)

    assert loaded.mode == "live"
    assert loaded.connection_string == GOOD


def test_live_works_with_an_endpoint_alone(tmp_path: Path) -> None:
    loaded = load(
        tmp_path,
        ACS_TUTORIAL_MODE="Live",
        COMMUNICATION_SERVICES_ENDPOINT="https://contoso.communication.azure.com",
    )

    assert loaded.host == "contoso.communication.azure.com"


def test_live_without_a_resource_says_what_to_set(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="COMMUNICATION_SERVICES_CONNECTION_STRING") as raised:
        load(tmp_path, ACS_TUTORIAL_MODE="live")

    assert raised.value.key == "ACS_TUTORIAL_MODE"


def test_the_environment_wins_over_the_file(an_empty_folder: Path) -> None:
    (an_empty_folder / ".env").write_text("ACS_TUTORIAL_LANGUAGE=ko\nACS_TUTORIAL_HOME=from-file\n")

    loaded = load(an_empty_folder, ACS_TUTORIAL_LANGUAGE="en")

    assert loaded.language == "en"


def test_an_empty_variable_switches_off_what_the_file_says(an_empty_folder: Path) -> None:
    (an_empty_folder / ".env").write_text("ACS_TUTORIAL_LANGUAGE=ko\n")

    assert load(an_empty_folder, ACS_TUTORIAL_LANGUAGE="").language is None


def test_the_file_is_found_upwards_from_the_notebook(
    an_empty_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Notepad writes a byte order mark in front; the first key must survive it.
    (an_empty_folder / ".env").write_text(
        f'COMMUNICATION_SERVICES_CONNECTION_STRING="{GOOD}"\n', encoding="utf-8-sig"
    )
    lesson = an_empty_folder / "notebooks" / "en"
    lesson.mkdir(parents=True)
    monkeypatch.chdir(lesson)

    assert load(an_empty_folder).connection_string == GOOD


MALFORMED = [
    # key, value, what the sentence must say
    ("COMMUNICATION_SERVICES_CONNECTION_STRING", f'"{GOOD}"', "quotation marks"),
    ("COMMUNICATION_SERVICES_CONNECTION_STRING", f"'{GOOD}'", "quotation marks"),
    ("COMMUNICATION_SERVICES_CONNECTION_STRING", f"“{GOOD}”", "quotation marks"),
    ("COMMUNICATION_SERVICES_CONNECTION_STRING", KEY, "access key alone"),
    (
        "COMMUNICATION_SERVICES_CONNECTION_STRING",
        "https://contoso.communication.azure.com",
        "endpoint only",
    ),
    ("COMMUNICATION_SERVICES_CONNECTION_STRING", "nonsense", "“endpoint=” is missing"),
    ("COMMUNICATION_SERVICES_CONNECTION_STRING", f"accesskey={KEY}", "“endpoint=” is missing"),
    (
        "COMMUNICATION_SERVICES_CONNECTION_STRING",
        "endpoint=https://contoso.communication.azure.com",
        "“accesskey=” is missing",
    ),
    (
        "COMMUNICATION_SERVICES_CONNECTION_STRING",
        "endpoint=https://contoso.communication.azure.com;accesskey=!secret!",
        "not base64",
    ),
    (
        "COMMUNICATION_SERVICES_CONNECTION_STRING",
        f"endpoint=https://contoso.communication.azure.com;accesskey={KEY[:-7]}",
        "not base64",
    ),
    (
        "COMMUNICATION_SERVICES_CONNECTION_STRING",
        "endpoint=https://<resource>/;accesskey=<key>",
        "placeholder",
    ),
    (
        "COMMUNICATION_SERVICES_CONNECTION_STRING",
        f"endpoint=http://contoso.communication.azure.com;accesskey={KEY}",
        "starts with https://",
    ),
    ("COMMUNICATION_SERVICES_CONNECTION_STRING", GOOD.replace(";", "; "), "space"),
    ("COMMUNICATION_SERVICES_ENDPOINT", "https://contoso.communication.azure.com/", "slash"),
    ("COMMUNICATION_SERVICES_ENDPOINT", "contoso.communication.azure.com", "starts with https://"),
    ("COMMUNICATION_SERVICES_ENDPOINT", GOOD, "connection string"),
    (
        "COMMUNICATION_SERVICES_ENDPOINT",
        '"https://contoso.communication.azure.com"',
        "quotation marks",
    ),
    (
        "COMMUNICATION_SERVICES_ENDPOINT",
        f"https://contoso.communication.azure.com/{KEY}",
        "nothing more",
    ),
    ("ACS_TUTORIAL_MODE", KEY, "“sandbox”, “room” or “live”"),
]


@pytest.mark.parametrize(("key", "value", "says"), MALFORMED)
def test_a_malformed_setting_gets_one_sentence_that_repeats_nothing(
    tmp_path: Path, key: str, value: str, says: str
) -> None:
    with pytest.raises(SettingsError) as raised:
        load(tmp_path, **{"ACS_TUTORIAL_MODE": "live", key: value})

    sentence = str(raised.value)
    assert says in sentence
    assert sentence.startswith(f"{key}: ")
    assert "\n" not in sentence
    assert KEY[:20] not in sentence
    assert "!secret!" not in sentence


@pytest.mark.parametrize(("key", "value", "says"), MALFORMED[:-1])
def test_in_the_sandbox_a_malformed_resource_is_a_note_not_an_end(
    tmp_path: Path, key: str, value: str, says: str
) -> None:
    loaded = load(tmp_path, **{key: value})

    assert says in loaded.problems[0]
    assert loaded.host is None


def test_the_secret_stays_out_of_the_repr(tmp_path: Path) -> None:
    assert KEY not in repr(load(tmp_path, COMMUNICATION_SERVICES_CONNECTION_STRING=GOOD))


def test_a_home_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()

    with pytest.raises(SettingsError, match="name another one"):
        settings.load({settings.HOME: str(tmp_path / "file" / "home")})
