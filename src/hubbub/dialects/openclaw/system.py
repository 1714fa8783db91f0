"""How the gateway is, who is here and which agents there are."""

import time
from collections.abc import Sequence
from typing import Any

from hubbub.core.chat.conversation import Session, SessionFilter
from hubbub.core.chat.session_keys import DEFAULT_AGENT, agent_of, canonical, main_key
from hubbub.dialects.openclaw import rows
from hubbub.dialects.openclaw.direct import DirectLines
from hubbub.dialects.openclaw.frames import Count, Name, Params
from hubbub.dialects.openclaw.methods import Method, NoParams, Request
from hubbub.dialects.openclaw.presence import Entry
from hubbub.dialects.openclaw.room import Room
from hubbub.dialects.openclaw.roster import SCOPE, Roster


NO_HEARTBEAT = {"enabled": False, "every": "disabled", "everyMs": None}
"""hubbub never wakes an agent by itself."""


class Probe(Params, frozen=True):
    """Parameters of ``health``: there is nothing outside this daemon to probe."""

    probe: bool = False
    timeout_ms: Count | None = None


class Identity(Params, frozen=True):
    """Parameters of ``agent.identity.get``."""

    agent_id: Name | None = None
    session_key: str | None = None


class System:
    """The methods."""

    def __init__(self, room: Room, roster: Roster, lines: DirectLines) -> None:
        """Work on the room's hub."""
        self._room = room
        self._hub = room.hub
        self._roster = roster
        self._lines = lines

    def methods(self) -> Sequence[Method]:
        """Give the rows of the method table."""
        return [
            Method(name="health", params=Probe, run=self.health, is_large=True),
            Method(name="status", params=NoParams, run=self.status, is_large=True),
            Method(name="system-presence", params=NoParams, run=self.presence),
            Method(name="agents.list", params=NoParams, run=self.agents),
            Method(name="agent.identity.get", params=Identity, run=self.identity),
            Method(name="models.list", params=NoParams, run=self.models),
        ]

    async def look(self) -> dict[str, Any]:
        """Find out how the gateway is: the payload of ``health``."""
        began = time.monotonic()
        now = self._hub.clock()
        sessions = await self._sessions()
        agents = [
            {
                "agentId": agent,
                "isDefault": agent == DEFAULT_AGENT,
                "heartbeat": NO_HEARTBEAT,
                "sessions": rows.counted(_of(agent, sessions), now),
            }
            for agent in self._roster.names()
        ]
        return {
            "ok": True,
            "ts": now,
            "durationMs": round((time.monotonic() - began) * 1000),
            "channels": {},
            "channelOrder": [],
            "channelLabels": {},
            "heartbeatSeconds": 0,
            "defaultAgentId": DEFAULT_AGENT,
            "agents": agents,
            "sessions": rows.counted(sessions, now),
        }

    async def health(self, request: Request, params: Probe) -> object:
        """Give how the gateway is, now."""
        return await self.look()

    async def status(self, request: Request, params: NoParams) -> object:
        """Give sessions, and the events that wait for the main agent to read them."""
        now = self._hub.clock()
        sessions = await self._sessions()
        names = self._roster.names()
        defaults = self._roster.session_defaults()
        by_agent = [
            {
                "agentId": agent,
                "path": rows.PATH,
                "count": len(own),
                "recent": rows.recent(own, now),
            }
            for agent, own in ((agent, _of(agent, sessions)) for agent in names)
        ]
        return {
            "heartbeat": {
                "defaultAgentId": DEFAULT_AGENT,
                "agents": [{"agentId": agent, **NO_HEARTBEAT} for agent in names],
            },
            "channelSummary": [],
            "queuedSystemEvents": await self._lines.texts(request.principal, main_key()),
            "sessions": {
                "paths": [rows.PATH],
                "count": len(sessions),
                "defaults": {
                    "model": defaults["model"],
                    "contextTokens": defaults["contextTokens"],
                },
                "recent": rows.recent(sessions, now),
                "byAgent": by_agent,
            },
        }

    def presence(self, request: Request, params: NoParams) -> list[Entry]:
        """Give who is here; the first is the gateway itself."""
        return self._room.presence.entries()

    def agents(self, request: Request, params: NoParams) -> object:
        """Give all agents: those of the settings and those that were seen at any door."""
        return {
            "defaultId": DEFAULT_AGENT,
            "mainKey": "main",
            "scope": SCOPE,
            "agents": [{"id": agent, "name": name} for agent, name in self._roster.names().items()],
        }

    def identity(self, request: Request, params: Identity) -> object:
        """Give name and picture of an agent, or of a session's agent."""
        agent = params.agent_id
        if agent is None:
            key = params.session_key
            agent = agent_of(canonical(key)) if key and key.strip() else DEFAULT_AGENT
        return self._roster.identity(agent)

    def models(self, request: Request, params: NoParams) -> object:
        """Give the models of the configured agents."""
        return {"models": self._roster.models()}

    async def _sessions(self) -> list[Session]:
        found = await self._hub.chat.sessions.list(SessionFilter())
        return [row.session for row in found]


def _of(agent: str, sessions: Sequence[Session]) -> list[Session]:
    return [session for session in sessions if session.agent == agent]
