"""The long connections of one listener: who is there, and how much waits for each."""

import time
from collections.abc import Callable, Collection

from aiohttp import WSCloseCode

from hubbub.core.health import ConnectionHealth
from hubbub.core.values import Principal
from hubbub.transport.outbox import FrameOutbox


class LongConnection:
    """One WebSocket or event stream."""

    __slots__ = ("began", "door", "number", "outbox", "principal")

    def __init__(
        self, number: int, door: str, principal: Principal | None, outbox: FrameOutbox, began: float
    ) -> None:
        """Begin.

        Args:
            began: Seconds, of the registry's clock.
        """
        self.number = number
        self.door = door
        self.principal = principal
        """``None`` until its messages have said who it is."""
        self.outbox = outbox
        self.began = began


class LongConnections:
    """What is open on one listener, and what it has counted of those that have ended."""

    def __init__(self, listener: str, clock: Callable[[], float] = time.monotonic) -> None:
        """Begin with none."""
        self._listener = listener
        self._clock = clock
        self._open: dict[int, LongConnection] = {}
        self._number = 0
        self._dropped = 0

    def __len__(self) -> int:
        """Count what is open."""
        return len(self._open)

    def open(self, door: str, principal: Principal | None, outbox: FrameOutbox) -> LongConnection:
        """Note a connection."""
        self._number = number = self._number + 1
        opened = LongConnection(number, door, principal, outbox, self._clock())
        self._open[number] = opened
        return opened

    def close(self, connection: LongConnection) -> None:
        """Note the end of a connection."""
        del self._open[connection.number]
        self._dropped += connection.outbox.dropped

    def expel(self, tokens: Collection[str], why: str) -> None:
        """Close what these tokens have opened.

        Args:
            tokens: Their digests.
        """
        for each in tuple(self._open.values()):
            if each.principal is not None and each.principal.token in tokens:
                each.outbox.close(WSCloseCode.POLICY_VIOLATION, why)

    @property
    def queued_bytes(self) -> int:
        """Bytes that wait for all these peers."""
        return sum(connection.outbox.queued_bytes for connection in self._open.values())

    @property
    def dropped(self) -> int:
        """Frames that slow peers did not get, since the start."""
        return self._dropped + sum(each.outbox.dropped for each in self._open.values())

    def health(self, now: int, lagging: Collection[object], most: int) -> list[ConnectionHealth]:
        """Say how each is, the newest first.

        Args:
            now: Unix time in milliseconds.
            lagging: Outboxes for which the store is read.
            most: Connections at most.
        """
        clock = self._clock()
        newest = list(self._open.values())[-most:]
        return [
            ConnectionHealth(
                id=f"{self._listener}-{each.number}",
                door=each.door,
                principal=None if each.principal is None else each.principal.id,
                agent=None if each.principal is None else each.principal.agent,
                since=now - int((clock - each.began) * 1000),
                queued_frames=each.outbox.queued_messages,
                queued_bytes=each.outbox.queued_bytes,
                dropped=each.outbox.dropped,
                lagging=each.outbox in lagging,
            )
            for each in reversed(newest)
        ]
