"""The bounded queue of frames towards one connection, and the one write per tick.

While a peer keeps up, its frames wait only for the end of the current tick of the event
loop, and then leave in a single write. When the transport's own buffer is over its limit
the peer is stalled: frames are held back, bounded in number and bytes, and what happens
beyond that is the dialect's choice (``OutboxRules``).
"""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable

from hubbub.dialects.base import OutboxRules, Overflow


WRITE_BUFFER_BYTES = 256 * 1024
"""Bytes in a transport's own buffer from which its peer counts as stalled."""
REPLAY_PAGE_BYTES = 1024 * 1024
"""Bytes held back up to which a replay may go on."""

_TEXT_FINAL = 0x81


class Flusher:
    """Writes out every outbox that got frames in this tick, at the end of the tick."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        """Begin with nothing to write."""
        self._loop = loop
        self._dirty: list[FrameOutbox] = []

    def mark(self, outbox: "FrameOutbox") -> None:
        """Have an outbox written at the end of this tick."""
        if not self._dirty:
            self._loop.call_soon(self._flush)
        self._dirty.append(outbox)

    def _flush(self) -> None:
        dirty, self._dirty = self._dirty, []
        for outbox in dirty:
            outbox.flush()


class FrameOutbox:
    """Frames towards one peer; subclasses know how a message becomes a frame."""

    __slots__ = (
        "_drain",
        "_drained",
        "_flusher",
        "_held",
        "_held_bytes",
        "_pending",
        "_rules",
        "_task",
        "_transport",
        "_when_closed",
        "closing",
        "dropped",
        "missed",
        "sent",
    )

    def __init__(
        self,
        transport: asyncio.WriteTransport,
        drain: Callable[[], Awaitable[None]],
        flusher: Flusher,
        rules: OutboxRules,
        when_closed: Callable[[int, str], None],
    ) -> None:
        """Write to a transport.

        Args:
            drain: Waits until the transport's buffer is empty enough again.
            when_closed: Ends the connection with a close code and a reason.
        """
        self._transport = transport
        self._drain = drain
        self._flusher = flusher
        self._rules = rules
        self._when_closed = when_closed
        self._pending: list[bytes] = []
        self._held: deque[bytes] | None = None
        self._held_bytes = 0
        self._task: asyncio.Task[None] | None = None
        self._drained: asyncio.Event | None = None
        self.closing = False
        self.dropped = 0
        self.missed = 0
        """Frames dropped since the peer was last told."""
        self.sent = 0

    # -- what the core and the dialects call ----------------------------------------------

    def frame(self, message: bytes) -> bytes:
        """Wrap a message for ``push``."""
        raise NotImplementedError

    def push(self, frame: bytes) -> bool:
        """Queue an event frame; false: full, and this dialect's rule is to refuse."""
        if self._held is not None:
            return self._hold(frame)
        pending = self._pending
        if not pending:
            self._flusher.mark(self)
        pending.append(frame)
        return True

    def press(self, frame: bytes) -> None:
        """Queue a frame that must not be dropped; a full queue closes the connection."""
        if self._held is None:
            self.push(frame)
        elif self._has_room(frame):
            self._keep(frame)
        else:
            self._overrun()

    def send(self, message: bytes) -> None:
        """Queue an answer, in order with the events; never dropped."""
        frame = self._answer(message)
        if self._held is not None:
            self._keep(frame)
            return
        if not self._pending:
            self._flusher.mark(self)
        self._pending.append(frame)

    async def drained(self) -> None:
        """Wait until a page of replayed events may be queued."""
        while self._held is not None and self._held_bytes > 0 and not self.closing:
            if self._drained is None:
                self._drained = asyncio.Event()
            await self._drained.wait()

    def close(self, code: int, reason: str) -> None:
        """Send what this tick has queued, then close; safe to call twice."""
        if self.closing:
            return
        self.closing = True
        self._write()
        self._wake()
        self._when_closed(code, reason)

    def ended(self) -> None:
        """Forget everything: the connection is gone."""
        self.closing = True
        self._pending = []
        self._held = deque()
        self._held_bytes = 0
        if self._task is not None:
            self._task.cancel()
        self._wake()

    @property
    def queued_messages(self) -> int:
        """Frames that wait for the peer."""
        return len(self._pending) + len(self._held or ())

    @property
    def queued_bytes(self) -> int:
        """Bytes that wait for the peer, the transport's buffer included."""
        return self._held_bytes + self._transport.get_write_buffer_size()

    # -- writing -------------------------------------------------------------------------

    def flush(self) -> None:
        """Write this tick's frames in one go; called by the flusher."""
        if self.closing:
            return
        self._write()
        if self._transport.get_write_buffer_size() > WRITE_BUFFER_BYTES:
            self._stall()

    def _answer(self, message: bytes) -> bytes:
        """Wrap an answer; a numbered outbox does not number it."""
        return self.frame(message)

    def _finish(self, frame: bytes) -> bytes:
        """Make the bytes to write of a frame, when it is certain that it leaves."""
        return frame

    def _write(self) -> None:
        pending = self._pending
        if not pending or self._transport.is_closing():
            return
        self._pending = []
        self.sent += len(pending)
        if len(pending) == 1:
            self._transport.write(self._finish(pending[0]))
        else:
            self._transport.write(b"".join(map(self._finish, pending)))

    # -- a stalled peer ------------------------------------------------------------------

    def _stall(self) -> None:
        if self._held is None:
            self._held = deque()
            self._task = asyncio.get_running_loop().create_task(self._recover())

    async def _recover(self) -> None:
        """Write what is held as the peer takes it; then the peer counts as healthy."""
        try:
            await self._drain()
            while self._held and not self.closing:
                self._tell_missed()
                while self._held and len(self._pending) < 64:  # noqa: PLR2004 a write's worth
                    self._pending.append(self._held.popleft())
                self._held_bytes -= sum(map(len, self._pending))
                self._write()
                if not self._held_bytes:
                    self._wake()
                await self._drain()
        except ConnectionError:
            return  # the reader of this connection sees the same and cleans up
        if not self.closing:
            self._held = None
            self._task = None
            self._wake()

    def _tell_missed(self) -> None:
        """Tell the peer how many frames it lost, before the oldest that is still held."""
        if self.missed and self._held is not None and self._rules.gap is not None:
            frame = self.frame(self._rules.gap(self.missed))
            self.missed = 0
            self._held.appendleft(frame)
            self._held_bytes += len(frame)

    def _hold(self, frame: bytes) -> bool:
        if self._has_room(frame):
            self._keep(frame)
            return True
        overflow = self._rules.overflow
        if overflow is Overflow.REFUSE:
            return False
        if overflow is Overflow.CLOSE:
            self._overrun()
            return True
        if overflow is Overflow.DROP_OLDEST and self._held:
            self._held_bytes -= len(self._held.popleft())
            self._keep(frame)
        self._lose()
        return True

    def _has_room(self, frame: bytes) -> bool:
        held = self._held
        return not held or (
            len(held) < self._rules.max_messages
            and self._held_bytes + len(frame) <= self._rules.max_bytes
        )

    def _keep(self, frame: bytes) -> None:
        assert self._held is not None  # noqa: S101 callers have checked
        self._held.append(frame)
        self._held_bytes += len(frame)

    def _lose(self) -> None:
        self.dropped += 1
        self.missed += 1
        self._rules.on_drop()

    def _overrun(self) -> None:
        if not self.closing:
            self._rules.on_slow_close()
            self.close(self._rules.close_code, self._rules.close_reason)

    def _wake(self) -> None:
        if self._drained is not None:
            self._drained.set()
            self._drained = None


class WsOutbox(FrameOutbox):
    """Complete WebSocket text frames, shared among all connections that get them."""

    __slots__ = ()

    def frame(self, message: bytes) -> bytes:
        """Put the header of an unmasked text frame before the message."""
        return ws_header(len(message)) + message


class NumberedWsOutbox(FrameOutbox):
    """WebSocket text frames that begin with this connection's own ``seq``.

    A shared frame is only a tail, ``,"type":…}``; number and header are put before it when
    it is certain that it leaves, so numbers have no holes whatever was dropped.
    """

    __slots__ = ("_seq",)

    def __init__(
        self,
        transport: asyncio.WriteTransport,
        drain: Callable[[], Awaitable[None]],
        flusher: Flusher,
        rules: OutboxRules,
        when_closed: Callable[[int, str], None],
    ) -> None:
        """Begin to count at 1."""
        super().__init__(transport, drain, flusher, rules, when_closed)
        self._seq = 0

    def frame(self, message: bytes) -> bytes:
        """Make the tail of a JSON object: everything after its opening brace."""
        return b"," + message[1:]

    def _answer(self, message: bytes) -> bytes:
        return ws_header(len(message)) + message

    def _finish(self, frame: bytes) -> bytes:
        if frame[0] == _TEXT_FINAL:
            return frame  # an answer: complete, and without a number
        self._seq += 1
        head = b'{"seq":%d' % self._seq
        return ws_header(len(head) + len(frame)) + head + frame


class SseOutbox(FrameOutbox):
    """Server-sent events inside HTTP/1.1 chunks."""

    __slots__ = ()

    def frame(self, message: bytes) -> bytes:
        """Put a complete event (its lines and the blank one) into a chunk."""
        return b"%x\r\n%b\r\n" % (len(message), message)


def ws_header(length: int) -> bytes:
    """Give the header of an unmasked, final text frame (RFC 6455, 5.2)."""
    if length < 126:  # noqa: PLR2004 the RFC's own numbers
        return bytes((_TEXT_FINAL, length))
    if length < 65_536:  # noqa: PLR2004
        return b"\x81\x7e" + length.to_bytes(2, "big")
    return b"\x81\x7f" + length.to_bytes(8, "big")
