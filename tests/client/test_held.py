"""A lock that is held for as long as the work takes."""

import asyncio
from contextlib import AbstractAsyncContextManager

import pytest

from hubbub.client import HeldLock, StaleFence, Unreachable
from hubbub.client.errors import refused
from hubbub.client.held import kept
from hubbub.client.types import Lock


class Book:
    """The daemon, as far as a lock needs it; each renewal takes the next word."""

    def __init__(self, *renewals: Exception | None) -> None:
        self._renewals = list(renewals)
        self.slept: list[float] = []
        self.released: list[Lock] = []
        self.ready = asyncio.Event()

    def hold(self, *, release: Exception | None = None) -> AbstractAsyncContextManager[HeldLock]:
        """Keep a lock with a lease of three seconds."""
        self._release = release
        lock = Lock(issue_id=1, holder="a", fence=4, claimed_at=1000, expires_at=4000)
        return kept(lock, self.renew, self.release, self.sleep)

    async def renew(self, lock: Lock) -> Lock:
        """Renew, or fail as the test has it."""
        word = self._renewals.pop(0)
        if word is not None:
            raise word
        return Lock(issue_id=1, holder="a", fence=4, claimed_at=2000, expires_at=5000)

    async def release(self, lock: Lock) -> None:
        """Take it back."""
        self.released.append(lock)
        if self._release is not None:
            raise self._release

    async def sleep(self, seconds: float) -> None:
        """Do not wait while there is a word left; then for ever."""
        self.slept.append(seconds)
        if not self._renewals:
            self.ready.set()
            await asyncio.Event().wait()


async def test_lock_is_renewed_and_released() -> None:
    """Three times in a lease; a daemon that is away for once takes nothing from us."""
    book = Book(None, Unreachable("away"), None)
    async with book.hold() as held:
        await book.ready.wait()
        assert (held.issue_id, held.fence, held.lock.expires_at, held.lost) == (1, 4, 5000, None)
    assert book.slept == [1.0] * 4
    assert [lock.expires_at for lock in book.released] == [5000]


async def test_lock_that_is_lost_says_so() -> None:
    """Nothing is renewed after that; that it cannot be given back either is no error."""
    stale = refused("it is 5 now", "stale_fence", retryable=False, data={})
    book = Book(stale)
    async with book.hold(release=stale) as held:
        while held.lost is None:  # noqa: ASYNC110 the keeper tells nobody else
            await asyncio.sleep(0)
        assert isinstance(held.lost, StaleFence)
    assert len(book.released) == 1


async def test_lock_is_released_when_the_work_fails() -> None:
    """The error goes on; an issue that was deleted meanwhile is no other error."""
    book = Book()
    with pytest.raises(ValueError, match="too hard"):
        async with book.hold(release=refused("?", "not_found", retryable=False, data={})):
            raise ValueError("too hard")
    assert len(book.released) == 1
