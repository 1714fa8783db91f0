"""hubbub's own listener: ``/rpc``, ``/events``, the page, health, metrics, the description."""

import asyncio
import functools
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from hubbub.core.hub import Hub
from hubbub.core.ports import Outbox
from hubbub.core.values import Position, Principal
from hubbub.dialects import scopes
from hubbub.dialects.base import (
    Connection,
    EventStream,
    Request,
    Response,
    Route,
    Socket,
    json_response,
)
from hubbub.dialects.calls import table
from hubbub.dialects.rpc import (
    activity,
    agents,
    chat,
    direct,
    entrance,
    frames,
    issues,
    locks,
    reservations,
    room,
    runs,
    system,
    tokens,
    topics,
    turns,
)
from hubbub.dialects.rpc.desk import Desks
from hubbub.dialects.rpc.entrance import PROTOCOL
from hubbub.dialects.rpc.frames import BadFrame, EventFrames
from hubbub.dialects.rpc.ops import Ops
from hubbub.dialects.rpc.page import NO_PAGE, Page
from hubbub.dialects.rpc.session import PostCaller, RpcSession, run
from hubbub.dialects.rpc.settings import DEFAULT_LIMITS, RpcSettings
from hubbub.errors import HubbubError, InvalidRequest, NotFound, Unauthorized


class RpcDialect:
    """hubbub's own protocol."""

    name = "hubbub"
    scopes = scopes.HUBBUB

    def __init__(
        self, hub: Hub, limits: RpcSettings = DEFAULT_LIMITS, page: Mapping[str, bytes] = NO_PAGE
    ) -> None:
        """Serve a hub.

        Args:
            page: The files of the page, by their path.
        """
        self._hub = hub
        self._limits = limits
        self.max_body_bytes = limits.max_body_bytes
        self._events = EventFrames(hub.store.epoch)
        self._desks = Desks(hub, limits)
        self.methods = table(
            system.METHODS,
            topics.METHODS,
            activity.METHODS,
            runs.METHODS,
            issues.METHODS,
            locks.METHODS,
            reservations.METHODS,
            agents.METHODS,
            tokens.METHODS,
            chat.METHODS,
            direct.METHODS,
            room.METHODS,
            turns.METHODS,
        )
        scopes.complete(self.scopes, self.methods)
        self.sockets = [
            Socket(
                path="/rpc",
                open=self._open,
                rules=limits.rules(),
                max_message_bytes=limits.max_message_bytes,
                protocols=(PROTOCOL,),
            )
        ]
        self.routes = [
            Route(method="POST", path="/rpc", handler=self._post),
            Route(method="GET", path="/events", handler=self._stream),
            *Ops(hub.operations, self.methods).routes,
            *Page(page).routes,
        ]

    def authenticate(self, request: Request) -> Principal | Response | None:
        """Find the token: a bearer's, ``?token=``, or a subprotocol where a browser has no other.

        A POST without any is let in for the few methods that need none.
        """
        token = entrance.shown(request)
        if token is None and entrance.may_be_open(request):
            return None
        principal = self._hub.access.principal(token) if token else None
        if principal is not None:
            return principal
        return self.refuse(
            entrance.without_token() if token is None else Unauthorized("this token is not known")
        )

    def refuse(self, error: HubbubError) -> Response:
        """Give an error as an object with ``code`` and ``message``."""
        body = {"code": error.code, "message": str(error), "retryable": error.retryable}
        return json_response({"error": body}, error.http_status)

    def missing(self, request: Request, allowed: Sequence[str]) -> Response:
        """Name the path, or the methods that it takes."""
        if not allowed:
            return self.refuse(NotFound("path", request.path))
        headers = {"Allow": ", ".join(allowed)}
        return Response(status=405, headers=headers)

    def cors(self, origin: str) -> Mapping[str, str]:
        """Let no foreign page in."""
        return {}

    async def run(self) -> None:
        """Do nothing on the clock."""

    def _open(self, connection: Connection) -> RpcSession:
        stay = self._hub.access.browsers.enter(connection.request.caller)
        return RpcSession(
            self._hub,
            self.methods,
            self._events,
            self._limits,
            connection,
            stay=stay,
            answers=self._hub.operations.metrics.answers,
            desks=self._desks,
        )

    async def _post(self, request: Request) -> Response:
        who = request.principal or entrance.NOBODY
        try:
            call = frames.decode(request.body)
        except BadFrame as error:
            if who is entrance.NOBODY:
                raise entrance.without_token() from error
            return Response(body=error.answer)
        if who is entrance.NOBODY and self.scopes.get(call.method, "read") is not None:
            raise entrance.without_token()
        ended: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        caller = PostCaller(self._hub, self._events, self._limits, who, noted=ended.set_result)
        work = run(caller, self.methods, call, ended.set_result)
        if work is not None:
            await work
        result = await ended
        if isinstance(call.id, msgspec.Raw):
            return Response(body=result)
        # A notification has no answer; HTTP has one, and it too comes after the commit.
        return self.refuse(result) if isinstance(result, HubbubError) else Response(status=204)

    async def _stream(self, request: Request) -> EventStream:
        patterns = frozenset(filter(None, request.query.get("topics", "*").split(",")))
        cursor = request.headers.get("Last-Event-ID") or request.query.get("after")
        after = Position.parse(cursor) if cursor else None
        if not 0 < len(patterns) <= self._limits.max_topics:
            message = f"topics must name 1 to {self._limits.max_topics} topics, separated by commas"
            raise InvalidRequest(message)

        async def follow(outbox: Outbox) -> None:
            member = self._hub.bus.member(
                outbox, key=("sse", patterns), patterns=patterns, encode=self._events.sse
            )

            def announce(resumed: object) -> None:
                outbox.send(frames.sse("hubbub.resumed", msgspec.json.encode(resumed)))

            stay = self._hub.access.browsers.enter(request.caller)
            try:
                so_far = functools.partial(self._hub.chat.so_far, patterns)
                await self._hub.bus.resume(member, after, announce, late=so_far)
                while True:
                    # Tells the client, and what stands between, that the stream lives.
                    await asyncio.sleep(self._limits.keepalive_s)
                    outbox.send(b": alive\n\n")
            finally:
                member.leave()
                if stay is not None:
                    stay.leave()

        return EventStream(open=follow, rules=self._limits.rules())
