"""The task of each lesson."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from helpers.errors import TutorialError
from helpers.journal import Exchange
from helpers.language import gettext as _
from helpers.language import listed, ngettext


@dataclass(frozen=True)
class Task:
    """What an exercise asks for, and how an attempt is judged."""

    goal: str
    hints: tuple[str, ...]
    """From a nudge to nearly the answer."""
    solution: str
    """Python lines that solve it in the lesson where it stands."""
    judge: Callable[[list[Exchange]], str | None]
    """Reads the attempt's successful exchanges; returns what is wrong as a sentence about them, ``None`` when right."""
    praise: str


def of_lesson(lesson: str | None) -> Task:
    """Return the task of a lesson (``"00"`` to ``"09"``).

    Raises:
        TutorialError: there is no such lesson.
    """
    make = _TASKS.get(lesson or "")
    if make is None:
        raise TutorialError(
            _(
                "There is no exercise here; start the session with a lesson's number: {numbers}."
            ).format(numbers=listed(_TASKS))
        )
    return make()


def _start_here() -> Task:
    def judge(attempt: list[Exchange]) -> str | None:
        if not _of(attempt, "create_user", "create_user_and_token"):
            return _nothing_of(attempt, "create_user")
        return None

    return Task(
        goal=_("Create an identity of your own."),
        hints=(
            _("The client has a method for it; you have just seen it work."),
            _("The method is create_user, and it needs no argument."),
        ),
        solution="mine = client.create_user()",
        judge=judge,
        praise=_(
            "Right: the service gave you an identity of your own. It knows nothing about you, and needs to know nothing."
        ),
    )


def _authenticate() -> Task:
    def judge(attempt: list[Exchange]) -> str | None:
        calls = _of(attempt, "create_user", "create_user_and_token")
        if not calls:
            return _nothing_of(attempt, "create_user")
        if not calls[-1].request_headers.get("Authorization", "").startswith("Bearer"):
            return _(
                "The identity was created, but the request was signed with the access key; "
                "this time no key should take part."
            )
        return None

    return Task(
        goal=_("Create an identity without any access key: let Microsoft Entra ID vouch for you."),
        hints=(
            _(
                "A client takes an endpoint and a credential. Which of this lesson's credentials holds no key?"
            ),
            _(
                "Build the client with endpoint and DefaultAzureCredential(), then call create_user()."
            ),
        ),
        solution=(
            "keyless = CommunicationIdentityClient(\n"
            "    endpoint, DefaultAzureCredential(), raw_response_hook=session.observe\n"
            ")\n"
            "keyless.create_user()"
        ),
        judge=judge,
        praise=_(
            "Right: the request carried a bearer token and no signature. There is no key to leak, and none to rotate."
        ),
    )


def _create_identities() -> Task:
    def judge(attempt: list[Exchange]) -> str | None:
        created = len(_of(attempt, "create_user", "create_user_and_token"))
        if created != 3:
            return ngettext(
                "{created} identity was created; the three people need three, one each.",
                "{created} identities were created; the three people need three, one each.",
                created,
            ).format(created=created)
        return None

    return Task(
        goal=_(
            "Give each of the three people in team an identity of their own, and note its raw id under their name."
        ),
        hints=(
            _("One call of create_user makes one identity; there are three people."),
            _("Loop over team; keep identity.properties['id'] in the dictionary directory."),
        ),
        solution=(
            "for person in team:\n    directory[person] = client.create_user().properties['id']"
        ),
        judge=judge,
        praise=_(
            "Right: three people, three identities, and only your own table knows who is who."
        ),
    )


def _issue_tokens() -> Task:
    def judge(attempt: list[Exchange]) -> str | None:
        issued = _issued(attempt)
        if not issued:
            return _nothing_of(attempt, "get_token")
        return _scopes_problem(
            issued[-1],
            ["chat.join.limited"],
            _("The guest needs only chat.join.limited."),
        )

    return Task(
        goal=_(
            "A guest may read and write in a chat, but invite nobody. Issue a token that allows exactly that."
        ),
        hints=(
            _("Three scopes let somebody write in a chat. Which of them permits least?"),
            _("chat.join may still add and remove participants; one scope may not."),
        ),
        solution='client.get_token(identity, ["chat.join.limited"])',
        judge=judge,
        praise=_("Right: the guest can read and write, and nothing else. That is least privilege."),
    )


def _set_lifetimes() -> Task:
    def judge(attempt: list[Exchange]) -> str | None:
        issued = _issued(attempt)
        if not issued:
            return _nothing_of(attempt, "get_token")
        minutes = issued[-1].minutes
        if minutes is None:
            return _("The token lives for the default 24 hours; the webinar lasts 90 minutes.")
        if minutes != 90:
            return ngettext(
                "The token lives for {minutes} minute; the webinar lasts 90 minutes.",
                "The token lives for {minutes} minutes; the webinar lasts 90 minutes.",
                minutes,
            ).format(minutes=minutes)
        return _scopes_problem(
            issued[-1], ["voip.join"], _("An attendee only joins, so voip.join is enough.")
        )

    return Task(
        goal=_(
            "A webinar lasts 90 minutes, and its attendees only join the call. Issue a token for one of them."
        ),
        hints=(
            _("Two things to choose: a scope that joins a call, and a lifetime."),
            _('The scope is "voip.join"; the lifetime is a timedelta of 90 minutes.'),
        ),
        solution='client.get_token(identity, ["voip.join"], token_expires_in=timedelta(minutes=90))',
        judge=judge,
        praise=_("Right: when the webinar is over, so is the token."),
    )


def _create_identity_with_token() -> Task:
    def judge(attempt: list[Exchange]) -> str | None:
        together = _of(attempt, "create_user_and_token")
        if not together:
            if _of(attempt, "create_user") and _issued(attempt):
                return _("That works, but in two requests; do it in one.")
            return _nothing_of(attempt, "create_user_and_token")
        last = together[-1]
        problem = _scopes_problem(
            last, ["chat"], _("The new user starts chats and needs chat, nothing else.")
        )
        if problem is None and last.minutes != 120:
            return _("The token does not live for two hours yet; say so in the same request.")
        return problem

    return Task(
        goal=_(
            "A new user signs up and starts a chat at once. In one request: an identity, and a chat token for two hours."
        ),
        hints=(
            _("create_user_and_token takes the scopes, and a lifetime like get_token."),
            _('The scope is ["chat"]; token_expires_in is a timedelta of two hours.'),
        ),
        solution='client.create_user_and_token(["chat"], token_expires_in=timedelta(hours=2))',
        judge=judge,
        praise=_("Right: one request instead of two, and the user is ready to chat."),
    )


def _refresh_tokens() -> Task:
    def judge(attempt: list[Exchange]) -> str | None:
        if _of(attempt, "create_user", "create_user_and_token"):
            return _(
                "A new identity was created; to the chat service that is a stranger. "
                "Issue the token for the stored identity."
            )
        issued = _issued(attempt)
        if not issued:
            return _nothing_of(attempt, "get_token")
        return _scopes_problem(issued[-1], ["chat"], _("The user keeps what they had: chat."))

    return Task(
        goal=_(
            "A user comes back the next morning; all you have is stored_id. Issue a fresh chat token for the same identity."
        ),
        hints=(
            _("get_token wants an identifier object, not a string."),
            _("CommunicationUserIdentifier(stored_id) makes the identifier."),
        ),
        solution='client.get_token(CommunicationUserIdentifier(stored_id), ["chat"])',
        judge=judge,
        praise=_(
            "Right: a new token, the same identity; to everyone in the chat it is the same person."
        ),
    )


def _revoke_tokens() -> Task:
    def judge(attempt: list[Exchange]) -> str | None:
        revoked = _of(attempt, "revoke_tokens")
        issued = _issued(attempt)
        if not revoked:
            if issued:
                return _(
                    "A new token was issued, but the old one with chat still works; revoke it first."
                )
            return _nothing_of(attempt, "revoke_tokens")
        if not issued or issued[-1].number < revoked[-1].number:
            return _(
                "The tokens were revoked, and no new one was issued after that; now the user can do nothing at all."
            )
        return _scopes_problem(
            issued[-1], ["chat.join"], _("The user may keep chat.join, no more and no less.")
        )

    return Task(
        goal=_(
            "A user with a chat token may no longer create threads, but may keep chat.join. Narrow what they can do."
        ),
        hints=(
            _("Scopes are fixed in a token; a narrower one alone does not end the wider one."),
            _("Two steps, in this order: revoke_tokens, then get_token with the narrower scope."),
        ),
        solution=('client.revoke_tokens(identity)\nclient.get_token(identity, ["chat.join"])'),
        judge=judge,
        praise=_(
            "Right, and in the right order: first end the wide tokens, then issue the narrow one."
        ),
    )


def _delete_identities() -> Task:
    def judge(attempt: list[Exchange]) -> str | None:
        deleted = {exchange.raw_id for exchange in _of(attempt, "delete_user")}
        if not deleted:
            return _nothing_of(attempt, "delete_user")
        if len(deleted) < 2:
            return _("One identity was deleted; the two in left_over must both go.")
        return None

    return Task(
        goal=_("Two test identities are listed in left_over. Delete both."),
        hints=(
            _("delete_user takes one identity at a time."),
            _("Loop over left_over and hand each one to client.delete_user."),
        ),
        solution="for identity in left_over:\n    client.delete_user(identity)",
        judge=judge,
        praise=_("Right: both are gone, with every token they ever had."),
    )


def _complete_quickstart() -> Task:
    def judge(attempt: list[Exchange]) -> str | None:
        wanted = ["create_user_and_token", "revoke_tokens", "delete_user"]
        done = [exchange.operation for exchange in attempt]
        if done[-3:] != wanted:
            return _("The requests were: {done}. Wanted are three: {wanted}.").format(
                done=listed(done) or "–", wanted=listed(wanted)
            )
        if len({exchange.raw_id for exchange in attempt[-3:]}) != 1:
            return _("The three requests were not about one and the same identity.")
        return _scopes_problem(attempt[-3], ["chat"], _("A chat user needs chat, nothing else."))

    return Task(
        goal=_(
            "The whole life of a chat user in three requests: identity and token, revoke, delete."
        ),
        hints=(
            _("The first request does two things at once: create_user_and_token."),
            _("It returns a pair: the identity, which the other two requests need, and the token."),
        ),
        solution=(
            'identity, token = client.create_user_and_token(["chat"])\n'
            "client.revoke_tokens(identity)\n"
            "client.delete_user(identity)"
        ),
        judge=judge,
        praise=_(
            "Right: three requests, one identity, nothing left behind. You know the whole API now."
        ),
    )


_TASKS: dict[str, Callable[[], Task]] = {
    "00": _start_here,
    "01": _authenticate,
    "02": _create_identities,
    "03": _issue_tokens,
    "04": _set_lifetimes,
    "05": _create_identity_with_token,
    "06": _refresh_tokens,
    "07": _revoke_tokens,
    "08": _delete_identities,
    "09": _complete_quickstart,
}

LESSONS = tuple(_TASKS)
"""The numbers of the lessons that have an exercise, in order."""


def _of(attempt: Sequence[Exchange], *operations: str) -> list[Exchange]:
    return [exchange for exchange in attempt if exchange.operation in operations]


def _issued(attempt: Sequence[Exchange]) -> list[Exchange]:
    return _of(attempt, "get_token", "create_user_and_token")


def _nothing_of(attempt: Sequence[Exchange], wanted: str) -> str:
    return _("The service saw {seen}; what is asked for is {wanted}.").format(
        seen=listed(exchange.operation for exchange in attempt) or _("nothing that succeeded"),
        wanted=wanted,
    )


def _scopes_problem(issued: Exchange, wanted: Sequence[str], need: str) -> str | None:
    """Compare the scopes of an issued token; *need* is the sentence that says what is needed."""
    if sorted(issued.scopes) == sorted(wanted):
        return None
    if not issued.scopes:
        return need
    carried = _("The token you issued carries {scopes}.").format(scopes=listed(issued.scopes))
    return f"{carried} {need}"
