"""The method table of ``/rpc``: one row per method, from which all else is made.

Routing, checking of parameters and ``/openrpc.json`` come from these rows; which scope each needs
stands in ``dialects/scopes.py``.
"""

from collections.abc import Awaitable, Callable, Coroutine, Mapping, Sequence
from typing import Any, Protocol, TypeVar

import msgspec

from hubbub.core.audience import Member
from hubbub.core.hub import Hub
from hubbub.core.ports import Outbox
from hubbub.core.values import Principal
from hubbub.dialects.rpc.frames import EventFrames
from hubbub.dialects.rpc.settings import RpcSettings


P = TypeVar("P")


class Caller(Protocol):
    """Who makes a call, and through what."""

    hub: Hub
    principal: Principal
    limits: RpcSettings
    connection_id: str | None
    """Names the socket; ``None`` for a call by POST, which has no end to speak of."""
    subscriptions: dict[int, Member] | None
    """What this connection follows; ``None`` for a call by POST, which can follow nothing."""

    @property
    def outbox(self) -> Outbox | None:
        """The socket's outbox; ``None`` for a call by POST."""

    @property
    def events(self) -> EventFrames:
        """Encodes events for this door."""


Reply = Callable[[object], None]
"""Takes the result of a call, or the error that it ended with; called once."""


class Method(msgspec.Struct, frozen=True, kw_only=True):
    """One method."""

    name: str
    params: type
    result: Any
    """Type of the result, for the description."""
    summary: str
    run: Callable[[Any, Any, Reply], Coroutine[Any, Any, None] | None]
    """Runs the call and replies. What can be done at once is done at once; a coroutine is
    given back only for work that waits. What it raises is the caller's error.
    """


def answered(
    handler: Callable[[Any, P], Awaitable[object]],
) -> Callable[[Any, P, Reply], Coroutine[Any, Any, None]]:
    """Make ``Method.run`` of a coroutine function that returns the result."""

    async def run(caller: object, params: P, reply: Reply) -> None:
        reply(await handler(caller, params))

    return run


def table(*groups: Sequence[Method]) -> Mapping[str, Method]:
    """Join groups of methods into one table.

    Raises:
        ValueError: Two methods have one name.
    """
    methods: dict[str, Method] = {}
    for group in groups:
        for method in group:
            if method.name in methods:
                message = f"method {method.name} is defined twice"
                raise ValueError(message)
            methods[method.name] = method
    return methods


class Empty(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """No parameters."""
