"""An audience that turns to other topics while its members stay."""

from hubbub.core.bus import PAGE, Bus
from hubbub.core.journal import Journal
from tests.unit.core.numbers import expected, number, publish
from tests.unit.outbox import RecordingOutbox


async def test_live_members_hear_the_new_topics(bus: Bus, journal: Journal) -> None:
    """From one event to the next the audience hears other names."""
    outbox = RecordingOutbox()
    bus.join(outbox, key="k", patterns=["a"], encode=number)
    await publish(journal, 1, topic="a")
    await publish(journal, 2, topic="b")

    bus.retopic("k", ["b"])
    await publish(journal, 3, topic="a")
    await publish(journal, 4, topic="b")

    assert outbox.frames == expected(1, 4)


async def test_members_that_read_the_store_miss_nothing_of_them(bus: Bus, journal: Journal) -> None:
    """One that lags when a topic is added gets all of that topic that comes afterwards."""
    outbox = RecordingOutbox(room=3)
    bus.join(outbox, key="k", patterns=["a"], encode=number)
    await publish(journal, *range(PAGE + 10), topic="a")

    bus.retopic("k", ["a", "b"])
    await publish(journal, 9_001, topic="b")
    outbox.make_room(None)
    await outbox.holds(PAGE + 11)
    await publish(journal, 9_002, topic="b")

    assert outbox.frames == expected(*range(PAGE + 10), 9_001, 9_002)


async def test_other_audiences_and_unknown_keys_are_left_alone(bus: Bus, journal: Journal) -> None:
    """Who lags in another audience goes on as before."""
    slow = RecordingOutbox(room=1)
    bus.join(slow, key="other", patterns=["a"], encode=number)
    bus.join(RecordingOutbox(), key="k", patterns=["a"], encode=number)
    await publish(journal, 1, 2, 3, topic="a")

    bus.retopic("k", ["b"])
    bus.retopic("nobody", ["b"])
    slow.make_room(None)

    assert await slow.holds(3) == expected(1, 2, 3)
