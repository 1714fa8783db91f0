"""One tick, one write: what is told in one tick of the event loop leaves at its end.

This is the hot path of the daemon. Per connection and tick there is one write, and where
one audience was told something (the usual case) its frames are joined once for all of its
members. Everything that concerns one connection keeps its order: events in the order in
which they were told, and answers after the events that came before them.
"""

import asyncio
from collections.abc import Collection
from typing import TYPE_CHECKING, NamedTuple

from hubbub.core.audience import Member, Members
from hubbub.core.limits import DEFAULT_LIMITS, Limits
from hubbub.core.values import Event
from hubbub.transport.crowd import Crowd
from hubbub.transport.uring import Ring


if TYPE_CHECKING:
    from hubbub.transport.outbox import FrameOutbox

CHECK_BYTES = 32 * 1024
"""Bytes written to each member of an audience between two looks at how far they lag."""


class Told(NamedTuple):
    """A frame for all members of an audience."""

    members: Members
    frame: bytes
    event: Event
    is_vital: bool


class Answered(NamedTuple):
    """A frame for one connection."""

    outbox: "FrameOutbox"
    frame: bytes


class Tick:
    """Collects what is told, and writes it out at the end of the tick."""

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        limits: Limits = DEFAULT_LIMITS,
        ring: Ring | None = None,
    ) -> None:
        """Begin with nothing to write.

        Args:
            ring: Sends to many sockets at once; ``None``: transports write one by one.
        """
        self.limits = limits
        self.ring = ring
        self._loop = loop
        self._log: list[Told | Answered] = []
        self._marked: list[FrameOutbox] = []
        self._armed = False
        self._unchecked = 0
        self._gone: list[FrameOutbox] = []
        self.busy: set[FrameOutbox] = set()
        """Outboxes that have something of their own waiting; they take no shared frame as it is."""

    def tell(
        self,
        members: Members,
        frame: bytes,
        event: Event,
        is_vital: bool,  # noqa: FBT001 as FanOut
    ) -> None:
        """Have a frame written to all members of an audience."""
        self.arm()
        self._log.append(Told(members, frame, event, is_vital))

    def answer(self, outbox: "FrameOutbox", frame: bytes) -> bool:
        """Have a frame written after what was told so far; false: nothing was."""
        if self._log:
            self._log.append(Answered(outbox, frame))
            return True
        return False

    def mark(self, outbox: "FrameOutbox") -> None:
        """Have an outbox flushed."""
        self.arm()
        self._marked.append(outbox)

    def flush(self) -> None:
        """Write everything now."""
        self._armed = False
        log, self._log = self._log, []
        if log:
            self._write(log)
        marked, self._marked = self._marked, []
        for outbox in marked:
            outbox.flush()
        if self._gone:
            self.busy.difference_update(self._gone)
            for outbox in self._gone:
                outbox.release()
            self._gone = []

    def forget(self, outbox: "FrameOutbox") -> None:
        """Write nothing more to an outbox: its connection is gone.

        What this tick was told before may still name it, so it stays busy to the tick's end.
        """
        self.busy.add(outbox)
        self._gone.append(outbox)
        self.arm()

    def arm(self) -> None:
        """Have everything written before the event loop waits again."""
        if not self._armed:
            self._armed = True
            self._loop.call_soon(self.flush)

    def _write(self, log: list[Told | Answered]) -> None:
        told = [entry for entry in log if isinstance(entry, Told)]
        members = told[0].members
        if any(entry.members is not members for entry in told):
            _queue_each(log)
            return
        answered = {entry.outbox for entry in log if isinstance(entry, Answered)}
        for member in self._write_shared(members, [entry.frame for entry in told], answered):
            answered.discard(member.outbox)
            _queue_for(member, log)
        for entry in log:
            if isinstance(entry, Answered) and entry.outbox in answered:
                entry.outbox.answer(entry.frame)

    def _write_shared(
        self,
        members: Members,
        frames: list[bytes],
        answered: "set[FrameOutbox]",
    ) -> list[Member]:
        """Write the frames of one audience; gives the members that need more care."""
        joined = frames[0] if len(frames) == 1 else b"".join(frames)
        crowd = members.prepared if isinstance(members.prepared, Crowd) else Crowd(members)
        self.busy |= answered  # what waits for them alone has a place among these frames
        rest: Collection[FrameOutbox] = ()
        if not self.busy.isdisjoint(crowd.members):
            busy = self.busy & crowd.members.keys()
            rest = {outbox for outbox in busy if outbox in answered or not outbox.is_free()}
            self.busy -= busy - rest
        if crowd.numbered:
            crowd.write_numbered(self.ring, frames, rest)
        else:
            crowd.write(self.ring, joined, rest)
        self._unchecked += len(joined)
        if self._unchecked > CHECK_BYTES:
            self._unchecked = 0
            # What a socket did not take of the ring's writes was looked at when it did not.
            for outbox in crowd.through:
                outbox.check()
        return [crowd.members[outbox] for outbox in rest]


def _queue_each(log: list[Told | Answered]) -> None:
    """Queue the frames of several audiences, each for each of its members."""
    for entry in log:
        if isinstance(entry, Told):
            for member in entry.members:
                member.give(entry.frame, entry.event, entry.is_vital)
        else:
            entry.outbox.answer(entry.frame)


def _queue_for(member: Member, log: list[Told | Answered]) -> None:
    """Queue for one member of the only audience what concerns it."""
    for entry in log:
        if isinstance(entry, Told):
            member.give(entry.frame, entry.event, entry.is_vital)
        elif entry.outbox is member.outbox:
            entry.outbox.answer(entry.frame)
