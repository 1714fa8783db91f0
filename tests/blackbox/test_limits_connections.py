"""Connections: how many there may be, how long they may take to begin, how large a request is."""

import asyncio
import functools
import gzip
import re
import zlib
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

import pytest

from tests.clients.frames import FrameSocket, refusal
from tests.clients.guests import Guests
from tests.clients.openclaw import connect_params
from tests.clients.waiting import PATIENCE_S, eventually
from tests.conftest import StartDaemon
from tests.daemon import DOORS, Daemon


MIB = 1024 * 1024
BODY_LIMITS = {"x0x": MIB, "crosslink": 10 * MIB, "hubbub": 16 * MIB}
POSTS = {"x0x": "/publish", "crosslink": "/api/v1/issues", "hubbub": "/rpc"}

Wire = tuple[asyncio.StreamReader, asyncio.StreamWriter]


@asynccontextmanager
async def wire(daemon: Daemon, door: str) -> AsyncIterator[Wire]:
    """Open a bare TCP connection to a door."""
    reader, writer = await asyncio.open_connection(*daemon.address(door))
    try:
        yield reader, writer
    finally:
        writer.close()


async def rest(reader: asyncio.StreamReader) -> bytes:
    """Read until the daemon ends the connection, however it does."""
    async with asyncio.timeout(PATIENCE_S):
        try:
            return await reader.read()
        except ConnectionError:
            return b""


async def ask(wire: Wire, daemon: Daemon, door: str) -> int:
    """Send a small request and give the status of the answer."""
    reader, writer = wire
    host, port = daemon.address(door)
    writer.write(f"GET /nowhere HTTP/1.1\r\nHost: {host}:{port}\r\n\r\n".encode())
    async with asyncio.timeout(PATIENCE_S):
        head = await reader.readuntil(b"\r\n\r\n")
        length = re.search(rb"(?i)content-length: (\d+)", head)
        body = await reader.readexactly(int(length[1]) if length else 0)
    status = int(head.split()[1])
    assert status != 503 or (b"Retry-After: 1" in head and b"connections open" in body), head
    return status


@pytest.mark.parametrize("door", DOORS)
async def test_listener_takes_no_more_connections_than_it_may(
    start_daemon: StartDaemon, door: str
) -> None:
    """One too many gets 503 and is closed; the others work, and a place that is left is free."""
    daemon = await start_daemon("[limits]\nlistener_connections = 2\n")
    async with AsyncExitStack() as stack:
        first, second = [await stack.enter_async_context(wire(daemon, door)) for _ in range(2)]
        assert 503 not in [await ask(one, daemon, door) for one in (first, second)]
        third = await stack.enter_async_context(wire(daemon, door))

        assert await ask(third, daemon, door) == 503
        assert await rest(third[0]) == b"", "it is closed"
        assert await ask(first, daemon, door) != 503
        second[1].close()
        await eventually(lambda: _is_let_in(daemon, door))


async def _is_let_in(daemon: Daemon, door: str) -> bool:
    async with wire(daemon, door) as fresh:
        return await ask(fresh, daemon, door) != 503


async def test_address_may_have_so_many_connections_on_all_listeners(
    start_daemon: StartDaemon,
) -> None:
    """It does not matter which listeners they are on."""
    daemon = await start_daemon("[limits]\nremote_connections = 2\n")
    async with wire(daemon, "x0x") as first, wire(daemon, "car") as second:
        assert await ask(first, daemon, "x0x") == 401
        assert await ask(second, daemon, "car") == 426
        async with wire(daemon, "hubbub") as third:
            assert await ask(third, daemon, "hubbub") == 503


async def test_connection_that_is_one_too_many_and_says_nothing_is_cut(
    start_daemon: StartDaemon,
) -> None:
    """It may not hold on to what it was not given."""
    daemon = await start_daemon("[limits]\nremote_connections = 1\nheader_s = 0\n")
    async with wire(daemon, "x0x") as first, wire(daemon, "x0x") as second:
        assert await ask(first, daemon, "x0x") == 401
        assert await rest(second[0]) == b""


PRINCIPAL = "[limits]\nprincipal_connections = 1\n"


async def test_principal_has_so_many_sockets_and_streams(
    start_daemon: StartDaemon, guests: Guests
) -> None:
    """Doors that know who calls before the upgrade answer 503; other principals get in."""
    daemon = await start_daemon(PRINCIPAL)
    token = await daemon.agent_token("ann")
    rpc = await guests.rpc(daemon, token)
    bearer = {"Authorization": f"Bearer {token}"}

    for door, path in (("hubbub", "/rpc"), ("x0x", "/ws"), ("crosslink", "/ws")):
        assert await refusal(daemon.ws_url(door, path), headers=bearer) == 503, door
    for door, path in (("hubbub", "/events"), ("x0x", "/events")):
        client = await (guests.hubbub if door == "hubbub" else guests.x0x)(daemon, token)
        answer = await client.get(path)
        assert answer.status == 503, door
        assert "agent:ann has 1 connections open" in answer.text
    await guests.rpc(daemon, await daemon.agent_token("bo"))
    await rpc.close()

    async def is_let_in() -> bool:
        return await refusal(daemon.ws_url("hubbub", "/rpc"), headers=bearer) == 101

    await eventually(is_let_in)


async def test_car_refuses_a_principal_that_has_enough(
    start_daemon: StartDaemon, guests: Guests
) -> None:
    """The answer to `session.auth` says why; the connection is closed as one to try again."""
    daemon = await start_daemon(PRINCIPAL)
    await guests.car(daemon)
    late = await guests.car(daemon, auth=False)

    error = await late.fail("session.auth", {"token": daemon.token})

    assert (error["data"]["code"], error["data"]["retryable"]) == ("too_many_connections", True)
    assert (await late.closed())[0] == 1013


async def test_openclaw_refuses_a_principal_that_has_enough(
    start_daemon: StartDaemon, guests: Guests
) -> None:
    """The answer to `connect` says why; the connection is closed as one to try again."""
    daemon = await start_daemon(PRINCIPAL)
    await guests.openclaw(daemon)
    async with await FrameSocket.open(daemon.ws_url("openclaw")) as late:
        await late.receive()
        params = connect_params(daemon.token)
        await late.send({"type": "req", "id": "1", "method": "connect", "params": params})

        refused = await late.receive()

        assert (refused["ok"], refused["error"]["retryable"]) == (False, True)
        assert "connections open" in refused["error"]["message"]
        assert (await late.closed())[0] == 1013


SLOW = """
[limits]
header_s = 0.2
body_s = 0.2
idle_s = 0.2
[dialects.car]
auth_timeout_ms = 200
[dialects.openclaw]
handshake_timeout_ms = 200
"""


@pytest.mark.parametrize("door", DOORS)
@pytest.mark.parametrize("start", [b"", b"GET / HTTP/1.1\r\nHost: x\r\nX-Slow: "])
async def test_headers_must_come_in_time(
    start_daemon: StartDaemon, door: str, start: bytes
) -> None:
    """A connection that sends nothing, or half a header, is ended."""
    daemon = await start_daemon(SLOW)
    async with wire(daemon, door) as (reader, writer):
        writer.write(start)
        await rest(reader)


async def test_next_request_must_come_in_time_too(start_daemon: StartDaemon) -> None:
    """Half a header after a whole request holds the connection no longer than idling does."""
    daemon = await start_daemon(SLOW)
    async with wire(daemon, "x0x") as (reader, writer):
        assert await ask((reader, writer), daemon, "x0x") == 401
        writer.write(b"GET / HTTP/1.1\r\nX-Slow: ")
        await rest(reader)


@pytest.mark.parametrize("door", POSTS)
async def test_body_must_come_in_time(start_daemon: StartDaemon, door: str) -> None:
    """The answer is 408, in the door's shape, and the connection ends with it."""
    daemon = await start_daemon(SLOW)
    async with wire(daemon, door) as (reader, writer):
        head = (
            f"POST {POSTS[door]} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 100\r\n"
            f"Content-Type: application/json\r\nAuthorization: Bearer {daemon.token}\r\n\r\n{{"
        )
        writer.write(head.encode())

        answer = await rest(reader)

    assert answer.startswith(b"HTTP/1.1 408 ")
    assert answer.lower().count(b"\r\nconnection: close\r\n") == 1
    assert b"did not come within 0.2 s" in answer


@pytest.mark.parametrize(("door", "code"), [("car", 1008), ("openclaw", 1000)])
async def test_socket_must_say_in_time_who_it_is(
    start_daemon: StartDaemon, door: str, code: int
) -> None:
    """An upgrade is not enough where the protocol authenticates by messages."""
    daemon = await start_daemon(SLOW)
    async with await FrameSocket.open(daemon.ws_url(door)) as socket:
        assert (await socket.closed())[0] == code


@functools.cache
def gibibyte(encoding: str) -> bytes:
    """Pack a gibibyte of nothing."""
    part = b"\0" * (64 * MIB)
    packer = zlib.compressobj(9, zlib.DEFLATED, 31 if encoding == "gzip" else 15)
    return b"".join([*(packer.compress(part) for _ in range(16)), packer.flush()])


@pytest.mark.parametrize("door", POSTS)
@pytest.mark.parametrize("encoding", ["gzip", "deflate"])
async def test_bomb_is_too_large_by_what_it_unpacks_to(
    room: Daemon, guests: Guests, door: str, encoding: str
) -> None:
    """A megabyte that unpacks to a gigabyte is 413; the daemon's memory does not follow it."""
    bomb = gibibyte(encoding)
    before = room.rss_bytes()
    client = await {"x0x": guests.x0x, "crosslink": guests.crosslink, "hubbub": guests.hubbub}[
        door
    ](room)
    headers = {"Content-Encoding": encoding, "Content-Type": "application/json"}

    answer = await client.request("POST", POSTS[door], data=bomb, headers=headers)

    assert answer.status == 413
    after = room.rss_bytes()
    if before is not None and after is not None:
        assert after - before < 256 * MIB


async def test_packed_body_of_the_right_size_is_taken(room: Daemon, guests: Guests) -> None:
    """Packing as such is welcome."""
    client = await guests.hubbub(room)
    call = gzip.compress(b'{"jsonrpc":"2.0","id":1,"method":"system.ping"}')
    headers = {"Content-Encoding": "gzip", "Content-Type": "application/json"}

    assert (await client.request("POST", "/rpc", data=call, headers=headers)).status == 200


@pytest.mark.parametrize("door", DOORS)
async def test_compression_of_messages_is_not_agreed_to(room: Daemon, door: str) -> None:
    """So no message can unpack to more than it is: `permessage-deflate` is passed over."""
    path = {"hubbub": "/rpc", "x0x": "/ws", "crosslink": "/ws"}.get(door, "/")
    host, port = room.address(door)
    async with wire(room, door) as (reader, writer):
        head = (
            f"GET {path} HTTP/1.1\r\nHost: {host}:{port}\r\nUpgrade: websocket\r\n"
            f"Connection: Upgrade\r\nAuthorization: Bearer {room.token}\r\n"
            "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n"
            "Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits\r\n\r\n"
        )
        writer.write(head.encode())
        async with asyncio.timeout(PATIENCE_S):
            answer = await reader.readuntil(b"\r\n\r\n")

    assert answer.startswith(b"HTTP/1.1 101 ")
    assert b"sec-websocket-extensions" not in answer.lower()


@pytest.mark.parametrize("door", DOORS)
@pytest.mark.parametrize(
    "head",
    [
        b"GET /" + b"x" * 9000 + b" HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nX-Long: " + b"x" * 9000 + b"\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n" + b"X-Many: 1\r\n" * 200 + b"\r\n",
    ],
    ids=["line", "header", "headers"],
)
async def test_large_headers_are_refused(room: Daemon, door: str, head: bytes) -> None:
    """A line over 8,190 bytes, or more than 128 headers, is 400 before anything else is read."""
    async with wire(room, door) as (reader, writer):
        writer.write(head)

        assert (await rest(reader)).split()[1] == b"400"


async def test_header_limits_are_settings(start_daemon: StartDaemon) -> None:
    """Who needs longer headers sets so."""
    daemon = await start_daemon("[limits]\nheader_bytes = 20000\nmax_headers = 300\n")
    host, port = daemon.address("hubbub")
    head = f"GET /healthz HTTP/1.1\r\nHost: {host}:{port}\r\nConnection: close\r\n".encode()
    async with wire(daemon, "hubbub") as (reader, writer):
        writer.write(head + b"X-Long: " + b"x" * 9000 + b"\r\n" + b"X-Many: 1\r\n" * 200 + b"\r\n")

        assert (await rest(reader)).startswith(b"HTTP/1.1 200 ")
