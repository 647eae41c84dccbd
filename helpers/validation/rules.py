"""The sanitising rules: what may differ from run to run, each with a name, and counted where it hits."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from helpers.errors import TutorialError
from helpers.language import gettext as _

SANDBOX_RULES = Path(__file__).parents[2] / "tests" / "notebooks" / "sanitize.cfg"
LIVE_RULES = Path(__file__).with_name("live-rules.cfg")

_RULE = re.compile(
    r"^\[(?P<name>[^\]\n]+)\]\nregex: (?P<pattern>.*)\nreplace: (?P<replacement>.*)$", re.MULTILINE
)


@dataclass(frozen=True)
class Rule:
    """One rule: what *pattern* matches is replaced before anything is compared."""

    name: str
    pattern: str
    replacement: str


class Rules:
    """Rules in their order, and in how many outputs each of them matched so far."""

    def __init__(self, rules: Iterable[Rule]) -> None:
        self._rules = [(rule, re.compile(rule.pattern)) for rule in rules]
        self.hits: Counter[str] = Counter({rule.name: 0 for rule, _ in self._rules})

    def applied(self, text: str) -> str:
        """Return *text* as it is compared, and count each rule that changed something."""
        for rule, pattern in self._rules:
            text, count = pattern.subn(rule.replacement, text)
            self.hits[rule.name] += bool(count)
        return text

    @property
    def idle(self) -> list[str]:
        """The names of the rules that matched nothing so far."""
        return [name for name, count in self.hits.items() if not count]

    def write(self, path: Path) -> Path:
        """Write the rules as nbval reads them."""
        # nbval reads with the machine's own encoding; ASCII is the same in all of them.
        path.write_text(
            "".join(
                f"[{rule.name}]\nregex: {rule.pattern}\nreplace: {rule.replacement}\n\n"
                for rule, _ in self._rules
            ),
            encoding="ascii",
        )
        return path


def read(path: Path) -> list[Rule]:
    """Read a file of rules: a name in brackets, then a ``regex:`` line, then a ``replace:`` line.

    Raises:
        TutorialError: the file is missing, or holds a rule that nbval would drop without a word.
    """
    try:
        text = path.read_text(encoding="ascii")
    except (OSError, UnicodeDecodeError) as error:
        raise TutorialError(
            _("The sanitising rules at {path} cannot be read ({reason}).").format(
                path=path, reason=error
            )
        ) from error
    rules = [Rule(**found.groupdict()) for found in _RULE.finditer(text)]
    if len(rules) != len(re.findall(r"^regex:", text, re.MULTILINE)):
        raise TutorialError(
            _(
                "A sanitising rule in {path} is not complete: each needs a [name], then a line “regex: …”, then a line "
                "“replace: …” that puts a word in place of the match."
            ).format(path=path)
        )
    return rules


def rules_for(mode: str) -> Rules:
    """Return the rules of a run on the ``sandbox``, or of a ``live`` one, which has a few more."""
    live = read(LIVE_RULES) if mode == "live" else []
    return Rules([*read(SANDBOX_RULES), *live])
