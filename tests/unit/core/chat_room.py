"""A room for tests of the chat: the real services, and an agent that the test plays."""

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Any

import msgspec

from hubbub.core.bus import Bus
from hubbub.core.chat.agents import Agents, AgentSettings, ChatSettings
from hubbub.core.chat.conversation import SendRequest, Sent
from hubbub.core.chat.service import Chat
from hubbub.core.journal import Journal
from hubbub.core.ports import Runner, RunnerOutput, RunnerTurn, Settled, Unit
from hubbub.core.runs.service import Runs
from hubbub.core.values import OPERATOR, Event, Principal, uuid7
from hubbub.errors import StoreUnavailable
from hubbub.storage.sqlite import SqliteStore
from tests.unit.conftest import ManualClock


PATIENCE_S = 20
MAIN = "agent:main:main"


class Played:
    """One turn, held open until the test says how it goes on."""

    def __init__(self, asked: RunnerTurn) -> None:
        self.asked = asked
        self.steps: asyncio.Queue[RunnerOutput | Exception | None] = asyncio.Queue()
        self.dropped = asyncio.Event()

    def say(self, text: str) -> None:
        """Say a piece of the answer."""
        self.steps.put_nowait(RunnerOutput(text=text))

    def give(self, output: RunnerOutput) -> None:
        """Give any step."""
        self.steps.put_nowait(output)

    def finish(self) -> None:
        """End the answer."""
        self.steps.put_nowait(None)

    def fail(self, error: Exception) -> None:
        """Fail."""
        self.steps.put_nowait(error)


class PlayedRunner:
    """Lets the test play every turn."""

    def __init__(self) -> None:
        self.turns: list[Played] = []
        self._fresh: asyncio.Queue[Played] = asyncio.Queue()
        self.last_step: RunnerOutput | None = None
        """Given when a turn is cancelled, as a runner does that does not listen."""

    async def take(self, turn: RunnerTurn) -> AsyncIterator[RunnerOutput]:
        """Follow the test."""
        played = Played(turn)
        self.turns.append(played)
        self._fresh.put_nowait(played)
        try:
            while True:
                try:
                    step = await played.steps.get()
                except asyncio.CancelledError:
                    if self.last_step is None:
                        raise
                    yield self.last_step
                    step = None
                if step is None:
                    return
                if isinstance(step, Exception):
                    raise step
                yield step
        finally:
            played.dropped.set()

    async def next_turn(self) -> Played:
        """Wait for the next turn."""
        return await asyncio.wait_for(self._fresh.get(), PATIENCE_S)


class Words:
    """A runner whose turns are plain iterators, with nothing to close."""

    def __init__(self, *words: str) -> None:
        self._words = list(words)

    def take(self, turn: RunnerTurn) -> AsyncIterator[RunnerOutput]:
        """Say the words."""
        return self

    def __aiter__(self) -> AsyncIterator[RunnerOutput]:
        return self

    async def __anext__(self) -> RunnerOutput:
        if not self._words:
            raise StopAsyncIteration
        return RunnerOutput(text=self._words.pop(0))


class Ears:
    """Hears everything of the chat, in order."""

    def __init__(self, bus: Bus) -> None:
        self.events: list[Event] = []
        self._stirred = asyncio.Event()
        bus.listen(["chat/*"], self._heard)

    def _heard(self, event: Event) -> None:
        self.events.append(event)
        self._stirred.set()

    def of(self, run_id: str) -> list[tuple[str, dict[str, Any]]]:
        """Give kind and data of a run's events."""
        told = [(event.kind, msgspec.json.decode(event.data)) for event in self.events]
        return [(kind, data) for kind, data in told if data.get("run_id") == run_id]

    def kinds(self, run_id: str) -> list[str]:
        """Give the kinds of a run's events."""
        return [kind for kind, _ in self.of(run_id)]

    async def until(self, condition: Callable[[], bool]) -> None:
        """Wait until what was heard satisfies a condition."""
        async with asyncio.timeout(PATIENCE_S):
            while not condition():
                self._stirred.clear()
                await self._stirred.wait()

    async def wait(self, run_id: str, kind: str) -> dict[str, Any]:
        """Wait for a run's event of one kind; gives its data."""
        await self.until(lambda: kind in self.kinds(run_id))
        return next(data for other, data in self.of(run_id) if other == kind)


class FlakyJournal(Journal):
    """A journal whose disk is full for some units."""

    refuse = 0
    """How many units are refused from now on."""
    submitted = 0
    """Units so far."""
    before_unit: tuple[int, Callable[[], None]] = (0, lambda: None)
    """What to do right before the n-th unit is queued."""

    def submit(self, unit: Unit[Any], done: Callable[[Settled], None]) -> None:
        """Refuse, or store."""
        self.submitted += 1
        if self.submitted == self.before_unit[0]:
            self.before_unit[1]()
        if not self.refuse:
            super().submit(unit, done)
            return
        self.refuse -= 1
        error = StoreUnavailable("the disk is full")
        asyncio.get_running_loop().call_soon(done, Settled(done=done, error=error))


class Room:
    """One daemon's chat; another one on the same store is the daemon after a restart."""

    def __init__(
        self,
        store: SqliteStore,
        clock: ManualClock,
        *,
        agent: AgentSettings | None = None,
        settings: ChatSettings | None = None,
        runner: Runner | None = None,
    ) -> None:
        self.store = store
        self.bus = Bus(store)
        self.journal = FlakyJournal(store, self.bus, crash=lambda _: None)
        self.runs = Runs(self.journal, store, self.bus, clock, uuid7)
        self.runner = PlayedRunner()
        agents = Agents({"main": agent or AgentSettings()}, lambda _: runner or self.runner)
        self.chat = Chat(
            self.journal,
            store,
            self.bus,
            runs=self.runs,
            agents=agents,
            clock=clock,
            ids=uuid7,
            settings=settings or ChatSettings(delta_interval_ms=0, retry_s=0.01),
        )
        self.ears = Ears(self.bus)

    async def send(
        self,
        key: str,
        message: str = "hello",
        *,
        session: str = "main",
        caller: Principal = OPERATOR,
    ) -> Sent:
        """Send a message."""
        request = SendRequest(session_key=session, message=message, idempotency_key=key)
        return await self.chat.send(caller, request)

    async def begin(self, key: str, message: str = "hello", *, session: str = "main") -> Played:
        """Send a message and wait for its turn."""
        assert (await self.send(key, message, session=session)).status == "started"
        return await self.runner.next_turn()

    async def finish(self, key: str, answer: str = "done", *, session: str = "main") -> None:
        """Send a message and let it be answered."""
        turn = await self.begin(key, f"say {answer}", session=session)
        turn.say(answer)
        turn.finish()
        await self.ears.wait(key, "chat.final")

    async def texts(self, session: str = "main") -> list[tuple[str, str]]:
        """Give role and text of each message of a session."""
        found = await self.chat.history(session)
        messages = [msgspec.json.decode(message) for message in found.messages]
        return [
            (message["role"], "".join(part["text"] for part in message["content"]))
            for message in messages
        ]

    async def trace(self, run_id: str) -> list[dict[str, Any]]:
        """Give the turns of a run."""
        snapshot = await self.runs.snapshot(run_id)
        return msgspec.json.decode(snapshot.turns, type=list[dict[str, Any]])
