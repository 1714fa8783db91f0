"""The tracker's verbs: what they change, what they tell, what they refuse."""

from collections.abc import Callable

import pytest
from msgspec.structs import asdict

from hubbub.core.bus import Bus
from hubbub.core.journal import Journal
from hubbub.core.ports import Unit
from hubbub.core.tracker.issue_reads import IssueFilter, IssueReads
from hubbub.core.tracker.issues import Act, Issue, TrackerLimits
from hubbub.core.tracker.locks import Locks
from hubbub.core.tracker.service import CommentDraft, IssueDraft, IssuePatch, Tracker
from hubbub.errors import (
    Forbidden,
    IdempotencyConflict,
    InvalidRequest,
    NotFound,
    StaleFence,
)
from hubbub.storage.sqlite import SqliteStore
from tests.unit.conftest import ManualClock
from tests.unit.core.rooms import ANN, READER, Told, by


LIMITS = TrackerLimits(
    max_title_bytes=10,
    max_description_bytes=10,
    max_comment_bytes=10,
    max_label_bytes=4,
    max_search_bytes=6,
)


@pytest.fixture
def tracker(clock: ManualClock) -> Tracker:
    """Give a tracker with small limits."""
    return Tracker(clock, limits=LIMITS)


@pytest.fixture
def reads(store: SqliteStore) -> IssueReads:
    """Give the reading side."""
    return IssueReads(store, limits=LIMITS)


@pytest.fixture
def told(bus: Bus) -> Told:
    """Give a recorder of what the tracker and locks tell."""
    return Told(bus, "issues/*", "locks/*")


@pytest.fixture
def locks(journal: Journal, store: SqliteStore, clock: ManualClock) -> Locks:
    """Give locks over the same issues."""
    return Locks(journal, store, clock)


async def test_new_issue_is_open_and_told(
    tracker: Tracker, journal: Journal, told: Told, clock: ManualClock
) -> None:
    """An issue begins open, with the fields given and the time of the clock."""
    draft = IssueDraft(title="Fix", description="why", priority="critical")
    issue = await journal.commit(tracker.create(by(), draft))
    assert issue == Issue(
        id=1,
        title="Fix",
        description="why",
        status="open",
        priority="critical",
        parent_id=None,
        created_at=clock.now,
        updated_at=clock.now,
        closed_at=None,
    )
    row = {
        **{name: value for name, value in asdict(issue).items() if name != "description"},
        "labels": [],
        "blocker_count": 0,
        "blockers": [],
    }
    data = {"issue_id": 1, "field": "created", "issue": row, "description": "why"}
    assert told.take() == [("issue.changed", data)]


@pytest.mark.parametrize(
    ("tell", "fields"), [(True, ["subissues", "created"]), (False, ["created"])]
)
async def test_subissue_is_told_of_its_parent_if_asked(
    tracker: Tracker, journal: Journal, told: Told, *, tell: bool, fields: list[str]
) -> None:
    """The parent is told first, and only where the door wants it."""
    await journal.commit(tracker.create(by(), IssueDraft(title="p")))
    told.take()
    draft = IssueDraft(title="c", parent_id=1)
    child = await journal.commit(tracker.create(by(), draft, tell_parent=tell))
    assert (child.id, child.parent_id) == (2, 1)
    assert [data["field"] for _, data in told.take()] == fields


async def test_update_changes_what_is_named(
    tracker: Tracker, journal: Journal, told: Told, clock: ManualClock
) -> None:
    """What is None stays; the time of change moves also for an empty patch."""
    draft = IssueDraft(title="a", description="d", priority="low")
    await journal.commit(tracker.create(by(), draft))
    clock.advance(5)
    await journal.commit(tracker.update(by(), 1, IssuePatch(title="b", description="")))
    clock.advance(5)
    issue = await journal.commit(tracker.update(by(), 1, IssuePatch()))
    assert (issue.title, issue.description, issue.priority) == ("b", "", "low")
    assert issue.updated_at == issue.created_at + 10
    assert [data["field"] for _, data in told.take()] == ["created", "updated", "updated"]


async def test_close_and_reopen(
    tracker: Tracker, journal: Journal, told: Told, clock: ManualClock
) -> None:
    """Closing sets the time each time; reopening takes it away."""
    await journal.commit(tracker.create(by(), IssueDraft(title="a")))
    first = await journal.commit(tracker.close(by(), 1))
    clock.advance(7)
    again = await journal.commit(tracker.close(by(), 1))
    reopened = await journal.commit(tracker.reopen(by(), 1))
    assert (first.status, again.closed_at) == ("closed", clock.now)
    assert (reopened.status, reopened.closed_at) == ("open", None)
    assert [data["field"] for _, data in told.take()] == ["created", "status", "status", "status"]


async def test_delete_takes_everything_below_and_all_locks(
    tracker: Tracker,
    journal: Journal,
    locks: Locks,
    reads: IssueReads,
    told: Told,
) -> None:
    """Subissues at any depth go too; that is told of each, and of what waited for one."""
    depth = 1_200  # deeper than SQLite's triggers go
    for n in range(depth):
        draft = IssueDraft(title="x", parent_id=n or None)
        journal.submit(tracker.create(by(), draft, tell_parent=False), lambda _: None)
    await journal.commit(tracker.create(by(), IssueDraft(title="stays")))
    await journal.commit(tracker.comment(by(), 2, CommentDraft(content="c")))
    await journal.commit(tracker.label(by(), 2, "l"))
    await journal.commit(tracker.block(by(), 2, depth + 1))
    await journal.commit(tracker.create(by(), IssueDraft(title="waits")))
    await journal.commit(tracker.block(by(), depth + 2, 2))
    await journal.commit(tracker.block(by(), depth + 2, 3))
    await journal.commit(locks.claim(by(ANN), 3))
    told.take()

    await journal.commit(tracker.delete(by(), 1))

    assert [issue.title for issue in await reads.list(IssueFilter())] == ["waits", "stays"]
    assert (await reads.get(depth + 1)).blocking == []
    lost, freed, *deleted = told.take()
    assert lost[0] == "lock.lost"
    assert (lost[1]["issue_id"], lost[1]["agent"]) == (3, "ann")
    assert lost[1]["reason"] == "issue deleted"
    assert (freed[1]["issue_id"], freed[1]["field"]) == (depth + 2, "blockers")
    assert (freed[1]["issue"]["blockers"], freed[1]["issue"]["blocker_count"]) == ([], 0)
    gone = {"field": "deleted", "issue": None}
    order = [*range(2, depth + 1), 1]
    assert deleted == [("issue.changed", {"issue_id": number, **gone}) for number in order]
    after = await journal.commit(tracker.create(by(), IssueDraft(title="new")))
    assert after.id == depth + 3, "the number of a deleted issue was used again"


async def test_comments_keep_their_order_and_author(
    tracker: Tracker, journal: Journal, reads: IssueReads, clock: ManualClock
) -> None:
    """Comments come oldest first, with who wrote them."""
    await journal.commit(tracker.create(by(), IssueDraft(title="a")))
    await journal.commit(tracker.comment(by(ANN), 1, CommentDraft(content="x", kind="plan")))
    draft = CommentDraft(
        content="y", kind="intervention", trigger_type="redo", intervention_context="ctx"
    )
    await journal.commit(tracker.comment(by(), 1, draft))
    one, two = await reads.comments(1)
    assert (one.content, one.kind, one.author) == ("x", "plan", "agent:ann")
    assert (one.trigger_type, one.created_at) == (None, clock.now)
    assert (two.trigger_type, two.intervention_context) == ("redo", "ctx")
    with pytest.raises(NotFound):
        await reads.comments(9)


async def test_labels_are_a_set(
    tracker: Tracker, journal: Journal, reads: IssueReads, told: Told
) -> None:
    """A label twice is there once, told twice; one that is not there cannot be removed."""
    await journal.commit(tracker.create(by(), IssueDraft(title="a")))
    for label in ("b", "a", "b"):
        await journal.commit(tracker.label(by(), 1, label))
    assert (await reads.get(1)).labels == ["a", "b"]
    await journal.commit(tracker.unlabel(by(), 1, "b"))
    told.take()
    with pytest.raises(NotFound, match="label b not found"):
        await journal.commit(tracker.unlabel(by(), 1, "b"))
    assert told.take() == []


async def test_blockers_make_issues_blocked_or_ready(
    tracker: Tracker, journal: Journal, reads: IssueReads, told: Told
) -> None:
    """An open issue is blocked while a blocker is open; a closed blocker counts but lets go."""
    for title in ("a", "b", "c"):
        await journal.commit(tracker.create(by(), IssueDraft(title=title)))
    await journal.commit(tracker.block(by(), 1, 2))
    await journal.commit(tracker.block(by(), 1, 2))
    assert [issue.id for issue in await reads.blocked()] == [1]
    assert [issue.id for issue in await reads.ready()] == [2, 3]
    detail = await reads.get(1)
    assert (detail.blockers, (await reads.get(2)).blocking) == ([2], [1])

    await journal.commit(tracker.close(by(), 2))
    assert await reads.blocked() == []
    assert [issue.id for issue in await reads.ready()] == [1, 3]
    assert {row.id: row.blocker_count for row in await reads.list(IssueFilter())}[1] == 1

    await journal.commit(tracker.unblock(by(), 1, 2))
    assert (await reads.get(1)).blockers == []
    fields = [data["field"] for _, data in told.take()]
    assert fields[3:] == ["blockers", "blockers", "status", "blockers"]


async def test_circles_of_blockers_are_refused(
    tracker: Tracker, journal: Journal, reads: IssueReads
) -> None:
    """No issue may wait for itself, directly or through others."""
    for title in ("a", "b", "c"):
        await journal.commit(tracker.create(by(), IssueDraft(title=title)))
    await journal.commit(tracker.block(by(), 1, 2))
    await journal.commit(tracker.block(by(), 2, 3))
    with pytest.raises(InvalidRequest, match="cannot block itself"):
        await journal.commit(tracker.block(by(), 1, 1))
    with pytest.raises(InvalidRequest, match="circular"):
        await journal.commit(tracker.block(by(), 3, 1))
    assert (await reads.get(3)).blockers == []
    await journal.commit(tracker.block(by(), 1, 3))


Verb = Callable[[Tracker, Act], Unit[object]]

ON_NOTHING: dict[str, Verb] = {
    "update": lambda t, act: t.update(act, 9, IssuePatch()),
    "close": lambda t, act: t.close(act, 9),
    "reopen": lambda t, act: t.reopen(act, 9),
    "delete": lambda t, act: t.delete(act, 9),
    "comment": lambda t, act: t.comment(act, 9, CommentDraft(content="x")),
    "label": lambda t, act: t.label(act, 9, "x"),
    "unlabel": lambda t, act: t.unlabel(act, 9, "x"),
    "block": lambda t, act: t.block(act, 9, 1),
    "block by nothing": lambda t, act: t.block(act, 1, 9),
    "unblock": lambda t, act: t.unblock(act, 1, 9),
    "unblock by no number": lambda t, act: t.unblock(act, 1, 2**70),
    "parent": lambda t, act: t.create(act, IssueDraft(title="x", parent_id=9)),
    "no number": lambda t, act: t.close(act, 2**63),
    "zero": lambda t, act: t.close(act, 0),
}


@pytest.mark.parametrize("verb", list(ON_NOTHING))
async def test_what_does_not_exist_is_not_found(
    tracker: Tracker, journal: Journal, told: Told, verb: str
) -> None:
    """Every verb on an issue that is not there is refused and leaves nothing."""
    await journal.commit(tracker.create(by(), IssueDraft(title="a")))
    told.take()
    with pytest.raises(NotFound):
        await journal.commit(ON_NOTHING[verb](tracker, by()))
    assert told.take() == []


TOO_LONG: dict[str, Verb] = {
    "title": lambda t, act: t.create(act, IssueDraft(title="é" * 6)),
    "description": lambda t, act: t.create(act, IssueDraft(title="x", description="d" * 11)),
    "new title": lambda t, act: t.update(act, 1, IssuePatch(title="t" * 11)),
    "content": lambda t, act: t.comment(act, 1, CommentDraft(content="c" * 11)),
    "context": lambda t, act: t.comment(
        act, 1, CommentDraft(content="c", intervention_context="c" * 11)
    ),
    "trigger_type": lambda t, act: t.comment(
        act, 1, CommentDraft(content="c", trigger_type="c" * 5)
    ),
    "label": lambda t, act: t.label(act, 1, "l" * 5),
    "intervention": lambda t, act: t.comment(
        act, 1, CommentDraft(content="c", kind="intervention")
    ),
}


@pytest.mark.parametrize("field", list(TOO_LONG))
async def test_texts_over_their_limit_are_refused(tracker: Tracker, field: str) -> None:
    """Each text has its limit, in bytes; an intervention must name its trigger."""
    with pytest.raises(InvalidRequest, match=field.rsplit(" ", maxsplit=1)[-1]):
        TOO_LONG[field](tracker, by())


async def test_texts_at_their_limit_are_taken(tracker: Tracker, journal: Journal) -> None:
    """The limit itself is not over the limit."""
    draft = IssueDraft(title="é" * 5, description="d" * 10)
    assert (await journal.commit(tracker.create(by(), draft))).title == "é" * 5
    await journal.commit(tracker.label(by(), 1, "l" * 4))


async def test_retry_gives_the_first_answer(tracker: Tracker, journal: Journal, told: Told) -> None:
    """The same key and request change nothing the second time; another request conflicts."""
    draft = IssueDraft(title="a")
    first = await journal.commit(tracker.create(by(key="k"), draft))
    again = await journal.commit(tracker.create(by(key="k"), draft))
    assert again == first
    assert told.kinds() == ["issue.changed"]
    with pytest.raises(IdempotencyConflict):
        await journal.commit(tracker.create(by(key="k"), IssueDraft(title="b")))
    with pytest.raises(IdempotencyConflict):
        await journal.commit(tracker.close(by(key="k"), 1))


async def test_stale_fence_is_refused(
    tracker: Tracker, journal: Journal, locks: Locks, told: Told
) -> None:
    """A write under a lock passes while the lock is held, and leaves nothing afterwards."""
    await journal.commit(tracker.create(by(), IssueDraft(title="a")))
    lock = await journal.commit(locks.claim(by(ANN), 1))
    await journal.commit(tracker.close(by(ANN, fence=lock.fence), 1))
    await journal.commit(locks.release(by(ANN), 1))
    told.take()
    with pytest.raises(StaleFence):
        await journal.commit(tracker.reopen(by(ANN, fence=lock.fence), 1))
    draft = IssueDraft(title="c", parent_id=1)
    with pytest.raises(StaleFence):
        await journal.commit(tracker.create(by(ANN, fence=lock.fence), draft))
    assert told.take() == []
    await journal.commit(tracker.reopen(by(ANN), 1))


async def test_reader_may_not_write(tracker: Tracker) -> None:
    """Without the scope to write nothing is begun."""
    with pytest.raises(Forbidden):
        tracker.close(by(READER), 1)


async def test_number_of_a_deleted_comment_is_not_given_again(
    tracker: Tracker, journal: Journal
) -> None:
    """A comment that went with its issue leaves its number behind, also where none is left."""
    for expected in (1, 2, 3):
        issue = await journal.commit(tracker.create(by(), IssueDraft(title="a")))
        unit = tracker.comment(by(), issue.id, CommentDraft(content="c"))
        assert (await journal.commit(unit)).id == expected
        await journal.commit(tracker.delete(by(), issue.id))
