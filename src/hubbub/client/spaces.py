"""The namespaces that can do more than call methods."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any

import msgspec

from hubbub.client.calls import Calls
from hubbub.client.errors import Missed, TurnFailed
from hubbub.client.events import Event, Position, cursor_of
from hubbub.client.generated.agents import AgentsMethods
from hubbub.client.generated.chat import ChatMethods
from hubbub.client.generated.locks import LocksMethods
from hubbub.client.generated.runs import RunsMethods
from hubbub.client.generated.topics import TopicsMethods
from hubbub.client.generated.types import Lock
from hubbub.client.held import HeldLock, kept
from hubbub.client.pace import Sleep
from hubbub.client.subscription import QUEUE, Board, Following, OnResumed


class Topics(TopicsMethods):
    """Publish and follow."""

    def __init__(self, calls: Calls, board: Board) -> None:
        """Follow by way of a board."""
        super().__init__(calls)
        self._board = board

    def follow(
        self,
        *topics: str,
        after: Position | str | None = None,
        on_resumed: OnResumed | None = None,
        queue: int = QUEUE,
    ) -> Following:
        """Follow topics: names, ``prefix/*``, or nothing for all.

        After a drop it goes on by itself where it was: nothing is missed, nothing comes twice.
        Where that cannot be, because what followed is gone, it ends with ``Missed``.

        Args:
            after: A position, or the cursor of an event; without it: from now on.
            on_resumed: Told each time that the subscription begins or goes on. Who gives it is
                told there, too, that events are gone (``recovered`` is false); then what there
                is follows, and nothing is raised.
            queue: Events that may wait to be read; a slower reader is fed from the store.
        """
        return Following(self._board, topics or ("*",), cursor_of(after), on_resumed, queue)


class Locks(LocksMethods):
    """Claim issues."""

    def __init__(self, calls: Calls, agents: AgentsMethods, sleep: Sleep) -> None:
        """Tell what an agent works on by way of its heartbeats."""
        super().__init__(calls)
        self._agents = agents
        self._sleep = sleep
        self.agent: str | None = None
        """The agent whose client this is; it also sends heartbeats while it holds a lock."""

    def hold(
        self,
        issue_id: int,
        *,
        lease_ms: int | None = None,
        agent: str | None = None,
        wait: bool = False,
        wait_ms: int | None = None,
    ) -> AbstractAsyncContextManager[HeldLock]:
        """Hold the lock of an issue for the time of a block: ``async with client.locks.hold(7)``.

        It is renewed in the background, with a heartbeat that names the issue where the client
        is an agent's, and released at the end.

        Raises:
            LockHeld: Another agent has it.
        """

        @asynccontextmanager
        async def held() -> AsyncIterator[HeldLock]:
            lock = await self.claim(
                issue_id, lease_ms=lease_ms, agent=agent, wait=wait, wait_ms=wait_ms
            )
            await self._beat(issue_id)
            renew, release = self._renewing(lease_ms, agent), self._releasing(agent)
            try:
                async with kept(lock, renew, release, self._sleep) as found:
                    yield found
            finally:
                await self._beat(None)

        return held()

    def _renewing(
        self, lease_ms: int | None, agent: str | None
    ) -> Callable[[Lock], Awaitable[Lock]]:
        async def renew(lock: Lock) -> Lock:
            renewed = await self.renew(lock.issue_id, lock.fence, lease_ms=lease_ms, agent=agent)
            await self._beat(lock.issue_id)
            return renewed

        return renew

    def _releasing(self, agent: str | None) -> Callable[[Lock], Awaitable[object]]:
        async def release(lock: Lock) -> object:
            return await self.release(lock.issue_id, fence=lock.fence, agent=agent)

        return release

    async def _beat(self, issue_id: int | None) -> None:
        if self.agent is not None:
            await self._agents.heartbeat(active_issue_id=issue_id)


class Runs(RunsMethods):
    """Start, record and watch runs."""

    def __init__(self, calls: Calls, topics: Topics) -> None:
        """Watch by way of topics."""
        super().__init__(calls)
        self._topics = topics

    async def follow(self, run_id: str, *, cursor: int = 0) -> AsyncIterator[Any]:
        """Give the turns of a run, those that were and those that come, until it has ended.

        Args:
            cursor: Index of the first turn wanted.

        Raises:
            NotFound: There is no such run.
        """
        while True:
            trace = await self.trace(run_id, cursor=cursor)
            for turn in trace.turns:
                yield turn
            cursor = trace.cursor
            if cursor < trace.run.turn_count:
                continue
            if trace.run.status != "in_progress":
                return
            async with self._topics.follow(f"runs/{run_id}", after=trace.position) as events:
                try:
                    async for event in events:
                        if event.kind == "run.ended":
                            return
                        if event.kind == "run.turn" and event.data["index"] >= cursor:
                            cursor = event.data["index"] + 1
                            yield event.data["turn"]
                except Missed:
                    continue  # the trace has them all


class _Spelt(msgspec.Struct, frozen=True):
    """What is read of a history: the one spelling of its session, which its topic has."""

    session: str


class Chat(ChatMethods):
    """Talk to agents."""

    def __init__(self, calls: Calls, topics: Topics, ids: Callable[[], str]) -> None:
        """Hear answers by way of topics."""
        super().__init__(calls)
        self._topics = topics
        self._ids = ids

    async def ask(
        self, session: str, message: str, *, idempotency_key: str | None = None, **more: Any
    ) -> AsyncIterator[str]:
        """Send a message and give the answer's text, piece by piece, as the agent says it.

        Args:
            session: ``main``, ``agent:NAME:main``, ...
            more: Further parameters of ``chat.send``.

        Raises:
            TurnFailed: The turn ended without an answer.
        """
        key = idempotency_key or self._ids()
        params = {"session": session, "limit": 1}
        page = await self._calls.invoke("chat.history", params, _Spelt, None)
        said = ""
        async with self._topics.follow(f"chat/{page.session}") as events:
            await events.ready()
            sent = await self.send(session, message, idempotency_key=key, **more)
            if sent.status in ("ok", "error", "stopped"):
                return  # asked before: the history has what was answered
            async for event in events:
                data = event.data
                if data.get("run_id") != sent.run_id:
                    continue
                piece = _piece(event, data, said)
                if piece:
                    said += piece
                    yield piece
                if event.kind == "chat.final":
                    return


def _piece(event: Event, data: Any, said: str) -> str:
    """Give what an event adds to an answer.

    Raises:
        TurnFailed: The turn has ended without one.
    """
    if event.kind == "chat.delta":
        return str(data["text"])[len(said) :]
    if event.kind == "chat.final":
        # A stored answer has no space around it.
        text, heard = text_of(data.get("message")), said.lstrip()
        return text[len(heard) :] if text.startswith(heard) else ""
    if event.kind in ("chat.error", "chat.aborted"):
        raise TurnFailed(data["run_id"], str(data.get("error") or data.get("reason")))
    return ""


def text_of(message: Any) -> str:
    """Give the text of a stored message."""
    content = message.get("content", "") if isinstance(message, dict) else ""
    if isinstance(content, str):
        return content
    return "".join(part.get("text", "") for part in content if part.get("type") == "text")
