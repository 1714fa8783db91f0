"""Turns in memory: those that wait and those that run, each with its answer so far.

Follows the store through the turns' own events, which come after each commit, in order.
"""

import asyncio
from collections import Counter
from collections.abc import Callable, Iterable

import msgspec

from hubbub.core.audience import heard
from hubbub.core.bus import Bus
from hubbub.core.chat.conversation import Accepted, Delta, Running, Tool
from hubbub.core.chat.session_keys import topic_of
from hubbub.core.values import Clock, Event, IdSource


ENDS = frozenset(("chat.final", "chat.error", "chat.aborted"))
"""Kinds of the events that a turn ends with, exactly one of them."""


class _Named(msgspec.Struct, frozen=True):
    run_id: str


class LiveTurn:
    """One turn that has not ended."""

    __slots__ = (
        "agent",
        "cause",
        "due",
        "fresh",
        "held",
        "is_ended",
        "is_running",
        "run_id",
        "session_key",
        "spelling",
        "task",
        "timer",
        "told",
    )

    def __init__(self, run_id: str, session_key: str, agent: str, spelling: str) -> None:
        self.run_id = run_id
        self.session_key = session_key
        self.agent = agent
        self.spelling = spelling
        self.cause: str | None = None
        """Id of its ``chat.started``; ``None`` before."""
        self.is_running = False
        """It has one of the places of those that may run."""
        self.is_ended = False
        """Its last event has been told; nothing may follow."""
        self.told = ""
        """The text that has been told."""
        self.fresh: list[str] = []
        """The text that has not been told yet."""
        self.held: list[str | msgspec.Raw] = []
        """Texts and tools' work that came while the session was held."""
        self.due = 0.0
        """Time of the loop, in seconds, before which no further delta is told."""
        self.timer: asyncio.TimerHandle | None = None
        """Tells the delta that came too early."""
        self.task: asyncio.Task[None] | None = None
        """Listens to its runner."""

    @property
    def text(self) -> str:
        """All of the answer, told or not."""
        held = (piece for piece in self.held if isinstance(piece, str))
        return "".join((self.told, *self.fresh, *held))

    def stop(self) -> None:
        """Stop listening to its runner; safe to call while the runner cleans up."""
        if self.task is not None and not self.task.cancelling():
            self.task.cancel()

    def running(self) -> Running:
        """Give what may be known of it."""
        return Running(
            run_id=self.run_id,
            session_key=self.session_key,
            spelling=self.spelling,
            agent=self.agent,
            text=self.told,
            started=self.cause is not None,
        )


class LiveTurns:
    """Which turns wait and which run; tells what they say."""

    def __init__(
        self,
        bus: Bus,
        *,
        clock: Clock,
        ids: IdSource,
        interval_ms: int,
        changed: Callable[[], None],
    ) -> None:
        """Follow the chat's events on a bus.

        Args:
            interval_ms: Milliseconds between two deltas of one turn at least.
            changed: Called after a turn came or went, once its event has been told and the
                caller that it answers has been answered.
        """
        self._bus = bus
        self._clock = clock
        self._ids = ids
        self._interval_s = interval_ms / 1000
        self._changed = changed
        self._turns: dict[str, LiveTurn] = {}
        self._waiting: dict[str, LiveTurn] = {}
        self._running: Counter[str] = Counter()
        """Running turns of each session."""
        self._held: Counter[str] = Counter()
        """Sessions of which nothing is told for the moment, and how many ask for that."""
        bus.listen(["chat/*"], self._heard)

    def add(self, turn: LiveTurn) -> None:
        """Let a turn wait for its start."""
        self._turns[turn.run_id] = self._waiting[turn.run_id] = turn

    def get(self, run_id: str) -> LiveTurn | None:
        """Give a turn that has not ended, or whose end is just being told."""
        return self._turns.get(run_id)

    def all(self) -> list[LiveTurn]:
        """Give all turns that have not ended, oldest first."""
        return [turn for turn in self._turns.values() if not turn.is_ended]

    def take_next(self, limit_of: Callable[[str], int], max_running: int) -> LiveTurn | None:
        """Give a place to the oldest waiting turn that may run now.

        Args:
            limit_of: Gives how many turns of one session of an agent may run.
            max_running: How many turns may run in all.
        """
        if self._running.total() >= max_running:
            return None
        for turn in self._waiting.values():
            if self._running[turn.session_key] < limit_of(turn.agent):
                del self._waiting[turn.run_id]
                self._running[turn.session_key] += 1
                turn.is_running = True
                return turn
        return None

    # -- what is said --------------------------------------------------------------------

    def say(self, turn: LiveTurn, text: str) -> None:
        """Add to the answer; tell it at once, or together with what follows soon."""
        if self._held[turn.session_key]:
            turn.held.append(text)
            return
        turn.fresh.append(text)
        if turn.timer is not None:
            return
        loop = asyncio.get_running_loop()
        if loop.time() >= turn.due:
            self.flush(turn)
        else:
            turn.timer = loop.call_at(turn.due, self.flush, turn)

    def flush(self, turn: LiveTurn) -> None:
        """Tell what has not been told yet of an answer."""
        if turn.timer is not None:
            turn.timer.cancel()
            turn.timer = None
        if turn.is_ended or not turn.fresh:
            return
        delta = "".join(turn.fresh)
        turn.fresh.clear()
        turn.told += delta
        turn.due = asyncio.get_running_loop().time() + self._interval_s
        self._bus.tell(self._delta(turn, delta))

    def work(self, turn: LiveTurn, tool: msgspec.Raw) -> None:
        """Tell what a tool does, after the text before it."""
        if self._held[turn.session_key]:
            turn.held.append(tool)
            return
        self.flush(turn)
        if not turn.is_ended:
            data = Tool(session_key=turn.session_key, run_id=turn.run_id, tool=tool)
            self._bus.tell(self._event(turn, "chat.tool", data))

    def hold(self, session_key: str) -> dict[str, str]:
        """Tell nothing new of a session until ``release``; gives what each turn has been told.

        For a unit that may end these turns and store what they said: nobody hears a word
        that is not stored then.
        """
        turns = [turn for turn in self.all() if turn.session_key == session_key]
        for turn in turns:
            self.flush(turn)
        self._held[session_key] += 1
        return {turn.run_id: turn.told for turn in turns}

    def release(self, session_key: str) -> None:
        """Tell what came meanwhile, unless its turn has ended or somebody else holds it."""
        self._held[session_key] -= 1
        if self._held[session_key]:
            return
        del self._held[session_key]
        for turn in self.all():
            if turn.session_key == session_key:
                pieces, turn.held = turn.held, []
                for piece in pieces:
                    if isinstance(piece, str):
                        self.say(turn, piece)
                    else:
                        self.work(turn, piece)

    def so_far(self, patterns: Iterable[str]) -> list[Event]:
        """Give one delta with all the text of each turn under these topics that has some."""
        wanted = frozenset(patterns)
        return [
            self._delta(turn, turn.told)
            for turn in self.all()
            if turn.told and heard(topic_of(turn.session_key), wanted)
        ]

    def _delta(self, turn: LiveTurn, delta: str) -> Event:
        data = Delta(session_key=turn.session_key, run_id=turn.run_id, text=turn.told, delta=delta)
        return self._event(turn, "chat.delta", data)

    def _event(self, turn: LiveTurn, kind: str, data: object) -> Event:
        return Event(
            seq=0,
            id=self._ids(),
            topic=topic_of(turn.session_key),
            kind=kind,
            actor=f"agent:{turn.agent}",
            at=self._clock(),
            data=msgspec.Raw(msgspec.json.encode(data)),
            cause=turn.cause,
        )

    # -- following the store -------------------------------------------------------------

    def _heard(self, event: Event) -> None:
        if event.kind == "chat.accepted":
            new = msgspec.json.decode(event.data, type=Accepted)
            self.add(LiveTurn(new.run_id, new.session_key, new.agent, new.spelling))
            self._soon(self._changed)
        elif event.kind == "chat.started":
            self._turns[_run_of(event)].cause = event.id
        elif event.kind in ENDS:
            turn = self._turns.get(_run_of(event))
            if turn is not None:  # else it was interrupted before memory was filled
                self._end(turn)

    def _end(self, turn: LiveTurn) -> None:
        """Let nothing more be said; the turn stays known while its end is being told."""
        turn.is_ended = True
        self._waiting.pop(turn.run_id, None)
        self.flush(turn)
        turn.stop()
        self._soon(lambda: self._forget(turn))

    def _forget(self, turn: LiveTurn) -> None:
        del self._turns[turn.run_id]
        if turn.is_running:
            self._running[turn.session_key] -= 1
            if not self._running[turn.session_key]:
                del self._running[turn.session_key]
        self._changed()

    def _soon(self, call: Callable[[], None]) -> None:
        # Two rounds: in the first one, whoever waits for this commit goes on and is answered.
        loop = asyncio.get_running_loop()
        loop.call_soon(loop.call_soon, call)


def _run_of(event: Event) -> str:
    return msgspec.json.decode(event.data, type=_Named).run_id
