"""Taking turns: people write to an agent, and the agent's own program answers."""

import asyncio
import itertools
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from typing import Any

import msgspec

from hubbub.client.calls import Calls
from hubbub.client.errors import ClientError, Closed, Conflict, NotFound, TurnFailed
from hubbub.client.link import Link


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """What an agent is asked."""

    run_id: str
    session: str
    message: str
    history: list[Any] = []
    """Earlier messages of the session, oldest first, as stored."""
    attachments: list[Any] = []
    """Images: ``type``, ``data`` (base64), ``mimeType``."""
    thinking: str | None = None
    timeout_s: float = 600.0
    """Seconds after which the daemon aborts the turn."""
    heard: int = 0
    """Pieces of the answer that the daemon has."""


class _Turns(msgspec.Struct, frozen=True):
    """Result of ``agents.attach``."""

    turns: list[Asked]


class _Handed(msgspec.Struct, frozen=True):
    """Parameters of ``chat.turn``."""

    turn: Asked


class _Stopped(msgspec.Struct, frozen=True):
    """Parameters of ``chat.stop``."""

    run_id: str


class Turn:
    """One turn that this agent takes."""

    def __init__(self, calls: Calls, asked: Asked, agent: str | None = None) -> None:
        """Begin with nothing said."""
        self.asked = asked
        self._agent = agent
        self._order = asyncio.Lock()
        """Pieces leave one after the other; the daemon takes them in order only."""
        self.is_over = False
        """Whether it has its end: an answer, an error, or it was aborted."""
        self._calls = calls
        self._numbers = itertools.count(asked.heard)

    @property
    def run_id(self) -> str:
        """Id of the turn's run."""
        return self.asked.run_id

    @property
    def session(self) -> str:
        """The conversation."""
        return self.asked.session

    @property
    def message(self) -> str:
        """What was written."""
        return self.asked.message

    async def say(self, text: str) -> None:
        """Add a piece to the answer; everyone who follows the conversation sees it.

        Raises:
            TurnFailed: The turn has ended meanwhile: nobody waits for more.
        """
        await self._step({"text": text})

    async def tool(self, step: Mapping[str, Any]) -> None:
        """Tell what a tool does: ``phase`` (``start``, ``update``, ``result``), ``toolCallId``, ...

        Raises:
            TurnFailed: The turn has ended meanwhile.
        """
        await self._step({"tool": step})

    async def answer(
        self,
        text: str = "",
        *,
        usage: Mapping[str, int] | None = None,
        model: str | None = None,
        provider: str | None = None,
    ) -> None:
        """End the turn; the answer is what was said, and this text.

        Raises:
            TurnFailed: It has ended otherwise.
        """
        more = {"text": text or None, "usage": usage, "model": model, "provider": provider}
        await self._end(more)

    async def fail(self, error: str) -> None:
        """End the turn without an answer.

        Raises:
            TurnFailed: It has ended otherwise.
        """
        await self._end({"error": error})

    async def _step(self, step: Mapping[str, Any]) -> None:
        async with self._order:
            await self._call("chat.say", {"n": next(self._numbers), **step})

    async def _end(self, end: Mapping[str, Any]) -> None:
        await self._call("chat.answer", end)
        self.is_over = True

    async def _call(self, method: str, params: Mapping[str, Any]) -> None:
        if self.is_over:
            raise TurnFailed(self.run_id, "it has ended")
        try:
            await self._calls.invoke(
                method, {"run_id": self.run_id, "agent": self._agent, **params}, object, None
            )
        except (Conflict, NotFound) as error:
            self.is_over = True
            raise TurnFailed(self.run_id, str(error)) from None


Take = Callable[[Turn], Awaitable[str | None]]
"""Takes a turn; a text that it gives is the answer, or the rest of it."""


class TurnTaking:
    """The turns of one agent, each a task; a turn that is aborted is cancelled."""

    def __init__(
        self, link: Link, calls: Calls, take: Take, *, agent: str | None, instance: str
    ) -> None:
        """Take turns on whatever connection there is.

        Args:
            agent: Which one; only an operator's client has to say it.
            instance: Names this program: its next connection goes on with the turns of its last.
        """
        self._link = link
        self._calls = calls
        self._take = take
        self._agent = agent
        self._params = {"instance": instance} | ({} if agent is None else {"agent": agent})
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._end: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    async def run(self) -> None:
        """Take turns until cancelled, or until the client is closed.

        Raises:
            Conflict: Another program takes this agent's turns.
        """
        link = self._link
        link.check()
        if "chat.turn" in link.notified:
            message = "this client takes turns already; an agent needs a client of its own"
            raise ClientError(message)
        link.notified["chat.turn"] = self._handed
        link.notified["chat.stop"] = self._stopped
        link.beginnings.append(self._attach)
        link.failed.append(self._failed)
        try:
            if link.is_up:
                self._attach()
            await self._end
        finally:
            del link.notified["chat.turn"], link.notified["chat.stop"]
            link.beginnings.remove(self._attach)
            link.failed.remove(self._failed)
            for task in self._tasks.values():
                task.cancel()
            await asyncio.gather(*self._tasks.values(), return_exceptions=True)
            if link.is_up:
                link.begin("agents.detach", self._params, lambda _result: None)

    def _attach(self) -> None:
        def done(result: msgspec.Raw | ClientError) -> None:
            if isinstance(result, ClientError):
                self._failed(result)
                return
            open_turns = msgspec.json.decode(result, type=_Turns).turns
            for asked in open_turns:
                self._begin(asked)
            # Whatever is open here and not there has ended while nobody could tell us.
            for run_id in set(self._tasks) - {asked.run_id for asked in open_turns}:
                self._tasks[run_id].cancel()

        self._link.begin("agents.attach", self._params, done)

    def _failed(self, error: ClientError) -> None:
        if self._end.done():
            return
        if isinstance(error, Closed):
            self._end.set_result(None)
        else:
            self._end.set_exception(error)

    def _handed(self, params: msgspec.Raw) -> None:
        self._begin(msgspec.json.decode(params, type=_Handed).turn)

    def _stopped(self, params: msgspec.Raw) -> None:
        task = self._tasks.get(msgspec.json.decode(params, type=_Stopped).run_id)
        if task is not None:
            task.cancel()

    def _begin(self, asked: Asked) -> None:
        if asked.run_id not in self._tasks:
            task = asyncio.create_task(self._taken(Turn(self._calls, asked, self._agent)))
            self._tasks[asked.run_id] = task
            task.add_done_callback(lambda _task: self._tasks.pop(asked.run_id, None))

    async def _taken(self, turn: Turn) -> None:
        """Take one turn to its end; what it raises is its end, and nobody else's."""
        try:
            rest = await self._take(turn)
            if not turn.is_over:
                await turn.answer(rest or "")
        except TurnFailed:
            return
        except Exception as error:  # noqa: BLE001 one turn that fails must not end the agent
            await _told(turn.fail(f"{type(error).__name__}: {error}"))


async def _told(failing: Coroutine[Any, Any, None]) -> None:
    """Tell a turn's error, if the turn still wants to hear it."""
    try:
        await failing
    except ClientError:
        return
