"""Waiting for locks and paths: who asked is answered when it is their turn, or told why not.

The queues are in the store, decided within units of work (``waits.py``); here is who waits for
an answer. A wait lives as long as the call that asked for it: a caller that goes away leaves
its queue, and a daemon that starts finds the queues empty, for all callers are gone. They claim
again, and what was granted to them meanwhile is theirs.
"""

import asyncio
from collections.abc import Callable
from typing import TypeVar

import msgspec

from hubbub.core.bus import Bus
from hubbub.core.journal import Journal
from hubbub.core.limits import check_positive
from hubbub.core.ports import Settled, Transaction, Unit
from hubbub.core.tracker.cycles import Edge, told
from hubbub.core.tracker.expiry import Expiry
from hubbub.core.tracker.lock_table import clamp
from hubbub.core.tracker.reservation_table import ReservationTable
from hubbub.core.tracker.waits import EndOfWait, Place, Queued, end_wait, waiter_of
from hubbub.core.values import Clock, Event, IdSource
from hubbub.errors import Deadlock, InvalidRequest, LockHeld, PathsReserved
from hubbub.telemetry import log


T = TypeVar("T")

Notice = Callable[[list[Edge]], None]
"""Tells a caller that waits of a circle that it is in."""


class WaitRules(msgspec.Struct, frozen=True, kw_only=True):
    """The section ``[waits]``: waiting for locks and paths."""

    default_wait_ms: int = 60_000
    """Milliseconds to wait, where the claim does not say."""
    max_wait_ms: int = 3_600_000
    """Milliseconds that a claim may wait at most."""
    tick_s: float = 0.5
    """Seconds between two looks at the clock for waits that are over."""
    max_waiting: int = 1000
    """Places in all queues together at most."""

    def __post_init__(self) -> None:
        """Check that no limit shuts everything out.

        Raises:
            ValueError: One does, or the wait by default is over the longest.
        """
        check_positive(self)
        if self.default_wait_ms > self.max_wait_ms:
            message = "default_wait_ms must not be over max_wait_ms"
            raise ValueError(message)


DEFAULT_RULES = WaitRules()


class _Ended(msgspec.Struct, frozen=True):
    """What is read of ``wait.ended``."""

    ticket: str


class _Cycle(msgspec.Struct, frozen=True):
    """What is read of ``wait.cycle``."""

    cycle: list[Edge]


class _Pending:
    """One caller that waits."""

    __slots__ = ("notice", "over", "queued", "who")

    def __init__(self, agent: str, topic: str, notice: Notice) -> None:
        self.who = (agent, topic)
        self.notice = notice
        # It has its place: before, what closes a circle is its own error, not a notice.
        self.queued = False
        self.over: asyncio.Future[None] = asyncio.get_running_loop().create_future()


class Waiting:
    """Callers that wait, by the ticket of each."""

    def __init__(
        self,
        journal: Journal,
        bus: Bus,
        clock: Clock,
        ids: IdSource,
        *,
        rules: WaitRules = DEFAULT_RULES,
    ) -> None:
        """Begin with nobody; ``load`` empties the queues of the daemon before.

        Args:
            clock: That of leases.
        """
        self._journal = journal
        self._clock = clock
        self._ids = ids
        self.rules = rules
        self._table = ReservationTable()
        self._pending: dict[str, _Pending] = {}
        self._expiry = Expiry(
            journal,
            clock,
            lambda tx: self._end(tx, "waiting_over", "timeout", now=clock()),
            earliest="waiting_next_end",
            failure="waits_not_ended",
            is_empty=True,
        )
        bus.listen(("locks/*", "reservations/*"), self._heard)

    async def load(self, max_lease_ms: int) -> None:
        """Bring the store up to this start: empty queues, no lease beyond the longest."""

        def load(tx: Transaction) -> None:
            for waiter in map(waiter_of, tx.rows("waiting_all")):
                end_wait(tx, waiter, "restart")
            # The clock may have been set back while no daemon ran.
            latest = self._clock() + max_lease_ms
            clamp(tx, latest)
            self._table.clamp(tx, latest)

        await self._journal.commit(load)

    async def claim(
        self,
        who: tuple[str, str],
        claim: Callable[[], Unit[T]],
        queue: Callable[[Place], Unit[Queued]],
        *,
        wait_ms: int | None,
        notice: Notice,
    ) -> T:
        """Claim something; where another agent has it, wait and claim it then.

        Args:
            who: Which agent waits, and the topic of what it waits for.
            claim: Makes the unit that claims.
            queue: Makes the unit that takes a place in the queue.
            wait_ms: Milliseconds to wait at most; ``None``: as the rules say.
            notice: Called where the wait turns out to be part of a circle later.

        Raises:
            HubbubError: What the claim raises; that of the last attempt, where waiting for it
                did not help.
            Deadlock: To wait would close a circle; nobody waits, and all in it are told.
        """
        wait = self.rules.default_wait_ms if wait_ms is None else wait_ms
        if not 0 < wait <= self.rules.max_wait_ms:
            message = f"wait_ms must be from 1 to {self.rules.max_wait_ms}"
            raise InvalidRequest(message)
        try:
            return await self._journal.commit(claim())
        except (LockHeld, PathsReserved):
            place = Place(ticket=self._ids(), wait_ms=wait, most=self.rules.max_waiting)
            await self._turn(_Pending(*who, notice), place, queue(place))
        return await self._journal.commit(claim())

    def tick(self) -> None:
        """Look at the clock: end the waits that are over."""
        self._expiry.tick()

    async def _turn(self, pending: _Pending, place: Place, unit: Unit[Queued]) -> None:
        """Wait for one's turn, or for the end of waiting."""

        def queued(settled: Settled) -> None:
            if pending.over.done():
                return
            if settled.error is not None:
                pending.over.set_exception(settled.error)
            elif settled.value.cycle:
                pending.over.set_exception(Deadlock(told(settled.value.cycle), settled.value.cycle))
            elif settled.value.granted:
                pending.over.set_result(None)
            pending.queued = True

        self._pending[place.ticket] = pending
        self._expiry.expect(place.wait_ms)
        self._journal.submit(unit, queued)
        try:
            await pending.over
        except asyncio.CancelledError:
            # The caller is gone. Units commit in order: it has its place by then, or never.
            self._journal.submit(self._leave(place.ticket), _left)
            raise
        finally:
            del self._pending[place.ticket]

    def _leave(self, ticket: str) -> Unit[None]:
        return lambda tx: self._end(tx, "waiting_one", "left", ticket=ticket)

    def _end(self, tx: Transaction, query: str, reason: EndOfWait, **values: object) -> None:
        """End waits, and hand paths to those who stood behind them."""
        ended = [waiter_of(row) for row in tx.rows(query, **values)]
        for waiter in ended:
            end_wait(tx, waiter, reason)
        if any(waiter.issue_id is None for waiter in ended):
            self._table.settle(tx, self._clock())

    def _heard(self, event: Event) -> None:
        if event.kind == "wait.ended":
            ticket = msgspec.json.decode(event.data, type=_Ended).ticket
            pending = self._pending.get(ticket)
            if pending is not None and not pending.over.done():
                pending.over.set_result(None)
        elif event.kind == "wait.cycle":
            cycle = msgspec.json.decode(event.data, type=_Cycle).cycle
            here = {(edge.agent, event.topic) for edge in cycle if edge.waits_for == event.topic}
            for pending in tuple(self._pending.values()):
                if pending.who in here and pending.queued and not pending.over.done():
                    pending.notice(cycle)


def _left(settled: Settled) -> None:
    """Log a leave that could not be written; the wait ends on the clock then."""
    if settled.error is not None:
        log.warning("wait_not_left", error=str(settled.error))
