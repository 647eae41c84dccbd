"""The state folder and what SQLite can do there, disk, clock, browser."""

from __future__ import annotations

import os
import shutil
import sqlite3
import sys
import tempfile
import time
from contextlib import closing
from pathlib import Path

from helpers.browser import HERE as IN_A_BROWSER
from helpers.browser import forgets
from helpers.doctor.diagnosis import Verdict, ok, problem, warning
from helpers.language import gettext as _

_MEGABYTE = 1024 * 1024
# A day of lessons writes a few megabytes; below the first, journals and notebooks begin to fail.
_NEEDED_MEGABYTES = 50
_COMFORTABLE_MEGABYTES = 500

# What SQLite's write-ahead log must not be on: its shared memory does not reach other machines (SQLite's documentation).
_NETWORK_FILE_SYSTEMS = {
    *("nfs", "nfs4", "cifs", "smb", "smbfs", "smb2", "smb3", "afpfs", "webdav", "davfs", "9p"),
    *("afs", "ceph", "glusterfs", "lustre", "gpfs", "fuse.sshfs", "fuse.glusterfs", "osxfuse"),
}

# Signatures fail when a clock is minutes off; the tolerance of the identity service is not published, a sister service
# allows 15 minutes.
_WORTH_A_LOOK_SECONDS = 60
_TOO_FAR_SECONDS = 5 * 60


def home() -> Path:
    """Return the tutorial's state folder, made if it did not exist.

    Raises:
        TutorialError: it cannot be made.
    """
    from helpers import settings

    # Whatever else is wrong with the settings, this is about the folder.
    return settings.sandbox_home()


def _elsewhere() -> str:
    return _("Name a folder on this machine's own disk with ACS_TUTORIAL_HOME.")


def state_folder() -> Verdict:
    """Whether SQLite can keep the tutorial's state where it is to be kept, for several kernels at once."""
    from helpers.errors import TutorialError

    try:
        folder = home()
    except TutorialError as error:
        return problem(str(error), _elsewhere())
    if IN_A_BROWSER:
        return _browser_storage(folder)
    try:
        with tempfile.TemporaryDirectory(prefix="doctor-", dir=folder) as trial:
            mode = _write_and_read(Path(trial) / "trial.sqlite3")
    except OSError as error:
        return problem(
            _("Nothing can be written to {folder} ({reason}).").format(
                folder=folder, reason=error.strerror or error
            ),
            _("Make it writable, or name another folder with ACS_TUTORIAL_HOME."),
        )
    except sqlite3.Error as error:
        return _sqlite_failed(folder, error)
    if mode != "wal":
        return problem(
            _("{folder} does not support SQLite's write-ahead log.").format(folder=folder),
            _elsewhere(),
        )
    for name in ("sandbox.sqlite3", "journal.sqlite3"):
        if (folder / name).exists():
            try:
                _read_version(folder / name)
            except sqlite3.Error as error:
                return _sqlite_failed(folder / name, error)
    if _is_on_network(folder):
        return warning(
            _("{folder} is on a network drive, where two machines can damage the state.").format(
                folder=folder
            ),
            _elsewhere(),
        )
    return ok(str(folder))


def _browser_storage(folder: Path) -> Verdict:
    """Whether the browser keeps what the lessons write."""
    trial = folder / "doctor.txt"
    try:
        trial.write_text("kept", encoding="utf-8")
        kept = trial.read_text(encoding="utf-8") == "kept"
        trial.unlink()
    except OSError:
        kept = False
    if not kept:
        return problem(
            _("This browser refuses to store what the lessons write."),
            _("Free some space, allow this page to store data, and reload it."),
        )
    if forgets():
        return warning(
            _(
                "This browser keeps nothing for this page: what you do here is gone when you close it."
            ),
            _("Leave private browsing, or allow this page to store data, and reload it."),
        )
    return ok(str(folder))


def _write_and_read(file: Path) -> str:
    """Do what the journal and the sandbox do, with more data than a buffer holds; return the mode that SQLite took."""
    with closing(sqlite3.connect(file, isolation_level=None)) as writer:
        (mode,) = writer.execute("PRAGMA journal_mode = WAL").fetchone()
        writer.execute("CREATE TABLE trial (data BLOB)")
        writer.execute("INSERT INTO trial VALUES (zeroblob(?))", (_MEGABYTE,))
        with closing(sqlite3.connect(file)) as reader:
            reader.execute("SELECT length(data) FROM trial").fetchone()
    return str(mode)


def _read_version(file: Path) -> None:
    with closing(sqlite3.connect(file)) as database:
        database.execute("PRAGMA schema_version").fetchone()


def _sqlite_failed(place: Path, error: sqlite3.Error) -> Verdict:
    text = str(error).lower()
    if "full" in text:
        return problem(
            _("The disk of {place} is full.").format(place=place),
            _("Free some space there, or name another folder with ACS_TUTORIAL_HOME."),
        )
    if "readonly" in text or "unable to open" in text:
        return problem(
            _("{place} cannot be written.").format(place=place),
            _("Make it writable, or name another folder with ACS_TUTORIAL_HOME."),
        )
    if "not a database" in text or "malformed" in text:
        return problem(
            _("{place} is damaged.").format(place=place),
            _("Move it away; the tutorial begins a new one."),
        )
    return problem(
        _("SQLite cannot keep state in {place}: {reason}.").format(place=place, reason=error),
        _elsewhere(),
    )


def _is_on_network(folder: Path) -> bool:
    if str(folder).startswith("\\\\"):
        return True
    import psutil

    mounted = [
        partition
        for partition in psutil.disk_partitions(all=True)
        if folder.resolve().is_relative_to(partition.mountpoint)
    ]
    if not mounted:
        return False
    nearest = max(mounted, key=lambda partition: len(partition.mountpoint))
    return nearest.fstype.lower() in _NETWORK_FILE_SYSTEMS or "remote" in nearest.opts.split(",")


def disk() -> Verdict | None:
    """Whether there is room for a day of lessons. Nothing to say without a folder."""
    from helpers.errors import TutorialError

    try:
        folder = home()
    except TutorialError:
        return None
    free = shutil.disk_usage(folder).free // _MEGABYTE
    text = _("{megabytes} MB free").format(megabytes=f"{free:,}".replace(",", " "))
    advice = _("Free some space, or name a folder on another disk with ACS_TUTORIAL_HOME.")
    if free < _NEEDED_MEGABYTES:
        return problem(text, advice)
    if free < _COMFORTABLE_MEGABYTES:
        return warning(text, advice)
    return ok(text)


def clock() -> Verdict:
    """Whether this computer's clock can be right: against its own files, and in live mode against the resource."""
    from helpers import settings
    from helpers.errors import TutorialError

    advice = _("Set the computer's clock to update by itself.")
    written = max(file.stat().st_mtime for file in Path(__file__).parents[1].glob("*.py"))
    if written > time.time() + _TOO_FAR_SECONDS:
        return problem(_("The clock is behind: the tutorial's files are of the future."), advice)
    try:
        chosen = settings.load()
    except TutorialError:
        chosen = None  # The settings have a line of their own.
    if chosen is None or chosen.mode != "live" or not chosen.host:
        return ok(_("plausible; a sandbox needs no more"))
    try:
        off = _seconds_off(chosen.host)
    except OSError as error:
        return problem(
            _("{host} could not be asked for the time: {reason}.").format(
                host=chosen.host, reason=getattr(error, "reason", None) or error
            ),
            _(
                "Check the network, the endpoint and, in a company, HTTPS_PROXY and REQUESTS_CA_BUNDLE."
            ),
        )
    text = _("{seconds} seconds off the time of {host}").format(
        seconds=round(off), host=chosen.host
    )
    if off > _TOO_FAR_SECONDS:
        return problem(text, advice)
    if off > _WORTH_A_LOOK_SECONDS:
        return warning(text, advice)
    return ok(_("as at {host}").format(host=chosen.host))


def _seconds_off(host: str) -> float:
    """Ask a resource for its time. Any answer has a ``Date``, so the request carries no key and may well be refused."""
    import ssl
    import urllib.error
    import urllib.request
    from email.utils import parsedate_to_datetime

    import certifi

    bundle = next(filter(None, map(os.environ.get, ("REQUESTS_CA_BUNDLE", "SSL_CERT_FILE"))), None)
    context = ssl.create_default_context(cafile=bundle or certifi.where())
    request = urllib.request.Request(f"https://{host}/", method="HEAD")
    try:
        with urllib.request.urlopen(request, timeout=5, context=context) as answer:
            date = answer.headers["Date"]
    except urllib.error.HTTPError as refusal:
        date = refusal.headers["Date"]
        refusal.close()
    if date is None:
        raise OSError(_("its answer bears no date"))
    return abs(time.time() - parsedate_to_datetime(date).timestamp())


def browser() -> Verdict | None:
    """Whether there is a browser to open JupyterLab in. Nothing to say in a notebook, which is in one."""
    if _is_notebook():
        return None
    import webbrowser

    if sys.platform == "linux" and not (
        os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")
    ):
        return warning(
            _("There is no screen here, so no browser will open."),
            _("Open the address that “acs-tutorial --no-browser” prints in a browser elsewhere."),
        )
    try:
        found = webbrowser.get()
    except webbrowser.Error:
        return warning(
            _("No browser was found."),
            _("Install one, or open the address that “acs-tutorial --no-browser” prints yourself."),
        )
    return ok(getattr(found, "name", None) or _("found"))


def _is_notebook() -> bool:
    interactive = sys.modules.get("IPython.core.getipython")
    return interactive is not None and hasattr(interactive.get_ipython(), "kernel")
