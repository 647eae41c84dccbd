"""Reads a Learn page: includes, zone pivots, tabs, headings, links and fenced code, each with its file and line.

Learn's dialect is what no Markdown library knows (``[!INCLUDE]``, ``::: zone``, ``:::code``), and a finding needs the line
of a file that a library would have merged away; so this reads lines.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import unquote

from helpers.errors import TutorialError
from helpers.language import gettext as _

_NEWLINE = re.compile(r"\r\n|\n|\r")
_INCLUDE = re.compile(
    r"\[!INCLUDE\s*(?:\[(?:[^\[\]]|\[[^\]]*\])*\])?\s*\(\s*<?([^)>]+?)>?(?:\s+\"[^\"]*\")?\s*\)\]",
    re.I,
)
_ZONE = re.compile(r"^[\s>]*:{3,}\s*zone\b(?!-end)(.*)$", re.I)
_ZONE_END = re.compile(r"^[\s>]*:{3,}\s*zone-end\b", re.I)
_PIVOT = re.compile(r"pivot\s*=\s*[\"“']([^\"”']*)[\"”']", re.I)
_DIRECTIVE = re.compile(
    r"^[\s>]*:{3,}\s*(?:moniker|moniker-end|row|row-end|column|column-end)\b", re.I
)
_FENCE = re.compile(r"^((?:[ \t]*>)*[ \t]*(?:(?:[-*+]|\d+[.)])[ \t]+)?)(`{3,}|~{3,})(.*)$")
_HEADING = re.compile(r"^[ ]{0,3}(#{1,6})(?:[ \t]+(.*?))?(?:[ \t]+#+)?[ \t]*$")
_ANCHOR = re.compile(r"<a\s+(?:name|id)\s*=\s*[\"']?([^\"'\s>]+)[\"']?\s*/?>(?:\s*</a>)?", re.I)
_TAB = re.compile(r"^\s*#+\s*\[[^\]]*\]\(#tab/([^)]+)\)\s*$")
_TAB_END = re.compile(r"^\s*(?:-\s*){3,}$|^\s*(?:\*\s*){3,}$")
_SNIPPET = re.compile(r"^[\s>]*:::\s*code\b(.*):::\s*$", re.I)
_OLD_SNIPPET = re.compile(r"^[\s>]*\[!code-([\w+#]+)\s*\[[^\]]*\]\(([^)]+)\)\]", re.I)
_ATTRIBUTE = re.compile(r"([\w-]+)\s*=\s*\"([^\"]*)\"")
_LINK = re.compile(r"(?<!\!)\[(?:[^\[\]]|\[[^\]]*\])*\]\(\s*<?([^()\s>]+)>?(?:\s+\"[^\"]*\")?\s*\)")
_INLINE_CODE = re.compile(r"(`+)(.+?)\1")

_PYTHON = {"python", "py", "python3", "python-interactive", "pycon", "ipython", "ipython3"}


@dataclass(frozen=True)
class Line:
    """One line of the page as the reader of one pivot sees it, and where it stands."""

    text: str
    file: Path
    number: int
    """From 1, in *file*."""
    pivots: frozenset[str] | None = None
    """The pivots that show it; ``None``: all of them."""
    part: int = 0
    """Which copy of which file it came from: a fence does not reach beyond it."""


@dataclass(frozen=True)
class Missing:
    """A file that the page asks for and that is not there."""

    target: str
    line: Line
    column: int
    cyclic: bool = False


@dataclass
class Heading:
    """A heading, with the anchors that lead to it."""

    level: int
    title: str
    index: int
    anchors: list[str]

    @property
    def anchor(self) -> str:
        """The anchor that stays the same in every language, where the page has one."""
        return self.anchors[0]


@dataclass
class Block:
    """A block of code; its lines are positions in ``Page.lines``."""

    language: str
    opening: int
    lines: list[int]
    code: list[str]
    """The text of each line, as the reader copies it."""
    columns: list[int]
    """How many characters the page puts before each line."""
    heading: Heading | None
    before: str = ""
    """The prose between the block before this one and this one."""
    tab: tuple[int, str] | None = None
    closed: bool = True

    @property
    def is_python(self) -> bool:
        return self.language in _PYTHON

    @property
    def is_interactive(self) -> bool:
        """A session with ``>>>``, in which the answers stand between the statements."""
        return self.is_python and any(line.startswith(">>>") for line in self.code)

    @property
    def text(self) -> str:
        return "\n".join(self.code)


@dataclass
class Page:
    """What the reader of one pivot sees."""

    path: Path
    lines: list[Line]
    blocks: list[Block] = field(default_factory=list)
    headings: list[Heading] = field(default_factory=list)
    prose: list[int] = field(default_factory=list)
    """The lines that are text, in order."""
    missing: list[Missing] = field(default_factory=list)
    anchors: set[str] = field(default_factory=set)

    @property
    def python(self) -> list[Block]:
        return [block for block in self.blocks if block.is_python]

    def links(self) -> Iterator[tuple[str, int, int]]:
        """Every link's target, with the position of its line and its column."""
        for index in self.prose:
            text = _INLINE_CODE.sub(lambda code: " " * len(code[0]), self.lines[index].text)
            for link in _LINK.finditer(text):
                yield link[1], index, link.start(1) + 1

    def inline_code(self) -> Iterator[tuple[re.Match[str], int]]:
        """Every ``code`` within prose, as a match on its line (group 2 is the code)."""
        for index in self.prose:
            for match in _INLINE_CODE.finditer(self.lines[index].text):
                yield match, index


@dataclass
class Source:
    """A page with everything in it, before a pivot is chosen."""

    path: Path
    lines: list[Line]
    missing: list[Missing]
    parts: int = 0
    declared: dict[str, None] = field(default_factory=dict)

    def next_part(self) -> int:
        self.parts += 1
        return self.parts

    @property
    def pivots(self) -> list[str]:
        """The pivots of the page's zones, in the order in which they first appear."""
        return list(self.declared)

    def matching(self, wanted: str) -> list[str]:
        """The page's pivots that *wanted* means: itself, or the last word of ``programming-language-python``."""
        wanted = wanted.lower()
        return [pivot for pivot in self.pivots if pivot == wanted or pivot.endswith(f"-{wanted}")]

    def page(self, pivot: str | None) -> Page:
        """The page as the reader of *pivot* sees it; ``None``: with every zone."""
        lines = [line for line in self.lines if _shown(line, pivot)]
        missing = [one for one in self.missing if _shown(one.line, pivot)]
        page = Page(self.path, lines, missing=missing)
        page.anchors = {anchor for line in self.lines for anchor in _ANCHOR.findall(line.text)}
        page.anchors |= {anchor for heading in _headings(self.lines) for anchor in heading.anchors}
        _read(page)
        return page


def _shown(line: Line, pivot: str | None) -> bool:
    return pivot is None or line.pivots is None or pivot in line.pivots


def read(path: Path) -> Source:
    """Read the page at *path* with all that it includes.

    Raises:
        TutorialError: there is no such file, or it is not text.
    """
    source = Source(path, [], [])
    _expand(source, path, pivots=None, within=())
    return source


def _text(path: Path) -> str:
    try:
        return path.read_bytes().decode("utf-8-sig")
    except OSError as error:
        raise TutorialError(
            _("There is no page at {path} ({reason}).").format(path=path, reason=error.strerror)
        ) from error
    except UnicodeDecodeError as error:
        raise TutorialError(
            _("{path} is not UTF-8 text; save it as UTF-8 and try again.").format(path=path)
        ) from error


def _expand(
    source: Source, path: Path, *, pivots: frozenset[str] | None, within: tuple[Path, ...]
) -> None:
    texts = _NEWLINE.split(_text(path))
    if texts and texts[-1] == "":
        texts.pop()
    within = (*within, path.resolve())
    part = source.next_part()
    outer = pivots
    fence: str | None = None
    comment = False
    start = _after_front_matter(texts)
    for number, text in enumerate(texts[start:], start + 1):
        line = Line(text, path, number, pivots, part)
        if fence is not None:
            source.lines.append(line)
            if _closes(text, fence):
                fence = None
            continue
        visible, comment = _without_comments(text, comment)
        if (opening := _FENCE.match(visible)) and _is_opening(opening):
            fence = opening[2]
            source.lines.append(line)
        elif visible != text and not _INCLUDE.search(visible):
            source.lines.append(line)
        elif zone := _ZONE.match(text):
            chosen = _PIVOT.search(zone[1])
            if chosen:
                listed = [name.strip().lower() for name in chosen[1].split(",") if name.strip()]
                source.declared.update(dict.fromkeys(listed))
                names = frozenset(listed)
                pivots = names if outer is None else names & outer
        elif _ZONE_END.match(text):
            pivots = outer
        elif _DIRECTIVE.match(text):
            pass
        elif snippet := _snippet(text):
            _expand_snippet(source, line, *snippet)
        else:
            if _expand_includes(source, line, within):
                part = source.next_part()


def _after_front_matter(texts: list[str]) -> int:
    if texts and texts[0].rstrip() == "---":
        for number, text in enumerate(texts[1:], 1):
            if text.rstrip() in ("---", "..."):
                return number + 1
    return 0


def _expand_includes(source: Source, line: Line, within: tuple[Path, ...]) -> bool:
    """Put the line's includes in its place; say whether it had any."""
    rest = 0
    for include in _INCLUDE.finditer(_without_inline_code(line.text)):
        before = line.text[rest : include.start()]
        if before.strip():
            source.lines.append(Line(before, line.file, line.number, line.pivots, line.part))
        rest = include.end()
        target = unquote(include[1].strip())
        path = _resolve(target, line.file)
        cyclic = path is not None and path.resolve() in within
        if path is None or not path.is_file() or cyclic:
            source.missing.append(Missing(target, line, include.start() + 1, cyclic=cyclic))
        else:
            _expand(source, path, pivots=line.pivots, within=within)
    after = line.text[rest:]
    if rest == 0 or after.strip():
        source.lines.append(Line(after, line.file, line.number, line.pivots, line.part))
    return rest > 0


def _without_inline_code(text: str) -> str:
    return _INLINE_CODE.sub(lambda code: " " * len(code[0]), text)


def docs_root(path: Path) -> Path | None:
    """The folder of a documentation repository that *path* belongs to, or None for loose files."""
    for folder in path.resolve().parents:
        if (folder / "docfx.json").is_file() or (
            folder / ".openpublishing.publish.config.json"
        ).is_file():
            return folder
    return None


def _resolve(target: str, file: Path) -> Path | None:
    if target.startswith("~/"):
        root = docs_root(file)
        return root / target[2:] if root else None
    return file.parent / target


def _snippet(text: str) -> tuple[str, str, str, str] | None:
    """The language, file, lines and id of Learn's way to show a piece of a program file."""
    if found := _SNIPPET.match(text):
        attributes = {name.lower(): value for name, value in _ATTRIBUTE.findall(found[1])}
        if "source" in attributes:
            return (
                attributes.get("language", ""),
                attributes["source"],
                attributes.get("range", ""),
                attributes.get("id", ""),
            )
    if found := _OLD_SNIPPET.match(text):
        target, _mark, query = found[2].split(" ")[0].partition("?")
        name = re.search(r"name=([\w-]+)", query)
        lines = re.search(r"range=([\d,-]+)", query)
        return found[1], target, lines[1] if lines else "", name[1] if name else ""
    return None


def _expand_snippet(
    source: Source, line: Line, language: str, target: str, lines: str, identifier: str
) -> None:
    if language.lower() not in _PYTHON:
        return
    path = _resolve(unquote(target), line.file)
    if path is None or not path.is_file():
        source.missing.append(Missing(target, line, 1))
        return
    texts = _NEWLINE.split(_text(path))
    numbers = _snippet_lines(texts, lines, identifier)
    part = source.next_part()
    fence = "`" * 8
    source.lines.append(Line(f"{fence}python", line.file, line.number, line.pivots, part))
    source.lines += [Line(texts[at - 1], path, at, line.pivots, part) for at in numbers]
    source.lines.append(Line(fence, line.file, line.number, line.pivots, part))


def _snippet_lines(texts: list[str], lines: str, identifier: str) -> list[int]:
    if identifier:
        marks = re.compile(rf"#\s*<(/?){re.escape(identifier)}>")
        ends = [number for number, text in enumerate(texts, 1) if marks.search(text)]
        if len(ends) >= 2:
            return list(range(ends[0] + 1, ends[1]))
    numbers: list[int] = []
    for part in filter(None, lines.replace(" ", "").split(",")):
        first, dash, last = part.partition("-")
        numbers += range(int(first or 1), (int(last or len(texts)) if dash else int(first)) + 1)
    return [number for number in numbers or range(1, len(texts) + 1) if number <= len(texts)]


# Structure


def _is_opening(fence: re.Match[str]) -> bool:
    # A backtick in the info string makes it inline code.
    return not (fence[2][0] == "`" and "`" in fence[3])


def _closes(text: str, fence: str) -> bool:
    bare = re.sub(r"^(?:[ \t]*>)*[ \t]*", "", text).rstrip()
    return len(bare) >= len(fence) and set(bare) == {fence[0]}


def _language(info: str) -> str:
    found = re.match(r"\s*\{?\s*\.?([^\s{},]+)", info)
    return found[1].lower() if found else ""


def _read(page: Page) -> None:
    """Find blocks, headings and prose."""
    block: Block | None = None
    fence = ""
    prefix = ""
    before: list[str] = []
    comment = False
    tabs = 0
    tab: tuple[int, str] | None = None
    page.headings = list(_headings(page.lines))
    heading_at = {heading.index: heading for heading in page.headings}
    heading: Heading | None = None
    for index, line in enumerate(page.lines):
        if block is not None and page.lines[block.opening].part != line.part:
            block.closed = False
            block = None
        if block is not None:
            if _closes(line.text, fence):
                block = None
            else:
                column = _prefix_length(line.text, prefix)
                block.lines.append(index)
                block.code.append(line.text[column:])
                block.columns.append(column)
            continue
        text, comment = _without_comments(line.text, comment)
        if not text.strip() and line.text.strip():
            continue
        if (opening := _FENCE.match(text)) and _is_opening(opening):
            prefix, fence = opening[1], opening[2]
            block = Block(
                _language(opening[3]), index, [], [], [], heading, "\n".join(before).strip(), tab
            )
            page.blocks.append(block)
            before = []
        elif found := _TAB.match(text):
            tabs += tab is None
            tab = (tabs, found[1].lower())
        elif tab is not None and _TAB_END.match(text):
            tab = None
        else:
            if index in heading_at:
                heading, tab = heading_at[index], None
                before = []
            else:
                before.append(text)
            page.prose.append(index)
    if block is not None:
        block.closed = False
    for block in page.blocks:
        _dedent(block)


def _prefix_length(text: str, prefix: str) -> int:
    """How much of a code line belongs to the list or quotation around the fence."""
    quotes = prefix.count(">")
    at = 0
    for _quote in range(quotes):
        quote = re.match(r"[ \t]*> ?", text[at:])
        if not quote:
            break
        at += quote.end()
    indent = len(prefix.rsplit(">", 1)[-1].expandtabs(4)) - (1 if quotes else 0)
    width = 0
    while at < len(text) and text[at] in " \t" and width < indent:
        width += 1 if text[at] == " " else 4
        at += 1
    return at


def _dedent(block: Block) -> None:
    """Take away what all lines are indented by: the page shows them as they stand within something."""
    indents = [len(code) - len(code.lstrip(" \t")) for code in block.code if code.strip()]
    common = min(indents, default=0)
    if common:
        block.columns = [
            column + min(common, len(code) - len(code.lstrip(" \t")))
            for column, code in zip(block.columns, block.code, strict=True)
        ]
        block.code = [code[common:] if code.strip() else code.strip() for code in block.code]


def _without_comments(text: str, inside: bool) -> tuple[str, bool]:
    kept = ""
    while text:
        if inside:
            end = text.find("-->")
            if end < 0:
                return kept, True
            text, inside = text[end + 3 :], False
        else:
            start = _without_inline_code(text).find("<!--")
            if start < 0:
                return kept + text, False
            kept, text, inside = kept + text[:start], text[start + 4 :], True
    return kept, inside


def _headings(lines: list[Line]) -> Iterator[Heading]:
    fence: str | None = None
    part = None
    comment = False
    seen: dict[str, int] = {}
    for index, line in enumerate(lines):
        if fence is not None and line.part == part:
            if _closes(line.text, fence):
                fence = None
            continue
        text, comment = _without_comments(line.text, comment)
        fence = None
        if (opening := _FENCE.match(text)) and _is_opening(opening):
            fence, part = opening[2], line.part
            continue
        found = _HEADING.match(text)
        if found and not _TAB.match(text):
            title = found[2] or ""
            names = _ANCHOR.findall(title)
            title = _ANCHOR.sub("", title).strip()
            slug = slugify(title)
            count = seen.get(slug, 0)
            seen[slug] = count + 1
            yield Heading(
                len(found[1]), title, index, [*names, slug if not count else f"{slug}-{count}"]
            )


def slugify(title: str) -> str:
    """The anchor that Learn gives to a heading."""
    title = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", title)
    title = re.sub(r"[`*]", "", title).strip().lower()
    kept = (
        character
        for character in unicodedata.normalize("NFC", title)
        if character.isalnum() or character in " -_" or unicodedata.category(character)[0] == "M"
    )
    return "".join(kept).replace(" ", "-")
