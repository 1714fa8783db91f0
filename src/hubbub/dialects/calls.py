"""What the method tables of the JSON-RPC doors have in common."""

from collections.abc import Awaitable, Callable, Coroutine, Mapping, Sequence
from typing import Any, Protocol, TypeVar


P = TypeVar("P")

Reply = Callable[[object], None]
"""Takes the result of a call, or the error that it ended with; called once."""

Run = Callable[[Any, Any, Reply], Coroutine[Any, Any, None] | None]
"""Runs a call (caller, parameters) and replies. What can be done at once is done at once; a
coroutine is given back only for work that waits. What it raises is the caller's error.
"""


class Named(Protocol):
    """A row of a method table."""

    @property
    def name(self) -> str:
        """What clients call."""


N = TypeVar("N", bound=Named)


def answered(
    handler: Callable[[Any, P], Awaitable[object]],
) -> Callable[[Any, P, Reply], Coroutine[Any, Any, None]]:
    """Make a ``Run`` of a coroutine function that returns the result."""

    async def run(caller: object, params: P, reply: Reply) -> None:
        reply(await handler(caller, params))

    return run


def table(*groups: Sequence[N]) -> Mapping[str, N]:
    """Join groups of methods into one table.

    Raises:
        ValueError: Two methods have one name.
    """
    methods: dict[str, N] = {}
    for group in groups:
        for method in group:
            if methods.setdefault(method.name, method) is not method:
                message = f"method {method.name} is defined twice"
                raise ValueError(message)
    return methods
