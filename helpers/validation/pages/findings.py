"""What can be wrong with a page: the rules, and one finding of one rule at one place."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from helpers.language import gettext as _

Severity = Literal["error", "warning"]


@dataclass(frozen=True)
class Rule:
    """A kind of mistake. Its id stays the same from version to version: baselines and SARIF viewers rely on it."""

    id: str
    severity: Severity
    summary: str


def rules() -> dict[str, Rule]:
    """Every rule by its id, described in the chosen language."""
    return {
        rule.id: rule
        for rule in (
            Rule("syntax", "error", _("A line of a Python block is not Python.")),
            Rule("unclosed-fence", "error", _("A block of code is opened and never closed.")),
            Rule("undefined-name", "error", _("A name is used that the page never defines.")),
            Rule("missing-import", "error", _("A name is used whose module is never imported.")),
            Rule("unknown-import", "error", _("A module, or a name in a module, does not exist.")),
            Rule("missing-install", "warning", _("A package is used that is never installed.")),
            Rule("deprecated-package", "error", _("A package is used that was replaced.")),
            Rule(
                "unknown-attribute", "error", _("A method or property does not exist in the SDK.")
            ),
            Rule("wrong-arguments", "error", _("A call has arguments that are not accepted.")),
            Rule("wrong-type", "error", _("A value has a type that does not work there.")),
            Rule("service-refuses", "error", _("The service refuses the request.")),
            Rule("fails", "error", _("A statement ends with an error when it runs.")),
            Rule("identity-not-deleted", "warning", _("An identity is created, never deleted.")),
            Rule("secret-printed", "warning", _("The code prints a token, key or secret.")),
            Rule("secret-in-page", "error", _("A token or access key stands in the page.")),
            Rule("output-differs", "warning", _("The output shown is not what the code prints.")),
            Rule("sample-token", "warning", _("A sample token contradicts the page around it.")),
            Rule("lifetime-claim", "warning", _("A comment names another lifetime than the call.")),
            Rule(
                "unknown-name-in-text",
                "warning",
                _("The text names something the SDK does not have."),
            ),
            Rule("python-version", "warning", _("The text asks for a Python that is too old.")),
            Rule("file-name", "warning", _("The file to run has another name where it is made.")),
            Rule("missing-include", "warning", _("A file that the page includes is not there.")),
            Rule("missing-link", "warning", _("A link leads to a file that is not there.")),
            Rule("missing-anchor", "warning", _("A link leads to a heading that is not there.")),
        )
    }


@dataclass(frozen=True, order=True)
class Finding:
    """One mistake: where it stands, and what to do."""

    file: Path
    line: int
    column: int
    rule: str
    message: str
    text: str = field(default="", compare=False, repr=False)
    """The line itself, by which a baseline finds it again when lines move."""

    @property
    def severity(self) -> Severity:
        return rules()[self.rule].severity
