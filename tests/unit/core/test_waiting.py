"""Waiting for locks and paths: in order, for a bounded time, and never in a circle."""

import asyncio
import threading

import msgspec
import pytest

from hubbub.core.bus import Bus
from hubbub.core.journal import Journal
from hubbub.core.ports import Unit
from hubbub.core.tracker.cycles import Edge
from hubbub.core.tracker.lock_table import Lock
from hubbub.core.tracker.reservations import Claim
from hubbub.core.tracker.waiting import WaitRules
from hubbub.core.tracker.waits import PATHS_TOPIC, Place, Queued
from hubbub.core.values import Principal
from hubbub.errors import (
    Conflict,
    Deadlock,
    InvalidRequest,
    LockHeld,
    NotFound,
    PathsReserved,
    StoreUnavailable,
)
from hubbub.storage.sqlite import SqliteStore
from tests.unit.conftest import ManualClock
from tests.unit.core.rooms import ANN, BOB, by
from tests.unit.core.waiting_room import WaitingRoom


CID = Principal(name="cid")
DEE = Principal(name="dee")


@pytest.fixture
async def room(journal: Journal, store: SqliteStore, bus: Bus, clock: ManualClock) -> WaitingRoom:
    """Give locks and reservations over three issues."""
    room = WaitingRoom(journal, store, bus, clock)
    await room.issues(3)
    return room


@pytest.mark.parametrize(
    "wrong", [{"default_wait_ms": 2, "max_wait_ms": 1}, {"max_waiting": 0}, {"tick_s": 0}]
)
def test_rules_must_make_sense(wrong: dict[str, float]) -> None:
    """What cannot be is refused when the settings are read."""
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert(wrong, WaitRules)


async def test_lock_is_handed_over_in_order(room: WaitingRoom) -> None:
    """Each release serves the next in the queue, at once; nobody comes in between."""
    await room.lock(ANN, 1)
    bob, cid = await room.wait(BOB, 1), await room.wait(CID, 1)
    room.told.take()
    await room.release(ANN, 1)
    assert (bob.result().holder, bob.result().fence) == ("bob", 2)
    assert not cid.done()
    assert room.told.kinds() == [
        "lock.released",
        "wait.ended",
        "lock.claimed",
        "lock.renewed",  # bob's own claim, which it sends when it is its turn
    ]
    with pytest.raises(LockHeld):
        await room.lock(ANN, 1)
    await room.release(BOB, 1)
    assert (cid.result().holder, cid.result().fence) == ("cid", 3)


async def test_beginning_and_end_of_a_wait_are_told(room: WaitingRoom) -> None:
    """The holder can hear who waits, for how long, and how it ended."""
    await room.lock(ANN, 1)
    await room.wait(BOB, 1)
    cid = await room.wait(CID, 1)
    _, first, second = room.told.take()
    assert first[0] == second[0] == "wait.begun"
    assert second[1]["held_by"] == ["ann", "bob"]
    ticket = first[1].pop("ticket")
    until = room.clock.now + 1_000
    assert first[1] == {"agent": "bob", "waits_for": "locks/1", "held_by": ["ann"], "until": until}
    await room.release(ANN, 1)
    ended = dict(room.told.take())["wait.ended"]
    assert ended == {
        "ticket": ticket, "agent": "bob", "waits_for": "locks/1", "reason": "granted",
    }  # fmt: skip
    cid.cancel()


async def test_end_of_lease_serves_the_queue(room: WaitingRoom) -> None:
    """A holder that does not come back loses the lock to who waits, on the clock."""
    await room.lock(ANN, 1)
    await room.pass_time(9_500)
    bob = await room.wait(BOB, 1)
    await room.pass_time(500)
    assert bob.result().holder == "bob"
    assert "lock.lost" in room.told.kinds()


async def test_wait_is_over_after_its_time(room: WaitingRoom) -> None:
    """Who waited in vain is told who holds it, and has left the queue; the next keeps its turn."""
    await room.lock(ANN, 1)
    bob = await room.wait(BOB, 1)
    cid = await room.wait(CID, 1, wait_ms=5_000)
    await room.pass_time(999)
    assert not bob.done()
    await room.pass_time(1)
    with pytest.raises(LockHeld, match="held by ann"):
        bob.result()
    await room.release(ANN, 1)
    assert cid.result().holder == "cid"


async def test_wait_that_is_over_is_not_served(room: WaitingRoom) -> None:
    """From the instant its time has passed a waiter is passed over, though no clock looked."""
    await room.lock(ANN, 1)
    bob = await room.wait(BOB, 1)
    room.clock.advance(1_000)
    await room.release(ANN, 1)
    assert (await room.lock(CID, 1)).holder == "cid"
    await room.pass_time(0)
    with pytest.raises(LockHeld, match="held by cid"):
        bob.result()


async def test_caller_that_goes_away_leaves_the_queue(room: WaitingRoom) -> None:
    """What is freed then goes to the next; what nobody waits for is free."""
    await room.lock(ANN, 1)
    bob, cid = await room.wait(BOB, 1), await room.wait(CID, 1)
    bob.cancel()
    await room.settle()
    room.told.take()
    await room.release(ANN, 1)
    assert cid.result().holder == "cid"
    assert room.waiting._pending == {}  # noqa: SLF001 nothing else shows it


async def test_caller_may_go_away_before_it_has_its_place(room: WaitingRoom) -> None:
    """A place that is on its way to the disk is given up as well."""
    await room.lock(ANN, 1)
    held, release = asyncio.Event(), threading.Event()

    def keep_the_writer(_tx: object) -> None:
        release.wait(10)

    def wait(place: Place) -> Unit[Queued]:
        room.journal.submit(keep_the_writer, lambda _settled: None)
        held.set()
        return room.locks.wait(by(BOB), 1, place)

    def claim() -> Unit[Lock]:
        return room.locks.claim(by(BOB), 1)

    claimed = room.waiting.claim(
        ("bob", "locks/1"), claim, wait, wait_ms=None, notice=lambda _cycle: None
    )
    task = asyncio.create_task(claimed)
    await held.wait()
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    release.set()
    await room.settle()
    assert room.told.kinds() == ["lock.claimed", "wait.begun", "wait.ended"]
    await room.release(ANN, 1)
    assert await room.locks.list() == []


async def test_nothing_to_wait_for_is_a_claim(room: WaitingRoom) -> None:
    """A free lock, one's own, and free paths are granted at once."""
    assert (await room.wait(ANN, 1)).result().fence == 1
    assert (await room.wait(ANN, 1)).result().fence == 1
    assert (await room.wait_for_paths(ANN, "a")).result().id == 1
    place = Place(ticket="t", wait_ms=100, most=9)
    for issue, who in ((1, ANN), (2, BOB)):
        queued = await room.journal.commit(room.locks.wait(by(who), issue, place))
        assert queued.granted
    assert [lock.holder for lock in await room.locks.list()] == ["ann", "bob"]


async def test_freed_between_claim_and_place_is_granted(room: WaitingRoom) -> None:
    """What was given back after the claim failed is granted instead of waited for."""
    given = await room.paths(ANN, "a")
    wait = room.reservations.wait(by(BOB), Claim(paths=["a"]), Place(ticket="t", wait_ms=9, most=9))
    await room.journal.commit(room.reservations.release(by(ANN), given.id))
    assert (await room.journal.commit(wait)).granted
    assert [one.agent for one in await room.reservations.list()] == ["bob"]


async def test_freed_on_the_way_to_the_queue_is_granted(room: WaitingRoom) -> None:
    """A caller whose claim failed gets what was given back before it had its place."""
    await room.lock(ANN, 1)

    def wait(place: Place) -> Unit[Queued]:
        room.journal.submit(room.locks.release(by(ANN), 1), lambda _settled: None)
        return room.locks.wait(by(BOB), 1, place)

    lock = await room.waiting.claim(
        ("bob", "locks/1"),
        lambda: room.locks.claim(by(BOB), 1),
        wait,
        wait_ms=None,
        notice=lambda _cycle: None,
    )
    assert (lock.holder, lock.fence) == ("bob", 2)


@pytest.mark.parametrize("wait_ms", [0, 5_001])
async def test_wait_has_limits(room: WaitingRoom, wait_ms: int) -> None:
    """A wait of nothing or over the limit is refused."""
    task = await room.wait(ANN, 1, wait_ms=wait_ms)
    with pytest.raises(InvalidRequest, match="from 1 to 5000"):
        task.result()


async def test_queues_have_a_limit(room: WaitingRoom) -> None:
    """One more waiter than there are places is refused."""
    await room.lock(ANN, 1)
    tasks = [await room.wait(Principal(name=f"a{n}"), 1) for n in range(5)]
    with pytest.raises(Conflict, match="4 places in queues are taken"):
        tasks[4].result()
    for task in tasks:
        task.cancel()


async def test_wait_for_no_issue_is_refused(room: WaitingRoom) -> None:
    """There is nothing to wait for; and a wait ends when its issue is deleted."""
    with pytest.raises(NotFound):
        (await room.wait(ANN, 9)).result()
    await room.lock(ANN, 1)
    bob = await room.wait(BOB, 1)
    await room.journal.commit(room.tracker.delete(by(), 1))
    await room.settle()
    with pytest.raises(NotFound):
        bob.result()


async def test_agent_that_waits_twice_is_served_once(room: WaitingRoom) -> None:
    """Two calls of one agent get the same grant; a key runs once."""
    await room.lock(ANN, 1)
    one, two = await room.wait(BOB, 1, key="k"), await room.wait(BOB, 1, key="k")
    cid = await room.wait(CID, 1)
    await room.release(ANN, 1)
    assert one.result() == two.result()
    assert one.result().fence == 2
    assert not cid.done()
    cid.cancel()


async def test_thief_that_waits_stops_waiting(room: WaitingRoom) -> None:
    """A steal ends the thief's own wait; the others wait on, for the thief."""
    await room.lock(ANN, 1)
    bob, cid = await room.wait(BOB, 1), await room.wait(CID, 1)
    await room.journal.commit(room.locks.steal(by(CID), 1, "mine"))
    await room.settle()
    assert cid.result().holder == "cid"
    await room.release(CID, 1)
    assert bob.result().holder == "bob"


async def test_paths_are_handed_over_in_order(room: WaitingRoom) -> None:
    """Readers that come later do not pass a writer that waits; then they share."""
    given = await room.paths(ANN, "src/**", mode="shared")
    writer = await room.wait_for_paths(BOB, "src/a.py")
    reader = await room.wait_for_paths(CID, "src/*", mode="shared")
    with pytest.raises(PathsReserved, match=r"bob has src/a\.py \(exclusive\) next"):
        await room.paths(DEE, "src/**", mode="shared")
    await room.paths(DEE, "docs/**")
    await room.journal.commit(room.reservations.release(by(ANN), given.id))
    await room.settle()
    assert writer.result().paths == ["src/a.py"]
    assert not reader.done()
    await room.journal.commit(room.reservations.release(by(BOB), writer.result().id))
    await room.settle()
    assert reader.result().mode == "shared"


async def test_paths_behind_a_wait_that_ends_are_served(room: WaitingRoom) -> None:
    """When who stood in front gives up, those behind are looked at again."""
    await room.paths(ANN, "src/**", mode="shared")
    writer = await room.wait_for_paths(BOB, "src/a.py")
    reader = await room.wait_for_paths(CID, "src/*", mode="shared")
    writer.cancel()
    await room.settle()
    assert reader.result().agent == "cid"
    writer = await room.wait_for_paths(BOB, "src/a.py", wait_ms=10)
    reader = await room.wait_for_paths(DEE, "src/*", mode="shared")
    room.clock.advance(10)
    await room.paths(DEE, "docs/**")  # a wait whose time has passed is in nobody's way
    await room.pass_time(0)
    assert reader.result().agent == "dee"
    with pytest.raises(PathsReserved):
        writer.result()


async def test_same_paths_twice_are_one_reservation(room: WaitingRoom) -> None:
    """Two calls of one agent with one key that wait get the same reservation."""
    given = await room.paths(ANN, "a")
    one = await room.wait_for_paths(BOB, "a", key="k")
    two = await room.wait_for_paths(BOB, "a", key="k")
    await room.journal.commit(room.reservations.release(by(ANN), given.id))
    await room.settle()
    assert one.result() == two.result()
    assert len(await room.reservations.list()) == 1


async def test_circle_of_two_is_told_to_both(room: WaitingRoom) -> None:
    """Who would close it is refused, who waits is told; the event names the circle."""
    await room.lock(ANN, 1)
    await room.lock(BOB, 2)
    ann = await room.wait(ANN, 2)
    room.told.take()
    bob = await room.wait(BOB, 1)
    with pytest.raises(
        Deadlock, match="bob waits for locks/1 of ann, ann waits for locks/2 of bob"
    ):
        bob.result()
    cycle = [Edge("bob", "locks/1", "ann"), Edge("ann", "locks/2", "bob")]
    assert room.notices == [("ann", cycle)]
    told = {"cycle": msgspec.to_builtins(cycle)}
    assert room.told.take() == [("wait.cycle", told), ("wait.cycle", told)]
    assert not ann.done()
    await room.release(BOB, 2)
    assert ann.result().holder == "ann"


async def test_circle_of_three_with_paths(room: WaitingRoom) -> None:
    """Locks and paths are in one graph, and a place in a queue counts as well."""
    await room.lock(ANN, 1)
    await room.lock(BOB, 2)
    await room.paths(CID, "src/**")
    tasks = [await room.wait(ANN, 2), await room.wait_for_paths(BOB, "**/a.py")]
    cid = await room.wait(CID, 1)
    with pytest.raises(Deadlock):
        cid.result()
    assert sorted(name for name, _ in room.notices) == ["ann", "bob"]
    assert [edge.waits_for for edge in room.notices[0][1]] == ["locks/1", "locks/2", PATHS_TOPIC]
    for task in tasks:
        task.cancel()


async def test_circle_that_a_steal_closes_is_told(room: WaitingRoom) -> None:
    """The steal stands; all in the circle wait, and all are told."""
    await room.lock(ANN, 1)
    await room.lock(BOB, 2)
    await room.lock(CID, 3)
    ann, bob = await room.wait(ANN, 2), await room.wait(BOB, 3)
    assert room.notices == []
    await room.journal.commit(room.locks.steal(by(ANN), 3, "need it"))
    await room.settle()
    assert sorted(name for name, _ in room.notices) == ["ann", "bob"]
    for task in (ann, bob):
        task.cancel()


async def test_start_empties_the_queues_and_bounds_the_leases(room: WaitingRoom) -> None:
    """Nobody waits after a restart; a lease from a clock that was ahead is cut to the longest."""
    await room.lock(ANN, 1)
    await room.paths(ANN, "a")
    bob = await room.wait(BOB, 1)
    room.told.take()
    room.clock.advance(-1_000_000)
    await room.waiting.load(10_000)
    assert room.told.take()[0][1]["reason"] == "restart"
    latest = room.clock.now + 10_000
    assert [lock.expires_at for lock in await room.locks.list()] == [latest]
    assert [one.expires_at for one in await room.reservations.list()] == [latest]
    await room.settle()
    with pytest.raises(LockHeld):
        bob.result()


async def test_clock_waits_for_a_store_that_refuses(
    room: WaitingRoom, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where the end of a wait, or a leave, could not be written, it is done later."""
    await room.lock(ANN, 1)
    bob, cid = await room.wait(BOB, 1), await room.wait(CID, 1)

    def broken(*_: object, **__: object) -> None:
        message = "disk full"
        raise StoreUnavailable(message)

    monkeypatch.setattr(room.waiting, "_end", broken)
    cid.cancel()
    await room.pass_time(1_000)
    assert not bob.done()
    monkeypatch.undo()
    await room.pass_time(0)
    with pytest.raises(LockHeld):
        bob.result()
    assert room.told.kinds().count("wait.ended") == 2
