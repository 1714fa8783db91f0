"""Store, then tell: the one way by which state changes and events come about.

A service hands a unit of work to ``submit`` or ``commit``. After the store has committed
it, its events go to the bus, and then its caller is answered.
"""

import asyncio
from collections.abc import Callable
from typing import TypeVar

from hubbub.core import causes
from hubbub.core.bus import Bus
from hubbub.core.ports import Settled, Store, Transaction, Unit
from hubbub.core.values import Position


T = TypeVar("T")


class Journal:
    """Joins the store to the bus."""

    def __init__(self, store: Store, bus: Bus, *, crash: Callable[[str], None]) -> None:
        """Take the committed batches of the store.

        Args:
            crash: Called with the name of each point at which a test may kill the process.
        """
        self._store = store
        self._bus = bus
        self._crash = crash
        self._waiting = 0
        self._idle: asyncio.Event | None = None
        store.deliver_to(self._settle)

    @property
    def position(self) -> Position:
        """The place up to which subscribers have been told."""
        return Position(epoch=self._store.epoch, seq=self._bus.told)

    @property
    def waiting(self) -> int:
        """Units that are submitted and not yet settled."""
        return self._waiting

    def submit(self, unit: Unit[T], done: Callable[[Settled], None]) -> None:
        """Queue a unit; ``done`` is called after its events were told.

        The cheap form, for paths where a task per request would cost more than the work.
        What led to the call at work (``core/causes.py``) is noted in the unit's events.
        """
        self._waiting += 1
        cause = causes.current()
        if cause is not None:
            unit = _caused(unit, cause)
        self._store.submit(unit, done)

    async def commit(self, unit: Unit[T]) -> T:
        """Run a unit and give its value once it is stored.

        Cancelling the caller does not undo the unit.

        Raises:
            HubbubError: What the unit raised, or StoreUnavailable.
        """
        future: asyncio.Future[T] = asyncio.get_running_loop().create_future()
        self.submit(unit, lambda settled: settled.answer(future))
        return await future

    async def before(self, topic: str, count: int, *, upto: int) -> int:
        """Give the ``seq`` after which a topic has this many events up to ``upto``, or fewer."""
        rows = await self._store.rows("journal_nth_newest", topic=topic, upto=upto, skip=count)
        return int(rows[0][0]) if rows else 0

    async def told(self, seq: int) -> None:
        """Wait until subscribers have been told all up to a place that was read in the store.

        A reader may see a commit of which the loop has not heard yet; whoever follows from
        there must not hear it again.
        """
        if seq > self._bus.told:
            await self.commit(_nothing)

    async def settled(self) -> None:
        """Wait until every submitted unit is settled."""
        while self._waiting:
            self._idle = asyncio.Event()
            await self._idle.wait()

    def _settle(self, batch: list[Settled]) -> None:
        """Tell a committed batch: each unit's events, then its caller, in commit order."""
        for settled in batch:
            for event in settled.events:
                self._bus.tell(event)
            self._crash("before_answer")
            self._bus.guard(settled.done, settled)
        self._waiting -= len(batch)
        if not self._waiting and self._idle is not None:
            self._idle.set()


def _caused(unit: Unit[T], cause: str) -> Unit[T]:
    """Let a unit's events name a cause, where they name none themselves."""

    def run(tx: Transaction) -> T:
        tx.led_by = cause
        return unit(tx)

    return run


def _nothing(_tx: Transaction) -> None:
    """Wait for one's turn."""
