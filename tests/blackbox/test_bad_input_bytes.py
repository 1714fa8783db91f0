"""Bad input as bytes: too many, not text, and ten thousand at random on each door."""

import asyncio
import contextlib
import random
from collections.abc import Awaitable, Callable

import pytest
import websockets

from tests.blackbox.sentinels import Sentinels
from tests.clients.frames import FrameSocket
from tests.clients.guests import Guests
from tests.daemon import Daemon


MIB = 1024 * 1024
STRINGS = 10_000
CONNECTIONS = 5
SEED = 20_261_121

LARGEST = {
    "hubbub": 16 * MIB,
    "x0x": 16 * MIB,
    "crosslink": 65_536,
    "car": 16 * MIB,
    "openclaw": 524_288,
}
"""The largest frame in bytes that a door takes; one byte more ends the connection."""

SAMPLES = {
    "hubbub": '{"jsonrpc":"2.0","id":1,"method":"topics.publish","params":{"topic":"t","data":1}}',
    "x0x": '{"type":"publish","topic":"t","payload":"aGVsbG8="}',
    "crosslink": '{"type":"subscribe","channels":["agents","issues"]}',
    "car": '{"jsonrpc":"2.0","id":1,"method":"runs.start","params":{"agent_id":"a","intent":"b"}}',
    "openclaw": '{"type":"req","id":"1","method":"chat.history","params":{"sessionKey":"main"}}',
}
"""A good frame of each door, to be spoiled here and there."""


async def connect(door: str, guests: Guests, daemon: Daemon) -> FrameSocket:
    """Open a connection to a door, past its handshake."""
    openers: dict[str, Callable[[Daemon], Awaitable[FrameSocket]]] = {
        "hubbub": guests.rpc,
        "x0x": guests.x0x_socket,
        "crosslink": guests.crosslink_socket,
        "car": guests.car,
        "openclaw": guests.openclaw,
    }
    return await openers[door](daemon)


def spoil(dice: random.Random, sample: str) -> bytes:
    """Return random bytes, random text, or a good frame with a few bytes changed."""
    length = dice.choice((0, 1, 2, 10, 125, 126, 300))
    kind = dice.randrange(3)
    if kind == 0:
        return dice.randbytes(length)
    if kind == 1:
        return "".join(dice.choice('{}[]":,0a\\\u00e9\U0001f600 ') for _ in range(length)).encode()
    spoiled = bytearray(sample.encode())
    for _ in range(dice.randint(1, 4)):
        place = dice.randrange(len(spoiled))
        spoiled[place : place + dice.randint(0, 3)] = dice.randbytes(dice.randint(0, 3))
    return bytes(spoiled)


async def throw(socket: FrameSocket, data: bytes) -> None:
    """Send as text what is UTF-8, all else as binary."""
    try:
        await socket.send_text(data.decode())
    except UnicodeDecodeError:
        await socket.send_bytes(data)


@pytest.mark.timeout(300)
@pytest.mark.parametrize("door", list(SAMPLES))
async def test_ten_thousand_random_strings(room: Daemon, guests: Guests, door: str) -> None:
    """The daemon takes them all, every other connection goes on, new ones are welcome."""
    sentinels = Sentinels()
    await sentinels.arrive(guests, room)
    dice = random.Random(f"{SEED} {door}")
    sockets = [await connect(door, guests, room) for _ in range(CONNECTIONS)]
    for number in range(STRINGS):
        place = number % CONNECTIONS
        try:
            await throw(sockets[place], spoil(dice, SAMPLES[door]))
        except websockets.ConnectionClosed:
            sockets[place] = await connect(door, guests, room)
        if number % 2_500 == 0:
            await sentinels.check()
    for socket in sockets:
        with contextlib.suppress(websockets.ConnectionClosed):
            await socket.settle()
    await sentinels.check()
    await connect(door, guests, room)


@pytest.mark.parametrize("door", list(SAMPLES))
async def test_random_bytes_instead_of_a_handshake(room: Daemon, guests: Guests, door: str) -> None:
    """Raw bytes where an HTTP request should be hurt no one else either."""
    sentinels = Sentinels()
    await sentinels.arrive(guests, room)
    dice = random.Random(f"{SEED} raw {door}")
    for _ in range(100):
        reader, writer = await _raw(room, door)
        writer.write(dice.choice((b"", b"GET / HTTP/1.1\r\n", b"\x16\x03\x01")))
        writer.write(dice.randbytes(dice.randrange(2_000)) + b"\r\n\r\n")
        with contextlib.suppress(OSError):
            await writer.drain()
            writer.write_eof()
            await reader.read()
        writer.close()
        with contextlib.suppress(OSError):
            await writer.wait_closed()
    await sentinels.check()


@pytest.mark.parametrize("door", list(SAMPLES))
async def test_oversized_message_ends_only_its_connection(
    room: Daemon, guests: Guests, door: str
) -> None:
    """One byte over the door's limit closes with 1009; the limit itself does not."""
    sentinels = Sentinels()
    await sentinels.arrive(guests, room)
    fits, over = await connect(door, guests, room), await connect(door, guests, room)
    await fits.send_text(" " * LARGEST[door])
    await fits.settle()
    with contextlib.suppress(websockets.ConnectionClosed):
        await over.send_text(" " * (LARGEST[door] + 1))
    assert (await over.closed())[0] == 1009
    await sentinels.check()


@pytest.mark.parametrize("door", list(SAMPLES))
async def test_text_that_is_not_utf8_ends_only_its_connection(
    room: Daemon, guests: Guests, door: str
) -> None:
    """A text frame that is not UTF-8 is a protocol error: 1007."""
    sentinels = Sentinels()
    await sentinels.arrive(guests, room)
    socket = await connect(door, guests, room)
    await socket.connection.send(b'{"type":"\xff\xfe"}', text=True)
    assert (await socket.closed())[0] == 1007
    await sentinels.check()


async def test_lone_surrogates_hurt_only_their_sender(room: Daemon, guests: Guests) -> None:
    """An escaped lone surrogate, which JavaScript can send, is an error to its sender alone."""
    sentinels = Sentinels()
    await sentinels.arrive(guests, room)
    rpc = await guests.rpc(room)
    params = '{"topic":"sentinel","data":"\\ud800"}'
    await rpc.send_text(f'{{"jsonrpc":"2.0","id":1,"method":"topics.publish","params":{params}}}')
    assert "error" in await rpc.receive()
    await sentinels.check()


async def _raw(daemon: Daemon, door: str) -> "tuple[asyncio.StreamReader, asyncio.StreamWriter]":
    return await asyncio.open_connection(*daemon.address(door))
