"""A socket of JSON frames on the `websockets` library, with the words that tests need.

Every frame that arrives is kept in `seen`, in order. `expect` takes the first match that no
earlier `expect` took, so a test reads answers and events in the order it cares about and can
still look at the order of everything afterwards.
"""

import asyncio
import contextlib
import json
from collections.abc import Callable, Mapping
from types import TracebackType
from typing import Any, Self

import websockets
from websockets.asyncio.client import ClientConnection, connect

from tests.clients.waiting import PATIENCE_S


Frame = dict[str, Any]
Match = Callable[[Frame], bool]

MAX_FRAME_BYTES = 64 * 1024 * 1024


class SocketEnded(AssertionError):
    """The peer closed where the test expected a frame."""


class FrameSocket:
    """One client connection; text frames in and out are JSON objects.

    Attributes:
        seen: Every frame received so far, in order of arrival.
    """

    def __init__(self, connection: ClientConnection) -> None:
        self.connection = connection
        self.seen: list[Frame] = []
        self._fresh: list[Frame] = []

    @classmethod
    async def open(cls, url: str, *, headers: Mapping[str, str] | None = None) -> Self:
        """Connect; a refused upgrade raises `websockets.exceptions.InvalidStatus`."""
        connection = await connect(
            url,
            additional_headers=dict(headers or {}),
            max_size=MAX_FRAME_BYTES,
            # The library takes frames off the wire by itself, so that only a test that wants
            # to be a slow reader is one.
            max_queue=None,
            ping_interval=None,
            compression=None,
            proxy=None,
            open_timeout=PATIENCE_S,
            close_timeout=PATIENCE_S,
        )
        return cls(connection)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """Close politely; a peer that is gone already is fine.

        One that a test has stopped from reading would not hear the answer: it is cut.
        """
        if not self.connection.transport.is_reading():
            self.drop()
        with contextlib.suppress(OSError, websockets.ConnectionClosed):
            await self.connection.close()

    def drop(self) -> None:
        """Cut the connection as a crash of the client would: no close frame."""
        self.connection.transport.abort()

    async def send(self, frame: object) -> None:
        """Send one JSON text frame."""
        await self.connection.send(json.dumps(frame, separators=(",", ":")))

    async def send_text(self, text: str) -> None:
        """Send a text frame as it is."""
        await self.connection.send(text)

    async def send_bytes(self, data: bytes) -> None:
        """Send a binary frame as it is."""
        await self.connection.send(data)

    async def settle(self) -> None:
        """Wait until the daemon has read all that was sent so far: ping, then pong."""
        await asyncio.wait_for(await self.connection.ping(), PATIENCE_S)

    async def receive(self) -> Frame:
        """Return the next frame in order of arrival that nothing has taken.

        Raises:
            SocketEnded: The connection closed instead.
            TimeoutError: Nothing came for `PATIENCE_S`.
        """
        if not self._fresh:
            await self._read()
        return self._fresh.pop(0)

    async def expect(self, match: Match, *, what: str = "the frame") -> Frame:
        """Return the first untaken frame that matches; others stay for later.

        Raises:
            AssertionError: It did not come; the text lists what came instead.
        """
        looked = 0
        while True:
            for index in range(looked, len(self._fresh)):
                if match(self._fresh[index]):
                    return self._fresh.pop(index)
            looked = len(self._fresh)
            try:
                await self._read()
            except TimeoutError:
                recent = [_short(frame) for frame in self.seen[-20:]]
                message = f"{what} did not come; the last frames were: {recent}"
                raise AssertionError(message) from None

    async def collect(self, match: Match, count: int) -> list[Frame]:
        """Return the next `count` frames that match, in order of arrival."""
        return [await self.expect(match, what=f"frame {n + 1} of {count}") for n in range(count)]

    def untaken(self, match: Match) -> list[Frame]:
        """Return the matching frames that have arrived and were not taken; waits for nothing."""
        return [frame for frame in self._fresh if match(frame)]

    async def closed(self) -> tuple[int, str]:
        """Wait until the peer has closed and return its close code and reason."""
        with contextlib.suppress(SocketEnded):
            while True:
                await self._read()
        close = self.connection.protocol.close_rcvd
        return (close.code, close.reason) if close else (1006, "")

    async def _read(self) -> None:
        try:
            async with asyncio.timeout(PATIENCE_S):
                data = await self.connection.recv()
        except websockets.ConnectionClosed as closed:
            message = f"the daemon closed: {closed}; last frame: {self.seen[-1:]}"
            raise SocketEnded(message) from closed
        frame = json.loads(data)
        assert isinstance(frame, dict), f"not a JSON object: {frame!r}"
        self.seen.append(frame)
        self._fresh.append(frame)


def _short(frame: Frame) -> str:
    text = json.dumps(frame)
    return text if len(text) < 300 else text[:300] + "…"


async def refusal(url: str, *, headers: Mapping[str, str] | None = None) -> int:
    """Return the HTTP status with which an upgrade is refused; 101 where it is not."""
    try:
        socket = await FrameSocket.open(url, headers=headers)
    except websockets.InvalidStatus as refused:
        return refused.response.status_code
    await socket.close()
    return 101
