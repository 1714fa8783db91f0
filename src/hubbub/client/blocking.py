"""The client for programs without an event loop: the other one, on a loop in a thread."""

import asyncio
import contextlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from typing import Any, Self, Unpack

import msgspec

from hubbub.client.aio import AsyncClient, Options
from hubbub.client.calls import Blocking, Loop
from hubbub.client.events import Event, Position
from hubbub.client.generated.blocking_chat import BlockingChatMethods
from hubbub.client.generated.blocking_locks import BlockingLocksMethods
from hubbub.client.generated.blocking_runs import BlockingRunsMethods
from hubbub.client.generated.blocking_topics import BlockingTopicsMethods
from hubbub.client.generated.spaces import BlockingSpaces
from hubbub.client.held import HeldLock
from hubbub.client.place import Place
from hubbub.client.spaces import Chat, Locks, Runs, Topics
from hubbub.client.subscription import QUEUE, Following, OnResumed
from hubbub.client.turns import Turn


class BlockingFollowing(Blocking[Event]):
    """The events of topics, to be read with ``for``; ends with ``close``."""

    def __init__(self, loop: Loop, following: Following) -> None:
        """Read a subscription that lives on a loop in a thread."""
        super().__init__(loop, following)
        self._following = following

    @property
    def position(self) -> Position | None:
        """Up to where the events have been taken over."""
        return self._following.position

    def ready(self) -> Self:
        """Wait until the daemon tells us what happens."""
        self._loop.run(self._following.ready())
        return self

    def close(self) -> None:
        """End the subscription."""
        self._loop.run(self._following.aclose())

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_exception: object) -> None:
        self.close()


class BlockingTopics(BlockingTopicsMethods):
    """Publish and follow."""

    def __init__(self, loop: Loop, twin: Topics) -> None:
        """Call what has an event loop."""
        super().__init__(loop, twin)
        self._topics = twin

    def follow(
        self,
        *topics: str,
        after: Position | str | None = None,
        on_resumed: OnResumed | None = None,
        queue: int = QUEUE,
    ) -> BlockingFollowing:
        """Follow topics; as the client with an event loop does.

        Args:
            after: A position, or the cursor of an event; without it: from now on.
            on_resumed: Told, in the client's thread, how the subscription begins or goes on.
            queue: Events that may wait to be read; a slower reader is fed from the store.
        """
        follow = self._topics.follow
        made = self._loop.call(
            lambda: follow(*topics, after=after, on_resumed=on_resumed, queue=queue)
        )
        return BlockingFollowing(self._loop, made)


class BlockingLocks(BlockingLocksMethods):
    """Claim issues."""

    def __init__(self, loop: Loop, twin: Locks) -> None:
        """Call what has an event loop."""
        super().__init__(loop, twin)
        self._locks = twin

    def hold(
        self,
        issue_id: int,
        *,
        lease_ms: int | None = None,
        agent: str | None = None,
        wait: bool = False,
        wait_ms: int | None = None,
    ) -> AbstractContextManager[HeldLock]:
        """Hold the lock of an issue for the time of a block: ``with client.locks.hold(7)``.

        It is renewed in the background, with a heartbeat that names the issue where the client
        is an agent's, and released at the end.

        Raises:
            LockHeld: Another agent has it.
        """

        @contextmanager
        def held() -> Iterator[HeldLock]:
            holding = self._locks.hold(
                issue_id, lease_ms=lease_ms, agent=agent, wait=wait, wait_ms=wait_ms
            )
            lock = self._loop.run(_entered(holding))
            try:
                yield lock
            finally:
                self._loop.run(_left(holding))

        return held()


class BlockingRuns(BlockingRunsMethods):
    """Start, record and watch runs."""

    def __init__(self, loop: Loop, twin: Runs) -> None:
        """Call what has an event loop."""
        super().__init__(loop, twin)
        self._runs = twin

    def follow(self, run_id: str, *, cursor: int = 0) -> Blocking[Any]:
        """Give the turns of a run, those that were and those that come, until it has ended.

        Args:
            cursor: Index of the first turn wanted.
        """
        return Blocking(self._loop, self._runs.follow(run_id, cursor=cursor))


class BlockingChat(BlockingChatMethods):
    """Talk to agents."""

    def __init__(self, loop: Loop, twin: Chat) -> None:
        """Call what has an event loop."""
        super().__init__(loop, twin)
        self._chat = twin

    def ask(
        self, session: str, message: str, *, idempotency_key: str | None = None, **more: Any
    ) -> Blocking[str]:
        """Send a message and give the answer's text, piece by piece, as the agent says it.

        Args:
            session: ``main``, ``agent:NAME:main``, ...
            more: Further parameters of ``chat.send``.
        """
        asked = self._chat.ask(session, message, idempotency_key=idempotency_key, **more)
        return Blocking(self._loop, asked)


class BlockingTurn:
    """One turn that this agent takes."""

    def __init__(self, loop: Loop, turn: Turn) -> None:
        """Speak through a loop in a thread."""
        self._loop = loop
        self._turn = turn
        self.asked = turn.asked
        self.run_id, self.session, self.message = turn.run_id, turn.session, turn.message

    @property
    def is_over(self) -> bool:
        """Whether it has its end: an answer, an error, or it was aborted."""
        return self._turn.is_over

    def say(self, text: str) -> None:
        """Add a piece to the answer."""
        self._loop.run(self._turn.say(text))

    def tool(self, step: Mapping[str, Any]) -> None:
        """Tell what a tool does."""
        self._loop.run(self._turn.tool(step))

    def answer(self, text: str = "", **more: Any) -> None:
        """End the turn; the answer is what was said, and this text."""
        self._loop.run(self._turn.answer(text, **more))

    def fail(self, error: str) -> None:
        """End the turn without an answer."""
        self._loop.run(self._turn.fail(error))


class Client(BlockingSpaces):
    """Calls the daemon: ``with Client() as client: client.issues.create("…")``.

    Takes what ``AsyncClient`` takes, and does what it does; only that its methods wait. It may
    be used from several threads.
    """

    topics: BlockingTopics
    locks: BlockingLocks
    runs: BlockingRuns
    chat: BlockingChat

    def __init__(
        self, url: str | None = None, token: str | None = None, **options: Unpack[Options]
    ) -> None:
        """Take note; ``open``, or ``with``, connects.

        Args:
            url: Address of hubbub's own listener.
            token: Whose token is shown; the operator's by default.
            options: See ``Options``.
        """
        self._twin = AsyncClient(url, token, **options)
        self._loop = loop = Loop()
        super().__init__(loop, self._twin)
        self.topics = BlockingTopics(loop, self._twin.topics)
        self.locks = BlockingLocks(loop, self._twin.locks)
        self.runs = BlockingRuns(loop, self._twin.runs)
        self.chat = BlockingChat(loop, self._twin.chat)

    @property
    def place(self) -> Place | None:
        """Where the daemon was found last."""
        return self._twin.place

    def open(self) -> Self:
        """Connect.

        Raises:
            Unreachable: No daemon is there.
            Refused: It does not know the token.
        """
        try:
            self._loop.run(self._twin.open())
        except BaseException:
            self._loop.close()
            raise
        return self

    def close(self) -> None:
        """End the connection and the thread."""
        with contextlib.suppress(Exception):
            self._loop.run(self._twin.close())
        self._loop.close()

    def __enter__(self) -> Self:
        return self.open()

    def __exit__(self, *_exception: object) -> None:
        self.close()

    def call(
        self,
        method: str,
        params: Mapping[str, Any] | None = None,
        *,
        timeout_s: float | None = None,
    ) -> Any:
        """Call any method by its name; gives the result as it comes, decoded."""
        return self._loop.run(self._twin.call(method, params, timeout_s=timeout_s))

    def raw(
        self,
        method: str,
        params: Mapping[str, Any] | None = None,
        *,
        timeout_s: float | None = None,
    ) -> msgspec.Raw:
        """Call any method by its name; gives the result as the daemon wrote it, in JSON."""
        return self._loop.run(self._twin.raw(method, params, timeout_s=timeout_s))

    def take_turns(self, take: Callable[[BlockingTurn], str | None]) -> None:
        """Answer those who write to this agent, until Ctrl-C; each turn in a thread of its own.

        A thread cannot be cancelled: what it says after an abort raises ``TurnFailed``.

        Raises:
            Conflict: Another program takes this agent's turns.
        """

        async def taken(turn: Turn) -> str | None:
            return await asyncio.to_thread(take, BlockingTurn(self._loop, turn))

        self._loop.run(self._twin.take_turns(taken))


async def _entered(holding: Any) -> HeldLock:
    held: HeldLock = await holding.__aenter__()
    return held


async def _left(holding: Any) -> None:
    await holding.__aexit__(None, None, None)
