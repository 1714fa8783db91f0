"""The store's file: can this program use it, is it whole, does its time agree with the clock."""

import datetime as dt
from collections.abc import Iterator
from pathlib import Path

from hubbub.core.values import Clock
from hubbub.doctor.finding import Finding, bad, good
from hubbub.errors import StartError
from hubbub.storage.copies import BadStore, SqliteCopies, StoreFacts


READ_BYTES = 64 * 1024 * 1024
"""Size up to which every page of a store is checked; larger ones are when they are backed up."""
LOG_BYTES = 256 * 1024 * 1024
"""Size from which a write-ahead log is not a log any more: somebody keeps it from being used up."""
FUTURE_MS = 60_000
"""Milliseconds by which an event may be newer than the clock."""


def look_at_store(folder: Path, clock: Clock) -> Iterator[Finding]:
    """Look at the store of a data directory, if there is one."""
    path = folder / "hubbub.db"
    if not path.exists():
        return
    # Before the file is opened: who closes it last uses the log up.
    yield from _log(path)
    size = path.stat().st_size
    copies = SqliteCopies()
    try:
        facts = (copies.examine if size <= READ_BYTES else copies.look)(path)
    except StartError as error:
        fix = "start a newer hubbub; hubbub restore BACKUP --force brings back an older store"
        yield bad("store file", str(error).partition(";")[0], fix)
        return
    except BadStore as error:
        fix = f"hubbub restore BACKUP --data-dir {folder} --force, with your newest backup"
        yield bad("store file", str(error), fix)
        return
    checked = "every page checked" if size <= READ_BYTES else "`hubbub backup` checks every page"
    detail = f"{size // 1024} KiB, up to event {facts.position.seq}, {checked}"
    yield good("store file", detail)
    yield _time(facts, clock())


def _log(path: Path) -> Iterator[Finding]:
    log = path.with_name(f"{path.name}-wal")
    size = log.stat().st_size if log.exists() else 0
    if size > LOG_BYTES:
        detail = f"{log} has grown to {size // 1024**2} MiB: a program keeps {path.name} open"
        yield bad("write-ahead log", detail, f"end what `fuser {path}` shows, but the daemon")


def _time(facts: StoreFacts, now: int) -> Finding:
    """Leases, retention and the order of times all suffer from a clock that was set back."""
    ahead_ms = facts.newest_at - now
    if ahead_ms > FUTURE_MS:
        newest = dt.datetime.fromtimestamp(facts.newest_at / 1000, dt.UTC).astimezone()
        detail = (
            f"it is {ahead_ms // 1000} s behind the newest event ({newest:%Y-%m-%d %H:%M:%S}): it "
            "was wrong then, or is now"
        )
        fix = "sudo timedatectl set-ntp true, and look at `timedatectl`"
        return bad("clock", detail, fix)
    return good("clock", "not behind the newest event")
