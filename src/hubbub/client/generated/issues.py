"""The methods `issues.*`.

Written by `python -m scripts.write_client`.
"""

from typing import Any, Literal

from hubbub.client.calls import Methods
from hubbub.client.events import Position
from hubbub.client.generated.issues_types import (
    Comment,
    Done,
    Issue,
    IssueDetail,
    Issues,
    ListedIssues,
)


class IssuesMethods(Methods):
    """The methods `issues.*`."""

    async def block(
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
        params: dict[str, Any] = {
            "id": id,
            "blocker_id": blocker_id,
            "cause": cause,
            "fence": fence,
            "idempotency_key": idempotency_key,
        }
        return await self._calls.invoke("issues.block", params, Done, timeout_s)

    async def blocked(self, *, timeout_s: float | None = None) -> Issues:
        """Give open issues that wait for an open issue."""
        params: dict[str, Any] = {}
        return await self._calls.invoke("issues.blocked", params, Issues, timeout_s)

    async def close(
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
        params: dict[str, Any] = {
            "id": id,
            "cause": cause,
            "fence": fence,
            "idempotency_key": idempotency_key,
        }
        return await self._calls.invoke("issues.close", params, Issue, timeout_s)

    async def comment(
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
        params: dict[str, Any] = {
            "id": id,
            "content": content,
            "cause": cause,
            "fence": fence,
            "kind": kind,
            "trigger_type": trigger_type,
            "intervention_context": intervention_context,
            "idempotency_key": idempotency_key,
        }
        return await self._calls.invoke("issues.comment", params, Comment, timeout_s)

    async def create(
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
        params: dict[str, Any] = {
            "title": title,
            "cause": cause,
            "fence": fence,
            "description": description,
            "priority": priority,
            "parent_id": parent_id,
            "idempotency_key": idempotency_key,
        }
        return await self._calls.invoke("issues.create", params, Issue, timeout_s)

    async def delete(
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
        params: dict[str, Any] = {
            "id": id,
            "cause": cause,
            "fence": fence,
            "idempotency_key": idempotency_key,
        }
        return await self._calls.invoke("issues.delete", params, Done, timeout_s)

    async def get(
        self, id: int, *, at: Position | str | None = None, timeout_s: float | None = None
    ) -> IssueDetail:
        """Give an issue with labels, comments, blockers and subissues.

        Args:
            at: A position or a cursor: as it was then; left out: as it is now.
        """
        params: dict[str, Any] = {"id": id, "at": at}
        return await self._calls.invoke("issues.get", params, IssueDetail, timeout_s)

    async def label(
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
        params: dict[str, Any] = {
            "id": id,
            "label": label,
            "cause": cause,
            "fence": fence,
            "idempotency_key": idempotency_key,
        }
        return await self._calls.invoke("issues.label", params, Done, timeout_s)

    async def list(
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
        params: dict[str, Any] = {
            "status": status,
            "label": label,
            "priority": priority,
            "search": search,
            "parent_id": parent_id,
        }
        return await self._calls.invoke("issues.list", params, ListedIssues, timeout_s)

    async def ready(self, *, timeout_s: float | None = None) -> Issues:
        """Give open issues that wait for no open issue."""
        params: dict[str, Any] = {}
        return await self._calls.invoke("issues.ready", params, Issues, timeout_s)

    async def reopen(
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
        params: dict[str, Any] = {
            "id": id,
            "cause": cause,
            "fence": fence,
            "idempotency_key": idempotency_key,
        }
        return await self._calls.invoke("issues.reopen", params, Issue, timeout_s)

    async def unblock(
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
        params: dict[str, Any] = {
            "id": id,
            "blocker_id": blocker_id,
            "cause": cause,
            "fence": fence,
            "idempotency_key": idempotency_key,
        }
        return await self._calls.invoke("issues.unblock", params, Done, timeout_s)

    async def unlabel(
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
        params: dict[str, Any] = {
            "id": id,
            "label": label,
            "cause": cause,
            "fence": fence,
            "idempotency_key": idempotency_key,
        }
        return await self._calls.invoke("issues.unlabel", params, Done, timeout_s)

    async def update(
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
        params: dict[str, Any] = {
            "id": id,
            "cause": cause,
            "fence": fence,
            "title": title,
            "description": description,
            "priority": priority,
            "idempotency_key": idempotency_key,
        }
        return await self._calls.invoke("issues.update", params, Issue, timeout_s)
