"""A transport that records what is written and fills up when the test says so."""

import asyncio

from hubbub.dialects.base import OutboxRules
from hubbub.transport.outbox import FrameOutbox, WsOutbox
from hubbub.transport.tick import Tick


class Wire(asyncio.WriteTransport):
    """One connection's transport."""

    def __init__(self) -> None:
        super().__init__()
        self.writes: list[bytes] = []
        self.backlog = 0
        self.gone = False
        self.broken = False
        """Refuse writes, as a transport does whose handle is closed."""
        self._taken = asyncio.Event()

    def write(self, data: bytes | bytearray | memoryview) -> None:
        """Record a write."""
        if self.broken:
            raise RuntimeError
        self.writes.append(bytes(data))

    def get_write_buffer_size(self) -> int:
        """Tell the backlog that the test has set."""
        return self.backlog

    def is_closing(self) -> bool:
        """Tell whether the connection is gone."""
        return self.gone

    def block(self) -> None:
        """Let the peer stop reading: the transport's buffer is over its limit."""
        self.backlog = 1 << 20
        self._taken.clear()

    def take(self) -> None:
        """Let the peer read everything."""
        self.backlog = 0
        self._taken.set()

    def reset(self) -> None:
        """Let the peer cut the connection."""
        self.gone = True
        self._taken.set()

    async def drain(self) -> None:
        """Wait until the peer has read."""
        if self.backlog:
            await self._taken.wait()
        if self.gone:
            raise ConnectionResetError

    @property
    def text(self) -> bytes:
        """Everything that was written."""
        return b"".join(self.writes)


class Line:
    """An outbox on a wire, and how it was closed."""

    def __init__(
        self,
        tick: Tick,
        rules: OutboxRules | None = None,
        kind: type[FrameOutbox] = WsOutbox,
    ) -> None:
        self.wire = Wire()
        self.closed: tuple[int, str] | None = None
        self.outbox = kind(self.wire, self.wire.drain, tick, rules or OutboxRules(), self._close)

    def _close(self, code: int, reason: str) -> None:
        self.closed = (code, reason)

    async def stall(self) -> None:
        """Write one frame into a blocked wire, so that the outbox notices."""
        self.wire.block()
        self.outbox.push(b"first")
        await ticks()

    async def recover(self) -> None:
        """Let the peer read until nothing is held any more."""
        self.wire.take()
        while not self.outbox.ready:
            await ticks()


async def ticks(count: int = 3) -> None:
    """Let some ticks of the event loop pass."""
    for _ in range(count):
        await asyncio.sleep(0)
