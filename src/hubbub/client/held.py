"""Working under a lock: claimed, renewed while the work goes on, released at its end."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

from hubbub.client.errors import ClientError, Conflict, NotFound
from hubbub.client.generated.types import Lock
from hubbub.client.pace import Sleep


RENEWALS = 3
"""Renewals that a lease has time for; so one or two may fail before it ends."""

Renew = Callable[[Lock], Awaitable[Lock]]


class HeldLock:
    """A lock that is kept for as long as the work takes."""

    def __init__(self, lock: Lock) -> None:
        """Begin with what was granted."""
        self.lock = lock
        """The grant as it was renewed last."""
        self.lost: ClientError | None = None
        """Why it is held no longer, though it was not released; writes under its fence are
        refused then.
        """

    @property
    def issue_id(self) -> int:
        """The issue."""
        return self.lock.issue_id

    @property
    def fence(self) -> int:
        """Number of the grant; what is written under it is refused once it has ended."""
        return self.lock.fence

    async def keep(self, renew: Renew, sleep: Sleep) -> None:
        """Renew until cancelled, or until it is lost."""
        lease_s = max(self.lock.expires_at - self.lock.claimed_at, 1) / 1000
        while True:
            await sleep(lease_s / RENEWALS)
            try:
                self.lock = await renew(self.lock)
            except (Conflict, NotFound) as error:
                self.lost = error
                return
            except ClientError:
                continue  # the daemon is away, or busy; the lease may outlast that


@asynccontextmanager
async def kept(
    lock: Lock, renew: Renew, release: Callable[[Lock], Awaitable[object]], sleep: Sleep
) -> AsyncIterator[HeldLock]:
    """Keep a lock for the time of a block, then give it back."""
    held = HeldLock(lock)
    keeping = asyncio.create_task(held.keep(renew, sleep))
    try:
        yield held
    finally:
        keeping.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await keeping
        # Nothing to give back where somebody else has it, or where the issue is gone.
        with contextlib.suppress(Conflict, NotFound):
            await release(held.lock)
