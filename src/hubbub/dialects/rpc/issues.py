"""``issues.*``: the tracker."""

from typing import Literal

import msgspec

from hubbub.core.tracker.issue_reads import IssueFilter
from hubbub.core.tracker.issues import (
    Act,
    Comment,
    CommentKind,
    Issue,
    IssueDetail,
    IssueStatus,
    ListedIssue,
    Priority,
)
from hubbub.core.tracker.service import CommentDraft, Done, IssueDraft, IssuePatch
from hubbub.core.values import Position
from hubbub.dialects.calls import Reply, answered
from hubbub.dialects.rpc.answers import submitted
from hubbub.dialects.rpc.methods import Caller, Change, Empty, Method
from hubbub.dialects.rpc.topics import position_of


class Write(Change, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What every writing method takes."""

    fence: int | None = None
    """Number of the lock grant under which this is written; a stale one is refused."""


class Create(Write, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Parameters of ``issues.create``."""

    title: str
    description: str | None = None
    priority: Priority = "medium"
    parent_id: int | None = None


class Filter(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Parameters of ``issues.list``."""

    status: IssueStatus | Literal["all"] | None = None
    label: str | None = None
    priority: Priority | None = None
    search: str | None = None
    parent_id: int | None = None


class Get(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Parameters of ``issues.get``."""

    id: int
    at: Position | str | None = None
    """A position or a cursor: as it was then; left out: as it is now."""


class Update(Write, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Parameters of ``issues.update``."""

    id: int
    title: str | None = None
    description: str | None = None
    priority: Priority | None = None


class One(Write, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Parameters of the methods that need only the issue."""

    id: int


class NewComment(Write, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Parameters of ``issues.comment``."""

    id: int
    content: str
    kind: CommentKind = "note"
    trigger_type: str | None = None
    intervention_context: str | None = None


class Label(Write, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Parameters of ``issues.label`` and ``issues.unlabel``."""

    id: int
    label: str


class Block(Write, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Parameters of ``issues.block`` and ``issues.unblock``."""

    id: int
    blocker_id: int


class ListedIssues(msgspec.Struct, frozen=True):
    """Result of ``issues.list``."""

    issues: list[ListedIssue]


class Issues(msgspec.Struct, frozen=True):
    """Result of ``issues.ready`` and ``issues.blocked``."""

    issues: list[Issue]


def _act(caller: Caller, params: Write) -> Act:
    return Act(caller=caller.principal, key=params.idempotency_key, fence=params.fence)


def create(caller: Caller, params: Create, reply: Reply) -> None:
    """Open an issue."""
    draft = IssueDraft(
        title=params.title,
        description=params.description,
        priority=params.priority,
        parent_id=params.parent_id,
    )
    submitted(caller, caller.hub.tracker.create(_act(caller, params), draft), reply)


def update(caller: Caller, params: Update, reply: Reply) -> None:
    """Change an issue."""
    patch = IssuePatch(title=params.title, description=params.description, priority=params.priority)
    submitted(caller, caller.hub.tracker.update(_act(caller, params), params.id, patch), reply)


def close(caller: Caller, params: One, reply: Reply) -> None:
    """Close an issue."""
    submitted(caller, caller.hub.tracker.close(_act(caller, params), params.id), reply)


def reopen(caller: Caller, params: One, reply: Reply) -> None:
    """Open an issue again."""
    submitted(caller, caller.hub.tracker.reopen(_act(caller, params), params.id), reply)


def delete(caller: Caller, params: One, reply: Reply) -> None:
    """Remove an issue."""
    submitted(caller, caller.hub.tracker.delete(_act(caller, params), params.id), reply)


def comment(caller: Caller, params: NewComment, reply: Reply) -> None:
    """Comment on an issue."""
    draft = CommentDraft(
        content=params.content,
        kind=params.kind,
        trigger_type=params.trigger_type,
        intervention_context=params.intervention_context,
    )
    submitted(caller, caller.hub.tracker.comment(_act(caller, params), params.id, draft), reply)


def label(caller: Caller, params: Label, reply: Reply) -> None:
    """Label an issue."""
    unit = caller.hub.tracker.label(_act(caller, params), params.id, params.label)
    submitted(caller, unit, reply)


def unlabel(caller: Caller, params: Label, reply: Reply) -> None:
    """Take a label off an issue."""
    unit = caller.hub.tracker.unlabel(_act(caller, params), params.id, params.label)
    submitted(caller, unit, reply)


def block(caller: Caller, params: Block, reply: Reply) -> None:
    """Let an issue wait for another."""
    unit = caller.hub.tracker.block(_act(caller, params), params.id, params.blocker_id)
    submitted(caller, unit, reply)


def unblock(caller: Caller, params: Block, reply: Reply) -> None:
    """Let an issue no longer wait for another."""
    unit = caller.hub.tracker.unblock(_act(caller, params), params.id, params.blocker_id)
    submitted(caller, unit, reply)


async def list_issues(caller: Caller, params: Filter) -> ListedIssues:
    """Give issues, newest first."""
    wanted = IssueFilter(
        status=None if params.status == "all" else params.status,
        label=params.label,
        priority=params.priority,
        search=params.search,
        parent_id=params.parent_id,
    )
    return ListedIssues(issues=await caller.hub.issues.list(wanted))


async def get(caller: Caller, params: Get) -> IssueDetail:
    """Give one issue with everything that hangs on it."""
    at = position_of(params.at)
    if at is None:
        return await caller.hub.issues.get(params.id)
    return await caller.hub.past.issue(params.id, at)


async def ready(caller: Caller, _params: Empty) -> Issues:
    """Give open issues that wait for no open issue."""
    return Issues(issues=await caller.hub.issues.ready())


async def blocked(caller: Caller, _params: Empty) -> Issues:
    """Give open issues that wait for an open issue."""
    return Issues(issues=await caller.hub.issues.blocked())


METHODS = [
    Method(
        name="issues.create",
        params=Create,
        result=Issue,
        summary="Open an issue.",
        run=create,
    ),
    Method(
        name="issues.list",
        params=Filter,
        result=ListedIssues,
        summary="Give issues, newest first, all or those that the filters let through.",
        run=answered(list_issues),
    ),
    Method(
        name="issues.get",
        params=Get,
        result=IssueDetail,
        summary="Give an issue with labels, comments, blockers and subissues.",
        run=answered(get),
    ),
    Method(
        name="issues.ready",
        params=Empty,
        result=Issues,
        summary="Give open issues that wait for no open issue.",
        run=answered(ready),
    ),
    Method(
        name="issues.blocked",
        params=Empty,
        result=Issues,
        summary="Give open issues that wait for an open issue.",
        run=answered(blocked),
    ),
    Method(
        name="issues.update",
        params=Update,
        result=Issue,
        summary="Change title, description or priority; what is null stays.",
        run=update,
    ),
    Method(
        name="issues.close",
        params=One,
        result=Issue,
        summary="Close an issue.",
        run=close,
    ),
    Method(
        name="issues.reopen",
        params=One,
        result=Issue,
        summary="Open an issue again.",
        run=reopen,
    ),
    Method(
        name="issues.delete",
        params=One,
        result=Done,
        summary="Remove an issue and all below it; locks on them are lost.",
        run=delete,
    ),
    Method(
        name="issues.comment",
        params=NewComment,
        result=Comment,
        summary="Comment on an issue.",
        run=comment,
    ),
    Method(
        name="issues.label",
        params=Label,
        result=Done,
        summary="Put a label on an issue.",
        run=label,
    ),
    Method(
        name="issues.unlabel",
        params=Label,
        result=Done,
        summary="Take a label off an issue.",
        run=unlabel,
    ),
    Method(
        name="issues.block",
        params=Block,
        result=Done,
        summary="Let an issue wait for another; a circle is refused.",
        run=block,
    ),
    Method(
        name="issues.unblock",
        params=Block,
        result=Done,
        summary="Let an issue no longer wait for another.",
        run=unblock,
    ),
]
