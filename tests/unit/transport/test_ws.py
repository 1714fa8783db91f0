"""The pump between one socket and its session, on a real listener with a door of its own."""

import asyncio
from collections.abc import AsyncIterator, Coroutine, Mapping, Sequence
from typing import Any, ClassVar, cast

import pytest
import websockets
from websockets.asyncio.client import ClientConnection, connect

from hubbub.core.limits import DEFAULT_LIMITS
from hubbub.core.values import Principal
from hubbub.dialects.base import Connection, OutboxRules, Request, Response, Route, Socket
from hubbub.dialects.scopes import Rows
from hubbub.errors import HubbubError, TooManyRequests
from hubbub.telemetry import Metrics
from hubbub.transport.http import Gate
from hubbub.transport.outbox import FrameOutbox
from hubbub.transport.server import Listener, bind
from hubbub.transport.tick import Tick


LIMIT_BYTES = 1000
FATAL = "fail"
"""A message that the session cannot stand."""
ANSWER = b"x" * (1024 * 1024)


class Parrot:
    """A session that answers every text with a mebibyte, and binary messages a moment later."""

    def __init__(self, connection: Connection) -> None:
        self.outbox = connection.outbox
        self.heard = 0

    def opened(self) -> None:
        """Say nothing."""

    def received(self, text: str) -> None:
        """Answer at once."""
        if text == FATAL:
            raise ValueError(text)
        self.heard += 1
        self.outbox.send(ANSWER)

    def received_binary(self, data: bytes) -> Coroutine[Any, Any, None]:
        """Answer later."""
        return self._answer(data)

    def refused(self, message: str | bytes, error: TooManyRequests) -> bool:
        """Refuse nothing."""
        raise AssertionError(error)

    def shutting_down(self) -> None:
        """Say nothing."""

    def closed(self) -> None:
        """Keep nothing."""

    async def _answer(self, data: bytes) -> None:
        self.outbox.send(data)


class ParrotDialect:
    """A door with one socket."""

    name = "parrot"
    max_body_bytes = 1024
    scopes: ClassVar[Rows] = {"WS /": None}
    routes: Sequence[Route] = ()

    def __init__(self) -> None:
        self.sessions: list[Parrot] = []
        self.sockets = [
            Socket(
                path="/",
                open=self._open,
                rules=OutboxRules(max_bytes=1 << 30),
                max_message_bytes=LIMIT_BYTES,
            )
        ]

    def authenticate(self, request: Request) -> Principal | Response | None:
        """Let everyone in."""

    def refuse(self, error: HubbubError) -> Response:
        """Refuse nothing."""
        raise AssertionError(error)

    def missing(self, request: Request, allowed: Sequence[str]) -> Response:
        """Miss nothing."""
        raise AssertionError(request)

    def cors(self, origin: str) -> Mapping[str, str]:
        """Let no page in."""
        return {}

    async def run(self) -> None:
        """Do nothing."""

    def _open(self, connection: Connection) -> Parrot:
        self.sessions.append(Parrot(connection))
        return self.sessions[-1]


@pytest.fixture
def parrots() -> ParrotDialect:
    """Give the door."""
    return ParrotDialect()


@pytest.fixture
async def client(parrots: ParrotDialect) -> AsyncIterator[ClientConnection]:
    """Give a client of that door."""
    tick = Tick(asyncio.get_running_loop())
    gate = Gate(frozenset(), frozenset())
    listener = Listener(
        "parrot", bind("127.0.0.1", 0), [("", parrots)], gate=gate, tick=tick, metrics=Metrics()
    )
    await listener.open()
    url = f"ws://{listener.address}/"
    async with connect(url, max_size=None, max_queue=1, compression=None, proxy=None) as client:
        yield client
    await listener.close()


async def test_message_of_the_limits_own_size_is_taken(client: ClientConnection) -> None:
    """The limit names the largest message that is taken; one byte more closes with 1009."""
    await client.send("x" * LIMIT_BYTES)
    assert await client.recv(decode=False) == ANSWER
    await client.send("x" * (LIMIT_BYTES + 1))
    with pytest.raises(websockets.ConnectionClosed):
        await client.recv()
    assert client.close_code == 1009


async def test_binary_message_may_be_answered_later(client: ClientConnection) -> None:
    """A session may need time for a binary message as for a text."""
    await client.send(b"later")
    assert await client.recv(decode=False) == b"later"


async def test_peer_that_does_not_read_its_answers_is_not_read(
    client: ClientConnection, parrots: ParrotDialect, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its requests wait in its own socket, not as answers in our memory; none is lost."""
    stopped = asyncio.Event()
    drained = FrameOutbox.drained

    async def noticed(outbox: FrameOutbox) -> None:
        stopped.set()
        await drained(outbox)

    monkeypatch.setattr(FrameOutbox, "drained", noticed)
    requests = 100
    for n in range(requests):
        await client.send(str(n))
    await stopped.wait()
    (session,) = parrots.sessions
    heard = session.heard
    assert heard < requests
    # What waits is the bound, the answer that went over it, and what the kernel has taken.
    assert heard * len(ANSWER) < DEFAULT_LIMITS.unread_bytes + 32 * len(ANSWER)
    for _ in range(requests):
        assert await client.recv(decode=False) == ANSWER
    assert session.heard == requests


async def test_failing_session_ends_its_connection_with_a_word(client: ClientConnection) -> None:
    """An unexpected exception closes with 1011, after the answers that came before it."""
    await client.send("first")
    await client.send(FATAL)
    assert await client.recv(decode=False) == ANSWER
    with pytest.raises(websockets.ConnectionClosed):
        await client.recv()
    assert (client.close_code, client.close_reason) == (1011, "internal error")


async def test_answer_leaves_in_the_pass_of_the_loop_that_reads_its_request(
    client: ClientConnection, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is done in the next pass finds it gone: no other pass is needed to write it."""
    waiting: list[int] = []
    received = Parrot.received

    def noticed(parrot: Parrot, text: str) -> None:
        outbox = cast("FrameOutbox", parrot.outbox)
        asyncio.get_running_loop().call_soon(lambda: waiting.append(outbox.queued_messages))
        received(parrot, text)

    monkeypatch.setattr(Parrot, "received", noticed)
    await client.send("hello")
    assert await client.recv(decode=False) == ANSWER
    assert waiting == [0]
