"""The tutorial's settings: from the environment, else from a ``.env`` file, else their defaults.

Each value is checked where it is read. A problem is one sentence that names the setting and the remedy; it never repeats
the value, because the value may be a secret in the wrong place.
"""

from __future__ import annotations

import base64
import binascii
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, cast
from urllib.parse import urlsplit

from helpers import browser
from helpers.errors import TutorialError
from helpers.language import gettext as _
from helpers.room.ticket import Ticket, TicketError

Mode = Literal["sandbox", "room", "live"]

MODE = "ACS_TUTORIAL_MODE"
CONNECTION_STRING = "COMMUNICATION_SERVICES_CONNECTION_STRING"
ENDPOINT = "COMMUNICATION_SERVICES_ENDPOINT"
HOME = "ACS_TUTORIAL_HOME"
LANGUAGE = "ACS_TUTORIAL_LANGUAGE"
ROOM = "ACS_TUTORIAL_ROOM"

KEYS = (MODE, CONNECTION_STRING, ENDPOINT, ROOM, HOME, LANGUAGE)

# The shortest access key that any published resource had is 32 bytes; anything less is a slip of the clipboard.
_SHORTEST_KEY = 32


class SettingsError(TutorialError):
    """A setting that cannot be used. ``key`` names it; the text says what is wrong and what to do."""

    def __init__(self, key: str, problem: str) -> None:
        super().__init__(f"{key}: {problem}")
        self.key = key


@dataclass(frozen=True)
class Settings:
    """What was asked for. Connection string and ticket are secrets and stay out of the repr."""

    mode: Mode
    connection_string: str | None = field(repr=False)
    endpoint: str | None
    home: Path
    language: str | None
    room: Ticket | None = None
    """The ticket for a seat in a presenter's room; its own repr holds no secret."""
    problems: tuple[str, ...] = ()
    """Sentences about settings that this mode does not use, but that would not work if it did."""

    @property
    def host(self) -> str | None:
        """The host name of the real resource, if one is set."""
        if self.connection_string:
            return urlsplit(connection_string_parts(self.connection_string)["endpoint"]).netloc
        return urlsplit(self.endpoint).netloc if self.endpoint else None

    @property
    def service(self) -> str:
        """Where the identities live: ``sandbox``, a seat of a room, or the host name of the real resource."""
        if self.room:
            return self.room.place
        return "sandbox" if self.mode == "sandbox" else self.host or ""


def load(environ: Mapping[str, str] | None = None) -> Settings:
    """Read and check the settings.

    The ``.env`` file is looked for in the working folder (a notebook's kernel runs in the notebook's folder) and upwards.

    Raises:
        SettingsError: a setting that the chosen mode needs is missing or malformed.
    """
    values = _values(os.environ if environ is None else environ)
    # A ticket was asked for and given on purpose; a connection string may be there for another program.
    mode = values[MODE].lower() or ("room" if values[ROOM] else "sandbox")
    if mode not in ("sandbox", "room", "live"):
        raise SettingsError(
            MODE, _("must be “sandbox”, “room” or “live”; correct it or remove it.")
        )

    problems = {
        key: problem
        for key, problem_of in (
            (CONNECTION_STRING, connection_string_problem),
            (ENDPOINT, endpoint_problem),
        )
        if values[key] and (problem := problem_of(values[key]))
    }
    if mode == "live":
        for key, problem in problems.items():
            raise SettingsError(key, problem)
    usable = {key: value for key, value in values.items() if value and key not in problems}
    if mode == "live" and CONNECTION_STRING not in usable and ENDPOINT not in usable:
        raise SettingsError(
            MODE,
            _(
                "is “live”, but no resource is named: set COMMUNICATION_SERVICES_CONNECTION_STRING, "
                "or COMMUNICATION_SERVICES_ENDPOINT for Microsoft Entra ID."
            ),
        )
    if mode == "room" and not values[ROOM]:
        raise SettingsError(
            MODE,
            _(
                "is “room”, but there is no ticket: run “acs-tutorial join” with what stands on your card."
            ),
        )
    return Settings(
        mode=cast(Mode, mode),
        connection_string=usable.get(CONNECTION_STRING),
        endpoint=usable.get(ENDPOINT),
        home=_home(values[HOME]),
        language=usable.get(LANGUAGE),
        room=_ticket(values[ROOM]) if mode == "room" else None,
        problems=tuple(f"{key}: {problem}" for key, problem in problems.items()),
    )


def sandbox_home() -> Path:
    """Return the state folder, whatever mode the lessons are set to: a sandbox of this machine keeps its state there.

    Raises:
        SettingsError: a setting is malformed, or the folder cannot be made.
    """
    return load({**os.environ, MODE: "sandbox"}).home


def language(environ: Mapping[str, str] | None = None) -> str | None:
    """Read the one setting that is needed before anything can be said, even about the others."""
    return _values(os.environ if environ is None else environ)[LANGUAGE] or None


def _values(environ: Mapping[str, str]) -> dict[str, str]:
    # Imported here and below: where they are missing, the doctor still says so.
    from dotenv import dotenv_values, find_dotenv

    found = find_dotenv(usecwd=True)
    from_file = dotenv_values(found, interpolate=False, encoding="utf-8-sig") if found else {}
    # A variable that is set but empty counts: it is the way to switch off what the file says.
    return {key: (environ.get(key, from_file.get(key)) or "").strip() for key in KEYS}


def _ticket(text: str) -> Ticket:
    try:
        return Ticket.parse(text)
    except TicketError as error:
        raise SettingsError(ROOM, str(error)) from error


def connection_string_parts(connection_string: str) -> dict[str, str]:
    """Split a connection string the way the SDK does: ``;`` between parts, the first ``=`` inside each, names in any case."""
    pairs = (part.split("=", 1) for part in connection_string.split(";") if "=" in part)
    return {name.strip().lower(): value.strip() for name, value in pairs}


def connection_string_problem(value: str) -> str | None:
    """Say what is wrong with a connection string, in one sentence, or return ``None``."""
    if _is_quoted(value):
        return _("the value is wrapped in quotation marks; remove them.")
    if "<" in value or ">" in value:
        return _("the value still holds a placeholder in angle brackets; put the real value there.")
    if any(character.isspace() for character in value):
        return _(
            "the value holds a space or a line break; copy the connection string again, whole."
        )
    if "=" not in value.rstrip("=") or "endpoint" not in value.lower():
        if value.lower().startswith(("http://", "https://")):
            return _(
                "this is an endpoint only; the connection string reads endpoint=https://…;accesskey=… "
                "(Azure portal, your resource, Keys)."
            )
        if _is_key(value):
            return _(
                "this looks like an access key alone; the connection string reads "
                "endpoint=https://…;accesskey=… (Azure portal, your resource, Keys)."
            )
    parts = connection_string_parts(value)
    for name in ("endpoint", "accesskey"):
        if not parts.get(name):
            return _(
                "the part “{name}=” is missing; the connection string reads endpoint=https://…;accesskey=…."
            ).format(name=name)
    # The SDK itself takes the slash off an endpoint that stands in a connection string.
    problem = endpoint_problem(parts["endpoint"].rstrip("/"))
    if problem:
        return problem
    if not _is_key(parts["accesskey"]):
        return _(
            "the access key is not base64 or is cut short; copy the connection string again, whole."
        )
    return None


def endpoint_problem(value: str) -> str | None:
    """Say what is wrong with an endpoint, in one sentence, or return ``None``."""
    if _is_quoted(value):
        return _("the value is wrapped in quotation marks; remove them.")
    if value.lower().startswith("endpoint="):
        return _(
            "this is a connection string; the endpoint is its part between “endpoint=” and “;”."
        )
    if not value.startswith("https://"):
        return _(
            "an endpoint starts with https://, for example https://contoso.communication.azure.com."
        )
    if value.endswith("/"):
        return _(
            "the endpoint ends with a slash, which would become part of the signed host name and be refused; "
            "remove the slash."
        )
    parts = urlsplit(value)
    if not parts.hostname or parts.path or parts.query or parts.username:
        return _("an endpoint is https:// and a host name, nothing more.")
    return None


def _is_quoted(value: str) -> bool:
    return value[:1] in "\"'“‘" or value[-1:] in "\"'”’"


def _is_key(value: str) -> bool:
    try:
        return len(base64.b64decode(value, validate=True)) >= _SHORTEST_KEY
    except (binascii.Error, ValueError):
        return False


def _usual_home() -> Path:
    if browser.HERE:
        return browser.state_folder()
    import platformdirs

    return platformdirs.user_state_path("acs-tutorial", False)


def _home(value: str) -> Path:
    home = Path(value).expanduser() if value else _usual_home()
    try:
        home.mkdir(parents=True, exist_ok=True, mode=0o700)
    except OSError as error:
        raise SettingsError(
            HOME,
            _("the folder {folder} cannot be made ({reason}); name another one.").format(
                folder=home, reason=error.strerror
            ),
        ) from error
    return home
