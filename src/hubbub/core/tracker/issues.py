"""What an issue is: values, limits and checks of the tracker."""

from typing import Literal, TypeVar

import msgspec

from hubbub.core.idempotency import digest, once
from hubbub.core.limits import check_positive
from hubbub.core.ports import Row, Transaction, Unit
from hubbub.core.values import Clock, Principal
from hubbub.errors import InvalidRequest, NotFound


T = TypeVar("T")

IssueStatus = Literal["open", "closed", "archived"]
Priority = Literal["low", "medium", "high", "critical"]
CommentKind = Literal[
    "note",
    "plan",
    "decision",
    "observation",
    "blocker",
    "resolution",
    "result",
    "handoff",
    "human",
    "intervention",
    "system",
]

MAX_NUMBER = 2**63 - 1
"""Highest issue number that a store can hold."""


class TrackerLimits(msgspec.Struct, frozen=True, kw_only=True):
    """The section ``[tracker]``; sizes of texts in UTF-8."""

    max_title_bytes: int = 512
    """Bytes of an issue's title at most."""
    max_description_bytes: int = 65_536
    """Bytes of an issue's description at most."""
    max_comment_bytes: int = 1_048_576
    """Bytes of a comment, and of the context of an intervention, at most."""
    max_label_bytes: int = 128
    """Bytes of a label, and of the trigger of an intervention, at most."""
    max_search_bytes: int = 4096
    """Bytes of a text to search for at most."""

    def __post_init__(self) -> None:
        """Check that every text may be of one byte at least.

        Raises:
            ValueError: One may not.
        """
        check_positive(self)


class Issue(msgspec.Struct, frozen=True, kw_only=True):
    """One issue; times are Unix milliseconds."""

    id: int
    title: str
    description: str | None
    status: IssueStatus
    priority: Priority
    parent_id: int | None
    created_at: int
    updated_at: int
    closed_at: int | None


class ListedIssue(Issue, frozen=True, kw_only=True):
    """An issue as a list shows it."""

    labels: list[str]
    """Sorted."""
    blocker_count: int
    """All blockers, closed ones too."""


class Comment(msgspec.Struct, frozen=True, kw_only=True):
    """One comment on an issue."""

    id: int
    issue_id: int
    content: str
    kind: CommentKind
    author: str
    """Id of the principal that wrote it."""
    trigger_type: str | None
    """What made a person intervene; only with kind ``intervention``."""
    intervention_context: str | None
    created_at: int
    """Unix milliseconds."""


class IssueDetail(Issue, frozen=True, kw_only=True):
    """An issue with everything that hangs on it."""

    labels: list[str]
    comments: list[Comment]
    """Oldest first."""
    blockers: list[int]
    """Issues that block this one."""
    blocking: list[int]
    """Issues that this one blocks."""
    subissues: list[Issue]


class Act(msgspec.Struct, frozen=True, kw_only=True):
    """Who asks for a change, and under which conditions."""

    caller: Principal
    key: str | None = None
    """Idempotency key."""
    fence: int | None = None
    """Number of the lock grant under which the issue is written; ``None``: under none."""

    def once(
        self, unit: Unit[T], result: type[T], verb: str, *parts: object, clock: Clock
    ) -> Unit[T]:
        """Make a unit of a caller who may write, run once per key.

        Args:
            parts: With verb and fence all that decides the unit's effect.

        Raises:
            Forbidden: The caller lacks the scope ``write``.
        """
        self.caller.require("write")
        if self.key is None:
            return unit
        request = digest(verb, msgspec.json.encode((self.fence, *parts)))
        return once(
            unit, caller=self.caller, key=self.key, request=request, result=result, clock=clock
        )


def issue_of(row: Row) -> Issue:
    """Make an issue of the first nine columns of a row."""
    return Issue(**dict(zip(Issue.__struct_fields__, row, strict=False)))


def listed_of(row: Row) -> ListedIssue:
    """Make an issue of a row of ``issue_list``."""
    labels = sorted(msgspec.json.decode(row[9], type=list[str]))
    fields = dict(zip(Issue.__struct_fields__, row, strict=False))
    return ListedIssue(**fields, labels=labels, blocker_count=row[10])


def comment_of(row: Row) -> Comment:
    """Make a comment of a row."""
    return Comment(**dict(zip(Comment.__struct_fields__, row, strict=True)))


def check_exists(tx: Transaction, issue_id: int, what: str = "issue") -> None:
    """Check inside a unit that there is an issue of a number.

    Raises:
        NotFound: There is none.
    """
    if tx.row("issue_exists", id=checked_number(issue_id, what)) is None:
        raise NotFound(what, issue_id)


def checked_number(issue_id: int, what: str = "issue") -> int:
    """Give an issue's number back if there can be one of that number.

    Raises:
        NotFound: There cannot: it is below 1 or too large for the store.
    """
    if not 0 < issue_id <= MAX_NUMBER:
        raise NotFound(what, issue_id)
    return issue_id


def check_size(what: str, text: str | None, max_bytes: int) -> None:
    """Check the length of a text.

    Raises:
        InvalidRequest: It is longer than the limit.
    """
    if text is not None and len(text.encode()) > max_bytes:
        message = f"{what} is longer than {max_bytes} bytes"
        raise InvalidRequest(message)
