from __future__ import annotations

import ast
from datetime import timedelta

import pytest

from helpers.widgets.code import python_source, wrapped


@pytest.mark.parametrize(
    ("value", "source"),
    [
        (["voip", "chat"], '["voip", "chat"]'),
        ([], "[]"),
        (timedelta(hours=24), "timedelta(hours=24)"),
        (timedelta(minutes=90), "timedelta(hours=1, minutes=30)"),
        (timedelta(minutes=45), "timedelta(minutes=45)"),
        (timedelta(), "timedelta()"),
        ('a "name"', '"a \\"name\\""'),
        ("가", '"가"'),
        (7, "7"),
        (None, "None"),
    ],
)
def test_a_value_becomes_the_python_a_reader_would_type(value: object, source: str) -> None:
    assert python_source(value) == source
    assert eval(source, {"timedelta": timedelta}) == value


def test_a_short_call_stays_on_its_line() -> None:
    assert wrapped('client.get_token(identity, ["voip"])') == 'client.get_token(identity, ["voip"])'


def test_a_long_call_gets_one_argument_a_line_and_means_the_same() -> None:
    call = 'token = clients["a(b"].get_token(identity, ["chat"], token_expires_in=timedelta(hours=1), **options)'

    result = wrapped(call)

    assert result == (
        'token = clients["a(b"].get_token(\n'
        "    identity,\n"
        '    ["chat"],\n'
        "    token_expires_in=timedelta(hours=1),\n"
        "    **options,\n"
        ")"
    )
    assert ast.dump(ast.parse(result)) == ast.dump(ast.parse(call))


def test_the_width_is_76() -> None:
    fits = f"f({'x' * 73})"
    assert len(fits) == 76

    assert wrapped(fits) == fits
    assert wrapped(f"f({'x' * 74})") == f"f(\n    {'x' * 74},\n)"


def test_a_long_call_with_names_only_is_wrapped_too() -> None:
    assert wrapped(f"f({'x' * 70}=1, y=2)") == f"f(\n    {'x' * 70}=1,\n    y=2,\n)"


@pytest.mark.parametrize(
    "source",
    [
        "a_long_name = another_long_name + yet_another_long_name + the_last_of_the_long_names",
        "this is no Python at all, but it is long enough to be wrapped if it only were Python",
        "an_extremely_long_function_name_that_takes_nothing_whatsoever_and_goes_on_for_a_while()",
        "import datetime, datetime, datetime, datetime, datetime, datetime, datetime, datetime",
    ],
)
def test_what_is_no_call_with_arguments_stays_as_it_is(source: str) -> None:
    assert wrapped(source) == source
