"""Many sends in one system call: Linux's io_uring, where the kernel offers it.

A frame for 500 sockets is 500 writes, and each of them enters the kernel and comes back to
Python. Here they are prepared once per audience, as a block of ring entries, and handed over
together. Every send is tried at once and never waits (``MSG_DONTWAIT``), so when the call
returns the data has been taken or refused, and the buffer is free again. Only what was not
taken whole is reported (``IOSQE_CQE_SKIP_SUCCESS`` with ``MSG_WAITALL``).

Needs Linux 5.19; anywhere else ``open_ring`` gives ``None`` and transports write one by one.
Layouts and numbers: ``linux/io_uring.h``; the system calls' numbers are the same everywhere.
"""

import ctypes
import errno
import mmap
import os
import struct
import sys
from collections.abc import Collection, Sequence


_SETUP, _ENTER = 425, 426
_PARAMS = struct.Struct("<10I 8I Q 8I Q")
_ENTRY = struct.Struct("<BBHiQQIIQQQQ")
_PLACE = struct.Struct("<QI")
_PLACE_AT = 16
"""Where address and length stand in an entry."""
_COMPLETION = struct.Struct("<QiI")
_SEND, _NOTHING = 26, 0
_SKIP_SUCCESS = 1 << 6
_SKIPPED = _ENTRY.pack(_NOTHING, _SKIP_SUCCESS, *(0,) * 10)
_HOW = 0x40 | 0x100 | 0x4000
"""MSG_DONTWAIT, MSG_WAITALL, MSG_NOSIGNAL."""
_SUBMIT_ALL, _COOPERATIVE = 1 << 7, 1 << 8
_ENTRIES_AT = 0x1000_0000
"""Offset at which the kernel maps the entries."""
_NEEDED = 1 << 11
"""Feature bit of the kernels that know how to skip successes."""


class Batch:
    """Sends to a fixed list of sockets, prepared."""

    __slots__ = ("count", "entries", "placed")

    def __init__(self, sockets: Sequence[int]) -> None:
        """Prepare one send each.

        Args:
            sockets: File descriptors, which stay open as long as the batch is used.
        """
        self.count = len(sockets)
        self.entries = bytearray().join(
            _ENTRY.pack(_SEND, _SKIP_SUCCESS, 0, number, 0, 0, 0, _HOW, index, 0, 0, 0)
            for index, number in enumerate(sockets)
        )
        self.placed: tuple[int, int] | None = None
        """Address and length in all entries; ``None``: they differ."""

    def place_all(self, address: int, length: int) -> None:
        """Let every socket be sent the same bytes."""
        if self.placed != (address, length):
            for at, byte in enumerate(_PLACE.pack(address, length), _PLACE_AT):
                self.entries[at :: _ENTRY.size] = bytes((byte,)) * self.count
            self.placed = (address, length)

    def place(self, index: int, address: int, length: int) -> None:
        """Let one socket be sent these bytes."""
        _PLACE.pack_into(self.entries, index * _ENTRY.size + _PLACE_AT, address, length)
        self.placed = None

    def without(self, skipped: Collection[int]) -> bytearray:
        """Give the entries, with nothing to do for some sockets."""
        if not skipped:
            return self.entries
        entries = self.entries.copy()
        for index in skipped:
            entries[index * _ENTRY.size : (index + 1) * _ENTRY.size] = _SKIPPED
        return entries


class Ring:
    """One ring; for use on one thread."""

    def __init__(self, entries: int, buffer_bytes: int) -> None:
        """Set a ring up.

        Args:
            entries: Sends that fit in one system call; a power of two.
            buffer_bytes: Bytes of frames that fit in one call of ``send`` or ``send_each``.

        Raises:
            OSError: This kernel has no such rings, or does not allow them.
        """
        self._call = ctypes.CDLL(None, use_errno=True).syscall
        self._call.restype = ctypes.c_long
        params = ctypes.create_string_buffer(_PARAMS.size)
        struct.pack_into("<I", params, 8, _SUBMIT_ALL | _COOPERATIVE)
        self._fd = self._call(_SETUP, entries, params)
        if self._fd < 0:
            number = ctypes.get_errno()
            raise OSError(number, os.strerror(number))
        fields = _PARAMS.unpack(params.raw)
        self.entries, completions, features = fields[0], fields[1], fields[5]
        (_, self._sq_tail, sq_mask, _, _, _, sq_array) = fields[10:17]
        (self._cq_head, self._cq_tail, cq_mask, _, _, self._cq_entries) = fields[19:25]
        if not features & _NEEDED:
            os.close(self._fd)
            raise OSError(errno.ENOSYS, "this kernel is too old for batched sends")
        try:
            size = max(sq_array + self.entries * 4, self._cq_entries + completions * 16)
            self._ring = mmap.mmap(self._fd, size)
            self._slots = mmap.mmap(self._fd, self.entries * _ENTRY.size, offset=_ENTRIES_AT)
        except OSError:
            os.close(self._fd)
            raise
        self._sq_mask, self._cq_mask = self._word(sq_mask), self._word(cq_mask)
        for index in range(self.entries):
            struct.pack_into("<I", self._ring, sq_array + index * 4, index)
        self.buffer_bytes = buffer_bytes
        self._buffer = ctypes.create_string_buffer(buffer_bytes)
        self._address = ctypes.addressof(self._buffer)
        self._bytes = memoryview(self._buffer).cast("B")

    def close(self) -> None:
        """Give everything back."""
        self._ring.close()
        self._slots.close()
        os.close(self._fd)

    def send(
        self, batch: Batch, data: bytes, skipped: Collection[int] = ()
    ) -> list[tuple[int, int]]:
        """Send the same bytes to every socket of a batch, but to some.

        Args:
            data: Not longer than ``buffer_bytes``.
            skipped: Indexes of sockets that are left out.

        Returns:
            For each socket that did not take all: its index, and how many bytes it took, or
            the negative number of its error (``EAGAIN``: it took none).
        """
        self._bytes[: len(data)] = data
        batch.place_all(self._address, len(data))
        return self._submit(batch.without(skipped))

    def send_each(
        self, batch: Batch, frames: Sequence[bytes], skipped: Collection[int] = ()
    ) -> list[tuple[int, int]]:
        """Send each socket of a batch its own bytes; otherwise as ``send``.

        Args:
            frames: One for each socket; equal ones (by identity) are kept once, and all
                together are not longer than ``buffer_bytes``.
        """
        addresses: dict[int, int] = {}
        end = 0
        for index, frame in enumerate(frames):
            at = addresses.get(id(frame))
            if at is None:
                at = addresses[id(frame)] = end
                end += len(frame)
                self._bytes[at:end] = frame
            batch.place(index, self._address + at, len(frame))
        return self._submit(batch.without(skipped))

    def _submit(self, entries: bytearray) -> list[tuple[int, int]]:
        failed: list[tuple[int, int]] = []
        for start in range(0, len(entries), self.entries * _ENTRY.size):
            part = entries[start : start + self.entries * _ENTRY.size]
            taken = self._enter(part)
            self._collect(failed)
            # What the kernel did not even look at has taken nothing.
            left = _ENTRY.iter_unpack(part[taken * _ENTRY.size :])
            failed += ((entry[8], -errno.EAGAIN) for entry in left if entry[0] == _SEND)
        return failed

    def _enter(self, entries: bytearray) -> int:
        """Fill the ring and hand it to the kernel; gives how many entries it took."""
        size, count = _ENTRY.size, len(entries) // _ENTRY.size
        tail = self._word(self._sq_tail)
        first = tail & self._sq_mask
        before_end = min(count, self.entries - first) * size
        self._slots[first * size : first * size + before_end] = entries[:before_end]
        self._slots[: len(entries) - before_end] = entries[before_end:]
        self._set_word(self._sq_tail, tail + count)
        taken = 0
        while taken < count:
            more = self._call(_ENTER, self._fd, count - taken, 0, 0, None, 0)
            if more > 0:
                taken += more
            elif more == 0 or ctypes.get_errno() != errno.EINTR:
                self._set_word(self._sq_tail, tail + taken)
                break
        return taken

    def _collect(self, failed: list[tuple[int, int]]) -> None:
        head, tail = self._word(self._cq_head), self._word(self._cq_tail)
        while head != tail:
            at = self._cq_entries + (head & self._cq_mask) * _COMPLETION.size
            index, result, _ = _COMPLETION.unpack_from(self._ring, at)
            failed.append((index, result))
            head = (head + 1) & 0xFFFF_FFFF
        self._set_word(self._cq_head, head)

    def _word(self, at: int) -> int:
        word: int = struct.unpack_from("<I", self._ring, at)[0]
        return word

    def _set_word(self, at: int, value: int) -> None:
        struct.pack_into("<I", self._ring, at, value & 0xFFFF_FFFF)


def open_ring(entries: int = 1024, buffer_bytes: int = 512 * 1024) -> Ring | None:
    """Set a ring up where that can be done.

    Args: as ``Ring``.
    """
    if sys.platform != "linux" or sys.byteorder != "little":
        return None
    try:
        return Ring(entries, buffer_bytes)
    except OSError:
        return None
