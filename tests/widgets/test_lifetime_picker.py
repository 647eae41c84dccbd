from __future__ import annotations

from datetime import timedelta

import pytest

from helpers.errors import TutorialError
from helpers.widgets import LifetimePicker


def test_it_starts_with_the_default_of_the_service() -> None:
    picker = LifetimePicker()

    assert picker.value == timedelta(hours=24)
    assert picker.minutes == 1440 == picker.entry.value
    assert "what the service gives when no lifetime is asked for" in picker.describe()


@pytest.mark.parametrize("hours", [1, 2, 4, 8, 12, 24])
def test_each_button_sets_its_hours(hours: int) -> None:
    picker = LifetimePicker(90)

    picker.presets[hours].click()

    assert picker.value == timedelta(hours=hours)
    assert picker.entry.value == hours * 60
    assert picker.presets[hours].description == f"{hours} h"
    assert picker.presets[hours].tooltip == f"Set the lifetime to {hours * 60} minutes"
    assert f"lifetime = timedelta(hours={hours})" in picker.describe()


def test_the_entry_takes_any_minute() -> None:
    picker = LifetimePicker()

    picker.entry.value = 61

    assert picker.value == timedelta(minutes=61)
    assert picker.describe().splitlines()[1] == "1 h 1 min"


@pytest.mark.parametrize(("typed", "kept"), [(59, 60), (-5, 60), (1441, 1440), (10**9, 1440)])
@pytest.mark.parametrize("before", [60, 90, 1440])
def test_a_number_out_of_range_is_corrected_in_plain_sight(
    typed: int, kept: int, before: int
) -> None:
    picker = LifetimePicker(before)

    picker.entry.value = typed

    assert picker.minutes == kept == picker.entry.value
    assert f"60 to 1440 minutes, so {typed} became {kept}." in picker.describe()

    picker.entry.value = 120

    assert "became" not in picker.describe()


@pytest.mark.parametrize("minutes", [60, 61, 1439, 1440])
def test_the_whole_range_can_be_set_from_code(minutes: int) -> None:
    picker = LifetimePicker(600)

    picker.minutes = minutes
    by_minutes = picker.describe()
    picker.minutes = 600
    picker.value = timedelta(minutes=minutes)

    assert picker.describe() == by_minutes
    assert picker.minutes == minutes == picker.entry.value


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        (59, "60 to 1440 minutes; 59 is outside"),
        (1441, "1441 is outside"),
        (10**40, "is outside"),
        (90.0, "not float"),
        (True, "not bool"),
        ("90", "not str"),
    ],
)
def test_bad_minutes_get_one_sentence(wrong: object, sentence: str) -> None:
    picker = LifetimePicker(90)

    with pytest.raises(TutorialError, match=sentence):
        picker.minutes = wrong  # type: ignore[assignment]
    with pytest.raises(TutorialError, match=sentence):
        LifetimePicker(wrong)  # type: ignore[arg-type]

    assert picker.minutes == 90


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        (90, "not int; for a number of minutes set .minutes"),
        (timedelta(minutes=59), "59 is outside"),
        (timedelta(days=2), "2880 is outside"),
        (timedelta(hours=1, seconds=30), "whole number of minutes; 1:00:30 is not"),
    ],
)
def test_bad_lifetimes_get_one_sentence(wrong: object, sentence: str) -> None:
    picker = LifetimePicker(90)

    with pytest.raises(TutorialError, match=sentence):
        picker.value = wrong

    assert picker.value == timedelta(minutes=90)


def test_the_picture_follows() -> None:
    picker = LifetimePicker(720)
    assert 'aria-label="12 h"' in picker._reading.value
    assert "width: 50.0%" in picker._reading.value

    picker.minutes = 360

    assert 'aria-label="6 h"' in picker._reading.value
    assert "width: 25.0%" in picker._reading.value


@pytest.mark.parametrize(
    ("minutes", "hint"), [(60, "the shortest"), (61, "Short lifetimes suit"), (1440, "the longest")]
)
def test_the_hint_fits_the_choice(minutes: int, hint: str) -> None:
    assert hint in LifetimePicker(minutes).describe()


def test_the_entry_is_labelled() -> None:
    entry = LifetimePicker().entry

    assert entry.description == "Minutes"
    assert "60 to 1440" in entry.tooltip


def test_its_text_twin_is_short() -> None:
    assert repr(LifetimePicker(90)) == "LifetimePicker(minutes=90)"


def test_it_speaks_the_chosen_language(korean: None) -> None:
    assert "가나다라마바사아자차카타파하1 h 30 min" not in LifetimePicker().describe()
    assert "가나다라마바사아자차카타파하8 h" in LifetimePicker(480).describe()
