"""The ``.env`` file, the settings, the connection string, proxies and certificates. No value is ever repeated."""

from __future__ import annotations

import difflib
import os
import ssl
import urllib.request
from pathlib import Path
from typing import TYPE_CHECKING

from helpers.doctor.diagnosis import Verdict, ok, problem, warning
from helpers.language import gettext as _
from helpers.language import listed

if TYPE_CHECKING:
    from helpers.room.ticket import Ticket

_PREFIXES = ("ACS_TUTORIAL_", "COMMUNICATION_SERVICES_")


def settings_file() -> Verdict:
    """Whether a ``.env`` file that exists can be read, line by line, and names settings that there are."""
    from dotenv import find_dotenv
    from dotenv.parser import parse_stream

    from helpers import settings

    found = find_dotenv(usecwd=True)
    if not found:
        return ok(_("no .env file, which is fine: the sandbox needs none"))
    try:
        with open(found, encoding="utf-8-sig") as stream:
            bindings = list(parse_stream(stream))
    except OSError as error:
        return problem(
            _("{file} cannot be read ({reason}).").format(
                file=found, reason=error.strerror or error
            ),
            _("Make it readable, or remove it."),
        )
    except UnicodeDecodeError:
        return problem(
            _("{file} is not a text file in UTF-8.").format(file=found),
            _("Save it again as UTF-8, in a plain text editor."),
        )
    for binding in bindings:
        if binding.error or (binding.key and binding.value is None):
            return problem(
                _("Line {number} of {file} cannot be read as a setting.").format(
                    number=binding.original.line, file=found
                ),
                _("Write it as NAME=value, and close each quotation mark; see .env.example."),
            )
    for binding in bindings:
        name = binding.key or ""
        if name.startswith(_PREFIXES) and name not in settings.KEYS:
            meant = difflib.get_close_matches(name, settings.KEYS, n=1, cutoff=0)[0]
            return warning(
                _("Line {number} of {file} sets “{name}”, which nothing reads.").format(
                    number=binding.original.line, file=found, name=name
                ),
                _("Probably {name} was meant; correct the line, or remove it.").format(name=meant),
            )
    return ok(found)


def chosen() -> Verdict:
    """Whether the settings as a whole can be used, and where the lessons would send their calls."""
    from helpers import language, settings
    from helpers.errors import TutorialError

    try:
        found = settings.load()
    except TutorialError as error:
        return problem(
            str(error),
            _("Correct it in the environment or in .env, then start the kernel again."),
        )
    if found.language and found.language not in language.available():
        return problem(
            _("ACS_TUTORIAL_LANGUAGE names a language that the tutorial does not speak."),
            _("Choose one of: {languages}.").format(
                languages=language.listed(language.available())
            ),
        )
    if found.room:
        return _room(found.room)
    if found.mode == "live":
        return ok(_("Live · {host}").format(host=found.host))
    return ok(_("Sandbox · nothing leaves this machine"))


def _room(ticket: Ticket) -> Verdict:
    from helpers.errors import TutorialError
    from helpers.room.joining import join

    try:
        join(ticket)
    except TutorialError as error:
        return problem(
            str(error),
            _("To go on without the room, run “acs-tutorial join --leave”."),
        )
    return ok(
        _("Room · seat {seat} at {host}, which was reached").format(
            seat=ticket.seat, host=ticket.host
        )
    )


def connection_string() -> Verdict:
    """Whether a connection string or endpoint that is set has the shape of one."""
    from helpers import settings
    from helpers.errors import TutorialError

    advice = _("Put it right, or remove it: the sandbox needs none.")
    try:
        found = settings.load()
    except settings.SettingsError as error:
        if error.key in (settings.CONNECTION_STRING, settings.ENDPOINT):
            return problem(
                str(error),
                _("Copy it again from the Azure portal: your resource, Keys, Connection string."),
            )
        return ok(_("not looked at, because other settings are wrong"))
    except TutorialError:
        return ok(_("not looked at, because other settings are wrong"))
    if found.problems:
        return warning(" ".join(found.problems), advice)
    if found.connection_string:
        return ok(_("well-formed, for {host}").format(host=found.host))
    return ok(_("none set, which is fine: the sandbox brings its own"))


def proxy() -> Verdict:
    """Whether a proxy would catch calls to this machine."""
    # What Windows and macOS are set to counts too, not only the environment.
    proxies = urllib.request.getproxies()
    catching = [scheme for scheme in ("https", "http", "all") if proxies.get(scheme)]
    caught = [
        host
        for host in ("localhost", "127.0.0.1")
        if catching and not urllib.request.proxy_bypass(host)
    ]
    if not caught:
        return ok(
            _("one is set, and leaves this machine's own calls alone") if catching else _("none")
        )
    names = sorted(
        name
        for name in os.environ
        if name.lower() in {f"{scheme}_proxy" for scheme in catching} and os.environ[name]
    )
    return warning(
        _("The proxy in {where} would catch calls to {hosts}.").format(
            where=listed(names) or _("this computer's network settings"), hosts=listed(caught)
        ),
        _(
            "The lessons make an exception for themselves; for other programs set NO_PROXY=localhost,127.0.0.1."
        ),
    )


def certificates() -> Verdict:
    """Whether what this machine trusts can be read: certifi's bundle, or the files that the environment names."""
    import certifi

    for name in ("REQUESTS_CA_BUNDLE", "SSL_CERT_FILE"):
        named = os.environ.get(name)
        if named and not _can_load(Path(named)):
            return problem(
                _("{name} names a file without certificates, or none at all: {file}.").format(
                    name=name, file=named
                ),
                _("Correct or remove {name}, then start again.").format(name=name),
            )
    if not _can_load(Path(certifi.where())):
        return problem(
            _("The certificates of the package certifi cannot be read."),
            _("Install certifi again in this environment."),
        )
    return ok(_("readable"))


def _can_load(bundle: Path) -> bool:
    # A folder of certificates is allowed too.
    if bundle.is_dir():
        return True
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    try:
        context.load_verify_locations(cafile=bundle)
    except OSError:  # ssl's errors are these too.
        return False
    return bool(context.get_ca_certs())
