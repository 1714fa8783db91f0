"""A server-sent events client that follows the HTML standard's rules for `EventSource`.

It parses the stream by the letter (byte order mark, three kinds of line end, unknown fields,
comments), remembers the last event id, and reconnects by itself with `Last-Event-ID` after the
server's `retry` time, when a connection ends or cannot be made. Like the original it gives up
for good when the answer is not 200 or not an event stream.
"""

import asyncio
import contextlib
import re
from types import TracebackType
from typing import NamedTuple, Self

import aiohttp

from tests.clients.waiting import PATIENCE_S


FIRST_RETRY_S = 0.05
"""Browsers begin with some seconds; the standard leaves it open."""

LINE_END = re.compile(rb"\r\n|\n|\r")


class Message(NamedTuple):
    """One dispatched event."""

    type: str
    data: str
    last_event_id: str


class Parser:
    """Bytes in, messages out; one per connection, given the last id of the one before."""

    def __init__(self, last_event_id: str = "") -> None:
        self.last_event_id = last_event_id
        self.retry_s: float | None = None
        self._rest = b""
        self._begun = False
        self._data: list[str] = []
        self._type = ""
        self._id = last_event_id

    def feed(self, chunk: bytes) -> list[Message]:
        """Take bytes and return the messages that are complete with them."""
        self._rest += chunk
        if not self._begun and len(self._rest) >= 3:
            self._rest = self._rest.removeprefix(b"\xef\xbb\xbf")
            self._begun = True
        messages = []
        # A carriage return at the very end may be half of a line end.
        while (end := LINE_END.search(self._rest)) and (
            end.end() < len(self._rest) or end.group() != b"\r"
        ):
            line, self._rest = self._rest[: end.start()], self._rest[end.end() :]
            message = self._line(line.decode(errors="replace"))
            if message is not None:
                messages.append(message)
        return messages

    def _line(self, line: str) -> Message | None:
        if not line:
            return self._dispatch()
        field, _, value = line.partition(":")
        value = value.removeprefix(" ")
        if field == "data":
            self._data.append(value)
        elif field == "event":
            self._type = value
        elif field == "id" and "\0" not in value:
            self._id = value
        elif field == "retry" and value.isascii() and value.isdigit():
            self.retry_s = int(value) / 1_000
        return None

    def _dispatch(self) -> Message | None:
        self.last_event_id = self._id
        data, kind = self._data, self._type
        self._data, self._type = [], ""
        if not data:
            return None
        return Message(kind or "message", "\n".join(data), self.last_event_id)


class EventSource:
    """An open event source; messages are taken with `next`.

    Attributes:
        connections: How often the server answered with a stream so far.
    """

    def __init__(self, url: str, token: str) -> None:
        self.url = url
        self.connections = 0
        self._headers = {"Accept": "text/event-stream", "Cache-Control": "no-store"}
        self._headers["Authorization"] = f"Bearer {token}"
        self._messages: asyncio.Queue[Message | Exception] = asyncio.Queue()
        self._opened = asyncio.Event()
        self._last_event_id = ""
        self._retry_s = FIRST_RETRY_S

    async def __aenter__(self) -> Self:
        self._task = asyncio.create_task(self._run())
        async with asyncio.timeout(PATIENCE_S):
            await self._opened.wait()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await self._task

    async def next(self, kind: str = "message") -> Message:
        """Return the next message of a type; others are skipped, as without a listener.

        Raises:
            ConnectionError: The source failed for good.
        """
        while True:
            async with asyncio.timeout(PATIENCE_S):
                message = await self._messages.get()
            if isinstance(message, Exception):
                raise message
            if message.type == kind:
                return message

    async def _run(self) -> None:
        timeout = aiohttp.ClientTimeout(total=None, sock_connect=PATIENCE_S)
        async with aiohttp.ClientSession(timeout=timeout) as session:
            while True:
                try:
                    await self._follow(session)
                except aiohttp.ClientResponseError as refused:
                    self._messages.put_nowait(ConnectionError(str(refused)))
                    self._opened.set()
                    return
                except (aiohttp.ClientError, OSError):
                    pass
                await asyncio.sleep(self._retry_s)

    async def _follow(self, session: aiohttp.ClientSession) -> None:
        """Read one connection to its end."""
        headers = dict(self._headers)
        if self._last_event_id:
            headers["Last-Event-ID"] = self._last_event_id
        async with session.get(self.url, headers=headers, allow_redirects=False) as answer:
            if answer.status != 200 or answer.content_type != "text/event-stream":
                raise aiohttp.ClientResponseError(
                    answer.request_info,
                    answer.history,
                    status=answer.status,
                    message=f"no event stream: {await answer.text()}",
                )
            self.connections += 1
            self._opened.set()
            parser = Parser(self._last_event_id)
            async for chunk in answer.content.iter_any():
                for message in parser.feed(chunk):
                    self._messages.put_nowait(message)
                self._last_event_id = parser.last_event_id
                self._retry_s = self._retry_s if parser.retry_s is None else parser.retry_s
