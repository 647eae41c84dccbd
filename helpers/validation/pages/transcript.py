"""Compares the output that a page shows with what its code printed."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from helpers.validation.pages.markdown import Block, Page
from helpers.validation.pages.program import Problem, Program
from helpers.validation.pages.standin import UNKNOWN
from helpers.validation.pages.trial import Printed, Trial
from helpers.validation.secrets import claims_of

_LANGUAGES = {"", "output", "console", "text", "txt", "bash", "sh", "shell", "cmd", "powershell",
              "azurepowershell", "terminal", "plaintext", "log", "none", "no-highlight"}  # fmt: skip
_COMMAND = re.compile(
    r"^\s*(?:[$>%#]\s|PS\b.*>|[A-Z]:\\.*>|(?:sudo\s+)?(?:pip[\d.]*|python[\d.]*|py|mkdir|cd|az|curl|wget|export|set|setx|touch|npm|npx"
    r"|git|dotnet|source|code|conda|uv|poetry|func|docker|echo|type|cat|ls|dir|copy|cp|mv|rm|md|\.[/\\]|virtualenv|activate|deactivate|apt|brew|choco"
    r"|New-|Set-|Install-|Get-|\$env:|\$Env:)\b)"
)
_RUNS_PROGRAM = re.compile(r"(?m)^\s*(?:[$>%]\s*)?(?:python[\d.]*|py|uv run|ipython)\s+\S")
_HINT = re.compile(
    r"(?i)\b(outputs?|prints?|printed|displays?|displayed|results?|shows?|see|returns?|looks? like|similar to|salida|ausgabe|sortie|saída|risultato"
    r"|output)\b|출력|결과|出力|输出|結果"
)
_ELISION = re.compile(r"^\s*(?:\.{3,}|…|\[\.\.\.\]|<snip>)\s*$")

_UNKNOWN = re.compile(UNKNOWN)
_TOKEN, _ID, _TIME, _VALUE = "\ue001", "\ue002", "\ue003", "\ue004"

# What differs from run to run, the specific before the general.
_NORMAL = (
    (re.compile(r"\bey[\w-]{8,}\.[\w-]+\.[\w-]*"), _TOKEN),
    (re.compile(r"\bey[\w-]*(?:\.{3}|…|\*{3,})[\w.*-]*"), _TOKEN),
    (re.compile(r"<[^<>]*(?:token|signature)[^<>]*>", re.I), _TOKEN),
    (re.compile(r"\b[48]:acs:[\w-]+|\b8:(?:acs|orgid|dod|gcch)[\w:.<>-]+"), _ID),
    (re.compile(r"<[^<>]+>"), UNKNOWN),
    (
        re.compile(
            r"\b\d{4}-\d\d-\d\d[T ]\d\d:\d\d(?::\d\d(?:[.,]\d+)?)?(?:\s?(?:Z\b|UTC\b|[+-]\d\d:?\d\d))?"
        ),
        _TIME,
    ),
    (
        re.compile(r"\b\d{1,2}/\d{1,2}/\d{2,4},?\s+\d{1,2}:\d\d(?::?\s?\d\d)?(?:\s?[AaPp][Mm])?"),
        _TIME,
    ),
    (re.compile(r"\b1[6-9]\d{8}(?:\.\d+)?\b"), _TIME),
    (re.compile(r"https://(?:localhost:\d+|[\w.-]+\.communication\.azure\.com)/?"), _VALUE),
    (re.compile(r"\b[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}\b"), _VALUE),
    (re.compile(r"(?<![\w+/])[A-Za-z0-9+/]{43,}={0,2}"), _VALUE),
    (re.compile(r"\b0x[0-9a-fA-F]+"), _VALUE),
)


def normalised(text: str) -> str:
    """*text* with everything that may differ from run to run replaced by what kind of thing it is."""
    for pattern, mark in _NORMAL:
        text = pattern.sub(mark, text)
    return re.sub(r"\s+", " ", text).strip()


@dataclass(frozen=True)
class _Shown:
    text: str
    index: int
    """Position in ``Page.lines``."""


def compare(page: Page, program: Program, trial: Trial) -> Iterator[Problem]:
    """Yield where an output block, or the answers in a session, say something else than the code printed."""
    if not trial.completed:
        return
    yield from _sessions(page, program, trial)
    in_session = {index for block in page.python if block.is_interactive for index in block.lines}
    printed = [one for one in trial.printed if one.line - 1 not in in_session and one.text.strip()]
    if not printed:
        return
    previous: Block | None = None
    since: list[Block] = []
    for block in page.blocks:
        if block.is_python:
            since.append(block)
        elif (shown := _shown(block, previous, since, printed)) is not None:
            yield from _compared(page, shown, previous, since, printed)
            since = []
        previous = block


def _shown(
    block: Block, previous: Block | None, since: list[Block], printed: Sequence[Printed]
) -> list[_Shown] | None:
    """The lines of an output block of the program; None if the block is something else."""
    if block.language not in _LANGUAGES or previous is None:
        return None
    lines = [
        _Shown(code, index)
        for index, code in zip(block.lines, block.code, strict=True)
        if code.strip()
    ]
    while lines and _RUNS_PROGRAM.match(lines[0].text):
        lines.pop(0)
        previous = block
    if not lines or all(_COMMAND.match(line.text) for line in lines):
        return None
    runs = block is previous or _RUNS_PROGRAM.search(previous.text) is not None
    if not (previous.is_python or runs):
        return None
    texts = {normalised(one.text) for one in printed}
    known = any(normalised(line.text) in texts for line in lines)
    # What introduces the output stands right before it.
    introduced = _HINT.search(block.before.strip().rsplit("\n", 1)[-1]) is not None
    return (
        lines if known or block.language == "output" or (introduced and (runs or since)) else None
    )


def _compared(
    page: Page,
    shown: list[_Shown],
    previous: Block | None,
    since: list[Block],
    printed: Sequence[Printed],
) -> Iterator[Problem]:
    own = {index for one in since for index in one.lines}
    # A run command shows what the whole program prints; a block right below code, what that code prints.
    runs_all = previous is not None and not previous.is_python
    choices: list[tuple[list[Printed], bool]] = []
    if not runs_all and previous is not None:
        last = set(previous.lines)
        choices.append(([one for one in printed if one.line - 1 in last], True))
        choices.append(([one for one in printed if one.line - 1 in own], True))
    choices.append((list(printed), runs_all))
    compared = [
        (list(_differences(page, shown, candidates, complete=is_complete)), is_complete)
        for candidates, is_complete in choices
        if candidates
    ]
    yield from min(compared, key=_weight)[0]
    yield from _tokens(page, shown, printed)


def _weight(compared: tuple[list[Problem], bool]) -> tuple[int, bool, int]:
    """What is shown and was not printed counts first; then what says more; then what is left out."""
    problems, is_complete = compared
    left_out = sum(problem.details["kind"] == "leaves-out" for problem in problems)
    return len(problems) - left_out, not is_complete, left_out


def _differences(
    page: Page, shown: list[_Shown], printed: list[Printed], *, complete: bool
) -> Iterator[Problem]:
    elided = [line for line in shown if _ELISION.match(line.text)]
    lines = [line for line in shown if not _ELISION.match(line.text)]
    pairs = _aligned(
        [normalised(line.text) for line in lines], [normalised(one.text) for one in printed]
    )
    for start, stop, first, last in _gaps(pairs, len(lines), len(printed)):
        left = list(range(first, last))
        one_by_one = stop - start == last - first
        for at in range(start, stop):
            line = lines[at]
            if one_by_one:
                yield _problem(page, line, "differs", printed[left.pop(0)])
                continue
            close = [
                (
                    difflib.SequenceMatcher(
                        None, normalised(line.text), normalised(printed[other].text)
                    ).ratio(),
                    -other,
                )
                for other in left
            ]
            ratio, negative = max(close, default=(0.0, 0))
            if ratio >= 0.45:
                other = -negative
                skipped = [one for one in left if one < other]
                left = [one for one in left if one > other]
                if complete and not elided and skipped:
                    yield _problem(page, line, "leaves-out", printed[skipped[0]])
                yield _problem(page, line, "differs", printed[other])
            else:
                yield _problem(page, line, "never", None)
        if complete and not elided and left:
            following = lines[stop] if stop < len(lines) else lines[-1]
            yield _problem(page, following, "leaves-out", printed[left[0]])


def _problem(page: Page, line: _Shown, kind: str, printed: Printed | None) -> Problem:
    column = len(line.text) - len(line.text.lstrip())
    return Problem(
        "output-differs",
        line.index + 1,
        column,
        {
            "kind": kind,
            "shown": _short(line.text),
            "printed": _short(_NORMAL[5][0].sub("<time>", printed.text)) if printed else "",
            "where": page.lines[printed.line - 1].number if printed else 0,
        },
    )


def _short(text: str) -> str:
    # What differs from run to run would make the same finding look new each time.
    for pattern, word in ((_NORMAL[0][0], "<token>"), (_NORMAL[3][0], "<id>"), (_UNKNOWN, "…")):
        text = pattern.sub(word, text)
    text = text.strip()
    return text if len(text) <= 90 else text[:89] + "…"


def _aligned(shown: list[str], printed: list[str]) -> list[tuple[int, int]]:
    """The pairs of lines that say the same, in order, as many as possible; exact ones count more."""
    rows, columns = len(shown), len(printed)
    best = [[0.0] * (columns + 1) for _row in range(rows + 1)]
    same = [[_alike(one, other) for other in printed] for one in shown]
    for row in range(rows - 1, -1, -1):
        for column in range(columns - 1, -1, -1):
            best[row][column] = max(
                best[row + 1][column],
                best[row][column + 1],
                (best[row + 1][column + 1] + same[row][column]) if same[row][column] else 0.0,
            )
    pairs: list[tuple[int, int]] = []
    row = column = 0
    while row < rows and column < columns:
        weight = same[row][column]
        if weight and best[row][column] == best[row + 1][column + 1] + weight:
            pairs.append((row, column))
            row, column = row + 1, column + 1
        elif best[row][column] == best[row + 1][column]:
            row += 1
        else:
            column += 1
    return pairs


def _alike(shown: str, printed: str) -> float:
    if shown == printed:
        return 2.0 if shown.strip(UNKNOWN + _TOKEN) else 1.5
    if UNKNOWN in shown or UNKNOWN in printed:
        for pattern, text in ((shown, printed), (printed, shown)):
            expression = ".*".join(re.escape(part) for part in re.split(f"{UNKNOWN}+", pattern))
            if UNKNOWN in pattern and re.fullmatch(expression, text):
                return 1.0 if pattern.strip(UNKNOWN + " ") else 0.5
    return 0.0


def _gaps(
    pairs: list[tuple[int, int]], rows: int, columns: int
) -> Iterator[tuple[int, int, int, int]]:
    """What lies between the pairs: positions from and to, on both sides."""
    row = column = 0
    for next_row, next_column in [*pairs, (rows, columns)]:
        if next_row > row or next_column > column:
            yield row, next_row, column, next_column
        row, column = next_row + 1, next_column + 1


def _tokens(page: Page, shown: list[_Shown], printed: Sequence[Printed]) -> Iterator[Problem]:
    """Yield sample tokens that contradict what the code asks for, or one another."""
    jwt = _NORMAL[0][0]
    actual = [found[0] for one in printed for found in jwt.finditer(one.text)]
    identity = ""
    seen: dict[str, int] = {}
    number = -1
    for line in shown:
        if found := re.search(r"\b8:acs:[\w-]+", line.text):
            identity = found[0]
        if re.search(r"<[^<>]*token[^<>]*>", line.text, re.I):
            number += 1
        for sample in jwt.finditer(line.text):
            claims = claims_of(sample[0])
            if claims is None:
                continue
            number += 1
            issued = actual[number] if number < len(actual) else ""
            yield from _contradictions(page, line, sample, claims, issued, identity, seen)


def _contradictions(
    page: Page,
    line: _Shown,
    sample: re.Match[str],
    claims: dict[str, object],
    issued: str,
    identity: str,
    seen: dict[str, int],
) -> Iterator[Problem]:
    def problem(kind: str, **details: object) -> Problem:
        return Problem("sample-token", line.index + 1, sample.start(), {"kind": kind, **details})

    real = claims_of(issued) if issued else None
    if real is not None:
        shown_minutes, real_minutes = _minutes(claims), _minutes(real)
        if shown_minutes and real_minutes and abs(shown_minutes - real_minutes) > 1:
            yield problem("lifetime", shown=shown_minutes, printed=real_minutes)
        shown_scopes, real_scopes = _scopes(claims), _scopes(real)
        if shown_scopes and real_scopes and shown_scopes != real_scopes:
            yield problem(
                "scopes",
                shown=", ".join(sorted(shown_scopes)),
                printed=", ".join(sorted(real_scopes)),
            )
    owner = str(claims.get("skypeid") or "")
    bare = owner.removeprefix("8:").removeprefix("acs:")
    # Ids that were zeroed on purpose belong to nobody.
    if identity and bare and set(bare) - set("0-_") and bare.lower() not in identity.lower():
        yield problem("identity")
    if sample[0] in seen:
        yield problem("shared", where=seen[sample[0]])
    else:
        seen[sample[0]] = page.lines[line.index].number


def _minutes(claims: dict[str, object]) -> int | None:
    issued, expires = claims.get("iat"), claims.get("exp")
    if isinstance(issued, int | float) and isinstance(expires, int | float):
        return round((expires - issued) / 60)
    return None


def _scopes(claims: dict[str, object]) -> frozenset[str]:
    return frozenset(filter(None, re.split(r"[\s,]+", str(claims.get("acsScope") or ""))))


def _sessions(page: Page, program: Program, trial: Trial) -> Iterator[Problem]:
    for expected in program.expected:
        printed = [
            one for one in trial.printed if one.line in expected.statement and one.text.strip()
        ]
        shown = [
            _Shown(page.lines[index].text, index)
            for index in expected.lines
            if page.lines[index].text.strip() not in ("", "<BLANKLINE>")
        ]
        if any(_ELISION.match(line.text) for line in shown) or any(
            line.text.lstrip().startswith("Traceback") for line in shown
        ):
            continue
        pairs = _aligned(
            [normalised(line.text) for line in shown], [normalised(one.text) for one in printed]
        )
        matched = {row for row, _column in pairs}
        for row, line in enumerate(shown):
            if row not in matched:
                other = printed[row] if row < len(printed) else None
                yield _problem(page, line, "differs" if other else "never", other)
