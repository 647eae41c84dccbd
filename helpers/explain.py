"""``explain(error)``: what happened, why, and how to put it right; with the original message below.

The rules stand in one table, the specific before the general. A rule never repeats what it was given but for names of
arguments, methods and variables: the rest may be a secret.
"""

from __future__ import annotations

import binascii
import difflib
import inspect
import re
import sys
from collections.abc import Callable
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from html import escape
from textwrap import shorten
from typing import Any
from urllib.parse import urlsplit

from azure.communication.identity import CommunicationIdentityClient
from azure.core.exceptions import (
    AzureError,
    HttpResponseError,
    SerializationError,
    ServiceRequestError,
    ServiceResponseError,
)

from helpers.errors import TutorialError
from helpers.language import gettext as _
from helpers.language import listed
from helpers.masking import masked

_DOCUMENTATION = "https://learn.microsoft.com/azure/communication-services"
_QUICKSTART = f"{_DOCUMENTATION}/quickstarts/identity/access-tokens"
_IDENTITY_MODEL = f"{_DOCUMENTATION}/concepts/identity-model"
_AUTHENTICATION = f"{_DOCUMENTATION}/concepts/authentication"
_LIMITS = f"{_DOCUMENTATION}/concepts/service-limits"
_CREDENTIALS = f"{_DOCUMENTATION}/concepts/credentials-best-practices"
_REFERENCE = "https://learn.microsoft.com/python/api/overview/azure/communication-identity-readme"
_PROXIES = "https://learn.microsoft.com/azure/developer/python/sdk/azure-sdk-configure-proxy"

# The service's own tolerance is not published; a sister service allows 15 minutes. A clock this far off is worth a look.
_SKEW_SECONDS = 5 * 60

# Some of msrest's messages repeat themselves for a whole page.
_LONGEST_ORIGINAL = 200


@dataclass(frozen=True)
class Explanation:
    """An error in words that help: for a notebook and for a terminal alike."""

    cause: str
    fix: str
    link: str
    original: str
    """The error's own first line, masked."""

    def __repr__(self) -> str:
        return "\n".join([self.cause, f"→ {self.fix}", f"  {self.link}", "", self.original])

    def _repr_html_(self) -> str:
        return (
            "<div role='status' style='border-left:4px solid currentColor;padding:2px 10px'>"
            f"<div>{escape(self.cause)}</div>"
            f"<div style='margin:6px 0'><span aria-hidden='true'>→ </span>{escape(self.fix)} "
            f"<a href='{escape(self.link)}' style='text-decoration:underline'>{escape(_('Read more'))}</a></div>"
            f"<code>{escape(self.original)}</code></div>"
        )


def explain(error: BaseException | None = None) -> Explanation:
    """Explain *error*, or the last error that a cell ended with.

    Raises:
        TutorialError: there was no error yet.
    """
    error = error if error is not None else getattr(sys, "last_value", None)
    if error is None:
        raise TutorialError(
            _("There is no error to explain yet; run explain() after a cell has failed.")
        )
    rule = next(rule for rule in _RULES if isinstance(error, rule.kind) and rule.fits(error))
    cause, fix = rule.words(error)
    name = type(error).__name__ if type(error) is not binascii.Error else "binascii.Error"
    first_line = shorten(
        next(iter(str(error).splitlines()), ""), _LONGEST_ORIGINAL, placeholder=" …"
    )
    return Explanation(
        cause=cause,
        fix=fix,
        link=rule.link,
        original=masked(f"{name}: {first_line}".rstrip(": ")),
    )


@dataclass(frozen=True)
class _Rule:
    kind: type[BaseException] | tuple[type[BaseException], ...]
    fits: Callable[[Any], bool]
    # A function, because the language is chosen after this module is imported.
    words: Callable[[Any], tuple[str, str]]
    link: str = _QUICKSTART


# Answers of the service


def _status(*statuses: int) -> Callable[[HttpResponseError], bool]:
    return lambda error: error.status_code in statuses


def _code(*codes: str) -> Callable[[HttpResponseError], bool]:
    return lambda error: getattr(error.error, "code", None) in codes


def _says(text: str) -> Callable[[BaseException], bool]:
    return lambda error: text in str(error)


def _response(error: HttpResponseError) -> Any:
    return error.response


def _request(error: HttpResponseError) -> Any:
    return getattr(_response(error), "request", None)


def _endpoint_has_slash(error: HttpResponseError) -> bool:
    # The slash is in the signed text only, neither in the request nor in the answer. The client that signed is in the
    # traceback; should it hide its endpoint some day, the general sentence about signatures still fits.
    frame = error.__traceback__
    while frame is not None:
        caller = frame.tb_frame.f_locals.get("self")
        if isinstance(caller, CommunicationIdentityClient):
            return _code("Denied")(error) and getattr(caller, "_endpoint", "").endswith("/")
        frame = frame.tb_next
    return False


def _clock_is_off(error: HttpResponseError) -> bool:
    request, response = _request(error), _response(error)
    if not _code("Denied")(error) or request is None or response is None:
        return False
    try:
        sent = parsedate_to_datetime(request.headers["x-ms-date"])
        answered = parsedate_to_datetime(response.headers["Date"])
    except (KeyError, TypeError, ValueError):
        return False
    return abs((sent - answered).total_seconds()) > _SKEW_SECONDS


def _is_about_a_token(error: HttpResponseError) -> bool:
    # The services that spend tokens; the identity service itself is asked at /identities and below.
    path = urlsplit(getattr(_request(error), "url", "")).path
    return error.status_code in (401, 403) and path.startswith("/chat")


# Slips that Python notices


def _missing_attribute(owner: str, *names: str) -> Callable[[AttributeError], bool]:
    def fits(error: AttributeError) -> bool:
        found = re.fullmatch(r"'(\w+)' object has no attribute '(\w+)'.*", str(error))
        return bool(found and found[1] == owner and (not names or found[2] in names))

    return fits


def _name_in(error: BaseException) -> str:
    """The last name that the message quotes: of an argument, an attribute, a variable."""
    names = re.findall(r"'([^']*)'", str(error))
    return names[-1] if names else ""


def _closest(name: str, known: list[str]) -> str:
    close = difflib.get_close_matches(name, known, n=1, cutoff=0.5)
    return close[0] if close else ""


_RENAMED = {
    "issue_token": "get_token",
    "create_user_with_token": "create_user_and_token",
    "getToken": "get_token",
    "createUser": "create_user",
    "get_user_detail": "",
}


def _methods() -> list[str]:
    return [
        name
        for name, value in inspect.getmembers(CommunicationIdentityClient, callable)
        if not name.startswith("_")
    ]


def _no_such_method(error: AttributeError) -> tuple[str, str]:
    name = _name_in(error)
    suggestion = _RENAMED.get(name, _closest(name, _methods()))
    cause = _("The client has no method “{name}”.").format(name=name)
    if suggestion:
        return cause, _("Call {suggestion} instead; older pages use other names.").format(
            suggestion=suggestion
        )
    return cause, _("Its methods are {methods}.").format(methods=listed(_methods()))


def _unknown_argument(error: TypeError) -> tuple[str, str]:
    name = _name_in(error)
    cause = _("No method of the client takes the argument “{name}”.").format(name=name)
    if name == "custom_id":
        return cause, _(
            "No release of the Python SDK has custom_id; it exists in previews for other languages. Leave it out."
        )
    if suggestion := _closest(name, ["token_expires_in", "scopes", "user", "api_version"]):
        return cause, _("Probably {suggestion} was meant; check the spelling.").format(
            suggestion=suggestion
        )
    return cause, _(
        "Check the spelling: create_user_and_token and get_token take scopes and token_expires_in."
    )


def _undefined_name(error: NameError) -> tuple[str, str]:
    name = _name_in(error)
    cause = _("Nothing is called “{name}” here yet.").format(name=name)
    if name.lower().replace("_", "") == "existingidentity":
        return cause, _(
            "The published page means the raw id that you stored when you created the identity: "
            "CommunicationUserIdentifier(stored_id)."
        )
    module = {
        "CommunicationIdentityClient": "azure.communication.identity",
        "CommunicationUserIdentifier": "azure.communication.identity",
        "CommunicationTokenScope": "azure.communication.identity",
        "CommunicationTokenCredential": "azure.communication.chat",
        "ChatClient": "azure.communication.chat",
        "DefaultAzureCredential": "azure.identity",
        "AzureKeyCredential": "azure.core.credentials",
        "AccessToken": "azure.core.credentials",
        "HttpResponseError": "azure.core.exceptions",
        "timedelta": "datetime",
        "datetime": "datetime",
    }.get(name)
    if module:
        return cause, _("Import it first: from {module} import {name}.").format(
            module=module, name=name
        )
    return cause, _(
        "Run the cells above this one first, from the top; if it is your own name, check its spelling."
    )


_RULES: tuple[_Rule, ...] = (
    _Rule(
        TutorialError,
        lambda error: True,
        lambda error: (str(error), _("Correct that and run the cell again.")),
    ),
    # 401 of the identity service: the same words for every reason, so look at what was sent.
    _Rule(
        HttpResponseError,
        _endpoint_has_slash,
        lambda error: (
            _(
                "The service refused the signature, because the endpoint ends with a slash: the slash became part of the signed host name."
            ),
            _(
                "Take the slash off the end of the endpoint that you give to CommunicationIdentityClient."
            ),
        ),
        _AUTHENTICATION,
    ),
    _Rule(
        HttpResponseError,
        _clock_is_off,
        lambda error: (
            _(
                "The service refused the signature, because this computer's clock is off: the date of the request is minutes away from the service's."
            ),
            _("Set the computer's clock to update by itself, then try again."),
        ),
        _AUTHENTICATION,
    ),
    _Rule(
        HttpResponseError,
        lambda error: _code("Denied")(error) and _says("content hash")(error),
        lambda error: (
            _("The request was changed on its way: its body does not fit its signature."),
            _(
                "Look for a proxy or a policy of your own that rewrites requests, and let this host pass untouched."
            ),
        ),
        _AUTHENTICATION,
    ),
    _Rule(
        HttpResponseError,
        _code("Denied"),
        lambda error: (
            _(
                "The service does not know the access key, or the Entra token, that came with the request."
            ),
            _(
                "Copy the connection string again, whole: the key may have been rotated, cut short, or belong to another resource."
            ),
        ),
        _AUTHENTICATION,
    ),
    _Rule(
        HttpResponseError,
        _code("IdentityNotOwned"),
        lambda error: (
            _("This identity belongs to another resource."),
            _(
                "Use the client of the resource that created it; a raw id from the sandbox means nothing to a real resource, and the other way round."
            ),
        ),
        _IDENTITY_MODEL,
    ),
    _Rule(
        HttpResponseError,
        lambda error: (
            _code("IdentityNotFound")(error) or _says("Provided identity doesn't exist")(error)
        ),
        lambda error: (
            _("This identity does not exist any more: it was deleted."),
            _(
                "A deleted identity never comes back. Create a new one with create_user, and store its raw id in place of the old one."
            ),
        ),
        _IDENTITY_MODEL,
    ),
    _Rule(
        HttpResponseError,
        _says("ExpiresInMinutes"),
        lambda error: (
            _("The lifetime is out of range: a token lives for 60 to 1440 minutes."),
            _("Give token_expires_in a timedelta from timedelta(hours=1) to timedelta(hours=24)."),
        ),
        _IDENTITY_MODEL,
    ),
    _Rule(
        HttpResponseError,
        lambda error: _code("ValidationError")(error) and "scopes" in str(error).lower(),
        lambda error: (
            _(
                "The service did not accept the scopes: at least one is needed, and each must be one that it knows."
            ),
            _(
                "Give a list with one or more of: chat, chat.join, chat.join.limited, voip, voip.join."
            ),
        ),
        _IDENTITY_MODEL,
    ),
    _Rule(
        HttpResponseError,
        _code("InvalidAccessToken"),
        lambda error: (
            _(
                "The service did not accept the Teams user's token: it is expired, or not meant for this."
            ),
            _("Let the Teams user sign in again, and exchange the fresh token at once."),
        ),
        _AUTHENTICATION,
    ),
    _Rule(
        HttpResponseError,
        _is_about_a_token,
        lambda error: (
            _(
                "The service did not accept the access token: it is revoked or expired, or its scopes do not permit this."
            ),
            _(
                "Issue a new token with get_token, with the scope that the call needs; an app does it with a token_refresher."
            ),
        ),
        _CREDENTIALS,
    ),
    _Rule(
        HttpResponseError,
        _status(429),
        lambda error: (
            _("Too many requests in too short a time; the service asks you to slow down."),
            _(
                "Wait half a minute and try again. In a loop, pause between calls; the SDK waits by itself when the answer says how long."
            ),
        ),
        _LIMITS,
    ),
    _Rule(
        HttpResponseError,
        lambda error: (error.status_code or 0) >= 500,
        lambda error: (
            _("The service has a problem of its own; your request was well-formed."),
            _(
                "Try again in a moment. A create that failed this way may have worked; look before you create again."
            ),
        ),
        _LIMITS,
    ),
    # Requests that never got an answer
    _Rule(
        (ServiceRequestError, ServiceResponseError),
        lambda error: "proxy" in str(error).lower(),
        lambda error: (
            _("A proxy stands between this computer and the service, and it does not answer."),
            _(
                "Check HTTPS_PROXY. If the service is on this machine or in your own network, add its host to NO_PROXY and restart the kernel."
            ),
        ),
        _PROXIES,
    ),
    _Rule(
        (ServiceRequestError, ServiceResponseError),
        lambda error: "CERTIFICATE_VERIFY_FAILED" in str(error) or "SSL" in str(error),
        lambda error: (
            _("The service's certificate is not trusted here, so nothing was sent."),
            _(
                "On the sandbox, run helpers.start() before you build the client. In a company network, set REQUESTS_CA_BUNDLE to the company's certificates. Never switch the check off."
            ),
        ),
        _PROXIES,
    ),
    _Rule(
        (ServiceRequestError, ServiceResponseError),
        lambda error: True,
        lambda error: (
            _("The service could not be reached: no network, or nobody is there at that endpoint."),
            _(
                "Check the endpoint for a slip, then your network. On the sandbox, restart the kernel and run helpers.start() again."
            ),
        ),
        _QUICKSTART,
    ),
    # Slips that the SDK or Python notices before anything is sent
    _Rule(
        SerializationError,
        lambda error: True,
        lambda error: (
            _("The scopes were given as one text, and the SDK wants a list."),
            _('Put square brackets around it, also for a single scope: ["voip"].'),
        ),
        _IDENTITY_MODEL,
    ),
    _Rule(
        AttributeError,
        lambda error: _says("has no attribute 'total_seconds'")(error),
        lambda error: (
            _(
                "The lifetime is a bare number, and nobody knows whether it means seconds, minutes or days."
            ),
            _("Give token_expires_in a timedelta, for example timedelta(minutes=90)."),
        ),
        _REFERENCE,
    ),
    _Rule(
        AttributeError,
        _missing_attribute("str", "properties", "raw_id", "kind"),
        lambda error: (
            _("A raw id, which is text, stands where an identifier belongs."),
            _("Make an identifier of it: CommunicationUserIdentifier(raw_id)."),
        ),
        _REFERENCE,
    ),
    _Rule(
        AttributeError,
        _missing_attribute("tuple", "properties", "raw_id", "token", "expires_on"),
        lambda error: (
            _(
                "create_user_and_token returned a pair, and the pair was used as if it were one of its two parts."
            ),
            _("Take it apart first: identity, token = client.create_user_and_token(scopes)."),
        ),
        _REFERENCE,
    ),
    _Rule(
        AttributeError,
        _missing_attribute("NoneType", "properties"),
        lambda error: (
            _("There is no identity: the variable is None."),
            _("Run the cell that creates the identity first, or look up the stored raw id again."),
        ),
        _REFERENCE,
    ),
    _Rule(
        AttributeError,
        _missing_attribute("NoneType", "token"),
        lambda error: (
            _(
                "The identity was created, but no token came with it, because no scope was asked for."
            ),
            _(
                'Give create_user_and_token a list of scopes, for example ["chat"]; without a token use create_user.'
            ),
        ),
        _REFERENCE,
    ),
    _Rule(
        AttributeError,
        _missing_attribute("str", "strftime", "timestamp", "isoformat"),
        lambda error: (
            _(
                "expires_on is text, not a time: the identity client returns it as it came over the wire."
            ),
            _(
                'Turn it into a time first: datetime.fromisoformat(token.expires_on[:19] + "+00:00").'
            ),
        ),
        _REFERENCE,
    ),
    _Rule(
        AttributeError,
        _missing_attribute("CommunicationUserIdentifier"),
        lambda error: (
            _("An identity has no “{name}”.").format(name=_name_in(error)),
            _(
                'Its id is identity.raw_id, or identity.properties["id"]; older pages write identity.identifier.'
            ),
        ),
        _REFERENCE,
    ),
    _Rule(
        AttributeError,
        _missing_attribute("CommunicationIdentityClient"),
        _no_such_method,
        _REFERENCE,
    ),
    _Rule(
        TypeError,
        _says("'<' not supported between instances of 'int' and 'str'"),
        lambda error: (
            _(
                "The token_refresher returned the identity client's own token, whose expires_on is text; the credential compares it with a number."
            ),
            _(
                "Return AccessToken(fresh.token, expires_on) with expires_on as a number of seconds, as lesson 06 does."
            ),
        ),
        _CREDENTIALS,
    ),
    _Rule(TypeError, _says("unexpected keyword argument"), _unknown_argument, _REFERENCE),
    _Rule(
        TypeError,
        lambda error: "AccessToken" in str(error),
        lambda error: (
            _("An AccessToken is an object with two parts, not text."),
            _(
                "Use its parts: token_result.token is the token, token_result.expires_on says when it ends."
            ),
        ),
        _REFERENCE,
    ),
    _Rule(
        TypeError,
        _says("required positional argument"),
        lambda error: (
            _("An argument is missing in this call: {name}.").format(name=_name_in(error)),
            _('get_token needs the identity and the scopes: client.get_token(identity, ["chat"]).'),
        ),
        _REFERENCE,
    ),
    _Rule(
        TypeError,
        lambda error: "'str'" in str(error),
        lambda error: (
            _(
                "Text was used as a number or a time. If it is expires_on: the identity client returns it as text."
            ),
            _(
                'Turn it into a time first: datetime.fromisoformat(token.expires_on[:19] + "+00:00").'
            ),
        ),
        _REFERENCE,
    ),
    _Rule(
        binascii.Error,
        lambda error: True,
        lambda error: (
            _("The access key is not base64, so it is not a whole key."),
            _(
                "Copy it again from the Azure portal, with the equals signs at its end if it has any."
            ),
        ),
        _AUTHENTICATION,
    ),
    _Rule(
        ValueError,
        _says("connection string"),
        lambda error: (
            _("This is not a connection string: a part of it is missing."),
            _(
                "It reads endpoint=https://…;accesskey=…; copy it whole from the Azure portal, your resource, Keys."
            ),
        ),
        _QUICKSTART,
    ),
    _Rule(
        ValueError,
        _says("Token is not formatted correctly"),
        lambda error: (
            _("This is not an access token: a token has three parts, separated by dots."),
            _("Hand over token_result.token, whole; a masked or cut one does not work."),
        ),
        _CREDENTIALS,
    ),
    _Rule(
        ValueError,
        _says("token_refresher is expired"),
        lambda error: (
            _("The token_refresher returned a token that has already ended."),
            _("Let it issue a new token each time it is called, and return when that one ends."),
        ),
        _CREDENTIALS,
    ),
    _Rule(
        KeyError,
        _says("COMMUNICATION_SERVICES"),
        lambda error: (
            _("The environment variable {name} is not set in this kernel.").format(
                name=_name_in(error)
            ),
            _(
                "Run helpers.start() first: it sets the variable for the sandbox, or from your .env file. Check the name for a slip."
            ),
        ),
        _QUICKSTART,
    ),
    _Rule(NameError, lambda error: True, _undefined_name, _REFERENCE),
    _Rule(
        ModuleNotFoundError,
        lambda error: True,
        lambda error: (
            _("The package for “{name}” is not in this notebook's environment.").format(
                name=_name_in(error)
            ),
            _("Choose the tutorial's own kernel, or start JupyterLab with: uv run acs-tutorial."),
        ),
        _QUICKSTART,
    ),
    # What is left
    _Rule(
        AzureError,
        lambda error: True,
        lambda error: (
            _("The call did not succeed, and the SDK says why in its own words below."),
            _(
                "Read its last line first. If it names a header or a status, compare with the exchange that the lesson recorded."
            ),
        ),
        _REFERENCE,
    ),
    _Rule(
        BaseException,
        lambda error: True,
        lambda error: (
            _(
                "This error comes from Python, not from the service; nothing tells more than its own words below."
            ),
            _(
                "Look at the line that the error points to. If in doubt, restart the kernel and run the cells from the top."
            ),
        ),
        "https://docs.python.org/3/library/exceptions.html",
    ),
)
