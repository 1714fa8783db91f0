"""What led to a call is noted in what it records, and in nothing else."""

import asyncio
from collections.abc import Callable

import pytest

from hubbub.core import causes
from hubbub.core.journal import Journal
from hubbub.core.ports import Transaction
from hubbub.core.values import Event
from hubbub.errors import InvalidRequest


def told(topic: str = "t", *, cause: str | None = None) -> Callable[[Transaction], Event]:
    """Make a unit that records one event."""

    def unit(tx: Transaction) -> Event:
        return tx.append(topic, "message", {}, actor="operator", cause=cause)

    return unit


async def test_cause_of_a_call_is_that_of_its_events(journal: Journal) -> None:
    """An event that names a cause keeps its own; what comes after the call has none."""
    with causes.led_by("e-1"):
        first = await journal.commit(told())
        own = await journal.commit(told(cause="e-0"))
    after = await journal.commit(told())

    assert (first.cause, own.cause, after.cause) == ("e-1", "e-0", None)


async def test_topic_stands_for_its_newest_event(journal: Journal) -> None:
    """Also for one that the same unit has recorded, and that is in no table yet."""
    first = await journal.commit(told("runs/1"))
    with causes.led_by("runs/1"):
        second = await journal.commit(lambda tx: (told("issues/1")(tx), told("runs/1")(tx)))
        third = await journal.commit(told("issues/2"))

    assert [event.cause for event in second] == [first.id, first.id]
    assert third.cause == second[1].id

    def both(tx: Transaction) -> tuple[Event, Event]:
        return told("runs/2")(tx), told("issues/3", cause="runs/2")(tx)

    start, effect = await journal.commit(both)
    assert effect.cause == start.id


async def test_topic_without_events_is_refused_whole(journal: Journal) -> None:
    """Nothing is stored of a unit whose cause does not exist."""
    before = journal.position
    with causes.led_by("runs/none"), pytest.raises(InvalidRequest, match="runs/none"):
        await journal.commit(told())

    assert journal.position == before


async def test_what_outlives_the_call_has_not_its_cause(journal: Journal) -> None:
    """A task that a call has begun inherits its context, and forgets it when the call ends."""
    ended = asyncio.Event()

    async def later() -> Event:
        await ended.wait()
        return await journal.commit(told())

    with causes.led_by("e-1"):
        task = asyncio.create_task(later())
        await asyncio.sleep(0)
    ended.set()

    assert (await task).cause is None


@pytest.mark.parametrize("cause", ["", "x" * (causes.MAX_CAUSE_BYTES + 1)])
def test_cause_has_a_size(cause: str) -> None:
    """Neither nothing nor more than a topic's length can be a cause."""
    with pytest.raises(InvalidRequest, match="65535"), causes.led_by(cause):
        pass
