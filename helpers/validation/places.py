"""Where lessons run: on a sandbox of their own, or against a real resource (see ``live``)."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Protocol

from helpers import settings
from helpers.validation.results import Lesson


class Place(Protocol):
    """What a place says about how lessons run there."""

    @property
    def mode(self) -> settings.Mode: ...

    @property
    def name(self) -> str:
        """``sandbox``, or the host name of the resource."""

    @property
    def skipped_tags(self) -> Mapping[str, str]:
        """The tags of cells that make no sense here, each with the reason as a sentence."""

    @property
    def prelude(self) -> str:
        """What a kernel runs before the first cell."""

    @property
    def cell_seconds(self) -> int:
        """How long a cell may take."""

    def environment(self) -> AbstractContextManager[dict[str, str]]:
        """Return the variables of one lesson's kernel, for as long as the lesson runs."""

    def leave(self, lesson: Lesson) -> bool:
        """Put right what *lesson* left behind, and return whether running it once more makes sense."""


class OwnSandbox:
    """A new, empty sandbox for every lesson, which sees nothing of the settings of whoever runs it."""

    mode: settings.Mode = "sandbox"
    name = "sandbox"
    prelude = ""

    def __init__(
        self, *, cell_seconds: int = 60, skipped_tags: Mapping[str, str] | None = None
    ) -> None:
        self.cell_seconds = cell_seconds
        self.skipped_tags: Mapping[str, str] = skipped_tags or {}

    @contextmanager
    def environment(self) -> Iterator[dict[str, str]]:
        with tempfile.TemporaryDirectory(
            prefix="acs-tutorial-", ignore_cleanup_errors=True
        ) as folder:
            # Empty values also switch off a .env file. A killed kernel leaves its temporary files; here they go too.
            yield (
                dict.fromkeys(settings.KEYS, "")
                | dict.fromkeys(("TMPDIR", "TEMP", "TMP"), folder)
                | {settings.MODE: "sandbox", settings.HOME: str(Path(folder) / "state")}
            )

    def leave(self, lesson: Lesson) -> bool:
        return False
