"""Copies of a store: of one moment, whole, and a journal of their own."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from hubbub.core.journal import Journal
from hubbub.core.ports import Transaction
from hubbub.core.values import Position, uuid7
from hubbub.errors import StartError
from hubbub.storage.copies import FENCE_STEP, BadStore, SqliteCopies
from hubbub.storage.sqlite import SqliteStore
from tests.unit.conftest import CrashPoints, ManualClock


@pytest.fixture
def copies() -> SqliteCopies:
    """Give what is tested."""
    return SqliteCopies()


def append(tx: Transaction) -> None:
    """Record an event of some size."""
    tx.append("t", "message", "x" * 5000, actor="a")


def ignore(_done: int, _of: int) -> None:
    """Show no progress."""


async def test_copy_holds_one_moment_of_a_store_that_is_written_to(
    copies: SqliteCopies, journal: Journal, store: SqliteStore, store_path: Path, tmp_path: Path
) -> None:
    """Writes between two steps neither get in nor make it begin anew."""
    for _ in range(2000):
        journal.submit(append, lambda _settled: None)
    await journal.settled()
    steps: list[int] = []

    def write(done: int, _of: int) -> None:
        steps.append(done)
        with closing(sqlite3.connect(store_path)) as other, other:
            other.execute("INSERT INTO meta VALUES (?, 'x')", (f"step {done}",))

    made = copies.copy(store_path, tmp_path / "copy.db", write)

    assert made.position == Position(store.epoch, 2000)
    assert len(steps) > 1
    assert steps == sorted(set(steps))
    assert copies.examine(tmp_path / "copy.db") == made
    with closing(sqlite3.connect(tmp_path / "copy.db")) as copy:
        assert copy.execute("SELECT count(*) FROM meta WHERE value = 'x'").fetchone() == (0,)
    assert not (tmp_path / "copy.db-wal").exists()


async def test_copy_begins_an_epoch_of_its_own(
    copies: SqliteCopies, journal: Journal, store: SqliteStore, store_path: Path, tmp_path: Path
) -> None:
    """It knows how far it shares the journal it comes from, and the one that comes from that."""
    await journal.commit(append)
    first, second = tmp_path / "first.db", tmp_path / "second.db"
    copies.copy(store_path, first, ignore)
    begun = copies.begin_epoch(first)
    copies.copy(first, second, ignore)
    again = copies.begin_epoch(second)

    assert len({store.epoch, begun.epoch, again.epoch}) == 3
    opened = SqliteStore(second, clock=ManualClock(), ids=uuid7, crash=CrashPoints())
    try:
        assert opened.epoch == again.epoch
        assert opened.earlier == {store.epoch: 1, begun.epoch: 1}
    finally:
        opened.close()
    with closing(sqlite3.connect(second)) as db:
        (floor,) = db.execute("SELECT value FROM meta WHERE name = 'fence_floor'").fetchone()
        assert int(floor) == 2 * FENCE_STEP
        assert db.execute("SELECT seq FROM sqlite_sequence WHERE name = 'reservations'").fetchone()[
            0
        ] == (2 * FENCE_STEP)


def test_what_is_no_store_is_refused(copies: SqliteCopies, tmp_path: Path) -> None:
    """Another file, another program's database, and nothing at all."""
    (tmp_path / "text").write_text("hello, this is no database at all " * 100)
    with closing(sqlite3.connect(tmp_path / "foreign")) as db:
        db.executescript("CREATE TABLE t (x); CREATE TABLE meta (name, value);")
        db.executescript("CREATE TABLE journal (seq); CREATE TABLE trimmed (seq);")

    for name in ("text", "foreign", "missing"):
        with pytest.raises(BadStore, match="cannot be used as a store"):
            copies.examine(tmp_path / name)


async def test_damaged_store_is_refused(
    copies: SqliteCopies, journal: Journal, store: SqliteStore, store_path: Path, tmp_path: Path
) -> None:
    """An index that lacks an entry is found; SQLite would read such a file without a word."""
    await journal.commit(append)
    copy = tmp_path / "copy.db"
    copies.copy(store_path, copy, ignore)
    with closing(sqlite3.connect(copy)) as db, db:
        db.execute("PRAGMA writable_schema = ON")
        db.execute("UPDATE sqlite_master SET sql = replace(sql, 'topic, seq', 'kind, seq')")

    with pytest.raises(BadStore, match=r"is damaged: .*journal_topic"):
        copies.examine(copy)


async def test_newer_store_is_refused(
    copies: SqliteCopies, journal: Journal, store_path: Path, tmp_path: Path
) -> None:
    """By its schema's version, before anything is copied or changed."""
    await journal.commit(append)
    with closing(sqlite3.connect(store_path)) as db:
        db.execute("PRAGMA user_version = 99")

    for work in (copies.examine, copies.look, copies.begin_epoch):
        with pytest.raises(StartError, match="schema version 99"):
            work(store_path)
    with pytest.raises(StartError, match="schema version 99"):
        copies.copy(store_path, tmp_path / "copy.db", ignore)
