"""The room as its presenter holds it: open it, hand out the sheet, look at the board, close it."""

from __future__ import annotations

import os
import shutil
import sys
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType

import trustme

from helpers.errors import TutorialError
from helpers.language import gettext as _
from helpers.room.board import create_board
from helpers.room.door import create_door
from helpers.room.seats import Seat, Seats
from helpers.room.serving import Serving
from helpers.room.sheet import sheet
from helpers.room.ticket import Ticket, fingerprint_of
from helpers.room.watch import Watch
from helpers.sandbox import Sandbox, SandboxError

MOST_SEATS = 500

# Several kernels, several clients in each, and a connection for each of those.
_FILES_PER_SEAT = 8

_LOOPBACK = "127.0.0.1"


class Room:
    """One sandbox with a resource per seat, the door that hands them out, and the board that watches them.

    Everything is kept in *folder*: opened again on the same host and port, the room has the same seats, keys and certificate
    authority, and cards that were printed before still work.
    """

    def __init__(self, folder: Path, *, seats: int, host: str = _LOOPBACK, port: int = 0) -> None:
        """Open a room for *seats* people on *host*: its sandbox on *port*, door and board on the two ports after it.

        Port 0 takes any free ones. Without another host, only this machine reaches the room.

        Raises:
            TutorialError: the folder, the host or a port cannot be used; the text says what to do.
        """
        if host in ("0.0.0.0", "::"):
            raise TutorialError(
                _(
                    "a room needs one address that people can be told, such as 192.168.1.5; {host} stands for all of them."
                ).format(host=host)
            )
        self.folder = folder
        self._open_parts = ExitStack()
        try:
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            self._open(seats, host, port)
        except SandboxError as error:
            self.close()
            raise TutorialError(str(error)) from error
        except OSError as error:
            self.close()
            raise TutorialError(
                _("the room cannot be kept in {folder} ({reason}).").format(
                    folder=folder, reason=error.strerror or error
                )
            ) from error
        except BaseException:
            self.close()
            raise

    def _open(self, seats: int, host: str, port: int) -> None:
        _allow_files(_FILES_PER_SEAT * seats + 256)
        names = [f"{number:02}" for number in range(1, seats + 1)]
        self.watch = Watch(names, self.folder / "steps.log")
        self._open_parts.callback(self.watch.close)
        authority_file = self.folder / "authority.pem"
        self.sandbox = Sandbox(
            self.folder,
            host=host,
            port=port,
            maximum_connections=max(384, _FILES_PER_SEAT * seats),
            certificate_authority_file=authority_file,
            log=self.folder / "sandbox.log",
            on_request=self.watch.note,
        )
        self._open_parts.enter_context(self.sandbox)
        self.seats = Seats(self.sandbox, names)
        kept = authority_file.read_bytes()
        authority = trustme.CA.from_pem(kept, kept)
        name = self.sandbox.endpoint.removeprefix("https://").rpartition(":")[0]
        door = Serving(
            create_door(self.seats, self.sandbox.certificate_authority, self.watch.joined),
            # A sandbox for this machine alone is found at “localhost”, whichever loopback address was named.
            host=_LOOPBACK if name == "localhost" else host,
            port=port and port + 1,
            certificate=authority.issue_cert(name.strip("[]"), "localhost", "127.0.0.1"),
        )
        self._open_parts.callback(door.close)
        board = Serving(create_board(self.watch), host=_LOOPBACK, port=port and port + 2)
        self._open_parts.callback(board.close)
        self.address = f"{name}:{door.port}"
        """Host and port of the door, as tickets name them."""
        self.board = f"http://localhost:{board.port}/"
        """The address of the presenter's board."""
        self.fingerprint = fingerprint_of(self.sandbox.certificate_authority)

    def ticket(self, seat: Seat) -> Ticket:
        """Return what a person needs to take *seat*. It is a secret."""
        return seat.ticket(self.address, self.fingerprint)

    def tickets(self) -> dict[str, str]:
        """Return every seat's ticket as text, by the seat's name."""
        return {seat.name: str(self.ticket(seat)) for seat in self.seats}

    def write_sheet(self) -> Path:
        """Write the sheet of cards for this machine's user alone to read, and return where it is.

        Raises:
            TutorialError: it cannot be written.
        """
        path = self.folder / "sheet.html"
        text = sheet((seat, self.ticket(seat)) for seat in self.seats)
        try:
            path.unlink(missing_ok=True)
            with open(
                os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8"
            ) as file:
                file.write(text)
        except OSError as error:
            raise TutorialError(
                _("the sheet cannot be written to {path} ({reason}).").format(
                    path=path, reason=error.strerror or error
                )
            ) from error
        return path

    def close(self) -> None:
        """Close the room. Closing twice is harmless."""
        self._open_parts.close()

    def __enter__(self) -> Room:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()


def _allow_files(count: int) -> None:
    """Let this process have *count* files open, as far as the system allows: macOS grants 256 unless it is asked."""
    if sys.platform == "win32":
        return
    import resource

    allowed, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    if most != resource.RLIM_INFINITY:
        count = min(count, most)
    if allowed != resource.RLIM_INFINITY and allowed < count:
        resource.setrlimit(resource.RLIMIT_NOFILE, (count, most))


def forget(folder: Path) -> None:
    """Remove the room that is kept in *folder*: its seats, keys, identities and certificate authority.

    Raises:
        TutorialError: it cannot be removed, for example because the room is open.
    """
    try:
        if folder.exists():
            shutil.rmtree(folder)
    except OSError as error:
        raise TutorialError(
            _("the former room in {folder} cannot be removed ({reason}); close it first.").format(
                folder=folder, reason=error.strerror or error
            )
        ) from error
