"""Runs: who takes them over when their connection is gone, and how long they wait for that."""

import asyncio
from pathlib import Path
from typing import Any

import pytest

from hubbub.core.bus import Bus
from hubbub.core.journal import Journal
from hubbub.core.runs.run import MAX_GRACE_MS, OnDisconnect, RunEnded
from hubbub.core.runs.service import Runs
from hubbub.core.values import OPERATOR, uuid7
from hubbub.errors import Conflict, Forbidden, InvalidRequest, NotFound
from hubbub.storage.sqlite import SqliteStore
from tests.unit.conftest import CrashPoints, ManualClock
from tests.unit.core.runs_words import ANN, BOB, SUCCESS, Gate, Told, chat_run, new_run


HOUR_MS = 3_600_000


@pytest.fixture
def runs(journal: Journal, store: SqliteStore, bus: Bus, clock: ManualClock) -> Runs:
    """Give the service, with no grace to wait for."""
    return Runs(journal, store, bus, clock, uuid7, grace_ms=0)


@pytest.fixture
def told(bus: Bus) -> Told:
    """Give the events that are told."""
    return Told(bus)


@pytest.mark.parametrize("on_disconnect", ["incomplete", "cancel"])
async def test_returning_agent_takes_its_runs_over(
    runs: Runs, journal: Journal, told: Told, on_disconnect: OnDisconnect
) -> None:
    """Within the grace its next connection holds the run, and that one's end ends it."""
    policy: dict[str, Any] = {"on_disconnect": on_disconnect, "grace_ms": HOUR_MS}
    mine = await runs.start(ANN, new_run(**policy), "c1")
    live = await runs.start(ANN, new_run(**policy), "other")
    await runs.start(ANN, new_run(on_disconnect="continue"), "c1")
    bobs = await runs.start(BOB, new_run("bob", **policy), "c3")
    for owner in ("c1", "c3"):
        runs.dropped(owner)
    assert runs.returned("ann", "c2") == (mine.run_id,)
    assert runs.returned("ann", "c4") == ()
    assert [runs.owner(run.run_id) for run in (mine, live, bobs)] == ["c2", "other", "c3"]
    runs._owners._end_dropped(mine.run_id, "c1")  # noqa: SLF001 the grace of the first is over
    await journal.settled()
    assert "run.ended" not in told.kinds

    runs.dropped("c2")
    runs._owners._end_dropped(mine.run_id, "c2")  # noqa: SLF001 an hour has passed
    await told.ends()
    assert runs.returned("ann", "c5") == ()
    with pytest.raises(RunEnded):
        await runs.resume(ANN, mine.run_id, "c5")


async def test_run_that_goes_on_is_nobodys(runs: Runs, told: Told) -> None:
    """After any time its agent ends it from whatever connection it has."""
    run = await runs.start(ANN, new_run(on_disconnect="continue"), "c1")
    runs.dropped("c1")
    assert (runs.owner(run.run_id), runs.returned("ann", "c2")) == (None, ())
    assert (await runs.resume(ANN, run.run_id, "c2")).run_id == run.run_id
    assert runs.owner(run.run_id) == "c2"
    await runs.complete(ANN, run.run_id, SUCCESS)
    assert told.data()["status"] == "completed"


async def test_resume_takes_a_run_from_anybody(runs: Runs, journal: Journal) -> None:
    """Who may act on the run may take it over, whoever held it; to others it is refused."""
    run = await runs.start(OPERATOR, new_run(grace_ms=HOUR_MS), "c1")
    assert await runs.resume(OPERATOR, run.run_id, "c2") == run
    assert runs.owner(run.run_id) == "c2"
    with pytest.raises(Forbidden):
        await runs.resume(BOB, run.run_id, "c3")
    with pytest.raises(NotFound):
        await runs.resume(ANN, "nope", "c3")
    turn = chat_run()
    await journal.commit(lambda tx: runs.start_in(tx, turn, actor="operator"))
    with pytest.raises(Conflict, match="chat turn"):
        await runs.resume(ANN, turn.run_id, "c3")
    assert runs.owner(run.run_id) == "c2"


async def test_run_does_not_end_while_it_is_being_taken_over(
    runs: Runs, journal: Journal, told: Told
) -> None:
    """A grace that is over while a claim is on its way to the disk begins again."""
    run = await runs.start(ANN, new_run(), "c1")
    gate = Gate(journal)
    claim = asyncio.ensure_future(runs.resume(ANN, run.run_id, "c2"))
    await gate.waits(1)
    runs._owners._end_dropped(run.run_id, "c1")  # noqa: SLF001 the grace is over
    gate.open()
    assert (await claim).run_id == run.run_id
    await journal.settled()
    assert (runs.owner(run.run_id), told.kinds) == ("c2", ["run.started"])


async def test_owner_that_left_before_it_was_answered(
    runs: Runs, journal: Journal, told: Told
) -> None:
    """A claim of a connection that is gone by then ends as any drop does."""
    run = await runs.start(ANN, new_run(), "c1")
    gate = Gate(journal)
    claim = asyncio.ensure_future(runs.resume(ANN, run.run_id, "c2"))
    await gate.waits(1)
    runs.dropped("c2")
    gate.open()
    await claim
    await told.ends()
    assert told.data()["status"] == "incomplete"


@pytest.mark.parametrize("grace_ms", [-1, MAX_GRACE_MS + 1])
async def test_grace_has_bounds(runs: Runs, grace_ms: int) -> None:
    """A grace below zero or over a day is refused."""
    with pytest.raises(InvalidRequest, match="grace_ms must be from 0"):
        await runs.start(ANN, new_run(grace_ms=grace_ms), "c1")


async def test_restart_waits_for_the_agents_of_runs_with_a_grace(
    store_path: Path, clock: ManualClock, crash: CrashPoints
) -> None:
    """Such runs stay open for their grace; the others end with the daemon."""

    def daemon() -> tuple[SqliteStore, Runs, Told]:
        store = SqliteStore(store_path, clock=clock, ids=uuid7, crash=crash)
        bus = Bus(store)
        journal = Journal(store, bus, crash=crash)
        store.start()
        return store, Runs(journal, store, bus, clock, uuid7), Told(bus)

    store, runs, _ = daemon()
    taken = await runs.start(ANN, new_run(grace_ms=HOUR_MS), "c1")
    late = await runs.start(ANN, new_run(grace_ms=1, on_disconnect="cancel"), "c1")
    bobs = await runs.start(BOB, new_run("bob", grace_ms=HOUR_MS), "c2")
    for_nothing = await runs.start(ANN, new_run(grace_ms=0), "c1")
    await asyncio.to_thread(store.close)

    store, runs, told = daemon()
    await runs.load()
    assert told.data()["run_id"] == for_nothing.run_id
    runs.open()
    await told.ends(2)
    assert (told.data()["run_id"], told.data()["status"]) == (late.run_id, "cancelled")
    assert runs.returned("ann", "c3") == (taken.run_id,)
    assert runs.get(taken.run_id) == taken
    assert runs.returned("bob", "c4") == (bobs.run_id,)
    await asyncio.to_thread(store.close)
