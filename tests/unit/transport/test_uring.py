"""Sends by the kernel's ring: to many sockets at once, and nothing lost where one is full."""

import asyncio
import errno
import random
import socket
import sys
from collections.abc import AsyncIterator, Iterator

import msgspec
import pytest

from hubbub.core.bus import Bus
from hubbub.core.journal import Journal
from hubbub.core.values import Event
from hubbub.dialects.base import OutboxRules
from hubbub.storage.sqlite import SqliteStore
from hubbub.transport.outbox import FrameOutbox, NumberedWsOutbox, WsOutbox
from hubbub.transport.tick import Tick
from hubbub.transport.uring import Batch, Ring, open_ring
from hubbub.transport.ws import own_socket


@pytest.fixture
def ring() -> Iterator[Ring]:
    """Give a small ring, so that most calls wrap around its end."""
    found = open_ring(entries=8, buffer_bytes=4096)
    if found is None:
        pytest.skip("this kernel offers no io_uring; transports write one by one here")
    yield found
    found.close()


@pytest.fixture
def pairs() -> Iterator[list[tuple[socket.socket, socket.socket]]]:
    """Give five connected pairs: ours, and the peer's."""
    made = [socket.socketpair() for _ in range(5)]
    for ours, _ in made:
        ours.settimeout(0)
    yield made
    for ours, theirs in made:
        ours.close()
        theirs.close()


Pairs = list[tuple[socket.socket, socket.socket]]


def batch_of(pairs: Pairs) -> Batch:
    """Prepare sends to our ends."""
    return Batch([ours.fileno() for ours, _ in pairs])


def test_the_same_bytes_reach_every_socket_in_order(ring: Ring, pairs: Pairs) -> None:
    """Forty sends of changing length around a ring of eight: each peer has all, in order."""
    batch = batch_of(pairs)
    sent = b""
    for number in range(40):
        data = b"<%d>" % number * (1 + number % 3)
        assert ring.send(batch, data) == []
        sent += data
    for _, theirs in pairs:
        assert theirs.recv(4096) == sent


def test_more_sockets_than_the_ring_holds_are_sent_in_parts(ring: Ring, pairs: Pairs) -> None:
    """A batch of twenty goes through a ring of eight."""
    batch = Batch([ours.fileno() for ours, _ in pairs] * 4)
    assert ring.send(batch, b"x") == []
    assert [theirs.recv(100) for _, theirs in pairs] == [b"xxxx"] * 5


def test_skipped_sockets_get_nothing(ring: Ring, pairs: Pairs) -> None:
    """A socket that is left out is not written to, this time only."""
    batch = batch_of(pairs)
    assert ring.send(batch, b"a", skipped=[1, 3]) == []
    assert ring.send(batch, b"b") == []
    assert [theirs.recv(9) for _, theirs in pairs] == [b"ab", b"b", b"ab", b"b", b"ab"]


def test_each_socket_can_get_its_own_bytes(ring: Ring, pairs: Pairs) -> None:
    """Frames differ per socket; afterwards all can get the same again."""
    batch = batch_of(pairs)
    frames = [b"%d" % index * (index + 1) for index in range(5)]
    assert ring.send_each(batch, frames, skipped=[2]) == []
    assert ring.send(batch, b"!") == []
    got = [theirs.recv(9) for _, theirs in pairs]
    assert got == [b"0!", b"11!", b"!", b"3333!", b"44444!"]


def test_a_full_socket_is_reported_and_the_others_are_served(ring: Ring, pairs: Pairs) -> None:
    """What a socket did not take whole is reported with how much it took; nothing waits."""
    batch, data = batch_of(pairs), bytes(4096)
    full = pairs[2][0]
    room = 4096 * 1000
    while room == 4096 * 1000:
        try:
            full.send(data)
        except BlockingIOError:
            room = 0
    ((index, result),) = ring.send(batch, data)
    assert index == 2
    assert result == -errno.EAGAIN or 0 < result < len(data)
    assert all(len(theirs.recv(4096)) == 4096 for at, (_, theirs) in enumerate(pairs) if at != 2)


def test_a_closed_peer_is_reported_and_kills_nobody(ring: Ring, pairs: Pairs) -> None:
    """A broken pipe is an error of that socket alone, and no signal."""
    pairs[0][1].close()
    assert ring.send(batch_of(pairs), b"x") == [(0, -errno.EPIPE)]
    assert [theirs.recv(9) for _, theirs in pairs[1:]] == [b"x"] * 4


def test_a_kernel_that_takes_nothing_counts_as_full_sockets(
    ring: Ring, pairs: Pairs, monkeypatch: pytest.MonkeyPatch
) -> None:
    """If the system call fails, every socket counts as full, and none is sent to twice."""
    batch = batch_of(pairs)
    call = ring._call  # noqa: SLF001 the kernel's failure is made here
    monkeypatch.setattr(ring, "_call", lambda *_: 0)
    failed = ring.send(batch, b"lost", skipped=[4])
    assert failed == [(index, -errno.EAGAIN) for index in range(4)]
    monkeypatch.setattr(ring, "_call", call)
    assert ring.send(batch, b"x") == []
    assert [theirs.recv(9) for _, theirs in pairs] == [b"x"] * 5


def test_no_ring_where_the_system_has_none(monkeypatch: pytest.MonkeyPatch) -> None:
    """On another system, or where the kernel forbids it, there is no ring and no error."""
    assert open_ring(entries=1 << 30) is None  # more than any kernel gives
    monkeypatch.setattr(sys, "platform", "darwin")
    assert open_ring() is None


# -- with outboxes, transports and an event loop --------------------------------------------


class Peer(asyncio.Protocol):
    """Our side of one connection."""

    def __init__(self) -> None:
        self.opened: asyncio.Future[asyncio.Transport] = asyncio.Future()
        self._may_write = asyncio.Event()
        self._may_write.set()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the transport."""
        assert isinstance(transport, asyncio.Transport)
        self.opened.set_result(transport)

    def pause_writing(self) -> None:
        """Let writers wait."""
        self._may_write.clear()

    def resume_writing(self) -> None:
        """Let writers go on."""
        self._may_write.set()

    async def drain(self) -> None:
        """Wait until the transport takes more."""
        await self._may_write.wait()


class Hall:
    """A server whose connections are members of one audience, written to through the ring."""

    def __init__(self, bus: Bus, tick: Tick, kind: type[FrameOutbox]) -> None:
        self.bus, self.tick, self.kind = bus, tick, kind
        self.outboxes: list[FrameOutbox] = []
        self._server: asyncio.Server | None = None
        self._peers: list[Peer] = []
        self._clients: list[asyncio.StreamWriter] = []

    async def open(self) -> None:
        """Listen on a free port."""
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(self._peer, "127.0.0.1", 0)

    def _peer(self) -> Peer:
        self._peers.append(Peer())
        return self._peers[-1]

    async def join(self) -> asyncio.StreamReader:
        """Let a client come in and hear everything; gives what it reads from."""
        assert self._server is not None
        reader, writer = await asyncio.open_connection(*self._server.sockets[0].getsockname())
        self._clients.append(writer)
        peer = self._peers[-1]
        transport = await peer.opened
        raw = transport.get_extra_info("socket")
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 8192)
        rules = OutboxRules(max_messages=100_000, max_bytes=1 << 30)
        own = own_socket(transport)
        assert own is not None
        outbox = self.kind(transport, peer.drain, self.tick, rules, lambda *_: transport.abort())
        outbox.socket = own
        self.outboxes.append(outbox)
        self.bus.join(outbox, key="k", patterns=["t"], encode=lambda event: bytes(event.data))
        return reader

    async def close(self) -> None:
        """End all connections."""
        for outbox in self.outboxes:
            outbox.ended()
        self.tick.flush()
        for peer in self._peers:
            (await peer.opened).abort()
        for client in self._clients:
            client.close()
        assert self._server is not None
        self._server.close()


@pytest.fixture(params=[WsOutbox, NumberedWsOutbox])
async def hall(
    request: pytest.FixtureRequest, store: SqliteStore, ring: Ring
) -> AsyncIterator[Hall]:
    """Give a server with shared, and one with numbered frames."""
    tick = Tick(asyncio.get_running_loop(), ring=ring)
    bus = Bus(store, tick.tell)
    Journal(store, bus, crash=lambda _: None)
    made = Hall(bus, tick, request.param)
    await made.open()
    yield made
    await made.close()


def told(number: int, size: int) -> Event:
    """Make an ephemeral event with a body of some size."""
    data = b'{"n":%d,"pad":"%b"}' % (number, b"x" * size)
    return Event(0, str(number), "t", "m", "a", 0, msgspec.Raw(data))


async def frames(reader: asyncio.StreamReader, count: int) -> list[bytes]:
    """Read WebSocket frames."""
    found = []
    for _ in range(count):
        head = await reader.readexactly(2)
        length = head[1]
        if length == 126:
            length = int.from_bytes(await reader.readexactly(2), "big")
        elif length == 127:
            length = int.from_bytes(await reader.readexactly(8), "big")
        found.append(await reader.readexactly(length))
    return found


async def test_every_peer_gets_all_frames_in_order_though_some_read_late(hall: Hall) -> None:
    """Frames of many sizes, answers in between, full sockets: nothing lost, doubled or torn."""
    readers = [await hall.join() for _ in range(4)]
    dice = random.Random(5)
    expected: list[list[bytes]] = [[] for _ in readers]

    def note(index: int, message: bytes, *, is_answer: bool = False) -> None:
        if hall.outboxes[0].numbered and not is_answer:
            number = sum(frame.startswith(b'{"seq":') for frame in expected[index]) + 1
            message = b'{"seq":%d,' % number + message[1:]
        expected[index].append(message)

    early = asyncio.ensure_future(frames(readers[0], 330))
    for number in range(300):
        event = told(number, dice.choice((0, 10, 500, 3000)))
        hall.bus.tell(event)
        for index in range(4):
            note(index, bytes(event.data))
        if number % 10 == 0:
            answer = b'{"answer":%d}' % number
            for index, outbox in enumerate(hall.outboxes):
                outbox.send(answer)
                note(index, answer, is_answer=True)
        if dice.random() < 0.7:  # several events in one tick, or one
            await asyncio.sleep(0)
    late = [await frames(reader, 330) for reader in readers[1:]]
    assert await early == expected[0]
    assert late == expected[1:]


async def test_a_connection_that_came_later_has_its_own_numbers(hall: Hall) -> None:
    """Members at different numbers are written to in the same call, each with its own."""
    first = await hall.join()
    hall.bus.tell(told(1, 0))
    await asyncio.sleep(0)
    second = await hall.join()
    hall.bus.tell(told(2, 0))
    assert [frame[-11:] for frame in await frames(first, 2)] == [b'1,"pad":""}', b'2,"pad":""}']
    (frame,) = await frames(second, 1)
    assert frame.endswith(b'"n":2,"pad":""}')
    assert frame.startswith(b'{"seq":1,') == hall.outboxes[0].numbered


async def test_frames_larger_than_the_ring_takes_go_through_the_transport(hall: Hall) -> None:
    """A frame over the buffer's size arrives whole, between others."""
    reader = await hall.join()
    for number, size in enumerate((10, 50_000, 10)):
        hall.bus.tell(told(number, size))
        await asyncio.sleep(0)
    assert [len(frame) > 50_000 for frame in await frames(reader, 3)] == [False, True, False]


async def test_an_ended_connection_closes_its_descriptor(hall: Hall) -> None:
    """The outbox's own descriptor is given back at the end, so the peer sees it end."""
    reader = await hall.join()
    outbox = hall.outboxes[0]
    outbox.ended()
    hall.tick.flush()
    assert outbox.socket is None
    outbox.close(1000, "")
    for peer in hall._peers:  # noqa: SLF001 the server's side of the connection
        (await peer.opened).abort()
    assert await reader.read() == b""
