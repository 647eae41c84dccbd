"""The report as one page that a person reads: what to look at first, then everything. It asks nobody for anything."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Sequence
from html import escape
from pathlib import Path

from helpers import language
from helpers.language import gettext as _
from helpers.language import ngettext
from helpers.validation.differences import nothing, readable
from helpers.validation.report import words
from helpers.validation.results import Cell, Difference, Error, Lesson, Run

_STYLE = Path(__file__).with_name("style.css")
# Equal lines that are shown around a change.
_CONTEXT = 2
_WORDS = re.compile(r"\w+|\s+|[^\w\s]")


def write_page(run: Run, path: Path) -> None:
    """Write the page of a run."""
    path.write_text(page(words.verdict(run), run_body(run)), encoding="utf-8")


def page(title: str, body: str) -> str:
    """Return a whole page. It holds its style and no script, and is told to load nothing."""
    return (
        "<!doctype html>\n"
        f'<html lang="{language.current()}"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">"
        f"<title>{escape(title)}</title><style>{_STYLE.read_text(encoding='utf-8')}</style></head>"
        f'<body><a class="skip" href="#lessons">{escape(_("Skip to the list of lessons"))}</a>'
        f"<main>{body}</main></body></html>\n"
    )


def run_body(run: Run) -> str:
    """Return what a page says about a run."""
    kind = "passed" if run.is_sound else "failed"
    facts = "".join(f"<li>{escape(fact)}</li>" for fact in words.circumstances(run))
    return "".join(
        [
            f'<h1>{sign(kind)}{escape(words.verdict(run))}</h1><ul class="facts">{facts}</ul>',
            _around(run),
            _to_look_at(run),
            _lessons(run),
            _every_cell(run),
            _rules(run),
        ]
    )


def sign(kind: str) -> str:
    """Return a sign; the word beside it says the same to those who do not see it."""
    return f'<span class="sign {kind}" aria-hidden="true">{words.SIGNS[kind]}</span>'


def _around(run: Run) -> str:
    findings = "".join(
        f'<div class="card finding"><p>{sign("finding")}{_lines(finding)}</p></div>'
        for finding in run.findings
    )
    notes = "".join(
        f"<p class='quiet'>{escape(note)}</p>" for note in (*run.notes, *words.skipped_reasons(run))
    )
    return findings + notes


def _to_look_at(run: Run) -> str:
    cards = [
        f'<article class="card finding"><header><h3>{sign("finding")}{escape(_title(lesson))}</h3>'
        f"<code>{escape(lesson.name)}</code></header><p>{_lines(finding)}</p></article>"
        for lesson in run.lessons
        for finding in lesson.findings
    ]
    cards += [_card(lesson, cell) for lesson, cell in run.problems]
    if not cards:
        return ""
    return f'<h2 id="look">{escape(_("What to look at"))}</h2>{"".join(cards)}'


def _card(lesson: Lesson, cell: Cell) -> str:
    kind = words.kind_of(cell)
    step = "" if cell.step is None else " · " + _("section “{section}”").format(section=cell.step)
    header = (
        f'<h3><span class="{kind}">{sign(kind)}{escape(words.word_of(kind))}</span> '
        f"{escape(_title(lesson))} › <code>{escape(cell.name)}</code></h3>"
        f'<span class="quiet"><code>{escape(lesson.name)}:{cell.line}</code>{escape(step)}</span>'
    )
    parts = [f"<p>{_lines(text)}</p>" for text in cell.findings]
    if cell.error is not None:
        parts.append(error_text(cell.error))
    # The HTML of a display says once more what its text says; it may wait.
    plain = [each for each in cell.differences if each.kind != "text/html"]
    parts += [difference_table(each) for each in plain or cell.differences]
    if plain:
        parts += [
            _folded(_("the same as HTML"), difference_table(each))
            for each in cell.differences
            if each.kind == "text/html"
        ]
    raw = "".join(
        f"<p class='quiet'>{escape(each.kind)}</p>"
        + _pre(_("stored"), each.stored)
        + _pre(_("shown now"), each.shown)
        for each in plain or cell.differences
    )
    parts.append(_folded(_("the cell's code"), f"<pre>{escape(cell.source)}</pre>"))
    if raw:
        parts.append(_folded(_("as it was, before sanitising"), raw))
    if cell.notes:
        # Most likely it only follows from another one, which comes first.
        return (
            f'<details class="card {kind}" id="{_anchor(lesson, cell)}"><summary>{header}'
            f"<p>{_lines(' '.join(cell.notes))}</p></summary>{''.join(parts)}</details>"
        )
    return (
        f'<article class="card {kind}" id="{_anchor(lesson, cell)}"><header>{header}</header>'
        f"{''.join(parts)}</article>"
    )


def error_text(error: Error) -> str:
    """Return an error in the tutorial's words, with its own below."""
    link = f' <a href="{escape(error.link)}">{escape(_("Read more"))}</a>' if error.link else ""
    text = f"<p>{escape(error.cause)}</p><p>→ {escape(error.fix)}{link}</p>"
    if error.original:
        text += f"<p><code>{escape(error.original)}</code></p>"
    if error.printed:
        text += _pre(_("what it printed before"), error.printed)
    if error.traceback:
        text += _folded(_("traceback"), f"<pre>{escape(error.traceback)}</pre>")
    return text


def difference_table(difference: Difference) -> str:
    """Return both sides beside each other, what differs marked word by word."""
    missing = nothing(difference)
    caption = escape(difference.kind) + (f": {escape(missing)}" if missing else "")
    expected, actual = readable(difference)
    return (
        f'<table class="diff"><caption>{caption}</caption><thead><tr>'
        f'<th scope="col">{escape(_("Expected (stored)"))}</th>'
        f'<th scope="col">{escape(_("Actual (shown now)"))}</th></tr></thead>'
        f"<tbody>{''.join(_rows(expected.splitlines(), actual.splitlines()))}</tbody></table>"
    )


def _rows(expected: Sequence[str], actual: Sequence[str]) -> Iterable[str]:
    matcher = difflib.SequenceMatcher(None, expected, actual, autojunk=False)
    blocks = matcher.get_opcodes()
    for number, (what, left, left_end, right, right_end) in enumerate(blocks):
        if what == "equal":
            lines = expected[left:left_end]
            before = _CONTEXT if number > 0 else 0
            after = _CONTEXT if number < len(blocks) - 1 else 0
            if len(lines) > before + after + 1:
                yield from (_row(line, line) for line in lines[:before])
                hidden = len(lines) - before - after
                yield (
                    '<tr class="gap"><td colspan="2">'
                    + escape(
                        ngettext("{count} equal line", "{count} equal lines", hidden).format(
                            count=hidden
                        )
                    )
                    + "</td></tr>"
                )
                yield from (_row(line, line) for line in lines[len(lines) - after :])
            else:
                yield from (_row(line, line) for line in lines)
            continue
        for offset in range(max(left_end - left, right_end - right)):
            old = expected[left + offset] if left + offset < left_end else None
            new = actual[right + offset] if right + offset < right_end else None
            yield _row(old, new)


def _row(old: str | None, new: str | None) -> str:
    if old == new:
        return f"<tr><td>{escape(old or '')}</td><td>{escape(new or '')}</td></tr>"
    marked_old, marked_new = _marked(old or "", new or "")
    left = "<td></td>" if old is None else f'<td class="old">{marked_old}</td>'
    right = "<td></td>" if new is None else f'<td class="new">{marked_new}</td>'
    return f"<tr>{left}{right}</tr>"


def _marked(old: str, new: str) -> tuple[str, str]:
    """Mark the words that differ on each side; lines that have little in common differ as a whole."""
    before, after = _WORDS.findall(old), _WORDS.findall(new)
    matcher = difflib.SequenceMatcher(None, before, after, autojunk=False)
    if not old or not new or matcher.ratio() < 0.3:
        return (
            f"<del>{escape(old)}</del>" if old else "",
            f"<ins>{escape(new)}</ins>" if new else "",
        )
    left = right = ""
    for what, start, end, other_start, other_end in matcher.get_opcodes():
        gone, come = (
            escape("".join(before[start:end])),
            escape("".join(after[other_start:other_end])),
        )
        if what == "equal":
            left += gone
            right += come
        else:
            left += f"<del>{gone}</del>" if gone else ""
            right += f"<ins>{come}</ins>" if come else ""
    return left, right


def _lessons(run: Run) -> str:
    rows = []
    for lesson in run.lessons:
        kind = words.kind_of_lesson(lesson)
        cells = "".join(_cell_sign(lesson, cell) for cell in lesson.cells)
        executed = (
            f'<a href="{escape(lesson.executed)}">{escape(_("as it ran"))}</a>'
            if lesson.executed
            else ""
        )
        notes = "".join(f"<br><span class='quiet'>{escape(note)}</span>" for note in lesson.notes)
        rows.append(
            f'<tr><th scope="row"><span class="{kind}">{sign(kind)}</span>'
            f'<a href="#{_anchor(lesson)}">{escape(_title(lesson))}</a>{notes}</th>'
            f'<td><span class="{kind}">{escape(words.word_of(kind))}</span></td>'
            f'<td class="strip">{cells}</td>'
            f'<td class="number">{lesson.seconds:.1f} s</td><td>{executed}</td></tr>'
        )
    columns = (_("Lesson"), _("Result"), _("Cells"), _("Time"), _("Notebook"))
    return f'<h2 id="lessons">{escape(_("Lessons"))}</h2>' + table(columns, rows, numbers=(3,))


def _cell_sign(lesson: Lesson, cell: Cell) -> str:
    kind = words.kind_of(cell)
    label = escape(f"{cell.name}: {words.word_of(kind)}", quote=True)
    if cell.is_sound:
        return f'<span class="{kind}" role="img" aria-label="{label}" title="{label}">{words.SIGNS[kind]}</span>'
    return (
        f'<a class="{kind}" href="#{_anchor(lesson, cell)}" aria-label="{label}" title="{label}">'
        f"{words.SIGNS[kind]}</a>"
    )


def _every_cell(run: Run) -> str:
    lessons = []
    for lesson in run.lessons:
        rows = []
        for cell in lesson.cells:
            kind = words.kind_of(cell)
            what = cell.reason if cell.outcome == "skipped" else ""
            name = f"<code>{escape(cell.name)}</code>"
            if not cell.is_sound:
                name = f'<a href="#{_anchor(lesson, cell)}">{name}</a>'
            rows.append(
                f'<tr><th scope="row">{name}</th>'
                f'<td><span class="{kind}">{sign(kind)}{escape(words.word_of(kind))}</span> {escape(what)}</td>'
                f"<td>{escape(cell.step or '')}</td><td class='number'>{cell.seconds:.2f} s</td></tr>"
            )
        columns = (_("Cell"), _("Result"), _("Section of the page"), _("Time"))
        kernel = _("The kernel took {seconds} s to start.").format(
            seconds=f"{lesson.kernel_seconds:.2f}"
        )
        lessons.append(
            f'<details id="{_anchor(lesson)}"><summary>{escape(_title(lesson))}</summary>'
            f'<p class="quiet"><code>{escape(lesson.name)}</code> · {escape(kernel)}</p>'
            f"{table(columns, rows, numbers=(3,))}</details>"
        )
    return f"<h2>{escape(_('Every cell'))}</h2>{''.join(lessons)}"


def _rules(run: Run) -> str:
    rows = [
        f'<tr><th scope="row">{escape(name)}</th><td class="number">{count}</td>'
        f"<td>{escape('' if count else _('matches nothing in these lessons'))}</td></tr>"
        for name, count in run.rules.items()
    ]
    explanation = _(
        "What may differ from run to run is replaced by a word before anything is compared. This is how many outputs each "
        "rule touched, stored ones and new ones together."
    )
    return (
        f"<h2>{escape(_('Sanitising rules'))}</h2><p class='quiet'>{escape(explanation)}</p>"
        + table((_("Rule"), _("Outputs"), ""), rows, numbers=(1,))
    )


def table(columns: Sequence[str], rows: Sequence[str], *, numbers: Sequence[int] = ()) -> str:
    """Return a table; the columns in *numbers* hold numbers."""
    head = "".join(
        f'<th scope="col"{" class=number" if place in numbers else ""}>{escape(column)}</th>'
        for place, column in enumerate(columns)
    )
    return (
        f'<div class="scroll"><table class="list"><thead><tr>{head}</tr></thead>'
        f"<tbody>{''.join(rows)}</tbody></table></div>"
    )


def _folded(title: str, content: str) -> str:
    return f"<details><summary>{escape(title)}</summary>{content}</details>"


def _pre(title: str, text: str | None) -> str:
    shown = _("nothing") if text is None else text
    return f"<pre><span class='quiet'>{escape(title)}:</span>\n{escape(shown)}</pre>"


def _lines(text: str) -> str:
    return "<br>".join(escape(line) for line in text.splitlines())


def _title(lesson: Lesson) -> str:
    return f"{lesson.title} ({lesson.language})" if lesson.language else lesson.title


def _anchor(lesson: Lesson, cell: Cell | None = None) -> str:
    whole = f"{lesson.name}-{cell.name}" if cell else lesson.name
    return re.sub(r"[^\w-]+", "-", whole)
