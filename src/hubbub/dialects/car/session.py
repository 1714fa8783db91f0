"""One connection to the CAR door."""

import asyncio
import itertools
from collections.abc import AsyncIterator, Coroutine, Mapping
from typing import Any

import msgspec

from hubbub.core.audience import Member
from hubbub.core.chat.attached import AttachedAgents
from hubbub.core.hub import Hub
from hubbub.core.identity.presence import Attachment
from hubbub.core.ports import RunnerOutput, RunnerTurn
from hubbub.core.values import Principal
from hubbub.dialects import scopes
from hubbub.dialects.base import Connection
from hubbub.dialects.calls import Reply
from hubbub.dialects.car import frames, opening
from hubbub.dialects.car.chat import ChatEvent, ChatTurns
from hubbub.dialects.car.frames import Answer, BadFrame, Call, MethodNotFound
from hubbub.dialects.car.methods import Method
from hubbub.dialects.car.relay import Relay
from hubbub.dialects.car.settings import CarSettings
from hubbub.dialects.car.tools import Shelf
from hubbub.errors import (
    Conflict,
    HubbubError,
    InternalError,
    RunnerFailed,
    TooManyConnections,
    TooManyRequests,
)
from hubbub.telemetry import log


AUTH_CLOSE = 1008
"""Close code of a connection that calls, or lingers, without authenticating."""


BUSY_CLOSE = 1013
"""Close code of a connection that has no place here; it may try again later."""


class Room(msgspec.Struct, frozen=True, kw_only=True):
    """What all connections of the door share."""

    hub: Hub
    settings: CarSettings
    methods: Mapping[str, Method]
    host_token: str
    ambient_agent: str
    identity: Mapping[str, object]
    relay: Relay


class CarSession:
    """One connection's state."""

    def __init__(self, room: Room, connection: Connection) -> None:
        """Serve a client that has not said who it is."""
        self.hub = room.hub
        self.settings = room.settings
        self.methods = room.methods
        self.ambient_agent = room.ambient_agent
        self.identity = room.identity
        self.relay = room.relay
        self.outbox = connection.outbox
        self.client_id = room.hub.ids()
        self.is_host = False
        self.handshaken = False
        self.current_run: str | None = None
        settings = room.settings
        self.tools = Shelf("tool", settings.max_tools, settings.max_tools_bytes)
        self.policies = Shelf("policy", settings.max_tools, settings.max_tools_bytes)
        self.reading = asyncio.Lock()
        self.followed: dict[str, Member] = {}
        self.host_view: Member | None = None
        self._host_token = room.host_token
        self._identified = connection.identified
        self._principal: Principal | None = None
        self._presence: Attachment | None = None
        self._turns: ChatTurns | None = None
        self._asked: dict[str, asyncio.Future[msgspec.Raw]] = {}
        self._request_ids = itertools.count(1)
        self._working = 0
        self._late: asyncio.TimerHandle | None = None

    @property
    def attached(self) -> AttachedAgents:
        """Who is attached."""
        return self.hub.attached

    @property
    def caller(self) -> Principal:
        """Who calls."""
        assert self._principal is not None  # noqa: S101 no call is run before
        return self._principal

    @property
    def agent(self) -> str | None:
        """The agent that the connection is bound to."""
        return None if self._principal is None else self._principal.agent

    def is_attached_as(self, agent: str) -> bool:
        """Say whether this connection takes the turns of an agent."""
        return self.agent is not None and self.attached.get(agent) is self

    # -- the transport's side --------------------------------------------------------------

    def opened(self) -> None:
        """Wait for the client, but not for ever."""
        loop = asyncio.get_running_loop()
        self._late = loop.call_later(
            self.settings.auth_timeout_ms / 1000,
            self.outbox.close,
            AUTH_CLOSE,
            "auth required: session.auth did not come in time",
        )

    def received(self, text: str) -> Coroutine[Any, Any, None] | None:
        """Take one message."""
        try:
            message = frames.decode(text)
        except BadFrame as error:
            self.outbox.send(error.answer)
            return None
        if isinstance(message, Answer):
            self._answered(message)
            return None
        if message.method == "session.auth":
            self._authenticate(message)
            return None
        if self._principal is None:
            self._refuse_stranger(message)
            return None
        if self._presence is not None:
            self._presence.touch()
        if message.method == "agent.chat.event":
            if not scopes.lacks(scopes.CAR, message.method, self._principal):
                self._heard(message)
            return None
        return self._run(message)

    def received_binary(self, data: bytes) -> None:
        """Pass over: binary messages carry voice, which is not spoken here."""

    def refused(self, message: str | bytes, error: TooManyRequests) -> bool:
        """Answer a request with an error; answers and notifications are taken later."""
        try:
            call = frames.decode(message)
        except BadFrame as bad:
            self.outbox.send(bad.answer)
            return True
        if isinstance(call, Answer) or call.id is None:
            return False
        self.outbox.send(frames.refusal(call.id, error))
        return True

    def shutting_down(self) -> None:
        """Say nothing: the protocol has no word for it."""

    def closed(self) -> None:
        """Leave the room; what the runs of this connection do now is the service's rule."""
        if self._late is not None:
            self._late.cancel()
        for member in self.followed.values():
            member.leave()
        if self.host_view is not None:
            self.host_view.leave()
        for future in self._asked.values():
            if not future.done():
                future.set_exception(RunnerFailed("the client disconnected"))
        if self.agent is not None:
            self.attached.detach(self.agent, self)
        if self._turns is not None:
            self._turns.closed()
        if self._presence is not None:
            self._presence.detach()
        self.relay.leave(self)
        self.hub.runs.dropped(self.client_id)

    # -- opening ---------------------------------------------------------------------------

    def _authenticate(self, call: Call) -> None:
        try:
            params = frames.params_of(call.params, opening.Auth, call.method)
            principal = opening.who(self.hub.access, self._host_token, params)
            self._bind(principal)
        except HubbubError as error:
            self._reply(call, error)
            if isinstance(error, TooManyConnections):
                self.outbox.close(BUSY_CLOSE, str(error))
            return
        if self._late is not None:
            self._late.cancel()
        self._reply(call, opening.granted(principal, params.memory_namespace))

    def _bind(self, principal: Principal) -> None:
        """Become somebody; an agent's connection is its only one, and stays that agent's.

        Raises:
            AuthFailed: The connection is bound to another agent, or the agent to another
                connection.
        """
        agent = principal.agent
        if self.agent is not None and self.agent != agent:
            message = f"this connection is bound to agent {self.agent!r}"
            raise opening.AuthFailed(message)
        if principal is not self._principal:
            self._identified(principal)
        if agent is not None and self._turns is None:
            try:
                self.attached.attach(agent, self)
            except Conflict as error:
                raise opening.AuthFailed(str(error)) from error
            self._turns = ChatTurns(agent, self, self.settings)
            self._presence = self.hub.presence.attach(agent, "car")
            self.hub.runs.returned(agent, self.client_id)
        self._principal = principal
        self.is_host = principal is opening.HOST

    def _refuse_stranger(self, call: Call) -> None:
        text = "auth required: call session.auth with the daemon's token first"
        if call.id is not None:
            self.outbox.send(frames.failure(call.id, frames.AUTH_REQUIRED, text))
        self.outbox.close(AUTH_CLOSE, "auth required")

    # -- calls -----------------------------------------------------------------------------

    def _run(self, call: Call) -> Coroutine[Any, Any, None] | None:
        """Run a call and answer it, now or later; a notification is run and not answered."""
        self._working += 1

        def reply(result: object) -> None:
            self._working -= 1
            self._reply(call, result)

        try:
            method = self._method(call)
            scopes.check(scopes.CAR, call.method, self._principal)
            params = frames.params_of(call.params, method.params, call.method)
            work = method.run(self, params, reply)
        except Exception as error:  # noqa: BLE001 whatever it is, it is this caller's answer
            reply(error)
            return None
        return None if work is None else _finish(work, reply)

    def _method(self, call: Call) -> Method:
        """Find the method of a call.

        Raises:
            MethodNotFound: There is none of that name.
            Conflict: The connection has too many calls in work.
        """
        method = self.methods.get(call.method)
        if method is None:
            message = f"method {call.method!r} is not served here"
            raise MethodNotFound(message)
        if self._working > self.settings.max_requests:
            message = f"{self.settings.max_requests} requests of this connection are in work"
            raise Conflict(message)
        return method

    def _reply(self, call: Call, result: object) -> None:
        if call.id is None:
            return
        if isinstance(result, HubbubError):
            self.outbox.send(frames.refusal(call.id, result))
        elif isinstance(result, Exception):
            self.outbox.send(frames.refusal(call.id, _unexpected(call, result)))
        else:
            self.outbox.send(frames.success(call.id, result))

    # -- asking the client -----------------------------------------------------------------

    def chat(self, turn: RunnerTurn) -> AsyncIterator[RunnerOutput]:
        """Hand a turn to the agent that is bound to this connection."""
        assert self._turns is not None  # noqa: S101 only a bound connection is attached
        return self._turns.take(turn)

    async def ask(self, method: str, params: object) -> msgspec.Raw:
        """Send a request and wait for its result.

        Raises:
            RunnerFailed: The client refused it, or left.
        """
        request_id = f"cb-{next(self._request_ids)}"
        future: asyncio.Future[msgspec.Raw] = asyncio.get_running_loop().create_future()
        self._asked[request_id] = future
        self.outbox.send(frames.request(request_id, method, params))
        try:
            return await future
        finally:
            del self._asked[request_id]

    def _answered(self, answer: Answer) -> None:
        """Take the answer to one of our requests; answers to nothing are passed over."""
        request_id = msgspec.json.decode(answer.id)
        future = self._asked.get(request_id) if isinstance(request_id, str) else None
        if future is None or future.done():
            return
        if answer.error is None:
            future.set_result(answer.result or frames.NULL)
        else:
            future.set_exception(RunnerFailed(frames.error_text(answer.error)))

    def _heard(self, call: Call) -> None:
        """Take an event of a chat turn; of anybody else than its agent it means nothing."""
        if self._turns is None:
            return
        try:
            self._turns.heard(msgspec.json.decode(call.params, type=ChatEvent))
        except msgspec.DecodeError as error:
            log.debug("chat_event_unreadable", agent=self.agent, error=str(error))


async def _finish(work: Coroutine[Any, Any, None], reply: Reply) -> None:
    try:
        await work
    except Exception as error:  # noqa: BLE001 whatever it is, it is this caller's answer
        reply(error)


def _unexpected(call: Call, error: Exception) -> InternalError:
    log.error("call_failed", method=call.method, exc_info=error)
    return InternalError(f"{type(error).__name__}: {error}")
