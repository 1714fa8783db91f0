"""The methods `locks.*`.

Written by `python -m scripts.write_client`.
"""

from typing import Any

from hubbub.client.calls import Methods
from hubbub.client.generated.locks_types import LockList, Release
from hubbub.client.generated.shared_types import Lock


class LocksMethods(Methods):
    """The methods `locks.*`."""

    async def claim(
        self,
        issue_id: int,
        *,
        cause: str | None = None,
        lease_ms: int | None = None,
        agent: str | None = None,
        wait: bool = False,
        wait_ms: int | None = None,
        idempotency_key: str | None = None,
        timeout_s: float | None = None,
    ) -> Lock:
        """Claim the lock of an issue for a lease, or extend one's own; wait for it or not.

        Args:
            cause: What led to this: an event's id, or a topic of the daemon's (``runs/<id>``),
                which stands for the newest event under it. It becomes the ``cause`` of the events
                that the call records.
            agent: Whose lock it is; only the operator may name another than itself.
            wait: Wait in the queue where another agent holds it; over a socket only.
            wait_ms: Milliseconds to wait at most.
        """
        params: dict[str, Any] = {
            "issue_id": issue_id,
            "cause": cause,
            "lease_ms": lease_ms,
            "agent": agent,
            "wait": wait,
            "wait_ms": wait_ms,
            "idempotency_key": idempotency_key,
        }
        return await self._calls.invoke("locks.claim", params, Lock, timeout_s)

    async def list(self, *, timeout_s: float | None = None) -> LockList:
        """Give all locks that are held."""
        params: dict[str, Any] = {}
        return await self._calls.invoke("locks.list", params, LockList, timeout_s)

    async def release(
        self,
        issue_id: int,
        *,
        cause: str | None = None,
        fence: int | None = None,
        agent: str | None = None,
        idempotency_key: str | None = None,
        timeout_s: float | None = None,
    ) -> Release:
        """Give a lock back.

        Args:
            cause: What led to this: an event's id, or a topic of the daemon's (``runs/<id>``),
                which stands for the newest event under it. It becomes the ``cause`` of the events
                that the call records.
        """
        params: dict[str, Any] = {
            "issue_id": issue_id,
            "cause": cause,
            "fence": fence,
            "agent": agent,
            "idempotency_key": idempotency_key,
        }
        return await self._calls.invoke("locks.release", params, Release, timeout_s)

    async def renew(
        self,
        issue_id: int,
        fence: int,
        *,
        cause: str | None = None,
        lease_ms: int | None = None,
        agent: str | None = None,
        idempotency_key: str | None = None,
        timeout_s: float | None = None,
    ) -> Lock:
        """Extend a lock that is still held.

        Args:
            fence: Number of the grant that is extended.
            cause: What led to this: an event's id, or a topic of the daemon's (``runs/<id>``),
                which stands for the newest event under it. It becomes the ``cause`` of the events
                that the call records.
            agent: Whose lock it is; only the operator may name another than itself.
        """
        params: dict[str, Any] = {
            "issue_id": issue_id,
            "fence": fence,
            "cause": cause,
            "lease_ms": lease_ms,
            "agent": agent,
            "idempotency_key": idempotency_key,
        }
        return await self._calls.invoke("locks.renew", params, Lock, timeout_s)

    async def steal(
        self,
        issue_id: int,
        reason: str,
        *,
        cause: str | None = None,
        lease_ms: int | None = None,
        agent: str | None = None,
        idempotency_key: str | None = None,
        timeout_s: float | None = None,
    ) -> Lock:
        """Take a lock, whoever holds it, and say why.

        Args:
            cause: What led to this: an event's id, or a topic of the daemon's (``runs/<id>``),
                which stands for the newest event under it. It becomes the ``cause`` of the events
                that the call records.
            agent: Whose lock it is; only the operator may name another than itself.
        """
        params: dict[str, Any] = {
            "issue_id": issue_id,
            "reason": reason,
            "cause": cause,
            "lease_ms": lease_ms,
            "agent": agent,
            "idempotency_key": idempotency_key,
        }
        return await self._calls.invoke("locks.steal", params, Lock, timeout_s)
