"""A lesson as one HTML file that holds everything it needs: it opens by a double click, and needs no network and no kernel."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Sequence
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING

from helpers import language
from helpers.errors import TutorialError
from helpers.jupyter.saving import mask_outputs
from helpers.language import gettext as _
from helpers.slides.notes import Notes, duration

if TYPE_CHECKING:
    from nbformat import NotebookNode

_HERE = Path(__file__).parent
_TEMPLATES = Path(__file__).parents[1] / "nbconvert" / "templates"
_TEMPLATE = "slides"

OUTPUT_ONLY = "output-only"
"""In a cell's metadata, as ``acs.slide``: the slide shows what the code did, not the code, which would not fit."""

# What a picture says comes before what a kernel would have to draw.
_PRIORITY = [
    "text/html",
    "text/markdown",
    "image/svg+xml",
    "image/png",
    "image/jpeg",
    "text/plain",
]
_LINK = re.compile(r"(?<!!)\[(?P<text>[^\]]+)\]\((?P<target>[^)\s]+)\)")
# What would end, or open, a script in the middle of one.
_MARKUP_IN_SCRIPT = re.compile(r"<(?=/script|!--)", re.IGNORECASE)


def build(paths: Sequence[Path], folder: Path) -> list[Path]:
    """Write a deck for each of the notebooks at *paths*, and an index of them where they are several, into *folder*.

    Words that are not the lesson's own are in the language that is spoken now.

    Returns:
        The files, the one to open first in front.

    Raises:
        TutorialError: nothing can be written there.
    """
    names = [path.stem for path in paths]
    try:
        folder.mkdir(parents=True, exist_ok=True)
        files = []
        decks = []
        for path in paths:
            notebook = read(path)
            file = folder / f"{path.stem}.html"
            file.write_text(deck(notebook, path.stem, beside=names), encoding="utf-8", newline="\n")
            files.append(file)
            decks.append((file.name, notebook))
        if len(paths) > 1:
            file = folder / "index.html"
            file.write_text(_index(decks), encoding="utf-8", newline="\n")
            files.insert(0, file)
    except OSError as error:
        raise TutorialError(
            _("The slides cannot be written to {folder} ({reason}).").format(
                folder=folder, reason=error.strerror or error
            )
        ) from error
    return files


def read(path: Path) -> NotebookNode:
    """Read the notebook at *path*; tokens and keys in what it shows are masked, whoever saved it."""
    import nbformat

    from helpers.validation import lessons

    stored = lessons.read(path)  # which complains in our words
    notebook: NotebookNode = nbformat.reads("\n".join(stored.lines), as_version=4)  # type: ignore[no-untyped-call]
    mask_outputs({"type": "notebook", "content": notebook})
    return notebook


def deck(notebook: NotebookNode, name: str, *, beside: Collection[str] = ()) -> str:
    """Return *notebook* as a page of slides; links lead to the decks *beside* it, and to no other file."""
    from nbconvert.exporters import SlidesExporter
    from traitlets.config import Config

    prepare(notebook, beside=beside)
    exporter = SlidesExporter(  # type: ignore[no-untyped-call]
        template_name=_TEMPLATE,
        extra_template_basedirs=[str(_TEMPLATES)],
        language_code=language.current(),
        config=Config({"NbConvertBase": {"display_data_priority": _PRIORITY}}),
    )
    resources = {"metadata": {"name": name}, "slides": assets()}
    html, _resources = exporter.from_notebook_node(notebook, resources=resources)
    return str(html)


def prepare(notebook: NotebookNode, *, beside: Collection[str] = ()) -> None:
    """Change *notebook* into what the template shows: notes as HTML, links that lead somewhere, code that stays away."""
    notebook.metadata.title = title(notebook)
    for cell in notebook.cells:
        if notes := Notes.of(cell.metadata):
            cell.metadata.speaker_notes = notes.html()
            cell.metadata.seconds = round(notes.minutes * 60)
        if cell.metadata.get("acs", {}).get("slide") == OUTPUT_ONLY:
            cell.metadata.transient = {"remove_source": True}
        if cell.cell_type == "markdown":
            cell.source = _LINK.sub(lambda link: _link(link, beside), cell.source)


def _link(link: re.Match[str], beside: Collection[str]) -> str:
    target = Path(link["target"])
    if "://" in link["target"]:
        return link[0]
    if target.suffix == ".ipynb" and target.stem in beside:
        return f"[{link['text']}]({target.stem}.html)"
    return link["text"]


def assets() -> dict[str, str]:
    """Return the style and the programs of a deck, fit to stand inside of a page."""
    return {
        "style": "\n".join(_text(name) for name in ("reveal/reveal.css", "deck.css")),
        "program": "\n".join(
            _MARKUP_IN_SCRIPT.sub(r"<\\", _text(name))
            for name in ("reveal/reveal.js", "reveal/notes.js", "deck.js")
        ),
    }


def _text(name: str) -> str:
    return (_HERE / name).read_text(encoding="utf-8")


def title(notebook: NotebookNode) -> str:
    """Return the first heading."""
    for cell in notebook.cells:
        if cell.cell_type == "markdown" and cell.source.startswith("# "):
            return str(cell.source.splitlines()[0].removeprefix("# "))
    return ""


def _all_notes(notebook: NotebookNode) -> Iterator[Notes]:
    for cell in notebook.cells:
        if notes := Notes.of(cell.metadata):
            yield notes


def _index(decks: Sequence[tuple[str, NotebookNode]]) -> str:
    heading = escape(_("Slides"))
    keys = _("Arrow keys turn the pages, S opens the speaker's notes, F fills the screen.")
    rows = []
    for file, notebook in decks:
        notes = list(_all_notes(notebook))
        rows.append(
            f'<li><a href="{escape(file)}">{escape(title(notebook))}</a> '
            f"<span>{escape(duration(sum(each.minutes for each in notes)))}</span><br>"
            f"{escape(notes[0].goal if notes else '')}</li>"
        )
    return f"""<!DOCTYPE html>
<html lang="{language.current()}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{heading}</title>
<link rel="icon" href="data:,">
<style>{_text("deck.css")}</style>
</head>
<body class="decks">
<main>
<h1>{heading}</h1>
<p>{escape(keys)}</p>
<ol>
{"".join(rows)}
</ol>
</main>
</body>
</html>
"""
