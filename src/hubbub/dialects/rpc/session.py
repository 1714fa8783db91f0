"""hubbub's own door: ``/rpc`` over WebSocket and POST."""

from collections.abc import Callable, Coroutine, Mapping
from typing import Any

import msgspec

from hubbub.core import causes
from hubbub.core.audience import Member
from hubbub.core.hub import Hub
from hubbub.core.identity.browsers import Stay
from hubbub.core.identity.presence import Attachment
from hubbub.core.values import Principal
from hubbub.dialects import scopes
from hubbub.dialects.base import Connection
from hubbub.dialects.calls import Reply
from hubbub.dialects.rpc import frames
from hubbub.dialects.rpc.desk import Desk, Desks
from hubbub.dialects.rpc.frames import BadFrame, Call, EventFrames, MethodNotFound
from hubbub.dialects.rpc.methods import Method
from hubbub.dialects.rpc.settings import RpcSettings
from hubbub.errors import HubbubError, InternalError, InvalidRequest, TooManyRequests
from hubbub.telemetry import Sampled, log


WAITING = frozenset(("locks.claim", "reservations.claim"))
"""Calls that may wait for other agents."""


class RpcSession:
    """One connection to ``/rpc``."""

    def __init__(
        self,
        hub: Hub,
        methods: Mapping[str, Method],
        events: EventFrames,
        limits: RpcSettings,
        connection: Connection,
        *,
        stay: Stay | None = None,
        answers: Sampled | None = None,
        desks: Desks | None = None,
    ) -> None:
        """Serve a caller over a socket.

        Args:
            stay: Keeps a browser's token alive for as long as the socket is open.
            answers: Measures how long answers take.
        """
        self.hub = hub
        self.limits = limits
        self.principal = connection.request.caller
        self.connection_id: str | None = hub.ids()
        self.outbox = connection.outbox
        self.events = events
        self.subscriptions: dict[int, Member] = {}
        self.desks = desks
        self.attached: dict[str, Desk] = {}
        self._methods = methods
        self._attachment: Attachment | None = None
        self._stay = stay
        self._answers = Sampled() if answers is None else answers

    def opened(self) -> None:
        """Say nothing: the client speaks first. An agent is here from now on."""
        if self.principal.agent is not None:
            self._attachment = self.hub.presence.attach(self.principal.agent, "hubbub")
            if self.connection_id is not None:
                self.hub.runs.returned(self.principal.agent, self.connection_id)

    def received(self, text: str) -> Coroutine[Any, Any, None] | None:
        """Run one call."""
        if self._attachment is not None:
            self._attachment.touch()
        try:
            call = frames.decode(text)
        except BadFrame as error:
            self.outbox.send(error.answer)
            return None
        began = self._answers.begin()
        send = self.outbox.send if not began else self._measured(call, began)
        return run(self, self._methods, call, send)

    def _measured(self, call: Call, began: float) -> Callable[[bytes], None]:
        """Send an answer and note how long it took; waiting for others is no work of ours."""
        if call.method in WAITING:
            return self.outbox.send

        def send(answer: bytes) -> None:
            self.outbox.send(answer)
            self._answers.end(began)

        return send

    def received_binary(self, data: bytes) -> None:
        """Refuse: this protocol is text."""
        text = "binary messages are not part of this protocol; send JSON as text"
        self.outbox.send(frames.failure(frames.NULL, frames.INVALID_REQUEST, text, None))

    def noted(self, result: object) -> None:
        """Say nothing: a notification on a socket has no answer."""

    def refused(self, message: str | bytes, error: TooManyRequests) -> bool:
        """Answer a call with an error; what asks for no answer is taken later."""
        try:
            call_id = frames.decode(message).id
        except BadFrame as bad:
            self.outbox.send(bad.answer)
            return True
        if not isinstance(call_id, msgspec.Raw):
            return False
        self.outbox.send(frames.refusal(call_id, error))
        return True

    def shutting_down(self) -> None:
        """Say that the daemon stops."""
        self.outbox.send(frames.notification("daemon.stopping", {}))

    def closed(self) -> None:
        """End what lives as long as the connection: subscriptions, presence, its runs' owner."""
        if self._attachment is not None:
            self._attachment.detach()
        for member in self.subscriptions.values():
            member.leave()
        if self.connection_id is not None:
            for desk in self.attached.values():
                desk.closed(self.connection_id)
            self.hub.runs.dropped(self.connection_id)
        if self._stay is not None:
            self._stay.leave()


def _ignored(_result: object) -> None:
    """Do nothing with the result of a notification."""


class PostCaller:
    """The caller of one POST: it has no socket, so it cannot subscribe."""

    connection_id = None
    outbox = None
    subscriptions = None
    desks = None

    def __init__(
        self,
        hub: Hub,
        events: EventFrames,
        limits: RpcSettings,
        principal: Principal,
        *,
        noted: Reply = _ignored,
    ) -> None:
        """Serve one call.

        Args:
            noted: Takes the result of a notification, or the error that it ended with.
        """
        self.noted = noted
        self.limits = limits
        self.hub = hub
        self.principal = principal
        self.events = events
        self.attached: dict[str, Desk] = {}
        if principal.agent is not None:
            hub.presence.heard(principal.agent, "hubbub")


def run(
    caller: RpcSession | PostCaller,
    methods: Mapping[str, Method],
    call: Call,
    send: Any,
) -> Coroutine[Any, Any, None] | None:
    """Run a call and send its answer, now or later.

    A notification (a call without id) is run and not answered; its caller is given the result.
    """
    call_id = call.id

    def reply(result: object) -> None:
        if isinstance(call_id, msgspec.Raw):
            send(_answer(call_id, result))
        else:
            caller.noted(result)

    try:
        method = _method(methods, call.method)
        scopes.check(scopes.HUBBUB, method.name, caller.principal)
        params = _params(call.params, method)
        cause = getattr(params, "cause", None)
        if cause is None:
            work = method.run(caller, params, reply)
        else:
            work = _led(cause, method, caller, params, reply)
    except HubbubError as error:
        reply(error)
        return None
    except Exception as error:  # noqa: BLE001 an unexpected failure is one error to its caller
        reply(_unexpected(call, error))
        return None
    return None if work is None else _finish(work, call, reply)


def _led(
    cause: str, method: Method, caller: RpcSession | PostCaller, params: Any, reply: Reply
) -> Coroutine[Any, Any, None] | None:
    """Run a call that says what led to it."""
    with causes.led_by(cause):
        work = method.run(caller, params, reply)
    return None if work is None else _led_later(cause, work)


async def _led_later(cause: str, work: Coroutine[Any, Any, None]) -> None:
    with causes.led_by(cause):
        await work


async def _finish(work: Coroutine[Any, Any, None], call: Call, reply: Reply) -> None:
    try:
        await work
    except HubbubError as error:
        reply(error)
    except Exception as error:  # noqa: BLE001 an unexpected failure is one error to its caller
        reply(_unexpected(call, error))


def _method(methods: Mapping[str, Method], name: str) -> Method:
    method = methods.get(name)
    if method is None:
        message = f"no method {name!r}; /openrpc.json lists them all"
        raise MethodNotFound(message)
    return method


def _params(raw: msgspec.Raw, method: Method) -> Any:
    try:
        return msgspec.json.decode(raw, type=method.params)
    except (msgspec.DecodeError, RecursionError) as error:
        message = f"params of {method.name}: {error}"
        raise InvalidRequest(message) from None


def _unexpected(call: Call, error: Exception) -> InternalError:
    log.error("call_failed", method=call.method, exc_info=error)
    return InternalError(f"{type(error).__name__}: {error}")


def _answer(call_id: msgspec.Raw, result: object) -> bytes:
    if isinstance(result, HubbubError):
        return frames.refusal(call_id, result)
    return frames.success(call_id, result)
