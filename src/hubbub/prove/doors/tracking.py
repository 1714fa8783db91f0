"""Work on issues and under locks, the same at every door that has a tracker.

A door gives its calls as a ``Tracker``; whoever works here records, retries and pauses.
"""

import asyncio
from typing import Protocol

from hubbub.prove.desk import Ask, Desk, Reply
from hubbub.prove.doors.wire import surely


ARENAS = 3
"""Locks for which all rivals of all doors compete: those of the oldest issues."""
LEASE_MS = 2000
"""Milliseconds of a lease: short, so that many lapse."""
RENEWS = 0.3
"""Share of the holds that are renewed."""
DAWDLES = 0.15
"""Share of the holds whose holder sleeps over the end of its lease, and goes on writing."""
LEAVES = 0.1
"""Share of the holds that are left to lapse."""
CHEATS = 0.3
"""Share of the turns in which a rival writes under a grant that it gave back."""


class Tracker(Protocol):
    """A door's calls on issues and locks; each raises as ``Desk.ask`` wants it."""

    renews: bool
    """Whether it can; at a door that cannot, a holder claims again."""

    async def create(self, title: str, key: str) -> int:
        """Open an issue and give its number."""

    async def comment(self, issue: int, text: str, key: str, fence: int | None = None) -> str:
        """Comment on an issue and give the comment's id."""

    async def update(self, issue: int, text: str, key: str, fence: int) -> None:
        """Change an issue's description, under a lock."""

    async def close(self, issue: int, key: str) -> None:
        """Close an issue."""

    async def claim(self, issue: int, lease_ms: int, key: str) -> int:
        """Claim a lock and give the fence."""

    async def renew(self, issue: int, lease_ms: int, fence: int, key: str) -> None:
        """Extend a lock that is held."""

    async def release(self, issue: int, fence: int, key: str) -> None:
        """Give a lock back."""

    async def issues(self) -> list[int]:
        """Give the numbers of all issues."""


async def open_issue(desk: Desk, tracker: Tracker) -> int | None:
    """Open an issue with a new label as its title; gives its number, if it is known."""
    title = desk.mark()

    async def call() -> Reply:
        return Reply(value=str(await tracker.create(title, title)))

    reply = await desk.ask(Ask(verb="issue.create", op=title, reads=("issue",), key=title), call)
    await desk.pause()
    return None if reply is None else int(reply.value)


async def comment(
    desk: Desk, tracker: Tracker, issue: int, *, fence: int | None = None
) -> Reply | None:
    """Comment with a new label, under a lock where a fence is given."""
    text = desk.mark()
    ask = Ask(
        verb="issue.comment",
        op=text,
        stream=f"issues/{issue}",
        reads=("comment",),
        key=text,
        fence=fence,
        lock=None if fence is None else f"locks/{issue}",
    )

    async def call() -> Reply:
        return Reply(value=await tracker.comment(issue, text, text, fence))

    reply = await desk.ask(ask, call)
    await desk.pause()
    return reply


async def update(desk: Desk, tracker: Tracker, issue: int, *, fence: int) -> None:
    """Change the description of an issue under its lock; the next change hides it again."""
    text, topic = desk.mark(), f"issues/{issue}"

    async def call() -> Reply:
        await tracker.update(issue, text, text, fence)
        return Reply()

    ask = Ask(
        verb="issue.update",
        op=text,
        stream=topic,
        reads=(),
        key=text,
        fence=fence,
        lock=f"locks/{issue}",
    )
    await desk.ask(ask, call)
    await desk.pause()


async def keep_issues(desk: Desk, tracker: Tracker) -> None:
    """Open issues, comment on them and close them, until it is time to stop."""
    while not desk.stopping.is_set():
        issue = await open_issue(desk, tracker)
        if issue is None:
            continue
        await comment(desk, tracker, issue)
        await _close(desk, tracker, issue)


async def _close(desk: Desk, tracker: Tracker, issue: int) -> None:
    key, topic = desk.mark(), f"issues/{issue}"

    async def call() -> Reply:
        await tracker.close(issue, key)
        return Reply()

    await desk.ask(Ask(verb="issue.close", op=f"{topic} status", stream=topic, key=key), call)
    await desk.pause()


async def compete(desk: Desk, tracker: Tracker) -> None:
    """Claim the locks that all rivals want, write under them, and also where it must not."""
    rival = Rival(desk, tracker, await _arenas(desk, tracker))
    while not desk.stopping.is_set():
        await rival.turn()


async def _arenas(desk: Desk, tracker: Tracker) -> list[int]:
    """Find the oldest issues; who has opened as many knows that there are enough."""
    for _ in range(ARENAS):
        while await open_issue(desk, tracker) is None and not desk.stopping.is_set():
            pass
    return sorted(await surely(desk, tracker.issues))[:ARENAS]


class Rival:
    """One who competes for locks."""

    def __init__(self, desk: Desk, tracker: Tracker, issues: list[int]) -> None:
        """Begin without a lock.

        Args:
            issues: Those whose locks are wanted.
        """
        self._desk = desk
        self._tracker = tracker
        self._issues = issues
        self._given_back: dict[int, int] = {}
        """Of each issue, the fence of the last grant that was given back for sure."""

    async def turn(self) -> None:
        """Take one lock, write under it, and end it."""
        dice, issue = self._desk.random, self._desk.random.choice(self._issues)
        fence = await self._claim(issue)
        if fence is not None:
            for _ in range(dice.randint(1, 3)):
                write = dice.choice((comment, update))
                await write(self._desk, self._tracker, issue, fence=fence)
            if dice.random() < RENEWS:
                fence = await self._extend(issue, fence)
            if dice.random() < DAWDLES:
                await asyncio.sleep(LEASE_MS / 1000)
                await comment(self._desk, self._tracker, issue, fence=fence)
            if dice.random() >= LEAVES or self._desk.stopping.is_set():
                await self._release(issue, fence)
        old = self._given_back.get(issue)
        if old is not None and dice.random() < CHEATS:
            await comment(self._desk, self._tracker, issue, fence=old)

    async def _claim(self, issue: int) -> int | None:
        key = self._desk.mark()

        async def call() -> Reply:
            return Reply(fence=await self._tracker.claim(issue, LEASE_MS, key))

        reply = await self._desk.ask(self._ask("lock.claim", issue, key), call)
        await self._desk.pause()
        return None if reply is None else reply.fence

    async def _extend(self, issue: int, fence: int) -> int:
        """Extend a lease, and give the fence that counts from here on."""
        if not self._tracker.renews:
            return await self._claim(issue) or fence
        await self._renew(issue, fence)
        return fence

    async def _renew(self, issue: int, fence: int) -> None:
        key = self._desk.mark()

        async def call() -> Reply:
            await self._tracker.renew(issue, LEASE_MS, fence, key)
            return Reply()

        await self._desk.ask(self._ask("lock.renew", issue, key, fence), call)
        await self._desk.pause()

    async def _release(self, issue: int, fence: int) -> None:
        key = self._desk.mark()

        async def call() -> Reply:
            await self._tracker.release(issue, fence, key)
            return Reply()

        if await self._desk.ask(self._ask("lock.release", issue, key, fence), call):
            self._given_back[issue] = fence
        await self._desk.pause()

    def _ask(self, verb: str, issue: int, key: str, fence: int | None = None) -> Ask:
        lock = f"locks/{issue}"
        return Ask(verb=verb, op=key, stream=lock, reads=(), key=key, fence=fence, lock=lock)
