"""The seam between replay and live."""

import asyncio

import pytest

from hubbub.core import bus as bus_module
from hubbub.core.bus import Bus, Resumed
from hubbub.core.journal import Journal
from hubbub.core.ports import Transaction
from hubbub.core.values import Event, Position
from hubbub.storage.sqlite import SqliteStore
from tests.unit.core.numbers import ephemeral, expected, number, publish, resume
from tests.unit.outbox import RecordingOutbox


async def test_resume_replays_the_past_then_continues_live(bus: Bus, journal: Journal) -> None:
    """Events before and after the resume arrive once each, in order."""
    await publish(journal, *range(1, 21))
    outbox = RecordingOutbox()

    resumed = await resume(bus, outbox, 5, epoch=journal.position.epoch)
    await publish(journal, *range(21, 31))

    assert await outbox.holds(25) == expected(*range(6, 31))
    assert (resumed.recovered, resumed.position.seq) == (True, 5)


@pytest.mark.parametrize("page", [1, 7, 512])
async def test_seam_has_no_hole_and_no_duplicate_under_load(
    bus: Bus, journal: Journal, monkeypatch: pytest.MonkeyPatch, page: int
) -> None:
    """While events keep coming, resuming subscribers miss none and get none twice."""
    monkeypatch.setattr(bus_module, "PAGE", page)
    await publish(journal, *range(1, 101))
    outboxes = [RecordingOutbox() for _ in range(8)]

    async def load() -> None:
        for value in range(101, 401):
            await publish(journal, value)

    loading = asyncio.create_task(load())
    for start, outbox in enumerate(outboxes):
        await resume(bus, outbox, start * 10, epoch=journal.position.epoch)
        await asyncio.sleep(0)
    await loading

    for start, outbox in enumerate(outboxes):
        assert await outbox.holds(400 - start * 10) == expected(*range(start * 10 + 1, 401))


async def test_resume_at_the_newest_event_is_live_at_once(bus: Bus, journal: Journal) -> None:
    """Who has everything joins without reading the store."""
    await publish(journal, 1)
    outbox = RecordingOutbox()

    resumed = await resume(bus, outbox, 1, epoch=journal.position.epoch)
    bus.tell(ephemeral(9))

    assert (resumed.recovered, outbox.frames) == (True, expected(9))


async def test_resume_from_nowhere_begins_now(bus: Bus, journal: Journal) -> None:
    """Without a position a subscriber gets what comes, and is told where that begins."""
    await publish(journal, 1)
    outbox = RecordingOutbox()
    announced: list[Resumed] = []
    member = bus.member(outbox, key="k", patterns=["t"], encode=number)

    await bus.resume(member, None, announced.append)
    await publish(journal, 2)

    begin = Position(epoch=journal.position.epoch, seq=1)
    assert announced == [Resumed(recovered=True, position=begin)]
    assert outbox.frames == expected(2)


async def test_resume_in_another_epoch_says_so_and_gives_everything(
    bus: Bus, journal: Journal
) -> None:
    """A position of another journal is not recovered; all of this one follows."""
    await publish(journal, 1, 2)
    outbox = RecordingOutbox()

    resumed = await resume(bus, outbox, 40, epoch="another")

    assert (resumed.recovered, resumed.reason) == (False, "epoch_changed")
    assert await outbox.holds(2) == expected(1, 2)


async def test_resume_ahead_of_the_journal_says_so(bus: Bus, journal: Journal) -> None:
    """A position that this journal never reached is not recovered; live events follow."""
    await publish(journal, 1)
    outbox = RecordingOutbox()

    resumed = await resume(bus, outbox, 99, epoch=journal.position.epoch)
    await publish(journal, 2)

    assert (resumed.recovered, resumed.reason) == (False, "ahead")
    assert await outbox.holds(1) == expected(2)


async def test_resume_from_a_journal_that_this_one_continues(
    bus: Bus, journal: Journal, store: SqliteStore
) -> None:
    """Up to the copy the past is the same; beyond it nothing is, and all since then follows."""
    await publish(journal, 1, 2, 3)
    store.earlier = {"old": 2}
    within, beyond = RecordingOutbox(), RecordingOutbox()

    first = await resume(bus, within, 1, epoch="old")
    second = await resume(bus, beyond, 3, epoch="old")

    assert (first.recovered, first.position) == (True, Position(store.epoch, 1))
    assert await within.holds(2) == expected(2, 3)
    assert (second.recovered, second.reason) == (False, "ahead")
    assert second.position == Position(store.epoch, 2)
    assert await beyond.holds(1) == expected(3)


async def test_resume_past_retention_says_so(bus: Bus, journal: Journal) -> None:
    """Where retention cut the past, the subscriber is told, and gets what is left."""
    await publish(journal, 1, 2, 3)

    def cut(tx: Transaction) -> None:
        tx.execute("retention_cut", seqs="[1,2]")
        tx.execute("trim_note", topic="t", seq=2)

    await journal.commit(cut)
    outbox = RecordingOutbox()

    resumed = await resume(bus, outbox, 1, epoch=journal.position.epoch)

    assert (resumed.recovered, resumed.reason) == (False, "retention")
    assert await outbox.holds(1) == expected(3)


async def test_member_that_left_while_resuming_hears_nothing(bus: Bus, journal: Journal) -> None:
    """A connection that ends while its resume looks at the store is not told anything."""
    await publish(journal, 1)
    outbox = RecordingOutbox()
    announced: list[Resumed] = []
    member = bus.member(outbox, key="k", patterns=["t"], encode=number)
    position = Position(epoch=journal.position.epoch, seq=0)

    resuming = asyncio.create_task(bus.resume(member, position, announced.append))
    await asyncio.sleep(0)
    member.leave()
    await resuming

    assert (announced, outbox.frames) == ([], [])


async def test_slow_member_catches_up_from_the_store(bus: Bus, journal: Journal) -> None:
    """A full outbox loses nothing: its member reads on from the store, then hears live again."""
    outbox = RecordingOutbox(room=3)
    member = bus.join(outbox, key="k", patterns=["t"], encode=number)
    await publish(journal, *range(1, 11))
    assert (outbox.frames, bus.lags) == (expected(1, 2, 3), 1)
    assert bus.needed() == 3

    outbox.make_room(2)
    await outbox.holds(5)
    outbox.make_room(None)
    await outbox.holds(10)
    while member.after is not None:
        await journal.commit(lambda _: None)
    await publish(journal, 11)

    assert await outbox.holds(11) == expected(*range(1, 12))
    assert bus.needed() == 11


async def test_slow_member_keeps_order_when_events_come_during_its_last_page(
    bus: Bus, journal: Journal
) -> None:
    """What is told while the last page is read follows it; what did not fit is read again."""
    await publish(journal, 1, 2, 3)
    outbox = RecordingOutbox(room=4)
    await resume(bus, outbox, 0, epoch=journal.position.epoch)
    await publish(journal, 4, 5, 6)

    await outbox.holds(4)
    outbox.make_room(None)

    assert await outbox.holds(6) == expected(*range(1, 7))


async def test_lost_ephemeral_event_does_not_move_a_member_to_the_store(bus: Bus) -> None:
    """An ephemeral event that does not fit is gone; there is nothing to catch up with."""
    outbox = RecordingOutbox(room=0)
    bus.join(outbox, key="k", patterns=["t"], encode=number)

    bus.tell(ephemeral(1))

    assert (outbox.frames, bus.lags) == ([], 0)


async def test_member_leaving_while_it_catches_up_ends_the_replay(
    bus: Bus, journal: Journal
) -> None:
    """A connection that ends during its replay stops reading and holds nothing back."""
    await publish(journal, 1, 2)
    outbox = RecordingOutbox(room=0)
    member = bus.member(outbox, key="k", patterns=["t"], encode=number)
    await bus.resume(member, Position(epoch=journal.position.epoch, seq=0), lambda _: None)
    task = member.task
    assert task is not None
    await asyncio.sleep(0)

    member.leave()

    with pytest.raises(asyncio.CancelledError):
        await task
    assert bus.needed() == bus.told


async def test_member_leaving_because_of_its_last_replayed_event_hears_no_more(
    bus: Bus, journal: Journal
) -> None:
    """A connection that the last replayed frame closes does not become live."""
    await publish(journal, 1)
    outbox = RecordingOutbox()

    def encode(event: Event) -> bytes:
        member.leave()
        return number(event)

    member = bus.member(outbox, key="k", patterns=["t"], encode=encode)
    await bus.resume(member, Position(epoch=journal.position.epoch, seq=0), lambda _: None)
    await outbox.holds(1)

    await publish(journal, 2)

    assert outbox.frames == expected(1)


async def test_member_that_cannot_be_fed_is_closed(
    bus: Bus, journal: Journal, store: SqliteStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """When the store cannot be read, the connection is closed instead of left with a hole."""
    await publish(journal, 1)
    outbox = RecordingOutbox()

    async def fail(*_: object, **__: object) -> list[Event]:
        raise OSError

    monkeypatch.setattr(store, "events", fail)
    await resume(bus, outbox, 0, epoch=journal.position.epoch)
    await outbox.holds(1)

    assert outbox.closed is not None
    assert outbox.closed[0] == 1011


@pytest.mark.parametrize("behind", [True, False])
async def test_what_no_journal_has_is_given_at_the_seam(
    bus: Bus, journal: Journal, *, behind: bool
) -> None:
    """Who begins to hear live is told what ephemeral events said: after its past, once."""
    await publish(journal, 1, 2)
    outbox = RecordingOutbox()
    member = bus.member(outbox, key="k", patterns=["t"], encode=number)
    after = Position(epoch=journal.position.epoch, seq=0) if behind else None
    await bus.resume(member, after, lambda _resumed: None, late=lambda: [ephemeral(99)])
    told = [*((1, 2) if behind else ()), 99]
    await outbox.holds(len(told))
    await publish(journal, 3)
    assert await outbox.holds(len(told) + 1) == expected(*told, 3)
