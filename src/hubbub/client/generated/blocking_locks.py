"""The methods `locks.*`, for callers without an event loop.

Written by `python -m scripts.write_client`.
"""

from hubbub.client.calls import BlockingMethods, Loop
from hubbub.client.generated.locks import LocksMethods
from hubbub.client.generated.locks_types import LockList, Release
from hubbub.client.generated.shared_types import Lock


class BlockingLocksMethods(BlockingMethods):
    """The methods `locks.*`."""

    def __init__(self, loop: Loop, twin: LocksMethods) -> None:
        """Call what has an event loop."""
        super().__init__(loop)
        self._twin = twin

    def claim(
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
        return self._loop.run(
            self._twin.claim(
                issue_id,
                cause=cause,
                lease_ms=lease_ms,
                agent=agent,
                wait=wait,
                wait_ms=wait_ms,
                idempotency_key=idempotency_key,
                timeout_s=timeout_s,
            )
        )

    def list(self, *, timeout_s: float | None = None) -> LockList:
        """Give all locks that are held."""
        return self._loop.run(self._twin.list(timeout_s=timeout_s))

    def release(
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
        return self._loop.run(
            self._twin.release(
                issue_id,
                cause=cause,
                fence=fence,
                agent=agent,
                idempotency_key=idempotency_key,
                timeout_s=timeout_s,
            )
        )

    def renew(
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
        return self._loop.run(
            self._twin.renew(
                issue_id,
                fence,
                cause=cause,
                lease_ms=lease_ms,
                agent=agent,
                idempotency_key=idempotency_key,
                timeout_s=timeout_s,
            )
        )

    def steal(
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
        return self._loop.run(
            self._twin.steal(
                issue_id,
                reason,
                cause=cause,
                lease_ms=lease_ms,
                agent=agent,
                idempotency_key=idempotency_key,
                timeout_s=timeout_s,
            )
        )
