"""``doctor()``: whether everything that the tutorial needs works on this machine, before the room is full.

It has to run where the tutorial itself does not, so it and its checks import nothing but the standard library at first.
"""

from __future__ import annotations

from collections.abc import Callable

from helpers import browser
from helpers.doctor import configuration, environment, machine, service
from helpers.doctor.diagnosis import Diagnosis, Finding, Verdict, problem, warning
from helpers.language import gettext as _

__all__ = ["Diagnosis", "Finding", "doctor"]

# A web page has none of this, or cannot look at it.
_NOT_IN_A_BROWSER = {
    *("kernel", "jupyterlab", "widgets", "disk", "browser", "proxy", "certificates", "sandbox"),
}


def doctor() -> Diagnosis:
    """Examine this machine: one finding per check, each with a sentence of advice where something is amiss.

    Nothing is changed, and nothing leaves the machine; in live mode the resource is asked for the time, without a key.
    """
    findings = []
    for name, title, check in _checks():
        if browser.HERE and name in _NOT_IN_A_BROWSER:
            continue
        verdict = _verdict(check)
        if verdict is not None:
            findings.append(Finding(name, title, verdict.state, verdict.text, verdict.advice))
    return Diagnosis(findings)


def _checks() -> tuple[tuple[str, str, Callable[[], Verdict | None]], ...]:
    # Built on demand, because the language is chosen after this module is imported.
    return (
        ("python", _("Python"), environment.python),
        ("packages", _("packages"), environment.packages),
        ("kernel", _("kernel"), environment.kernel),
        ("jupyterlab", _("JupyterLab"), environment.jupyterlab),
        ("widgets", _("widgets"), environment.widgets),
        ("state-folder", _("state folder"), machine.state_folder),
        ("disk", _("disk"), machine.disk),
        ("clock", _("clock"), machine.clock),
        ("browser", _("browser"), machine.browser),
        ("settings-file", _("settings file"), configuration.settings_file),
        ("settings", _("settings"), configuration.chosen),
        ("connection-string", _("connection string"), configuration.connection_string),
        ("proxy", _("proxy"), configuration.proxy),
        ("certificates", _("certificates"), configuration.certificates),
        ("sandbox", _("sandbox"), service.sandbox),
        ("first-token", _("first token"), service.first_token),
    )


def _verdict(check: Callable[[], Verdict | None]) -> Verdict | None:
    try:
        return check()
    except ImportError as error:
        return warning(
            _("This cannot be checked, because “{name}” cannot be imported.").format(
                name=error.name or type(error).__name__
            ),
            _("Put the packages right first, then ask the doctor again."),
        )
    except Exception as error:
        # A machine that surprises the doctor is just the one that needs the other findings.
        return problem(
            _("This check ended with an error of its own: {name}: {text}").format(
                name=type(error).__name__, text=error
            ),
            _("Put the other problems right first; if this one stays, report it with this line."),
        )
