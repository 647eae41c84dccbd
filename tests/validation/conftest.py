"""One run over small notebooks, which most tests look at from their own side: each run of a kernel costs a second."""

from __future__ import annotations

from pathlib import Path

import pytest

from helpers.validation.places import OwnSandbox
from helpers.validation.results import Cell, Lesson, Run
from helpers.validation.validate import validate
from tests.validation.notebooks import code, notebook, printed, returned

GUID = "0f8fad5b-d9cb-469f-a165-70867728950e"
CUT = "import ipywidgets\nipywidgets.VBox([ipywidgets.HTML(f'line {n}') for n in range(9)])"
PICTURE = (
    "from IPython.display import Image\nImage(data=bytes.fromhex('89504e470d0a1a0a') + b'new')"
)


@pytest.fixture(scope="session")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """A run over four notebooks in which every outcome occurs, two at a time."""
    folder = tmp_path_factory.mktemp("notebooks")
    various = notebook(
        folder / "various.ipynb",
        code("same", "print('same')", printed("same\n")),
        code("id", "import uuid\nprint(uuid.uuid4())", printed(f"{GUID}\n")),
        code("changed", "print('one')\nprint('two')", printed("one\nthree\n")),
        code("silent", "x = 1", printed("something\n")),
        code(
            "picture",
            PICTURE,
            returned(text_plain="<IPython.core.display.Image object>", image_png="b2xk"),
        ),
        code("never-run", "print('anything')", run=False),
        code("half-stored", "print('a')", printed("a\n"), run=False),
        code("ignored", "# NBVAL_IGNORE_OUTPUT\nprint('b')", printed("a\n")),
        code("marked", "print('b')", printed("a\n"), tags=("nbval-skip",)),
        code("cut", CUT, returned(text_plain="cut")),
        code(
            "cleared",
            "from IPython.display import clear_output\nclear_output()\nprint('a')",
            printed("a\n"),
        ),
        code("token", "print('ey' + 'JhbGciOiJSUzI1NiIs.' + 'a' * 20 + '.b')", printed("none\n")),
        acs={"outputs": "live"},
    )
    failing = notebook(
        folder / "failing.ipynb",
        code("import", "import helpers"),
        code(
            "fails",
            "print('soon')\nmade = client.create_user()",
            acs={"step": "create-an-identity"},
        ),
        code("follows", "print(made)"),
        code("again", "print(client)"),
        code(
            "complains",
            "from helpers.errors import TutorialError\nraise TutorialError('It is late; wait.')",
        ),
        code("lives-on", "print('still here')", printed("still here\n")),
    )
    dying = notebook(
        folder / "dying.ipynb",
        code("before", "print(1)", printed("1\n")),
        code("dies", "import os\nos._exit(1)"),
        code("after", "print(2)", printed("2\n")),
    )
    stripped = notebook(
        folder / "stripped.ipynb",
        code("first", "print(1)", run=False),
        code("second", "print(2)", run=False),
    )
    return validate(
        [various, failing, dying, stripped],
        place=OwnSandbox(cell_seconds=60),
        jobs=2,
        executed=folder / "executed",
    )


@pytest.fixture(scope="session")
def lessons(run: Run) -> dict[str, Lesson]:
    return {lesson.path.stem: lesson for lesson in run.lessons}


@pytest.fixture(scope="session")
def cells(run: Run) -> dict[str, Cell]:
    return {cell.name: cell for lesson in run.lessons for cell in lesson.cells}


@pytest.fixture(scope="session")
def sound_notebook(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return notebook(
        tmp_path_factory.mktemp("sound") / "sound.ipynb", code("one", "print(1)", printed("1\n"))
    )
