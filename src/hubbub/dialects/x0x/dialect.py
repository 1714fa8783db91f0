"""The x0x listener: who gets in, what is where, what errors look like."""

import re
import uuid
from collections.abc import Callable, Mapping, Sequence

from hubbub.core.hub import Hub
from hubbub.core.values import Principal
from hubbub.dialects import scopes
from hubbub.dialects.base import (
    Connection,
    OutboxRules,
    Overflow,
    Request,
    Response,
    Socket,
    json_response,
)
from hubbub.dialects.x0x.frames import EventFrames
from hubbub.dialects.x0x.rest import DirectRefused, Rest
from hubbub.dialects.x0x.rest_agents import AgentRest
from hubbub.dialects.x0x.session import Sockets, X0xSession
from hubbub.dialects.x0x.settings import X0xSettings
from hubbub.dialects.x0x.streams import Subscriptions
from hubbub.errors import HubbubError


QUERY_TOKEN_PATHS = frozenset(
    (
        "/gui",
        "/gui/",
        "/ws",
        "/ws/direct",
        "/events",
        "/direct/events",
        "/peers/events",
        "/presence/events",
    )
)
"""Paths on which a browser, which cannot send headers there, may carry its token as a query."""

_LOOPBACK_ORIGIN = re.compile(r"https?://(127\.0\.0\.1|\[::1\])(:\d{1,5})?")
_ANY_METHOD = "DELETE, GET, PATCH, POST, PUT"
_ANY_HEADER = "Authorization, Content-Type, Idempotency-Key, Last-Event-ID, *"
_REFUSED = json_response({"error": "missing or invalid Authorization: Bearer token"}, 401)
_MISSING = Response(status=404)

DEFAULT_SETTINGS = X0xSettings()


def _session_id() -> str:
    return str(uuid.uuid4())


class X0xDialect:
    """What an x0x client expects of its ``x0xd``."""

    name = "x0x"
    scopes = scopes.X0X

    def __init__(
        self, hub: Hub, stop: Callable[[], None], settings: X0xSettings = DEFAULT_SETTINGS
    ) -> None:
        """Serve a hub.

        Args:
            stop: Begins the daemon's graceful end.
        """
        self._access = hub.access
        self._settings = settings
        self.max_body_bytes = settings.max_body_bytes
        events = EventFrames(hub.identities, hub.store.epoch)
        self._sockets = Sockets(hub, settings, events, _session_id)
        subscriptions = Subscriptions(hub, settings, events)
        rest = Rest(self._sockets, subscriptions, stop)
        self.routes = [*rest.routes, *AgentRest(hub, settings).routes]
        self.sockets = [self._socket("/ws"), self._socket("/ws/direct")]

    def authenticate(self, request: Request) -> Principal | Response | None:
        """Take a bearer token anywhere, and a query token where browsers need it."""
        bearer = request.bearer
        if bearer is not None:
            principal = self._access.principal(bearer)
            if principal is not None:
                return principal
        if request.path in QUERY_TOKEN_PATHS:
            token = request.query.get("token", "")
            principal = self._access.principal(token)
            if principal is not None and (
                self._settings.query_takes_durable_token or self._access.durable(token) is None
            ):
                return principal
        return _REFUSED

    def refuse(self, error: HubbubError) -> Response:
        """Give an error x0x's shape."""
        if isinstance(error, DirectRefused):
            return error.answer
        return json_response({"ok": False, "error": str(error)}, error.http_status)

    def missing(self, request: Request, allowed: Sequence[str]) -> Response:
        """Answer with an empty body."""
        if allowed:
            return Response(status=405, headers={"Allow": ", ".join(allowed)})
        return _MISSING

    def cors(self, origin: str) -> Mapping[str, str]:
        """Let pages from loopback addresses in; ``localhost`` is no address."""
        if not _LOOPBACK_ORIGIN.fullmatch(origin):
            return {}
        return {
            "Access-Control-Allow-Origin": origin,
            "Access-Control-Allow-Methods": _ANY_METHOD,
            "Access-Control-Allow-Headers": _ANY_HEADER,
            "Vary": "Origin",
        }

    async def run(self) -> None:
        """Do nothing on the clock: each socket keeps its own."""

    def _socket(self, path: str) -> Socket:
        settings = self._settings
        return Socket(
            path=path,
            open=self._open,
            serial=True,
            max_message_bytes=settings.max_message_bytes,
            rules=OutboxRules(
                max_messages=settings.outbox_frames,
                max_bytes=settings.outbox_bytes,
                overflow=Overflow.DROP_NEWEST,
                on_drop=self._sockets.count_drop,
                on_slow_close=self._sockets.count_slow_close,
            ),
        )

    def _open(self, connection: Connection) -> X0xSession:
        return X0xSession(self._sockets, connection, direct=connection.request.path == "/ws/direct")
