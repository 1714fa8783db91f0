"""One agent's presence as memory holds it, and as it is stored and told."""

from collections import Counter
from collections.abc import Iterable
from typing import Any, Literal

import msgspec


Status = Literal["active", "idle", "stale", "offline"]

Told = tuple[str, dict[str, object]]
"""Kind and data of an event."""


def doors_of(connections: Iterable[str]) -> dict[str, int]:
    """Count the connections through each door."""
    return dict(sorted(Counter(connections).items()))


class Record:
    """One agent, as memory holds it."""

    __slots__ = (
        "agent",
        "connections",
        "is_behind",
        "is_known",
        "issue",
        "last",
        "machine",
        "status",
        "told",
        "via",
    )

    def __init__(self, agent: str) -> None:
        self.agent = agent
        self.status: Status = "offline"
        # The store refused what was to be told of it; the next write tells how it stands.
        self.is_behind = False
        # An event has told of it: before, it is in no view of the room.
        self.is_known = False
        self.last = 0
        # When the last heartbeat event was told.
        self.told = 0
        self.issue: int | None = None
        self.machine = ""
        self.via = ""
        # The door of each open connection.
        self.connections: list[str] = []

    def row(self) -> dict[str, Any]:
        """Give the values of ``presence_put``."""
        return {
            "agent": self.agent,
            "status": self.status,
            "last_heartbeat": self.last,
            "active_issue_id": self.issue,
            "machine_id": self.machine,
            "doors": msgspec.json.encode(self.connections).decode(),
            "known": self.is_known,
        }

    def link(self, change: str, door: str) -> Told:
        """Give what is told of a connection that came or went."""
        data = {"agent": self.agent, "door": door, "connections": len(self.connections)}
        return f"agent.{change}", {**data, **self.stands()}

    def stands(self) -> dict[str, object]:
        """Give what every event of it says: the agent as it is after it."""
        self.is_known = True
        return {"status": self.status, "doors": doors_of(self.connections)}


def turned(record: Record, status: Status) -> Told:
    """Change an agent's status; gives what is told of it."""
    previous, record.status = record.status, status
    return "agent.status", {"agent": record.agent, "previous": previous, **record.stands()}
