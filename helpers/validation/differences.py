"""What a cell showed against what is stored, part by part, after sanitising."""

from __future__ import annotations

import hashlib
import re
from base64 import b64decode
from collections import defaultdict
from collections.abc import Mapping, Sequence
from html.parser import HTMLParser
from itertools import zip_longest
from typing import Any

from helpers.language import gettext as _
from helpers.language import ngettext
from helpers.masking import masked
from helpers.validation.results import Difference
from helpers.validation.rules import Rules

Output = Mapping[str, Any]

_WIDGET_VIEW = "application/vnd.jupyter.widget-view+json"
_PICTURES = ("image/png", "image/jpeg")
# Where ipywidgets cuts the text of a widget that an expression returns.
_LONGEST_WIDGET_TEXT = 110


def differences(
    stored: Sequence[Output], shown: Sequence[Output], rules: Rules
) -> list[Difference]:
    """Compare two cells' outputs the way nbval does, pictures included, and count what the *rules* hit.

    The order of unlike parts does not count (a stream may overtake a picture); that of like parts does.
    """
    before, after = _parts(stored), _parts(shown)
    found = []
    for kind in dict.fromkeys([*before, *after]):
        for old, new in zip_longest(before[kind], after[kind]):
            expected = None if old is None else rules.applied(old)
            actual = None if new is None else rules.applied(new)
            if expected != actual:
                found.append(
                    Difference(
                        kind,
                        *(
                            None if text is None else masked(text)
                            for text in (expected, actual, old, new)
                        ),
                    )
                )
    return _plain_first(found)


def cut_widget(outputs: Sequence[Output]) -> bool:
    """Whether a widget's text was cut short, so that the rest of it was compared with nothing."""
    for output in outputs:
        data = output.get("data", {})
        text = _joined(data.get("text/plain", ""))
        if (
            _WIDGET_VIEW in data
            and len(text) >= _LONGEST_WIDGET_TEXT
            and text.endswith(("…", "..."))
        ):
            return True
    return False


def readable(difference: Difference) -> tuple[str, str]:
    """Return both sides as lines that a person can compare: of HTML, what is read in it, or its tags one by one."""
    expected, actual = difference.expected or "", difference.actual or ""
    if difference.kind != "text/html":
        return expected, actual
    read = _read_text(expected), _read_text(actual)
    if read[0] != read[1]:
        return read
    return re.sub(r"(?<!^)<", "\n<", expected), re.sub(r"(?<!^)<", "\n<", actual)


def _parts(outputs: Sequence[Output]) -> defaultdict[str, list[str]]:
    """Sort what a cell showed by kind. All chunks of one stream are one text, however the kernel cut them."""
    parts: defaultdict[str, list[str]] = defaultdict(list)
    for output in outputs:
        match output["output_type"]:
            case "stream":
                name = output["name"]
                parts[name] = ["".join(parts[name]) + _joined(output["text"])]
            case "error":
                parts["error"].append(f"{output['ename']}: {output['evalue']}")
            case _:
                for kind, value in output.get("data", {}).items():
                    if kind in _PICTURES:
                        parts[kind].append(_fingerprint(_joined(value)))
                    elif kind != _WIDGET_VIEW:
                        parts[kind].append(_joined(value))
    return parts


def _fingerprint(picture: str) -> str:
    content = b64decode(picture)
    return ngettext(
        "a picture of {size} byte, {fingerprint}",
        "a picture of {size} bytes, {fingerprint}",
        len(content),
    ).format(size=len(content), fingerprint=hashlib.sha256(content).hexdigest()[:16])


def _joined(value: Any) -> str:
    # nbformat allows a text to be a list of lines.
    if isinstance(value, list):
        return "".join(value)
    return value if isinstance(value, str) else str(value)


def _plain_first(found: list[Difference]) -> list[Difference]:
    # The plain text of a display says the same as its HTML and is easier to read.
    return sorted(found, key=lambda difference: difference.kind == "text/html")


class _Reader(HTMLParser):
    """Collects the text of a page, a line for each element that begins one."""

    _INLINE = ("a", "b", "code", "em", "i", "kbd", "span", "strong", "sub", "sup")

    def __init__(self) -> None:
        super().__init__()
        self.text = ""
        self._hidden = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._hidden += tag in ("style", "script")
        if tag not in self._INLINE:
            self.text += "\n"

    def handle_endtag(self, tag: str) -> None:
        self._hidden -= tag in ("style", "script")

    def handle_data(self, data: str) -> None:
        if not self._hidden:
            self.text += data


def _read_text(html: str) -> str:
    reader = _Reader()
    reader.feed(html)
    reader.close()
    return "\n".join(line for line in reader.text.splitlines() if line.strip())


def nothing(difference: Difference) -> str | None:
    """Say which side is missing altogether, or return ``None``."""
    if difference.actual is None:
        return _("stored, but not shown any more")
    if difference.expected is None:
        return _("shown, but not stored")
    return None
