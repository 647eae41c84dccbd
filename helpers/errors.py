"""What the tutorial itself complains about: one sentence, no traceback."""

from __future__ import annotations


class TutorialError(Exception):
    """Something the reader can put right; its text says what is wrong and what to do.

    In a notebook it shows as that text alone: the traceback would only point into the tutorial's own plumbing.
    """

    def _render_traceback_(self) -> list[str]:
        # IPython's documented way for an exception to say how it is shown.
        return [str(self)]
