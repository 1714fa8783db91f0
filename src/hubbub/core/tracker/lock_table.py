"""The locks' part of a unit of work: who holds what, and what a fence is worth.

Everything here runs on the writer thread, inside somebody's unit; nothing is kept. ``now`` is
lease time in milliseconds (``lease_clock.py``).
"""

import msgspec
from msgspec.structs import asdict, replace

from hubbub.core.identity.presence import DAEMON
from hubbub.core.ports import Row, Transaction
from hubbub.core.tracker.waits import end_wait, waiters
from hubbub.errors import StaleFence


class Lock(msgspec.Struct, frozen=True, kw_only=True):
    """One agent's exclusive hold on an issue."""

    issue_id: int
    holder: str
    fence: int
    claimed_at: int
    """Unix milliseconds."""
    expires_at: int
    """Unix milliseconds; the hold is void from this instant on."""


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
    """Give the lock in force; one whose lease has ended is told as lost, and handed over, first."""
    row = tx.row("lock_get", issue_id=issue_id)
    if row is None or row[1] is None:
        return None
    lock = lock_of(row)
    if now < lock.expires_at:
        return lock
    return lose(tx, lock, "lease ended", now)


def lose(tx: Transaction, lock: Lock, reason: str, now: int) -> Lock | None:
    """Take a lock from its holder; gives that of who waited for it."""
    return end_lock(tx, lock, "lock.lost", now, actor=DAEMON, reason=reason)


def end_lock(
    tx: Transaction, lock: Lock, kind: str, now: int, *, actor: str, **why: str
) -> Lock | None:
    """End a hold, tell it, and hand the lock to who waits in front, if anybody does."""
    data = {"issue_id": lock.issue_id, "agent": lock.holder, "fence": lock.fence, **why}
    tx.append(f"locks/{lock.issue_id}", kind, data, actor=actor)
    queue = waiters(tx, lock.issue_id)
    first = next((waiter for waiter in queue if now < waiter.until), None)
    if first is None:
        tx.execute("lock_free", issue_id=lock.issue_id)
        return None
    for waiter in queue:
        if waiter.agent == first.agent:
            end_wait(tx, waiter, "granted")
    following = next_lock(tx, lock.issue_id, first.agent, now, first.lease_ms)
    return grant(tx, following, actor=first.actor)


def grant(tx: Transaction, lock: Lock, *, actor: str, **why: str) -> Lock:
    """Make a new grant; it was stolen where there is a ``previous`` holder."""
    kind = "lock.stolen" if "previous" in why else "lock.claimed"
    return _put(tx, lock, kind, actor, **why)


def renew(tx: Transaction, lock: Lock, *, actor: str) -> Lock:
    """Store a grant whose times have moved."""
    return _put(tx, lock, "lock.renewed", actor)


def clamp(tx: Transaction, latest: int) -> None:
    """Let no lease end after an instant."""
    for row in tx.rows("lock_beyond", latest=latest):
        renew(tx, replace(lock_of(row), expires_at=latest), actor=DAEMON)


def _put(tx: Transaction, lock: Lock, kind: str, actor: str, **why: str) -> Lock:
    tx.execute("lock_put", **asdict(lock))
    data = {
        "issue_id": lock.issue_id,
        "agent": lock.holder,
        "fence": lock.fence,
        "claimed_at": lock.claimed_at,
        "expires_at": lock.expires_at,
        **why,
    }
    tx.append(f"locks/{lock.issue_id}", kind, data, actor=actor)
    return lock


def next_lock(tx: Transaction, issue_id: int, holder: str, now: int, lease_ms: int) -> Lock:
    """Give the grant that follows the newest one of an issue."""
    return Lock(
        issue_id=issue_id,
        holder=holder,
        fence=newest_fence(tx, issue_id) + 1,
        claimed_at=now,
        expires_at=now + lease_ms,
    )


def newest_fence(tx: Transaction, issue_id: int) -> int:
    """Give the number of the newest grant that there may have been; 0 where there was none."""
    return int(tx.rows("lock_newest_fence", issue_id=issue_id)[0][0])
