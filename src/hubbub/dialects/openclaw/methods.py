"""The method table of this door: one row per method, from which all else is made."""

import inspect
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol

import msgspec

from hubbub.core.values import Principal
from hubbub.dialects.openclaw.frames import Params


class Caller(Protocol):
    """Who makes a call."""

    @property
    def principal(self) -> Principal:
        """Whose token the connection has shown."""

    def answer(self, request_id: str, payload: object) -> None:
        """Send an answer; a method with two answers sends its first by this."""


class Request(msgspec.Struct, frozen=True, kw_only=True):
    """One call that a method is asked to work off."""

    id: str
    caller: Caller

    @property
    def principal(self) -> Principal:
        """Whose token the connection has shown."""
        return self.caller.principal

    def answer(self, payload: object) -> None:
        """Send a first answer; what the method returns is the second."""
        self.caller.answer(self.id, payload)


class Method(msgspec.Struct, frozen=True, kw_only=True):
    """One method."""

    name: str
    params: type
    run: Callable[[Request, Any], Any]
    """Gives the payload. Coroutines of one connection begin in the order of its requests, so a
    write that is submitted before the first wait keeps its place. What it raises is the
    caller's error.
    """
    is_large: bool = False
    """Its answer may be large: it is made when the client has taken what waits for it, and one
    after the other for each connection.
    """

    @property
    def waits(self) -> bool:
        """Whether ``run`` is a coroutine function."""
        return inspect.iscoroutinefunction(self.run)


class NoParams(Params, frozen=True):
    """No parameters."""


def table(*groups: Sequence[Method]) -> Mapping[str, Method]:
    """Join groups of methods into one table."""
    methods = {method.name: method for group in groups for method in group}
    assert len(methods) == sum(map(len, groups))  # noqa: S101 two methods with one name
    return methods
