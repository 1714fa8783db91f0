"""Fan-out: who hears what, in which order."""

import pytest

from hubbub.core import bus as bus_module
from hubbub.core.bus import Bus
from hubbub.core.journal import Journal
from hubbub.core.values import Event
from tests.unit.core.numbers import ephemeral, expected, number, publish, resume
from tests.unit.outbox import RecordingOutbox


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
