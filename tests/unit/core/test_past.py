"""The room, a run and an issue, now and at a place of the journal."""

import pytest

from hubbub.core.bus import Bus
from hubbub.core.identity.presence import Presence, PresenceRules
from hubbub.core.journal import Journal
from hubbub.core.past.room import Room
from hubbub.core.past.service import Past
from hubbub.core.runs.outcomes import Outcome
from hubbub.core.runs.run import StartRun
from hubbub.core.runs.service import Runs
from hubbub.core.runs.trace import Turn
from hubbub.core.tracker.issue_reads import IssueReads
from hubbub.core.tracker.issues import Act
from hubbub.core.tracker.locks import Locks
from hubbub.core.tracker.reservations import Claim, Reservations
from hubbub.core.tracker.service import CommentDraft, IssueDraft, IssuePatch, Tracker
from hubbub.core.tracker.waiting import Waiting
from hubbub.core.tracker.waits import Place
from hubbub.core.values import Position, uuid7
from hubbub.errors import InvalidRequest, NotFound
from hubbub.storage.sqlite import SqliteStore
from tests.unit.conftest import ManualClock
from tests.unit.core.rooms import ANN, BOB, by


@pytest.fixture
def past(journal: Journal, store: SqliteStore) -> Past:
    """Give the past of a store."""
    return Past(journal, store)


@pytest.fixture
def tracker(clock: ManualClock) -> Tracker:
    """Give a tracker."""
    return Tracker(clock)


@pytest.fixture
def runs(journal: Journal, store: SqliteStore, bus: Bus, clock: ManualClock) -> Runs:
    """Give runs."""
    return Runs(journal, store, bus, clock, uuid7)


async def same(past: Past) -> Room:
    """Give the room as it is, which must be what the journal says of its position."""
    now = await past.room()
    assert await past.room(now.position) == now
    return now


async def test_empty_room_has_no_time(past: Past) -> None:
    """Before the first event there is nothing, also when that is asked for later."""
    room = await same(past)
    assert (room.position.seq, room.at, room.issues, room.agents) == (0, None, [], [])


async def test_agents_come_go_and_are_forgotten(
    past: Past, journal: Journal, store: SqliteStore, bus: Bus, clock: ManualClock
) -> None:
    """Status and connections through each door; nobody of whom no event has told."""
    presence = Presence(journal, store, bus, clock, rules=PresenceRules(max_agents=2))
    presence.heard("cid", "x0x")
    one, two = presence.attach("ann", "car"), presence.attach("ann", "car")
    presence.attach("ann", "hubbub")
    presence.heard("bob", "")
    await journal.settled()
    room = await same(past)
    agents = [(one.agent, one.status, one.doors) for one in room.agents]
    assert agents == [("ann", "active", {"car": 2, "hubbub": 1}), ("bob", "active", {})]
    one.detach()
    two.detach()
    await journal.settled()
    assert (await same(past)).agents[0].doors == {"hubbub": 1}
    assert room == await past.room(room.position)


async def test_agent_is_seen_from_its_first_event_on(
    past: Past, journal: Journal, store: SqliteStore, bus: Bus, clock: ManualClock
) -> None:
    """What is stored of it before, because it was heard, is in no view of the room."""
    Presence(journal, store, bus, clock).heard("ann", "")
    rooms = [await past.room()]
    await journal.settled()
    for room in (*rooms, await past.room()):
        assert len(room.agents) == room.position.seq


async def test_runs_are_as_far_as_they_were(
    past: Past, runs: Runs, journal: Journal, clock: ManualClock
) -> None:
    """Begun, with turns, ended: in the order of their starts, and each with its trace."""
    await journal.commit(lambda tx: tx.append("t", "k", 1, actor="a"))
    await runs.load()
    start = StartRun(agent="ann", intent="x", client="c", source="rpc", on_disconnect="continue")
    one = await runs.start(ANN, start)
    begun = await same(past)
    clock.advance(-1)
    two = await runs.start(ANN, start)
    await runs.record_turns(ANN, one.run_id, [Turn(prompt="a"), Turn(prompt="b")])
    turned = await same(past)
    await runs.complete(ANN, one.run_id, Outcome(status="success"))
    ended = await same(past)

    assert [run.run_id for run in ended.runs] == [two.run_id, one.run_id]
    counts = [(room.runs[-1].turn_count, room.runs[-1].status) for room in (begun, turned, ended)]
    assert counts == [(0, "in_progress"), (2, "in_progress"), (2, "completed")]
    assert await past.room(begun.position) == begun
    then = await past.trace(one.run_id, turned.position)
    assert (then.run, then.seq) == (turned.runs[-1], turned.position.seq)
    assert bytes(then.turns).count(b"prompt") == 2
    assert bytes((await past.trace(one.run_id, begun.position)).turns) == b"[]"
    with pytest.raises(NotFound):
        await past.trace(two.run_id, begun.position)


async def test_work_is_as_it_was(
    past: Past, tracker: Tracker, journal: Journal, store: SqliteStore, clock: ManualClock
) -> None:
    """Issues, locks and reservations: there while they were held, with all they then had."""
    locks, reservations = Locks(journal, store, clock), Reservations(journal, store, clock)
    for title in ("one", "two", "three"):
        await journal.commit(tracker.create(by(), IssueDraft(title=title)))
    await journal.commit(tracker.block(by(), 1, 2))
    await journal.commit(tracker.label(by(), 1, "z"))
    await journal.commit(tracker.label(by(), 1, "a"))
    await journal.commit(locks.claim(by(ANN), 2))
    await journal.commit(locks.claim(by(ANN), 1))
    clock.advance(5)
    await journal.commit(locks.renew(by(ANN), 1))
    first = await journal.commit(reservations.claim(by(ANN), Claim(paths=["b", "a"])))
    await journal.commit(reservations.claim(by(ANN), Claim(paths=["c"])))
    await journal.commit(reservations.renew(by(ANN), first.id, lease_ms=9))
    held = await same(past)
    assert [lock.issue_id for lock in held.locks] == [1, 2]
    assert [one.id for one in held.reservations] == [1, 2]
    assert (held.issues[-1].labels, held.issues[-1].blockers) == (["a", "z"], [2])

    await journal.commit(locks.release(by(ANN), 1))
    await journal.commit(reservations.release(by(ANN), 1))
    await journal.commit(tracker.delete(by(), 2))
    after = await same(past)
    assert ([issue.id for issue in after.issues], after.issues[-1].blockers) == ([3, 1], [])
    assert (after.locks, [one.id for one in after.reservations]) == ([], [2])
    assert await past.room(held.position) == held


async def test_leases_that_a_start_cuts_are_told(
    past: Past, journal: Journal, store: SqliteStore, bus: Bus, clock: ManualClock
) -> None:
    """A daemon whose clock was set back shortens what is held, and says so; the rest stays."""
    await journal.commit(Tracker(clock).create(by(), IssueDraft(title="x")))
    locks, reservations = Locks(journal, store, clock), Reservations(journal, store, clock)
    await journal.commit(locks.claim(by(ANN), 1, lease_ms=2_000))
    for lease_ms in (500, 2_000):
        claim = Claim(paths=[str(lease_ms)], lease_ms=lease_ms)
        await journal.commit(reservations.claim(by(ANN), claim))
    await Waiting(journal, bus, clock, uuid7).load(1_000)
    room = await same(past)
    assert [one.expires_at - clock.now for one in room.locks] == [1_000]
    assert [one.expires_at - clock.now for one in room.reservations] == [500, 1_000]


async def test_waits_are_there_while_they_last(
    past: Past, tracker: Tracker, journal: Journal, store: SqliteStore, clock: ManualClock
) -> None:
    """In the order in which they began, for locks and for paths, with who held it then."""
    locks, reservations = Locks(journal, store, clock), Reservations(journal, store, clock)
    await journal.commit(tracker.create(by(), IssueDraft(title="x")))
    await journal.commit(locks.claim(by(ANN), 1))
    held = await journal.commit(reservations.claim(by(ANN), Claim(paths=["a"])))
    place = Place(ticket="t1", wait_ms=1_000, most=9)
    await journal.commit(reservations.wait(by(BOB), Claim(paths=["a"]), place))
    place = Place(ticket="t2", wait_ms=1_000, most=9)
    await journal.commit(locks.wait(by(BOB), 1, place))
    waiting = await same(past)
    assert [(one.ticket, one.waits_for, one.held_by) for one in waiting.waits] == [
        ("t1", "reservations/waiting", ["ann"]),
        ("t2", "locks/1", ["ann"]),
    ]
    await journal.commit(locks.release(by(ANN), 1))
    await journal.commit(reservations.release(by(ANN), held.id))
    assert (await same(past)).waits == []
    assert (await past.room(waiting.position)).waits == waiting.waits


async def test_issue_is_as_it_was(past: Past, tracker: Tracker, journal: Journal) -> None:
    """Texts, comments, labels, what it blocked and what was below it, each as of then."""

    async def at() -> Position:
        return (await past.room()).position

    async def do(make: object) -> Position:
        await journal.commit(make)  # type: ignore[arg-type]  # any unit will do
        return await at()

    one: Act = by()
    before = await at()
    await do(tracker.create(one, IssueDraft(title="a", description="why")))
    new = await do(tracker.create(one, IssueDraft(title="b", description="below", parent_id=1)))
    await do(tracker.comment(one, 1, CommentDraft(content="hm")))
    await do(tracker.block(one, 2, 1))
    await do(tracker.update(one, 1, IssuePatch(title="c")))
    said = await do(tracker.update(one, 2, IssuePatch(description="deep")))
    gone = await do(tracker.delete(one, 1))

    first = await past.issue(1, new)
    assert (first.title, first.description, first.comments) == ("a", "why", [])
    assert [(below.id, below.description) for below in first.subissues] == [(2, "below")]
    later = await past.issue(1, said)
    assert (later.title, later.description, later.blocking) == ("c", "why", [2])
    assert [comment.content for comment in later.comments] == ["hm"]
    assert [(below.id, below.description) for below in later.subissues] == [(2, "deep")]
    for number, place in ((1, before), (1, gone), (2, gone), (3, gone)):
        with pytest.raises(NotFound):
            await past.issue(number, place)


async def test_live_issue_and_past_issue_are_the_same(
    past: Past, tracker: Tracker, journal: Journal, store: SqliteStore
) -> None:
    """Field by field, with everything that hangs on it."""
    for draft in (IssueDraft(title="a"), IssueDraft(title="b", parent_id=1)):
        await journal.commit(tracker.create(by(), draft))
    await journal.commit(tracker.block(by(), 1, 2))
    await journal.commit(tracker.comment(by(), 1, CommentDraft(content="x", kind="plan")))
    place = (await past.room()).position
    for number in (1, 2):
        assert await past.issue(number, place) == await IssueReads(store).get(number)


async def test_places_that_are_none_are_refused(past: Past, store: SqliteStore) -> None:
    """Another journal, the future and what is below zero: the text says which."""
    for at, why in (
        (Position("other", 0), "another journal"),
        (Position(store.epoch, 1), "from 0 to 0"),
        (Position(store.epoch, -1), "no position -1"),
    ):
        with pytest.raises(InvalidRequest, match=why):
            await past.room(at)


async def test_who_reads_ahead_waits_for_the_house(
    past: Past, journal: Journal, store: SqliteStore
) -> None:
    """A position that is given has been told to subscribers by then."""
    journal.submit(lambda tx: tx.append("t", "k", 1, actor="a"), lambda _: None)
    while not store.last_seq():
        pass  # the loop has not heard of the commit: it does not run
    room = await past.room()
    assert (room.position.seq, journal.position.seq) == (1, 1)


async def test_room_in_memory_is_the_same(clock: ManualClock) -> None:
    """A store without a file reads between its units: rows and position belong together."""
    store = SqliteStore(None, clock=clock, ids=uuid7, crash=lambda _: None)
    journal, tracker = Journal(store, Bus(store), crash=lambda _: None), Tracker(clock)
    store.start()
    past = Past(journal, store)
    for number in range(20):
        journal.submit(tracker.create(by(), IssueDraft(title=str(number))), lambda _: None)
    early = await past.room()
    await journal.settled()
    late = await same(past)
    assert (len(early.issues), len(late.issues)) == (early.position.seq, late.position.seq)
    assert await past.room(early.position) == early
    store.close()
