"""The one place of the client that knows the WebSocket library."""

import contextlib
import ssl
from http import HTTPStatus
from typing import Any

import aiohttp
import msgspec

from hubbub.client.errors import Unreachable, refused
from hubbub.client.place import Place
from hubbub.client.wire import Wire


MAX_ERROR_BYTES = 64 * 1024
"""Bytes of a refusal that are read at most."""
UPGRADE = {
    "Connection": "Upgrade",
    "Upgrade": "websocket",
    "Sec-WebSocket-Version": "13",
    "Sec-WebSocket-Key": "aHViYnViJ3MgY2xpZW50IQ==",
}
"""Headers of a request for a socket, in which nothing is secret."""
CLOSE_S = 2.0
"""Seconds that the daemon has to answer a close frame."""


class _Socket:
    """A WebSocket to ``/rpc``."""

    def __init__(
        self, session: aiohttp.ClientSession, socket: aiohttp.ClientWebSocketResponse
    ) -> None:
        self._session = session
        self._socket = socket

    @property
    def code(self) -> int | None:
        """Close code with which the daemon has ended it."""
        return self._socket.close_code

    async def send(self, text: str) -> None:
        """Send one message; the reader notices the end."""
        with contextlib.suppress(aiohttp.ClientError, ConnectionError):
            await self._socket.send_str(text)

    async def receive(self) -> str | bytes | None:
        """Wait for a message."""
        message = await self._socket.receive()
        if message.type in (aiohttp.WSMsgType.TEXT, aiohttp.WSMsgType.BINARY):
            data: str | bytes = message.data
            return data
        return None

    async def close(self) -> None:
        """Close socket and session."""
        await self._socket.close()
        await self._session.close()


async def dial(place: Place, *, open_s: float, heartbeat_s: float) -> Wire:
    """Connect.

    Args:
        open_s: Seconds that the connection may take to open.
        heartbeat_s: Seconds of silence after which the daemon is asked whether it lives.

    Raises:
        Refused: The daemon does not want us, and says why.
        Unreachable: It does not answer.
    """
    tls: ssl.SSLContext | bool = place.tls or True
    headers = {"Authorization": f"Bearer {place.token}"}
    session = aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(ssl=tls),
        headers=headers,
        timeout=aiohttp.ClientTimeout(total=open_s),
    )
    try:
        socket = await _opened(session, place, heartbeat_s)
    except BaseException:
        await session.close()
        raise
    return _Socket(session, socket)


async def _opened(
    session: aiohttp.ClientSession, place: Place, heartbeat_s: float
) -> aiohttp.ClientWebSocketResponse:
    try:
        return await session.ws_connect(
            f"{place.url}/rpc",
            heartbeat=heartbeat_s,
            max_msg_size=0,
            timeout=aiohttp.ClientWSTimeout(ws_close=CLOSE_S),
        )
    except aiohttp.WSServerHandshakeError:
        raise await _reason(session, place) from None
    except (aiohttp.ClientError, OSError, TimeoutError) as error:
        raise Unreachable(_unreachable(place, error)) from None


def _unreachable(place: Place, error: BaseException) -> str:
    pid = f" (pid {place.pid})" if place.pid else ""
    why = str(error) or type(error).__name__
    return f"the daemon at {place.url}{pid} does not answer: {why}; `hubbub serve` starts one"


async def _reason(session: aiohttp.ClientSession, place: Place) -> Exception:
    """Ask once more, and read the answer, which the library keeps to itself."""
    try:
        async with session.get(f"{place.url}/rpc", headers=UPGRADE) as answer:
            line = f"{answer.status} {answer.reason}"
            if answer.status == HTTPStatus.SWITCHING_PROTOCOLS:
                answer.close()
                return Unreachable(_unreachable(place, TimeoutError("it was too busy")))
            body = await answer.content.read(MAX_ERROR_BYTES)
        told: dict[str, Any] = msgspec.json.decode(body)["error"]
        message, code, retryable = told["message"], told["code"], told["retryable"]
    except (aiohttp.ClientError, OSError, TimeoutError) as error:
        return Unreachable(_unreachable(place, error))
    except (msgspec.DecodeError, KeyError, TypeError):
        return Unreachable(f"{place.url} answered {line}; is it hubbub?")
    return refused(message, code, retryable=retryable, data=told)
