from __future__ import annotations

import ast

import pytest

from helpers.errors import TutorialError
from helpers.widgets import CallPreview, LifetimePicker, ScopePicker

TEMPLATE = "client.get_token(identity, {scopes}, token_expires_in={lifetime})"


def preview() -> tuple[CallPreview, ScopePicker, LifetimePicker]:
    scopes, lifetime = ScopePicker(), LifetimePicker(60)
    return CallPreview(TEMPLATE, scopes=scopes, lifetime=lifetime), scopes, lifetime


def test_it_shows_the_call_that_the_pickers_stand_for() -> None:
    call, _scopes, _lifetime = preview()

    assert call.code == 'client.get_token(identity, ["voip"], token_expires_in=timedelta(hours=1))'


def test_it_follows_every_click() -> None:
    call, scopes, lifetime = preview()

    scopes.checkboxes["chat"].value = True
    lifetime.presets[8].click()

    assert '["chat", "voip"]' in call.code and "timedelta(hours=8)" in call.code
    assert " ".join(call.code.split()) in call.describe()


def test_a_long_call_is_still_one_call() -> None:
    call, scopes, lifetime = preview()
    scopes.value = list(scopes.checkboxes)
    lifetime.minutes = 61

    assert len(call.code.splitlines()) == 5
    tree = ast.parse(call.code, mode="eval").body
    assert isinstance(tree, ast.Call)
    assert ast.literal_eval(tree.args[1]) == scopes.value


def test_plain_values_are_written_as_python() -> None:
    assert CallPreview("client.delete_user({user})", user="8:acs:x").code == (
        'client.delete_user("8:acs:x")'
    )


def test_a_call_without_places_stays_as_it_is() -> None:
    assert CallPreview("client.create_user()").code == "client.create_user()"


@pytest.mark.parametrize(
    ("template", "parts", "sentence"),
    [
        ("f({scopes})", {}, "a place for “scopes”, but nothing"),
        ("f()", {"scopes": []}, "“scopes” was given, but the call has no place"),
        ("f({scopes)", {"scopes": []}, "a brace without its partner"),
    ],
)
def test_a_template_that_does_not_fit_gets_one_sentence(
    template: str, parts: dict[str, object], sentence: str
) -> None:
    with pytest.raises(TutorialError, match=sentence):
        CallPreview(template, **parts)


def test_what_is_shown_cannot_become_markup() -> None:
    html = CallPreview("f({x})", x="<script>")._block.value

    assert "<script>" not in html and "&lt;script&gt;" in html


def test_its_text_twin_is_short_and_in_one_line() -> None:
    call, scopes, _lifetime = preview()
    assert repr(CallPreview("f({x})", x=1)) == "CallPreview(f(1))"
    assert repr(CallPreview("x" * 80)) == f"CallPreview({'x' * 80})"
    assert repr(CallPreview("x" * 81)) == f"CallPreview({'x' * 79}…)"

    scopes.value = list(scopes.checkboxes)

    assert len(repr(call)) < 100 and "\n" not in repr(call) and repr(call).endswith("…)")
