"""State machines: whatever agents do in whatever order, locks and reservations keep their word."""

import asyncio
import tempfile
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from hubbub.core.bus import Bus
from hubbub.core.journal import Journal
from hubbub.core.tracker.globs import overlap, parse
from hubbub.core.tracker.lock_table import Lock, check_fence
from hubbub.core.tracker.reservation_table import Mode, Reservation, check_reservation
from hubbub.core.values import Principal, uuid7
from hubbub.errors import Conflict, StaleFence
from hubbub.storage.sqlite import SqliteStore
from tests.unit.conftest import ManualClock
from tests.unit.core.rooms import by
from tests.unit.core.waiting_room import WaitingRoom


AGENTS = st.sampled_from([Principal(name=name) for name in ("ann", "bob", "cid")])
ISSUES = st.integers(1, 2)
MODES = st.sampled_from(["exclusive", "shared"])
PATHS = st.sampled_from(["src/**", "src/a", "src/*", "docs/**", "**/a"])
STEPS_MS = st.sampled_from([1, 500, 1_000, 9_999, 10_000])


class Claims(RuleBasedStateMachine):
    """A real store, driven step by step; each step comes to rest before the next."""

    def __init__(self) -> None:
        super().__init__()
        self.loop = asyncio.new_event_loop()
        self.folder = tempfile.TemporaryDirectory()
        self.clock = ManualClock()
        self.waiting: list[tuple[Principal, Any, asyncio.Task[Any]]] = []
        self.run(self.begin())

    def run(self, work: Any) -> Any:
        """Run a coroutine to its end."""
        return self.loop.run_until_complete(work)

    async def begin(self) -> None:
        """Open the store and make two issues."""
        path = Path(self.folder.name) / "hubbub.db"
        self.store = SqliteStore(path, clock=self.clock, ids=uuid7, crash=lambda _: None)
        self.store.start()
        bus = Bus(self.store)
        journal = Journal(self.store, bus, crash=lambda _: None)
        self.room = WaitingRoom(journal, self.store, bus, self.clock)
        await self.room.issues(2)

    def teardown(self) -> None:
        """Let all that wait go, and close the store."""
        self.run(self.end())
        self.store.close()
        self.loop.close()
        self.folder.cleanup()

    async def end(self) -> None:
        """End every wait."""
        for _, _, task in self.waiting:
            task.cancel()
        await asyncio.gather(*(task for _, _, task in self.waiting), return_exceptions=True)
        await self.room.settle()

    def attempt(self, work: Any) -> Any:
        """Run something that may be refused; gives its value, or ``None``."""
        try:
            return self.run(work)
        except Conflict:
            return None
        finally:
            self.run(self.room.settle())

    def ended(self) -> list[tuple[Principal, Any, asyncio.Task[Any]]]:
        """Take out those who wait no more, in the order in which they came."""
        over = [entry for entry in self.waiting if entry[2].done()]
        self.waiting = [entry for entry in self.waiting if not entry[2].done()]
        return [entry for entry in over if not (entry[2].cancelled() or entry[2].exception())]

    @rule(ms=STEPS_MS)
    def pass_time(self, ms: int) -> None:
        """Let time pass, and the clock look."""
        self.run(self.room.pass_time(ms))

    @rule(number=st.integers(0, 5))
    def go_away(self, number: int) -> None:
        """Let the caller that waits go away, if there are so many."""
        if number < len(self.waiting):
            self.waiting.pop(number)[2].cancel()
            self.run(self.room.settle())


class LocksMachine(Claims):
    """Locks: one holder, growing fences, stale ones refused, the queue in order."""

    def __init__(self) -> None:
        super().__init__()
        self.newest: dict[int, Lock] = {}
        self.fences: dict[int, set[int]] = {1: set(), 2: set()}

    def saw(self, lock: Lock | None) -> None:
        """Check a lock that somebody was given against all that were given before."""
        if lock is None:
            return
        before = self.newest.get(lock.issue_id)
        if before is not None:
            assert lock.fence >= before.fence, "a fence went back"
            if lock.fence == before.fence:
                assert lock.holder == before.holder, "two agents were given one fence"
        self.newest[lock.issue_id] = lock
        self.fences[lock.issue_id].add(lock.fence)

    @rule(who=AGENTS, issue=ISSUES)
    def claim(self, who: Principal, issue: int) -> None:
        """Claim without waiting: never granted while somebody else holds it."""
        held = {lock.issue_id: lock for lock in self.run(self.room.locks.list())}.get(issue)
        lock = self.attempt(self.room.lock(who, issue))
        if held is not None:
            assert (lock is not None) == (held.holder == who.name)
        self.saw(lock)

    @rule(who=AGENTS, issue=ISSUES)
    def wait(self, who: Principal, issue: int) -> None:
        """Wait; who is served at once held it, or nobody did."""
        self.waiting.append((who, issue, self.run(self.room.wait(who, issue, wait_ms=5_000))))

    @rule(who=AGENTS, issue=ISSUES)
    def steal(self, who: Principal, issue: int) -> None:
        """Take it whoever has it."""
        self.saw(self.attempt(self.room.journal.commit(self.room.locks.steal(by(who), issue, "x"))))

    @rule(who=AGENTS, issue=ISSUES)
    def release(self, who: Principal, issue: int) -> None:
        """Give it back: the next in the queue has it then."""
        queue = [w for w in self.waiting if w[1] == issue and not w[2].done()]
        released = self.attempt(self.room.journal.commit(self.room.locks.release(by(who), issue)))
        if released is not None and released.released and queue:
            assert queue[0][2].done(), "the first in the queue was not served"
            for other, _, task in queue:
                assert task.done() == (other == queue[0][0]), "another was served"

    @rule(who=AGENTS, issue=ISSUES, fence=st.integers(1, 9))
    def renew(self, who: Principal, issue: int, fence: int) -> None:
        """Renew with any fence: only the holder's own does."""
        held = {lock.issue_id: lock for lock in self.run(self.room.locks.list())}.get(issue)
        unit = self.room.locks.renew(by(who, fence=fence), issue)
        lock = self.attempt(self.room.journal.commit(unit))
        good = held is not None and (held.holder, held.fence) == (who.name, fence)
        assert (lock is not None) == good
        self.saw(lock)

    @invariant()
    def one_holder_and_no_stale_fence(self) -> None:
        """What is listed is the newest grant, and of all fences only its one is taken."""
        for _, _, task in self.ended():
            self.saw(task.result())
        held = {lock.issue_id: lock for lock in self.run(self.room.locks.list())}
        for issue, fences in self.fences.items():
            self.saw(held.get(issue))
            for fence in fences:
                good = issue in held and held[issue].fence == fence
                assert self.is_good(issue, fence) is good

    def is_good(self, issue: int, fence: int) -> bool:
        """Say whether a write under this fence would be taken."""
        try:
            self.run(
                self.room.journal.commit(lambda tx: check_fence(tx, issue, fence, self.clock.now))
            )
        except StaleFence:
            return False
        return True

    @invariant()
    def nothing_is_free_while_somebody_waits(self) -> None:
        """Whoever waits waits for a holder."""
        held = {lock.issue_id for lock in self.run(self.room.locks.list())}
        assert {issue for _, issue, task in self.waiting if not task.done()} <= held


class ReservationsMachine(Claims):
    """Reservations: no two that conflict, numbers grow, the queue in order."""

    def __init__(self) -> None:
        super().__init__()
        self.numbers: set[int] = set()

    @rule(who=AGENTS, path=PATHS, mode=MODES)
    def claim(self, who: Principal, path: str, mode: Mode) -> None:
        """Reserve without waiting."""
        given = self.attempt(self.room.paths(who, path, mode=mode))
        self.saw(given)

    @rule(who=AGENTS, path=PATHS, mode=MODES)
    def wait(self, who: Principal, path: str, mode: Mode) -> None:
        """Reserve, and wait where others stand in the way."""
        work = self.room.wait_for_paths(who, path, mode=mode, wait_ms=5_000)
        self.waiting.append((who, (path, mode), self.run(work)))

    @rule(who=AGENTS, number=st.integers(1, 12))
    def release(self, who: Principal, number: int) -> None:
        """Give back what is one's own."""
        held = {one.id: one for one in self.run(self.room.reservations.list())}
        if number in held and held[number].agent == who.name:
            unit = self.room.reservations.release(by(who), number)
            assert self.attempt(self.room.journal.commit(unit)).released

    @rule(who=AGENTS, number=st.integers(1, 12))
    def renew(self, who: Principal, number: int) -> None:
        """Renew: what is held and one's own."""
        held = {one.id: one for one in self.run(self.room.reservations.list())}
        if number in held and held[number].agent != who.name:
            return
        unit = self.room.reservations.renew(by(who), number)
        assert (self.attempt(self.room.journal.commit(unit)) is not None) == (number in held)

    def saw(self, given: Reservation | None) -> None:
        """Check a number that somebody was given."""
        if given is not None and given.id not in self.numbers:
            assert given.id > max(self.numbers, default=0), "a number went back"
            self.numbers.add(given.id)

    @invariant()
    def nothing_conflicts_and_no_stale_number(self) -> None:
        """No two of what is held conflict; only what is held is good to write under."""
        for _, _, task in self.ended():
            self.numbers.add(task.result().id)
        held = self.run(self.room.reservations.list())
        for one in held:
            for other in held:
                assert not conflict(one, other)
        for number in self.numbers:
            try:
                self.run(self.room.journal.commit(self.check(number)))
            except StaleFence:
                assert number not in {one.id for one in held}
            else:
                assert number in {one.id for one in held}

    def check(self, number: int) -> Any:
        """Make the unit that asks whether a number is good."""
        return lambda tx: check_reservation(tx, number, self.clock.now)

    @invariant()
    def who_waits_has_somebody_in_the_way(self) -> None:
        """Nobody waits for paths that are free and that nobody in front wants."""
        held = self.run(self.room.reservations.list())
        ahead: list[Reservation] = list(held)
        for who, (path, mode), task in self.waiting:
            if task.done():
                continue
            wanted = Reservation(
                id=0, agent=who.name, paths=[path], mode=mode, claimed_at=0, expires_at=0
            )
            assert any(conflict(wanted, other) for other in ahead), "nothing was in the way"
            ahead.append(wanted)


def conflict(one: Reservation, other: Reservation) -> bool:
    """Say whether two agents may not have these at the same time."""
    return (
        one.agent != other.agent
        and "exclusive" in (one.mode, other.mode)
        and any(overlap(parse(a), parse(b)) for a in one.paths for b in other.paths)
    )


SIZE = settings(
    max_examples=50,
    stateful_step_count=40,
    deadline=None,
    suppress_health_check=list(HealthCheck),
)
TestLocks = LocksMachine.TestCase
TestLocks.settings = SIZE
TestReservations = ReservationsMachine.TestCase
TestReservations.settings = SIZE
