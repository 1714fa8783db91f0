"""WebSocket: the pump between one connection and its dialect session."""

import asyncio
import os
from collections.abc import Coroutine
from http import HTTPStatus
from typing import Any

from aiohttp import WSCloseCode, WSMessage, WSMsgType, web
from aiohttp.http_websocket import WebSocketError
from msgspec import structs

from hubbub.core.quotas import Meter, Quota
from hubbub.core.values import Principal
from hubbub.dialects import scopes
from hubbub.dialects.base import Connection, Request, Response, Session, Socket
from hubbub.errors import HubbubError
from hubbub.telemetry import log
from hubbub.transport.admission import Admission
from hubbub.transport.connections import LongConnection
from hubbub.transport.http import Door
from hubbub.transport.outbox import FrameOutbox, NumberedWsOutbox, WsOutbox
from hubbub.transport.peers import Peer
from hubbub.transport.routes import AiohttpHandler, Params


CLOSE_S = 5.0
"""Seconds that a peer has to take what is queued and our close frame, and to answer it."""
TOO_LARGE_S = 1.0
"""Seconds that a peer has to finish sending what is too large before we end our side."""

TIMER_S = 0.002
"""Seconds by which the event loop's timers may be early, and a little more."""
MAX_PAUSE_S = 1.0
"""Seconds for which a peer that sends too much is not read, at most, before its next message."""

_NO_UPGRADE = Response(status=HTTPStatus.UPGRADE_REQUIRED, headers={"Upgrade": "websocket"})
_DATA = (WSMsgType.TEXT, WSMsgType.BINARY)
_CLOSE_FINAL = 0x88
_PONG_FINAL = 0x8A
_MAX_REASON_BYTES = 123
_FIRST_UNDEFINED_CODE = 5000
# Looked up once: finding a member of an enumeration costs more than what is done with it here.
_TEXT, _BINARY, _PING = WSMsgType.TEXT, WSMsgType.BINARY, WSMsgType.PING
_ENDS = (WSMsgType.CLOSE, WSMsgType.ERROR, WSMsgType.CLOSING, WSMsgType.CLOSED)


class Upgrade(web.WebSocketResponse):
    """The server library's side of a connection, which closes nothing by itself.

    Its own close frame would overtake answers that wait in the outbox, and cut a peer that
    reads late.
    """

    async def close(self, *_: object, **__: object) -> bool:
        """Leave it to the pump."""
        return False


class Pump:
    """One WebSocket connection."""

    def __init__(self, socket: Socket, admission: Admission) -> None:
        """Prepare a connection of one WebSocket path."""
        self.socket = socket
        self._admission = admission
        self._max_unread = admission.limits.unread_bytes
        self._remote = ""
        self._meter: Meter | None = None
        self._seat: Quota | None = None
        self._principal: Principal | None = None
        self._connection: LongConnection | None = None
        self.ws = Upgrade(
            # The library refuses messages of this size; ours is the largest that is taken.
            max_msg_size=socket.max_message_bytes + 1,
            protocols=socket.protocols,
            compress=False,
            autoclose=False,
            autoping=False,  # all that is written goes through the outbox
        )
        self.transport: asyncio.Transport | None = None
        self.outbox: WsOutbox | NumberedWsOutbox | None = None
        self.session: Session | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._deadline: asyncio.TimerHandle | None = None

    async def serve(self, request: web.BaseRequest, door: Door, record: Request) -> None:
        """Upgrade, then work until the connection ends, however it ends."""
        writer = await self.ws.prepare(request)
        transport = request.transport
        if transport is None:
            return
        self.transport = transport
        self._remote = record.remote
        self._meter = self._admission.meter(record.principal, record.remote)
        outbox_type = NumberedWsOutbox if self.socket.numbered else WsOutbox
        self.outbox = outbox_type(
            transport,
            writer.drain,
            door.tick,
            self.socket.rules,
            self._close,
        )
        self.session = self.socket.open(
            Connection(
                request=record,
                outbox=self.outbox,
                principal=record.principal,
                close=self.outbox.close,
                identified=self.identified,
            )
        )
        connections = self._admission.connections
        self._connection = connections.open(door.dialect.name, self._principal, self.outbox)
        peer = request.protocol
        assert isinstance(peer, Peer)  # noqa: S101 the listener makes no others
        # The loop writes after this connection's messages are worked off, and in the same pass:
        # to be armed by the first answer would cost a pass of its own.
        peer.when_read = door.tick.arm
        if door.tick.ring is not None:
            self.outbox.socket = own_socket(transport)
        gauge = door.metrics.connections.labels(door.dialect.name)
        gauge.inc()
        end: WSMessage | None = None
        try:
            self.session.opened()
            end = await self._receive(self.session, self.outbox)
        except Exception:  # noqa: BLE001 whatever it is, only this connection ends
            log.exception("session_failed", door=door.dialect.name)
        finally:
            gauge.dec()
            connections.close(self._connection)
            for task in tuple(self._tasks):
                task.cancel()
            self.outbox.close(*_answer_to(end))
            self.outbox.ended()
            self.session.closed()
            if end is None or end.type is not WSMsgType.ERROR:
                transport.close()
        if end is not None and end.type is WSMsgType.ERROR:
            await _linger(transport, end)

    def identified(self, principal: Principal) -> None:
        """Take note of who calls: from now on the connection and its messages are theirs.

        Raises:
            TooManyConnections: That principal has no place left.
        """
        seat = self._admission.seat(principal)
        self._admission.unseat(self._seat)
        self._seat = seat
        self._principal = principal
        if self._connection is not None:
            self._connection.principal = principal
        self._meter = self._admission.meter(principal, self._remote)

    def left(self) -> None:
        """Give the caller's place to another."""
        self._admission.unseat(self._seat)

    def stop(self) -> None:
        """Tell the peer that the daemon stops, and close."""
        if self.session is not None and self.outbox is not None:
            self.session.shutting_down()
            self.outbox.close(self.socket.shutdown_code, self.socket.shutdown_reason)

    async def _receive(  # noqa: C901, PLR0912 the hot loop: a call more per message costs
        self, session: Session, outbox: FrameOutbox
    ) -> WSMessage:
        """Work off messages; gives what ended them: a close frame, an error, or the line's end."""
        serial = self.socket.serial
        while True:
            message = await self.ws.receive()
            if self._deadline is not None and message.type not in _ENDS:
                continue  # we have closed: only the peer's close frame counts
            meter = self._meter
            if (
                meter is not None
                and message.type in _DATA
                and (wait_s := meter.take(len(message.data)))
                and not await self._may_go_on(session, message.data, meter, wait_s)
            ):
                continue
            if message.type is _TEXT:
                work = session.received(message.data)
            elif message.type is _BINARY:
                work = session.received_binary(message.data)
            elif message.type is _PING:
                if meter is not None and (wait_s := meter.take(len(message.data))):
                    await asyncio.sleep(min(wait_s, MAX_PAUSE_S))
                outbox.send_frame(control_frame(_PONG_FINAL, message.data))
                continue
            elif message.type in _ENDS:
                return message
            else:
                continue  # a pong
            if work is not None:
                if serial:
                    await work
                else:
                    self._spawn(work)
            # Answers are never dropped: a peer that asks and does not read must not be asked
            # for its next request, or it would fill our memory.
            if outbox.queued_bytes > self._max_unread:
                await outbox.drained()

    async def _may_go_on(
        self, session: Session, data: str | bytes, meter: Meter, wait_s: float
    ) -> bool:
        """Refuse a message that comes too soon, and let the next one wait.

        Until then nothing is read from the peer, so that one which floods us fills its own
        buffers and costs us one refusal for each moment of waiting.

        Returns:
            True where the peer cannot be told: then the message's time has come.
        """
        told = session.refused(data, self._admission.too_many(wait_s))
        # A timer may be early by its resolution: what has waited must not be refused again.
        await asyncio.sleep(min(wait_s, MAX_PAUSE_S) + TIMER_S)
        if told:
            return False
        while wait_s := meter.take(len(data)):  # noqa: ASYNC110 time is what it waits for
            await asyncio.sleep(min(wait_s, MAX_PAUSE_S))
        return True

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._done)

    def _done(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            log.error("message_failed", error=repr(error), exc_info=error)

    def _close(self, code: int, reason: str) -> None:
        """Write our close frame after what is queued; cut the peer if it does not answer."""
        transport = self.transport
        if transport is None or transport.is_closing():
            return
        transport.write(close_frame(code, reason))
        self._deadline = asyncio.get_running_loop().call_later(CLOSE_S, transport.abort)


def close_frame(code: int, reason: str) -> bytes:
    """Give an unmasked close frame (RFC 6455, 5.5.1); a long reason is cut.

    Args:
        code: 0: the frame says nothing, as the answer to one that said nothing.
    """
    if not code:
        return control_frame(_CLOSE_FINAL, b"")
    text = reason.encode()[:_MAX_REASON_BYTES].decode(errors="ignore").encode()
    return control_frame(_CLOSE_FINAL, code.to_bytes(2, "big") + text)


def control_frame(head: int, payload: bytes) -> bytes:
    """Give an unmasked control frame (RFC 6455, 5.5).

    Args:
        head: Its first byte.
        payload: At most 125 bytes.
    """
    return bytes((head, len(payload))) + payload


def own_socket(transport: asyncio.Transport) -> int | None:
    """Give a file descriptor of our own for a plain connection; ``None``: it is not plain.

    One of our own, because the transport's may be closed at any time, and its number then be
    given to another connection.
    """
    if transport.get_extra_info("sslcontext") is not None:
        return None
    try:
        return os.dup(transport.get_extra_info("socket").fileno())
    except OSError:  # no descriptor is left, or the peer has gone: the transport writes
        return None


def _answer_to(end: WSMessage | None) -> tuple[int, str]:
    """Give code and reason of the close frame to what ended a connection.

    Args:
        end: ``None``: we failed.
    """
    if end is None:
        return WSCloseCode.INTERNAL_ERROR, "internal error"
    if end.type is WSMsgType.CLOSE:
        # The server library has refused all other codes that no frame may carry.
        if end.data == WSCloseCode.ABNORMAL_CLOSURE or end.data >= _FIRST_UNDEFINED_CODE:
            return WSCloseCode.PROTOCOL_ERROR, f"invalid close code: {end.data}"
        return end.data, end.extra or ""
    if isinstance(end.data, WebSocketError):
        return end.data.code, str(end.data)
    return WSCloseCode.OK, ""  # nobody is there to read it


async def _linger(transport: asyncio.Transport, error: WSMessage) -> None:
    """Let a peer that goes on sending read our close frame.

    Closing at once would have the kernel answer what still comes with a reset, and a reset
    takes from the peer what it has not read yet. What comes is thrown away; when the peer
    closes too, this is cancelled, and ``CLOSE_S`` after our close frame the connection is cut.
    """
    try:
        if _answer_to(error)[0] == WSCloseCode.MESSAGE_TOO_BIG:
            # Some clients fail when our end comes while they write.
            await asyncio.sleep(TOO_LARGE_S)
        if transport.can_write_eof() and not transport.is_closing():
            transport.write_eof()
            await asyncio.sleep(CLOSE_S)
    finally:
        transport.close()


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
    """Make the server's handler of a WebSocket path.

    Raises:
        LookupError: It has no row in the table of scopes.
    """
    scopes.complete(door.dialect.scopes, (socket.call,))
    socket = structs.replace(socket, rules=door.counted(socket.rules))

    async def handle(request: web.BaseRequest, params: Params) -> web.StreamResponse:
        record = door.record(request, params)
        try:
            who, cors = door.admit(request, record)
        except HubbubError as error:
            return door.refusal(error)
        if isinstance(who, Response):
            return door.reply(who, cors)
        pump = Pump(socket, door.admission)
        if not pump.ws.can_prepare(request):
            return door.reply(_NO_UPGRADE)
        try:
            scopes.check(door.dialect.scopes, socket.call, who)
            if who is not None:
                pump.identified(who)
        except HubbubError as error:
            return door.refusal(error)
        pumps.add(pump)
        try:
            record.principal = who
            await pump.serve(request, door, record)
        finally:
            pumps.remove(pump)
            pump.left()
        return pump.ws

    return handle
