"""What a client of a proof works with: where the door is, when to stop, how to record."""

import asyncio
import itertools
import random
from collections.abc import Awaitable, Callable
from typing import Protocol

import aiohttp
import msgspec

from hubbub.prove.history import (
    Answered,
    Asked,
    Dropped,
    Found,
    History,
    Joined,
    Left,
    Outcome,
    Seam,
    Told,
)


ATTEMPT_S = 5.0
"""Seconds after which a request without an answer is one whose answer was lost."""
RETRY_S = 0.2
"""Seconds before a request is sent again, and before a reader comes back."""


class Refused(Exception):
    """The daemon answered with an error; nothing may have happened."""


class Ask(msgspec.Struct, frozen=True, kw_only=True):
    """A request as the history shows it; fields as in ``Asked``."""

    verb: str
    op: str
    stream: str = ""
    reads: tuple[str, ...] = ("event",)
    key: str | None = None
    fence: int | None = None
    lock: str | None = None


class Reply(msgspec.Struct, frozen=True, kw_only=True):
    """What the daemon gave; fields as in ``Answered``."""

    value: str = ""
    fence: int | None = None


class Stage(msgspec.Struct, frozen=True, kw_only=True):
    """What all clients of a proof share."""

    history: History
    urls: Callable[[str], str]
    """Gives ``http://HOST:PORT`` of a listener by name, through the proxy."""
    tokens: Callable[[str], str]
    """Gives the token of a client by name, of the ``operator``, and of CAR's ``host``."""
    http: aiohttp.ClientSession
    stopping: asyncio.Event
    """Writers finish what they have begun and return."""
    ended: asyncio.Event
    """Readers return."""
    seed: int
    pause_s: float
    """Seconds between two requests of one writer."""


class Desk:
    """One client's place: a writer, a reader, or the one who looks at the end."""

    def __init__(self, name: str, door: str, stage: Stage) -> None:
        """Take a place.

        Args:
            name: Of this client, unique; also the agent as whom it acts.
            door: Name of its listener.
        """
        self.name = name
        self.door = door
        self.history = stage.history
        self.http = stage.http
        self.stopping = stage.stopping
        self.ended = stage.ended
        self.random = random.Random(f"{stage.seed}/{name}")  # noqa: S311 to repeat, not to guard
        self._stage = stage
        self._numbers = itertools.count(1)
        self._connection = 0

    def url(self, listener: str = "") -> str:
        """Give the address of this client's listener, or of another; no slash at its end."""
        return self._stage.urls(listener or self.door)

    def token(self, agent: str = "") -> str:
        """Give this client's token, or another's."""
        return self._stage.tokens(agent or self.name)

    def mark(self) -> str:
        """Make a label: this client's name and a number."""
        return f"{self.name}-{next(self._numbers)}"

    async def pause(self) -> None:
        """Wait between two requests: a random time around the pace of this run."""
        await asyncio.sleep(self._stage.pause_s * self.random.uniform(0.5, 1.5))

    async def ask(self, ask: Ask, call: Callable[[], Awaitable[Reply]]) -> Reply | None:
        """Send a request until it is answered, and record each attempt.

        A request with a key is sent again for as long as its answer is lost; one without a
        key is sent once. ``call`` raises ``Refused`` for an error answer, and whatever a dead
        connection raises (``OSError``, ``aiohttp.ClientError``, ``TimeoutError``, ``EOFError``).
        It must make a new connection where it needs one.

        Returns:
            The answer; ``None`` when it was refused or is not known.
        """
        for attempt in itertools.count(1):
            self._asked(ask, attempt)
            try:
                async with asyncio.timeout(ATTEMPT_S):
                    reply = await call()
            except Refused as error:
                self._answered(ask, attempt, "refused", detail=str(error))
                return None
            except (OSError, EOFError, aiohttp.ClientError, TimeoutError) as error:
                self._answered(ask, attempt, "unknown", detail=repr(error))
            else:
                self._answered(ask, attempt, "ok", value=reply.value, fence=reply.fence)
                return reply
            if ask.key is None or self.ended.is_set():
                return None
            await asyncio.sleep(RETRY_S)
        raise AssertionError

    def joined(
        self,
        seam: Seam,
        streams: tuple[str, ...],
        *,
        kinds: tuple[str, ...] = (),
        one_order: bool = True,
        recovered: bool | None = None,
        after: int | None = None,
    ) -> None:
        """Record that this reader follows streams from here on, on a new connection."""
        self._connection += 1
        self.history.add(
            Joined(
                at=self.history.now(),
                reader=self.name,
                door=self.door,
                seam=seam,
                streams=streams,
                connection=self._connection,
                kinds=kinds,
                one_order=one_order,
                recovered=recovered,
                after=after,
            )
        )

    def told(self, stream: str, what: str, *, position: int | None = None) -> None:
        """Record an event that this reader got."""
        self.history.add(
            Told(
                at=self.history.now(),
                reader=self.name,
                door=self.door,
                connection=self._connection,
                stream=stream,
                what=what,
                position=position,
            )
        )

    def dropped(self) -> None:
        """Record that the door told this reader that it missed something."""
        self.history.add(
            Dropped(
                at=self.history.now(),
                reader=self.name,
                door=self.door,
                connection=self._connection,
            )
        )

    def left(self) -> None:
        """Record that this reader's connection has ended."""
        self.history.add(
            Left(
                at=self.history.now(),
                reader=self.name,
                door=self.door,
                connection=self._connection,
            )
        )

    def found(self, found: Found) -> None:
        """Record what a read showed; ``at`` is set here."""
        self.history.add(msgspec.structs.replace(found, at=self.history.now()))

    def _asked(self, ask: Ask, attempt: int) -> None:
        fields = msgspec.structs.asdict(ask)
        self.history.add(
            Asked(
                at=self.history.now(),
                writer=self.name,
                door=self.door,
                attempt=attempt,
                **fields,
            )
        )

    def _answered(
        self,
        ask: Ask,
        attempt: int,
        outcome: Outcome,
        *,
        value: str = "",
        fence: int | None = None,
        detail: str = "",
    ) -> None:
        self.history.add(
            Answered(
                at=self.history.now(),
                writer=self.name,
                door=self.door,
                verb=ask.verb,
                op=ask.op,
                attempt=attempt,
                outcome=outcome,
                value=value,
                fence=fence,
                detail=detail,
            )
        )


Client = Callable[[Desk], Awaitable[None]]
"""What a client does at its desk, until ``stopping`` (writers) or ``ended`` (readers)."""


class Door(Protocol):
    """The clients of one door; ``hubbub.prove.doors.<name>.DOOR``."""

    name: str
    """Name of its listener."""

    @property
    def writers(self) -> dict[str, Client]:
        """Writers by name (``hubbub-topics``); each is an agent of this name.

        A writer asks, pauses, asks again until ``stopping``; ends every run and lock that it
        took; returns when all that it began is settled. It survives any broken connection.
        """

    @property
    def readers(self) -> dict[str, Client]:
        """Readers by name; each comes back after ``RETRY_S`` when its connection ends."""

    async def look(self, desk: Desk) -> None:
        """Record, with this door's own reads, what is there at the end (``Found``)."""
