"""``agents.*`` and ``host.*``: who is attached, and the host's view of the room."""

import msgspec

from hubbub.core.hub import Hub
from hubbub.core.values import Event
from hubbub.dialects.car import frames, records
from hubbub.dialects.car.frames import HandshakeRequired
from hubbub.dialects.car.methods import Caller, Method, at_once
from hubbub.dialects.car.tools import Nothing


PRESENCE = {"active": "running", "idle": "idle", "stale": "paused", "offline": "stopped"}
"""Presence in CAR's words."""

CHAT = {
    "chat.started": "running",
    "chat.final": "completed",
    "chat.error": "errored",
    "chat.aborted": "stopped",
}
"""What a chat turn makes of its agent."""


class _Seen(msgspec.Struct, frozen=True):
    """What is read in events of agents, chats and direct messages."""

    agent: str = ""
    connections: int = 0
    status: str = ""
    run_id: str = ""
    sender: str = ""
    recipient: str = ""


_seen = msgspec.json.Decoder(_Seen)


def register_basics(_caller: Caller, _params: object) -> object:
    """Accept; every agent loop asks for this at its start."""
    return None


def list_agents(caller: Caller, _params: Nothing) -> object:
    """Give the agents that are known here, attached or not."""
    return agents(caller)


def agents(caller: Caller) -> list[dict[str, object]]:
    """Give the agents as the supervisor's list shows them."""
    attached = set(caller.attached.agents())
    return [
        {
            "spec": {"id": known.agent, "name": known.agent},
            "status": "running" if known.connected else "stopped",
            "restart_count": 0,
            "attached": known.agent in attached,
        }
        for known in caller.hub.presence.list()
    ]


def subscribe(caller: Caller, _params: Nothing) -> object:
    """Follow the agents of the room; in the host role their chats and messages too."""
    if not caller.handshaken:
        raise HandshakeRequired
    if caller.host_view is None:
        patterns = ["agents/*", "chat/*", "direct/*"] if caller.is_host else ["agents/*"]
        view = HostView(caller.hub)
        caller.host_view = caller.hub.bus.join(
            caller.outbox,
            key=("car-host", caller.is_host),
            patterns=patterns,
            encode=view.encode,
        )
    return {
        "subscribed": True,
        "agents": [host_agent(known.agent, known.status) for known in caller.hub.presence.list()],
        "devices": [],
        "approvals": [],
        "events": [],
        "identity": caller.identity,
    }


def list_host_agents(caller: Caller, _params: Nothing) -> object:
    """Give the agents as the host's view shows them."""
    return [host_agent(known.agent, known.status) for known in caller.hub.presence.list()]


def host_agent(agent: str, presence: str) -> dict[str, object]:
    """Give one agent as the host's view shows it."""
    return {"id": agent, "name": agent, "kind": "agent", "status": PRESENCE[presence]}


class HostView:
    """Makes ``host.event`` notifications of the room's events."""

    def __init__(self, hub: Hub) -> None:
        """Look agents of runs up in a hub."""
        self._hub = hub

    def encode(self, event: Event) -> bytes | None:
        """Give the notification; ``None`` for what the host's view does not show."""
        seen = _seen.decode(event.data)
        kind, agent, message = self._reading(event, seen)
        if not kind:
            return None
        params = {
            "id": event.id,
            "timestamp": records.rfc3339(event.at),
            "kind": kind,
            "agent_id": agent,
            "message": message,
            "payload": event.data,
        }
        return frames.notification("host.event", params)

    def _reading(self, event: Event, seen: _Seen) -> tuple[str, str, str]:
        """Give kind, agent and text of an event; an empty kind is not shown."""
        match event.kind:
            case "agent.connected" if seen.connections == 1:
                return "agent.registered", seen.agent, f"{seen.agent} connected"
            case "agent.disconnected" if seen.connections == 0:
                return "agent.unregistered", seen.agent, f"{seen.agent} disconnected"
            case "agent.status":
                return "agent.status_changed", seen.agent, PRESENCE.get(seen.status, seen.status)
            case "direct.message":
                text = f"direct message from {seen.sender} to {seen.recipient}"
                return "host.notification", seen.recipient, text
            case kind if kind in CHAT:
                run = self._hub.runs.get(seen.run_id)
                agent = seen.agent or ("" if run is None else run.agent)
                return "agent.status_changed", agent, CHAT[kind]
        return "", "", ""


METHODS = [
    Method(name="agents.register_basics", params=object, run=at_once(register_basics)),
    Method(name="agents.list", params=Nothing, run=at_once(list_agents)),
    Method(name="host.subscribe", params=Nothing, run=at_once(subscribe)),
    Method(name="host.agents", params=Nothing, run=at_once(list_host_agents)),
]
