"""``system.*``: is anyone there, and how is it."""

import msgspec
from msgspec import structs

from hubbub import __version__
from hubbub.core.health import Health
from hubbub.core.identity.presence import AgentPresence
from hubbub.core.values import Position
from hubbub.dialects.calls import Reply, answered
from hubbub.dialects.rpc.methods import Caller, Empty, Method


class Pong(msgspec.Struct, frozen=True):
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


def ping(caller: Caller, _params: Empty, reply: Reply) -> None:
    """Answer with the newest position."""
    reply(Pong(position=caller.hub.journal.position))


def status(caller: Caller, _params: Empty, reply: Reply) -> None:
    """Tell how the daemon is."""
    hub = caller.hub
    reasons = hub.operations.reasons()
    reply(
        Status(
            version=__version__,
            started_at=hub.operations.started_at,
            position=hub.journal.position,
            listeners=hub.operations.addresses,
            ready=not reasons,
            reasons=reasons,
            subscribers=hub.bus.held(),
            lagging=hub.bus.behind(),
            agents=hub.presence.list(),
        )
    )


async def health(caller: Caller, _params: Empty) -> Health:
    """Tell the figures of the whole daemon."""
    hub = caller.hub
    vitals = await hub.operations.look()
    reasons = hub.operations.reasons()
    return Health(
        version=__version__,
        started_at=hub.operations.started_at,
        now=hub.clock(),
        ready=not reasons,
        reasons=reasons,
        position=hub.journal.position,
        **structs.asdict(vitals),
    )


METHODS = [
    Method(
        name="system.ping",
        params=Empty,
        result=Pong,
        summary="Answer with the newest position of the journal.",
        run=ping,
    ),
    Method(
        name="system.status",
        params=Empty,
        result=Status,
        summary="Tell how the daemon is: addresses, readiness, position, who is here.",
        run=status,
    ),
    Method(
        name="system.health",
        params=Empty,
        result=Health,
        summary="Tell the daemon's figures: store, latency, listeners, connections, limits.",
        run=answered(health),
    ),
]
