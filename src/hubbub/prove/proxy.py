"""A TCP proxy before each door, by which connections are cut, held up and swallowed.

Clients always find the daemon at the same address, also after a restart on other ports.
"""

import asyncio
import contextlib
import math
from collections.abc import Callable, Iterator

from hubbub.prove.desk import RETRY_S


CHUNK = 64 * 1024


class Proxy:
    """The way to one listener."""

    def __init__(self, target: Callable[[], tuple[str, int] | None]) -> None:
        """Prepare; ``open`` begins.

        Args:
            target: Gives where the listener is now; ``None`` while there is none.
        """
        self._target = target
        self._server: asyncio.Server | None = None
        self._ways: dict[asyncio.StreamWriter, None] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._flowing = asyncio.Event()
        self._flowing.set()
        self._swallowing = False
        self.url = ""

    async def open(self) -> None:
        """Listen on a free port."""
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", 0)
        host, port = self._server.sockets[0].getsockname()[:2]
        self.url = f"http://{host}:{port}"

    async def close(self) -> None:
        """Cut everything and listen no more."""
        if self._server is not None:
            self._server.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def cut(self, percent: int = 100) -> None:
        """End connections at once, as a reset does: what was on its way is lost.

        Args:
            percent: How many of them, oldest first.
        """
        for way in tuple(self._ways)[: math.ceil(len(self._ways) * percent / 100)]:
            way.transport.abort()

    def stall(self) -> None:
        """Let no byte pass; ``heal`` lets them go on, and none is lost."""
        self._flowing.clear()

    def swallow(self) -> None:
        """Take every byte and pass on none; end it with ``cut``."""
        self._swallowing = True

    def heal(self) -> None:
        """Pass on what comes."""
        self._swallowing = False
        self._flowing.set()

    def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serve a connection as a task of ours: the server does not wait for its own."""
        task = asyncio.create_task(self._serve(reader, writer))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        target = self._target()
        with contextlib.ExitStack() as ways:
            ways.enter_context(self._held(writer))
            if target is None:
                # As a closed port would, but without the client's haste.
                await asyncio.sleep(RETRY_S)
                return
            with contextlib.suppress(OSError):
                theirs, ours = await asyncio.open_connection(*target)
                ways.enter_context(self._held(ours))
                await asyncio.gather(self._pump(reader, ours), self._pump(theirs, writer))

    @contextlib.contextmanager
    def _held(self, writer: asyncio.StreamWriter) -> Iterator[None]:
        self._ways[writer] = None
        try:
            yield
        finally:
            del self._ways[writer]
            writer.transport.abort()

    async def _pump(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Pass bytes on until one side ends."""
        with contextlib.suppress(OSError):
            while data := await reader.read(CHUNK):
                await self._flowing.wait()
                if not self._swallowing:
                    writer.write(data)
                    await writer.drain()
            if writer.can_write_eof():
                writer.write_eof()
