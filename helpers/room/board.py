"""The presenter's board: per step how many seats have done it, and who is stuck on which error. It shows nothing secret.

For the presenter's own machine: it listens on loopback and answers to loopback's names only. The page asks for the state
every second; what comes are finished sentences and pieces of HTML, so that the page has nothing to know.
"""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from html import escape
from pathlib import Path

from azure.core.exceptions import HttpResponseError, ODataV4Format
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import Route

from helpers import language
from helpers.explain import explain
from helpers.language import gettext as _
from helpers.language import ngettext
from helpers.room.steps import STEPS
from helpers.room.watch import SeatState, Strangers, Trouble, Watch

# More than this are drawn small, so that a projector shows them all.
_MANY_SEATS = 80

_FOLDER = Path(__file__).parent
_HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; img-src data:; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}


def create_board(watch: Watch) -> Starlette:
    """Return the board as an ASGI application."""

    density = "many" if len(watch.seats()) > _MANY_SEATS else "few"

    async def page(request: Request) -> Response:
        return HTMLResponse(_page(state(watch), density), headers=_HEADERS)

    async def show_state(request: Request) -> Response:
        return JSONResponse(state(watch), headers=_HEADERS)

    def file(name: str, media_type: str) -> Route:
        async def answer(request: Request) -> Response:
            return Response((_FOLDER / name).read_bytes(), media_type=media_type, headers=_HEADERS)

        return Route(f"/{name}", answer)

    return Starlette(
        routes=[
            Route("/", page),
            Route("/state", show_state),
            file("board.css", "text/css"),
            file("board.js", "text/javascript"),
        ],
        # A page elsewhere whose host name suddenly points to this machine still sends that name.
        middleware=[
            Middleware(TrustedHostMiddleware, allowed_hosts=["localhost", "127.0.0.1", "::1"])
        ],
    )


def state(watch: Watch, now: datetime | None = None) -> dict[str, str]:
    """Return what the board shows now: pieces of HTML by the id of the part of the page that they belong to."""
    now = now or datetime.now(timezone.utc)
    seats = watch.seats()
    stuck = watch.stuck(now)
    return {
        "taken": _taken(sum(seat.taken for seat in seats), len(seats)),
        "steps": _steps([seat.steps for seat in seats]),
        "alarm": _alarm(stuck),
        "stuck": "".join(_stuck(trouble, now) for trouble in stuck),
        "strangers": _strangers(watch.strangers(now), now),
        "seats": "".join(
            _seat(seat, seat.seat in {trouble.seat for trouble in stuck}) for seat in seats
        ),
    }


def _page(parts: dict[str, str], density: str) -> str:
    words = {
        "density": density,
        "language": language.current(),
        "title": _("The room"),
        "steps_title": _("Done"),
        "stuck_title": _("Stuck"),
        "seats_title": _("Seats"),
        "legend": _("The number below a seat is the lesson that it opened last."),
        "lost": _("The room is closed, or cannot be reached; this is how it was."),
    }
    text = (_FOLDER / "board.html").read_text(encoding="utf-8")
    for name, value in words.items():
        text = text.replace(f"{{{name}}}", escape(value))
    for name, piece in parts.items():
        text = text.replace(f"{{{name}}}", piece)
    return text


def _taken(taken: int, seats: int) -> str:
    return escape(
        ngettext("{taken} of {seats} seat taken", "{taken} of {seats} seats taken", seats).format(
            taken=taken, seats=seats
        )
    )


def _steps(done: list[frozenset[str]]) -> str:
    rows = []
    for step in STEPS:
        count = sum(step.lesson in steps for steps in done)
        words = _("{count} of {seats}").format(count=count, seats=len(done))
        rows.append(
            f'<tr><th scope="row"><span class="number">{step.lesson}</span> {escape(step.title)}</th>'
            f'<td class="bar"><progress value="{count}" max="{len(done)}" aria-hidden="true"></progress></td>'
            f'<td class="count">{escape(words)}</td></tr>'
        )
    return "".join(rows)


def _alarm(stuck: list[Trouble]) -> str:
    if not stuck:
        return f'<span class="sign" aria-hidden="true">✓</span> {escape(_("Nobody is stuck."))}'
    words = ngettext("{count} seat is stuck.", "{count} seats are stuck.", len(stuck))
    return (
        f'<span class="sign" aria-hidden="true">!</span> {escape(words.format(count=len(stuck)))}'
    )


def _stuck(trouble: Trouble, now: datetime) -> str:
    cause, fix = _explained(trouble)
    seat = _("Seat {seat}").format(seat=trouble.seat)
    name = " ".join(str(part) for part in (trouble.status or _("no answer"), trouble.code) if part)
    times = ngettext("once", "{count} times", trouble.times).format(count=trouble.times)
    lasts = _("for {duration}").format(duration=_duration(trouble.lasts(now)))
    return (
        f'<li><p class="who"><strong>{escape(seat)}</strong> <span>{escape(lasts)} · {escape(times)}</span></p>'
        f"<p><code>{escape(name)}</code> {escape(cause)}</p>"
        f'<p class="fix"><span aria-hidden="true">→</span> {escape(fix)}</p></li>'
    )


def _explained(trouble: Trouble) -> tuple[str, str]:
    """Return cause and remedy, in the words that the lessons have for the error."""
    if trouble.status is None:
        return (
            _("The connection broke before there was an answer."),
            _("Run the cell again."),
        )
    # The error as the SDK raised it on the seat's computer, as far as it is known here.
    error = HttpResponseError(message=trouble.message or "")
    error.status_code = trouble.status
    if trouble.code is not None:
        error.error = ODataV4Format({"code": trouble.code, "message": trouble.message or ""})
    explanation = explain(error)
    return explanation.cause, explanation.fix


def _strangers(strangers: Strangers | None, now: datetime) -> str:
    if strangers is None:
        return ""
    words = ngettext(
        "{requests} from {count} computer came with a key that is no seat's, the last {duration} ago. Lesson 01 does it on "
        "purpose, once.",
        "{requests} from {count} computers came with a key that is no seat's, the last {duration} ago. Lesson 01 does it on "
        "purpose, once.",
        strangers.computers,
    )
    requests = ngettext("{count} request", "{count} requests", strangers.times)
    return escape(
        words.format(
            requests=requests.format(count=strangers.times),
            count=strangers.computers,
            duration=_duration(now - strangers.latest),
        )
    )


def _seat(seat: SeatState, stuck: bool) -> str:
    if stuck:
        kind, sign, words = "stuck", "!", _("stuck")
    elif not seat.taken:
        kind, sign, words = "free", "–", _("free")
    elif seat.lesson is None:
        kind, sign, words = "taken", "✓", _("taken")
    else:
        kind, sign = "taken", seat.lesson
        words = _("in lesson {lesson}").format(lesson=seat.lesson)
    said = _("Seat {seat}: {state}").format(seat=seat.seat, state=words)
    return (
        f'<li class="{kind}"><span aria-hidden="true"><b>{seat.seat}</b><i>{sign}</i></span>'
        f'<span class="said">{escape(said)}</span></li>'
    )


def _duration(length: timedelta) -> str:
    seconds = max(int(length.total_seconds()), 0)
    if seconds < 60:
        return _("{seconds} s").format(seconds=seconds)
    return _("{minutes} min").format(minutes=seconds // 60)
