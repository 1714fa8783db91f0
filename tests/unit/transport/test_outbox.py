"""One connection's queue: framing, order, and what a stalled peer gets."""

import asyncio

import pytest

from hubbub.dialects.base import OutboxRules, Overflow
from hubbub.transport.numbering import ws_header
from hubbub.transport.outbox import (
    FrameOutbox,
    NumberedWsOutbox,
    SseOutbox,
    WsOutbox,
)
from hubbub.transport.tick import Tick
from tests.unit.transport.wire import Line, ticks


@pytest.fixture
async def tick() -> Tick:
    """Give the tick of this test's loop."""
    return Tick(asyncio.get_running_loop())


@pytest.mark.parametrize(
    ("length", "header"),
    [
        (0, b"\x81\x00"),
        (125, b"\x81\x7d"),
        (126, b"\x81\x7e\x00\x7e"),
        (65_535, b"\x81\x7e\xff\xff"),
        (65_536, b"\x81\x7f\x00\x00\x00\x00\x00\x01\x00\x00"),
    ],
)
def test_websocket_headers_are_those_of_the_rfc(length: int, header: bytes) -> None:
    """RFC 6455, 5.2: final text frame, no mask, the shortest length form."""
    assert ws_header(length) == header


async def test_frames_of_one_tick_leave_in_one_write(tick: Tick) -> None:
    """Events and answers of a tick are one write, in order."""
    line = Line(tick)

    line.outbox.push(line.outbox.frame(b"one"))
    line.outbox.send(b"two")
    line.outbox.press(line.outbox.frame(b"three"))
    await ticks()

    assert line.wire.writes == [b"\x81\x03one\x81\x03two\x81\x05three"]


async def test_server_sent_events_are_chunks(tick: Tick) -> None:
    """An event is one chunk of the HTTP/1.1 body."""
    line = Line(tick, kind=SseOutbox)

    line.outbox.push(line.outbox.frame(b"data: 1\n\n"))
    await ticks()

    assert line.wire.text == b"9\r\ndata: 1\n\n\r\n"


async def test_numbers_count_what_is_sent_and_answers_have_none(tick: Tick) -> None:
    """Each event begins with the connection's own seq; an answer between them does not."""
    line = Line(tick, kind=NumberedWsOutbox)
    outbox = line.outbox

    outbox.push(outbox.frame(b'{"a":1}'))
    outbox.send(b'{"b":2}')
    outbox.push(outbox.frame(b'{"c":3}'))
    await ticks()

    assert line.wire.text == b'\x81\x0f{"seq":1,"a":1}\x81\x07{"b":2}\x81\x0f{"seq":2,"c":3}'


async def test_stalled_peer_gets_everything_that_was_held_once_it_reads(tick: Tick) -> None:
    """Frames held back leave in order when the transport drains, answers in their place."""
    line = Line(tick)
    await line.stall()
    for value in range(200):
        line.outbox.push(b"%d;" % value)
    line.outbox.send(b"answer")
    line.outbox.press(b"vital")
    assert line.outbox.queued_messages == 202
    assert line.outbox.queued_bytes > 200

    await line.recover()

    held = b"".join(b"%d;" % value for value in range(200))
    assert line.wire.text == b"first" + held + b"\x81\x06answer" + b"vital"
    assert (line.outbox.queued_messages, line.outbox.queued_bytes) == (0, 0)


@pytest.mark.parametrize(
    "rules",
    [
        OutboxRules(max_messages=2, overflow=Overflow.REFUSE),
        OutboxRules(max_bytes=2, overflow=Overflow.REFUSE),
    ],
)
async def test_refusing_outbox_gives_the_frame_back(tick: Tick, rules: OutboxRules) -> None:
    """Over either limit the frame is not taken, and the caller knows."""
    line = Line(tick, rules)
    await line.stall()

    taken = [line.outbox.push(frame) for frame in (b"1", b"2", b"3")]

    assert taken == [True, True, False]
    await line.recover()
    assert line.wire.text == b"first12"


async def test_frame_over_the_byte_limit_is_taken_when_nothing_else_is_held(tick: Tick) -> None:
    """A large frame alone cannot wedge a connection."""
    line = Line(tick, OutboxRules(max_bytes=1))
    await line.stall()

    assert line.outbox.push(b"large") is True
    assert line.outbox.push(b"x") is False


async def test_dropping_the_newest_counts_it(tick: Tick) -> None:
    """The frame that does not fit is lost and counted; those before it arrive."""
    drops: list[None] = []
    rules = OutboxRules(
        max_messages=1, overflow=Overflow.DROP_NEWEST, on_drop=lambda: drops.append(None)
    )
    line = Line(tick, rules)
    await line.stall()

    assert [line.outbox.push(frame) for frame in (b"1", b"2", b"3")] == [True] * 3

    await line.recover()
    assert line.wire.text == b"first1"
    assert line.outbox.dropped == len(drops) == 2


async def test_dropping_the_oldest_tells_the_gap_before_what_is_left(tick: Tick) -> None:
    """The peer reads how many frames it lost, then the oldest that is still held."""
    rules = OutboxRules(
        max_messages=2,
        overflow=Overflow.DROP_OLDEST,
        gap=lambda dropped: b'{"gap":%d}' % dropped,
    )
    line = Line(tick, rules, kind=NumberedWsOutbox)
    outbox = line.outbox
    line.wire.block()
    outbox.push(outbox.frame(b'{"n":0}'))
    await ticks()
    for value in range(1, 6):
        outbox.push(outbox.frame(b'{"n":%d}' % value))

    await line.recover()

    assert line.wire.text.replace(b"\x81\x0f", b" ").replace(b"\x81\x11", b" ").split() == [
        b'{"seq":1,"n":0}',
        b'{"seq":2,"gap":3}',
        b'{"seq":3,"n":4}',
        b'{"seq":4,"n":5}',
    ]


async def test_closing_outbox_closes_once_and_counts_it(tick: Tick) -> None:
    """A peer over its limit is closed with the door's code, exactly once."""
    closes: list[None] = []
    rules = OutboxRules(
        max_messages=1,
        overflow=Overflow.CLOSE,
        close_code=1008,
        close_reason="slow consumer",
        on_slow_close=lambda: closes.append(None),
    )
    line = Line(tick, rules)
    await line.stall()

    for frame in (b"1", b"2", b"3"):
        line.outbox.push(frame)

    assert (line.closed, len(closes)) == ((1008, "slow consumer"), 1)


async def test_pressed_frame_that_does_not_fit_closes(tick: Tick) -> None:
    """What must not be dropped ends the connection where other frames are dropped."""
    line = Line(tick, OutboxRules(max_messages=1, overflow=Overflow.DROP_NEWEST))
    await line.stall()
    line.outbox.press(b"fits")
    assert line.closed is None

    line.outbox.press(b"does not")

    assert line.closed == (1013, "slow consumer")


async def test_close_sends_what_this_tick_has_queued(tick: Tick) -> None:
    """The last answer leaves before the close; nothing follows it."""
    line = Line(tick)
    line.outbox.send(b"bye")

    line.outbox.close(1000, "done")
    line.outbox.close(1001, "again")
    line.outbox.push(b"late")
    await ticks()

    assert (line.wire.text, line.closed) == (b"\x81\x03bye", (1000, "done"))


async def test_drained_waits_for_what_is_held(tick: Tick) -> None:
    """A replay waits while its peer is stalled, and goes on when it reads."""
    line = Line(tick)
    await line.outbox.drained()
    await line.stall()
    line.outbox.push(b"held")
    waiting = [asyncio.create_task(line.outbox.drained()) for _ in range(2)]
    await ticks()
    assert not any(task.done() for task in waiting)

    await line.recover()

    await asyncio.gather(*waiting)


@pytest.mark.parametrize("end", ["ended", "close"])
async def test_end_of_the_connection_ends_the_waiting(tick: Tick, end: str) -> None:
    """A replay does not wait for a peer that is gone, nor is anything written to it."""
    line = Line(tick)
    await line.stall()
    line.outbox.push(b"held")
    waiting = asyncio.create_task(line.outbox.drained())
    await ticks()

    if end == "ended":
        line.outbox.ended()
    else:
        line.outbox.close(1000, "")
    line.wire.take()
    await waiting
    await ticks()

    assert line.wire.text == b"first"


async def test_reset_connection_ends_quietly(tick: Tick) -> None:
    """A peer that cuts the connection while it is stalled is cleaned up by its reader."""
    line = Line(tick)
    await line.stall()

    line.wire.reset()
    await ticks()
    line.outbox.push(b"late")
    await ticks()
    line.outbox.ended()

    assert line.wire.text == b"first"


async def test_nothing_is_written_to_a_transport_that_closes(tick: Tick) -> None:
    """Frames for a connection that is going down are forgotten."""
    line = Line(tick)
    line.outbox.push(b"x")
    line.wire.gone = True

    await ticks()

    assert line.wire.writes == []


async def test_framing_is_the_subclasses_matter(tick: Tick) -> None:
    """The base has no framing of its own."""
    line = Line(tick, kind=FrameOutbox)

    with pytest.raises(NotImplementedError):
        line.outbox.frame(b"x")


def test_outboxes_have_no_dictionary() -> None:
    """Ten thousand connections: no attribute dictionary for each."""
    for kind in (WsOutbox, NumberedWsOutbox, SseOutbox):
        assert "__dict__" not in dir(kind)
