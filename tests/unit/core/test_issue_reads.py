"""Lists and search."""

import pytest

from hubbub.core.journal import Journal
from hubbub.core.tracker.issue_reads import IssueFilter, IssueReads
from hubbub.core.tracker.issues import TrackerLimits
from hubbub.core.tracker.service import CommentDraft, IssueDraft, Tracker
from hubbub.errors import InvalidRequest, NotFound
from hubbub.storage.sqlite import SqliteStore
from tests.unit.conftest import ManualClock
from tests.unit.core.rooms import by


@pytest.fixture
async def reads(store: SqliteStore, journal: Journal, clock: ManualClock) -> IssueReads:
    """Give the reading side of a tracker with four issues."""
    tracker = Tracker(clock)
    drafts = [
        IssueDraft(title="Crash at start", priority="high"),
        IssueDraft(title="100% wrong", description="a_b \\ c"),
        IssueDraft(title="below", parent_id=1, priority="low"),
        IssueDraft(title="quiet"),
    ]
    for draft in drafts:
        await journal.commit(tracker.create(by(), draft))
    await journal.commit(tracker.comment(by(), 4, CommentDraft(content="Also CRASHes")))
    await journal.commit(tracker.label(by(), 3, "bug"))
    await journal.commit(tracker.label(by(), 3, "a"))
    await journal.commit(tracker.close(by(), 2))
    return IssueReads(store, limits=TrackerLimits(max_search_bytes=6))


@pytest.mark.parametrize(
    ("wanted", "numbers"),
    [
        (IssueFilter(), [4, 3, 2, 1]),
        (IssueFilter(status="open"), [4, 3, 1]),
        (IssueFilter(status="closed"), [2]),
        (IssueFilter(status="archived"), []),
        (IssueFilter(priority="high"), [1]),
        (IssueFilter(priority="unheard of"), []),
        (IssueFilter(label="bug"), [3]),
        (IssueFilter(label="bu"), []),
        (IssueFilter(parent_id=1), [3]),
        (IssueFilter(parent_id=2**80), []),
        (IssueFilter(search="crash"), [4, 1]),
        (IssueFilter(search="0% W"), [2]),
        (IssueFilter(search="%"), [2]),
        (IssueFilter(search="_"), [2]),
        (IssueFilter(search="\\"), [2]),
        (IssueFilter(search="\0"), []),
        (IssueFilter(search="crash", status="open", priority="high"), [1]),
        (IssueFilter(search=""), [4, 3, 2, 1]),
    ],
    ids=repr,
)
async def test_list(reads: IssueReads, wanted: IssueFilter, numbers: list[int]) -> None:
    """Newest first; every filter narrows the list; wildcards are plain characters."""
    assert [issue.id for issue in await reads.list(wanted)] == numbers


def test_limits_must_let_something_through() -> None:
    """A limit of nothing is refused when the settings are read."""
    with pytest.raises(ValueError, match="max_label_bytes must be over 0"):
        TrackerLimits(max_label_bytes=0)


async def test_search_text_has_a_limit(reads: IssueReads) -> None:
    """A text over the limit is refused."""
    with pytest.raises(InvalidRequest, match="search is longer than 6 bytes"):
        await reads.list(IssueFilter(search="1234567"))


async def test_detail_shows_all_that_hangs_on_an_issue(reads: IssueReads) -> None:
    """Subissues, labels and comments stand with the issue."""
    detail = await reads.get(1)
    assert [issue.title for issue in detail.subissues] == ["below"]
    assert (await reads.get(3)).labels == ["a", "bug"]
    (comment,) = (await reads.get(4)).comments
    assert comment.content == "Also CRASHes"


@pytest.mark.parametrize("number", [0, -1, 9, 2**63])
async def test_unknown_number_is_not_found(reads: IssueReads, number: int) -> None:
    """A number without an issue, or that can have none, is not found."""
    with pytest.raises(NotFound):
        await reads.get(number)
