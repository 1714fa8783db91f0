"""What the doctor finds in a store."""

import os
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from hubbub.core.journal import Journal
from hubbub.doctor import Finding
from hubbub.doctor.store import FUTURE_MS, LOG_BYTES, READ_BYTES, look_at_store
from hubbub.storage.sqlite import SqliteStore
from tests.unit.conftest import ManualClock


@pytest.fixture
async def place(journal: Journal, store: SqliteStore, store_path: Path) -> Path:
    """Give the folder of a store with one event, whose daemon has stopped."""
    await journal.commit(lambda tx: tx.append("t", "k", 1, actor="a"))
    store.close()
    return store_path.parent


def newer(path: Path) -> None:
    """Let a later program have written the store."""
    with closing(sqlite3.connect(path)) as db:
        db.execute("PRAGMA user_version = 99")


def garbled(path: Path) -> None:
    """Overwrite the store."""
    path.write_text("no store " * 1000)


def logged(path: Path) -> None:
    """Let the log grow."""
    with path.with_name("hubbub.db-wal").open("wb") as log:
        os.truncate(log.fileno(), LOG_BYTES + 1)


def bad(findings: list[Finding]) -> list[Finding]:
    """Give what is wrong."""
    return [found for found in findings if not found.ok]


async def test_store_as_a_daemon_leaves_it_is_well(place: Path, clock: ManualClock) -> None:
    """Its size and newest event are shown; no store at all is nobody's fault."""
    findings = list(look_at_store(place, clock))

    assert bad(findings) == []
    assert "up to event 1, every page checked" in findings[0].detail
    assert list(look_at_store(place / "empty", clock)) == []


async def test_large_store_is_not_read_whole(place: Path, clock: ManualClock) -> None:
    """The doctor is quick; a backup checks everything."""
    os.truncate(place / "hubbub.db", READ_BYTES + 4096)

    assert "`hubbub backup` checks every page" in next(look_at_store(place, clock)).detail


@pytest.mark.parametrize(
    ("spoil", "wanted"),
    [
        (newer, ("store file", "schema version 99", "start a newer hubbub")),
        (garbled, ("store file", "cannot be used", "hubbub restore BACKUP")),
        (logged, ("write-ahead log", "grown to 256 MiB", "fuser")),
    ],
)
async def test_what_is_wrong_is_found_with_its_next_step(
    place: Path,
    clock: ManualClock,
    spoil: Callable[[Path], None],
    wanted: tuple[str, str, str],
) -> None:
    """One finding, and nothing else is wrong."""
    spoil(place / "hubbub.db")

    (found,) = bad(list(look_at_store(place, clock)))

    what, detail, fix = wanted
    assert found.what == what
    assert detail in found.detail
    assert fix in found.fix


async def test_clock_behind_the_newest_event_is_found(place: Path, clock: ManualClock) -> None:
    """By how much; a little is nothing."""
    clock.advance(-FUTURE_MS)
    assert bad(list(look_at_store(place, clock))) == []

    clock.advance(-3_600_000)

    (found,) = bad(list(look_at_store(place, clock)))
    assert found.what == "clock"
    assert "3660 s behind the newest event" in found.detail
    assert "timedatectl" in found.fix
