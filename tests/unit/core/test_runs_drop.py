"""Runs: what a disconnect and a restart do to them, and what stays in memory."""

import asyncio
import threading
from pathlib import Path

import msgspec
import pytest

from hubbub.core.bus import Bus
from hubbub.core.journal import Journal
from hubbub.core.ports import Settled
from hubbub.core.runs import open_runs, owners
from hubbub.core.runs.run import OnDisconnect
from hubbub.core.runs.service import Runs
from hubbub.core.runs.trace import Turn
from hubbub.core.values import OPERATOR, uuid7
from hubbub.errors import (
    Conflict,
    Forbidden,
    NotFound,
)
from hubbub.storage.sqlite import SqliteStore
from tests.unit.conftest import CrashPoints, ManualClock
from tests.unit.core.runs_words import ANN, SUCCESS, Gate, Told, new_run


@pytest.fixture
def runs(journal: Journal, store: SqliteStore, bus: Bus, clock: ManualClock) -> Runs:
    """Give the service, with no grace to wait for."""
    return Runs(journal, store, bus, clock, uuid7, grace_ms=0)


@pytest.fixture
def told(bus: Bus) -> Told:
    """Give the events that are told."""
    return Told(bus)


# -- disconnects -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("on_disconnect", "status", "termination"),
    [
        ("incomplete", "incomplete", {"kind": "incomplete"}),
        ("cancel", "cancelled", {"kind": "cancelled", "reason": "disconnect"}),
    ],
)
async def test_dropped_owner_ends_its_open_runs(
    runs: Runs, told: Told, on_disconnect: OnDisconnect, status: str, termination: object
) -> None:
    """Each open run ends as it was started to; ended ones and those of others stay."""
    done = await runs.start(ANN, new_run(on_disconnect=on_disconnect), "c1")
    await runs.complete(ANN, done.run_id, SUCCESS)
    mine = await runs.start(ANN, new_run(on_disconnect=on_disconnect), "c1")
    kept = await runs.start(ANN, new_run(on_disconnect="continue"), "c1")
    other = await runs.start(ANN, new_run(on_disconnect=on_disconnect), "c2")
    assert (runs.owner(done.run_id), runs.owner(mine.run_id)) == (None, "c1")

    runs.dropped("c1")
    await told.ends(2)

    assert told.data()["run_id"] == mine.run_id
    assert (told.data()["status"], told.data()["termination"]) == (status, termination)
    assert told.events[-1].actor == "daemon"
    statuses = [(await runs.find(run.run_id)).status for run in (done, kept, other)]
    assert statuses == ["completed", "in_progress", "in_progress"]


async def test_run_taken_over_during_the_grace_goes_on(
    journal: Journal, store: SqliteStore, bus: Bus, clock: ManualClock, told: Told
) -> None:
    """A new connection that repeats the start under its key becomes the owner."""
    runs = Runs(journal, store, bus, clock, uuid7, grace_ms=3_600_000)
    await runs.start(ANN, new_run(idempotency_key="k"), "c1")
    runs.dropped("c1")
    await runs.start(ANN, new_run(idempotency_key="k"), "c2")
    runs._owners._end_dropped("k", "c1")  # noqa: SLF001 an hour has passed
    await journal.settled()

    assert (runs.owner("k"), told.kinds) == ("c2", ["run.started"])
    runs.dropped("c2")
    runs._owners._end_dropped("k", "c2")  # noqa: SLF001
    await told.ends()
    runs._owners._end_dropped("k", "c2")  # noqa: SLF001 a second time is no news
    assert (runs.owner("k"), told.kinds) == (None, ["run.started", "run.ended"])


async def test_complete_in_flight_wins_over_the_drop(
    runs: Runs, journal: Journal, told: Told
) -> None:
    """A completion that is on its way to the disk when the grace ends is the run's end."""
    run = await runs.start(ANN, new_run(), "c1")
    gate = Gate(journal)
    journal.submit(runs.completing(ANN, run.run_id, SUCCESS), lambda _settled: None)
    runs.dropped("c1")
    await gate.waits(2)
    gate.open()
    await journal.settled()

    assert told.kinds == ["run.started", "run.ended"]
    assert (await runs.find(run.run_id)).status == "completed"


async def test_owner_that_left_before_its_start_was_stored(
    runs: Runs, journal: Journal, told: Told
) -> None:
    """A run whose start commits after its connection ended is ended too."""
    gate = Gate(journal)
    settled: list[Settled] = []
    for _ in range(2):
        runs.submit_start(ANN, new_run(), "c1", settled.append)
    runs.dropped("c1")
    gate.open()
    await told.ends(2)

    assert {told.data(n)["status"] for n in (-1, -2)} == {"incomplete"}
    assert len(settled) == 2


async def test_start_that_fails_leaves_no_owner(runs: Runs, journal: Journal, told: Told) -> None:
    """A start that is refused by the store's rules owns nothing, and its owner may leave."""
    await runs.start(OPERATOR, new_run("bob", idempotency_key="k"))
    with pytest.raises(Forbidden):
        await runs.start(OPERATOR, new_run(idempotency_key="k"), "c1")
    runs.dropped("c1")
    await journal.settled()

    assert told.kinds == ["run.started"]
    assert runs.owner("k") is None


async def test_connection_has_so_many_open_runs(
    runs: Runs, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A connection at the limit starts no more until it has completed one."""
    monkeypatch.setattr(owners, "MAX_OPEN_RUNS", 2)
    first = await runs.start(ANN, new_run(), "c1")
    await runs.start(ANN, new_run(), "c1")
    with pytest.raises(Conflict, match="2 open runs at most"):
        await runs.start(ANN, new_run(), "c1")

    await runs.complete(ANN, first.run_id, SUCCESS)
    await runs.start(ANN, new_run(), "c1")


async def test_cancelled_caller_does_not_undo_its_start(
    runs: Runs, journal: Journal, told: Told
) -> None:
    """A caller that stops waiting has started its run all the same."""
    gate = Gate(journal)
    caller = asyncio.ensure_future(runs.start(ANN, new_run(), "c1"))
    await gate.waits(1)
    caller.cancel()
    gate.open()
    await journal.settled()

    assert told.kinds == ["run.started"]
    assert runs.owner(told.data()["run_id"]) == "c1"


async def test_end_that_cannot_be_written_is_left_to_the_next_start(
    runs: Runs,
    journal: Journal,
    *,
    store: SqliteStore,
    bus: Bus,
    clock: ManualClock,
    told: Told,
) -> None:
    """Where the disk refuses the end of a dropped run, the next daemon writes it."""
    await runs.start(ANN, new_run(), "c1")

    def broken() -> int:
        raise OSError

    failing = Runs(journal, store, bus, broken, uuid7, grace_ms=0)
    failing._clock = clock  # noqa: SLF001 only its end shall fail
    run = await failing.start(ANN, new_run(), "c2")
    failing._clock = broken  # noqa: SLF001
    failing.dropped("c2")
    marker = await runs.start(ANN, new_run(), "c3")
    runs.dropped("c3")
    await told.ends()
    assert told.data()["run_id"] == marker.run_id

    await Runs(journal, store, bus, clock, uuid7).load()
    assert (await runs.find(run.run_id)).status == "incomplete"


# -- restart, memory, reading ----------------------------------------------------------------


async def test_restart_ends_what_only_a_connection_held(
    store_path: Path, clock: ManualClock, crash: CrashPoints
) -> None:
    """After a restart runs are as if every connection had dropped; chat's are left to chat."""

    def open_store() -> tuple[SqliteStore, Journal, Runs, Told]:
        store = SqliteStore(store_path, clock=clock, ids=uuid7, crash=crash)
        bus = Bus(store)
        journal = Journal(store, bus, crash=crash)
        store.start()
        return store, journal, Runs(journal, store, bus, clock, uuid7), Told(bus)

    store, journal, runs, _ = open_store()
    car = await runs.start(ANN, new_run(), "c1")
    goes_on = await runs.start(ANN, new_run(on_disconnect="continue"), "c1")
    cancels = await runs.start(ANN, new_run(on_disconnect="cancel"), "c1")
    chat = msgspec.structs.replace(car, run_id="chat", source="chat")
    await journal.commit(lambda tx: runs.start_in(tx, chat, actor="operator"))
    await asyncio.to_thread(store.close)

    store, journal, runs, told = open_store()
    await runs.load()
    open_ones = [runs.get(run.run_id) for run in (goes_on, chat)]
    assert open_ones == [goes_on, chat]
    assert (await runs.find(car.run_id)).status == "incomplete"
    assert (await runs.find(cancels.run_id)).status == "cancelled"
    assert told.kinds == ["run.ended", "run.ended"]
    await runs.load()
    assert len(told.events) == 2
    await asyncio.to_thread(store.close)


async def test_ended_runs_leave_memory_and_are_found_in_the_store(
    runs: Runs, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Only the newest ended runs stay in memory; all can be found."""
    monkeypatch.setattr(open_runs, "KEPT_ENDED", 1)
    ended = []
    for _ in range(2):
        run = await runs.start(ANN, new_run())
        ended.append(await runs.complete(ANN, run.run_id, SUCCESS))

    assert runs.get(ended[0].run_id) is None
    assert runs.get(ended[1].run_id) == ended[1]
    assert await runs.find(ended[0].run_id) == ended[0]


async def test_unknown_run_is_not_found(runs: Runs) -> None:
    """An id that was never started is an error to whoever looks for it."""
    for look in (runs.find("nope"), runs.snapshot("nope")):
        with pytest.raises(NotFound, match="run nope"):
            await look


async def test_snapshot_is_never_ahead_of_what_was_told(
    runs: Runs, journal: Journal, bus: Bus, crash: CrashPoints, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A snapshot of a commit that the loop has not heard of waits until it has."""
    run = await runs.start(ANN, new_run())
    committed, told = threading.Event(), threading.Event()

    def hold(point: str) -> None:
        if point == "after_commit":
            committed.set()
            told.wait(10)

    monkeypatch.setattr(journal._store, "_crash", hold)  # noqa: SLF001 the point between both
    journal.submit(runs.recording(ANN, run.run_id, [Turn()]), lambda _settled: None)
    await asyncio.to_thread(committed.wait, 10)
    asking = asyncio.ensure_future(runs.snapshot(run.run_id))
    while journal.waiting < 2:  # noqa: ASYNC110 the journal tells nobody
        await asyncio.sleep(0)
    assert (bus.told, asking.done()) == (1, False)
    told.set()

    snapshot = await asking
    assert (snapshot.seq, bus.told, snapshot.run.turn_count) == (2, 2, 1)
