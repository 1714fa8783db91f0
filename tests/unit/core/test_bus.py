"""Fan-out, and the seam between replay and live."""

import asyncio
from collections.abc import Callable

import msgspec
import pytest

from hubbub.core import bus as bus_module
from hubbub.core.bus import Bus, Member, Resumed, give_each
from hubbub.core.journal import Journal
from hubbub.core.ports import Transaction
from hubbub.core.values import Event, Position
from hubbub.storage.sqlite import SqliteStore
from tests.unit.outbox import RecordingOutbox


def number(event: Event) -> bytes:
    """Encode an event as its data, which these tests make a number."""
    return bytes(event.data)


async def publish(journal: Journal, *numbers: int, topic: str = "t") -> None:
    """Publish numbers, each in a unit of its own."""

    def unit(value: int) -> Callable[[Transaction], Event]:
        return lambda tx: tx.append(topic, "message", value, actor="a")

    await asyncio.gather(*(journal.commit(unit(value)) for value in numbers))


def ephemeral(value: int, topic: str = "t") -> Event:
    """Make an event that is in no journal."""
    return Event(0, "id", topic, "tick", "a", 0, msgspec.Raw(b"%d" % value))


def expected(*numbers: int) -> list[bytes]:
    """Give the frames of these numbers."""
    return [b"%d" % value for value in numbers]


async def resume(
    bus: Bus, outbox: RecordingOutbox, seq: int, *, epoch: str, topics: tuple[str, ...] = ("t",)
) -> Resumed:
    """Resume after a position and give what was announced."""
    announced: list[Resumed] = []
    member = bus.member(outbox, key=topics, patterns=topics, encode=number)
    await bus.resume(member, Position(epoch=epoch, seq=seq), announced.append)
    (resumed,) = announced
    return resumed


async def test_live_events_reach_every_member_in_order(bus: Bus, journal: Journal) -> None:
    """Two connections of one audience get the same events, in order, once each."""
    one, two = RecordingOutbox(), RecordingOutbox()
    for outbox in (one, two):
        bus.join(outbox, key="k", patterns=["t"], encode=number)

    await publish(journal, *range(50))

    assert one.frames == two.frames == expected(*range(50))


async def test_audience_encodes_each_event_once(bus: Bus, journal: Journal) -> None:
    """However many connections listen, an event is encoded once."""
    encoded: list[int] = []

    def encode(event: Event) -> bytes:
        encoded.append(event.seq)
        return b"x"

    for _ in range(5):
        bus.join(RecordingOutbox(), key="k", patterns=["t"], encode=encode)
    await publish(journal, 1, 2)

    assert encoded == [1, 2]


@pytest.mark.parametrize(
    ("pattern", "topic", "heard"),
    [
        ("a/b", "a/b", True),
        ("a/b", "a/bc", False),
        ("a/*", "a/b", True),
        ("a/*", "a/b/c", True),
        ("a/*", "a", False),
        ("a/*", "ab", False),
        ("*", "anything", True),
    ],
)
async def test_patterns(
    bus: Bus, journal: Journal, pattern: str, topic: str, *, heard: bool
) -> None:
    """A name hears itself, a prefix what is below it, a star everything; live and replayed."""
    live, replayed = RecordingOutbox(), RecordingOutbox()
    bus.join(live, key="live", patterns=[pattern], encode=number)
    await publish(journal, 7, topic=topic)
    await publish(journal, 8, topic=pattern.replace("*", "end"))

    await resume(bus, replayed, 0, epoch=journal.position.epoch, topics=(pattern,))
    await replayed.holds(2 if heard else 1)

    assert live.frames == replayed.frames == expected(*([7, 8] if heard else [8]))


async def test_event_that_an_audience_does_not_see_is_not_sent(bus: Bus, journal: Journal) -> None:
    """An encoder that gives None keeps the event from its audience."""
    outbox = RecordingOutbox()
    bus.join(outbox, key="k", patterns=["t"], encode=lambda _: None)

    await publish(journal, 1)

    assert outbox.frames == []


async def test_vital_events_are_pressed(bus: Bus, journal: Journal) -> None:
    """An event that must not be dropped goes by press, others by push."""
    outbox = RecordingOutbox()
    bus.join(
        outbox,
        key="k",
        patterns=["t"],
        encode=number,
        vital=lambda event: bytes(event.data) == b"2",
    )

    await publish(journal, 1, 2)

    assert (outbox.frames, outbox.pressed) == (expected(1), expected(2))


async def test_leaving_ends_delivery_and_forgets_the_audience(bus: Bus, journal: Journal) -> None:
    """After leaving nothing arrives; a new member with the same key starts a new audience."""
    outbox, later = RecordingOutbox(), RecordingOutbox()
    member = bus.join(outbox, key="k", patterns=["t"], encode=number)
    await publish(journal, 1)
    member.leave()
    member.leave()
    bus.join(later, key="k", patterns=["t"], encode=lambda _: b"new")

    await publish(journal, 2)

    assert (outbox.frames, later.frames) == (expected(1), [b"new"])


async def test_leaving_takes_nothing_from_the_others(bus: Bus, journal: Journal) -> None:
    """One member of an audience goes; the other still hears."""
    outbox = RecordingOutbox()
    leaving = bus.join(RecordingOutbox(), key="k", patterns=["t"], encode=number)
    bus.join(outbox, key="k", patterns=["t"], encode=number)

    leaving.leave()
    await publish(journal, 1)

    assert outbox.frames == expected(1)


async def test_failing_listener_hurts_nobody_else(bus: Bus, journal: Journal) -> None:
    """A listener that raises is logged; the others hear the event."""
    outbox = RecordingOutbox()

    def fail(_event: Event) -> None:
        raise ValueError

    bus.listen(["t"], fail)
    bus.join(outbox, key="k", patterns=["t"], encode=number)

    await publish(journal, 1)

    assert outbox.frames == expected(1)


async def test_many_topics_do_not_grow_the_match_cache_without_bound(
    bus: Bus, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The memory of who hears a topic is bounded, and right after it was emptied."""
    monkeypatch.setattr(bus_module, "MATCH_CACHE", 4)
    outbox = RecordingOutbox()
    bus.join(outbox, key="k", patterns=["*"], encode=number)

    for value in range(10):
        bus.tell(ephemeral(value, topic=f"t{value}"))

    assert outbox.frames == expected(*range(10))
    assert len(bus._matches) <= 4  # noqa: SLF001 the bound is the point of this test


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


async def test_resume_past_retention_says_so(bus: Bus, journal: Journal) -> None:
    """Where retention cut the past, the subscriber is told, and gets what is left."""
    await publish(journal, 1, 2, 3)

    def cut(tx: Transaction) -> None:
        tx.execute("trim_topic", topic="t", seq=2)
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


async def test_move_loses_nothing_that_waits_to_be_written(store: SqliteStore) -> None:
    """What was told before a member moved to another audience still leaves, once."""
    told: list[Callable[[], None]] = []

    def later(members: tuple[Member, ...], frame: bytes, event: Event, is_vital: bool) -> None:  # noqa: FBT001 as FanOut
        told.append(lambda: give_each(members, frame, event, is_vital))

    bus = Bus(store, fan_out=later)
    outbox = RecordingOutbox()
    member = bus.join(outbox, key="old", patterns=["t"], encode=number)
    bus.tell(ephemeral(1))
    bus.move(member, key="new", patterns=["t", "u"], encode=number)
    bus.tell(ephemeral(2))
    bus.tell(ephemeral(3, topic="u"))
    for write in told:
        write()
    assert outbox.frames == expected(1, 2, 3)

    member.leave()
    assert not bus._audiences  # noqa: SLF001 both audiences must be forgotten
