"""What the generated methods stand on: how a method is called, and how it may be repeated."""

import asyncio
import threading
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator, Mapping
from typing import Any, Literal, TypeVar

import msgspec

from hubbub.client.errors import ClientError, Closed
from hubbub.client.link import Link


T = TypeVar("T")

Repeat = Literal["key", "same", "reads"]
"""What makes it safe to send a call again: its idempotency key; that it says how things stand;
that it only reads. A method that is not in the table cannot be sent again."""

JsonObject = Mapping[str, Any]
"""An object as it goes over the wire."""

CLOSE_S = 10.0
"""Seconds that the thread of a blocking client has to end."""


class Calls:
    """Calls methods over a link, with keys and time limits where the caller gives none."""

    def __init__(
        self,
        link: Link,
        repeats: Mapping[str, Repeat],
        *,
        timeout_s: float | None,
        ids: Callable[[], str],
    ) -> None:
        """Call over a link.

        Args:
            repeats: How each method may be repeated.
            timeout_s: Seconds that a call may take that names no limit of its own.
            ids: Makes idempotency keys.
        """
        self._link = link
        self._repeats = repeats
        self._timeout_s = timeout_s
        self._ids = ids

    async def invoke(
        self, method: str, params: Mapping[str, Any], result: type[T], timeout_s: float | None
    ) -> T:
        """Call a method; gives its result as a value of a type.

        Args:
            params: ``None`` stands for a parameter that is left out.
            timeout_s: Seconds to wait; ``None``: the client's own limit.
        """
        given = {name: value for name, value in params.items() if value is not None}
        repeat = self._repeats.get(method)
        if repeat == "key":
            given.setdefault("idempotency_key", self._ids())
        answer = await self._link.call(
            method,
            given,
            repeatable=repeat is not None or "idempotency_key" in given,
            timeout_s=self._limit(given) if timeout_s is None else timeout_s,
        )
        return msgspec.json.decode(answer, type=result)

    def _limit(self, params: Mapping[str, Any]) -> float | None:
        """Give the limit of a call: what it is to wait for there comes on top."""
        if not params.get("wait") or self._timeout_s is None:
            return self._timeout_s
        wait_ms = params.get("wait_ms")
        return None if wait_ms is None else self._timeout_s + wait_ms / 1000


class Methods:
    """The methods of one namespace."""

    def __init__(self, calls: Calls) -> None:
        """Call through what all namespaces have in common."""
        self._calls = calls


class Loop:
    """An event loop in a thread, for callers that have none."""

    def __init__(self) -> None:
        """Begin at once."""
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True, name="hubbub")
        self._thread.start()

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        """Run a coroutine there and wait for what it gives; Ctrl-C cancels it."""
        if self._loop.is_closed():
            work.close()
            message = "this client was closed"
            raise Closed(message)
        if threading.current_thread() is self._thread:
            work.close()
            message = "this client cannot be waited for in what it calls itself"
            raise ClientError(message)
        future = asyncio.run_coroutine_threadsafe(work, self._loop)
        try:
            return future.result()
        except BaseException:
            future.cancel()
            raise

    def call(self, make: Callable[[], T]) -> T:
        """Call a function there that needs a running loop."""

        async def made() -> T:
            return make()

        return self.run(made())

    def close(self) -> None:
        """End loop and thread."""
        if self._loop.is_closed():
            return
        self.run(_all_ended())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(CLOSE_S)
        self._loop.close()


async def _all_ended() -> None:
    """End what still runs on this loop, so that nobody waits for it in vain."""
    tasks = asyncio.all_tasks() - {asyncio.current_task()}
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    await asyncio.get_running_loop().shutdown_asyncgens()


class BlockingMethods:
    """The methods of one namespace, for callers without an event loop."""

    def __init__(self, loop: Loop) -> None:
        """Run on a loop in a thread."""
        self._loop = loop


class Blocking(Iterator[T]):
    """What an async iterator gives, one after the other, for callers without an event loop."""

    def __init__(self, loop: Loop, items: AsyncIterator[T]) -> None:
        """Read an iterator that lives on a loop in a thread."""
        self._loop = loop
        self._items = items

    def __next__(self) -> T:
        """Wait for the next one."""
        try:
            return self._loop.run(_next(self._items))
        except StopAsyncIteration:
            raise StopIteration from None


async def _next(items: AsyncIterator[T]) -> T:
    return await anext(items)
