"""Moving a subscriber from one audience to another."""

from collections.abc import Callable

from hubbub.core.audience import Members, give_each
from hubbub.core.bus import Bus
from hubbub.core.values import Event
from hubbub.storage.sqlite import SqliteStore
from tests.unit.core.numbers import ephemeral, expected, number
from tests.unit.outbox import RecordingOutbox


async def test_move_loses_nothing_that_waits_to_be_written(store: SqliteStore) -> None:
    """What was told before a member moved to another audience still leaves, once."""
    told: list[Callable[[], None]] = []

    def later(members: Members, frame: bytes, event: Event, is_vital: bool) -> None:  # noqa: FBT001 as FanOut
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

    bus.tell(ephemeral(4))
    member.leave()
    told[-1]()
    assert outbox.frames == expected(1, 2, 3)
    assert not bus._audiences  # noqa: SLF001 both audiences must be forgotten
