"""Types of `system`.

Written by `python -m scripts.write_client`.
"""

import msgspec

from hubbub.client.events import Position
from hubbub.client.generated.shared_types import AgentPresence


class BusHealth(msgspec.Struct, frozen=True, kw_only=True):
    """The subscriptions of all doors, and the daemon's own work."""

    subscribers: int
    lagging: int
    lags: int
    """Times that a slow subscriber fell back, since the start."""
    events: int
    """Told since the start."""


class ConnectionHealth(msgspec.Struct, frozen=True, kw_only=True):
    """One open WebSocket or event stream."""

    id: str
    door: str
    principal: str | None
    """``None``: it has not said who it is yet."""
    agent: str | None
    since: int
    """Unix time in milliseconds."""
    queued_frames: int
    queued_bytes: int
    dropped: int
    """Frames that it did not get."""
    lagging: bool
    """A subscription of it reads the store, because it was slow or has just come back."""


class StoreHealth(msgspec.Struct, frozen=True, kw_only=True):
    """The store since the start."""

    healthy: bool
    """It took the last write."""
    bytes: int
    """Of its files, or of the memory it takes."""
    free_bytes: int | None
    """Left on its disk; ``None`` in memory."""
    units: int
    """Units of work."""
    commits: int
    """Transactions; many units may share one."""
    units_waiting: int
    commit_ms_mean: float | None
    commit_ms_p99: float | None
    """Of the newest commits, 1024 at most; ``None``: there was none."""


class Latency(msgspec.Struct, frozen=True, kw_only=True):
    """From a request to its answer, stored if it writes: by HTTP at all doors, and on `/rpc`."""

    answer_ms_p50: float | None
    answer_ms_p99: float | None


class ListenerHealth(msgspec.Struct, frozen=True, kw_only=True):
    """One listener since the start, all its doors together."""

    name: str
    url: str
    connections: int
    """Open WebSockets and event streams."""
    queued_bytes: int
    """That wait for slow clients."""
    dropped: int
    """Frames that slow clients did not get."""
    refused: int
    """Requests, messages and connections refused because of a limit."""
    slow_closes: int
    """Connections closed because their client was too slow."""
    requests: int
    """HTTP requests answered."""


class LimitUse(msgspec.Struct, frozen=True, kw_only=True):
    """One limit."""

    name: str
    """The setting."""
    value: float
    unit: str
    used: int | None
    """Where it is per caller, listener or session: the most that one of them uses. ``None``: it is
    not counted.
    """


class Health(msgspec.Struct, frozen=True, kw_only=True):
    """Result of ``system.health``."""

    store: StoreHealth
    latency: Latency
    listeners: list[ListenerHealth]
    connections: list[ConnectionHealth]
    """The newest first, 1000 at most."""
    bus: BusHealth
    limits: list[LimitUse]
    version: str
    started_at: int
    """Unix time in milliseconds."""
    now: int
    """Unix time in milliseconds."""
    ready: bool
    reasons: list[str]
    """Why writes are not taken now."""
    position: Position


class Pong(msgspec.Struct, frozen=True, kw_only=True):
    """Result of ``system.ping``."""

    position: Position


class Status(msgspec.Struct, frozen=True, kw_only=True):
    """Result of ``system.status``."""

    version: str
    started_at: int
    """Unix time in milliseconds."""
    position: Position
    listeners: dict[str, str]
    """``HOST:PORT`` of each listener that is open."""
    ready: bool
    reasons: list[str]
    """Why writes are not taken now."""
    subscribers: int
    lagging: int
    """Subscriptions that read from the store because their client was slow."""
    agents: list[AgentPresence]
