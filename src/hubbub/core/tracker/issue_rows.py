"""Issues as the room shows them, and what is told of a change: the row as it is after it."""

import msgspec
from msgspec.structs import asdict

from hubbub.core.ports import Row
from hubbub.core.tracker.issues import Comment, Issue, IssueStatus, Priority


class IssueRow(msgspec.Struct, frozen=True, kw_only=True):
    """An issue in the room: a listed one without its description, with what blocks it."""

    id: int
    title: str
    status: IssueStatus
    priority: Priority
    parent_id: int | None
    created_at: int
    """Unix milliseconds, as all times here."""
    updated_at: int
    closed_at: int | None
    labels: list[str]
    """Sorted."""
    blocker_count: int
    """All blockers, closed ones too."""
    blockers: list[int]
    """The issues that block this one, by number."""


class IssueChanged(msgspec.Struct, frozen=True, kw_only=True):
    """Data of ``issue.changed``."""

    issue_id: int
    field: str
    issue: IssueRow | None
    """As it is after the change; ``None``: it is deleted."""
    description: str | msgspec.UnsetType | None = msgspec.UNSET
    """Where the change was one of it, or the issue is new."""
    comment: Comment | msgspec.UnsetType = msgspec.UNSET
    """The new comment, where there is one."""


def issue_row_of(row: Row) -> IssueRow:
    """Make an issue of the columns of ``issue_row``, or of a write that gives as many."""
    number, title, _, status, priority, parent_id, *times, labels, blockers = row
    numbers = sorted(msgspec.json.decode(blockers, type=list[int]))
    return IssueRow(
        id=number,
        title=title,
        status=status,
        priority=priority,
        parent_id=parent_id,
        created_at=times[0],
        updated_at=times[1],
        closed_at=times[2],
        labels=sorted(msgspec.json.decode(labels, type=list[str])),
        blocker_count=len(numbers),
        blockers=numbers,
    )


def new_row(issue: Issue) -> IssueRow:
    """Give the row of an issue that has nothing hanging on it yet."""
    fields = asdict(issue)
    del fields["description"]
    return IssueRow(**fields, labels=[], blocker_count=0, blockers=[])
