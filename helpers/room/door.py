"""The room's door: what a ticket is shown to. It gives the certificate authority to all, and a seat to its code."""

from __future__ import annotations

import asyncio
import hmac
import json
from collections.abc import Callable
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from helpers.exercises import LESSONS
from helpers.room.controls import change
from helpers.room.seats import Seat, Seats
from helpers.sandbox import SandboxError

# What makes 40 bits enough: whoever tries codes waits for each.
_WRONG_CODE_SECONDS = 1.0
_LONGEST_QUESTION = 1024


def create_door(
    seats: Seats, authority: bytes, joined: Callable[[str, str | None], None]
) -> Starlette:
    """Return the door as an ASGI application.

    *joined* is called with the name of a seat that is taken and with the number of the lesson that was opened, if it was one.
    """

    async def show_authority(request: Request) -> Response:
        return PlainTextResponse(authority, media_type="application/x-pem-file")

    async def admitted(request: Request) -> tuple[Seat | None, dict[str, Any]]:
        """Return the seat that a question's code opens, if there is one, and the question."""
        seat = seats.get(request.path_params["name"])
        question = await _question(request)
        code = str(question.get("code")).encode("utf-8", "replace")
        # A seat that there is not is refused like a wrong code, and as slowly.
        if not hmac.compare_digest(code, seat.code.encode() if seat else b"\0"):
            await asyncio.sleep(_WRONG_CODE_SECONDS)
            return None, {}
        return seat, question

    async def give_seat(request: Request) -> Response:
        seat, question = await admitted(request)
        if seat is None:
            return Response(status_code=403)
        lesson = question.get("lesson")
        joined(seat.name, lesson if lesson in LESSONS else None)
        return JSONResponse(
            {
                "connection_string": seat.connection_string,
                "identity_endpoint": seat.identity_endpoint,
                "identity_header": seat.identity_header,
            },
            headers={"Cache-Control": "no-store"},
        )

    async def change_seat(request: Request) -> Response:
        seat, question = await admitted(request)
        if seat is None:
            return Response(status_code=403)
        try:
            return JSONResponse(change(seat.controls, question.get("change"), question.get("how")))
        except SandboxError as error:
            return JSONResponse({"problem": str(error)}, status_code=400)

    return Starlette(
        routes=[
            Route("/authority.pem", show_authority, methods=["GET"]),
            Route("/seats/{name}", give_seat, methods=["POST"]),
            Route("/seats/{name}/controls", change_seat, methods=["POST"]),
        ]
    )


async def _question(request: Request) -> dict[str, Any]:
    """Read what was asked, within bounds; nothing at all when it is no JSON object."""
    content = b""
    async for part in request.stream():
        content += part
        if len(content) > _LONGEST_QUESTION:
            return {}
    try:
        question = json.loads(content)
    except (ValueError, RecursionError):
        return {}
    return question if isinstance(question, dict) else {}
