"""What a full queue does with answers and with frames that must not be dropped."""

import asyncio

import pytest

from hubbub.dialects.base import OutboxRules, Overflow
from hubbub.transport.tick import Tick
from hubbub.transport.ws import close_frame
from tests.unit.transport.wire import Line


@pytest.fixture
async def tick() -> Tick:
    """Give the tick of this test's loop."""
    return Tick(asyncio.get_running_loop())


async def test_answers_are_dropped_where_the_newest_is_dropped(tick: Tick) -> None:
    """Whoever asks on without reading loses answers, which are counted as lost frames."""
    line = Line(tick, OutboxRules(max_messages=2, overflow=Overflow.DROP_NEWEST))
    await line.stall()

    for _ in range(5):
        line.outbox.send(b"a")

    assert (line.outbox.dropped, line.outbox.queued_messages, line.closed) == (3, 2, None)


async def test_asking_on_without_reading_closes_elsewhere(tick: Tick) -> None:
    """Answers are kept beyond a queue that events have filled, but not without bound."""
    closes: list[None] = []
    rules = OutboxRules(max_messages=2, on_slow_close=lambda: closes.append(None))
    line = Line(tick, rules)
    await line.stall()
    assert [line.outbox.push(b"e") for _ in range(3)] == [True, True, False]

    for _ in range(2):
        line.outbox.send(b"a")
    assert (line.outbox.queued_messages, line.closed) == (4, None)
    line.outbox.send(b"a")

    assert (line.closed, len(closes)) == ((1013, "slow consumer"), 1)


async def test_small_vital_frame_finds_a_queue_full_that_refused_a_large_one(tick: Tick) -> None:
    """A queue is full for everyone once a frame found no room, until something has left."""
    rules = OutboxRules(max_bytes=100, overflow=Overflow.DROP_NEWEST)
    line = Line(tick, rules)
    await line.stall()
    line.outbox.push(b"x" * 60)
    line.outbox.push(b"x" * 60)
    line.outbox.press(b"tiny")
    assert line.closed == (1013, "slow consumer")


async def test_queue_that_has_moved_takes_vital_frames_again(tick: Tick) -> None:
    """Who was full and reads on is not closed by the next vital frame."""
    line = Line(tick, OutboxRules(max_messages=1, overflow=Overflow.DROP_NEWEST))
    await line.stall()
    line.outbox.push(b"1")
    line.outbox.push(b"2")
    await line.recover()
    await line.stall()
    line.outbox.press(b"3")
    assert line.closed is None


@pytest.mark.parametrize(
    ("reason", "frame"),
    [
        ("", b"\x88\x02\x03\xf5"),
        ("slow consumer", b"\x88\x0f\x03\xf5slow consumer"),
        ("ä" * 100, b"\x88\x7c\x03\xf5" + "ä".encode() * 61),
    ],
)
def test_close_frames_are_those_of_the_rfc(reason: str, frame: bytes) -> None:
    """RFC 6455, 5.5.1: code, then at most 123 bytes of whole characters."""
    assert close_frame(1013, reason) == frame
