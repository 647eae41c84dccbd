"""Finds access keys, connection strings and tokens in text, files, notebooks and whole trees.

A token is found by decoding it, whatever it is called and however long ago it expired. What is found is never repeated: a
fingerprint (the beginning of its SHA-256) names it.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
import math
import os
import re
import subprocess
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path
from typing import Any, Literal

from helpers.errors import TutorialError
from helpers.language import gettext as _

Kind = Literal["token", "connection-string", "access-key"]

ALLOW_COMMENT = "acs-tutorial: allow-secret"
"""On the line of a deliberate case, in a comment with the reason."""
ALLOW_FILE = ".secrets-allowed"
"""At the root of the tree: one fingerprint a line, with the reason after ``#``."""

_JWT = re.compile(r"(?<![A-Za-z0-9_-])([A-Za-z0-9_-]{6,})\.([A-Za-z0-9_-]{2,})\.([A-Za-z0-9_-]*)")
_IN_CONNECTION_STRING = re.compile(
    r"(?i)accesskey\s*=\s*[\"']?([A-Za-z0-9+/]{20,}={0,2}|[A-Za-z0-9_-]{20,}={0,2})"
)
# 64 bytes in base64, or the 84 characters of newer keys. A checksum of the same length says what it is.
_KEY = re.compile(
    r"(?<![A-Za-z0-9+/=_-])(?<!sha512[:=])([A-Za-z0-9+/]{86}==|[A-Za-z0-9+/]{84})(?![A-Za-z0-9+/=_-])"
)
_BASE64 = re.compile(r"[A-Za-z0-9+/\s]{24,}={0,2}\s*\Z")
_LARGEST_FILE = 100 * 1024 * 1024
_NEWLINE = re.compile(r"\r\n|\n|\r")


@dataclass(frozen=True)
class Secret:
    """Where a secret stands within a text, and what may be said of it."""

    kind: Kind
    start: int
    end: int
    fingerprint: str
    expires: datetime | None = None
    """Of a token: when it ends or ended (UTC)."""

    @property
    def length(self) -> int:
        """In characters."""
        return self.end - self.start


@dataclass(frozen=True)
class Found:
    """A secret in a file."""

    path: Path
    line: int
    column: int
    place: str
    """Where in a notebook, such as ``cell 3, output``; empty elsewhere."""
    secret: Secret


def find(text: str) -> list[Secret]:
    """Return every secret in *text*, in order."""
    found: list[Secret] = []
    for match in _JWT.finditer(text):
        for at in _token_starts(match):
            claims = _decoded(match, at)
            if claims is not None:
                token = text[match.start() + at : match.end()]
                found.append(
                    Secret(
                        "token",
                        match.start() + at,
                        match.end(),
                        fingerprint(token),
                        _expiry(claims),
                    )
                )
                break
    taken = [(one.start, one.end) for one in found]
    for match in _IN_CONNECTION_STRING.finditer(text):
        if _looks_random(match[1]):
            found.append(
                Secret("connection-string", match.start(1), match.end(1), fingerprint(match[1]))
            )
            taken.append((match.start(1), match.end(1)))
    for match in _KEY.finditer(text):
        inside = any(start <= match.start(1) < end for start, end in taken)
        if not inside and _looks_random(match[1]) and _mixes(match[1]):
            found.append(Secret("access-key", match.start(1), match.end(1), fingerprint(match[1])))
    return sorted(found, key=lambda secret: secret.start)


def fingerprint(secret: str) -> str:
    """What names a secret without giving it away."""
    return hashlib.sha256(secret.encode()).hexdigest()[:16]


def claims_of(token: str) -> dict[str, Any] | None:
    """The claims of a JWT, or None if *token* is none. Nothing is verified."""
    match = _JWT.fullmatch(token)
    return _decoded(match, 0) if match else None


def _token_starts(match: re.Match[str]) -> Iterator[int]:
    # Something may be glued to the front of a token, such as the letter of an escaped line break.
    yield 0
    for inner in re.finditer("ey", match[1]):
        if inner.start():
            yield inner.start()


def _decoded(match: re.Match[str], at: int) -> dict[str, Any] | None:
    header, payload = _json(match[1][at:]), _json(match[2])
    if header is None or not payload or not ({"alg", "typ", "kid", "enc"} & set(header)):
        return None
    return payload


def _json(part: str) -> dict[str, Any] | None:
    try:
        value = json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))
    except (ValueError, binascii.Error, RecursionError):
        return None
    return value if isinstance(value, dict) else None


def _expiry(claims: dict[str, Any]) -> datetime | None:
    seconds = claims.get("exp")
    if isinstance(seconds, int | float) and not isinstance(seconds, bool):
        try:
            return datetime.fromtimestamp(seconds, timezone.utc)
        except (OverflowError, OSError, ValueError):
            return None
    return None


def _looks_random(text: str) -> bool:
    """Whether *text* may be a key: words, repetitions and placeholders are not."""
    bare = text.rstrip("=")
    counts = Counter(bare)
    entropy = -sum(count / len(bare) * math.log2(count / len(bare)) for count in counts.values())
    return entropy > 3.6 and any(map(str.isdigit, bare)) and any(map(str.isalpha, bare))


def _mixes(text: str) -> bool:
    # Hexadecimal digests and identifiers keep to one case.
    return any(map(str.islower, text)) and any(map(str.isupper, text))


# Files and trees


def scan(paths: Sequence[Path], *, allowed: Iterable[str] = ()) -> Iterator[Found]:
    """Yield every secret in *paths*: files as they are, folders with what Git would take along, or all files elsewhere.

    Raises:
        TutorialError: there is nothing at a path, or it cannot be read.
    """
    known = set(allowed)
    for path in paths:
        if not path.exists():
            raise TutorialError(_("There is no file or folder at {path}.").format(path=path))
        for file in _files(path):
            for found in scan_file(file):
                if found.secret.fingerprint not in known:
                    yield found


def allowed_in(folder: Path) -> set[str]:
    """The fingerprints that the nearest allow-list, in *folder* or above, names."""
    for parent in (folder.resolve(), *folder.resolve().parents):
        file = parent / ALLOW_FILE
        if file.is_file():
            lines = file.read_text(encoding="utf-8").splitlines()
            return {line.partition("#")[0].strip() for line in lines} - {""}
    return set()


def _files(path: Path) -> Iterator[Path]:
    if path.is_file():
        yield path
        return
    tracked = _known_to_git(path)
    if tracked is not None:
        yield from (file for file in tracked if file.is_file())
        return
    for folder, folders, names in os.walk(path):
        folders[:] = sorted(name for name in folders if name != ".git")
        yield from (Path(folder) / name for name in sorted(names))


def _known_to_git(folder: Path) -> list[Path] | None:
    """The files that Git tracks or would offer to add; None outside of a work tree."""
    try:
        listed = subprocess.run(
            ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard", "--", "."],
            cwd=folder,
            capture_output=True,
            check=True,
        )
    except (OSError, subprocess.CalledProcessError):
        return None
    names = {os.fsdecode(name) for name in listed.stdout.split(b"\0") if name}
    return [folder / name for name in sorted(names)]


def scan_file(path: Path) -> Iterator[Found]:
    """Yield every secret in one file.

    Raises:
        TutorialError: it cannot be read.
    """
    try:
        if not path.is_file() or path.stat().st_size > _LARGEST_FILE:
            return
        data = path.read_bytes()
    except OSError as error:
        raise TutorialError(
            _("{path} cannot be read: {reason}.").format(path=path, reason=error.strerror)
        ) from error
    text = _text(data)
    seen: set[str] = set()
    for found in _in_text(path, text):
        seen.add(found.secret.fingerprint)
        yield found
    if path.suffix == ".ipynb":
        yield from _in_notebook(path, text, seen)


def _text(data: bytes) -> str:
    for mark, encoding in (
        (b"\xff\xfe", "utf-16"),
        (b"\xfe\xff", "utf-16"),
        (b"\xef\xbb\xbf", "utf-8-sig"),
    ):
        if data.startswith(mark):
            return data.decode(encoding, "replace")
    # Secrets are ASCII; every byte keeps its place, whatever the file is.
    return data.decode("latin-1")


def _in_text(path: Path, text: str) -> Iterator[Found]:
    notebook = path.suffix == ".ipynb"
    for number, line in enumerate(_NEWLINE.split(text), 1):
        if ALLOW_COMMENT in line:
            continue
        for secret in find(line):
            place = _place_of_line(text, number) if notebook else ""
            yield Found(path, number, secret.start + 1, place, secret)


def _place_of_line(text: str, number: int) -> str:
    """In which cell of a notebook a line stands, as far as the usual layout tells."""
    before = _NEWLINE.split(text)[:number]
    cells = sum(re.match(r'\s*"cell_type":', line) is not None for line in before)
    return _("cell {number}").format(number=cells) if cells else _("notebook metadata")


def _in_notebook(path: Path, text: str, seen: set[str]) -> Iterator[Found]:
    """What the lines of the file do not show: text in pieces, escapes, and attachments in base64."""
    try:
        notebook = json.loads(text.encode("latin-1", "replace") if text.isascii() else text)
    except ValueError:
        return
    if not isinstance(notebook, dict):
        return
    cells = notebook.get("cells")
    parts: list[tuple[str, Any]] = [
        (_("notebook metadata"), {key: value for key, value in notebook.items() if key != "cells"})
    ]
    for number, cell in enumerate(cells if isinstance(cells, list) else [], 1):
        if not isinstance(cell, dict):
            continue
        for key, value in cell.items():
            parts.append((_part_name(key).format(number=number), value))
    for place, value in parts:
        for string in _strings(value):
            for candidate in (string, *_inside(string)):
                allowed = ALLOW_COMMENT in candidate
                for secret in find(candidate):
                    if secret.fingerprint not in seen and not allowed:
                        seen.add(secret.fingerprint)
                        yield Found(path, _line_of(text, string), 1, place, secret)


def _part_name(key: str) -> str:
    if key == "outputs":
        return _("cell {number}, output")
    if key == "attachments":
        return _("cell {number}, attachment")
    if key == "metadata":
        return _("cell {number}, metadata")
    return _("cell {number}")


def _strings(value: Any) -> Iterator[str]:
    """Every text in a JSON value; lists of lines as the one text they are."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for key, inner in value.items():
            yield key
            yield from _strings(inner)
    elif isinstance(value, list):
        if value and all(isinstance(item, str) for item in value):
            yield "".join(value)
        else:
            for item in value:
                yield from _strings(item)


def _inside(string: str) -> Iterator[str]:
    """What a text holds in another encoding."""
    if len(string) >= 24 and _BASE64.match(string):
        try:
            yield base64.b64decode(string).decode("latin-1")
        except (ValueError, binascii.Error):
            return
    # A token that was broken into lines of a fixed width.
    lines = string.split("\n")
    if len(lines) > 1 and re.search(r"ey[A-Za-z0-9_-]{20}", string):
        yield "".join(line.strip() for line in lines)


def _line_of(text: str, string: str) -> int:
    start = json.dumps(string.split("\n")[0][:60])[1:-1]
    at = text.find(start)
    return text.count("\n", 0, at) + 1 if at >= 0 else 1
