"""The bounded queue of frames towards one connection.

While a peer keeps up, its frames wait only for the end of the current tick of the event
loop, and then leave in a single write (``tick.py``). When the transport's own buffer is
over its limit the peer is stalled: frames are held back, bounded in number and bytes, and
what happens beyond that is the dialect's choice (``OutboxRules``).
"""

import asyncio
import contextlib
import errno
import os
from collections import deque
from collections.abc import Awaitable, Callable

from hubbub.dialects.base import OutboxRules, Overflow
from hubbub.transport.numbering import numbered_frame, ws_header
from hubbub.transport.tick import Tick


_FINAL = 0x80


class FrameOutbox:
    """Frames towards one peer; subclasses know how a message becomes a frame."""

    numbered = False
    """A frame becomes complete only with this connection's own number."""

    __slots__ = (
        "_drain",
        "_drained",
        "_held",
        "_held_bytes",
        "_pending",
        "_rules",
        "_task",
        "_tick",
        "_transport",
        "_when_closed",
        "closing",
        "dropped",
        "full",
        "missed",
        "socket",
        "write",
    )

    def __init__(
        self,
        transport: asyncio.WriteTransport,
        drain: Callable[[], Awaitable[None]],
        tick: Tick,
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
        self._tick = tick
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
        self.full = False
        """There was no room for a frame, and nothing has left since."""
        self.write = transport.write
        """Hands bytes to the transport; for the tick, which knows that nothing waits here."""
        self.socket: int | None = None
        """A file descriptor of the connection that is this outbox's own, for writes that pass
        the transport by; the outbox closes it."""

    # -- what the core and the dialects call ----------------------------------------------

    def frame(self, message: bytes) -> bytes:
        """Wrap a message for ``push``."""
        raise NotImplementedError

    def push(self, frame: bytes) -> bool:
        """Queue an event frame; false: full, and this dialect's rule is to refuse."""
        if self._held is not None:
            return self._hold(frame)
        self._queue(frame)
        return True

    @property
    def ready(self) -> bool:
        """Healthy, and nothing of its own waits: a shared frame may be written as it is."""
        return self not in self._tick.busy

    def press(self, frame: bytes) -> None:
        """Queue a frame that must not be dropped; a full queue closes the connection."""
        if self._held is None:
            self._queue(frame)
        elif not self.full and self._has_room(frame):
            self._keep(frame)
        else:
            # A small frame may fit where a large one did not; the queue is full all the same.
            self._overrun()

    def send(self, message: bytes) -> None:
        """Queue an answer, in order with the events.

        It is dropped only where the door's rule is to drop the newest. Elsewhere a peer that
        goes on asking without reading is closed at twice the bounds of the queue.
        """
        self.send_frame(self._answer(message))

    def send_frame(self, frame: bytes) -> None:
        """Queue a complete frame, as ``send``."""
        if not self._tick.answer(self, frame):
            self.answer(frame)

    def answer(self, frame: bytes) -> None:
        """Queue a frame after everything that was told before it; for the tick."""
        if self._held is None:
            self._queue(frame)
        elif self._has_room(frame):
            self._keep(frame)
        elif self._rules.overflow is Overflow.DROP_NEWEST:
            self.full = True
            self._lose()
        elif self._has_room(frame, times=2):
            self._keep(frame)
        else:
            self._overrun()

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
        self._tick.flush()
        self.closing = True
        self._tick.busy.add(self)
        self._wake()
        self._when_closed(code, reason)

    def ended(self) -> None:
        """Forget everything: the connection is gone."""
        self.closing = True
        self._tick.forget(self)
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
        """Write what waits in one go; called by the tick."""
        if not self.closing:
            self._write()
            self.check()
            if self.is_free():
                self._tick.busy.discard(self)

    def is_free(self) -> bool:
        """Say whether a shared frame may be written now without overtaking anything."""
        if self._held is not None or self._pending or self.closing:
            return False
        # The transport keeps the order of what goes through it; a write past it does not.
        return self.socket is None or not self._transport.get_write_buffer_size()

    def unsent(self, data: bytes, result: int) -> None:
        """Let the transport send what the socket did not take at once; for the tick.

        Args:
            result: Bytes that it took, or the negative number of an error.
        """
        if result < 0 and result != -errno.EAGAIN:
            return  # the connection is gone; its reader sees the same and cleans up
        self._tick.busy.add(self)
        with contextlib.suppress(RuntimeError):  # as above
            self.write(data[max(result, 0) :])
            self.check()

    def release(self) -> None:
        """Close the outbox's own file descriptor: nobody writes to it any more."""
        if self.socket is not None:
            os.close(self.socket)
            self.socket = None

    def check(self) -> None:
        """See whether the peer still takes what it is sent; called by the tick."""
        if self._transport.get_write_buffer_size() > self._tick.limits.write_buffer_bytes:
            self._stall()

    def _queue(self, frame: bytes) -> None:
        if not self._pending:
            self._tick.busy.add(self)
            self._tick.mark(self)
        self._pending.append(frame)

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
        self.write(b"".join(map(self._finish, pending) if self.numbered else pending))

    # -- a stalled peer ------------------------------------------------------------------

    def _stall(self) -> None:
        if self._held is None:
            self._held = deque()
            self._tick.busy.add(self)
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
                self.full = False
                self._write()
                if not self._held_bytes:
                    self._wake()
                await self._drain()
        except ConnectionError:
            return  # the reader of this connection sees the same and cleans up
        if not self.closing:
            self._held = None
            if self.is_free():
                self._tick.busy.discard(self)
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
        self.full = True
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

    def _has_room(self, frame: bytes, times: int = 1) -> bool:
        held = self._held
        return not held or (
            len(held) < self._rules.max_messages * times
            and self._held_bytes + len(frame) <= self._rules.max_bytes * times
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

    __slots__ = ("number",)

    numbered = True

    def __init__(
        self,
        transport: asyncio.WriteTransport,
        drain: Callable[[], Awaitable[None]],
        tick: Tick,
        rules: OutboxRules,
        when_closed: Callable[[int, str], None],
    ) -> None:
        """Begin to count at 1."""
        super().__init__(transport, drain, tick, rules, when_closed)
        self.number = 0
        """The last number that was given; the tick counts on where it writes by itself."""

    def frame(self, message: bytes) -> bytes:
        """Make the tail of a JSON object: everything after its opening brace."""
        return b"," + message[1:]

    def _answer(self, message: bytes) -> bytes:
        return ws_header(len(message)) + message

    def _finish(self, frame: bytes) -> bytes:
        if frame[0] & _FINAL:
            return frame  # an answer or a control frame: complete, and without a number
        self.number += 1
        return numbered_frame(self.number, frame)


class SseOutbox(FrameOutbox):
    """Server-sent events inside HTTP/1.1 chunks."""

    __slots__ = ()

    def frame(self, message: bytes) -> bytes:
        """Put a complete event (its lines and the blank one) into a chunk."""
        return b"%x\r\n%b\r\n" % (len(message), message)
