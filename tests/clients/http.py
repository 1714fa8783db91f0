"""HTTP and server-sent events on `aiohttp`, as a script with a token would use them."""

import asyncio
import io
import json
from collections.abc import Mapping
from types import TracebackType
from typing import Any, NamedTuple, Self

import aiohttp

from tests.clients.waiting import PATIENCE_S


class Answer(NamedTuple):
    """What came back: status, headers and the body, parsed where it is JSON."""

    status: int
    headers: Mapping[str, str]
    body: Any
    text: str


class Sse(NamedTuple):
    """One server-sent event."""

    event: str
    data: Any
    id: str


class HttpClient:
    """A keep-alive HTTP client towards one listener, with a bearer token or none."""

    def __init__(self, base_url: str, token: str | None = None) -> None:
        self.base_url = base_url
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        timeout = aiohttp.ClientTimeout(total=PATIENCE_S)
        connector = aiohttp.TCPConnector(limit=0)
        self._streams: list[SseStream] = []
        self.session = aiohttp.ClientSession(headers=headers, timeout=timeout, connector=connector)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for stream in self._streams:
            stream.close()
        await self.session.close()

    async def request(
        self,
        method: str,
        path: str,
        body: object = None,
        *,
        data: bytes | str | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        """Send one request; `body` goes out as JSON, `data` as it is."""
        sent: dict[str, Any] = {"headers": dict(headers or {})}
        if body is not None:
            sent["headers"].setdefault("Content-Type", "application/json")
            data = json.dumps(body)
        if data is not None:
            # A stream, because the library warns of large bodies that are not.
            sent["data"] = io.BytesIO(data.encode() if isinstance(data, str) else data)
        async with self.session.request(method, self.base_url + path, **sent) as response:
            raw = await response.read()
            text = raw.decode(errors="replace")
            return Answer(response.status, response.headers, _parsed(text), text)

    async def get(self, path: str, *, headers: Mapping[str, str] | None = None) -> Answer:
        """Send a GET."""
        return await self.request("GET", path, headers=headers)

    async def post(
        self, path: str, body: object = None, *, headers: Mapping[str, str] | None = None
    ) -> Answer:
        """Send a POST with a JSON body."""
        return await self.request("POST", path, body, headers=headers)

    async def events(self, path: str, *, headers: Mapping[str, str] | None = None) -> "SseStream":
        """Open a stream of server-sent events."""
        timeout = aiohttp.ClientTimeout(total=None, sock_read=PATIENCE_S)
        response = await self.session.get(
            self.base_url + path, headers=dict(headers or {}), timeout=timeout
        )
        stream = SseStream(response)
        self._streams.append(stream)
        return stream


class SseStream:
    """An open stream of server-sent events, parsed as a browser's `EventSource` does."""

    def __init__(self, response: aiohttp.ClientResponse) -> None:
        self.response = response

    @property
    def status(self) -> int:
        """The HTTP status the stream was opened with."""
        return self.response.status

    async def next(self) -> Sse:
        """Return the next event; comments are skipped.

        Raises:
            EOFError: The daemon ended the stream.
        """
        event, data, last_id = "message", [], ""
        while True:
            async with asyncio.timeout(PATIENCE_S):
                raw = await self.response.content.readline()
            if not raw:
                raise EOFError
            name, _, value = raw.decode().rstrip("\r\n").partition(":")
            value = value.removeprefix(" ")
            if name == "data":
                data.append(value)
            elif name == "event":
                event = value
            elif name == "id":
                last_id = value
            elif not raw.strip() and data:
                return Sse(event, _parsed("\n".join(data)), last_id)

    async def collect(self, count: int) -> list[Sse]:
        """Return the next `count` events."""
        return [await self.next() for _ in range(count)]

    def close(self) -> None:
        """Leave the stream as a closed browser tab does."""
        self.response.close()


def _parsed(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return None
