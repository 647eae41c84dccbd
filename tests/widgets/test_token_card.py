from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta, timezone
from typing import Any

import pytest
from azure.core.credentials import AccessToken

from helpers.errors import TutorialError
from helpers.widgets import TokenCard

ISSUED = 1_795_000_000
HOUR = 3600
NOW = datetime.fromtimestamp(ISSUED + 3 * HOUR, timezone.utc)
ISSUED_TEXT = "2026-11-18 11:06:40 UTC"
EXPIRES_TEXT = "2026-11-18 23:06:40 UTC"

MakeToken = Callable[..., str]


@pytest.fixture
def token(make_token: MakeToken) -> str:
    return make_token(
        skypeid="acs:resource_user",
        scp=1792,
        csi=str(ISSUED),
        exp=ISSUED + 12 * HOUR,
        acsScope="chat,voip",
        resourceId="resource",
        iat=ISSUED,
    )


def html(card: TokenCard) -> str:
    return card._repr_mimebundle_()["text/html"]


def test_the_text_twin_says_it_all(token: str) -> None:
    assert str(TokenCard(token, now=NOW)).splitlines() == [
        f"Access token eyJhbGciOi… ({len(token)} characters)",
        "Scopes: chat, voip",
        f"Issued: {ISSUED_TEXT}",
        f"Expires: {EXPIRES_TEXT}",
        "Lifetime: 12 h, 25 % of it used",
        "",
        "Header",
        "  alg = RS256  (how it is signed)",
        "  kid = sandbox-key  (which key signed it)",
        "  typ = JWT  (what kind of thing this is)",
        "",
        "Claims",
        "  skypeid = acs:resource_user  (the identity, without the leading “8:”)",
        "  scp = 1792  (a number that says what kind of user this is)",
        f"  csi = {ISSUED}  (when it was issued: {ISSUED_TEXT})",
        f"  exp = {ISSUED + 12 * HOUR}  (when it expires: {EXPIRES_TEXT})",
        "  acsScope = chat,voip  (the scopes)",
        "  resourceId = resource  (the Communication Services resource)",
        f"  iat = {ISSUED}  (when it was issued: {ISSUED_TEXT})",
        "",
        "The format of a token is not part of the API contract and can change: read it to learn "
        "and to debug, but let no code depend on it. "
        "Revoking does not show here, as it happens in the service.",
    ]


def test_the_picture_shows_the_same(token: str) -> None:
    card = TokenCard(token, now=NOW)
    picture = html(card)

    assert card._repr_mimebundle_()["text/plain"] == str(card)
    for part in (
        '<span class="acs-pill">chat</span><span class="acs-pill">voip</span>',
        f"<dt>Issued</dt><dd>{ISSUED_TEXT}</dd>",
        f"<dt>Expires</dt><dd>{EXPIRES_TEXT}</dd>",
        "<dt>Lifetime</dt><dd>12 h, 25 % of it used</dd>",
        'role="img" aria-label="12 h, 25 % of it used"',
        'acs-bar-whole" style="width: 50.0%"',
        'acs-bar-used" style="width: 12.5%"',
        "<details open><summary>Claims</summary>",
        "<details><summary>Header</summary>",
        "not part of the API contract",
    ):
        assert part in picture


@pytest.mark.parametrize("wrap", [str, lambda text: AccessToken(text, ISSUED + HOUR)])
def test_neither_picture_nor_text_holds_the_token(token: str, wrap: Any) -> None:
    card = TokenCard(wrap(token), now=NOW)

    for view in (*card._repr_mimebundle_().values(), repr(card)):
        for part in token.split("."):
            assert part not in view


@pytest.mark.parametrize(
    "expires_on",
    [
        "2026-11-18T23:06:40.8212345+00:00",
        "2026-11-18T23:06:40.1+00:00",
        "2026-11-18T23:06:40Z",
        str(ISSUED + 12 * HOUR),
        ISSUED + 12 * HOUR,
        datetime(2026, 11, 18, 23, 6, 40, tzinfo=timezone.utc),
        datetime(2026, 11, 18, 23, 6, 40),
        datetime(2026, 11, 19, 8, 6, 40, tzinfo=timezone(timedelta(hours=9))),
        None,
    ],
)
def test_every_kind_of_expires_on_is_read(make_token: MakeToken, expires_on: Any) -> None:
    # Its own claim says otherwise, unless there is nothing else to go by.
    claimed = ISSUED + (6 if expires_on else 12) * HOUR
    token = make_token(iat=ISSUED, exp=claimed)

    card = TokenCard(AccessToken(token, expires_on), now=NOW)

    assert f"Expires: {EXPIRES_TEXT}" in str(card)
    assert card.lifetime == timedelta(hours=12)


def test_the_answer_of_the_service_counts_more_than_the_claim(token: str) -> None:
    card = TokenCard(AccessToken(token, ISSUED + HOUR), now=NOW)  # type: ignore[arg-type]

    assert card.lifetime == timedelta(hours=1)


@pytest.mark.parametrize(
    ("hours", "used", "words"),
    [
        (-1, 0.0, "0 % of it used"),
        (0, 0.0, "0 % of it used"),
        (11.999, 0.9999, "99 % of it used"),
        (12, 1.0, "all of it used: the token has expired"),
        (40, 1.0, "all of it used: the token has expired"),
    ],
)
def test_the_used_share_is_that_of_the_moment_given(
    token: str, hours: float, used: float, words: str
) -> None:
    card = TokenCard(token, now=datetime.fromtimestamp(ISSUED + hours * HOUR, timezone.utc))

    assert card.used == pytest.approx(used, abs=1e-3)
    assert f"Lifetime: 12 h, {words}" in str(card)
    assert words in html(card)


def test_without_a_moment_it_is_now(make_token: MakeToken) -> None:
    now = datetime.now(timezone.utc).timestamp()

    card = TokenCard(make_token(iat=now - HOUR, exp=now + HOUR))

    assert card.used == pytest.approx(0.5, abs=0.01)


def test_a_second_between_the_clocks_does_not_spoil_the_lifetime(make_token: MakeToken) -> None:
    card = TokenCard(make_token(iat=ISSUED + 1, exp=ISSUED + 24 * HOUR), now=NOW)

    assert card.lifetime == timedelta(hours=24)


def test_markup_in_a_claim_stays_text(make_token: MakeToken) -> None:
    evil = "<script>alert('x')</script>"
    picture = html(TokenCard(make_token(acsScope=evil, **{evil: evil}), now=NOW))

    assert "<script" not in picture
    assert picture.count("&lt;script&gt;") == 4  # the label, the scope's claim, and name and value


def test_unknown_claims_are_shown_too(make_token: MakeToken) -> None:
    text = str(TokenCard(make_token(aad_pft="v", flag=True, parts=["a", 1], nothing=None)))

    assert "  aad_pft = v  (not described here)" in text
    assert "  flag = true  (not described here)" in text
    assert '  parts = ["a", 1]  (not described here)' in text
    assert "  nothing = null  (not described here)" in text


@pytest.mark.parametrize(
    "claims",
    [
        {},
        {"exp": "soon", "iat": None},
        {"exp": 10**30, "iat": ISSUED},
        {"exp": True, "iat": ISSUED},
        {"exp": ISSUED, "iat": ISSUED},
        {"exp": ISSUED - 5, "iat": ISSUED},
    ],
)
def test_a_token_without_sensible_times_still_has_a_card(
    make_token: MakeToken, claims: dict[str, Any]
) -> None:
    card = TokenCard(make_token(**claims), now=NOW)

    assert "Lifetime: the token does not say" in str(card)
    assert "acs-bar-whole" not in html(card).split("</style>")[1]
    assert "Scopes: the token does not say" in str(card)
    assert "<dt>Scopes</dt><dd>the token does not say</dd>" in html(card)


@pytest.mark.parametrize(
    ("broken", "sentence"),
    [
        ("", "here there are 0"),
        ("no token", "three parts with dots between them, and here there are 1"),
        ("eyJhbGciOiJSUzI1NiJ9.eyJh", "here there are 2"),
        ("eyJhbGciOiJSUzI1NiJ9.eyJhYm.x", "cannot be read"),
        ("a.b.c", "cannot be read"),
        ("W10.e30.x", "cannot be read"),  # a list, then an object
        ("e30.W10.x", "cannot be read"),
        ("é.é.é", "cannot be read"),
        ((1, 2), "identity, token = client.create_user_and_token"),
        (None, "not NoneType"),
    ],
)
def test_what_is_no_token_gets_one_sentence(broken: object, sentence: str) -> None:
    with pytest.raises(TutorialError) as caught:
        TokenCard(broken)

    assert sentence in str(caught.value)
    assert "\n" not in str(caught.value)
    assert caught.value.__cause__ is None and caught.value.__context__ is None


def test_an_expiry_that_is_no_time_gets_one_sentence(token: str) -> None:
    with pytest.raises(TutorialError, match="expires_on is no time that can be read: “tomorrow”"):
        TokenCard(AccessToken(token, "tomorrow"))  # type: ignore[arg-type]


def test_a_broken_token_is_not_repeated() -> None:
    with pytest.raises(TutorialError) as caught:
        TokenCard("secretpart.secretpart.secretpart")

    assert "secretpart" not in str(caught.value)


def test_its_repr_is_short(make_token: MakeToken, token: str) -> None:
    every_scope = "chat,chat.join,chat.join.limited,voip,voip.join"

    assert repr(TokenCard(token, now=NOW)) == f"TokenCard(chat,voip, expires {EXPIRES_TEXT})"
    assert len(repr(TokenCard(make_token(acsScope=every_scope, exp=ISSUED)))) < 100
    assert f"TokenCard({every_scope}, expires 20" in repr(
        TokenCard(make_token(acsScope=every_scope, exp=ISSUED))
    )
    assert repr(TokenCard(make_token(acsScope="x" * 48))) == f"TokenCard({'x' * 46}…, expires None)"


def test_text_in_other_scripts_stays_readable(make_token: MakeToken) -> None:
    assert 'names = ["가"]' in str(TokenCard(make_token(names=["가"])))


def test_it_speaks_the_chosen_language(korean: None, token: str) -> None:
    card = TokenCard(token, now=NOW)

    assert "가나다라마바사아자차카타파하Issued: " in str(card)
    assert "<dt>가나다라마바사아자차카타파하Scopes</dt>" in html(card)
    assert '<span class="acs-pill">chat</span>' in html(card)
