"""The store's promises: atomic, ordered, durable, and honest when the disk is not there."""

import asyncio
import sqlite3
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs

from hubbub.core.bus import Bus
from hubbub.core.journal import Journal
from hubbub.core.limits import StoreLimits
from hubbub.core.ports import Transaction, Unit
from hubbub.core.values import Event, uuid7
from hubbub.errors import InternalError, InvalidRequest, StartError, StoreUnavailable
from hubbub.storage.sqlite import SqliteStore
from tests.unit.conftest import CrashPoints, ManualClock


def append(tx: Transaction) -> Event:
    """Record one event."""
    return tx.append("t", "message", {"n": 1}, actor="a")


def append_to(topic: str) -> Unit[Event]:
    """Make a unit that records one event."""
    return lambda tx: tx.append(topic, "k", 1, actor="a")


def remember(name: str, value: str) -> Unit[None]:
    """Make a unit that sets a value and records an event."""

    def unit(tx: Transaction) -> None:
        tx.execute("meta_set", name=name, value=value)
        append(tx)

    return unit


def open_store(path: Path | None, clock: ManualClock) -> SqliteStore:
    """Open a store and start its writer."""
    store = SqliteStore(path, clock=clock, ids=uuid7, crash=CrashPoints())
    store.start()
    return store


@pytest.fixture
async def memory(clock: ManualClock) -> AsyncIterator[SqliteStore]:
    """Give a store in memory."""
    store = open_store(None, clock)
    yield store
    store.close()


async def test_committed_events_are_there_after_a_restart(
    journal: Journal, store: SqliteStore, store_path: Path, clock: ManualClock
) -> None:
    """A second opening finds the same events, the same epoch and goes on counting."""
    first = await journal.commit(append)
    store.close()

    again = open_store(store_path, clock)
    try:
        assert again.epoch == store.epoch
        assert await again.events(["t"], after=0, upto=9, limit=9) == [first]
        assert (await Journal(again, Bus(again), crash=CrashPoints()).commit(append)).seq == 2
    finally:
        again.close()


async def test_state_and_event_of_a_unit_stand_or_fall_together(
    journal: Journal, store: SqliteStore
) -> None:
    """A unit that raises after it wrote leaves neither state nor event."""

    def fail(tx: Transaction) -> None:
        tx.execute("meta_set", name="x", value="1")
        append(tx)
        raise ValueError("late")

    results = await asyncio.gather(
        journal.commit(remember("y", "2")),
        journal.commit(fail),
        journal.commit(remember("z", "3")),
        return_exceptions=True,
    )

    assert isinstance(results[1], InternalError)
    assert "ValueError: late" in str(results[1])
    assert await store.rows("meta_get", name="x") == []
    assert await store.rows("meta_get", name="y") == [("2",)]
    assert await store.rows("meta_get", name="z") == [("3",)]
    events = await store.events(["*"], after=0, upto=9, limit=9)
    assert [event.seq for event in events] == [1, 2]


async def test_unit_that_began_the_transaction_is_undone_alone(
    journal: Journal, store: SqliteStore
) -> None:
    """A failed unit takes nothing along, wherever in the batch it stands."""

    def fail(tx: Transaction) -> None:
        tx.execute("meta_set", name="x", value="1")
        raise ValueError("late")

    results = await asyncio.gather(
        journal.commit(append),
        journal.commit(fail),
        journal.commit(remember("y", "2")),
        journal.commit(fail),
        journal.commit(remember("z", "3")),
        return_exceptions=True,
    )

    assert [isinstance(result, InternalError) for result in results] == [
        False, True, False, True, False,
    ]  # fmt: skip
    assert await store.rows("meta_get", name="x") == []
    assert await store.rows("meta_get", name="y") == [("2",)]
    assert await store.rows("meta_get", name="z") == [("3",)]
    events = await store.events(["*"], after=0, upto=9, limit=9)
    assert [event.seq for event in events] == [1, 2, 3]


async def test_unit_sees_what_units_before_it_did(journal: Journal) -> None:
    """Units of one batch read each other's state; rows and row agree."""

    def read(tx: Transaction) -> object:
        return tx.row("meta_get", name="a"), tx.rows("meta_get", name="a")

    _, seen, nothing = await asyncio.gather(
        journal.commit(remember("a", "1")),
        journal.commit(read),
        journal.commit(lambda tx: tx.row("meta_get", name="b")),
    )

    assert seen == (("1",), [("1",)])
    assert nothing is None


async def test_waiting_units_share_a_commit(journal: Journal, store: SqliteStore) -> None:
    """Units that queue up are committed together."""
    await asyncio.gather(*(journal.commit(append) for _ in range(500)))

    assert store.units == 500
    assert store.commits < 500


async def test_batch_takes_no_more_units_than_its_limit(
    store_path: Path, clock: ManualClock, crash: CrashPoints
) -> None:
    """With batches of one unit, each unit is a commit of its own."""
    limits = StoreLimits(batch_units=1)
    store = SqliteStore(store_path, clock=clock, ids=uuid7, crash=crash, limits=limits)
    journal = Journal(store, Bus(store), crash=crash)
    store.start()
    await asyncio.gather(*(journal.commit(append) for _ in range(10)))

    assert store.commits == 10
    store.close()


async def test_violated_constraint_is_the_units_own_failure(
    journal: Journal, store: SqliteStore
) -> None:
    """A broken constraint fails its unit as our fault; the batch goes on."""

    def twice(tx: Transaction) -> None:
        for _ in range(2):
            tx.execute("token_put", digest="d", agent="a", scopes="", created_at=1)

    with pytest.raises(InternalError, match="IntegrityError"):
        await journal.commit(twice)

    assert await store.rows("token_all") == []
    assert store.healthy
    assert (await journal.commit(append)).seq == 1


async def outcome(journal: Journal, unit: Unit[Any]) -> object:
    """Run a unit and give its value or its error."""
    try:
        return await journal.commit(unit)
    except StoreUnavailable as error:
        return error


async def test_full_disk_fails_writes_clearly_and_heals_by_itself(
    journal: Journal, store: SqliteStore
) -> None:
    """While the disk is full writes fail and reads go on; then service returns, with no hole."""
    first = await journal.commit(append)
    db = store._db  # noqa: SLF001 a file that may not grow is as good as a full disk
    (pages,) = db.execute("PRAGMA page_count").fetchone()
    db.execute(f"PRAGMA max_page_count = {pages}")

    def large(tx: Transaction) -> Event:
        return tx.append("t", "message", "x" * 1_000_000, actor="a")

    with capture_logs() as logged:
        results = [await outcome(journal, large) for _ in range(3)]
    assert [type(result) for result in results] == [StoreUnavailable] * 3
    assert [(line["event"], line["log_level"]) for line in logged] == [("store_failed", "error")]
    assert "full" in str(results[0])
    assert not store.healthy
    assert await store.events(["t"], after=0, upto=9, limit=9) == [first]

    def look(tx: Transaction) -> object:
        return tx.row("meta_get", name="x")

    def regret(tx: Transaction) -> None:
        tx.execute("meta_set", name="x", value="1")
        message = "never mind"
        raise InvalidRequest(message)

    # What writes nothing in the end succeeds, and says nothing of the disk.
    assert await journal.commit(look) is None
    for units in ([regret], [look, regret], [look, look, regret]):
        done = [journal.commit(unit) for unit in units]
        assert isinstance((await asyncio.gather(*done, return_exceptions=True))[-1], InvalidRequest)
        assert not store.healthy

    db.execute("PRAGMA max_page_count = 1073741823")
    assert (await journal.commit(append)).seq == 2
    assert store.healthy


async def test_disk_that_fails_inside_a_unit_fails_the_whole_batch(
    journal: Journal, store: SqliteStore
) -> None:
    """An operational error undoes the transaction, so nobody in it is told of success."""

    def fail(tx: Transaction) -> None:
        tx.execute("meta_set", name="x", value="1")
        raise sqlite3.OperationalError("disk I/O error")

    results = await asyncio.gather(
        journal.commit(append), journal.commit(fail), return_exceptions=True
    )

    assert isinstance(results[1], StoreUnavailable)
    stored = await store.events(["t"], after=0, upto=9, limit=9)
    told = [result for result in results if isinstance(result, Event)]
    assert stored == told
    assert await store.rows("meta_get", name="x") == []


async def test_reading_a_broken_store_is_a_clear_error(
    store: SqliteStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What the reader's disk says reaches the caller in our words."""
    monkeypatch.setitem(store._queries, "meta_get", "SELECT nothing")  # noqa: SLF001

    with pytest.raises(StoreUnavailable, match="cannot be read"):
        await store.rows("meta_get", name="x")


async def test_a_number_beyond_64_bits_is_the_callers_mistake(
    store: SqliteStore, memory: SqliteStore
) -> None:
    """In a read and in a write: a clear refusal, and the store is as well as before."""

    def unit(tx: Transaction) -> None:
        tx.row("reservation_get", id=1 << 63)

    for each in (store, memory):
        journal = Journal(each, Bus(each), crash=CrashPoints())
        with pytest.raises(InvalidRequest, match="64 bits"):
            await journal.commit(unit)
        with pytest.raises(InvalidRequest, match="64 bits"):
            await each.rows("reservation_get", id=1 << 63)
        assert each.healthy
        await journal.commit(remember("a", "1"))


async def test_store_in_memory_does_the_same(memory: SqliteStore) -> None:
    """Events, state, failures and reads work without a file."""
    journal = Journal(memory, Bus(memory), crash=CrashPoints())
    await journal.commit(remember("a", "1"))

    assert await memory.rows("meta_get", name="a") == [("1",)]
    (event,) = await memory.events(["*"], after=0, upto=9, limit=9)
    assert event.seq == memory.last_seq() == 1
    memory._queries["broken"] = "SELECT nothing"  # noqa: SLF001
    with pytest.raises(StoreUnavailable):
        await memory.rows("broken")


async def test_cancelled_read_of_a_store_in_memory_is_forgotten(memory: SqliteStore) -> None:
    """Who stops waiting for a read disturbs nobody."""
    journal = Journal(memory, Bus(memory), crash=CrashPoints())
    reading = asyncio.create_task(memory.rows("token_all"))
    await asyncio.sleep(0)
    reading.cancel()

    assert (await journal.commit(append)).seq == 1
    assert reading.cancelled()


@pytest.mark.parametrize(
    ("patterns", "found"),
    [
        (["a"], [1, 4]),
        (["a", "b/x"], [1, 2, 4]),
        (["b/*"], [2, 3]),
        (["a", "b/*"], [1, 2, 3, 4]),
        (["*"], [1, 2, 3, 4, 5]),
        (["a", "*"], [1, 2, 3, 4, 5]),
        (["b"], []),
        ([], []),
    ],
)
async def test_events_are_found_by_patterns(
    journal: Journal, store: SqliteStore, patterns: list[str], found: list[int]
) -> None:
    """Names, prefixes and stars find what they should, oldest first."""
    for topic in ("a", "b/x", "b/y/z", "a", "b0"):
        await journal.commit(append_to(topic))

    events = await store.events(patterns, after=0, upto=9, limit=9)

    assert [event.seq for event in events] == found


async def test_pages_are_cut_by_after_upto_and_limit(journal: Journal, store: SqliteStore) -> None:
    """After is exclusive, upto inclusive, and limit cuts the newest."""
    for _ in range(9):
        await journal.commit(append)

    events = await store.events(["t"], after=2, upto=8, limit=3)

    assert [event.seq for event in events] == [3, 4, 5]


def test_store_of_a_newer_program_is_left_untouched(store_path: Path, clock: ManualClock) -> None:
    """A schema from the future is refused with a sentence; the file stays as it was."""
    SqliteStore(store_path, clock=clock, ids=uuid7, crash=CrashPoints()).close()
    with sqlite3.connect(store_path) as db:
        db.execute("PRAGMA user_version = 999")
    db.close()
    before = store_path.read_bytes()

    with pytest.raises(StartError, match="schema version 999"):
        SqliteStore(store_path, clock=clock, ids=uuid7, crash=CrashPoints())

    assert store_path.read_bytes() == before


def test_units_submitted_without_a_loop_are_committed(
    opened_store: SqliteStore, store_path: Path
) -> None:
    """Closing commits what was queued, also when nobody is left to be told."""
    opened_store._thread.start()  # noqa: SLF001 the writer without a loop
    opened_store.submit(append, lambda _: None)
    opened_store.close()

    with sqlite3.connect(store_path) as db:
        (count,) = db.execute("SELECT count(*) FROM journal").fetchone()
    db.close()
    assert count == 1


def test_stop_in_a_batch_that_fails_still_stops(
    opened_store: SqliteStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A disk that refuses the last commit does not keep the daemon from stopping."""

    def refuse() -> None:
        raise sqlite3.OperationalError("disk full")

    monkeypatch.setattr(opened_store._transaction, "commit", refuse)  # noqa: SLF001
    opened_store.submit(append, lambda _: None)
    opened_store._units.put(None)  # noqa: SLF001 as close does, before the writer has begun
    opened_store._thread.start()  # noqa: SLF001

    opened_store._thread.join(timeout=10)  # noqa: SLF001

    assert not opened_store._thread.is_alive()  # noqa: SLF001


async def test_unexpected_failure_of_a_commit_does_not_end_the_writer(
    journal: Journal, store: SqliteStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever a commit raises fails its batch; the next one is served."""
    with monkeypatch.context() as broken:
        broken.setattr(store._transaction, "commit", lambda: 1 / 0)  # noqa: SLF001
        with pytest.raises(StoreUnavailable, match="division by zero"):
            await journal.commit(append)

    assert (await journal.commit(append)).seq == 1
