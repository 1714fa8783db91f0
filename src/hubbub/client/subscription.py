"""Following topics: events by position, across connections, nothing missed and nothing doubled."""

import asyncio
import contextlib
import itertools
import weakref
from collections import deque
from collections.abc import Callable, Sequence
from typing import Any, Self

import msgspec

from hubbub.client.errors import ClientError, Closed, Missed
from hubbub.client.events import Event, Position, Resumed
from hubbub.client.link import Link


QUEUE = 4096
"""Events that wait for a slow reader of this client at most; then the subscription ends for a
while, and goes on from its position once they are read."""

OnResumed = Callable[[Resumed], None]


class _Told(msgspec.Struct, frozen=True):
    """Parameters of ``topics.event``."""

    subscription: int
    event: Event


class _Subscribed(Resumed, frozen=True, kw_only=True):
    """Result of ``topics.subscribe``."""

    subscription: int


class Following:
    """The events of topics, to be read with ``async for``; ends with ``aclose``.

    It begins when it is made, not when it is first read; ``await following.ready()`` waits until
    the daemon has it.
    """

    def __init__(
        self,
        board: "Board",
        topics: Sequence[str],
        after: str | None,
        on_resumed: OnResumed | None = None,
        limit: int = QUEUE,
    ) -> None:
        self._board = board
        self._topics = list(topics)
        self._after = after
        self._on_resumed = on_resumed
        self._limit = limit
        self._queue: deque[Event] = deque()
        self._news = asyncio.Event()
        self._ended: ClientError | None = None
        self._begun = asyncio.Event()
        self._seq = -1
        """Place of the newest event that was taken; none twice."""
        self._epoch = ""
        self.is_paused = False
        self._loop = asyncio.get_running_loop()
        self._key = 0
        self._key = board.add(self)

    @property
    def position(self) -> Position | None:
        """Up to where the events have been taken over; ``None`` before the daemon has answered."""
        return Position(self._epoch, self._seq) if self._seq >= 0 else None

    async def ready(self) -> Self:
        """Wait until the daemon tells us what happens.

        Raises:
            ClientError: It will not.
        """
        await self._begun.wait()
        if self._ended is not None:
            raise self._ended
        return self

    # -- for readers ---------------------------------------------------------------------

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Event:
        """Wait for the next event.

        Raises:
            Missed: What followed the position is gone, and nobody takes note of it.
            Refused: The daemon does not take the subscription.
        """
        while not self._queue:
            if isinstance(self._ended, Closed):
                raise StopAsyncIteration
            if self._ended is not None:
                raise self._ended
            if self.is_paused:
                self.is_paused = False
                self._board.join(self._key)
            self._news.clear()
            await self._news.wait()
        return self._queue.popleft()

    async def aclose(self) -> None:
        """End the subscription."""
        self.end(Closed("this subscription was closed"))

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_exception: object) -> None:
        await self.aclose()

    def __del__(self) -> None:
        # Who leaves an `async for` by `break` drops it without a word.
        if self._ended is None:
            with contextlib.suppress(RuntimeError):
                self._loop.call_soon_threadsafe(self._board.remove, self._key)

    # -- for the board -------------------------------------------------------------------

    def wanted(self) -> dict[str, Any]:
        """Give the parameters of ``topics.subscribe`` that go on where we are."""
        after = self._after if self.position is None else self.position.cursor
        return {"topics": self._topics} | ({} if after is None else {"after": after})

    def resumed(self, subscribed: Resumed) -> None:
        """Take note of where the events go on."""
        self._epoch, self._seq = subscribed.position.epoch, subscribed.position.seq
        self._begun.set()
        if self._on_resumed is not None:
            self._on_resumed(subscribed)
        elif not subscribed.recovered:
            reason = subscribed.reason or "unknown"
            self.end(Missed(reason, subscribed.position))

    def told(self, event: Event) -> bool:
        """Take an event; false: too many wait already."""
        if event.seq:
            if event.seq <= self._seq:
                return True
            if len(self._queue) >= self._limit:
                self.is_paused = True
                return False
            self._seq = event.seq
            event = msgspec.structs.replace(event, epoch=self._epoch)
        elif len(self._queue) >= self._limit:
            return True  # in no journal, and the next one says all
        self._queue.append(event)
        self._news.set()
        return True

    def end(self, error: ClientError) -> None:
        """Let what waits be read, then end with an error."""
        if self._ended is None:
            self._ended = error
            self._board.remove(self._key)
        self._begun.set()
        self._news.set()


class _Entry:
    """What the board knows of a subscription; its reader may be gone."""

    __slots__ = ("following", "key", "number")

    def __init__(self, key: int, following: Following) -> None:
        self.key = key
        self.following = weakref.ref(following)
        self.number: int | None = None
        """The daemon's number on this connection, while it tells us events."""


class Board:
    """The subscriptions of a client, on whatever connection there is."""

    def __init__(self, link: Link) -> None:
        """Begin with none."""
        self._link = link
        self._followings: dict[int, _Entry] = {}
        self._numbers: dict[int, _Entry] = {}
        """By the daemon's number, on this connection."""
        self._keys = itertools.count(1)
        link.beginnings.append(self._begin)
        link.lost.append(self._numbers.clear)
        link.failed.append(self._fail)
        link.notified["topics.event"] = self._told

    def add(self, following: Following) -> int:
        """Follow, now and on each connection to come; gives what ``remove`` takes."""
        self._link.check()
        key = next(self._keys)
        entry = self._followings[key] = _Entry(key, following)
        if self._link.is_up:
            self._subscribe(entry)
        return key

    def join(self, key: int) -> None:
        """Go on after a pause."""
        entry = self._followings.get(key)
        if entry is not None and self._link.is_up:
            self._subscribe(entry)

    def remove(self, key: int) -> None:
        """Follow no longer."""
        entry = self._followings.pop(key, None)
        if entry is not None:
            self._leave(entry)

    def _leave(self, entry: _Entry) -> None:
        number, entry.number = entry.number, None
        if number is not None and self._numbers.pop(number, None) is not None and self._link.is_up:
            self._link.begin("topics.unsubscribe", {"subscription": number}, lambda _result: None)

    def _begin(self) -> None:
        for entry in self._followings.values():
            entry.number = None
            following = entry.following()
            if following is not None and not following.is_paused:
                self._subscribe(entry)

    def _subscribe(self, entry: _Entry) -> None:
        following = entry.following()
        if following is None:
            return

        def done(result: msgspec.Raw | ClientError) -> None:
            following = entry.following()
            if isinstance(result, ClientError):
                if following is not None:
                    following.end(result)
                return
            subscribed = msgspec.json.decode(result, type=_Subscribed)
            entry.number = subscribed.subscription
            self._numbers[subscribed.subscription] = entry
            if following is None or self._followings.get(entry.key) is not entry:
                self._leave(entry)
            else:
                following.resumed(subscribed)

        self._link.begin("topics.subscribe", following.wanted(), done)

    def _told(self, params: msgspec.Raw) -> None:
        told = msgspec.json.decode(params, type=_Told)
        entry = self._numbers.get(told.subscription)
        following = None if entry is None else entry.following()
        if entry is not None and following is not None and not following.told(told.event):
            self._leave(entry)

    def _fail(self, error: ClientError) -> None:
        for entry in list(self._followings.values()):
            following = entry.following()
            if following is not None:
                following.end(error)
