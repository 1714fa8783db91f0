"""Words for tests of waiting: agents that claim, wait, and are told."""

import asyncio
from collections.abc import Callable
from typing import Any

from hubbub.core.bus import Bus
from hubbub.core.journal import Journal
from hubbub.core.ports import Unit
from hubbub.core.tracker.cycles import Edge
from hubbub.core.tracker.lock_table import Lock
from hubbub.core.tracker.locks import LockRules, Locks
from hubbub.core.tracker.reservation_table import Mode, Reservation
from hubbub.core.tracker.reservations import Claim, ReservationRules, Reservations
from hubbub.core.tracker.service import IssueDraft, Tracker
from hubbub.core.tracker.waiting import Waiting, WaitRules
from hubbub.core.tracker.waits import PATHS_TOPIC, Place, Queued
from hubbub.core.values import Principal, uuid7
from hubbub.storage.sqlite import SqliteStore
from tests.unit.conftest import ManualClock
from tests.unit.core.rooms import Told, by


class WaitingRoom:
    """Locks, reservations and waiting on one store, with a clock of the test's."""

    def __init__(self, journal: Journal, store: SqliteStore, bus: Bus, clock: ManualClock) -> None:
        self.journal = journal
        self.clock = clock
        self.told = Told(bus, "locks/*", "reservations/*")
        self.tracker = Tracker(clock)
        rules = LockRules(default_lease_ms=10_000, max_lease_ms=10_000)
        self.locks = Locks(journal, store, clock, rules=rules)
        self.reservations = Reservations(
            journal,
            store,
            clock,
            rules=ReservationRules(default_lease_ms=10_000, max_lease_ms=10_000),
        )
        self.waiting = Waiting(
            journal,
            bus,
            clock,
            uuid7,
            rules=WaitRules(default_wait_ms=1_000, max_wait_ms=5_000, max_waiting=4),
        )
        self.notices: list[tuple[str, list[Edge]]] = []

    async def issues(self, count: int) -> None:
        """Open issues 1 to this."""
        for _ in range(count):
            await self.journal.commit(self.tracker.create(by(), IssueDraft(title="a")))

    async def lock(self, who: Principal, issue_id: int) -> Lock:
        """Claim a lock without waiting."""
        return await self.journal.commit(self.locks.claim(by(who), issue_id))

    async def paths(self, who: Principal, *paths: str, mode: Mode = "exclusive") -> Reservation:
        """Reserve paths without waiting."""
        claim = Claim(paths=list(paths), mode=mode)
        return await self.journal.commit(self.reservations.claim(by(who), claim))

    async def wait(
        self, who: Principal, issue_id: int, *, wait_ms: int | None = None, key: str | None = None
    ) -> asyncio.Task[Lock]:
        """Let an agent wait for a lock; it has its place, or its answer, when this returns."""
        act = by(who, key=key)
        return await self._waiting(
            (who.name, f"locks/{issue_id}"),
            lambda: self.locks.claim(act, issue_id),
            lambda place: self.locks.wait(act, issue_id, place),
            wait_ms,
        )

    async def wait_for_paths(
        self,
        who: Principal,
        *paths: str,
        mode: Mode = "exclusive",
        wait_ms: int | None = None,
        key: str | None = None,
    ) -> asyncio.Task[Reservation]:
        """Let an agent wait for paths."""
        act, claim = by(who, key=key), Claim(paths=list(paths), mode=mode)
        return await self._waiting(
            (who.name, PATHS_TOPIC),
            lambda: self.reservations.claim(act, claim),
            lambda place: self.reservations.wait(act, claim, place),
            wait_ms,
        )

    async def _waiting(
        self,
        who: tuple[str, str],
        claim: Callable[[], Unit[Any]],
        queue: Callable[[Place], Unit[Queued]],
        wait_ms: int | None,
    ) -> asyncio.Task[Any]:
        def notice(cycle: list[Edge]) -> None:
            self.notices.append((who[0], cycle))

        task = asyncio.create_task(
            self.waiting.claim(who, claim, queue, wait_ms=wait_ms, notice=notice)
        )
        await self.settle()
        return task

    async def settle(self) -> None:
        """Let everything come to rest that does not wait for somebody else."""
        quiet = 0
        while quiet < 10:  # steps of the loop in which nothing is on its way to the disk
            await self.journal.settled()
            await asyncio.sleep(0)
            quiet = 0 if self.journal.waiting else quiet + 1

    async def pass_time(self, ms: int) -> None:
        """Let time pass and look at the clock as the daemon does."""
        self.clock.advance(ms)
        for service in (self.locks, self.reservations, self.waiting):
            service.tick()
        await self.settle()

    async def release(self, who: Principal, issue_id: int) -> None:
        """Give a lock back."""
        await self.journal.commit(self.locks.release(by(who), issue_id))
        await self.settle()
