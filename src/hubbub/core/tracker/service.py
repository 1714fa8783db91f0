"""The tracker: issues, their comments, labels and blockers.

Every verb is one unit of work that changes the tables and records ``issue.changed``; a caller
that presents the fence of a lock is refused once that lock has ended. Reading is in
``issue_reads.py``.
"""

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

import msgspec
from msgspec.structs import asdict

from hubbub.core.ports import Row, Transaction, Unit
from hubbub.core.tracker.issue_rows import IssueChanged, IssueRow, issue_row_of, new_row
from hubbub.core.tracker.issues import (
    Act,
    Comment,
    CommentKind,
    Issue,
    Priority,
    TrackerLimits,
    check_exists,
    check_size,
    checked_number,
    issue_of,
)
from hubbub.core.tracker.lock_table import check_fence, current_lock, lose
from hubbub.core.tracker.waits import end_wait, waiters
from hubbub.core.values import Clock
from hubbub.errors import InvalidRequest, NotFound


T = TypeVar("T")

FIELDS = {
    "issues.update": "updated",
    "issues.close": "status",
    "issues.reopen": "status",
    "issues.delete": "deleted",
    "issues.comment": "comments",
    "issues.label": "labels",
    "issues.unlabel": "labels",
    "issues.block": "blockers",
    "issues.unblock": "blockers",
}
"""What each verb changes of an issue, as ``issue.changed`` names it."""

DEFAULT_LIMITS = TrackerLimits()


class IssueDraft(msgspec.Struct, frozen=True, kw_only=True):
    """What a new issue begins with."""

    title: str
    description: str | None = None
    priority: Priority = "medium"
    parent_id: int | None = None


class IssuePatch(msgspec.Struct, frozen=True, kw_only=True):
    """What is to change; ``None`` stays as it is."""

    title: str | None = None
    description: str | None = None
    priority: Priority | None = None


class CommentDraft(msgspec.Struct, frozen=True, kw_only=True):
    """What a new comment says."""

    content: str
    kind: CommentKind = "note"
    trigger_type: str | None = None
    intervention_context: str | None = None


class Done(msgspec.Struct, frozen=True):
    """The change was made, or had been made before."""

    ok: bool = True


def _nothing_more(_value: object) -> Mapping[str, object]:
    return {}


class Tracker:
    """Changes issues.

    Every verb gives a unit of work, for ``Journal.commit`` or ``submit``. What is wrong with
    the request itself is raised at once; the unit raises ``StaleFence``,
    ``IdempotencyConflict``, ``NotFound`` (no such issue) and what the verb names.
    """

    def __init__(
        self,
        clock: Clock,
        *,
        limits: TrackerLimits = DEFAULT_LIMITS,
        leases: Clock | None = None,
    ) -> None:
        """Begin; all state is in the store.

        Args:
            leases: The clock by which locks go; ``None``: the same.
        """
        self._clock = clock
        self._leases = leases or clock
        self.limits = limits

    def create(self, act: Act, draft: IssueDraft, *, tell_parent: bool = True) -> Unit[Issue]:
        """Open an issue.

        Args:
            tell_parent: Record that the parent, if there is one, has a new subissue.

        Raises:
            InvalidRequest: A text is too long.
            NotFound: There is no such parent.
        """
        self._check_texts(draft.title, draft.description)
        parent_id = draft.parent_id

        def create(tx: Transaction) -> Issue:
            now, fields = self._clock(), asdict(draft)
            if parent_id is not None:
                _check_fence(tx, act, parent_id, self._leases(), "parent issue")
            row = tx.changed("issue_add", **fields, created_by=act.caller.id, now=now)
            number: int = _found(row, parent_id, "parent issue")[0]
            if parent_id is not None and tell_parent:
                _changed(tx, act, parent_id, "subissues")
            issue = Issue(
                id=number, status="open", created_at=now, updated_at=now, closed_at=None, **fields
            )
            told = new_row(issue)
            _tell(tx, act, number, "created", told, description=draft.description)
            return issue

        return self._unit(act, create, Issue, "issues.create", draft)

    def update(self, act: Act, issue_id: int, patch: IssuePatch) -> Unit[Issue]:
        """Change what the patch names; its time of change moves in any case.

        Raises:
            InvalidRequest: A text is too long.
        """
        self._check_texts(patch.title, patch.description)

        verb, described = "issues.update", patch.description
        more = {} if described is None else {"description": described}

        def update(tx: Transaction) -> Issue:
            now = self._clock()
            _check_fence(tx, act, issue_id, self._leases(), "issue")
            row = tx.changed("issue_patch", id=issue_id, now=now, **asdict(patch))
            return _rewritten(tx, act, _found(row, issue_id), FIELDS[verb], **more)

        return self._unit(act, update, Issue, verb, issue_id, patch)

    def close(self, act: Act, issue_id: int) -> Unit[Issue]:
        """Close an issue, whatever its status; what blocks it is not asked."""
        return self._set_status(act, issue_id, "issues.close")

    def reopen(self, act: Act, issue_id: int) -> Unit[Issue]:
        """Open an issue again."""
        return self._set_status(act, issue_id, "issues.reopen")

    def delete(self, act: Act, issue_id: int) -> Unit[Done]:
        """Remove an issue and all below it, with everything that hangs on them.

        Locks on them are lost, and what waited for one of them waits for it no longer.
        """

        def delete(tx: Transaction, _now: int) -> Done:
            now = self._leases()
            check_exists(tx, issue_id)
            tx.execute("issue_numbers_keep")
            tree = [row[0] for row in tx.rows("issue_tree", id=issue_id)]
            freed = [row[0] for row in tx.rows("issue_freed_by_tree", id=issue_id)]
            for number in tree:
                for waiter in waiters(tx, number):
                    end_wait(tx, waiter, "issue deleted")
                lock = current_lock(tx, number, now)
                if lock is not None:
                    lose(tx, lock, "issue deleted", now)
            tx.execute("issue_delete", id=issue_id)
            for number in freed:
                _changed(tx, act, number, "blockers")
            for number in tree[1:]:
                _changed(tx, act, number, "deleted")
            return Done()

        return self._change(act, issue_id, "issues.delete", delete, Done)

    def comment(self, act: Act, issue_id: int, draft: CommentDraft) -> Unit[Comment]:
        """Add a comment.

        Raises:
            InvalidRequest: A text is too long, or an intervention does not say its trigger.
        """
        check_size("content", draft.content, self.limits.max_comment_bytes)
        check_size("context", draft.intervention_context, self.limits.max_comment_bytes)
        check_size("trigger_type", draft.trigger_type, self.limits.max_label_bytes)
        if draft.kind == "intervention" and not (draft.trigger_type or "").strip():
            message = "an intervention needs a trigger_type"
            raise InvalidRequest(message)

        def comment(tx: Transaction, now: int) -> Comment:
            fields = {
                **asdict(draft),
                "issue_id": issue_id,
                "author": act.caller.id,
                "created_at": now,
            }
            row = _found(tx.changed("issue_comment_add", **fields), issue_id)
            return Comment(id=row[0], **fields)

        return self._change(
            act,
            issue_id,
            "issues.comment",
            comment,
            Comment,
            draft,
            tell=lambda made: {"comment": made},
        )

    def label(self, act: Act, issue_id: int, label: str) -> Unit[Done]:
        """Put a label on an issue; one that it has already is no error.

        Raises:
            InvalidRequest: The label is too long.
        """
        check_size("label", label, self.limits.max_label_bytes)

        def add(tx: Transaction, _now: int) -> Done:
            if not tx.execute("issue_label_add", id=issue_id, label=label):
                check_exists(tx, issue_id)
            return Done()

        return self._change(act, issue_id, "issues.label", add, Done, label)

    def unlabel(self, act: Act, issue_id: int, label: str) -> Unit[Done]:
        """Take a label off an issue.

        Raises:
            NotFound: It has no such label.
        """

        def remove(tx: Transaction, _now: int) -> Done:
            if not tx.execute("issue_label_remove", id=issue_id, label=label):
                check_exists(tx, issue_id)
                raise NotFound("label", label)
            return Done()

        return self._change(act, issue_id, "issues.unlabel", remove, Done, label)

    def block(self, act: Act, issue_id: int, blocker_id: int) -> Unit[Done]:
        """Let an issue wait for another; a pair that is there already is no error.

        Raises:
            InvalidRequest: An issue would wait for itself, directly or through others.
            NotFound: There is no such blocker.
        """

        def add(tx: Transaction, _now: int) -> Done:
            check_exists(tx, issue_id)
            check_exists(tx, blocker_id)
            if blocker_id == issue_id:
                message = "An issue cannot block itself"
                raise InvalidRequest(message)
            if tx.row("issue_waits_for", id=blocker_id, other_id=issue_id):
                message = "Adding this dependency would create a circular dependency chain"
                raise InvalidRequest(message)
            tx.execute("issue_blocker_add", id=issue_id, blocker_id=blocker_id)
            return Done()

        return self._change(act, issue_id, "issues.block", add, Done, blocker_id)

    def unblock(self, act: Act, issue_id: int, blocker_id: int) -> Unit[Done]:
        """Let an issue no longer wait for another.

        Raises:
            NotFound: It does not wait for it.
        """

        def remove(tx: Transaction, _now: int) -> Done:
            checked_number(blocker_id, "dependency")
            if not tx.execute("issue_blocker_remove", id=issue_id, blocker_id=blocker_id):
                check_exists(tx, issue_id)
                raise NotFound("dependency", f"{issue_id} on {blocker_id}")
            return Done()

        return self._change(act, issue_id, "issues.unblock", remove, Done, blocker_id)

    # -- units ---------------------------------------------------------------------------

    def _check_texts(self, title: str | None, description: str | None) -> None:
        check_size("title", title, self.limits.max_title_bytes)
        check_size("description", description, self.limits.max_description_bytes)

    def _set_status(self, act: Act, issue_id: int, verb: str) -> Unit[Issue]:
        closed = verb == "issues.close"

        def set_status(tx: Transaction) -> Issue:
            now = self._clock()
            _check_fence(tx, act, issue_id, self._leases(), "issue")
            status, closed_at = ("closed", now) if closed else ("open", None)
            row = tx.changed(
                "issue_status", id=issue_id, status=status, closed_at=closed_at, now=now
            )
            return _rewritten(tx, act, _found(row, issue_id), FIELDS[verb])

        return self._unit(act, set_status, Issue, verb, issue_id)

    def _change(
        self,
        act: Act,
        issue_id: int,
        verb: str,
        change: Callable[[Transaction, int], T],
        result: type[T],
        *parts: object,
        tell: Callable[[T], Mapping[str, object]] = _nothing_more,
    ) -> Unit[T]:
        """Change an issue and tell what of it has changed.

        Args:
            change: Raises NotFound where there is no such issue.
            tell: Gives what is told besides the issue as it is then.
        """

        def run(tx: Transaction) -> T:
            now = self._clock()
            _check_fence(tx, act, issue_id, self._leases(), "issue")
            value = change(tx, now)
            _changed(tx, act, issue_id, FIELDS[verb], **tell(value))
            return value

        return self._unit(act, run, result, verb, issue_id, *parts)

    def _unit(
        self,
        act: Act,
        unit: Callable[[Transaction], T],
        result: type[T],
        verb: str,
        *parts: object,
    ) -> Unit[T]:
        return act.once(unit, result, verb, *parts, clock=self._clock)


def _check_fence(tx: Transaction, act: Act, issue_id: int, now: int, what: str) -> None:
    """Check the fence that is presented; without one this asks the store nothing.

    Raises:
        NotFound: There cannot be an issue of this number or, with a fence, there is none.
        StaleFence: The lock was released, lost, or granted anew since.
    """
    if act.fence is None:
        checked_number(issue_id, what)
    else:
        check_exists(tx, issue_id, what)
        check_fence(tx, issue_id, act.fence, now)


def _found(row: Row | None, issue_id: int | None, what: str = "issue") -> Row:
    """Give the row that a write has changed.

    Raises:
        NotFound: It changed none: there is no such issue.
    """
    if row is None:
        raise NotFound(what, issue_id)
    return row


def _changed(tx: Transaction, act: Act, issue_id: int, field: str, **more: Any) -> None:
    """Tell that an issue has changed; the row costs one question."""
    row = tx.row("issue_row", id=issue_id)
    _tell(tx, act, issue_id, field, None if row is None else issue_row_of(row), **more)


def _rewritten(tx: Transaction, act: Act, row: Row, field: str, **more: Any) -> Issue:
    """Tell what the statement that changed an issue gave of it, and give the issue."""
    issue = issue_of(row)
    _tell(tx, act, issue.id, field, issue_row_of(row), **more)
    return issue


def _tell(
    tx: Transaction, act: Act, issue_id: int, field: str, issue: IssueRow | None, **more: Any
) -> None:
    data = IssueChanged(issue_id=issue_id, field=field, issue=issue, **more)
    tx.append(f"issues/{issue_id}", "issue.changed", data, actor=act.caller.id)
