"""Many fast readers and one that has stopped: the guests of the slow-reader tests.

The fast ones read on `aiohttp` and look at nothing but a number at a fixed place, so that the
test's own process keeps up with a million frames.
"""

import asyncio
import re
import socket
from types import TracebackType
from typing import Self

import aiohttp

from tests.clients.frames import FrameSocket
from tests.clients.waiting import PATIENCE_S


NUMBER = re.compile(r'"(?:data|payload)":"([^"]{8})')
"""Where a frame carries its number: the first eight characters of what was published."""


class Reader:
    """A subscriber that keeps up; every number must be the one after the last."""

    def __init__(self, connection: aiohttp.ClientWebSocketResponse) -> None:
        self.connection = connection
        self.read = 0

    async def follow(self, numbers: list[str], progress: asyncio.Event) -> None:
        """Read all the numbers, in order, once each; who publishes watches that they come."""
        while self.read < len(numbers):
            message = await self.connection.receive()
            assert message.type is aiohttp.WSMsgType.TEXT, f"after {self.read}: {message}"
            found = NUMBER.search(message.data)
            if found is None:
                continue
            wanted = numbers[self.read]
            assert found[1] == wanted, f"wanted {wanted!r}, got {found[1]!r}"
            self.read += 1
            progress.set()


class Crowd:
    """A number of fast readers, opened and closed together."""

    def __init__(self) -> None:
        self.readers: list[Reader] = []
        self.progress = asyncio.Event()

    async def __aenter__(self) -> Self:
        self._session = aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0))
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await asyncio.gather(*(reader.connection.close() for reader in self.readers))
        await self._session.close()

    async def join(self, url: str, token: str, subscribe: str, answer: str) -> None:
        """Connect one reader, send its subscription and wait for the answer's mark."""
        headers = {"Authorization": f"Bearer {token}"}
        connection = await self._session.ws_connect(url, headers=headers, compress=0)
        self.readers.append(Reader(connection))
        await connection.send_str(subscribe)
        while answer not in await connection.receive_str(timeout=PATIENCE_S):
            pass

    @property
    def slowest(self) -> int:
        """How many numbers the last of the readers has read."""
        return min(reader.read for reader in self.readers)

    async def until(self, count: int) -> None:
        """Wait until every reader has read so many numbers."""
        while self.slowest < count:
            self.progress.clear()
            await asyncio.wait_for(self.progress.wait(), PATIENCE_S * 2)

    async def follow(self, numbers: list[str]) -> None:
        """Let every reader read all the numbers."""
        async with asyncio.TaskGroup() as group:
            for reader in self.readers:
                group.create_task(reader.follow(numbers, self.progress))


def stop_reading(client: FrameSocket) -> None:
    """Stop taking bytes from the kernel, which is kept from growing its own buffer."""
    _fix_receive_buffer(client)
    client.connection.transport.pause_reading()


def read_again(client: FrameSocket) -> None:
    """Take bytes from the kernel again."""
    client.connection.transport.resume_reading()


def _fix_receive_buffer(client: FrameSocket) -> None:
    # Not smaller: below the segment size of loopback the kernel hands out bytes by the probe.
    raw = client.connection.transport.get_extra_info("socket")
    raw.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 131_072)
