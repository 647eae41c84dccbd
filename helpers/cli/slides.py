"""``acs-tutorial slides``: the lessons as slides with speaker notes, as files or live."""

from __future__ import annotations

import argparse
import os
from pathlib import Path
from typing import TYPE_CHECKING

from helpers import language, settings
from helpers.cli.arguments import add_page_arguments
from helpers.errors import TutorialError
from helpers.language import gettext as _
from helpers.language import ngettext

if TYPE_CHECKING:
    from helpers.cli.arguments import Commands


def add_command(commands: Commands) -> None:
    command = commands.add_parser(
        "slides",
        help=_("turn lessons into slides with speaker notes, or present one live (for presenters)"),
        description=_(
            "Makes slides from the lessons: one file each, which opens in any browser by a double click and needs no network. "
            "With --live, a lesson is run on the sandbox first, and its widgets answer on the slides. In both, S opens the "
            "speaker's notes with what to say, how long, and likely questions."
        ),
        allow_abbrev=False,
    )
    command.add_argument(
        "lesson",
        metavar="LESSON",
        nargs="?",
        help=_("a lesson's number, such as 03, or a notebook's path; without one, all lessons"),
    )
    command.add_argument(
        "--output",
        metavar="DIR",
        type=Path,
        help=_("the folder for the slides (default: build/slides, and in it one per language)"),
    )
    command.add_argument(
        "--language",
        metavar="CODE",
        choices=language.available(),
        help=_("the language of the slides, such as en (default: the one of this command)"),
    )
    command.add_argument(
        "--live", action="store_true", help=_("run one lesson and present it, widgets included")
    )
    add_page_arguments(
        command,
        no_browser_help=_("with --live: only print the address; do not open a browser"),
        port_help=_("with --live: the port for the slides (default: 8866, or a free one near it)"),
    )
    command.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Build the slides and say where they are; or serve them until Ctrl-C."""
    from helpers.validation import lessons

    if options.language:
        language.use(options.language)
    own = language.current() if language.current() in lessons.languages() else language.SOURCE
    try:
        paths = lessons.select([options.lesson] if options.lesson else (), language=own)
    except lessons.SelectionError as error:
        raise TutorialError(str(error)) from error
    if options.live:
        if not options.lesson:
            raise TutorialError(
                _(
                    "--live presents one lesson; say which, for example: acs-tutorial slides --live 03"
                )
            )
        return _present(paths[0], options)
    return _build(paths, options.output or Path("build", "slides", own))


def _build(paths: list[Path], folder: Path) -> int:
    from helpers.slides import deck

    first = deck.build(paths, folder)[0]
    print(
        ngettext(
            "{count} lesson as slides: {file}", "{count} lessons as slides: {file}", len(paths)
        ).format(count=len(paths), file=first)
    )
    print(
        _(
            "Open it in a browser. S opens the speaker's notes, F fills the screen, ? shows all keys."
        )
    )
    print(_("To print, or to save as PDF, add ?print-pdf to the address of a lesson's slides."))
    return 0


def _present(path: Path, options: argparse.Namespace) -> int:
    from helpers.cli.page import serve
    from helpers.slides import deck

    # Nothing on a stage depends on a network, nor leaves anything behind in a resource of one's own.
    os.environ[settings.MODE] = "sandbox"
    serve(
        path,
        template="slides",
        prepare=deck.prepare,
        opened=_("The slides are open at {address}"),
        closed=_("The slides are closed."),
        port=options.port,
        browser=options.browser,
        shows_code=True,
        resources={"slides": deck.assets()},
    )
    return 0
