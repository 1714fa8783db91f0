"""Store, then tell, then answer."""

import asyncio

import pytest

from hubbub.core.bus import Bus
from hubbub.core.journal import Journal
from hubbub.core.ports import Transaction
from hubbub.core.values import Event
from hubbub.errors import NotFound
from hubbub.storage.sqlite import SqliteStore
from tests.unit.conftest import CrashPoints


def append(tx: Transaction) -> Event:
    """Record one event."""
    return tx.append("t", "message", {"n": 1}, actor="a")


async def test_events_are_told_before_the_answer_and_after_the_commit(
    bus: Bus, journal: Journal, store: SqliteStore, crash: CrashPoints
) -> None:
    """A subscriber hears of an event only when it is committed, the caller even later."""
    seen: list[object] = []

    def hear(event: Event) -> None:
        seen.append((event.seq, store.last_seq(), list(crash.passed)))

    bus.listen(["t"], hear)

    event = await journal.commit(append)
    seen.append("answered")

    assert seen == [(1, 1, ["before_commit", "after_commit"]), "answered"]
    assert (event.seq, crash.passed[-1]) == (1, "before_answer")


async def test_failure_of_a_unit_reaches_its_caller_alone(journal: Journal) -> None:
    """A unit that raises leaves no event and no hole; its neighbours are stored."""

    def fail(tx: Transaction) -> Event:
        append(tx)
        raise NotFound("thing", 1)

    results = await asyncio.gather(
        journal.commit(append), journal.commit(fail), journal.commit(append), return_exceptions=True
    )

    first, second, third = results
    assert isinstance(second, NotFound)
    assert isinstance(first, Event)
    assert isinstance(third, Event)
    assert (first.seq, third.seq, journal.position.seq) == (1, 2, 2)


async def test_cancelled_caller_does_not_undo_its_unit(journal: Journal) -> None:
    """Who stops waiting finds the effect all the same."""
    waiting = asyncio.create_task(journal.commit(append))
    await asyncio.sleep(0)
    waiting.cancel()

    await journal.settled()

    assert journal.position.seq == 1
    assert waiting.cancelled()


async def test_settled_waits_for_everything_that_was_submitted(journal: Journal) -> None:
    """At a stop nothing is left half-done."""
    tasks = [asyncio.create_task(journal.commit(append)) for _ in range(20)]
    await asyncio.sleep(0)
    assert journal.waiting == 20

    await journal.settled()

    assert journal.waiting == 0
    assert [task.result().seq for task in tasks] == list(range(1, 21))


async def test_callback_that_fails_hurts_nobody_else(journal: Journal) -> None:
    """An answer that cannot be given does not stop those behind it."""

    def fail(_settled: object) -> None:
        raise ValueError

    journal.submit(append, fail)

    assert (await journal.commit(append)).seq == 2


@pytest.mark.parametrize("units", [1, 1000])
async def test_commit_order_is_the_order_of_submission(
    bus: Bus, journal: Journal, units: int
) -> None:
    """Events are told in one order, without holes, however they were batched."""
    told: list[int] = []
    bus.listen(["*"], lambda event: told.append(event.seq))

    await asyncio.gather(*(journal.commit(append) for _ in range(units)))

    assert told == list(range(1, units + 1))
