"""Exclusive claims on issues: one holder at a time, for the length of a lease.

Every grant has a number, its fence, that only grows, also across restarts. A write made under
a lock may present it; ``check_fence`` refuses a number whose lock has ended, so that an agent
which slept through the end of its lease cannot overwrite the work of the next.
"""

import math
from typing import TypeVar

import msgspec
from msgspec.structs import asdict, replace

from hubbub.core.identity.presence import DAEMON
from hubbub.core.journal import Journal
from hubbub.core.ports import Row, Settled, Store, Transaction, Unit
from hubbub.core.tracker.issues import Act, check_exists, checked_number
from hubbub.core.values import Clock, Principal
from hubbub.errors import Forbidden, InvalidRequest, LockHeld, StaleFence
from hubbub.telemetry import log


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


class Lock(msgspec.Struct, frozen=True, kw_only=True):
    """One agent's exclusive hold on an issue."""

    issue_id: int
    holder: str
    fence: int
    claimed_at: int
    """Unix milliseconds."""
    expires_at: int
    """Unix milliseconds; the hold is void from this instant on."""


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
        """Begin; what the store holds is in force at once."""
        self._journal = journal
        self._store = store
        self._clock = clock
        self.rules = rules
        # Unix milliseconds at which `tick` must look into the store: early is harmless.
        self._look_at: float = 0

    def claim(
        self, act: Act, issue_id: int, *, agent: str | None = None, lease_ms: int | None = None
    ) -> Unit[Lock]:
        """Grant the lock of an issue, or extend the agent's own under the same fence.

        Raises:
            NotFound: There is no such issue.
            LockHeld: Another agent holds the lock and its lease still runs.
            InvalidRequest: The lease is not within its limits.
        """
        holder, lease = holder_for(act.caller, agent), self._lease(lease_ms)

        def claim(tx: Transaction) -> Lock:
            now = self._clock()
            check_exists(tx, issue_id)
            current = current_lock(tx, issue_id, now)
            if current is None:
                return _grant(tx, _next(tx, issue_id, holder, now, lease), actor=act.caller.id)
            if current.holder != holder:
                raise LockHeld(issue_id, holder=current.holder, expires_at_ms=current.expires_at)
            return _put(tx, replace(current, claimed_at=now, expires_at=now + lease))

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
        holder, lease = holder_for(act.caller, agent), self._lease(lease_ms)

        def renew(tx: Transaction) -> Lock:
            now = self._clock()
            current = current_lock(tx, checked_number(issue_id), now)
            check_fence(tx, issue_id, act.fence, now)
            if current is None or current.holder != holder:
                raise StaleFence(issue_id, presented=act.fence or 0, current=_fence(tx, issue_id))
            return _put(tx, replace(current, expires_at=now + lease))

        return self._unit(act, renew, Lock, "locks.renew", issue_id, holder, lease)

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
        holder, lease = holder_for(act.caller, agent), self._lease(lease_ms)
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
                return _put(tx, replace(current, claimed_at=now, expires_at=now + lease))
            why = (
                {"reason": reason}
                if current is None
                else {"previous": current.holder, "reason": reason}
            )
            return _grant(tx, _next(tx, issue_id, holder, now, lease), actor=act.caller.id, **why)

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
            _end(tx, current, "lock.released", actor=act.caller.id)
            return Release(issue_id=issue_id, released=True)

        return self._unit(act, release, Release, "locks.release", issue_id, holder)

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
        now = self._clock()
        if now < self._look_at:
            return
        self._look_at = math.inf

        def expire(tx: Transaction) -> int | None:
            for row in tx.rows("lock_expired", now=now):
                lose(tx, lock_of(row), "lease ended")
            earliest = tx.rows("lock_next_expiry")[0][0]
            return None if earliest is None else int(earliest)

        self._journal.submit(expire, self._looked)

    def _looked(self, settled: Settled) -> None:
        if settled.error is not None:
            log.warning("locks_not_expired", error=str(settled.error))
            self._look_at = 0
        elif settled.value is not None:
            self._look_at = min(self._look_at, settled.value)

    def _lease(self, lease_ms: int | None) -> int:
        """Give the lease that is asked for, and see to it that its end is noticed."""
        lease = self.rules.default_lease_ms if lease_ms is None else lease_ms
        if not 0 < lease <= self.rules.max_lease_ms:
            message = f"lease_ms must be from 1 to {self.rules.max_lease_ms}"
            raise InvalidRequest(message)
        self._look_at = min(self._look_at, self._clock() + lease)
        return lease

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


def lock_of(row: Row) -> Lock:
    """Make a lock of a row."""
    return Lock(issue_id=row[0], holder=row[1], fence=row[2], claimed_at=row[3], expires_at=row[4])


def check_fence(tx: Transaction, issue_id: int, fence: int | None, now: int) -> None:
    """Check, inside any unit that writes, that a lock grant is still good.

    Args:
        fence: The number that the writer presents; ``None``: it claims no lock.
        now: Unix milliseconds.

    Raises:
        StaleFence: The lock was released, lost, or granted anew since.
    """
    if fence is None:
        return
    row = tx.row("lock_get", issue_id=issue_id)
    good = row is not None and row[1] is not None and row[2] == fence and now < row[4]
    if not good:
        raise StaleFence(issue_id, presented=fence, current=0 if row is None else row[2])


def current_lock(tx: Transaction, issue_id: int, now: int) -> Lock | None:
    """Give the lock in force; one whose lease has ended is told as lost first."""
    row = tx.row("lock_get", issue_id=issue_id)
    if row is None or row[1] is None:
        return None
    lock = lock_of(row)
    if now < lock.expires_at:
        return lock
    lose(tx, lock, "lease ended")
    return None


def lose(tx: Transaction, lock: Lock, reason: str) -> None:
    """Take a lock from its holder, inside a unit."""
    _end(tx, lock, "lock.lost", actor=DAEMON, reason=reason)


def _end(tx: Transaction, lock: Lock, kind: str, *, actor: str, **why: str) -> None:
    tx.execute("lock_free", issue_id=lock.issue_id)
    data = {"issue_id": lock.issue_id, "agent": lock.holder, "fence": lock.fence, **why}
    tx.append(f"locks/{lock.issue_id}", kind, data, actor=actor)


def _grant(tx: Transaction, lock: Lock, *, actor: str, **why: str) -> Lock:
    """Make a new grant; it was stolen where there is a ``previous`` holder."""
    _put(tx, lock)
    kind = "lock.stolen" if "previous" in why else "lock.claimed"
    data = {
        "issue_id": lock.issue_id,
        "agent": lock.holder,
        "fence": lock.fence,
        "expires_at": lock.expires_at,
        **why,
    }
    tx.append(f"locks/{lock.issue_id}", kind, data, actor=actor)
    return lock


def _put(tx: Transaction, lock: Lock) -> Lock:
    tx.execute("lock_put", **asdict(lock))
    return lock


def _next(tx: Transaction, issue_id: int, holder: str, now: int, lease_ms: int) -> Lock:
    return Lock(
        issue_id=issue_id,
        holder=holder,
        fence=_fence(tx, issue_id) + 1,
        claimed_at=now,
        expires_at=now + lease_ms,
    )


def _fence(tx: Transaction, issue_id: int) -> int:
    """Give the number of the newest grant; 0 where there was none."""
    row = tx.row("lock_get", issue_id=issue_id)
    return 0 if row is None else int(row[2])
