"""Expected against actual: what counts as a difference, and how a person reads it."""

from __future__ import annotations

import pytest

from helpers.validation.differences import cut_widget, differences, readable
from helpers.validation.results import Difference
from helpers.validation.rules import Rule, Rules
from tests.validation.notebooks import printed, returned

NO_RULES = Rules([])
TOKEN = "ey" + "JhbGciOiJSUzI1NiIs." + "a" * 20 + ".b"


def kinds(stored, shown):
    return [difference.kind for difference in differences(stored, shown, NO_RULES)]


def test_chunks_of_a_stream_are_one_text():
    assert kinds([printed("a\nb\n")], [printed("a\n"), printed("b\n")]) == []


def test_a_text_may_be_stored_as_lines():
    assert (
        kinds([returned(text_plain="a\nb")], [{**returned(), "data": {"text/plain": ["a\n", "b"]}}])
        == []
    )


def test_like_outputs_are_compared_in_order():
    one, two = returned(text_plain="1"), returned(text_plain="2")

    assert kinds([one, two], [two, one]) == ["text/plain", "text/plain"]


def test_an_output_too_many_is_a_difference():
    (difference,) = differences([], [returned(text_plain="1")], NO_RULES)

    assert (difference.expected, difference.actual) == (None, "1")


@pytest.mark.parametrize(
    ("data", "other"),
    [
        ({"image_png": "b25l"}, {"image_png": "dHdv"}),
        ({"text_latex": "$a$"}, {"text_latex": "$b$"}),
        ({"text_plain": "a"}, {"text_html": "a"}),
    ],
)
def test_every_kind_counts(data, other):
    assert kinds([returned(**data)], [returned(**other)])


def test_an_equal_picture_is_no_difference():
    assert kinds([returned(image_png="b25l")], [returned(image_png="b25l")]) == []


def test_the_random_name_of_a_widget_is_no_difference():
    view = "application/vnd.jupyter.widget-view+json"
    first, second = returned(text_plain="w"), returned(text_plain="w")
    first["data"][view], second["data"][view] = {"model_id": "1"}, {"model_id": "2"}

    assert kinds([first], [second]) == []


def test_an_error_counts_by_name_and_text_and_not_by_traceback():
    def error(text, traceback):
        return {"output_type": "error", "ename": "E", "evalue": text, "traceback": [traceback]}

    assert kinds([error("a", "x")], [error("a", "y")]) == []
    assert kinds([error("a", "x")], [error("b", "x")]) == ["error"]


def test_a_difference_tells_what_was_compared_and_what_really_stood_there():
    rules = Rules([Rule("number", r"\d+", "N")])

    (difference,) = differences([printed("a 1")], [printed("b 2")], rules)

    assert difference == Difference("stdout", "a N", "b N", "a 1", "b 2")


def test_a_token_is_masked_on_every_side():
    (difference,) = differences([printed(f"{TOKEN}\n")], [printed(f"{TOKEN} new\n")], NO_RULES)

    assert TOKEN not in repr(difference)


def test_plain_text_comes_before_its_html():
    stored = [returned(text_html="<b>a</b>", text_plain="a")]

    assert kinds(stored, [returned(text_html="<b>b</b>", text_plain="b")]) == [
        "text/plain",
        "text/html",
    ]


def test_of_html_a_person_reads_the_text():
    difference = Difference(
        "text/html", "<style>x{}</style><p>one <b>two</b></p><p>3</p>", "<p>one</p>", "", ""
    )

    assert readable(difference) == ("one two\n3", "one")


def test_of_html_with_the_same_text_a_person_reads_the_tags():
    difference = Difference("text/html", "<p>a</p>", "<p class='b'>a</p>", "", "")

    assert readable(difference) == ("<p>a\n</p>", "<p class='b'>a\n</p>")


@pytest.mark.parametrize(
    ("text", "is_widget", "is_cut"),
    [
        ("x" * 110 + "…", True, True),
        ("x" * 110 + "...", True, True),
        ("x" * 110 + "…", False, False),
        ("short…", True, False),
        ("x" * 111, True, False),
    ],
)
def test_a_cut_widget_is_recognised(text, is_widget, is_cut):
    output = returned(text_plain=text)
    if is_widget:
        output["data"]["application/vnd.jupyter.widget-view+json"] = {"model_id": "1"}

    assert cut_widget([output]) is is_cut


def test_ipywidgets_still_cuts_where_we_look_for_it():
    import ipywidgets

    long = ipywidgets.VBox([ipywidgets.HTML("line") for _ in range(9)])

    (data,) = [long._repr_mimebundle_()]
    assert cut_widget([{"output_type": "display_data", "data": data}])
