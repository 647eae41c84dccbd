"""The language that the tutorial speaks."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from datetime import date, datetime, timedelta, timezone

import pytest

from helpers import language
from helpers.errors import TutorialError
from helpers.language import gettext, ngettext, pgettext
from helpers.widgets import style


@pytest.fixture(autouse=True)
def english_again() -> Iterator[None]:
    yield
    language.use("en")


def test_english_needs_no_catalogue() -> None:
    language.use("en")

    assert language.current() == "en"
    assert gettext("Lifetime") == "Lifetime"
    assert ngettext("one", "many", 2) == "many"
    assert pgettext("anything", "yes") == "yes"


def test_korean_is_spoken_from_the_catalogue() -> None:
    language.use("ko")

    assert language.current() == "ko"
    assert gettext("Lifetime") == "수명"
    assert gettext("no catalogue holds this") == "no catalogue holds this"


@pytest.mark.parametrize("number", [0, 1, 2, 5])
def test_korean_counts_everything_the_same_way(number: int) -> None:
    language.use("ko")

    assert (
        ngettext(
            "{count} identity deleted; nothing is left behind.",
            "{count} identities deleted; nothing is left behind.",
            number,
        )
        == "ID {count}개를 삭제했습니다. 남은 것이 없습니다."
    )


def test_one_english_word_for_two_things_has_two_translations() -> None:
    language.use("ko")

    assert pgettext("may a user do it?", "no") == "아니요"
    assert pgettext("something else", "no") == "no"


def test_an_unknown_language_is_refused_and_changes_nothing() -> None:
    language.use("ko")

    with pytest.raises(TutorialError, match=r"“tlh” 언어.*en, ko"):
        language.use("tlh")

    assert language.current() == "ko"


def test_every_available_language_can_be_used() -> None:
    assert language.available()[0] == "en"
    assert "ko" in language.available()
    for code in language.available():
        language.use(code)


@pytest.mark.parametrize("code", ["en", "ko"])
def test_speaking_loads_no_tools_of_translators(code: str) -> None:
    # A learner's first cell pays for every import.
    program = (
        "import sys, helpers; from helpers import language;"
        f"language.use({code!r}); print('babel' in sys.modules)"
    )

    ran = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)

    assert (ran.stdout, ran.returncode) == ("False\n", 0), ran.stderr


@pytest.mark.parametrize(
    ("environ", "expected"),
    [
        ({"LANG": "ko_KR.UTF-8"}, "ko"),
        ({"LANG": "ko"}, "ko"),
        ({"LANG": "ko_KR.UTF-8", "LC_ALL": "C.UTF-8"}, None),
        ({"LANG": "de_DE.UTF-8", "LC_MESSAGES": "ko_KR.UTF-8"}, "ko"),
        ({"LANG": "en_US.UTF-8", "LANGUAGE": "ko:en"}, "ko"),
        ({"LANGUAGE": "de:ko:en"}, "ko"),
        ({"LANGUAGE": "de:en:ko"}, "en"),
        ({"LANG": "de_DE.UTF-8"}, None),
        ({"LANG": "kok_IN"}, None),
    ],
)
def test_the_systems_language_is_read_by_the_rules_of_gettext(
    environ: dict[str, str], expected: str | None
) -> None:
    assert language.of_system(environ) == expected


@pytest.mark.skipif(
    sys.platform == "win32", reason="Windows is asked when the environment is silent"
)
def test_a_silent_system_asks_for_no_language() -> None:
    assert language.of_system({}) is None


MOMENT = datetime(2026, 3, 5, 18, 4, 5, tzinfo=timezone(timedelta(hours=9)))


@pytest.mark.parametrize(
    ("code", "day", "moment", "duration", "names"),
    [
        ("en", "2026-03-05", "2026-03-05 09:04:05 UTC", "1 h 30 min", "chat, voip"),
        ("ko", "2026년 3월 5일", "2026년 3월 5일 09:04:05 UTC", "1시간 30분", "chat, voip"),
    ],
)
def test_dates_durations_and_lists_have_the_languages_form(
    code: str, day: str, moment: str, duration: str, names: str
) -> None:
    language.use(code)

    assert language.date(date(2026, 3, 5)) == day
    assert language.moment(MOMENT) == style.utc(MOMENT) == moment
    assert style.duration(timedelta(minutes=90)) == duration
    assert language.listed(["chat", "voip"]) == names
