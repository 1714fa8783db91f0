"""Taking turns: which may run now, what their runners say, and how they end.

A turn is ``started`` in the store before its runner does anything, so a crash can never
lead to a second execution; its end is stored before it is told.
"""

import asyncio
import functools
from collections.abc import AsyncGenerator, AsyncIterator, Callable

import msgspec

from hubbub.core.chat import session_table
from hubbub.core.chat.agents import Agents, ChatSettings
from hubbub.core.chat.live_turns import LiveTurn, LiveTurns
from hubbub.core.chat.messages import images_of, whole
from hubbub.core.chat.stored_turn import Answer, StoredTurn, prompt_in, turn_of
from hubbub.core.chat.transcript import before_in
from hubbub.core.chat.turn_table import TurnTable
from hubbub.core.journal import Journal
from hubbub.core.ports import RunnerOutput, RunnerTurn, Settled, Transaction, Unit
from hubbub.core.runs.trace import Turn
from hubbub.errors import RunnerFailed, StoreUnavailable
from hubbub.telemetry import log


DAEMON = "daemon"
"""Actor of an end that nobody asked for."""


class _ToolStep(msgspec.Struct, frozen=True):
    """What is recorded of a tool's work."""

    phase: str = ""
    name: str | None = None
    args: msgspec.Raw | msgspec.UnsetType = msgspec.UNSET
    result: msgspec.Raw | msgspec.UnsetType = msgspec.UNSET


class Turns:
    """Starts turns, listens to their runners, and stores how they end."""

    def __init__(
        self,
        journal: Journal,
        table: TurnTable,
        *,
        live: LiveTurns,
        agents: Agents,
        settings: ChatSettings,
    ) -> None:
        """Begin with no turn; ``load`` brings back what the store knows."""
        self._journal = journal
        self._table = table
        self._live = live
        self._agents = agents
        self._settings = settings
        self._tasks: set[asyncio.Task[None]] = set()
        self._closing = False

    async def load(self) -> None:
        """End the turns that were in the middle, and let those wait that never began."""

        def load(tx: Transaction) -> list[StoredTurn]:
            turns = [turn_of(row) for row in tx.rows("chat_turn_open_all")]
            for turn in turns:
                self._table.interrupt_in(tx, turn)
            return [turn for turn in turns if turn.state == "accepted"]

        for turn in await self._journal.commit(load):
            self._live.add(LiveTurn(turn.run_id, turn.session_key, turn.agent, turn.spelling))

    async def close(self) -> None:
        """End what runs, and wait until no process or connection is left of it."""
        self._closing = True
        for turn in self._live.all():
            if turn.is_running:
                self._journal.submit(self._interrupting(turn), _logged)
                turn.stop()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._journal.settled()

    def fill(self) -> None:
        """Begin waiting turns as far as there are places."""
        while not self._closing:
            turn = self._live.take_next(self._limit, self._settings.max_turns)
            if turn is None:
                return
            self._begin(turn)

    # -- a turn's beginning --------------------------------------------------------------

    def _begin(self, turn: LiveTurn) -> None:
        def begin(tx: Transaction) -> RunnerTurn | None:
            stored = self._table.begin_in(tx, turn.run_id)
            return None if stored is None else self._asked_in(tx, stored)

        self._journal.submit(begin, functools.partial(self._begun, turn))

    def _asked_in(self, tx: Transaction, turn: StoredTurn) -> RunnerTurn:
        """Put together what a runner is given."""
        settings = self._settings
        text, message = prompt_in(tx, turn)
        history = before_in(
            tx,
            turn.session_id,
            turn.place,
            limit=settings.context_messages,
            max_bytes=settings.context_bytes,
        )
        session = session_table.get_in(tx, turn.session_key)
        asked_s = None if turn.timeout_ms is None else turn.timeout_ms / 1000
        return RunnerTurn(
            run_id=turn.run_id,
            agent=turn.agent,
            session_key=turn.session_key,
            message=text,
            history=history,
            attachments=images_of(message),
            thinking=turn.thinking or session.fields.get("thinkingLevel"),
            timeout_s=min(
                asked_s or self._agents.settings(turn.agent).timeout_s, settings.max_timeout_s
            ),
        )

    def _begun(self, turn: LiveTurn, settled: Settled) -> None:
        if isinstance(settled.error, StoreUnavailable):
            self._later(self._begin, turn)
        elif settled.error is not None:
            self._end(turn, Answer(error=f"the turn could not begin: {settled.error}"))
        elif settled.value is not None and not self._closing:
            turn.task = asyncio.get_running_loop().create_task(self._take(turn, settled.value))
            self._tasks.add(turn.task)
            turn.task.add_done_callback(self._tasks.discard)

    # -- its work ------------------------------------------------------------------------

    async def _take(self, turn: LiveTurn, asked: RunnerTurn) -> None:
        """Listen to a runner to its end; cancelled once the turn has ended otherwise."""
        loop = asyncio.get_running_loop()
        timer = loop.call_later(asked.timeout_s, self._time_out, turn)
        try:
            answer = await self._listen(turn, asked)
        except RunnerFailed as error:
            answer = Answer(text=self._text(turn), error=str(error))
        except Exception as error:  # noqa: BLE001 whatever a runner does, its turn gets an end
            log.exception("runner_failed", run_id=turn.run_id, agent=turn.agent)
            answer = Answer(text=self._text(turn), error=f"{type(error).__name__}: {error}")
        finally:
            timer.cancel()
        self._end(turn, answer)

    async def _listen(self, turn: LiveTurn, asked: RunnerTurn) -> Answer:
        answer = Answer()
        size = 0
        outputs = self._agents.runner(turn.agent).take(asked)
        try:
            async for output in outputs:
                size += self._hear(turn, output)
                if size > self._settings.max_answer_bytes:
                    message = f"the answer is over {self._settings.max_answer_bytes} bytes"
                    raise RunnerFailed(message)
                answer = Answer(
                    usage=output.usage or answer.usage,
                    model=output.model or answer.model,
                    provider=output.provider or answer.provider,
                )
        finally:
            await _close(outputs)
        return msgspec.structs.replace(answer, text=self._text(turn))

    def _hear(self, turn: LiveTurn, output: RunnerOutput) -> int:
        """Tell one step; gives the bytes of its text."""
        if output.tool is not None:
            self._live.work(turn, output.tool)
            self._record(turn, output.tool)
        if not output.text:
            return 0
        text = whole(output.text)
        self._live.say(turn, text)
        return len(text.encode())

    def _text(self, turn: LiveTurn) -> str:
        """Tell what is left to tell, and give all of the answer."""
        self._live.flush(turn)
        return turn.text.strip()

    def _record(self, turn: LiveTurn, tool: msgspec.Raw) -> None:
        """Add a tool's result to the run's trace."""
        try:
            step = msgspec.json.decode(tool, type=_ToolStep)
        except msgspec.DecodeError:
            return  # told as it is; what it means is between the agent and its clients
        if step.phase != "result":
            return
        recorded = Turn(tool=step.name, parameters=step.args, output=step.result)

        def record(tx: Transaction) -> None:
            stored = self._table.find_in(tx, turn.run_id)
            if stored is not None and stored.state == "started":
                self._table.record_in(tx, stored, recorded)

        self._journal.submit(record, _logged)

    # -- its end -------------------------------------------------------------------------

    def _end(self, turn: LiveTurn, answer: Answer) -> None:
        """Store how a turn ended; what ended it before wins."""

        def finish(tx: Transaction) -> bool:
            return self._table.finish_in(tx, turn.run_id, answer)

        def done(settled: Settled) -> None:
            error = settled.error
            if isinstance(error, StoreUnavailable):
                self._later(self._end, turn, answer)
            elif error is not None:
                log.error("turn_end_failed", run_id=turn.run_id, error=str(error))
                if answer.error is None:
                    self._end(turn, Answer(error=f"the answer could not be stored: {error}"))

        self._journal.submit(finish, done)

    def _time_out(self, turn: LiveTurn) -> None:
        """End a turn that takes too long; its runner is stopped whatever the store says."""
        turn.stop()

        def abort(tx: Transaction) -> None:
            self._table.abort_in(tx, turn.session_key, turn.run_id, "timeout", actor=DAEMON)

        def done(settled: Settled) -> None:
            if settled.error is not None:
                self._later(self._time_out, turn)

        self._journal.submit(abort, done)

    def _interrupting(self, turn: LiveTurn) -> Unit[bool]:
        def interrupt(tx: Transaction) -> bool:
            stored = self._table.find_in(tx, turn.run_id)
            return stored is not None and self._table.interrupt_in(tx, stored)

        return interrupt

    def _later(self, call: Callable[..., None], *arguments: object) -> None:
        """Try again once the store may have recovered; not while the daemon stops."""
        if not self._closing:
            asyncio.get_running_loop().call_later(self._settings.retry_s, call, *arguments)

    def _limit(self, agent: str) -> int:
        return self._agents.settings(agent).max_session_turns


async def _close(outputs: AsyncIterator[RunnerOutput]) -> None:
    """End a runner's work where it has not ended by itself."""
    if isinstance(outputs, AsyncGenerator):
        await outputs.aclose()


def _logged(settled: Settled) -> None:
    """Log a step that could not be stored and that nobody waits for."""
    if settled.error is not None:
        log.error("turn_step_failed", error=str(settled.error))
