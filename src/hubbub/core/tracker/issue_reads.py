"""Reading the tracker: one issue with all that hangs on it, lists, search.

Everything here reads committed state on the store's read connections.
"""

import msgspec

from hubbub.core.ports import Store
from hubbub.core.tracker.issues import (
    Comment,
    Issue,
    IssueDetail,
    ListedIssue,
    TrackerLimits,
    check_size,
    checked_number,
    comment_of,
    issue_of,
    listed_of,
)
from hubbub.core.tracker.service import DEFAULT_LIMITS
from hubbub.errors import NotFound


class IssueFilter(msgspec.Struct, frozen=True, kw_only=True):
    """Which issues a list shows; ``None`` lets all through."""

    status: str | None = None
    label: str | None = None
    """Exactly this label."""
    priority: str | None = None
    search: str | None = None
    """Text in title, description or a comment; letters of ASCII match in both cases."""
    parent_id: int | None = None


class IssueReads:
    """Answers questions about issues."""

    def __init__(self, store: Store, *, limits: TrackerLimits = DEFAULT_LIMITS) -> None:
        """Read a store."""
        self._store = store
        self._limits = limits

    async def get(self, issue_id: int) -> IssueDetail:
        """Give an issue with everything that hangs on it.

        Raises:
            NotFound: There is none of that number.
        """
        issue = await self._issue(issue_id)
        labels = await self._store.rows("issue_labels", id=issue_id)
        comments = await self._store.rows("issue_comments", id=issue_id)
        blockers = await self._store.rows("issue_blockers", id=issue_id)
        blocking = await self._store.rows("issue_blocking", id=issue_id)
        children = await self._store.rows("issue_children", id=issue_id)
        return IssueDetail(
            **msgspec.structs.asdict(issue),
            labels=[row[0] for row in labels],
            comments=[comment_of(row) for row in comments],
            blockers=[row[0] for row in blockers],
            blocking=[row[0] for row in blocking],
            subissues=[issue_of(row) for row in children],
        )

    async def ready(self) -> list[Issue]:
        """Give open issues that wait for no open issue, by number."""
        return [issue_of(row) for row in await self._store.rows("issue_open", blocked=0)]

    async def blocked(self) -> list[Issue]:
        """Give open issues that wait for an open issue, by number."""
        return [issue_of(row) for row in await self._store.rows("issue_open", blocked=1)]

    async def comments(self, issue_id: int) -> list[Comment]:
        """Give an issue's comments, oldest first.

        Raises:
            NotFound: There is no such issue.
        """
        await self._issue(issue_id)
        rows = await self._store.rows("issue_comments", id=issue_id)
        return [comment_of(row) for row in rows]

    async def list(self, wanted: IssueFilter) -> list[ListedIssue]:
        """Give issues, newest first.

        Raises:
            InvalidRequest: The search text is too long.
        """
        check_size("search", wanted.search, self._limits.max_search_bytes)
        if "\0" in (wanted.search or ""):
            return []  # SQLite's LIKE reads a pattern only up to there
        if wanted.parent_id is not None:
            try:
                checked_number(wanted.parent_id)
            except NotFound:
                return []
        fields = msgspec.structs.asdict(wanted)
        if wanted.search is not None:
            fields["search"] = _containing(wanted.search)
        return [listed_of(row) for row in await self._store.rows("issue_list", **fields)]

    async def _issue(self, issue_id: int) -> Issue:
        rows = await self._store.rows("issue_get", id=checked_number(issue_id))
        if not rows:
            raise NotFound("issue", issue_id)
        return issue_of(rows[0])


def _containing(text: str) -> str:
    """Give the LIKE pattern for a text, its wildcards taken literally."""
    for sign in "\\%_":
        text = text.replace(sign, "\\" + sign)
    return f"%{text}%"
