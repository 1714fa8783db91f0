"""Types of `shared`.

Written by `python -m scripts.write_client`.
"""

from typing import Literal

import msgspec


class AgentPresence(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of one agent's presence."""

    agent: str
    status: Literal["active", "idle", "stale", "offline"]
    last_heartbeat: int
    """Unix time in milliseconds of its last act."""
    active_issue_id: int | None
    doors: list[str]
    """Doors through which it is connected; without a connection, the one last heard through."""
    machine_id: str
    connected: bool


class AgentList(msgspec.Struct, frozen=True, kw_only=True):
    """Result of ``agents.list`` and ``presence.list``."""

    agents: list[AgentPresence]


class Grant(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What a write is made under: a lock's grant, a reservation, or both."""

    issue_id: int | None = None
    """The issue whose lock it is; goes with ``fence``."""
    fence: int | None = None
    reservation: int | None = None
    """A reservation's number, which is its fence."""
