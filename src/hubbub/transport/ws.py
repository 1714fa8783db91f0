"""WebSocket: the pump between one connection and its dialect session."""

import asyncio
from collections.abc import Coroutine
from typing import Any

from aiohttp import WSMsgType, web
from msgspec import structs

from hubbub.dialects.base import Connection, Request, Response, Session, Socket
from hubbub.errors import HubbubError
from hubbub.telemetry import log
from hubbub.transport.http import AiohttpHandler, Door, to_aiohttp
from hubbub.transport.outbox import NumberedWsOutbox, WsOutbox


CLOSE_S = 5.0
"""Seconds that a peer has to take our close frame before the connection is cut."""


class Pump:
    """One WebSocket connection."""

    def __init__(self, socket: Socket) -> None:
        """Prepare a connection of one WebSocket path."""
        self.socket = socket
        self.ws = web.WebSocketResponse(
            max_msg_size=socket.max_message_bytes, compress=False, timeout=CLOSE_S / 2
        )
        self.transport: asyncio.Transport | None = None
        self.outbox: WsOutbox | NumberedWsOutbox | None = None
        self.session: Session | None = None
        self._tasks: set[asyncio.Task[None]] = set()

    async def serve(self, request: web.Request, door: Door, record: Request) -> None:
        """Upgrade, then work until the connection ends, however it ends."""
        writer = await self.ws.prepare(request)
        transport = request.transport
        if transport is None:
            return
        self.transport = transport
        outbox_type = NumberedWsOutbox if self.socket.numbered else WsOutbox
        self.outbox = outbox_type(
            transport, writer.drain, door.tick, self.socket.rules, self._close
        )
        self.session = self.socket.open(
            Connection(
                request=record,
                outbox=self.outbox,
                principal=record.principal,
                close=self.outbox.close,
            )
        )
        gauge = door.metrics.connections.labels(door.dialect.name)
        gauge.inc()
        try:
            self.session.opened()
            await self._receive(self.session)
        finally:
            gauge.dec()
            for task in tuple(self._tasks):
                task.cancel()
            self.outbox.ended()
            self.session.closed()

    def stop(self) -> None:
        """Tell the peer that the daemon stops, and close."""
        if self.session is not None and self.outbox is not None:
            self.session.shutting_down()
            self.outbox.close(self.socket.shutdown_code, self.socket.shutdown_reason)

    async def _receive(self, session: Session) -> None:
        serial = self.socket.serial
        async for message in self.ws:
            if message.type is WSMsgType.TEXT:
                work = session.received(message.data)
            elif message.type is WSMsgType.BINARY:
                work = session.received_binary(message.data)
            else:
                continue
            if work is None:
                continue
            if serial:
                await work
            else:
                self._spawn(work)

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._done)

    def _done(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            log.error("message_failed", error=repr(error), exc_info=error)

    def _close(self, code: int, reason: str) -> None:
        self._spawn(self._closed(code, reason))

    async def _closed(self, code: int, reason: str) -> None:
        try:
            await asyncio.wait_for(self.ws.close(code=code, message=reason.encode()), CLOSE_S)
        except (TimeoutError, ConnectionError):
            if self.transport is not None:
                self.transport.abort()


class Pumps:
    """The open connections of one listener."""

    def __init__(self) -> None:
        """Begin with none."""
        self._open: set[Pump] = set()
        self._empty = asyncio.Event()
        self._empty.set()

    def add(self, pump: Pump) -> None:
        """Count a connection in."""
        self._open.add(pump)
        self._empty.clear()

    def remove(self, pump: Pump) -> None:
        """Count a connection out."""
        self._open.discard(pump)
        if not self._open:
            self._empty.set()

    def stop(self) -> None:
        """Tell every peer that the daemon stops."""
        for pump in tuple(self._open):
            pump.stop()

    async def wait_empty(self) -> None:
        """Wait until every connection has ended."""
        await self._empty.wait()


def ws_handler(door: Door, socket: Socket, pumps: Pumps) -> AiohttpHandler:
    """Make the server's handler of a WebSocket path."""

    async def handle(request: web.Request) -> web.StreamResponse:
        record = door.record(request)
        try:
            who, cors = door.admit(record)
        except HubbubError as error:
            return to_aiohttp(door.dialect.refuse(error))
        if isinstance(who, Response):
            return to_aiohttp(who, cors)
        pump = Pump(socket)
        if not pump.ws.can_prepare(request):
            return web.Response(status=426, headers={"Upgrade": "websocket"})
        pumps.add(pump)
        try:
            await pump.serve(request, door, structs.replace(record, principal=who))
        finally:
            pumps.remove(pump)
        return pump.ws

    return handle
