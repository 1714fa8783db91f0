"""One tick, one write: shared frames, order with answers, slow members."""

import asyncio
from collections.abc import Callable

import pytest

from hubbub.core.bus import Bus
from hubbub.core.journal import Journal
from hubbub.core.ports import Transaction
from hubbub.core.values import Event
from hubbub.dialects.base import OutboxRules
from hubbub.storage.sqlite import SqliteStore
from hubbub.transport import tick as tick_module
from hubbub.transport.outbox import NumberedWsOutbox, WsOutbox
from hubbub.transport.tick import Tick
from tests.unit.transport.wire import Line, ticks


@pytest.fixture
async def tick() -> Tick:
    """Give the tick of this test's loop."""
    return Tick(asyncio.get_running_loop())


@pytest.fixture
def bus(store: SqliteStore, tick: Tick) -> Bus:
    """Give a bus that fans out by the tick."""
    return Bus(store, tick.tell)


def encode(event: Event) -> bytes:
    """Encode an event as its data."""
    return b'{"n":%b}' % bytes(event.data)


def join(bus: Bus, line: Line, topic: str = "t", vital: object = None) -> None:
    """Let a line hear a topic."""
    bus.join(
        line.outbox,
        key=topic,
        patterns=[topic],
        encode=encode,
        vital=None if vital is None else lambda _: True,
    )


async def publish(journal: Journal, *numbers: int, topic: str = "t") -> None:
    """Publish numbers in one unit, so that they are told in one tick."""

    def unit(tx: Transaction) -> None:
        for number in numbers:
            tx.append(topic, "message", number, actor="a")

    await journal.commit(unit)
    await ticks()


def numbers(line: Line) -> list[int]:
    """Give the numbers that were written to a line."""
    return [int(part.partition(b"}")[0]) for part in line.wire.text.split(b'"n":')[1:]]


async def test_events_of_a_tick_are_one_write_for_each_member(
    bus: Bus, journal: Journal, tick: Tick
) -> None:
    """Sixteen events told together leave in one write per connection."""
    lines = [Line(tick) for _ in range(3)]
    for line in lines:
        join(bus, line)

    await publish(journal, *range(16))

    for line in lines:
        assert len(line.wire.writes) == 1
        assert numbers(line) == list(range(16))


async def test_each_member_of_a_numbered_audience_has_its_own_numbers(
    bus: Bus, journal: Journal, tick: Tick
) -> None:
    """Who joined later counts from 1 all the same."""
    first, second = (Line(tick, kind=NumberedWsOutbox) for _ in range(2))
    join(bus, first)
    await publish(journal, 10)
    join(bus, second)
    await publish(journal, 11, 12)

    assert first.wire.text.count(b'"seq":') == 3
    assert b'{"seq":3,"n":12}' in first.wire.text
    assert b'{"seq":2,"n":12}' in second.wire.text


async def test_members_at_one_number_share_what_is_written(
    bus: Bus, journal: Journal, tick: Tick
) -> None:
    """Who came together gets the very same bytes; who came later gets others; all count on."""
    one, two, late = (Line(tick, kind=NumberedWsOutbox) for _ in range(3))
    join(bus, one)
    join(bus, two)
    await publish(journal, 10, 11)
    join(bus, late)
    await publish(journal, 12, 13)
    await publish(journal, 14)

    assert [id(data) for data in one.wire.writes] == [id(data) for data in two.wire.writes]
    assert one.wire.text.endswith(b'{"seq":5,"n":14}')
    assert [part[:1] for part in late.wire.text.split(b'"seq":')[1:]] == [b"1", b"2", b"3"]
    assert numbers(late) == [12, 13, 14]


async def test_answer_follows_the_events_that_were_told_before_it(
    bus: Bus, journal: Journal, tick: Tick
) -> None:
    """An answer stands exactly between the events told before and after it."""
    line, other = Line(tick), Line(tick)
    join(bus, line)
    join(bus, other)

    def answer(name: bytes, to: Line) -> Callable[[object], None]:
        return lambda _: to.outbox.send(name)

    def unit(number: int) -> Callable[[Transaction], Event]:
        return lambda tx: tx.append("t", "message", number, actor="a")

    journal.submit(unit(1), answer(b"one", line))
    journal.submit(unit(2), answer(b"two", Line(tick)))
    journal.submit(unit(3), answer(b"three", line))
    await journal.settled()
    await ticks()

    assert line.wire.text == (
        b'\x81\x07{"n":1}\x81\x03one\x81\x07{"n":2}\x81\x07{"n":3}\x81\x05three'
    )
    assert numbers(other) == [1, 2, 3]


async def test_answer_to_a_connection_outside_the_audience_is_written(
    bus: Bus, journal: Journal, tick: Tick
) -> None:
    """The publisher that does not subscribe gets its answer in the same tick."""
    line, publisher = Line(tick), Line(tick)
    join(bus, line)

    journal.submit(
        lambda tx: tx.append("t", "message", 1, actor="a"), lambda _: publisher.outbox.send(b"ok")
    )
    await journal.settled()
    await ticks()

    assert (numbers(line), publisher.wire.text) == ([1], b"\x81\x02ok")


async def test_events_of_several_audiences_keep_their_order(
    bus: Bus, journal: Journal, tick: Tick
) -> None:
    """A connection in two audiences gets events of both in the journal's order."""
    line = Line(tick)
    join(bus, line, "a")
    join(bus, line, "b")

    def unit(tx: Transaction) -> None:
        for number, topic in enumerate("abba"):
            tx.append(topic, "message", number, actor="a")

    journal.submit(unit, lambda _: line.outbox.send(b"done"))
    await journal.settled()
    await ticks()

    assert numbers(line) == [0, 1, 2, 3]
    assert line.wire.text.endswith(b"\x81\x04done")


async def test_stalled_member_is_held_back_while_others_go_on(
    bus: Bus, journal: Journal, tick: Tick
) -> None:
    """One peer stops reading: the others get everything at once, it gets it when it reads."""
    slow, quick = Line(tick), Line(tick)
    join(bus, slow)
    join(bus, quick)
    await slow.stall()

    await publish(journal, 1, 2)
    assert (numbers(slow), numbers(quick)) == ([], [1, 2])

    await slow.recover()
    assert numbers(slow) == [1, 2]


async def test_member_that_is_too_slow_catches_up_from_the_store(
    bus: Bus, journal: Journal, tick: Tick
) -> None:
    """What its queue did not take is read from the store, without hole or duplicate."""
    slow = Line(tick, OutboxRules(max_messages=2))
    join(bus, slow)
    await slow.stall()
    for number in range(10):
        await publish(journal, number)
    assert bus.lags == 1

    slow.wire.take()
    while len(numbers(slow)) < 10:
        await journal.commit(lambda _: None)

    assert numbers(slow) == list(range(10))


async def test_vital_event_closes_a_member_that_cannot_take_it(
    bus: Bus, journal: Journal, tick: Tick
) -> None:
    """What must not be dropped is not: the connection ends instead."""
    slow = Line(tick, OutboxRules(max_messages=1))
    join(bus, slow, vital=True)
    await slow.stall()

    await publish(journal, 1)
    assert slow.closed is None
    await publish(journal, 2)

    assert slow.closed == (1013, "slow consumer")


async def test_lag_of_healthy_members_is_looked_at_by_bytes(
    bus: Bus, journal: Journal, tick: Tick, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A member whose transport fills up is noticed once enough was written to it."""
    monkeypatch.setattr(tick_module, "CHECK_BYTES", 20)
    line = Line(tick)
    join(bus, line)
    line.wire.block()

    await publish(journal, 1)
    await publish(journal, 2)
    assert line.outbox.ready
    await publish(journal, 3)

    assert not line.outbox.ready
    await line.recover()
    await publish(journal, 4)
    assert numbers(line) == [1, 2, 3, 4]


async def test_member_that_leaves_within_the_tick_gets_no_held_frame(
    bus: Bus, journal: Journal, tick: Tick
) -> None:
    """Leaving counts at once for a member that is not written to directly."""
    line = Line(tick)
    member = bus.join(line.outbox, key="t", patterns=["t"], encode=encode)
    await line.stall()

    journal.submit(lambda tx: tx.append("t", "message", 1, actor="a"), lambda _: member.leave())
    await journal.settled()
    await ticks()
    await line.recover()

    assert numbers(line) == []


@pytest.mark.parametrize("kind", [WsOutbox, NumberedWsOutbox])
async def test_connection_that_has_just_gone_hurts_nobody_else(
    bus: Bus, journal: Journal, tick: Tick, kind: type[WsOutbox | NumberedWsOutbox]
) -> None:
    """A transport that refuses the write is passed over; the others get the event."""
    lines = [Line(tick, kind=kind) for _ in range(3)]
    lines[1].wire.broken = True
    for line in lines:
        join(bus, line)

    await publish(journal, 1)

    assert [numbers(line) for line in lines] == [[1], [], [1]]


async def test_ended_connection_is_not_written_to_by_frames_told_before(
    bus: Bus, journal: Journal, tick: Tick
) -> None:
    """What this tick was told before a connection ended does not reach its transport."""
    gone, other = Line(tick), Line(tick)
    join(bus, gone)
    join(bus, other)

    def unit(tx: Transaction) -> Event:
        return tx.append("t", "message", 1, actor="a")

    journal.submit(unit, lambda _: gone.outbox.ended())
    await journal.settled()
    await ticks()

    assert (numbers(gone), numbers(other)) == ([], [1])
    assert not tick.busy
