"""Exclusive claims on issues: one holder at a time, for the length of a lease.

Every grant has a number, its fence, that only grows, also across restarts. A write made under
a lock may present it; ``check_fence`` refuses a number whose lock has ended, so that an agent
which slept through the end of its lease cannot overwrite the work of the next.
"""

from typing import TypeVar

import msgspec
from msgspec.structs import replace

from hubbub.core.journal import Journal
from hubbub.core.ports import Store, Transaction, Unit
from hubbub.core.tracker.cycles import find_cycle
from hubbub.core.tracker.expiry import Expiry
from hubbub.core.tracker.issues import Act, check_exists, checked_number
from hubbub.core.tracker.lock_table import (
    Lock,
    check_fence,
    current_lock,
    end_lock,
    grant,
    lock_of,
    lose,
    newest_fence,
    next_lock,
    renew,
)
from hubbub.core.tracker.reservation_table import ReservationTable
from hubbub.core.tracker.waits import Place, Queued, Waiter, end_wait, tell_cycle, waiters
from hubbub.core.values import Clock, Principal
from hubbub.errors import Forbidden, InvalidRequest, LockHeld, StaleFence


T = TypeVar("T")


class LockRules(msgspec.Struct, frozen=True, kw_only=True):
    """The section ``[locks]``."""

    default_lease_ms: int = 3_600_000
    """Milliseconds until a claim lapses, where the claim does not say."""
    max_lease_ms: int = 86_400_000
    """Milliseconds that a claim may ask for at most."""
    tick_s: float = 1.0
    """Seconds between two looks at the clock for leases that have ended."""
    max_reason_characters: int = 1000
    """Length of the reason for a steal at most."""

    def __post_init__(self) -> None:
        """Check that the times make sense.

        Raises:
            ValueError: They do not.
        """
        if not 0 < self.default_lease_ms <= self.max_lease_ms:
            message = "default_lease_ms must be over 0 and not over max_lease_ms"
            raise ValueError(message)
        if self.tick_s <= 0 or self.max_reason_characters < 1:
            message = "tick_s and max_reason_characters must be over 0"
            raise ValueError(message)


DEFAULT_RULES = LockRules()


class Release(msgspec.Struct, frozen=True, kw_only=True):
    """What became of a release."""

    issue_id: int
    released: bool
    """False: nobody held the lock any more."""


class Locks:
    """Grants, renews and ends claims.

    Every verb gives a unit of work, for ``Journal.commit`` or ``submit``; what is wrong with the
    request itself is raised at once, all else by the unit. Every verb takes ``agent``: whose
    lock it is; ``None`` is the caller itself, and only the operator may name another.
    """

    def __init__(
        self, journal: Journal, store: Store, clock: Clock, *, rules: LockRules = DEFAULT_RULES
    ) -> None:
        """Begin; what the store holds is in force at once.

        Args:
            clock: That of leases.
        """
        self._store = store
        self._clock = clock
        self.rules = rules
        self._table = ReservationTable()
        self._expiry = Expiry(
            journal,
            clock,
            self._expire,
            earliest="lock_next_expiry",
            failure="locks_not_expired",
        )

    def claim(
        self, act: Act, issue_id: int, *, agent: str | None = None, lease_ms: int | None = None
    ) -> Unit[Lock]:
        """Grant the lock of an issue, or extend the agent's own under the same fence.

        Raises:
            NotFound: There is no such issue.
            LockHeld: Another agent holds the lock and its lease still runs.
            InvalidRequest: The lease is not within its limits.
        """
        holder, lease = holder_for(act.caller, agent), self._expiry.lease(lease_ms, self.rules)

        def claim(tx: Transaction) -> Lock:
            now = self._clock()
            check_exists(tx, issue_id)
            current = current_lock(tx, issue_id, now)
            if current is None:
                return grant(tx, next_lock(tx, issue_id, holder, now, lease), actor=act.caller.id)
            if current.holder != holder:
                raise LockHeld(issue_id, holder=current.holder, expires_at_ms=current.expires_at)
            extended = replace(current, claimed_at=now, expires_at=now + lease)
            return renew(tx, extended, actor=act.caller.id)

        return self._unit(act, claim, Lock, "locks.claim", issue_id, holder, lease)

    def renew(
        self, act: Act, issue_id: int, *, agent: str | None = None, lease_ms: int | None = None
    ) -> Unit[Lock]:
        """Extend a lock that is held.

        Raises:
            StaleFence: The agent does not hold the lock any more, or holds it under another
                fence than the one presented.
            InvalidRequest: The lease is not within its limits.
        """
        holder, lease = holder_for(act.caller, agent), self._expiry.lease(lease_ms, self.rules)

        def extend(tx: Transaction) -> Lock:
            now = self._clock()
            current = current_lock(tx, checked_number(issue_id), now)
            check_fence(tx, issue_id, act.fence, now)
            if current is None or current.holder != holder:
                raise StaleFence(
                    issue_id, presented=act.fence or 0, current=newest_fence(tx, issue_id)
                )
            extended = replace(current, expires_at=now + lease)
            return renew(tx, extended, actor=act.caller.id)

        return self._unit(act, extend, Lock, "locks.renew", issue_id, holder, lease)

    def steal(
        self,
        act: Act,
        issue_id: int,
        reason: str,
        *,
        agent: str | None = None,
        lease_ms: int | None = None,
    ) -> Unit[Lock]:
        """Take the lock whoever holds it; a free one is claimed.

        Raises:
            NotFound: There is no such issue.
            InvalidRequest: There is no reason, or it is too long, or the lease is.
        """
        holder, lease = holder_for(act.caller, agent), self._expiry.lease(lease_ms, self.rules)
        if not reason.strip() or len(reason) > self.rules.max_reason_characters:
            message = (
                f"a steal needs a reason, {self.rules.max_reason_characters} characters at most"
            )
            raise InvalidRequest(message)

        def steal(tx: Transaction) -> Lock:
            now = self._clock()
            check_exists(tx, issue_id)
            current = current_lock(tx, issue_id, now)
            if current is not None and current.holder == holder:
                extended = replace(current, claimed_at=now, expires_at=now + lease)
                return renew(tx, extended, actor=act.caller.id)
            for waiter in waiters(tx, issue_id):
                if waiter.agent == holder:
                    end_wait(tx, waiter, "granted")
            why = (
                {"reason": reason}
                if current is None
                else {"previous": current.holder, "reason": reason}
            )
            following = next_lock(tx, issue_id, holder, now, lease)
            lock = grant(tx, following, actor=act.caller.id, **why)
            # Who waits in the queue waits for the thief from now on.
            cycle = find_cycle(self._table.edges(tx, now), holder)
            tell_cycle(tx, cycle, actor=act.caller.id)
            return lock

        return self._unit(act, steal, Lock, "locks.steal", issue_id, holder, lease, reason)

    def release(self, act: Act, issue_id: int, *, agent: str | None = None) -> Unit[Release]:
        """Give a lock back; one that nobody holds is left as it is.

        Raises:
            StaleFence: The fence presented is not that of the lock.
            LockHeld: Another agent holds it.
        """
        holder = holder_for(act.caller, agent)

        def release(tx: Transaction) -> Release:
            now = self._clock()
            current = current_lock(tx, checked_number(issue_id), now)
            if current is None:
                return Release(issue_id=issue_id, released=False)
            check_fence(tx, issue_id, act.fence, now)
            if current.holder != holder:
                raise LockHeld(issue_id, holder=current.holder, expires_at_ms=current.expires_at)
            end_lock(tx, current, "lock.released", now, actor=act.caller.id)
            return Release(issue_id=issue_id, released=True)

        return self._unit(act, release, Release, "locks.release", issue_id, holder)

    def wait(
        self,
        act: Act,
        issue_id: int,
        place: Place,
        *,
        agent: str | None = None,
        lease_ms: int | None = None,
    ) -> Unit[Queued]:
        """Wait for a lock: the agent is granted it when all in front of it are through with it.

        Raises:
            NotFound: There is no such issue.
            Conflict: The queues are full.
        """
        act.caller.require("write")
        holder, lease = holder_for(act.caller, agent), self._expiry.lease(lease_ms, self.rules)

        def wait(tx: Transaction) -> Queued:
            now = self._clock()
            check_exists(tx, issue_id)
            current = current_lock(tx, issue_id, now)
            if current is None:
                grant(tx, next_lock(tx, issue_id, holder, now, lease), actor=act.caller.id)
                return Queued(granted=True)
            if current.holder == holder:
                return Queued(granted=True)
            waiter = Waiter(
                ticket=place.ticket,
                agent=holder,
                actor=act.caller.id,
                issue_id=issue_id,
                wanted=None,
                lease_ms=lease,
                until=now + place.wait_ms,
            )
            return self._table.queue(tx, waiter, now, place.most)

        return wait

    def notify(self, act: Act, issue_id: int, agent: str, action: str) -> Unit[None]:
        """Tell of a lock that is kept elsewhere; no lock of ours changes.

        Args:
            action: ``claimed`` or ``released``.
        """
        data = {"issue_id": issue_id, "agent": agent, "action": action}

        def notify(tx: Transaction) -> None:
            tx.append(f"locks/{issue_id}", "lock.notified", data, actor=act.caller.id)

        return self._unit(act, notify, type(None), "locks.notify", issue_id, agent, action)

    async def list(self) -> list[Lock]:
        """Give all locks that are held, by issue."""
        rows = await self._store.rows("lock_held", now=self._clock())
        return [lock_of(row) for row in rows]

    def tick(self) -> None:
        """Look at the clock: end the leases that have run out."""
        self._expiry.tick()

    def _expire(self, tx: Transaction) -> None:
        now = self._clock()
        for row in tx.rows("lock_expired", now=now):
            lose(tx, lock_of(row), "lease ended", now)

    def _unit(self, act: Act, unit: Unit[T], result: type[T], verb: str, *parts: object) -> Unit[T]:
        return act.once(unit, result, verb, *parts, clock=self._clock)


def holder_for(caller: Principal, agent: str | None) -> str:
    """Find out whose lock is meant.

    Raises:
        Forbidden: A caller other than the operator names another agent.
        InvalidRequest: The name is empty.
    """
    if agent is None or agent == caller.name:
        return caller.name
    if caller.kind != "operator":
        message = f"{caller.id} holds locks only for itself, not for {agent!r}"
        raise Forbidden(message)
    if not agent:
        message = "agent is empty"
        raise InvalidRequest(message)
    return agent
