"""crosslink's listener: ``/ws`` and ``/api/v1``."""

from collections.abc import Mapping, Sequence
from urllib.parse import urlsplit

from hubbub import __version__
from hubbub.core.hub import Hub
from hubbub.core.values import Principal, is_loopback
from hubbub.dialects import scopes
from hubbub.dialects.base import (
    Connection,
    OutboxRules,
    Overflow,
    Request,
    Response,
    Route,
    Socket,
    json_response,
)
from hubbub.dialects.crosslink.bodies import FENCE_HEADER, KEY_HEADER, PlainRefusal
from hubbub.dialects.crosslink.frames import EventFrames, error_fields, gap
from hubbub.dialects.crosslink.rest_agents import AgentRoutes
from hubbub.dialects.crosslink.rest_issues import IssueRoutes
from hubbub.dialects.crosslink.session import CrosslinkSession
from hubbub.dialects.crosslink.settings import DEFAULT_SETTINGS, CrosslinkSettings
from hubbub.errors import HubbubError, TooLarge


HEALTH = "/api/v1/health"
DEV_ORIGINS = ("http://localhost:5173", "http://127.0.0.1:5173")
"""Where both pages' development server runs."""


class CrosslinkDialect:
    """crosslink's protocol."""

    name = "crosslink"
    scopes = scopes.CROSSLINK

    def __init__(self, hub: Hub, settings: CrosslinkSettings = DEFAULT_SETTINGS) -> None:
        """Serve a hub."""
        self._hub = hub
        self._events = EventFrames()
        self._ring_events = settings.ring_events
        self.max_body_bytes = settings.max_body_bytes
        agents = AgentRoutes(hub, stale_lock_after_s=settings.stale_lock_after_s)
        self.routes: Sequence[Route] = [
            Route(method="GET", path=HEALTH, handler=self._health),
            *IssueRoutes(hub).routes(),
            *agents.routes(),
        ]
        rules = OutboxRules(
            max_messages=settings.ring_events, overflow=Overflow.DROP_OLDEST, gap=gap
        )
        self.sockets = [
            Socket(
                path="/ws",
                open=self._open,
                rules=rules,
                numbered=True,
                max_message_bytes=settings.max_message_bytes,
            )
        ]

    def authenticate(self, request: Request) -> Principal | Response | None:
        """Take a bearer token for everything under ``/api/``; the socket may do without.

        The page of 0.8 sends no token with the upgrade, so a missing one is let in, but not
        from a page of another host, nor from another machine; a wrong one never is.
        """
        if request.path == "/ws":
            token = request.bearer or request.query.get("token")
            if token is None and "Authorization" not in request.headers:
                here = is_loopback(request.remote)
                return None if here and _own_page(request) else _REFUSED
            return self._principal(token)
        if not request.path.startswith("/api/"):
            return None
        principal = self._principal(request.bearer)
        if isinstance(principal, Principal) and principal.agent is not None:
            self._hub.presence.heard(principal.agent, self.name)
        return principal

    def refuse(self, error: HubbubError) -> Response:
        """Give an error as JSON, or as text where the original's framework would."""
        if isinstance(error, PlainRefusal):
            return _text(error.status, str(error))
        if isinstance(error, TooLarge):
            return _text(413, str(error))
        status, body = error_fields(error)
        return json_response(body, status)

    def missing(self, request: Request, allowed: Sequence[str]) -> Response:
        """Say 404 or 405, with nothing else."""
        if allowed:
            return Response(status=405, headers={"Allow": ", ".join(allowed)})
        return Response(status=404)

    def cors(self, origin: str) -> Mapping[str, str]:
        """Let the pages' development server in."""
        if origin not in DEV_ORIGINS:
            return {}
        return {
            "Access-Control-Allow-Origin": origin,
            "Access-Control-Allow-Methods": "GET, POST, PUT, PATCH, DELETE, OPTIONS",
            "Access-Control-Allow-Headers": (
                f"content-type, authorization, accept, {KEY_HEADER.lower()}, {FENCE_HEADER.lower()}"
            ),
            "Vary": "Origin",
        }

    async def run(self) -> None:
        """Do nothing on the clock: presence tells by itself who falls silent."""

    def _principal(self, token: str | None) -> Principal | Response:
        principal = None if token is None else self._hub.access.principal(token)
        return _REFUSED if principal is None else principal

    def _open(self, connection: Connection) -> CrosslinkSession:
        return CrosslinkSession(self._hub, self._events, connection, replay=self._ring_events)

    async def _health(self, request: Request) -> Response:
        return json_response({"status": "ok", "version": __version__})


_REFUSED = Response(status=401)


def _own_page(request: Request) -> bool:
    """Say whether no page opens the socket, or one of our host.

    The port may be another: so the page of 0.8 works from its development server too. Which
    origins get this far at all, the transport has decided by ``cors``.
    """
    origin = request.headers.get("Origin")
    if origin is None:
        return True
    return urlsplit(origin).hostname == urlsplit(f"//{request.headers.get('Host')}").hostname


def _text(status: int, text: str) -> Response:
    return Response(status=status, body=text.encode(), content_type="text/plain; charset=utf-8")
