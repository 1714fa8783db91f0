"""Writing to a whole audience: the hottest loops of the daemon."""

from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING, Any

from hubbub.core.audience import Member, Members
from hubbub.transport.numbering import Numbering
from hubbub.transport.uring import Batch, Ring


if TYPE_CHECKING:
    from hubbub.transport.outbox import FrameOutbox

Few = Collection["FrameOutbox"]


class Crowd:
    """The members of an audience, prepared for being written to in one go.

    Plain sockets are written to through the ring, where there is one; others through their
    transports. Both keep a connection's order: who has anything waiting is left out by the
    caller (``but``), and what a socket did not take follows through its transport.
    """

    __slots__ = ("_batch", "_indexes", "_plain", "members", "numbered", "through")

    def __init__(self, members: Members) -> None:
        self.members: dict[Any, Member] = {member.outbox: member for member in members}
        """By their outbox, which is a ``FrameOutbox``."""
        self.numbered: bool = next(iter(self.members)).numbered
        self._plain: list[FrameOutbox] = []
        """Those that the ring can write to; the batch has their sockets, in this order."""
        self.through: list[FrameOutbox] = []
        """Those that must be written to through their transports."""
        sockets: list[int] = []
        for outbox in self.members:
            if outbox.socket is None:
                self.through.append(outbox)
            else:
                self._plain.append(outbox)
                sockets.append(outbox.socket)
        self._batch = Batch(sockets)
        self._indexes = {outbox: index for index, outbox in enumerate(self._plain)}
        members.prepared = self

    def write(self, ring: Ring | None, data: bytes, but: Few) -> None:
        """Write the same bytes to everyone, but to a few."""
        if ring is not None and self._plain:
            if len(data) <= ring.buffer_bytes:
                for index, result in ring.send(self._batch, data, self._skipped(but)):
                    self._plain[index].unsent(data, result)
            else:
                for outbox in self._plain:
                    if outbox not in but:
                        outbox.unsent(data, 0)
        for outbox in self.through:
            if not but or outbox not in but:
                try:
                    outbox.write(data)
                except RuntimeError:  # its connection has just gone; its reader cleans up
                    continue

    def write_numbered(self, ring: Ring | None, tails: Sequence[bytes], but: Few) -> None:
        """Write frames to everyone, but to a few, each with its connection's own numbers."""
        numbering, count = Numbering(tails), len(tails)
        if ring is not None and self._plain:
            self._number(ring, numbering, count, but)
        through: list[Any] = self.through
        for outbox in through:
            if but and outbox in but:
                continue
            before = outbox.number
            outbox.number = before + count
            try:
                outbox.write(numbering.after(before))
            except RuntimeError:  # as above
                continue

    def _number(self, ring: Ring, numbering: Numbering, count: int, but: Few) -> None:
        """Number the frames of those that the ring can write to, and write them."""
        plain: list[Any] = self._plain
        skipped = self._skipped(but)
        before = [outbox.number for outbox in plain]
        for outbox in plain:
            outbox.number += count
        for index in skipped:
            plain[index].number -= count
        frames = {number: numbering.after(number) for number in set(before)}
        if sum(map(len, frames.values())) > ring.buffer_bytes:
            left_out = frozenset(skipped)
            failed = [(index, 0) for index in range(len(plain)) if index not in left_out]
        elif len(frames) == 1:
            (data,) = frames.values()
            failed = ring.send(self._batch, data, skipped)
        else:
            failed = ring.send_each(self._batch, [frames[number] for number in before], skipped)
        for index, result in failed:
            plain[index].unsent(frames[before[index]], result)

    def _skipped(self, but: Few) -> Collection[int]:
        """Give the places of those to leave out among those that the ring writes to."""
        return [self._indexes[outbox] for outbox in but if outbox in self._indexes] if but else ()
