"""What a problem is called in words: what is wrong, and what to do."""

from __future__ import annotations

from typing import Any

from helpers.language import gettext as _
from helpers.language import ngettext


def sentence(rule: str, details: dict[str, Any]) -> str:
    """Return the sentence for one problem."""
    details = {**details, "suggestion": details.get("suggestion", "")}
    return _template(rule, str(details.get("kind", "")), details).format(**details)


def _template(rule: str, kind: str, details: dict[str, Any]) -> str:
    known = bool(details["suggestion"])
    if rule == "syntax":
        return _syntax(kind, details)
    if rule == "unclosed-fence":
        return _("This block of code is never closed; end it with a line of {fence}.")
    if rule == "undefined-name":
        if kind == "later":
            return _(
                "“{name}” is used here and defined only later, on line {where}; define it before."
            )
        if known:
            return _("“{name}” is never defined on this page; did you mean “{suggestion}”?")
        return _("“{name}” is never defined on this page; define it in a block before this one.")
    if rule == "missing-import":
        return _("“{name}” is used but never imported; add “{statement}”.")
    if rule == "unknown-import":
        if kind == "module":
            if known:
                return _("There is no module “{module}”; did you mean “{suggestion}”?")
            return _("There is no module “{module}” in the package {package}; import what it has.")
        if known:
            return _("“{module}” has no “{name}”; import “{suggestion}” instead.")
        return _("“{module}” has no “{name}”; import what the installed package has.")
    if rule == "missing-install":
        if kind == "misspelt":
            return _(
                "“{name}” is not a package that this page's code imports; install “{suggestion}” instead."
            )
        return _(
            "The package {package} is needed here and never installed; add “pip install {package}”."
        )
    if rule == "deprecated-package":
        return _("The package {package} was replaced; use {replacement} instead.")
    if rule == "unknown-attribute":
        if kind == "not-awaited":
            return _(
                "“{name}” is asked of a call that was not awaited; write “await” before the call."
            )
        if kind == "time-is-text":
            return _(
                "“{name}” does not exist here, because this value is text, not a datetime; print it as it is, or read it "
                "with datetime.fromisoformat."
            )
        if known:
            return _("“{owner}” has no “{name}”; use “{suggestion}” instead.")
        return _("“{owner}” has no “{name}”; use what the installed package has.")
    if rule == "wrong-arguments":
        if kind == "unknown":
            if known:
                return _(
                    "“{call}” does not accept the argument “{argument}”; use “{suggestion}” instead."
                )
            return _("“{call}” does not accept the argument “{argument}”; leave it out.")
        return _("“{call}” is called with the wrong arguments ({error}); pass what it takes.")
    if rule == "wrong-type":
        return _wrong_type(kind)
    if rule == "service-refuses":
        return _("The service refuses “{call}” with {status} {code}: {error} Pass what it accepts.")
    if rule == "fails":
        if kind == "call":
            return _("“{call}” fails with {error}; pass what it accepts.")
        if kind == "item":
            if known:
                return _("This {owner} has no {key}; use “{suggestion}” instead.")
            return _("This {owner} has no {key} ({error}); use one that it has.")
        return _("This fails with {error}; correct it so that the page runs.")
    if rule == "identity-not-deleted":
        if int(details["count"]) == 1:
            return _(
                "The identity created here still exists when the page ends; delete it with “client.delete_user”."
            )
        return ngettext(
            "{count} identity created here still exists when the page ends; delete it with “client.delete_user”.",
            "{count} identities created here still exist when the page ends; delete them with “client.delete_user”.",
            int(details["count"]),
        )
    if rule == "secret-printed":
        if kind == "key":
            return _("This prints an access key; leave it out of the output.")
        if kind == "connection-string":
            return _(
                "This prints a connection string with its access key; leave it out of the output."
            )
        return _(
            "This prints a whole access token, and whoever sees it can use it; show a few characters, or that it is there."
        )
    if rule == "secret-in-page":
        if kind == "token":
            if details.get("expired"):
                return _(
                    "A whole access token stands here (expired {expires}); write a placeholder such as <access token>."
                )
            return _(
                "A whole access token stands here; revoke it, and write a placeholder such as <access token>."
            )
        if kind == "connection-string":
            return _(
                "A connection string with its access key stands here; rotate the key, and write a placeholder."
            )
        return _("What looks like an access key stands here; rotate it, and write a placeholder.")
    return _text_rules(rule, kind, known)


def _syntax(kind: str, details: dict[str, Any]) -> str:
    if kind == "javascript":
        if details.get("whole"):
            return _(
                "This block is not Python but looks like JavaScript, C# or Java; write it in Python."
            )
        return _(
            "This line is not Python but looks like JavaScript; leave out “const”, “var”, “new” and the semicolon."
        )
    if details.get("whole"):
        return _("This block is not Python ({reason}); correct it, or name its real language.")
    if kind == "placeholder":
        return _("A placeholder stands here without quotes, which is not Python; put it in quotes.")
    if kind == "print":
        return _("“print” needs parentheses in Python 3; add them.")
    if kind == "colon":
        return _("A colon is missing at the end of this line; add it.")
    if kind == "bracket":
        return _(
            "A bracket or quotation mark is missing or too many in this statement ({reason}); balance them."
        )
    if kind == "indent":
        return _(
            "This line is indented by the wrong amount ({reason}); align it with the lines around it."
        )
    if kind == "await":
        return _(
            "“await” works only inside of an async function; put this into one and run it with asyncio.run."
        )
    return _("This line is not Python ({reason}); correct it.")


def _wrong_type(kind: str) -> str:
    if kind == "text":
        return _("Text cannot be joined with a value of type {type}; use an f-string, or str().")
    if kind == "await":
        return _(
            "A value of type {type} cannot be awaited; leave out “await”, or use the asynchronous client."
        )
    if kind == "context":
        return _("A value of type {type} cannot be used with “with”; assign it to a name instead.")
    if kind == "call":
        return _(
            "“{call}” is given a value of a wrong type ({error}); pass the type that it takes."
        )
    return _("A value has the wrong type here ({error}); use one that fits.")


def _text_rules(rule: str, kind: str, known: bool) -> str:
    if rule == "output-differs":
        if kind == "differs":
            return _("The output shows “{shown}”, but line {where} of the code prints “{printed}”.")
        if kind == "never":
            return _(
                "The output shows “{shown}”, which the code never prints; take it out, or print it."
            )
        return _("The output leaves out “{printed}”, which line {where} of the code prints here.")
    if rule == "sample-token":
        if kind == "lifetime":
            return _(
                "The sample token lives {shown} minutes, but the code asks for {printed}; use one that fits."
            )
        if kind == "shared":
            return _(
                "The same sample token was shown on line {where}, but the code prints two different ones."
            )
        if kind == "identity":
            return _("The sample token belongs to another identity than the one shown above it.")
        return _("The sample token has the scopes {shown}, but the code asks for {printed}.")
    if rule == "lifetime-claim":
        return _(
            "The comment says {shown} minutes, but the token issued below lives {printed}; correct one of them."
        )
    if rule == "unknown-name-in-text":
        if known:
            return _(
                "The text names “{name}”, which the installed SDK does not have; it is called “{suggestion}”."
            )
        return _(
            "The text names “{name}”, which the installed SDK does not have; name what the code uses."
        )
    if rule == "python-version":
        return _(
            "The text says that Python {shown} is enough, but {package} needs {needed} or later; say so."
        )
    if rule == "file-name":
        return _(
            "The file is called “{name}” here and “{suggestion}” where it is made; use one name."
        )
    if rule == "missing-include":
        if kind == "cyclic":
            return _("“{target}” includes itself; take the include out.")
        return _("The file “{target}” that belongs here is not there, so it was not checked.")
    if rule == "missing-link":
        return _("The link leads to “{target}”, which does not exist; correct it.")
    return _("The link leads to “{target}”, a heading that does not exist; correct it.")
