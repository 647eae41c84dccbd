"""The text of a lesson, cut into what a translator works on and what stays as it is."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator
from string import Formatter

_FENCE = re.compile(r"\s*(```+|~~~+)\s*(\w*)")
_COMMENT = re.compile(r"\s*<!--.*-->\s*")
# A drawing in characters holds words to translate; a program or a command does not.
_DRAWING = "text"

# What must come through a translation unharmed: code, the targets of links, anchors and other HTML.
_KEPT = re.compile(r"`[^`\n]+`|(?<=\]\()[^)\s]+|<[^>\n]+>|https?://[^\s)>`]+")
_HEADING = re.compile(r"#+ ")


def paragraphs(source: str) -> Iterator[tuple[str, bool]]:
    """Cut Markdown into pieces that make up the whole again, each with whether it is to be translated.

    A paragraph, a heading, a list or a table is one piece. Blank lines, code and lines that are an HTML comment are not
    translated.
    """
    text: list[str] = []
    fence: list[str] = []
    for line in source.splitlines(keepends=True):
        if fence:
            fence.append(line)
            opening = _FENCE.match(fence[0])
            if opening and line.strip() == opening[1]:
                yield from _ended("".join(fence), to_translate=opening[2] == _DRAWING)
                fence = []
        elif _FENCE.match(line):
            yield from _ended("".join(text), to_translate=True)
            text, fence = [], [line]
        elif not line.strip() or _COMMENT.fullmatch(line):
            yield from _ended("".join(text), to_translate=True)
            text = []
            yield line, False
        else:
            text.append(line)
    yield from _ended("".join(text), to_translate=True)
    yield from _ended("".join(fence), to_translate=False)


def _ended(piece: str, *, to_translate: bool) -> Iterator[tuple[str, bool]]:
    body = piece.rstrip("\n")
    if body:
        yield body, to_translate
    if body != piece:
        yield piece[len(body) :], False


def translated(source: str, translate: Callable[[str], str]) -> str:
    """Return *source* with each paragraph replaced by what *translate* makes of it."""
    return "".join(
        translate(piece) if to_translate else piece for piece, to_translate in paragraphs(source)
    )


def harm(original: str, translation: str) -> str | None:
    """Return what a translation of a paragraph lost, added or altered that must stay, or ``None``."""
    before, after = _marks(original), _marks(translation)
    return next((mark for mark in (before - after) + (after - before)), None)


def _marks(text: str) -> Counter[str]:
    marks = Counter(_KEPT.findall(text))
    for line in text.splitlines():
        if heading := _HEADING.match(line):
            marks[heading[0]] += 1
        if line.startswith("|"):
            marks["|"] += line.count("|")
    return marks


def placeholders(message: str) -> set[str]:
    """Return the places in a sentence of the interface that values are put into: ``{name}``, ``%s``."""
    names = {f"%{found}" for found in re.findall(r"%([sd](?![a-z])|\(\w+\)[sdr])", message)}
    try:
        for _text, name, _specification, _conversion in Formatter().parse(message):
            # How a value is written (its parts, its digits) is the language's own affair.
            if name:
                names.add("{" + re.split(r"[.\[]", name)[0] + "}")
    except ValueError:
        names.add("an unpaired brace")
    return names
