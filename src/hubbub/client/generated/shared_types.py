"""Types of `shared`.

Written by `python -m scripts.write_client`.
"""

from collections.abc import Mapping
from typing import Any, Literal

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


class Lock(msgspec.Struct, frozen=True, kw_only=True):
    """One agent's exclusive hold on an issue."""

    issue_id: int
    holder: str
    fence: int
    claimed_at: int
    """Unix milliseconds."""
    expires_at: int
    """Unix milliseconds; the hold is void from this instant on."""


class Reservation(msgspec.Struct, frozen=True, kw_only=True):
    """One agent's hold on paths; its number is its fence."""

    agent: str
    paths: list[str]
    """Globs, sorted, each once."""
    mode: Literal["exclusive", "shared"]
    reason: str = ""
    id: int
    claimed_at: int
    """Unix milliseconds."""
    expires_at: int
    """Unix milliseconds; the hold is void from this instant on."""


class Run(msgspec.Struct, frozen=True, kw_only=True):
    """One run, as it stands."""

    run_id: str
    agent: str
    client: str
    """Connection or program that started it."""
    intent: str
    outcome_description: str | None = None
    source: Literal["car", "chat", "rpc"]
    session_key: str | None = None
    """Chat session whose turn it is."""
    on_disconnect: Literal["continue", "cancel", "incomplete"]
    grace_ms: int | None = None
    """Milliseconds between the end of its owner's connection, or the start of the daemon after a
    restart, and its own end; ``None``: the door's own, and nothing after a restart.
    """
    started_at: int
    """Unix time in milliseconds."""
    ended_at: int | None = None
    """Unix time in milliseconds."""
    status: Literal["in_progress", "completed", "incomplete", "cancelled"] = "in_progress"
    termination: Any = None
    """``{"kind":"outcome"|"incomplete"|"cancelled",...}``; unset while it is open."""
    turn_count: int = 0
    trace_bytes: int = 0
    """Bytes of all turns as JSON."""


class SessionInfo(msgspec.Struct, frozen=True, kw_only=True):
    """A conversation as it is listed, and as events tell of it."""

    session: str
    """The canonical key."""
    agent: str
    session_id: str
    updated_at: int
    """Unix time in milliseconds."""
    fields: Mapping[str, Any]
