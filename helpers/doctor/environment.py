"""Python, packages, kernel, JupyterLab, widgets."""

from __future__ import annotations

import json
import os
import platform
import sys
from importlib import metadata
from pathlib import Path

from helpers.doctor.diagnosis import Verdict, ok, problem, warning
from helpers.language import gettext as _
from helpers.language import listed, ngettext

DISTRIBUTION = "acs-tutorial"
_WIDGETS = "@jupyter-widgets/jupyterlab-manager"


def _install() -> str:
    return _("Run “uv sync” in the tutorial's folder, then restart JupyterLab and its kernels.")


def python() -> Verdict:
    """Whether this Python is one that the tutorial declares to run on."""
    from packaging.specifiers import SpecifierSet

    version = platform.python_version()
    try:
        declared = metadata.metadata(DISTRIBUTION)["Requires-Python"] or ""
    except metadata.PackageNotFoundError:
        return ok(version)  # The packages have more to say about that.
    if SpecifierSet(declared).contains(version, prereleases=True):
        return ok(version)
    return problem(
        _("Python {version} runs here; the tutorial needs {declared}.").format(
            version=version, declared=declared
        ),
        _("Install a newer Python, or let “uv sync” in the tutorial's folder fetch one."),
    )


def packages() -> Verdict:
    """Whether every package that the tutorial declares is installed, in the range that it declares."""
    try:
        declared = metadata.requires(DISTRIBUTION) or []
    except metadata.PackageNotFoundError:
        return problem(
            _("The tutorial is not installed in this environment ({prefix}).").format(
                prefix=sys.prefix
            ),
            _install(),
        )
    try:
        from packaging.requirements import Requirement
    except ImportError:
        return problem(_("The package “packaging” is missing."), _install())
    missing, wrong, fitting = [], [], 0
    for requirement in map(Requirement, declared):
        if requirement.marker and not requirement.marker.evaluate({"extra": ""}):
            continue
        try:
            version = metadata.version(requirement.name)
        except metadata.PackageNotFoundError:
            missing.append(requirement.name)
            continue
        if requirement.specifier.contains(version, prereleases=True):
            fitting += 1
        else:
            wrong.append(
                _("{name} {version} (needed: {range})").format(
                    name=requirement.name, version=version, range=requirement.specifier
                )
            )
    if missing and wrong:
        return problem(
            _("Missing: {missing}. In a version that does not fit: {wrong}.").format(
                missing=listed(missing), wrong=listed(wrong)
            ),
            _install(),
        )
    if missing:
        return problem(_("Missing: {missing}.").format(missing=listed(missing)), _install())
    if wrong:
        return problem(
            _("In a version that does not fit: {wrong}.").format(wrong=listed(wrong)), _install()
        )
    return ok(
        ngettext("{count} as declared", "all {count} as declared", fitting).format(count=fitting)
    )


def kernel() -> Verdict:
    """Whether the notebooks' kernel runs in the environment that is active here."""
    from jupyter_client.kernelspec import KernelSpecManager, NoSuchKernel

    active = os.environ.get("VIRTUAL_ENV") or os.environ.get("CONDA_PREFIX")
    if active and not _same_folder(Path(active), Path(sys.prefix)):
        return warning(
            _("This is the Python of {prefix}, and the active environment is {active}.").format(
                prefix=sys.prefix, active=active
            ),
            _("Start the tutorial with “uv run acs-tutorial”, or choose the tutorial's kernel."),
        )
    try:
        program = KernelSpecManager().get_kernel_spec("python3").argv[0]
    except NoSuchKernel:
        return problem(
            _("JupyterLab finds no Python kernel here."),
            _install(),
        )
    # Names without a folder mean the Python that runs Jupyter. Links are not followed: those of all environments end
    # at the same program.
    if os.path.dirname(program) and not _same_folder(
        Path(program).parent, Path(sys.executable).parent
    ):
        return problem(
            _("The kernel “python3” runs {program}, outside of this environment.").format(
                program=program
            ),
            _(
                "Remove that kernel with “jupyter kernelspec remove python3”; the environment brings its own."
            ),
        )
    return ok(sys.prefix)


def _same_folder(one: Path, other: Path) -> bool:
    # Case and separators as the system sees them, links in the folders above too, but not in the last part.
    return os.path.normcase(one.parent.resolve() / one.name) == os.path.normcase(
        other.parent.resolve() / other.name
    )


def jupyterlab() -> Verdict:
    """Whether JupyterLab is there to open the lessons in."""
    try:
        return ok(metadata.version("jupyterlab"))
    except metadata.PackageNotFoundError:
        return problem(_("JupyterLab is not installed here."), _install())


def widgets() -> Verdict:
    """Whether JupyterLab will draw widgets: their extension is there and nobody switched it off."""
    from jupyter_core.paths import jupyter_config_path, jupyter_path

    try:
        version = metadata.version("ipywidgets")
    except metadata.PackageNotFoundError:
        return problem(_("ipywidgets is not installed here."), _install())
    extension = Path(*_WIDGETS.split("/"), "package.json")
    if not any((Path(folder) / extension).is_file() for folder in jupyter_path("labextensions")):
        return problem(
            _("JupyterLab's extension for widgets ({name}) is missing.").format(name=_WIDGETS),
            _("Install “jupyterlab_widgets” again in this environment, then reload JupyterLab."),
        )
    folders = [Path(folder, "labconfig") for folder in jupyter_config_path()]
    folders.append(Path(sys.prefix, "share", "jupyter", "lab", "settings"))
    for folder in folders:
        if _is_switched_off(folder / "page_config.json"):
            return problem(
                _("JupyterLab's extension for widgets is switched off in {file}.").format(
                    file=folder / "page_config.json"
                ),
                _("Switch it on: “jupyter labextension enable {name}”.").format(name=_WIDGETS),
            )
    return ok(version)


def _is_switched_off(page_configuration: Path) -> bool:
    try:
        disabled = json.loads(page_configuration.read_text("utf-8")).get("disabledExtensions", {})
    except (OSError, ValueError, AttributeError):
        return False  # None there, or none that JupyterLab could read.
    # JupyterLab accepts a list of names, or names with true and false.
    names = (
        disabled if isinstance(disabled, list) else [name for name, off in disabled.items() if off]
    )
    return any(name.partition(":")[0] == _WIDGETS for name in names)
