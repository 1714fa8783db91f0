"""Listeners: bound addresses, each with one dialect at its root."""

import asyncio
import contextlib
import logging
import socket as sockets
import ssl
import sys
import time
from collections.abc import Awaitable, Collection, Sequence

import msgspec
from aiohttp import HttpVersion11, StreamReader, web
from aiohttp.abc import AbstractStreamWriter
from aiohttp.http import RawRequestMessage
from aiohttp.http_exceptions import HttpProcessingError

from hubbub.core.health import ConnectionHealth, ListenerHealth
from hubbub.core.limits import DEFAULT_LIMITS
from hubbub.core.quotas import Quotas
from hubbub.dialects.base import Dialect
from hubbub.errors import StartError
from hubbub.telemetry import Metrics, log
from hubbub.transport.admission import Admission
from hubbub.transport.http import Door, Gate
from hubbub.transport.peers import Peer
from hubbub.transport.routes import ANY, AiohttpHandler, Params, Routes
from hubbub.transport.tick import Tick
from hubbub.transport.ws import Pumps, ws_handler


NOTSENT_LOWAT_BYTES = 128 * 1024
"""Unsent bytes that the kernel takes per connection, so that lag shows up here, not there."""

_TCP_NOTSENT_LOWAT = 25 if sys.platform == "linux" else 0x201


CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"


class Address(msgspec.Struct, frozen=True):
    """Where a listener is bound."""

    host: str
    port: int

    def __str__(self) -> str:
        """Give ``HOST:PORT``."""
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


def bind(host: str, port: int, backlog: int = DEFAULT_LIMITS.backlog) -> sockets.socket:
    """Bind and listen.

    Raises:
        StartError: The address is taken or not ours.
    """
    family = sockets.AF_INET6 if ":" in host else sockets.AF_INET
    sock = sockets.socket(family, sockets.SOCK_STREAM)
    try:
        sock.setsockopt(sockets.SOL_SOCKET, sockets.SO_REUSEADDR, 1)
        sock.setsockopt(sockets.IPPROTO_TCP, _TCP_NOTSENT_LOWAT, NOTSENT_LOWAT_BYTES)
        sock.bind((host, port))
        sock.listen(backlog)
        sock.setblocking(False)  # noqa: FBT003 the standard library's signature
    except OSError as error:
        sock.close()
        message = f"cannot listen on {host}:{port}: {error.strerror or error}"
        raise StartError(message) from error
    return sock


class Listener:
    """One address and the doors behind it."""

    def __init__(
        self,
        name: str,
        sock: sockets.socket,
        doors: Sequence[tuple[str, Dialect]],
        *,
        gate: Gate,
        tick: Tick,
        metrics: Metrics,
        quotas: Quotas | None = None,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        """Prepare to serve dialects, each under its prefix, on a bound socket.

        Args:
            quotas: What callers have taken, where several listeners share that.
            tls: Makes this listener speak TLS.
        """
        self.name = name
        host, port = sock.getsockname()[:2]
        self.address = Address(host, port)
        self._sock = sock
        self._limits = tick.limits
        self._pumps = Pumps()
        if quotas is None:
            quotas = Quotas(self._limits, time.monotonic)
        self._admission = admission = Admission(name, self._limits, quotas, metrics)
        self._scheme = scheme = "http" if tls is None else "https"
        self._doors = [
            Door(dialect, gate, tick, admission, prefix=prefix, scheme=scheme)
            for prefix, dialect in doors
        ]
        self._max_body_bytes = max(door.dialect.max_body_bytes for door in self._doors)
        self._routes = Routes()
        for door in self._doors:
            self._add(door)
        self._tls = tls
        self._server: asyncio.Server | None = None
        self._runner: web.ServerRunner | None = None

    @property
    def url(self) -> str:
        """Where it is to be called."""
        return f"{self._scheme}://{self.address}"

    @property
    def queued_bytes(self) -> int:
        """Bytes that wait for slow clients."""
        return self._admission.connections.queued_bytes

    @property
    def peers(self) -> int:
        """Connections that are open, those between two requests included."""
        return self._admission.peers

    def expel(self, tokens: Collection[str], why: str) -> None:
        """Close what these tokens have opened; args as ``LongConnections.expel``."""
        self._admission.connections.expel(tokens, why)

    def health(self) -> ListenerHealth:
        """Say how it is, and what it has done since the start."""
        counted, connections = self._admission, self._admission.connections
        return ListenerHealth(
            name=self.name,
            url=self.url,
            connections=len(connections),
            queued_bytes=connections.queued_bytes,
            dropped=connections.dropped,
            refused=counted.refused,
            slow_closes=counted.slow_closes,
            requests=counted.requests,
        )

    def connections(
        self, now: int, lagging: Collection[object], most: int
    ) -> list[ConnectionHealth]:
        """Say how each of its long connections is, the newest first.

        Args: as ``LongConnections.health``.
        """
        return self._admission.connections.health(now, lagging, most)

    async def open(self) -> None:
        """Begin to serve."""
        limits, loop, server_log = self._limits, asyncio.get_running_loop(), _server_log(self.name)
        server = web.Server(
            self._serve, request_factory=self._request, handler_cancellation=True, loop=loop
        )
        self._runner = web.ServerRunner(server, shutdown_timeout=limits.stop_s)
        await self._runner.setup()

        def peer() -> Peer:
            return Peer(
                server,
                self._admission,
                loop=loop,
                logger=server_log,
                access_log=None,
                keepalive_timeout=limits.idle_s,
                max_line_size=limits.header_bytes,
                max_field_size=limits.header_bytes,
                max_headers=limits.max_headers,
            )

        self._server = await loop.create_server(
            peer,
            sock=self._sock,
            ssl=self._tls,
            backlog=limits.backlog,
            ssl_handshake_timeout=(limits.header_s or None) if self._tls else None,
        )

    async def close(self) -> None:
        """Tell every connection that the daemon stops, then close the listener."""
        self._pumps.stop()
        for door in self._doors:
            for stream in tuple(door.streams):
                stream.cancel()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(self._limits.stop_s):
                await self._pumps.wait_empty()
        if self._server is not None:
            self._server.close()
        if self._runner is not None:
            await self._runner.cleanup()
        self._sock.close()

    def _add(self, door: Door) -> None:
        add, prefix = self._routes.add, door.prefix
        upgrades = {
            socket.path: ws_handler(door, socket, self._pumps) for socket in door.dialect.sockets
        }
        for route in door.dialect.routes:
            handler = door.handler(route)
            if route.method == "GET" and route.path in upgrades:
                handler = _either(upgrades.pop(route.path), handler)
            add(route.method, prefix + route.path, handler)
        for path, handler in upgrades.items():
            add("GET", prefix + path, handler)
        add(ANY, prefix + "/{path:.*}", self._fallback(door))

    def _fallback(self, door: Door) -> AiohttpHandler:
        """Make the handler of what no route of a door takes."""

        def handle(request: web.BaseRequest, params: Params) -> Awaitable[web.StreamResponse]:
            allowed = self._routes.methods(request.rel_url.path_safe)
            return door.fallback(allowed, request, params)

        return handle

    def _request(
        self,
        message: RawRequestMessage,
        payload: StreamReader,
        protocol: web.RequestHandler,
        writer: AbstractStreamWriter,
        task: "asyncio.Task[None]",
    ) -> web.BaseRequest:
        """Make the server library's own record of a request."""
        loop, most = asyncio.get_running_loop(), self._max_body_bytes
        return web.BaseRequest(message, payload, protocol, writer, task, loop, client_max_size=most)

    def _serve(self, request: web.BaseRequest) -> Awaitable[web.StreamResponse]:
        """Have a request answered."""
        if "Expect" in request.headers:
            return self._expected(request)
        return self._routed(request)

    def _routed(self, request: web.BaseRequest) -> Awaitable[web.StreamResponse]:
        found = self._routes.find(request.method, request.rel_url.path_safe)
        if found is None:  # no path at all, such as that of `OPTIONS *`
            return self._doors[-1].fallback((), request, {})
        handler, params = found
        return handler(request, params)

    async def _expected(self, request: web.BaseRequest) -> web.StreamResponse:
        """Let a client go on that waits for a word before it sends the body (RFC 9110, 10.1.1)."""
        expectation = request.headers["Expect"]
        if request.version == HttpVersion11:
            if expectation.lower() != "100-continue":
                raise web.HTTPExpectationFailed(text=f"Unknown Expect: {expectation}")
            await request.writer.write(CONTINUE)
            request.writer.output_size = 0  # the answer has not begun
        return await self._routed(request)


class _OneLine(logging.Handler):
    """Turns what the server library logs into one short line, without foreign bytes."""

    def __init__(self, listener: str) -> None:
        super().__init__()
        self._listener = listener

    def emit(self, record: logging.LogRecord) -> None:
        """Log one record."""
        error = record.exc_info[1] if record.exc_info else None
        if isinstance(error, HttpProcessingError):
            log.info("http_refused", listener=self._listener, error=type(error).__name__)
        else:
            log.error("http_failed", listener=self._listener, exc_info=error, text=record.msg)


def _server_log(listener: str) -> logging.Logger:
    """Make the log of one server; it belongs to nobody else, so it is in no registry."""
    server_log = logging.Logger(f"hubbub.http.{listener}")  # noqa: LOG001 see above
    server_log.setLevel(logging.WARNING)
    server_log.addHandler(_OneLine(listener))
    return server_log


def _either(upgrade: AiohttpHandler, plain: AiohttpHandler) -> AiohttpHandler:
    """Serve a path that is both a page and a WebSocket."""

    def handle(request: web.BaseRequest, params: Params) -> Awaitable[web.StreamResponse]:
        return (upgrade if "Upgrade" in request.headers else plain)(request, params)

    return handle
