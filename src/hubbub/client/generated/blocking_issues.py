"""The methods `issues.*`, for callers without an event loop.

Written by `python -m scripts.write_client`.
"""

from typing import Literal

from hubbub.client.calls import BlockingMethods, Loop
from hubbub.client.events import Position
from hubbub.client.generated.issues import IssuesMethods
from hubbub.client.generated.issues_types import (
    Comment,
    Done,
    Issue,
    IssueDetail,
    Issues,
    ListedIssues,
)


class BlockingIssuesMethods(BlockingMethods):
    """The methods `issues.*`."""

    def __init__(self, loop: Loop, twin: IssuesMethods) -> None:
        """Call what has an event loop."""
        super().__init__(loop)
        self._twin = twin

    def block(
        self,
        id: int,
        blocker_id: int,
        *,
        cause: str | None = None,
        fence: int | None = None,
        idempotency_key: str | None = None,
        timeout_s: float | None = None,
    ) -> Done:
        """Let an issue wait for another; a circle is refused.

        Args:
            cause: What led to this: an event's id, or a topic of the daemon's (``runs/<id>``),
                which stands for the newest event under it. It becomes the ``cause`` of the events
                that the call records.
            fence: Number of the lock grant under which this is written; a stale one is refused.
        """
        return self._loop.run(
            self._twin.block(
                id,
                blocker_id,
                cause=cause,
                fence=fence,
                idempotency_key=idempotency_key,
                timeout_s=timeout_s,
            )
        )

    def blocked(self, *, timeout_s: float | None = None) -> Issues:
        """Give open issues that wait for an open issue."""
        return self._loop.run(self._twin.blocked(timeout_s=timeout_s))

    def close(
        self,
        id: int,
        *,
        cause: str | None = None,
        fence: int | None = None,
        idempotency_key: str | None = None,
        timeout_s: float | None = None,
    ) -> Issue:
        """Close an issue.

        Args:
            cause: What led to this: an event's id, or a topic of the daemon's (``runs/<id>``),
                which stands for the newest event under it. It becomes the ``cause`` of the events
                that the call records.
            fence: Number of the lock grant under which this is written; a stale one is refused.
        """
        return self._loop.run(
            self._twin.close(
                id, cause=cause, fence=fence, idempotency_key=idempotency_key, timeout_s=timeout_s
            )
        )

    def comment(
        self,
        id: int,
        content: str,
        *,
        cause: str | None = None,
        fence: int | None = None,
        kind: Literal[
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
        ] = "note",
        trigger_type: str | None = None,
        intervention_context: str | None = None,
        idempotency_key: str | None = None,
        timeout_s: float | None = None,
    ) -> Comment:
        """Comment on an issue.

        Args:
            cause: What led to this: an event's id, or a topic of the daemon's (``runs/<id>``),
                which stands for the newest event under it. It becomes the ``cause`` of the events
                that the call records.
            fence: Number of the lock grant under which this is written; a stale one is refused.
        """
        return self._loop.run(
            self._twin.comment(
                id,
                content,
                cause=cause,
                fence=fence,
                kind=kind,
                trigger_type=trigger_type,
                intervention_context=intervention_context,
                idempotency_key=idempotency_key,
                timeout_s=timeout_s,
            )
        )

    def create(
        self,
        title: str,
        *,
        cause: str | None = None,
        fence: int | None = None,
        description: str | None = None,
        priority: Literal["low", "medium", "high", "critical"] = "medium",
        parent_id: int | None = None,
        idempotency_key: str | None = None,
        timeout_s: float | None = None,
    ) -> Issue:
        """Open an issue.

        Args:
            cause: What led to this: an event's id, or a topic of the daemon's (``runs/<id>``),
                which stands for the newest event under it. It becomes the ``cause`` of the events
                that the call records.
            fence: Number of the lock grant under which this is written; a stale one is refused.
        """
        return self._loop.run(
            self._twin.create(
                title,
                cause=cause,
                fence=fence,
                description=description,
                priority=priority,
                parent_id=parent_id,
                idempotency_key=idempotency_key,
                timeout_s=timeout_s,
            )
        )

    def delete(
        self,
        id: int,
        *,
        cause: str | None = None,
        fence: int | None = None,
        idempotency_key: str | None = None,
        timeout_s: float | None = None,
    ) -> Done:
        """Remove an issue and all below it; locks on them are lost.

        Args:
            cause: What led to this: an event's id, or a topic of the daemon's (``runs/<id>``),
                which stands for the newest event under it. It becomes the ``cause`` of the events
                that the call records.
            fence: Number of the lock grant under which this is written; a stale one is refused.
        """
        return self._loop.run(
            self._twin.delete(
                id, cause=cause, fence=fence, idempotency_key=idempotency_key, timeout_s=timeout_s
            )
        )

    def get(
        self, id: int, *, at: Position | str | None = None, timeout_s: float | None = None
    ) -> IssueDetail:
        """Give an issue with labels, comments, blockers and subissues.

        Args:
            at: A position or a cursor: as it was then; left out: as it is now.
        """
        return self._loop.run(self._twin.get(id, at=at, timeout_s=timeout_s))

    def label(
        self,
        id: int,
        label: str,
        *,
        cause: str | None = None,
        fence: int | None = None,
        idempotency_key: str | None = None,
        timeout_s: float | None = None,
    ) -> Done:
        """Put a label on an issue.

        Args:
            cause: What led to this: an event's id, or a topic of the daemon's (``runs/<id>``),
                which stands for the newest event under it. It becomes the ``cause`` of the events
                that the call records.
            fence: Number of the lock grant under which this is written; a stale one is refused.
        """
        return self._loop.run(
            self._twin.label(
                id,
                label,
                cause=cause,
                fence=fence,
                idempotency_key=idempotency_key,
                timeout_s=timeout_s,
            )
        )

    def list(
        self,
        *,
        status: Literal["open", "closed", "archived", "all"] | None = None,
        label: str | None = None,
        priority: Literal["low", "medium", "high", "critical"] | None = None,
        search: str | None = None,
        parent_id: int | None = None,
        timeout_s: float | None = None,
    ) -> ListedIssues:
        """Give issues, newest first, all or those that the filters let through."""
        return self._loop.run(
            self._twin.list(
                status=status,
                label=label,
                priority=priority,
                search=search,
                parent_id=parent_id,
                timeout_s=timeout_s,
            )
        )

    def ready(self, *, timeout_s: float | None = None) -> Issues:
        """Give open issues that wait for no open issue."""
        return self._loop.run(self._twin.ready(timeout_s=timeout_s))

    def reopen(
        self,
        id: int,
        *,
        cause: str | None = None,
        fence: int | None = None,
        idempotency_key: str | None = None,
        timeout_s: float | None = None,
    ) -> Issue:
        """Open an issue again.

        Args:
            cause: What led to this: an event's id, or a topic of the daemon's (``runs/<id>``),
                which stands for the newest event under it. It becomes the ``cause`` of the events
                that the call records.
            fence: Number of the lock grant under which this is written; a stale one is refused.
        """
        return self._loop.run(
            self._twin.reopen(
                id, cause=cause, fence=fence, idempotency_key=idempotency_key, timeout_s=timeout_s
            )
        )

    def unblock(
        self,
        id: int,
        blocker_id: int,
        *,
        cause: str | None = None,
        fence: int | None = None,
        idempotency_key: str | None = None,
        timeout_s: float | None = None,
    ) -> Done:
        """Let an issue no longer wait for another.

        Args:
            cause: What led to this: an event's id, or a topic of the daemon's (``runs/<id>``),
                which stands for the newest event under it. It becomes the ``cause`` of the events
                that the call records.
            fence: Number of the lock grant under which this is written; a stale one is refused.
        """
        return self._loop.run(
            self._twin.unblock(
                id,
                blocker_id,
                cause=cause,
                fence=fence,
                idempotency_key=idempotency_key,
                timeout_s=timeout_s,
            )
        )

    def unlabel(
        self,
        id: int,
        label: str,
        *,
        cause: str | None = None,
        fence: int | None = None,
        idempotency_key: str | None = None,
        timeout_s: float | None = None,
    ) -> Done:
        """Take a label off an issue.

        Args:
            cause: What led to this: an event's id, or a topic of the daemon's (``runs/<id>``),
                which stands for the newest event under it. It becomes the ``cause`` of the events
                that the call records.
            fence: Number of the lock grant under which this is written; a stale one is refused.
        """
        return self._loop.run(
            self._twin.unlabel(
                id,
                label,
                cause=cause,
                fence=fence,
                idempotency_key=idempotency_key,
                timeout_s=timeout_s,
            )
        )

    def update(
        self,
        id: int,
        *,
        cause: str | None = None,
        fence: int | None = None,
        title: str | None = None,
        description: str | None = None,
        priority: Literal["low", "medium", "high", "critical"] | None = None,
        idempotency_key: str | None = None,
        timeout_s: float | None = None,
    ) -> Issue:
        """Change title, description or priority; what is null stays.

        Args:
            cause: What led to this: an event's id, or a topic of the daemon's (``runs/<id>``),
                which stands for the newest event under it. It becomes the ``cause`` of the events
                that the call records.
            fence: Number of the lock grant under which this is written; a stale one is refused.
        """
        return self._loop.run(
            self._twin.update(
                id,
                cause=cause,
                fence=fence,
                title=title,
                description=description,
                priority=priority,
                idempotency_key=idempotency_key,
                timeout_s=timeout_s,
            )
        )
