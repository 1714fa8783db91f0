"""What the clients of all doors stand on: JSON sockets, event streams, REST calls.

They are clients as their users write them: they notice that a connection is gone, make a new
one, and ask again. Whatever a broken connection raises here is an ``OSError``, an
``EOFError``, an ``aiohttp.ClientError`` or a ``TimeoutError`` (``BROKEN``).
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from typing import Any, TypeVar

import aiohttp
import msgspec

from hubbub.prove.desk import RETRY_S, Desk, Refused
from hubbub.prove.history import Asked


T = TypeVar("T")

Frame = dict[str, Any]

BROKEN = (OSError, EOFError, aiohttp.ClientError, TimeoutError)
"""What a broken connection raises."""

CONNECT_S = 5.0
"""Seconds that a connection has to open; a black hole may take it."""
SERVER_FAULTS = 500
"""HTTP statuses from here on are the server's fault."""
TOO_MANY_REQUESTS = 429
CLIENT_FAULTS = 400
"""HTTP statuses from here on are refusals."""


class NotNow(OSError):
    """The daemon answered that it cannot do this now; the same request may succeed later."""


class Socket:
    """One WebSocket with JSON in its text messages."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        """Speak over an open connection."""
        self._socket = socket
        self._early: list[Frame] = []
        """What came before the pong that was waited for."""

    @classmethod
    async def open(
        cls, desk: Desk, path: str = "/", *, token: str | None = None, listener: str = ""
    ) -> "Socket":
        """Connect to the client's own door, or to another.

        Args:
            token: Sent as bearer; ``None`` where the wire has another place for it.
        """
        headers = {} if token is None else {"Authorization": f"Bearer {token}"}
        async with asyncio.timeout(CONNECT_S):
            socket = await desk.http.ws_connect(
                desk.url(listener) + path,
                headers=headers,
                autoping=False,  # pongs are looked at, see ``settle``
                max_msg_size=0,
                # Who leaves does not wait for the other's good-bye.
                timeout=aiohttp.ClientWSTimeout(ws_close=0.0),
            )
        return cls(socket)

    async def send(self, frame: Frame) -> None:
        """Send a message."""
        await self._socket.send_str(msgspec.json.encode(frame).decode())

    async def receive(self) -> Frame:
        """Wait for the next message.

        Raises:
            EOFError: The connection has ended.
        """
        if self._early:
            return self._early.pop(0)
        while True:
            frame = await self._next()
            if frame is not None:
                return frame

    async def settle(self) -> None:
        """Wait until the other side has seen all that was sent, the connection itself above all.

        Raises:
            EOFError: The connection has ended.
        """
        await self._socket.ping()
        while (frame := await self._next()) is not None:
            self._early.append(frame)

    async def close(self) -> None:
        """Leave."""
        await self._socket.close()

    async def _next(self) -> Frame | None:
        """Give the next message; ``None``: a pong came."""
        while True:
            message = await self._socket.receive()
            if message.type is aiohttp.WSMsgType.TEXT:
                frame: Frame = msgspec.json.decode(message.data)
                return frame
            if message.type is aiohttp.WSMsgType.PONG:
                return None
            if message.type is not aiohttp.WSMsgType.PING:
                reason = f"the connection ended: {message.type.name} {message.data}"
                raise EOFError(reason)
            await self._socket.pong(message.data)


class Line:
    """Requests and answers over one socket, which is made anew after it broke."""

    def __init__(self, connect: Callable[[], Awaitable[Socket]]) -> None:
        """Begin unconnected.

        Args:
            connect: Opens a socket and does what comes before the first request.
        """
        self._connect = connect
        self._socket: Socket | None = None

    async def exchange(self, frame: Frame, is_answer: Callable[[Frame], bool]) -> Frame:
        """Send a request and wait for its answer; what comes in between is passed over.

        A request that ends without an answer, in whatever way, ends the connection.
        """
        if self._socket is None:
            self._socket = await self._connect()
        try:
            return await exchange(self._socket, frame, is_answer)
        except BaseException:
            await self.drop()
            raise

    async def drop(self) -> None:
        """Leave; the next request comes over a new connection."""
        socket, self._socket = self._socket, None
        if socket is not None:
            await socket.close()


async def exchange(socket: Socket, frame: Frame, is_answer: Callable[[Frame], bool]) -> Frame:
    """Send a request and wait for its answer; what comes in between is passed over."""
    await socket.send(frame)
    while True:
        answer = await socket.receive()
        if is_answer(answer):
            return answer


class SseEvent(msgspec.Struct, frozen=True):
    """One server-sent event."""

    name: str
    data: bytes
    cursor: str | None = None
    """Its ``id:``."""


async def sse_events(
    desk: Desk, path: str, *, token: str, after: str | None
) -> AsyncIterator[SseEvent]:
    """Open an event stream and give what comes; ends with an error when the stream does.

    Args:
        after: Sent as ``Last-Event-ID``.

    Raises:
        EOFError: The stream has ended.
    """
    headers = {"Authorization": f"Bearer {token}", "Accept": "text/event-stream"}
    if after is not None:
        headers["Last-Event-ID"] = after
    timeout = aiohttp.ClientTimeout(total=None, connect=CONNECT_S)
    async with desk.http.get(desk.url() + path, headers=headers, timeout=timeout) as answer:
        answer.raise_for_status()
        fields: dict[str, bytes] = {}
        while line := await answer.content.readline():
            if not line.endswith(b"\n"):
                break  # cut off: an event that is not whole is none
            name, _, value = line.rstrip(b"\r\n").partition(b":")
            if name:
                fields[name.decode()] = value.removeprefix(b" ")
            elif fields:
                if "data" in fields:
                    yield _sse_event(fields)
                fields = {}
    reason = "the stream ended"
    raise EOFError(reason)


def _sse_event(fields: Mapping[str, bytes]) -> SseEvent:
    cursor = fields.get("id")
    return SseEvent(
        name=fields.get("event", b"message").decode(),
        data=fields["data"],
        cursor=None if cursor is None else cursor.decode(),
    )


async def rest(
    desk: Desk,
    method: str,
    path: str,
    *,
    body: object = None,
    headers: Mapping[str, str] | None = None,
) -> Any:
    """Make a REST call at the client's own door, as the client, and give the answer's body.

    Raises:
        Refused: The daemon answered with an error.
        NotNow: It answered that it cannot do this now.
    """
    fields = {"Authorization": f"Bearer {desk.token()}", **(headers or {})}
    data = None
    if body is not None:
        data = msgspec.json.encode(body)
        fields["Content-Type"] = "application/json"
    async with desk.http.request(method, desk.url() + path, data=data, headers=fields) as answer:
        text = await answer.read()
        detail = f"{answer.status} {text.decode(errors='replace')}"
    if answer.status >= SERVER_FAULTS or answer.status == TOO_MANY_REQUESTS:
        raise NotNow(detail)
    if answer.status >= CLIENT_FAULTS:
        raise Refused(detail)
    return msgspec.json.decode(text)


async def follow(desk: Desk, connection: Callable[[], Awaitable[None]]) -> None:
    """Let a reader come back whenever its connection ends, until all is over.

    Args:
        connection: Connects and reads until the connection breaks.
    """
    while not desk.ended.is_set():
        try:
            await connection()
        except BROKEN:
            await asyncio.sleep(RETRY_S)


async def surely(desk: Desk, read: Callable[[], Awaitable[T]]) -> T:
    """Read something, again and again until it is answered.

    Raises:
        EOFError: The proof is over.
    """
    while not desk.ended.is_set():
        try:
            async with asyncio.timeout(CONNECT_S):
                return await read()
        except BROKEN:
            await asyncio.sleep(RETRY_S)
    reason = "the proof is over"
    raise EOFError(reason)


def asked_streams(desk: Desk, verb: str) -> Iterator[str]:
    """Give each topic for which writers of this door asked something, once."""
    asked = (record for record in desk.history.records if isinstance(record, Asked))
    yield from dict.fromkeys(a.stream for a in asked if a.verb == verb and a.door == desk.door)
