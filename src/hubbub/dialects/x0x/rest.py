"""Publishing, subscribing, direct messages and sessions over HTTP."""

import asyncio
import re
from collections.abc import Awaitable, Callable
from typing import TypeVar

import msgspec

from hubbub.core import payload
from hubbub.core.direct import Sent
from hubbub.core.identity.identities import agent_of
from hubbub.core.ports import Settled
from hubbub.core.values import Position
from hubbub.dialects.base import EventStream, Request, Response, Route, json_response
from hubbub.dialects.x0x import frames, streams
from hubbub.dialects.x0x.session import Sockets
from hubbub.dialects.x0x.streams import Subscriptions
from hubbub.errors import HubbubError, InternalError, InvalidRequest
from hubbub.telemetry import log


T = TypeVar("T")

SHUTDOWN_DELAY_S = 0.05
"""Seconds that the answer to ``/shutdown`` has to leave before the doors close."""

KEY_HEADER = "Idempotency-Key"

_OK = Response(body=frames.OK)
_LOGICAL_ID = re.compile(r"[a-z0-9\-_.:]{1,128}")


class PublishBody(msgspec.Struct, frozen=True, gc=False):
    """Body of ``POST /publish``."""

    topic: str
    payload: str
    idempotency_key: str | None = None


class SubscribeBody(msgspec.Struct, frozen=True):
    """Body of ``POST /subscribe``."""

    topic: str


class DirectBody(msgspec.Struct, frozen=True, kw_only=True):
    """Body of ``POST /direct/send``; what only steers x0x's transports is ignored."""

    agent_id: str
    payload: str
    require_gossip_ack: msgspec.Raw | msgspec.UnsetType = msgspec.UNSET
    require_ack_ms: int | None = None
    require_durable_app_ack: bool = True
    logical_id: str | None = None


class DirectRefused(InvalidRequest):
    """A direct message was not sent; x0x has a code and a detail for it."""

    def __init__(self, status: int, code: str, detail: str) -> None:
        """Take the status, x0x's code, and a text for people."""
        super().__init__(detail)
        self.answer = json_response({"ok": False, "error": code, "detail": detail}, status)


DIRECT_ERRORS = {
    "not_found": "recipient_key_unavailable",
    "idempotency_conflict": "idempotency_conflict",
    "too_large": "payload_too_large",
    "forbidden": "recipient_rejected",
    "store_unavailable": "local_gossip_unavailable",
    "internal_error": "publish_failed",
}
"""x0x's code for each of ours that a send can end with; all others are shown as they are."""


class Rest:
    """Handlers over the hub."""

    def __init__(
        self, sockets: Sockets, subscriptions: Subscriptions, stop: Callable[[], None]
    ) -> None:
        """Serve the hub whose sockets these are.

        Args:
            stop: Begins the daemon's graceful end.
        """
        self._hub = sockets.hub
        self._settings = sockets.settings
        self._events = sockets.events
        self._sockets = sockets
        self._subscriptions = subscriptions
        self._stop = stop
        self.routes = [
            Route(method="POST", path="/publish", handler=self.publish),
            Route(method="POST", path="/subscribe", handler=self.subscribe),
            Route(method="DELETE", path="/subscribe/{id}", handler=self.unsubscribe),
            Route(method="GET", path="/events", handler=self.stream),
            Route(method="POST", path="/direct/send", handler=self.send_direct),
            Route(method="GET", path="/direct/events", handler=self.direct_stream),
            Route(method="GET", path="/ws/sessions", handler=self.sessions),
            Route(method="GET", path="/diagnostics/ws", handler=self.diagnostics),
            Route(method="POST", path="/auth/session", handler=self.session_token),
            Route(method="POST", path="/shutdown", handler=self.shutdown),
        ]

    # -- topics --------------------------------------------------------------------------

    def publish(self, request: Request) -> Awaitable[Response]:
        """Publish bytes; answered once they are stored and told."""
        body = self._body(request, PublishBody)
        data = payload.wrap(payload.check_base64(body.payload))
        answer: asyncio.Future[Response] = asyncio.get_running_loop().create_future()

        def done(settled: Settled) -> None:
            if answer.done():
                return
            if settled.error is None:
                answer.set_result(_OK)
            else:
                answer.set_exception(settled.error)

        self._hub.topics.submit(
            request.caller,
            body.topic,
            data,
            done,
            kind=payload.BYTES,
            key=body.idempotency_key or request.headers.get(KEY_HEADER),
        )
        return answer

    async def subscribe(self, request: Request) -> Response:
        """Show a topic on every ``/events`` stream, also after a restart."""
        body = self._body(request, SubscribeBody)
        subscription_id = await self._hub.standing.add(
            request.caller,
            body.topic,
            limit=self._settings.max_subscriptions,
            key=request.headers.get(KEY_HEADER),
        )
        return json_response({"ok": True, "subscription_id": subscription_id})

    async def unsubscribe(self, request: Request) -> Response:
        """End what ``subscribe`` began."""
        await self._hub.standing.remove(
            request.caller, request.params["id"], key=request.headers.get(KEY_HEADER)
        )
        return _OK

    async def stream(self, request: Request) -> EventStream:
        """Stream the messages of all subscriptions."""
        return self._subscriptions.stream(_position(request))

    # -- direct messages -----------------------------------------------------------------

    async def send_direct(self, request: Request) -> Response:
        """Send bytes to an agent; answered once they are stored and told."""
        body = self._body(request, DirectBody)
        agent_id = frames.agent_id(body.agent_id)
        logical_id = _logical_id(body) or request.headers.get(KEY_HEADER)
        payload.check_base64(body.payload)
        try:
            recipient = self._hub.identities.name(agent_id)
            sent = await self._hub.direct.send(
                request.caller, recipient, body.payload, logical_id=logical_id
            )
        except HubbubError as error:
            if isinstance(error, InternalError):
                log.exception("direct_send_failed")
            code = DIRECT_ERRORS.get(error.code, error.code)
            raise DirectRefused(error.http_status, code, str(error)) from error
        own = recipient == agent_of(request.caller)
        return json_response(_receipt(sent, body, path="loopback" if own else "gossip_inbox"))

    async def direct_stream(self, request: Request) -> EventStream:
        """Stream the caller's direct messages."""
        asked = request.query.get("backfill")
        if asked is not None and not (asked.isascii() and asked.isdigit()):
            message = "backfill must be a number of messages"
            raise InvalidRequest(message)
        return streams.direct_stream(
            self._hub,
            self._settings,
            self._events,
            agent_of(request.caller),
            after=_position(request),
            backfill=None if asked is None else self._settings.backfill(int(asked)),
        )

    # -- sockets and tokens --------------------------------------------------------------

    async def sessions(self, request: Request) -> Response:
        """List the open sockets."""
        sessions = [
            {
                "session_id": session.session_id,
                "subscribed_topics": session.topics,
                "receives_direct": session.direct is not None,
            }
            for session in self._sockets.open.values()
        ]
        shared = self._sockets.shared()
        return json_response({"ok": True, "sessions": sessions, "shared_subscriptions": shared})

    async def diagnostics(self, request: Request) -> Response:
        """Tell what slow sockets lost."""
        return json_response(
            {
                "ok": True,
                "ws_outbound_capacity": self._settings.outbox_frames,
                "ws_outbound_dropped": self._sockets.dropped,
                "ws_slow_consumer_closes": self._sockets.slow_closes,
            }
        )

    async def session_token(self, request: Request) -> Response:
        """Make a token that a browser may hold for ten minutes."""
        access = self._hub.access
        if access.durable(request.bearer or "") is None:
            return json_response({"error": "durable API token required to mint a session"}, 403)
        token = access.open_session(request.caller)
        expires_in = access.session_ms // 1000
        return json_response({"ok": True, "session_token": token, "expires_in": expires_in})

    async def shutdown(self, request: Request) -> Response:
        """Stop the daemon, after this answer has left."""
        asyncio.get_running_loop().call_later(SHUTDOWN_DELAY_S, self._stop)
        return json_response({"ok": True, "message": "shutting down"})

    def _body(self, request: Request, shape: type[T]) -> T:
        return frames.body_of(request, shape, max_bytes=self._settings.max_body_bytes)


def _logical_id(body: DirectBody) -> str | None:
    """Check the options that decide how often a message may arrive.

    Raises:
        DirectRefused: One is gone, or two contradict each other.
    """
    if body.require_gossip_ack is not msgspec.UNSET:
        code, detail = "require_gossip_ack_removed", "use require_durable_app_ack"
    elif body.logical_id is None:
        return None
    elif not _LOGICAL_ID.fullmatch(body.logical_id):
        code, detail = "invalid_logical_id", "a logical id has 1 to 128 of a-z 0-9 - _ . :"
    elif not body.require_durable_app_ack:
        code, detail = "logical_id_requires_durable_ack", "leave require_durable_app_ack out"
    else:
        return body.logical_id
    raise DirectRefused(400, code, detail)


def _receipt(sent: Sent, body: DirectBody, *, path: str) -> dict[str, object]:
    """Answer a send in x0x's words; delivery here needs no retries and no second probe."""
    return {
        "ok": True,
        "path": path,
        "retries_used": 0,
        "request_id": sent.message_id.replace("-", ""),
        "require_ack": None if body.require_ack_ms is None else {"ok": True, "rtt_ms": 0},
    }


def _position(request: Request) -> Position | None:
    """Give the position that an event stream's client came back with."""
    cursor = request.headers.get("Last-Event-ID")
    return Position.parse(cursor) if cursor else None
