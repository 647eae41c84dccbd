"""The page that the address of a site opens: what this is, where to begin, and what becomes of one's work."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path
from string import Template

from babel import Locale

from helpers import language
from helpers.language import gettext as _
from helpers.site import lite

_FOLDER = Path(__file__).parent
_NOTE = re.compile(r"<!-- retirement-note -->\n(.+?)\n<!-- /retirement-note -->", re.DOTALL)
_PLAYGROUND = "playground.ipynb"
PROGRAM = "issue-access-tokens.py"


@dataclass(frozen=True)
class Lesson:
    """What the page says of a lesson, in the lesson's own words."""

    file: str
    number: str
    title: str
    after: str
    """What the reader can do after it: a sentence, in Markdown."""
    time: str
    note: str
    """The dated note on the service's future, in Markdown; empty in most lessons."""


def read_lesson(path: Path) -> Lesson:
    """Read a lesson that begins as all of them do: number and title, what it is for, and how long it takes."""
    notebook = json.loads(path.read_text(encoding="utf-8"))
    texts = [
        "".join(cell["source"]) for cell in notebook["cells"] if cell["cell_type"] == "markdown"
    ]
    heading, after, time, *_rest = texts[0].split("\n\n")
    number, _dot, title = heading.removeprefix("# ").partition(" · ")
    return Lesson(
        path.name,
        number,
        title,
        after.replace("**", ""),
        time.rpartition(":**")[2].strip().rstrip("."),
        "".join(found[1] for text in texts if (found := _NOTE.search(text))),
    )


def page(notebooks: Path, *, fetch_ahead: Sequence[str]) -> str:
    """Return the page in the language that is spoken now.

    Args:
        notebooks: the folder with the lessons of every language.
        fetch_ahead: addresses, seen from the root of the site, of what every lesson needs.
    """
    code = language.current()
    root = "." if code == language.SOURCE else ".."
    lessons = [read_lesson(path) for path in sorted((notebooks / code).glob("[0-9]*.ipynb"))]
    words = {
        "ask": _(
            "Delete everything that this tutorial keeps in this browser: your changes to the lessons, your progress, and the "
            "sandbox with its identities?"
        ),
        "blocked": _("Close the other tabs in which lessons are open; then it is deleted."),
        "deleted": _("Deleted. The lessons are as new."),
        "failed": _("This browser refused; clear this site's data in the browser's own settings."),
        "fetching": _("Fetching Python, once for all lessons …"),
        "ready": _("Python is here: lessons open in seconds."),
    }
    text = {
        "title": _("Identities and access tokens of Azure Communication Services"),
        "heading": _("Learn access tokens by issuing them"),
        "lead": _(
            "Short lessons on identities and access tokens of Azure Communication Services, in Python, in this browser. "
            "The SDK is the real one; the service is a faithful sandbox that runs inside the page. No account, nothing to "
            "install, and nothing leaves your device."
        ),
        "skip": _("Skip to the list of lessons"),
        "languages_label": _("Language"),
        "start": _("Start with lesson {number}").format(number=lessons[0].number),
        "try_playground": _("Or try the token playground"),
        "fetching": words["fetching"],
        "lessons_heading": _("The lessons"),
        "work_heading": _("Your work stays here"),
        "work": _(
            "What you change, which exercises you solve, and what the sandbox knows: all of it is kept in this browser, also "
            "when you close it, until you delete it here or clear the browser's data."
        ),
        "reset": _("Delete everything and start anew"),
        "editions_heading": _("The same lessons elsewhere"),
        "local_name": _("On your own computer"),
        "local": _(
            "In JupyterLab or VS Code, with or without a network, and with what presenters and documentation teams need. In a "
            "clone of this project's repository:"
        ),
        "live_name": _("With your own Azure resource"),
        "live": _(
            "Two settings point the edition on your own computer at a real resource. This page always uses its sandbox: a "
            "connection string has no place in a web page."
        ),
        "future_heading": _("How long this service will be there"),
        "sandbox_stays": _("The sandbox needs neither, and keeps working."),
        "footer": _(
            "MIT License. Azure is a trademark of Microsoft; this project is not affiliated with Microsoft."
        ),
    }
    values = {name: escape(sentence) for name, sentence in text.items()} | {
        "language": code,
        "root": root,
        "style": (_FOLDER / "landing.css").read_text(encoding="utf-8").strip(),
        "script": (_FOLDER / "landing.js").read_text(encoding="utf-8").strip(),
        "words": _json(words),
        "files": _json(list(fetch_ahead)),
        "first": _opened(root, code, lessons[0].file),
        "playground": _opened(root, code, _PLAYGROUND),
        "lessons": "\n".join(_row(lesson, _opened(root, code, lesson.file)) for lesson in lessons),
        "note": _inline("".join(lesson.note for lesson in lessons)),
        "take_away": _take_away(root),
        "languages": " ".join(_link(root, other) for other in language.available()),
        "alternates": "\n".join(
            f'<link rel="alternate" hreflang="{other}" href="{_home(root, other)}">'
            for other in language.available()
        ),
    }
    return Template((_FOLDER / "landing.html").read_text(encoding="utf-8")).substitute(values)


def _take_away(root: str) -> str:
    link = f'<a href="{root}/files/{PROGRAM}" download>{PROGRAM}</a>'
    return _(
        "To take something with you: {program} is the whole quickstart as one script. Any other file, also the summary that "
        "{export} writes, can be downloaded from the list beside a lesson: open the file's menu there and choose “Download”."
    ).format(program=link, export="<code>helpers.Progress(session).export()</code>")


def _row(lesson: Lesson, address: str) -> str:
    return (
        f'<li><a href="{address}"><span class="number">{escape(lesson.number)}</span>'
        f'<span class="name">{_inline(lesson.title)}</span>'
        f'<span class="time">{escape(lesson.time)}</span>'
        f'<span class="after">{_inline(lesson.after)}</span></a></li>'
    )


def _opened(root: str, code: str, file: str) -> str:
    # A workspace of its own: JupyterLab would open again what was open in the last one, and start a Python for each notebook.
    workspace = f"{code}-{file.partition('-')[0].removesuffix('.ipynb')}"
    return f"{root}/{lite.app(code)}/index.html?workspace={workspace}&amp;path={code}/{file}"


def _home(root: str, code: str) -> str:
    return f"{root}/" if code == language.SOURCE else f"{root}/{code}/"


def _link(root: str, code: str) -> str:
    name = escape(Locale(code).get_display_name(code) or code)
    if code == language.current():
        return f'<span aria-current="page" lang="{code}">{name}</span>'
    return f'<a href="{_home(root, code)}" lang="{code}" hreflang="{code}">{name}</a>'


def _inline(markdown: str) -> str:
    """Turn the little Markdown that the lessons use in such places into HTML."""
    html = re.sub(r"`(.+?)`", r"<code>\1</code>", escape(markdown))
    return re.sub(r"\*\*(.+?)\*\*", r"<strong>\1</strong>", html)


def _json(value: object) -> str:
    # Inside a script element nothing may look like the element's end.
    return json.dumps(value, ensure_ascii=False).replace("</", "<\\/")
