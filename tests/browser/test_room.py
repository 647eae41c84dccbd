"""The presenter's board, live, and the sheet of cards, on the screen and on paper."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from azure.communication.identity import CommunicationIdentityClient
from azure.core.exceptions import HttpResponseError
from playwright.sync_api import Browser, Page, expect

from helpers.room import watch
from helpers.room.joining import join
from helpers.room.room import Room
from helpers.room.sheet import sheet
from helpers.room.ticket import Ticket

from .accessibility import violations
from .jupyterlab import SCREENSHOTS
from .layout import broken_places

SEATS = 30
PAGE = 8
"""As many cards as fit on a sheet of paper."""

# 210 mm less twice 8, in pixels of 1/96 inch.
A4_WITHOUT_MARGINS = 733

_CUT_OFF = """() => [...document.querySelectorAll('.card')].flatMap(card => {
    const frame = card.getBoundingClientRect();
    return [...card.querySelectorAll('*')].filter(part => {
        const box = part.getBoundingClientRect();
        return box.bottom > frame.bottom + 1 || box.right > frame.right + 1;
    }).map(part => part.outerHTML.slice(0, 100));
})"""


@pytest.fixture
def room(tmp_path: Path) -> Iterator[Room]:
    with Room(tmp_path / "room", seats=SEATS) as opened:
        yield opened


@pytest.fixture(params=["light", pytest.param("dark", marks=pytest.mark.campaign)])
def page(chromium: Browser, request: pytest.FixtureRequest) -> Iterator[Page]:
    """The presenter's window, as a projector shows it."""
    context = chromium.new_context(
        viewport={"width": 1280, "height": 720}, locale="en-US", color_scheme=request.param
    )
    yield context.new_page()
    context.close()


def test_the_board_follows_a_room(
    room: Room, page: Page, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("NO_PROXY", "no_proxy"):
        monkeypatch.setenv(name, "localhost")
    monkeypatch.setattr(watch, "STUCK_AFTER", timedelta(0))
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    complaints: list[str] = []
    page.on("console", lambda message: complaints.append(message.text))
    page.goto(room.board)
    expect(page.locator("#taken")).to_have_text(f"0 of {SEATS} seats taken")
    expect(page.locator("#alarm")).to_contain_text("Nobody is stuck.")

    seat = join(Ticket.parse(room.tickets()["07"]), lesson="03")
    expect(page.locator("#taken")).to_have_text(f"1 of {SEATS} seats taken")
    expect(page.get_by_text("Seat 07: in lesson 03")).to_be_attached()

    authority = tmp_path / "authority.pem"
    authority.write_bytes(seat.authority)
    client = CommunicationIdentityClient.from_connection_string(
        seat.connection_string, connection_verify=str(authority)
    )
    identity = client.create_user()
    with pytest.raises(HttpResponseError):
        client.get_token(identity, ["no such scope"])
    row = page.get_by_role("row", name="02 Create identities")
    expect(row).to_contain_text(f"1 of {SEATS}")
    stuck = page.get_by_role("list", name="Stuck")
    expect(stuck).to_contain_text("Seat 07")
    expect(stuck).to_contain_text("400 ValidationError")
    expect(page.get_by_role("status")).to_have_text("! 1 seat is stuck.")
    SCREENSHOTS.mkdir(parents=True, exist_ok=True)
    theme = page.evaluate("matchMedia('(prefers-color-scheme: dark)').matches ? 'dark' : 'light'")
    page.screenshot(path=SCREENSHOTS / f"room-board-{theme}.png")
    assert violations(page, "body") == []
    assert broken_places(page.locator("header, table, #stuck, .legend")) == []
    # Whoever has no mouse can scroll what is too long.
    page.keyboard.press("Tab")
    expect(stuck).to_be_focused()

    client.get_token(identity, ["chat"])
    expect(page.get_by_role("status")).to_contain_text("Nobody is stuck.")

    room.close()
    expect(page.get_by_role("alert")).to_contain_text("The room is closed")
    assert {url for url in asked if not url.startswith((room.board, "data:"))} == set()
    assert [text for text in complaints if "ERR_CONNECTION_REFUSED" not in text] == []


def test_every_card_holds_what_is_on_it(room: Room, page: Page) -> None:
    # The longest address that there is.
    cards = [
        (
            replace(
                seat,
                connection_string=seat.connection_string.replace(
                    "//localhost:", "//255.255.255.255:"
                ),
            ),
            replace(room.ticket(seat), address="255.255.255.255:65535"),
        )
        for seat in list(room.seats)[:PAGE]
    ]
    file = room.folder / "long.html"
    file.write_text(sheet(cards), encoding="utf-8")
    page.goto(file.as_uri())

    assert page.locator(".card").count() == PAGE
    for medium, width in (("screen", 1280), ("print", A4_WITHOUT_MARGINS)):
        page.emulate_media(media=medium)
        page.set_viewport_size({"width": width, "height": 1200})
        page.screenshot(path=SCREENSHOTS / f"room-cards-{medium}.png")
        assert page.evaluate(_CUT_OFF) == []
    page.emulate_media(media="screen")
    assert violations(page, "body") == []
