"""One connection: challenge, handshake, then requests until it ends."""

import asyncio
from collections.abc import Callable, Coroutine, Mapping
from typing import Any

from hubbub.core.identity.presence import Attachment
from hubbub.core.ports import Outbox
from hubbub.core.values import Principal
from hubbub.dialects.base import Connection
from hubbub.dialects.openclaw import frames, handshake, policy, presence
from hubbub.dialects.openclaw.events import Feed
from hubbub.dialects.openclaw.frames import (
    CLOSE_BUSY,
    CLOSE_PLAIN,
    MAX_METHOD_CHARACTERS,
    UNAVAILABLE,
    Call,
    IllegalFrame,
    NotJson,
    Refused,
)
from hubbub.dialects.openclaw.handshake import Accepted, Facts, Rejected
from hubbub.dialects.openclaw.methods import Method, Request
from hubbub.dialects.openclaw.room import Room
from hubbub.dialects.openclaw.visit import Visit, identity_of
from hubbub.errors import HubbubError, InternalError, TooManyRequests
from hubbub.telemetry import log


class OpenclawSession:
    """One connection's state.

    It waits for ``connect``, then works, then is closing; what comes in while it closes is
    not read.
    """

    def __init__(
        self,
        room: Room,
        feed: Feed,
        methods: Mapping[str, Method],
        hello: Callable[["OpenclawSession", Accepted], object],
        connection: Connection,
    ) -> None:
        """Serve a client.

        Args:
            hello: Makes the payload of the answer to ``connect``.
        """
        self.id = room.hub.ids()
        self.outbox: Outbox = connection.outbox
        self.accepted: Accepted | None = None
        self._room = room
        self._feed = feed
        self._methods = methods
        self._hello = hello
        self._connection = connection
        self._nonce = room.hub.ids()
        self._pending = 0
        self._large = asyncio.Lock()
        self._closing = False
        self._presence_key: str | None = None
        self._attachment: Attachment | None = None
        self._visit: Visit | None = None
        timeout_s = room.settings.handshake_timeout_ms / 1000
        self._timer = room.timers.call_later(timeout_s, self._timed_out)

    @property
    def principal(self) -> Principal:
        """Whose token this connection has shown."""
        assert self.accepted is not None  # noqa: S101 asked for only after the handshake
        return self.accepted.principal

    # -- what the transport calls ----------------------------------------------------------

    def opened(self) -> None:
        """Send the challenge at once: every client waits up to 750 ms for it."""
        challenge = {"nonce": self._nonce, "ts": self._room.hub.clock()}
        # An answer, not an event frame: the challenge alone has no ``seq``.
        self.outbox.send(frames.event("connect.challenge", challenge))

    def received(self, text: str) -> Coroutine[Any, Any, None] | None:
        """Work off one message."""
        if self._closing:
            return None
        if self.accepted is None:
            self._handshake(text)
            return None
        try:
            call = frames.decode(text)
        except NotJson:
            return None  # the protocol says nothing to this
        except IllegalFrame as illegal:
            self._fail(illegal.request_id, Refused(f"invalid request frame: {illegal}"))
            return None
        return self._run(call)

    def received_binary(self, data: bytes) -> Coroutine[Any, Any, None] | None:
        """Work off one message in a binary frame: the same JSON in UTF-8."""
        try:
            text = data.decode()
        except UnicodeDecodeError:
            text = ""  # as good as any other text that is no JSON
        return self.received(text)

    def refused(self, message: str | bytes, error: TooManyRequests) -> bool:
        """Answer a request with an error; what is none is taken later."""
        try:
            call = frames.decode(message if isinstance(message, str) else message.decode())
        except (NotJson, IllegalFrame, UnicodeDecodeError):
            return False
        self._fail(call.id, error)
        return True

    def shutting_down(self) -> None:
        """Say that the daemon stops."""
        if self.accepted is not None:
            payload = {"reason": "service restart", "restartExpectedMs": None}
            self.outbox.press(self.outbox.frame(frames.event("shutdown", payload)))

    def closed(self) -> None:
        """Leave the room."""
        self._closing = True
        self._timer.cancel()
        self._room.leave(self)
        if self._visit is not None:
            self._visit.closed()
        if self._presence_key is not None:
            self._room.presence.left(self._presence_key)
            self._room.presence_changed()
        if self._attachment is not None:
            self._attachment.detach()

    # -- the handshake ---------------------------------------------------------------------

    def _handshake(self, text: str) -> None:
        hub, request = self._room.hub, self._connection.request
        facts = Facts(
            nonce=self._nonce,
            is_local=handshake.is_local(
                request.remote, request.headers.get("Host", ""), request.headers.__contains__
            ),
            now_ms=hub.clock(),
            skew_ms=self._room.settings.signature_skew_ms,
            allow_insecure_control_ui=self._room.settings.allow_insecure_control_ui,
        )
        try:
            accepted = handshake.accept(text, facts, hub.access.principal)
        except Rejected as rejected:
            if rejected.answer is not None:
                self.outbox.send(rejected.answer)
            self._close(rejected.close_code, rejected.close_reason)
            return
        try:
            self._connection.identified(accepted.principal)
        except HubbubError as error:
            self._fail(accepted.request_id, error)
            self._close(CLOSE_BUSY, str(error))
            return
        self._timer.cancel()
        self.accepted = accepted
        self._appear(accepted)
        self.answer(accepted.request_id, self._hello(self, accepted))
        identity = identity_of(accepted)
        if identity is None:
            self._room.enter(self)
        else:
            feed, principal = self._feed, accepted.principal
            self._visit = Visit(self._room, feed, self.outbox, principal, identity)
        self._room.refresh_health()
        self._feed.tell_so_far(self.outbox)

    def _appear(self, accepted: Accepted) -> None:
        key = presence.client_key(accepted, self.id)
        if key is not None:
            now, remote = self._room.hub.clock(), self._connection.request.remote
            self._room.presence.joined(key, presence.client_entry(accepted, remote, now))
            self._presence_key = key
            self._room.presence_changed()
        if (agent := accepted.principal.agent) is not None:
            self._attachment = self._room.hub.presence.attach(agent, "openclaw")

    def _timed_out(self) -> None:
        self._close(CLOSE_PLAIN, "")

    def _close(self, code: int, reason: str) -> None:
        self._closing = True
        self._timer.cancel()
        self._connection.close(code, reason)

    # -- requests --------------------------------------------------------------------------

    def answer(self, request_id: str, payload: object) -> None:
        """Send a good answer."""
        self.outbox.send(frames.response(request_id, payload))

    def _fail(self, request_id: str, error: Exception) -> None:
        refused = Refused.of(error)
        if isinstance(error, InternalError) or not isinstance(error, Refused | HubbubError):
            log.error("call_failed", door="openclaw", error=repr(error), exc_info=error)
        self.outbox.send(frames.refusal(request_id, refused))

    def _run(self, call: Call) -> Coroutine[Any, Any, None] | None:
        try:
            method = self._method(call.method)
            if self._attachment is not None:
                self._attachment.touch()
            params: Any = frames.decode_params(call, method.params)
            if method.waits:
                self._pending += 1
                return self._wait(call.id, method, params)
            self.answer(call.id, method.run(Request(id=call.id, caller=self), params))
        except Exception as error:  # noqa: BLE001 whatever it is, it is this caller's answer
            self._fail(call.id, error)
        return None

    def _method(self, name: str) -> Method:
        """Find a method that this caller may call.

        Raises:
            Refused: There is none, or the caller may not.
        """
        accepted = self.accepted
        assert accepted is not None  # noqa: S101 requests come after the handshake
        if name == "connect":
            message = "connect is only valid as the first request"
            raise Refused(message)
        objection = policy.objection(name, accepted.connect.role, accepted.scopes)
        if objection is not None:
            raise Refused(objection)
        method = self._methods.get(name)
        if method is None:
            message = f"unknown method: {name[:MAX_METHOD_CHARACTERS]}"
            raise Refused(message)
        if self._pending >= self._room.settings.max_pending_requests:
            message = f"{self._pending} requests of this connection wait already; wait for answers"
            raise Refused(message, code=UNAVAILABLE, retryable=True)
        return method

    async def _wait(self, request_id: str, method: Method, params: Any) -> None:
        request = Request(id=request_id, caller=self)
        try:
            if method.is_large:
                async with self._large:
                    await self.outbox.drained()
                    self.answer(request_id, await method.run(request, params))
            else:
                self.answer(request_id, await method.run(request, params))
        except Exception as error:  # noqa: BLE001 as in _run
            self._fail(request_id, error)
        finally:
            self._pending -= 1
