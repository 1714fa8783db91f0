"""The OpenClaw door: any path upgrades to the gateway's socket."""

import asyncio
import contextlib
import platform
from collections.abc import Mapping, Sequence

from hubbub import __version__
from hubbub.core.chat.agents import AgentSettings
from hubbub.core.hub import Hub
from hubbub.core.values import Principal
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
from hubbub.dialects.openclaw.absent import Absent
from hubbub.dialects.openclaw.agents import Agents
from hubbub.dialects.openclaw.chat import Chat
from hubbub.dialects.openclaw.direct import DirectLines
from hubbub.dialects.openclaw.events import Feed
from hubbub.dialects.openclaw.frames import CLOSE_POLICY, CLOSE_RESTART, PROTOCOL
from hubbub.dialects.openclaw.handshake import Accepted
from hubbub.dialects.openclaw.methods import table
from hubbub.dialects.openclaw.pace import Timers
from hubbub.dialects.openclaw.room import Room
from hubbub.dialects.openclaw.roster import SESSION_DEFAULTS, Roster
from hubbub.dialects.openclaw.session import OpenclawSession
from hubbub.dialects.openclaw.sessions import Sessions
from hubbub.dialects.openclaw.settings import OpenclawSettings
from hubbub.dialects.openclaw.system import System
from hubbub.errors import HubbubError
from hubbub.telemetry import log


EVENTS = ("connect.challenge", "agent", "chat", "presence", "health", "tick", "shutdown")
"""Events that this door really sends."""
MAX_HELD_MESSAGES = 1_000_000
"""Frames held for a slow client; bytes are what bounds this queue."""
GREETING = "hubbub speaks the clawdbot gateway protocol here: open a WebSocket on this address.\n"


class OpenclawDialect:
    """What clawdbot clients take for their gateway."""

    name = "openclaw"
    scopes = scopes.OPENCLAW
    max_body_bytes = 64 * 1024

    def __init__(
        self,
        hub: Hub,
        settings: OpenclawSettings | None = None,
        agents: Mapping[str, AgentSettings] | None = None,
        timers: Timers | None = None,
    ) -> None:
        """Serve a hub.

        Args:
            agents: Those that the settings name.
            timers: What calls on the clock; by default the running event loop.
        """
        self._settings = settings = settings or OpenclawSettings()
        self._hub = hub
        self._room = room = Room(hub, settings, timers or asyncio.get_running_loop())
        self._feed = feed = Feed(room)
        lines = DirectLines(hub, settings.max_system_events)
        roster = Roster(hub, agents or {})
        self._system = system = System(room, roster, lines)
        self.methods = table(
            Chat(room, feed, lines).methods(),
            Sessions(room, roster.session_defaults()).methods(),
            Agents(room, feed).methods(),
            system.methods(),
            Absent(hub).methods(),
        )
        scopes.complete(self.scopes, self.methods)
        rules = OutboxRules(
            max_messages=MAX_HELD_MESSAGES,
            max_bytes=settings.max_buffered_bytes,
            overflow=Overflow.DROP_NEWEST,
            close_code=CLOSE_POLICY,
        )
        self.sockets = [
            Socket(
                path="/{path:.*}",
                open=self._open,
                rules=rules,
                numbered=True,
                shutdown_code=CLOSE_RESTART,
                shutdown_reason="service restart",
                max_message_bytes=settings.max_frame_bytes,
            )
        ]
        self.routes = [
            Route(method="GET", path="/{path:.*}", handler=self._page),
        ]

    def authenticate(self, request: Request) -> Principal | Response | None:
        """Let everyone open a socket: this protocol authenticates by messages."""
        return None

    def refuse(self, error: HubbubError) -> Response:
        """Give an error as this gateway's HTTP side does."""
        body = {"error": {"message": str(error), "type": error.code}}
        return json_response(body, error.http_status)

    def missing(self, request: Request, allowed: Sequence[str]) -> Response:
        """Answer what is no upgrade and no page."""
        return Response(status=405, headers={"Allow": "GET"})

    def cors(self, origin: str) -> Mapping[str, str]:
        """Let no foreign page in."""
        return {}

    async def run(self) -> None:
        """Tick, and look at the gateway's health when someone comes and from time to time."""
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self._tick())
                tasks.create_task(self._watch_health())
        finally:
            self._feed.close()
            self._room.close()

    async def _tick(self) -> None:
        while True:
            await asyncio.sleep(self._settings.tick_interval_ms / 1000)
            self._room.tick()

    async def _watch_health(self) -> None:
        wanted = self._room.health_wanted
        while True:
            try:
                self._room.tell_health(await self._system.look())
            except Exception as error:  # noqa: BLE001 clients must still get their ticks
                log.warning("health_unknown", door=self.name, error=repr(error))
            # Not wait_for: before Python 3.12 it can swallow a cancellation.
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(self._settings.health_interval_ms / 1000):
                    await wanted.wait()
            wanted.clear()

    def _open(self, connection: Connection) -> OpenclawSession:
        return OpenclawSession(self._room, self._feed, self.methods, self._hello, connection)

    async def _page(self, request: Request) -> Response:
        if request.path != "/":
            body = {"error": {"message": "not found", "type": "not_found"}}
            return json_response(body, 404)
        return Response(body=GREETING.encode(), content_type="text/plain; charset=utf-8")

    def _hello(self, session: OpenclawSession, accepted: Accepted) -> object:
        room, settings = self._room, self._settings
        return {
            "type": "hello-ok",
            "protocol": PROTOCOL,
            "server": {"version": __version__, "host": platform.node(), "connId": session.id},
            "features": {"methods": sorted(self.methods), "events": list(EVENTS)},
            "snapshot": {
                "presence": room.presence.entries(),
                "health": room.health,
                "stateVersion": room.versions,
                "uptimeMs": self._hub.clock() - room.opened_at,
                "sessionDefaults": SESSION_DEFAULTS,
            },
            "policy": {
                "maxPayload": settings.max_frame_bytes,
                "maxBufferedBytes": settings.max_buffered_bytes,
                "tickIntervalMs": settings.tick_interval_ms,
            },
        }
