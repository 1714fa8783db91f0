"""Types of `system`.

Written by `python -m scripts.write_client`.
"""

import msgspec

from hubbub.client.events import Position
from hubbub.client.generated.shared_types import AgentPresence


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
