"""The lessons with other releases of the SDK, each in an environment of its own that differs from this one in nothing else."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from importlib.metadata import distributions, requires
from pathlib import Path
from urllib.parse import urlsplit

from helpers.language import gettext as _
from helpers.masking import masked
from helpers.settings import connection_string_parts
from helpers.uv import uv as find_uv
from helpers.validation.lessons import PROJECT
from helpers.validation.places import OwnSandbox
from helpers.validation.results import Run
from helpers.validation.validate import SDK, Progress, validate

LATEST = "latest"

_PROBE = Path(__file__).with_name("sdk_probe.py")
# Not needed to run a lesson, and most of what an installation would take.
_LEFT_OUT = {SDK, "jupyterlab", "voila"}
# What releases import and do not declare, by the name of the module; others are reported and not guessed.
_UNDECLARED = {"six": "six", "msrest": "msrest"}


@dataclass
class Trial:
    """One release: what it does, and what the lessons do with it."""

    requested: str
    version: str
    """The release that was installed; what was asked for, where none could be."""
    undeclared: list[str] = field(default_factory=list)
    """Modules that it imports without declaring them; installed beside it, so that the lessons say something."""
    facts: dict[str, str] = field(default_factory=dict)
    """What it does, by question, as observed."""
    run: Run | None = None
    problem: str = ""
    """Why the lessons could not be tried."""

    @property
    def is_sound(self) -> bool:
        return self.run is not None and self.run.is_sound


def validate_with(
    versions: Sequence[str],
    paths: Sequence[Path],
    *,
    jobs: int,
    progress: Callable[[str], Progress],
    executed: Callable[[str], Path],
) -> Iterator[Trial]:
    """Run the notebooks at *paths* with each of the *versions* (``latest`` among them) and yield how it went.

    Args:
        progress: given the version, returns who is told how its run goes.
        executed: given the version, returns the folder for its notebooks as they ran.

    Raises:
        TutorialError: there is no uv to make environments with.
    """
    uv = find_uv(
        missing=_(
            "--sdk makes its environments with uv, and there is none here; install it: pip install uv."
        )
    )
    with tempfile.TemporaryDirectory(
        prefix="acs-tutorial-sdk-", ignore_cleanup_errors=True
    ) as folder:
        for number, version in enumerate(versions):
            environment = _Environment(Path(folder) / str(number), uv=uv)
            trial = _installed(environment, version)
            if not trial.problem:
                trial.problem = environment.problem_with_helpers()
            if not trial.problem:
                trial.run = validate(
                    paths,
                    # What examines the tutorial's own environment has nothing to say about this one.
                    place=OwnSandbox(
                        skipped_tags={"own-environment": _("It examines another environment.")}
                    ),
                    jobs=jobs,
                    python=str(environment.python),
                    python_path=str(PROJECT),
                    sdk=trial.version,
                    progress=progress(trial.version),
                    executed=executed(trial.version),
                )
            yield trial


class _Environment:
    """A virtual environment with everything that the lessons need but the SDK, at the versions of this one."""

    def __init__(self, folder: Path, *, uv: Sequence[str]) -> None:
        self._folder = folder
        self._uv_command = list(uv)
        self.python = folder.joinpath(
            *(("Scripts", "python.exe") if os.name == "nt" else ("bin", "python"))
        )

    def create(self, requirement: str) -> str:
        """Make it and install *requirement* into it; return uv's complaint, if it had one."""
        self._folder.parent.mkdir(parents=True, exist_ok=True)
        constraints = self._folder.with_suffix(".constraints")
        constraints.write_text("\n".join(_constraints()), encoding="utf-8")
        return self._uv("venv", "--python", sys.executable, str(self._folder)) or self._uv(
            "pip",
            "install",
            "--python",
            str(self.python),
            "--constraints",
            str(constraints),
            requirement,
            *_requirements(),
        )

    def install(self, package: str) -> str:
        return self._uv("pip", "install", "--python", str(self.python), package)

    def version(self) -> str:
        """Return the version of the SDK that is installed."""
        return self._python(f"from importlib.metadata import version; print(version({SDK!r}))")[0]

    def probe(self) -> dict[str, object]:
        """Observe what the SDK does, against a sandbox of this process."""
        with _sandbox() as (service, variables):
            ran = subprocess.run(
                [str(self.python), str(_PROBE)],
                input=json.dumps(service),
                env=variables,
                capture_output=True,
                encoding="utf-8",
            )
        try:
            answer: dict[str, object] = json.loads(ran.stdout.splitlines()[-1])
        except (IndexError, ValueError):
            return {"error": masked(ran.stderr.strip().splitlines()[-1] if ran.stderr else "")}
        return answer

    def problem_with_helpers(self) -> str:
        """Say whether the tutorial itself can be imported beside this release; if not, a lesson's failure says nothing."""
        _said, complaint = self._python("import helpers")
        if not complaint:
            return ""
        return _(
            "The tutorial's own helpers cannot be imported with this release, so the lessons could not be tried: {reason}"
        ).format(reason=masked(complaint.splitlines()[-1]))

    def _python(self, code: str) -> tuple[str, str]:
        ran = subprocess.run(
            [str(self.python), "-c", code],
            env=os.environ | {"PYTHONPATH": str(PROJECT)},
            capture_output=True,
            encoding="utf-8",
        )
        return ran.stdout.strip(), ran.stderr.strip() if ran.returncode else ""

    def _uv(self, *arguments: str) -> str:
        ran = subprocess.run(
            [*self._uv_command, *arguments, "--quiet"],
            # Not in the project: its own limits on what may be installed are not meant for other releases.
            cwd=self._folder.parent,
            capture_output=True,
            encoding="utf-8",
        )
        return ran.stderr.strip() if ran.returncode else ""


def _installed(environment: _Environment, version: str) -> Trial:
    trial = Trial(version, version)
    complaint = environment.create(SDK if version == LATEST else f"{SDK}=={version}")
    if complaint:
        trial.problem = _("It could not be installed. uv says:\n{complaint}").format(
            complaint=masked(complaint)
        )
        return trial
    trial.version = environment.version()
    answer = environment.probe()
    while (missing := answer.get("missing")) in _UNDECLARED and missing not in trial.undeclared:
        module = str(missing)
        trial.undeclared.append(module)
        environment.install(_UNDECLARED[module])
        answer = environment.probe()
    facts = answer.get("facts")
    if isinstance(facts, dict):
        trial.facts = facts
    else:
        trial.problem = _("It cannot be imported or used at all: {reason}").format(
            reason=answer.get("error", "")
        )
    return trial


def _requirements() -> list[str]:
    return [
        requirement
        for requirement in requires("acs-tutorial") or []
        if "extra ==" not in requirement and _name(requirement) not in _LEFT_OUT
    ]


def _constraints() -> Iterator[str]:
    for distribution in distributions():
        name = _name(distribution.metadata["Name"] or "")
        if name and name not in (SDK, "acs-tutorial"):
            yield f"{name}=={distribution.version}"


def _name(requirement: str) -> str:
    found = re.match(r"[\w.-]+", requirement)
    return re.sub(r"[-_.]+", "-", found[0]).lower() if found else ""


@contextmanager
def _sandbox() -> Iterator[tuple[dict[str, str], dict[str, str]]]:
    """A sandbox for the probe: what it needs to know of it, and the environment in which it is trusted."""
    from helpers.sandbox import Sandbox

    with (
        tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder,
        Sandbox(None) as sandbox,
    ):
        authority = Path(folder) / "authority.pem"
        authority.write_bytes(sandbox.certificate_authority)
        host = urlsplit(sandbox.endpoint).hostname or ""
        service = {
            "connection_string": sandbox.connection_string,
            "endpoint": sandbox.endpoint.rstrip("/"),
            "key": connection_string_parts(sandbox.connection_string)["accesskey"],
        }
        trusting = {"REQUESTS_CA_BUNDLE": str(authority), "NO_PROXY": host, "no_proxy": host}
        yield service, os.environ | trusting
