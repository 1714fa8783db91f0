"""The method table of the CAR door, and what a method may ask of its connection."""

import asyncio
from collections.abc import Callable, Coroutine, Mapping
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

import msgspec

from hubbub.core.audience import Member
from hubbub.core.chat.attached import AttachedAgents
from hubbub.core.hub import Hub
from hubbub.core.ports import Outbox, Settled, Unit
from hubbub.core.values import Principal
from hubbub.dialects.calls import Reply, Run
from hubbub.dialects.car.settings import CarSettings


if TYPE_CHECKING:
    from hubbub.dialects.car.relay import Relay
    from hubbub.dialects.car.tools import Shelf


P = TypeVar("P")
T = TypeVar("T")


class Caller(Protocol):
    """The connection that a call came through."""

    hub: Hub
    settings: CarSettings
    outbox: Outbox
    client_id: str
    """Names the connection, for good."""
    is_host: bool
    handshaken: bool
    current_run: str | None
    tools: "Shelf"
    policies: "Shelf"
    reading: asyncio.Lock
    """Held for a large answer: a client gets the next once it has read enough of the last."""
    followed: dict[str, Member]
    """Runs that it follows."""
    host_view: Member | None
    """Its place in the host's view, once it has asked for it."""
    relay: "Relay"
    """Hands on the events of chat turns."""
    identity: Mapping[str, object]
    """What the daemon says of itself."""
    ambient_agent: str
    """The agent of starts that name none: the daemon's own ``CAR_AGENT_ID``."""

    @property
    def attached(self) -> AttachedAgents:
        """Who is attached."""

    @property
    def caller(self) -> Principal:
        """Who calls."""

    @property
    def agent(self) -> str | None:
        """The agent that the connection is bound to."""

    def is_attached_as(self, agent: str) -> bool:
        """Say whether this connection takes the turns of an agent."""

    @property
    def methods(self) -> Mapping[str, "Method"]:
        """The whole table."""


class Method(msgspec.Struct, frozen=True, kw_only=True):
    """One method."""

    name: str
    params: Any
    run: Run


def read_in_turn(
    handler: Callable[[Any, P, Reply], Coroutine[Any, Any, None]],
) -> Callable[[Any, P, Reply], Coroutine[Any, Any, None]]:
    """Make ``Method.run`` of a read whose answer may be large.

    One at a time, and only while the client takes what it is sent, so that one that asks
    for traces without reading them holds two of them at most in memory.
    """

    async def run(caller: Caller, params: P, reply: Reply) -> None:
        async with caller.reading:
            await caller.outbox.drained()
            await handler(caller, params, reply)

    return run


def at_once(handler: Callable[[Any, P], object]) -> Callable[[Any, P, Reply], None]:
    """Make ``Method.run`` of a plain function that returns the result."""

    def run(caller: object, params: P, reply: Reply) -> None:
        reply(handler(caller, params))

    return run


def stored(caller: Caller, unit: Unit[T], reply: Reply, result: Callable[[T], object]) -> None:
    """Run a unit and reply after the commit.

    Without a task: what a client sent before it vanished is done all the same.
    """

    def done(settled: Settled) -> None:
        reply(result(settled.value) if settled.error is None else settled.error)

    caller.hub.journal.submit(unit, done)
