from __future__ import annotations

import re
from collections.abc import Callable
from datetime import datetime, timedelta, timezone

import pytest
from azure.core.credentials import AccessToken

from helpers.errors import TutorialError
from helpers.widgets import Timeline, TokenRecord

NOON = datetime(2026, 11, 22, 12, 0, tzinfo=timezone.utc)


def at(hours: float) -> datetime:
    return NOON + timedelta(hours=hours)


def record(start: float, end: float, *scopes: str, revoked: float | None = None) -> TokenRecord:
    return TokenRecord(
        at(start), at(end), scopes or ("voip",), at(revoked) if revoked is not None else None
    )


def bars(timeline: Timeline) -> list[tuple[str, float, float]]:
    """Kind, left edge and width of each bar, in percent."""
    return [
        (kind, float(left), float(width))
        for kind, left, width in re.findall(
            r'class="acs-timeline-(\w+)" x="([\d.-]+)%" width="([\d.-]+)%"', timeline._picture.value
        )
    ]


def test_the_text_twin_says_what_the_picture_shows() -> None:
    timeline = Timeline(
        [
            record(-1.5, 22.5),
            record(-9, -8, "chat"),
            record(-6, 6, "voip", revoked=-2),
            record(1, 2, "chat.join", "voip.join"),
        ],
        now=NOON,
    )

    assert timeline.text.splitlines() == [
        "Now: 2026-11-22 12:00:00 UTC",
        "Token 1 (chat): issued 2026-11-22 03:00:00 UTC, 1 h, expired 8 h ago",
        "Token 2 (voip): issued 2026-11-22 06:00:00 UTC, 12 h, revoked 2 h ago",
        "Token 3 (voip): issued 2026-11-22 10:30:00 UTC, 24 h, valid for another 22 h 30 min; "
        "refreshes token 2",
        "Token 4 (chat.join, voip.join): issued 2026-11-22 13:00:00 UTC, 1 h, issued 1 h from now",
    ]
    for line in timeline.text.splitlines()[1:]:
        number, state = line.split(" (")[0], line.split(" h, ", 1)[1]
        assert f'aria-label="{number}: {state}"' in timeline._picture.value


@pytest.mark.parametrize(
    ("token", "state"),
    [
        (record(-1, 1), "valid for another 1 h"),
        (record(-2, -1), "expired 1 h ago"),
        (record(-1, 0), "expired just now"),
        (record(0, 1), "valid for another 1 h"),
        (record(0.5, 1), "issued 30 min from now"),
        (record(-2, 2, revoked=-1), "revoked 1 h ago"),
        (record(-2, 2, revoked=0), "revoked just now"),
        (record(-2, 2, revoked=1), "valid for another 1 h"),
        (record(-3, -2, revoked=-1), "expired 2 h ago"),
        (record(-3, -2, revoked=-2), "expired 2 h ago"),
    ],
)
def test_a_token_is_in_one_state(token: TokenRecord, state: str) -> None:
    assert token.state(NOON) == state


def test_bars_are_drawn_to_scale() -> None:
    # From -5 to 5 hours with 2 % to spare at either end: an hour is a tenth of 100/1.04 percent.
    timeline = Timeline([record(-5, 5), record(-5, 5, "chat", revoked=-3)], now=NOON)

    hour, margin = 100 / 10.4, 2 / 1.04
    assert bars(timeline) == [
        ("life", pytest.approx(margin, abs=0.02), pytest.approx(10 * hour, abs=0.02)),
        ("used", pytest.approx(margin, abs=0.02), pytest.approx(5 * hour, abs=0.02)),
        ("life", pytest.approx(margin, abs=0.02), pytest.approx(2 * hour, abs=0.02)),
        ("used", pytest.approx(margin, abs=0.02), pytest.approx(2 * hour, abs=0.02)),
        ("lost", pytest.approx(margin + 2 * hour, abs=0.02), pytest.approx(8 * hour, abs=0.02)),
    ]
    assert timeline._picture.value.count('x1="50.00%" x2="50.00%"') == 2
    assert timeline._picture.value.count("✕</text>") == 1
    assert "Dashed, after ✕: what revoking took away." in timeline.describe()
    assert f'x="{margin + 2 * hour:.2f}%" y="15"' in timeline._picture.value


def test_revoking_after_the_expiry_takes_nothing_away() -> None:
    timeline = Timeline([record(-3, -2, revoked=-1)], now=NOON)

    assert [kind for kind, _left, _width in bars(timeline)] == ["life", "used"]
    assert "✕</text>" not in timeline._picture.value


def test_what_lies_ahead_is_not_drawn_as_used() -> None:
    assert ("used", pytest.approx(50, abs=2), 0.0) in bars(
        Timeline([record(-1, 1, "chat"), record(0.0, 1)], now=NOON)
    )
    assert [
        width for kind, _left, width in bars(Timeline([record(1, 2)], now=NOON)) if kind == "used"
    ] == [0.0]


@pytest.mark.parametrize(
    ("token", "side", "text"),
    [(record(0, 24), "left", "▾ now, 2026"), (record(-24, -1), "right", "UTC ▾")],
)
def test_the_label_of_the_present_stays_inside(token: TokenRecord, side: str, text: str) -> None:
    html = Timeline([token], now=NOON)._picture.value

    assert f'<span style="{side}: 1.92%">' in html
    assert text in html


def test_the_scale_begins_with_the_first_issue_and_ends_with_the_last_expiry() -> None:
    html = Timeline([record(-3, -2), record(1, 9)], now=NOON)._picture.value

    assert "<span>2026-11-22 09:00:00 UTC</span><span>2026-11-22 21:00:00 UTC</span>" in html


def test_it_redraws_when_time_moves_or_tokens_come() -> None:
    timeline = Timeline([record(-1, 1)], now=NOON)
    assert repr(timeline) == "Timeline(valid for another 1 h)"

    timeline.show(now=at(2))
    assert repr(timeline) == "Timeline(expired 1 h ago)"
    assert "expired 1 h ago" in timeline.describe()

    timeline.show([record(-1, 1), record(1, 3)], now=at(2))
    assert repr(timeline) == "Timeline(expired 1 h ago, valid for another 1 h)"
    assert "refreshes token 1" in timeline.describe()

    timeline.show([], now=NOON)
    assert "No token has been issued" in timeline.describe()


def test_a_refresh_renews_the_last_token_with_the_same_scopes_in_any_order() -> None:
    timeline = Timeline(
        [
            record(-5, 1, "chat", "voip"),
            record(-4, 1, "voip", "chat"),
            record(-3, 1, "chat"),
            record(-2, 1, "chat", "voip"),
        ],
        now=NOON,
    )

    endings = [line.rpartition("; ")[2] for line in timeline.text.splitlines() if "; " in line]
    assert endings == ["refreshes token 1", "refreshes token 2"]
    assert timeline.text.splitlines()[4].endswith("refreshes token 2")


def test_without_tokens_it_says_so() -> None:
    assert Timeline().text == "No token has been issued for this identity yet."
    assert "No token has been issued for this identity yet." in Timeline().describe()


def test_without_a_moment_it_is_now() -> None:
    now = datetime.now(timezone.utc)

    assert repr(Timeline([TokenRecord(now, now + timedelta(hours=2), ["chat"])])) == (
        "Timeline(valid for another 2 h)"
    )


def test_a_record_is_read_off_a_token(make_token: Callable[..., str]) -> None:
    token = make_token(iat=int(NOON.timestamp()), exp=int(at(5).timestamp()), acsScope="chat,voip")

    assert TokenRecord.of(token) == TokenRecord(NOON, at(5), ("chat", "voip"))
    assert TokenRecord.of(AccessToken(token, int(at(2).timestamp())), revoked=at(1)) == (
        TokenRecord(NOON, at(2), ("chat", "voip"), at(1))
    )
    with pytest.raises(TutorialError, match="does not say when"):
        TokenRecord.of(make_token(iat=int(NOON.timestamp())))


@pytest.mark.parametrize(
    ("make", "sentence"),
    [
        (lambda: record(1, 1), "is not after 2026-11-22 13:00:00 UTC"),
        (lambda: record(1, 2, revoked=0), "2026-11-22 12:00:00 UTC is before"),
        (lambda: TokenRecord(datetime(2026, 1, 1), NOON, []), "needs its time zone"),
        (lambda: TokenRecord(at(-1), NOON, [], datetime(2026, 1, 1)), "needs its time zone"),
    ],
)
def test_an_impossible_record_gets_one_sentence(
    make: Callable[[], TokenRecord], sentence: str
) -> None:
    with pytest.raises(TutorialError, match=sentence):
        make()


def test_a_token_may_be_revoked_in_the_moment_of_its_issue() -> None:
    assert record(-1, 1, revoked=-1).state(NOON) == "revoked 1 h ago"


def test_markup_in_a_scope_stays_text() -> None:
    html = Timeline([record(-1, 1, "<script>")], now=NOON)._picture.value

    assert "<script" not in html and "&lt;script&gt;" in html


def test_its_text_twin_is_short() -> None:
    # Three states come to 74 characters and are told in full; a fourth would go beyond 80.
    states = "valid for another 1 h, valid for another 1 h 30 min, valid for another 2 h"
    three = [record(-3, 1), record(-2, 1.5), record(-1, 2)]

    assert repr(Timeline(three, now=NOON)) == f"Timeline({states})"
    assert repr(Timeline([*three, record(-0.5, 9)], now=NOON)) == f"Timeline({states}, val…)"


def test_it_speaks_the_chosen_language(korean: None) -> None:
    assert (
        "가나다라마바사아자차카타파하valid for another" in Timeline([record(-1, 1)], now=NOON).text
    )
