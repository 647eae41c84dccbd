from __future__ import annotations

from datetime import datetime, timedelta, timezone

import pytest

from helpers.widgets import style

UGLY = "<script>alert('x')</script> & \"quotes\""


@pytest.mark.parametrize(
    "render", [style.title, style.code_block, style.advice, style.problem, style.done]
)
def test_text_cannot_become_markup(render: object) -> None:
    html = render(UGLY)  # type: ignore[operator]

    assert "<script" not in html
    assert "&lt;script&gt;alert(&#x27;x&#x27;)&lt;/script&gt; &amp; &quot;quotes&quot;" in html


def test_labels_and_bars_escape_too() -> None:
    assert "<script" not in style.pills([UGLY])
    assert 'aria-label="&lt;script&gt;' in style.lifetime_bar(timedelta(hours=1), UGLY)


def test_no_sentence_leaves_no_empty_box() -> None:
    assert style.advice("") == style.problem("") == style.done("") == ""


def test_a_problem_is_not_told_by_colour_alone() -> None:
    assert "⚠" in style.problem("No.") and "✓" in style.done("Yes.")


@pytest.mark.parametrize(
    ("length", "text"),
    [
        (timedelta(hours=24), "24 h"),
        (timedelta(minutes=90), "1 h 30 min"),
        (timedelta(minutes=45), "45 min"),
        (timedelta(seconds=3599.6), "1 h"),
        (timedelta(0), "0 h"),
    ],
)
def test_a_duration_is_told_in_hours_and_minutes(length: timedelta, text: str) -> None:
    assert style.duration(length) == text


def test_a_moment_is_told_in_utc_whatever_its_zone() -> None:
    seoul = datetime(2026, 1, 2, 3, 4, 5, tzinfo=timezone(timedelta(hours=9)))

    assert style.utc(seoul) == "2026-01-01 18:04:05 UTC"


@pytest.mark.parametrize(
    ("lifetime", "used", "widths"),
    [
        (timedelta(hours=12), 0.5, ("50.0%", "25.0%")),
        (timedelta(hours=24), 0.0, ("100.0%", "0.0%")),
        (timedelta(hours=48), 1.0, ("100.0%", "100.0%")),
    ],
)
def test_the_bar_is_drawn_to_a_scale_of_a_day(
    lifetime: timedelta, used: float, widths: tuple[str, str]
) -> None:
    html = style.lifetime_bar(lifetime, "words", used=used)

    assert f'acs-bar-whole" style="width: {widths[0]}"' in html
    assert f'acs-bar-used" style="width: {widths[1]}"' in html


def test_nothing_is_used_unless_it_is_said() -> None:
    assert 'acs-bar-used" style="width: 0.0%"' in style.lifetime_bar(timedelta(hours=9), "words")


def test_every_rule_of_the_style_sheet_stays_inside_the_widgets() -> None:
    rules = style.STYLE.removeprefix("<style>").removesuffix("</style>").split("}")
    selectors = [rule.split("{")[0].strip() for rule in rules if rule.strip()]

    assert len(selectors) > 20
    for selector in ",".join(selectors).split(","):
        assert selector.strip().startswith(".acs"), selector


def test_long_words_and_korean_break_instead_of_being_cut() -> None:
    assert "overflow-wrap: break-word" in style.STYLE and "word-break: keep-all" in style.STYLE
