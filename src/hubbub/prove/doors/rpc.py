"""JSON-RPC calls over one WebSocket, as hubbub's own door and CAR's have them."""

import itertools
from collections.abc import Awaitable, Callable
from typing import Any

from hubbub.prove.desk import Refused
from hubbub.prove.doors.wire import Frame, Line, NotNow, Socket, exchange


INTERNAL = "internal_error"
HELD = "lock_held"
"""Error code that calls itself retryable, and is an answer to a rival."""


class Rpc:
    """JSON-RPC calls; a broken connection is made anew by the next call."""

    def __init__(self, connect: Callable[[], Awaitable[Socket]]) -> None:
        """Begin unconnected.

        Args:
            connect: Opens a socket on which calls can be made at once.
        """
        self._line = Line(connect)
        self._ids = itertools.count(1)

    async def call(self, method: str, **params: Any) -> Any:
        """Call a method and give its result; parameters that are ``None`` are left out.

        Raises:
            Refused: The daemon answered with an error.
            NotNow: It answered that it cannot do this now.
        """
        frame = request(next(self._ids), method, params)
        return result(await self._line.exchange(frame, lambda reply: is_answer(reply, frame)))

    async def drop(self) -> None:
        """End the connection."""
        await self._line.drop()


async def call_on(socket: Socket, number: int, method: str, **params: Any) -> Any:
    """Call a method on a given socket. Raises as ``Rpc.call``."""
    frame = request(number, method, params)
    return result(await exchange(socket, frame, lambda reply: is_answer(reply, frame)))


def request(number: int | str, method: str, params: dict[str, Any]) -> Frame:
    """Make a request."""
    given = {name: value for name, value in params.items() if value is not None}
    return {"jsonrpc": "2.0", "id": number, "method": method, "params": given}


def is_answer(reply: Frame, frame: Frame) -> bool:
    """Say whether a message answers a request."""
    return reply.get("id") == frame["id"] and "method" not in reply


def result(reply: Frame) -> Any:
    """Give the result of an answer.

    Raises:
        Refused: The answer is an error.
        NotNow: It is one of a daemon that cannot do this now.
    """
    error = reply.get("error")
    if error is None:
        return reply["result"]
    data = error.get("data") or {}
    code = data.get("code") or error["code"]
    detail = f"{code}: {error['message']}"
    if code == INTERNAL or (data.get("retryable") and code != HELD):
        raise NotNow(detail)
    raise Refused(detail)
