"""What every lesson has in common, and what nbval does not look at."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

from helpers.masking import masked
from tests.notebooks.lessons import LESSONS, NAMES, NOTEBOOKS, ROOT, code_cells, read, tags, text_of

each_lesson = pytest.mark.parametrize("lesson", LESSONS, ids=NAMES)

ALLOWED_TAGS = {"exercise", "exercise-check", "ledger", "own-environment", "sandbox-only"}
LONGEST_CELL = 15


def test_there_are_ten_lessons_in_order() -> None:
    assert [name[:2] for name in NAMES] == [f"{number:02}" for number in range(10)]


@each_lesson
def test_a_lesson_is_stored_as_run_from_top_to_bottom(lesson: Path) -> None:
    # Strict nbval compares nothing in a cell that was never run.
    counts = [cell.execution_count for cell in code_cells(read(lesson))]

    assert counts == list(range(1, len(counts) + 1))


@each_lesson
def test_no_cell_is_kept_from_nbval(lesson: Path) -> None:
    for cell in code_cells(read(lesson)):
        assert set(tags(cell)) <= ALLOWED_TAGS
        assert "NBVAL" not in cell.source


@each_lesson
def test_a_lesson_begins_with_its_own_session(lesson: Path) -> None:
    first = code_cells(read(lesson))[0]

    assert first.source == f'import helpers\n\nsession = helpers.start("{lesson.stem[:2]}")'
    assert text_of(first) == "Sandbox · nothing leaves this machine"


@each_lesson
def test_a_lesson_has_one_exercise_and_is_published_unsolved(lesson: Path) -> None:
    cells = code_cells(read(lesson))
    (place,) = [index for index, cell in enumerate(cells) if "exercise" in tags(cell)]

    assert "exercise-check" in tags(cells[place + 1])
    assert "Not attempted yet" in text_of(cells[place + 1])
    assert sum("exercise-check" in tags(cell) for cell in cells) == 1


@each_lesson
def test_a_lesson_ends_with_a_ledger_that_leaves_nothing(lesson: Path) -> None:
    last = code_cells(read(lesson))[-1]

    assert tags(last) == ["ledger"]
    assert re.search(r"(\d+) identit\w+ created in this lesson, \1 deleted, 0 left", text_of(last))


@each_lesson
def test_a_lesson_shows_no_widget_cut_short(lesson: Path) -> None:
    # ipywidgets cuts a text at 110 characters, and nbval would compare the stump.
    for cell in code_cells(read(lesson)):
        for output in cell.outputs:
            plain = output.get("data", {}).get("text/plain", "")
            assert not (plain.endswith(("…", "...")) and len(plain) >= 110), cell.id


@each_lesson
def test_the_cells_of_a_lesson_are_small_and_valid(lesson: Path) -> None:
    for cell in code_cells(read(lesson)):
        ast.parse(cell.source)
        if cell.metadata.get("acs", {}).get("step") != "run-the-code":
            length = len(cell.source.splitlines())
            assert length <= LONGEST_CELL or cell.id == "first-edition", (cell.id, length)


@each_lesson
def test_a_lesson_uses_public_names_only(lesson: Path) -> None:
    for cell in code_cells(read(lesson)):
        for node in ast.walk(ast.parse(cell.source)):
            if isinstance(node, ast.Attribute):
                assert not re.match(r"_(?!_\w+__$)", node.attr), cell.id
            if isinstance(node, ast.ImportFrom):
                assert not (node.module or "").startswith("helpers"), cell.id
                assert "._" not in (node.module or ""), cell.id


@each_lesson
def test_every_cell_has_a_name_of_its_own(lesson: Path) -> None:
    # Names survive editing; translations and reports speak of cells by them.
    names = [cell.id for cell in read(lesson).cells]

    assert len(set(names)) == len(names)
    assert not [name for name in names if not re.fullmatch(r"[a-z][a-z0-9]*(-[a-z0-9]+)*", name)]


@each_lesson
def test_the_links_of_a_lesson_lead_somewhere(lesson: Path) -> None:
    for cell in read(lesson).cells:
        for target in re.findall(
            r"\]\(([^)#]+)\)", cell.source if cell.cell_type == "markdown" else ""
        ):
            if not target.startswith("http"):
                assert (lesson.parent / target).exists(), (cell.id, target)


@each_lesson
def test_a_lesson_leads_to_the_next(lesson: Path) -> None:
    text = read(lesson).cells[-1].source
    later = [name for name in NAMES if name > lesson.stem]

    assert f"({later[0] if later else NAMES[0]}.ipynb)" in text


@each_lesson
def test_a_lesson_is_stored_without_widgets_timings_and_versions(lesson: Path) -> None:
    notebook = read(lesson)

    assert set(notebook.metadata) == {"acs", "kernelspec", "language_info"}
    assert notebook.metadata.acs == {"outputs": "sandbox"}
    assert notebook.metadata.language_info == {"name": "python"}
    for cell in code_cells(notebook):
        assert "execution" not in cell.metadata
        for output in cell.outputs:
            assert "application/vnd.jupyter.widget-view+json" not in output.get("data", {})


@pytest.mark.parametrize("file", sorted(NOTEBOOKS.rglob("*.*")), ids=lambda file: file.name)
def test_no_published_file_holds_a_token_or_a_key(file: Path) -> None:
    if file.suffix in (".ipynb", ".py", ".md"):
        text = file.read_text(encoding="utf-8")
        assert masked(text) == text


def test_the_program_of_lesson_09_is_the_script_to_take_away() -> None:
    script = (NOTEBOOKS / "issue-access-tokens.py").read_text(encoding="utf-8")
    (cell,) = [cell for cell in code_cells(read(LESSONS[9])) if cell.id == "program"]

    _, _, without_docstring = script.split('"""', 2)
    assert cell.source.strip() == without_docstring.strip()


NOTE = re.compile(r"<!-- retirement-note -->\n(.+?)\n<!-- /retirement-note -->", re.DOTALL)


def test_the_retirement_note_is_dated_and_the_same_in_the_readme() -> None:
    (cell,) = [cell for cell in read(LESSONS[0]).cells if cell.id == "retirement"]
    in_lesson = NOTE.search(cell.source)
    in_readme = NOTE.search((ROOT / "README.md").read_text(encoding="utf-8"))

    assert in_lesson and in_readme
    assert in_lesson[1] == in_readme[1]
    for date in ("As of 20", "2028-09-30", "2026-10-23"):
        assert date in in_lesson[1]


def test_every_sanitising_rule_matches_somewhere_and_no_rule_hides_a_word() -> None:
    rules = re.findall(
        r"^regex: (.+)$", (Path(__file__).parent / "sanitize.cfg").read_text(), re.MULTILINE
    )
    shown = "\n".join(
        str(output)
        for lesson in LESSONS
        for cell in code_cells(read(lesson))
        for output in cell.outputs
    )

    assert rules
    for rule in rules:
        hits = [found[0] for found in re.finditer(rule, shown)]
        assert hits, f"this rule matches nothing: {rule}"
        # A rule is for numbers and dates. One that swallowed a scope or a status would blind the comparison.
        swallowed = " ".join(hits)
        assert not re.search("chat|voip|Denied", swallowed)
        if not rule.startswith("<style>"):
            assert not re.search(r"\b(200|201|204|400|401|404)\b", swallowed)
