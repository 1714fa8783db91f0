"""One process with a process group of its own: its pipes, and the end of all of it."""

import asyncio
import contextlib
import os
import signal
from collections.abc import AsyncGenerator, Mapping, Sequence
from typing import Any, cast


MAX_QUEUED_BYTES = 64 * 1024
"""Bytes of output that wait to be read before the process is held up."""
MAX_COMPLAINT_BYTES = 4096
"""Bytes at the end of standard error that are kept."""
POLL_S = 0.02
"""Seconds between two looks at whether the group is gone."""
STDOUT, STDERR = 1, 2


class Group(asyncio.SubprocessProtocol):
    """A process and its children."""

    _transport: asyncio.SubprocessTransport

    def __init__(self) -> None:
        """Belong to no process yet; ``start`` makes one."""
        self._chunks: list[bytes] = []
        self._queued = 0
        self._is_paused = False
        self._stirred = asyncio.Event()
        self._has_ended = False
        self._is_silent = False
        self._complaint = b""

    @classmethod
    async def start(
        cls, command: Sequence[str], *, given: bytes, environ: Mapping[str, str], cwd: str | None
    ) -> "Group":
        """Start a program, and give it all that it reads from standard input.

        Raises:
            OSError: It cannot be started.
        """
        loop = asyncio.get_running_loop()
        transport, group = await loop.subprocess_exec(
            cls, *command, env=dict(environ), cwd=cwd, start_new_session=True
        )
        pipe: Any = transport.get_pipe_transport(0)
        # A program that has closed its input already, or has ended, need not read it: what it
        # prints and its exit code tell. uvloop raises there, where asyncio passes over it.
        with contextlib.suppress(RuntimeError):
            pipe.write(given)
            pipe.write_eof()
        return group

    @property
    def returncode(self) -> int | None:
        """Exit code; negative: the signal that ended it; ``None`` while it runs."""
        return self._transport.get_returncode()

    @property
    def is_held(self) -> bool:
        """It has printed more than has been read, and is held up."""
        return self._is_paused

    @property
    def complaint(self) -> str:
        """Give the end of what it wrote to standard error."""
        return self._complaint.decode(errors="replace").strip()

    async def output(self) -> AsyncGenerator[bytes, None]:
        """Give what it prints, until it has ended and all has been read."""
        while True:
            while self._chunks:
                chunk = b"".join(self._chunks)
                self._chunks.clear()
                self._queued = 0
                self._hold(paused=False)
                yield chunk
            if self._is_silent and self._has_ended:
                return
            if self._has_ended:
                # Children that it left behind may hold the pipe open for ever.
                self._signal(signal.SIGKILL)
            self._stirred.clear()
            await self._stirred.wait()

    async def end(self, grace_s: float) -> None:
        """End the whole group: SIGTERM, and SIGKILL for what is left after the grace."""
        loop = asyncio.get_running_loop()
        deadline = loop.time() + grace_s
        is_there = self._signal(signal.SIGTERM)
        while is_there and loop.time() < deadline:
            await asyncio.sleep(POLL_S)
            is_there = self._signal(0)
        self._signal(signal.SIGKILL)
        while not self._has_ended:
            self._stirred.clear()
            await self._stirred.wait()
        self._transport.close()

    def _signal(self, number: int) -> bool:
        """Send a signal to the group; false: it is gone."""
        try:
            os.killpg(self._transport.get_pid(), number)
        except (ProcessLookupError, PermissionError):  # macOS: only zombies are left
            return False
        return True

    def _hold(self, *, paused: bool) -> None:
        """Hold the process up, or let it print on."""
        if paused == self._is_paused or self._is_silent:
            return
        self._is_paused = paused
        pipe: Any = self._transport.get_pipe_transport(STDOUT)
        if paused:
            pipe.pause_reading()
        else:
            pipe.resume_reading()

    # -- called by the event loop --------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Take the transport."""
        self._transport = cast("asyncio.SubprocessTransport", transport)

    def pipe_data_received(self, fd: int, data: bytes) -> None:
        """Take output."""
        if fd == STDERR:
            self._complaint = (self._complaint + data)[-MAX_COMPLAINT_BYTES:]
            return
        self._chunks.append(data)
        self._queued += len(data)
        if self._queued > MAX_QUEUED_BYTES:
            self._hold(paused=True)
        self._stirred.set()

    def pipe_connection_lost(self, fd: int, exc: Exception | None) -> None:  # noqa: ARG002 asyncio's
        """Note that nothing more will be printed; a program need not read its input."""
        if fd == STDOUT:
            self._is_silent = True
            self._stirred.set()

    def process_exited(self) -> None:
        """Note that the process has ended."""
        self._has_ended = True
        self._stirred.set()
