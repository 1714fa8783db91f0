"""Who is here: the caller's own identity, other agents, presence, the daemon's health."""

import base64

import msgspec

from hubbub import __version__
from hubbub.core.hub import Hub
from hubbub.core.identity.identities import OWN, agent_of
from hubbub.core.identity.presence import AgentPresence
from hubbub.core.ports import Outbox
from hubbub.core.values import Event
from hubbub.dialects.base import EventStream, Request, Response, Route, json_response
from hubbub.dialects.x0x import frames
from hubbub.dialects.x0x.settings import X0xSettings
from hubbub.dialects.x0x.streams import keep_open, stream_rules
from hubbub.errors import InvalidRequest, NotFound


DISCOVERED_MS = 900_000
"""Milliseconds of silence after which an agent is no longer listed as discovered."""


class ConnectBody(msgspec.Struct, frozen=True):
    """Body of ``POST /agents/connect``."""

    agent_id: str


class AnnounceBody(msgspec.Struct, frozen=True):
    """Body of ``POST /announce``."""

    include_user_identity: bool = False
    human_consent: bool = False


class AgentRest:
    """Handlers over identities and presence."""

    def __init__(self, hub: Hub, settings: X0xSettings) -> None:
        """Serve a hub."""
        self._hub = hub
        self._settings = settings
        self._started_at = hub.clock()
        self.routes = [
            Route(method="GET", path="/health", handler=self.health),
            Route(method="GET", path="/status", handler=self.status),
            Route(method="GET", path="/agent", handler=self.agent),
            Route(method="GET", path="/agent/user-id", handler=self.user_id),
            Route(method="POST", path="/announce", handler=self.announce),
            Route(method="POST", path="/agents/connect", handler=self.connect),
            Route(method="GET", path="/agents/discovered", handler=self.discovered),
            Route(method="GET", path="/agents/discovered/{id}", handler=self.one),
            Route(method="GET", path="/direct/connections", handler=self.connections),
            Route(method="GET", path="/presence", handler=self.presence),
            Route(method="GET", path="/presence/online", handler=self.online),
            Route(method="GET", path="/presence/events", handler=self.presence_stream),
        ]

    # -- the daemon ----------------------------------------------------------------------

    async def health(self, request: Request) -> Response:
        """Say that the daemon is well; the agents that are connected count as peers."""
        peers = len(self._connected())
        return json_response(
            {
                "ok": True,
                "status": "healthy",
                "version": __version__,
                "peers": peers,
                "send_ready_peers": peers,
                "uptime_secs": self._uptime_s(),
            }
        )

    async def status(self, request: Request) -> Response:
        """Say where the daemon is and who the caller is."""
        peers = len(self._connected())
        return json_response(
            {
                "ok": True,
                "status": "connected",
                "version": __version__,
                "uptime_secs": self._uptime_s(),
                "api_address": request.host,
                "external_addrs": [],
                "agent_id": self._own_id(request),
                "peers": peers,
                "send_ready_peers": peers,
                "warnings": [],
            }
        )

    # -- the caller ----------------------------------------------------------------------

    async def agent(self, request: Request) -> Response:
        """Give the caller's ids and the key to encrypt to it."""
        identities = self._hub.identities
        kem = identities.kem_public_key(agent_of(request.caller))
        return json_response(
            {
                "ok": True,
                "agent_id": self._own_id(request),
                "machine_id": identities.machine_id,
                "user_id": None,
                "kem_public_key_b64": base64.b64encode(kem).decode(),
            }
        )

    async def user_id(self, request: Request) -> Response:
        """Say that there is no user identity."""
        return json_response({"ok": True, "user_id": None})

    async def announce(self, request: Request) -> Response:
        """Note that the caller is here; there is no user identity to announce."""
        body = AnnounceBody()
        if request.body:
            max_bytes = self._settings.max_body_bytes
            body = frames.body_of(request, AnnounceBody, max_bytes=max_bytes)
        if body.include_user_identity:
            text = "there is no user key" if body.human_consent else "human_consent is required"
            raise InvalidRequest(text)
        if request.caller.agent is not None:
            self._hub.presence.heard(request.caller.agent, "x0x")
        return json_response({"ok": True, "include_user_identity": False})

    # -- others --------------------------------------------------------------------------

    async def connect(self, request: Request) -> Response:
        """Say whether an agent can be reached; all agents here are as near as can be."""
        body = frames.body_of(request, ConnectBody, max_bytes=self._settings.max_body_bytes)
        agent_id = frames.agent_id(body.agent_id)
        try:
            name = self._hub.identities.name(agent_id)
        except NotFound:
            outcome = "NotFound"
        else:
            found = self._hub.presence.get(name)
            here = name == OWN or (found is not None and found.connected)
            outcome = "AlreadyConnected" if here else "Unreachable"
        return json_response({"ok": True, "outcome": outcome, "addr": None})

    async def discovered(self, request: Request) -> Response:
        """List the agents heard lately, or all that were ever heard."""
        oldest = 0 if request.query.get("unfiltered") == "true" else self._hub.clock()
        agents = [
            self._entry(agent)
            for agent in self._others(request)
            if agent.connected or agent.last_heartbeat >= oldest - DISCOVERED_MS
        ]
        return json_response({"ok": True, "agents": sorted(agents, key=_by_id)})

    async def one(self, request: Request) -> Response:
        """Show one agent."""
        agent_id = frames.agent_id(request.params["id"])
        for agent in self._others(request):
            if self._hub.identities.agent_id(agent.agent) == agent_id:
                return json_response({"ok": True, "agent": self._entry(agent)})
        return json_response({"ok": False, "error": "agent not found"}, 404)

    async def connections(self, request: Request) -> Response:
        """List the agents that are connected."""
        machine = self._hub.identities.machine_id
        return json_response(
            {
                "ok": True,
                "connections": [
                    {"agent_id": agent_id, "machine_id": machine}
                    for agent_id in self._online_ids(request)
                ],
            }
        )

    async def presence(self, request: Request) -> Response:
        """List the ids of the agents that are connected."""
        return json_response({"ok": True, "agents": self._online_ids(request)})

    async def online(self, request: Request) -> Response:
        """List the agents that are connected."""
        agents = [self._entry(agent) for agent in self._others(request) if agent.connected]
        return json_response({"ok": True, "agents": sorted(agents, key=_by_id)})

    async def presence_stream(self, request: Request) -> EventStream:
        """Stream who comes and goes; begin with everyone who is here."""
        here = self._online_ids(request)

        async def follow(outbox: Outbox) -> None:
            for agent_id in here:
                outbox.send(frames.sse("presence", _online(agent_id)))
            known = set(here)
            member = self._hub.bus.join(
                outbox,
                key=("x0x-presence", outbox),
                patterns=("agents/*",),
                encode=lambda event: self._presence_event(event, known),
            )
            try:
                await keep_open(outbox, self._settings.stream_ping_s)
            finally:
                member.leave()

        return EventStream(open=follow, rules=stream_rules(self._settings))

    def _presence_event(self, event: Event, known: set[str]) -> bytes | None:
        """Show a change that one stream does not know yet.

        Args:
            known: Agents that it shows as online. Memory is ahead of what is told, so the
                beginning of the stream may hold what is told again a moment later.
        """
        agent_id = self._hub.identities.agent_id(event.topic.partition("/")[2])
        if event.kind == "agent.connected" and agent_id not in known:
            known.add(agent_id)
            return frames.sse("presence", _online(agent_id))
        is_end = event.kind == "agent.disconnected"
        if is_end and agent_id in known and _change.decode(event.data).connections == 0:
            known.remove(agent_id)
            gone = {"event": "offline", "agent_id": agent_id}
            return frames.sse("presence", frames.encode(gone))
        return None

    # -- presence ------------------------------------------------------------------------

    def _connected(self) -> list[AgentPresence]:
        return [agent for agent in self._hub.presence.list() if agent.connected]

    def _others(self, request: Request) -> list[AgentPresence]:
        own = agent_of(request.caller)
        return [agent for agent in self._hub.presence.list() if agent.agent != own]

    def _online_ids(self, request: Request) -> list[str]:
        names = (agent.agent for agent in self._others(request) if agent.connected)
        return sorted(map(self._hub.identities.agent_id, names))

    def _entry(self, agent: AgentPresence) -> dict[str, object]:
        seen_s = agent.last_heartbeat // 1000
        return {
            "agent_id": self._hub.identities.agent_id(agent.agent),
            "machine_id": self._hub.identities.machine_id,
            "user_id": None,
            "addresses": [],
            "announced_at": seen_s,
            "last_seen": seen_s,
        }

    def _own_id(self, request: Request) -> str:
        return self._hub.identities.agent_id(agent_of(request.caller))

    def _uptime_s(self) -> int:
        return (self._hub.clock() - self._started_at) // 1000


class _Change(msgspec.Struct, frozen=True):
    """What is read in presence events."""

    connections: int = -1


_change = msgspec.json.Decoder(_Change)


def _online(agent_id: str) -> bytes:
    return frames.encode({"event": "online", "agent_id": agent_id, "reachable": True})


def _by_id(entry: dict[str, object]) -> str:
    return str(entry["agent_id"])
