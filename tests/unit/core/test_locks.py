"""Locks: one holder, a lease, and fences that only grow."""

from collections.abc import Callable

import msgspec
import pytest

from hubbub.core.bus import Bus
from hubbub.core.journal import Journal
from hubbub.core.ports import Unit
from hubbub.core.tracker.issues import Act
from hubbub.core.tracker.lock_table import Lock, check_fence
from hubbub.core.tracker.locks import LockRules, Locks, Release, holder_for
from hubbub.core.tracker.service import IssueDraft, Tracker
from hubbub.core.values import OPERATOR
from hubbub.errors import (
    Forbidden,
    IdempotencyConflict,
    InvalidRequest,
    LockHeld,
    NotFound,
    StaleFence,
    StoreUnavailable,
)
from hubbub.storage.sqlite import SqliteStore
from tests.unit.conftest import ManualClock
from tests.unit.core.rooms import ANN, BOB, READER, Told, by


RULES = LockRules(default_lease_ms=1_000, max_lease_ms=5_000, max_reason_characters=20)


@pytest.fixture
def told(bus: Bus) -> Told:
    """Give a recorder of what locks tell."""
    return Told(bus, "locks/*")


@pytest.fixture
async def locks(journal: Journal, store: SqliteStore, clock: ManualClock, told: Told) -> Locks:
    """Give locks with short leases, and issues 1 and 2."""
    for title in ("a", "b"):
        await journal.commit(Tracker(clock).create(by(), IssueDraft(title=title)))
    return Locks(journal, store, clock, rules=RULES)


@pytest.mark.parametrize(
    "wrong",
    [
        {"default_lease_ms": 0},
        {"default_lease_ms": 2, "max_lease_ms": 1},
        {"tick_s": 0},
        {"max_reason_characters": 0},
    ],
)
def test_rules_must_make_sense(wrong: dict[str, float]) -> None:
    """Times that cannot be are refused when the settings are read."""
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert(wrong, LockRules)


async def test_free_lock_is_granted(
    locks: Locks, journal: Journal, told: Told, clock: ManualClock
) -> None:
    """A claim of a free lock gives a fence and the end of the lease, and is told."""
    lock = await journal.commit(locks.claim(by(ANN), 1))
    expires_at = clock.now + 1_000
    assert lock == Lock(
        issue_id=1, holder="ann", fence=1, claimed_at=clock.now, expires_at=expires_at
    )
    times = {"claimed_at": clock.now, "expires_at": expires_at}
    data = {"issue_id": 1, "agent": "ann", "fence": 1, **times}
    assert told.take() == [("lock.claimed", data)]
    assert await locks.list() == [lock]


async def test_held_lock_is_refused_until_the_lease_ends(
    locks: Locks, journal: Journal, told: Told, clock: ManualClock
) -> None:
    """A second agent gets the lock from the instant the lease ends, under a higher fence."""
    first = await journal.commit(locks.claim(by(ANN), 1))
    clock.advance(999)
    with pytest.raises(LockHeld) as refused:
        await journal.commit(locks.claim(by(BOB), 1))
    assert (refused.value.holder, refused.value.expires_at_ms) == ("ann", first.expires_at)
    told.take()

    clock.advance(1)
    second = await journal.commit(locks.claim(by(BOB), 1))
    assert (second.holder, second.fence) == ("bob", 2)
    (lost, claimed) = told.take()
    assert lost == (
        "lock.lost",
        {"issue_id": 1, "agent": "ann", "fence": 1, "reason": "lease ended"},
    )
    assert claimed[0] == "lock.claimed"


async def test_own_lock_is_extended_under_the_same_fence(
    locks: Locks, journal: Journal, told: Told, clock: ManualClock
) -> None:
    """Claiming one's own lock again moves claim and lease, and is told as such."""
    await journal.commit(locks.claim(by(ANN), 1))
    told.take()
    clock.advance(10)
    lock = await journal.commit(locks.claim(by(ANN), 1, lease_ms=5_000))
    assert (lock.fence, lock.claimed_at, lock.expires_at) == (1, clock.now, clock.now + 5_000)
    times = {"claimed_at": clock.now, "expires_at": clock.now + 5_000}
    data = {"issue_id": 1, "agent": "ann", "fence": 1, **times}
    assert told.take() == [("lock.renewed", data)]


async def test_renew_moves_only_the_lease(
    locks: Locks, journal: Journal, clock: ManualClock
) -> None:
    """A renewal keeps fence and time of claim."""
    first = await journal.commit(locks.claim(by(ANN), 1))
    clock.advance(10)
    lock = await journal.commit(locks.renew(by(ANN, fence=1), 1))
    assert (lock.fence, lock.claimed_at) == (1, first.claimed_at)
    assert lock.expires_at == clock.now + 1_000


async def test_renew_without_the_lock_is_stale(
    locks: Locks, journal: Journal, clock: ManualClock
) -> None:
    """Who never held the lock, or holds it no more, cannot renew it."""
    with pytest.raises(StaleFence) as never:
        await journal.commit(locks.renew(by(ANN), 1))
    assert never.value.current == 0
    await journal.commit(locks.claim(by(ANN), 1))
    with pytest.raises(StaleFence):
        await journal.commit(locks.renew(by(BOB), 1))
    with pytest.raises(StaleFence) as other:
        await journal.commit(locks.renew(by(ANN, fence=7), 1))
    assert (other.value.presented, other.value.current) == (7, 1)
    clock.advance(1_000)
    with pytest.raises(StaleFence, match="its lock has ended"):
        await journal.commit(locks.renew(by(ANN, fence=1), 1))


async def test_release_frees_the_lock(locks: Locks, journal: Journal, told: Told) -> None:
    """A release is told; a second one finds nothing to do, whatever fence it presents."""
    await journal.commit(locks.claim(by(ANN), 1))
    told.take()
    released = await journal.commit(locks.release(by(ANN, fence=1), 1))
    again = await journal.commit(locks.release(by(ANN, fence=1), 1))
    assert released == Release(issue_id=1, released=True)
    assert again == Release(issue_id=1, released=False)
    assert told.take() == [("lock.released", {"issue_id": 1, "agent": "ann", "fence": 1})]
    assert await locks.list() == []


async def test_only_the_holder_releases(locks: Locks, journal: Journal) -> None:
    """Another agent's lock stays, and so does one of another fence."""
    await journal.commit(locks.claim(by(ANN), 1))
    with pytest.raises(LockHeld):
        await journal.commit(locks.release(by(BOB), 1))
    with pytest.raises(StaleFence):
        await journal.commit(locks.release(by(ANN, fence=2), 1))
    assert len(await locks.list()) == 1


async def test_steal_takes_the_lock_and_says_why(
    locks: Locks, journal: Journal, told: Told
) -> None:
    """A stolen lock has a higher fence; the former holder and the reason are told."""
    await journal.commit(locks.claim(by(ANN), 1))
    told.take()
    lock = await journal.commit(locks.steal(by(BOB), 1, "asleep"))
    assert (lock.holder, lock.fence) == ("bob", 2)
    ((kind, data),) = told.take()
    assert kind == "lock.stolen"
    assert (data["agent"], data["previous"], data["reason"]) == ("bob", "ann", "asleep")

    again = await journal.commit(locks.steal(by(BOB), 1, "mine"))
    assert again.fence == 2
    assert told.kinds() == ["lock.renewed"]


async def test_steal_of_a_free_lock_claims_it(locks: Locks, journal: Journal, told: Told) -> None:
    """There is nobody to steal from: it is a claim, with the reason."""
    lock = await journal.commit(locks.steal(by(BOB), 1, "why not"))
    assert lock.fence == 1
    ((kind, data),) = told.take()
    assert (kind, data["reason"], "previous" in data) == ("lock.claimed", "why not", False)


@pytest.mark.parametrize("reason", ["", "  ", "x" * 21])
def test_steal_needs_a_reason(locks: Locks, reason: str) -> None:
    """No reason, or one over the limit, is refused."""
    with pytest.raises(InvalidRequest, match="reason"):
        locks.steal(by(BOB), 1, reason)


@pytest.mark.parametrize("lease_ms", [0, -1, 5_001])
def test_lease_has_limits(locks: Locks, lease_ms: int) -> None:
    """A lease of nothing or over the limit is refused."""
    with pytest.raises(InvalidRequest, match="from 1 to 5000"):
        locks.claim(by(ANN), 1, lease_ms=lease_ms)


Verb = Callable[[Locks, Act], Unit[object]]

ON_NOTHING: list[Verb] = [
    lambda locks, act: locks.claim(act, 9),
    lambda locks, act: locks.steal(act, 9, "x"),
    lambda locks, act: locks.claim(act, 2**63),
    lambda locks, act: locks.renew(act, -1),
    lambda locks, act: locks.release(act, 2**63),
]


@pytest.mark.parametrize("number", range(len(ON_NOTHING)))
async def test_lock_of_no_issue_is_not_found(locks: Locks, journal: Journal, number: int) -> None:
    """There is no lock without an issue."""
    with pytest.raises(NotFound):
        await journal.commit(ON_NOTHING[number](locks, by(ANN)))


async def test_end_of_lease_is_told_on_the_clock(
    locks: Locks, journal: Journal, told: Told, clock: ManualClock
) -> None:
    """Leases end by the clock, each at its time, whether or not anyone asks."""
    locks.tick()  # finds nothing to wait for
    await journal.settled()
    await journal.commit(locks.claim(by(ANN), 1))
    await journal.commit(locks.claim(by(BOB), 2, lease_ms=2_000))
    told.take()
    for ms in (999, 1, 0, 999, 1, 5_000):
        clock.advance(ms)
        locks.tick()
        await journal.settled()
        if clock.now % 1_000 == 999:
            assert told.take() == []
        elif ms == 1:
            assert told.kinds() == ["lock.lost"]
    assert told.take() == []
    assert await locks.list() == []


async def test_tick_does_not_look_before_a_lease_can_end(
    locks: Locks, journal: Journal, store: SqliteStore, clock: ManualClock
) -> None:
    """With nothing to end the clock costs no transaction."""
    locks.tick()
    await journal.settled()
    units = store.units
    for _ in range(5):
        locks.tick()
    await journal.commit(locks.claim(by(ANN), 1))
    clock.advance(999)
    locks.tick()
    await journal.settled()
    assert store.units == units + 1


async def test_renewed_lease_ends_later(
    locks: Locks, journal: Journal, told: Told, clock: ManualClock
) -> None:
    """A look at the former end of the lease finds the lock alive, and looks again at the new."""
    await journal.commit(locks.claim(by(ANN), 1))
    clock.advance(900)
    await journal.commit(locks.renew(by(ANN), 1))
    clock.advance(100)
    locks.tick()
    await journal.settled()
    assert told.kinds() == ["lock.claimed", "lock.renewed"]
    clock.advance(900)
    locks.tick()
    await journal.settled()
    assert told.kinds() == ["lock.lost"]


async def test_end_of_lease_waits_for_a_store_that_refuses(
    locks: Locks,
    journal: Journal,
    told: Told,
    clock: ManualClock,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Where the store could not write, the next tick tries again."""
    await journal.commit(locks.claim(by(ANN), 1))
    told.take()
    clock.advance(1_000)
    submit = journal.submit

    def broken(unit: object, done: Callable[..., None]) -> None:
        def fail(_tx: object) -> None:
            message = "disk full"
            raise StoreUnavailable(message)

        submit(fail, done)

    monkeypatch.setattr(journal, "submit", broken)
    locks.tick()
    await journal.settled()
    monkeypatch.undo()
    assert told.take() == []
    locks.tick()
    await journal.settled()
    assert told.kinds() == ["lock.lost"]


async def test_fence_grows_across_a_restart(
    locks: Locks, journal: Journal, store: SqliteStore, clock: ManualClock, told: Told
) -> None:
    """A daemon that begins anew knows the lock, ends its lease and continues its fence."""
    await journal.commit(locks.claim(by(ANN), 1))
    told.take()
    after = Locks(journal, store, clock, rules=RULES)
    assert [lock.holder for lock in await after.list()] == ["ann"]
    clock.advance(1_000)
    after.tick()
    await journal.settled()
    assert told.kinds() == ["lock.lost"]
    assert (await journal.commit(after.claim(by(BOB), 1))).fence == 2


async def test_retry_gives_the_first_answer(
    locks: Locks, journal: Journal, told: Told, clock: ManualClock
) -> None:
    """A retried claim is answered as before, also when the lock has long changed hands."""
    first = await journal.commit(locks.claim(by(ANN, key="k"), 1))
    clock.advance(2_000)
    await journal.commit(locks.claim(by(BOB), 1))
    told.take()
    assert await journal.commit(locks.claim(by(ANN, key="k"), 1)) == first
    assert told.take() == []
    with pytest.raises(IdempotencyConflict):
        await journal.commit(locks.claim(by(ANN, key="k"), 2))


async def test_notice_is_told_and_changes_nothing(
    locks: Locks, journal: Journal, told: Told
) -> None:
    """A lock kept elsewhere is told as it is, also of an issue that is not here."""
    await journal.commit(locks.notify(by(), 77, "ann", "claimed"))
    data = {"issue_id": 77, "agent": "ann", "action": "claimed"}
    assert told.take() == [("lock.notified", data)]
    assert await locks.list() == []


async def test_fence_ends_with_its_lease_before_anyone_looks(
    locks: Locks, journal: Journal, clock: ManualClock
) -> None:
    """From the instant the lease ends its fence is stale, though the end is not yet told."""
    await journal.commit(locks.claim(by(ANN), 1))
    clock.advance(999)
    await journal.commit(lambda tx: check_fence(tx, 1, 1, clock.now))
    clock.advance(1)
    with pytest.raises(StaleFence):
        await journal.commit(lambda tx: check_fence(tx, 1, 1, clock.now))


async def test_no_fence_is_checked_where_none_is_presented(
    locks: Locks, journal: Journal, clock: ManualClock
) -> None:
    """Writes under no lock pass; a fence of an issue that was never locked does not."""
    await journal.commit(lambda tx: check_fence(tx, 1, None, clock.now))
    with pytest.raises(StaleFence) as refused:
        await journal.commit(lambda tx: check_fence(tx, 1, 1, clock.now))
    assert refused.value.current == 0
    await journal.commit(locks.claim(by(ANN), 1))
    await journal.commit(lambda tx: check_fence(tx, 1, 1, clock.now))


def test_an_agent_locks_only_for_itself() -> None:
    """Only the operator names another holder, and the name is not empty."""
    assert holder_for(ANN, None) == "ann"
    assert holder_for(ANN, "ann") == "ann"
    assert holder_for(OPERATOR, None) == "operator"
    assert holder_for(OPERATOR, "ann") == "ann"
    with pytest.raises(Forbidden, match="only for itself"):
        holder_for(ANN, "bob")
    with pytest.raises(InvalidRequest, match="empty"):
        holder_for(OPERATOR, "")


def test_reader_may_not_lock(locks: Locks) -> None:
    """Without the scope to write nothing is begun."""
    with pytest.raises(Forbidden):
        locks.claim(by(READER), 1)
