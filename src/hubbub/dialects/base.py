"""What every dialect gives to the transport, and gets from it.

A dialect has HTTP routes over the plain records below, and WebSocket paths, each with a
session object per connection. It never sees the HTTP server.
"""

import enum
from collections.abc import Awaitable, Callable, Coroutine, Mapping, Sequence
from typing import Any, Protocol

import msgspec

from hubbub.core.ports import Outbox
from hubbub.core.values import Principal
from hubbub.dialects.scopes import Rows
from hubbub.errors import HubbubError, TooManyRequests


class Overflow(enum.Enum):
    """What a full outbox does with one more event frame."""

    REFUSE = "refuse"
    """Give it back: the bus feeds this subscriber from the store until it has caught up."""
    DROP_NEWEST = "drop_newest"
    """Drop the frame and count it."""
    DROP_OLDEST = "drop_oldest"
    """Drop the oldest frame, count it, and tell the peer by a ``gap`` message."""
    CLOSE = "close"
    """Close the connection as too slow."""


def _nothing() -> None:
    """Count nothing."""


class OutboxRules(msgspec.Struct, frozen=True, kw_only=True):
    """How a door treats a peer that does not keep up."""

    max_messages: int = 1024
    """Frames held for a stalled peer at most."""
    max_bytes: int = 4 * 1024 * 1024
    """Bytes held for a stalled peer at most."""
    overflow: Overflow = Overflow.REFUSE
    close_code: int = 1013
    close_reason: str = "slow consumer"
    gap: Callable[[int], bytes] | None = None
    """Makes the message that tells how many frames were dropped."""
    on_drop: Callable[[], None] = _nothing
    """Called for each dropped frame, for the door's own counters."""
    on_slow_close: Callable[[], None] = _nothing
    """Called once for each connection that is closed as too slow."""


class Request(msgspec.Struct, kw_only=True):
    """One HTTP request, or the one that opens a WebSocket.

    Made before it is known who calls; the transport fills in ``principal`` and ``body`` once
    the caller is admitted. To everyone else it is a value.
    """

    method: str
    path: str
    params: Mapping[str, str] = {}
    """Parts of the path that the route names, URL-decoded."""
    query: Mapping[str, str] = {}
    headers: Mapping[str, str] = {}
    """Look-up ignores case."""
    body: bytes = b""
    remote: str = ""
    """The peer's address."""
    host: str = ""
    """``HOST:PORT`` of the listener that took the request."""
    scheme: str = "http"
    """``https`` where the listener speaks TLS."""
    principal: Principal | None = None

    @property
    def caller(self) -> Principal:
        """The principal of a route that is not open."""
        assert self.principal is not None  # noqa: S101 the transport has checked it
        return self.principal

    @property
    def bearer(self) -> str | None:
        """The token of an ``Authorization: Bearer`` header."""
        scheme, _, token = self.headers.get("Authorization", "").partition(" ")
        return token if scheme == "Bearer" and token else None

    @property
    def protocols(self) -> list[str]:
        """The subprotocols that a WebSocket offers to speak, its favourite first."""
        offered = self.headers.get("Sec-WebSocket-Protocol", "").split(",")
        return [name for item in offered if (name := item.strip())]


class Response(msgspec.Struct, frozen=True, kw_only=True):
    """One HTTP answer."""

    status: int = 200
    body: bytes = b""
    content_type: str = "application/json"
    headers: Mapping[str, str] = {}


class EventStream(msgspec.Struct, frozen=True, kw_only=True):
    """An answer that stays open: server-sent events."""

    open: Callable[[Outbox], Coroutine[Any, Any, None]]
    """Runs for as long as the stream is open; cancelled when the client goes."""
    rules: OutboxRules = OutboxRules()


Answer = Response | EventStream
Handler = Callable[[Request], Awaitable[Answer]]


class Route(msgspec.Struct, frozen=True, kw_only=True):
    """One method and path, with its handler."""

    method: str
    path: str
    """``/issues/{id}``; ``{name:.*}`` takes slashes too."""
    handler: Handler

    @property
    def call(self) -> str:
        """Its name in the table of scopes."""
        return f"{self.method} {self.path}"


class Session(Protocol):
    """One WebSocket connection's state in its dialect."""

    def opened(self) -> None:
        """Say hello; called once, before anything is received."""

    def received(self, text: str) -> Coroutine[Any, Any, None] | None:
        """Take one text message.

        What can be answered at once is answered at once; a coroutine is given back only for
        work that waits. The transport runs it as a task of the connection, or, where the
        dialect is ``serial``, to its end before the next message.
        """

    def received_binary(self, data: bytes) -> Coroutine[Any, Any, None] | None:
        """Take one binary message, as ``received`` takes a text."""

    def refused(self, message: str | bytes, error: TooManyRequests) -> bool:
        """Refuse a message that comes too soon, in this protocol's shape.

        Returns:
            Whether the peer was told; false where this protocol has no answer to such a
            message: then it is taken a little later.
        """

    def shutting_down(self) -> None:
        """Say that the daemon stops, where the protocol has a word for it."""

    def closed(self) -> None:
        """Clean up: the connection has ended, by a close frame or without one."""


def _nobody(_principal: Principal) -> None:
    """Take no note."""


class Connection(msgspec.Struct, frozen=True, kw_only=True):
    """What a session is opened with."""

    request: Request
    outbox: Outbox
    principal: Principal | None
    """``None`` on a socket whose protocol authenticates by messages."""
    close: Callable[[int, str], None]
    """Close the connection with a code and a reason; what is queued leaves before."""
    identified: Callable[[Principal], None] = _nobody
    """To be told who calls, on a socket whose protocol authenticates by messages; raises
    ``TooManyConnections`` where that principal has no place left.
    """


class Socket(msgspec.Struct, frozen=True, kw_only=True):
    """One WebSocket path of a dialect."""

    path: str
    open: Callable[[Connection], Session]
    rules: OutboxRules = OutboxRules()
    numbered: bool = False
    """Each event frame begins with the connection's own ``seq``."""
    serial: bool = False
    """Messages of one connection are worked off strictly one after the other."""
    shutdown_code: int = 1001
    """Close code at a stop of the daemon."""
    shutdown_reason: str = "shutting down"
    max_message_bytes: int = 16 * 1024 * 1024
    """Larger messages close the connection with code 1009."""
    protocols: Sequence[str] = ()
    """Subprotocols that are spoken here; of those that a client offers, its first is taken."""

    @property
    def call(self) -> str:
        """Its name in the table of scopes."""
        return f"WS {self.path}"


class Dialect(Protocol):
    """One wire protocol spoken by clients."""

    @property
    def name(self) -> str:
        """Name of the listener."""

    @property
    def routes(self) -> Sequence[Route]:
        """HTTP methods and paths."""

    @property
    def scopes(self) -> Rows:
        """Rows of the table of scopes: what each route, socket and method needs."""

    @property
    def sockets(self) -> Sequence[Socket]:
        """WebSocket paths."""

    @property
    def max_body_bytes(self) -> int:
        """HTTP bodies over this are answered with 413."""

    def authenticate(self, request: Request) -> Principal | Response | None:
        """Find out who calls, from wherever this protocol's clients carry their token.

        Returns:
            The principal; ``None`` where this request needs none (a socket that
            authenticates by messages); or the refusal to answer with.
        """

    def refuse(self, error: HubbubError) -> Response:
        """Give an error this protocol's shape."""

    def missing(self, request: Request, allowed: Sequence[str]) -> Response:
        """Answer a path that does not exist, or a method that it does not take.

        Args:
            allowed: Methods that the path takes; empty: there is no such path.
        """

    def cors(self, origin: str) -> Mapping[str, str]:
        """Give the headers that let pages of a foreign origin in; empty: they are refused."""

    async def run(self) -> None:
        """Do this protocol's work on the clock until cancelled; may return at once."""


def json_response(value: object, status: int = 200) -> Response:
    """Answer with compact JSON."""
    return Response(status=status, body=msgspec.json.encode(value))
