"""The catalogue: everything is found, kept without noise, and compiled as it is."""

from __future__ import annotations

import gettext
import io
from pathlib import Path

import pytest
from babel.messages.catalog import Catalog

from helpers.translation import catalogue
from helpers.translation.catalogue import LESSON, _messages


def catalog_of(*messages: tuple[object, object, str | None]) -> Catalog:
    made = Catalog(locale="ko", fuzzy=False)
    for message, translation, context in messages:
        made.add(message, translation, context=context)  # type: ignore[arg-type]
    return made


def test_messages_are_found_wherever_they_stand() -> None:
    source = """
a = _("first")
b = f"<b>{escape(_('inside of an f-string'))}</b>"
c = _("in two "
      "pieces").format(x=_("nested"))
d = ngettext("{n} thing", "{n} things", n)
e = pgettext("a context", "word")
f = _(name)
g = other("not a message")
"""

    assert list(_messages(source)) == [
        ("first", None),
        ("inside of an f-string", None),
        ("in two pieces", None),
        ("nested", None),
        (("{n} thing", "{n} things"), None),
        ("word", "a context"),
    ]


def test_the_interface_and_every_lesson_are_found_and_the_sandbox_is_not() -> None:
    found = catalogue.template()

    places = {place for message in found for place, _ in message.locations}
    assert {
        "helpers/explain.py",
        "helpers/widgets/wire_panel.py",
        "03-issue-access-tokens#title",
    } <= places
    assert not [place for place in places if place.startswith("helpers/sandbox/")]
    assert found.get("Request", None)
    assert found.get("## Your turn", LESSON)


def test_a_paragraph_of_several_lessons_is_one_message_that_names_them_all() -> None:
    message = catalogue.template().get("## Leave nothing behind", LESSON)

    assert message and len(message.locations) == 10


@pytest.mark.usefixtures("project")
def test_bringing_an_unchanged_catalogue_up_to_date_changes_no_byte() -> None:
    path = catalogue.path_of("ko")
    catalogue.write(catalogue.updated(catalogue.read("ko"), catalogue.template()), "ko")
    once = path.read_bytes(), path.with_suffix(".mo").read_bytes()

    catalogue.write(catalogue.updated(catalogue.read("ko"), catalogue.template()), "ko")

    assert (path.read_bytes(), path.with_suffix(".mo").read_bytes()) == once


def test_what_is_compiled_is_the_finished_part_of_the_interface() -> None:
    made = catalog_of(
        ("done", "끝", None),
        (("{n} thing", "{n} things"), ("{n}개",), None),
        ("word", "단어", "a context"),
        ("not yet", "", None),
        ("# Lesson", "# 단원", LESSON),
    )
    made.add("old", "옛것", flags=["fuzzy"])

    spoken = gettext.GNUTranslations(io.BytesIO(catalogue.compiled(made)))

    assert spoken.gettext("done") == "끝"
    assert spoken.ngettext("{n} thing", "{n} things", 1) == "{n}개"
    assert spoken.pgettext("a context", "word") == "단어"
    assert spoken.gettext("not yet") == "not yet"
    assert spoken.gettext("old") == "old"
    assert spoken.pgettext(LESSON, "# Lesson") == "# Lesson"


@pytest.mark.usefixtures("project")
def test_a_catalogue_that_was_edited_by_hand_is_noticed_until_it_is_compiled() -> None:
    edited = catalogue.read("ko")
    assert catalogue.is_compiled(edited, "ko")

    message = edited.get("Lifetime")
    assert message
    message.string = "목숨"

    assert not catalogue.is_compiled(edited, "ko")
    catalogue.write(edited, "ko")
    assert catalogue.is_compiled(catalogue.read("ko"), "ko")


@pytest.mark.parametrize(
    ("message", "translation", "context", "kind", "detail"),
    [
        ("One {name}.", "", None, "missing", ""),
        (("{n} thing", "{n} things"), ("",), None, "missing", ""),
        ("One {name}.", "하나 {nane}.", None, "harmed", "{"),
        ("One %s.", "하나.", None, "harmed", "%s"),
        ("Call `x`.", "x를 호출하세요.", LESSON, "harmed", "`x`"),
    ],
)
def test_a_translation_that_would_fail_a_reader_is_a_problem(
    message: object, translation: object, context: str | None, kind: str, detail: str
) -> None:
    (problem,) = catalogue.problems(catalog_of((message, translation, context)))

    assert problem.kind == kind
    assert problem.detail.startswith(detail)


def test_only_the_form_for_one_may_leave_its_number_out() -> None:
    def catalog(one: str, many: str) -> Catalog:
        made = Catalog(locale="de", fuzzy=False)
        made.add(("The last one.", "The last {n}."), (one, many))
        return made

    assert list(catalogue.problems(catalog("Der letzte.", "Die letzten {n}."))) == []
    assert [p.kind for p in catalogue.problems(catalog("{n}.", "Die letzten."))] == ["harmed"]


def test_a_good_translation_is_none() -> None:
    good = catalog_of(
        ("One {name}.", "{name} 하나.", None),
        (("{n} of {all}", "{n} of {all}"), ("{all}개 중 {n}개",), None),
        ("Call `x`.", "`x` 메서드를 호출하세요.", LESSON),
    )

    assert list(catalogue.problems(good)) == []


def test_a_changed_message_keeps_its_old_translation_as_stale() -> None:
    old = catalog_of(("The token lives for a day.", "토큰의 수명은 하루입니다.", LESSON))
    found = Catalog()
    found.add("The token lives for an hour.", locations=[("04#title", None)], context=LESSON)  # type: ignore[list-item]

    (problem,) = catalogue.problems(catalogue.updated(old, found))

    assert problem.kind == "stale"
    assert problem.places == ("04#title",)
    assert problem.translation == "토큰의 수명은 하루입니다."


def test_the_languages_of_the_project_have_their_catalogues_in_one_place() -> None:
    assert "ko" in catalogue.languages()
    assert catalogue.path_of("ko").relative_to(Path(catalogue.__file__).parents[1]).parts == (
        "locale",
        "ko",
        "LC_MESSAGES",
        "acs-tutorial.po",
    )
