"""Words for tests of the bus: publish numbers, resume, expect frames."""

import asyncio
from collections.abc import Callable

import msgspec

from hubbub.core.bus import Bus, Resumed
from hubbub.core.journal import Journal
from hubbub.core.ports import Transaction
from hubbub.core.values import Event, Position
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
