"""Where an agent of this door takes its turns: ``chat.turn`` out, ``chat.say`` and ``answer`` in.

A desk belongs to one program, which its ``instance`` names. When the program's connection drops,
its turns wait for a grace; when it is back they go on, with what was said before.
"""

import asyncio
from collections.abc import AsyncIterator, Sequence

import msgspec

from hubbub.core.chat.live_turns import ENDS
from hubbub.core.hub import Hub
from hubbub.core.ports import Outbox, RunnerOutput, RunnerTurn
from hubbub.core.values import Event
from hubbub.dialects.calls import Reply
from hubbub.dialects.rpc import frames
from hubbub.dialects.rpc.settings import RpcSettings
from hubbub.errors import Conflict, InvalidRequest, RunnerFailed, TooManyRequests


FULL_S = 0.1
"""Seconds after which an agent that was too fast may say on."""


class HandedTurn(msgspec.Struct, frozen=True, kw_only=True):
    """A turn that an agent is asked to take."""

    run_id: str
    agent: str
    session: str
    message: str
    history: Sequence[msgspec.Raw] = ()
    """Earlier messages of the session, oldest first, as stored."""
    attachments: Sequence[msgspec.Raw] = ()
    thinking: str | None = None
    timeout_s: float
    """Seconds after which the turn is aborted."""
    heard: int = 0
    """Pieces of the answer that have been heard; the next one has this number."""


class TurnHanded(msgspec.Struct, frozen=True):
    """Parameters of the notification ``chat.turn``."""

    turn: HandedTurn


class TurnStopped(msgspec.Struct, frozen=True):
    """Parameters of the notification ``chat.stop``."""

    run_id: str


class Heard(msgspec.Struct, frozen=True):
    """Result of ``chat.say``."""

    heard: int
    """Pieces that have been heard."""


class Ended(msgspec.Struct, frozen=True):
    """Result of ``chat.answer``."""

    run_id: str


class _Turn:
    """One turn that an agent takes."""

    def __init__(self, asked: RunnerTurn) -> None:
        self.asked = asked
        self.steps: asyncio.Queue[RunnerOutput | RunnerFailed | None] = asyncio.Queue()
        """What was said and is not taken yet; ``None`` is the end."""
        self.heard = 0
        self.is_answered = False
        self.replies: list[Reply] = []
        """Those who wait to hear that the end is stored."""

    def handed(self) -> HandedTurn:
        """Give it as the agent gets it."""
        asked = self.asked
        return HandedTurn(
            run_id=asked.run_id,
            agent=asked.agent,
            session=asked.session_key,
            message=asked.message,
            history=asked.history,
            attachments=asked.attachments,
            thinking=asked.thinking,
            timeout_s=asked.timeout_s,
            heard=self.heard,
        )

    def end(self, step: RunnerFailed | None) -> None:
        """Let nothing more be said."""
        self.is_answered = True
        self.steps.put_nowait(step)


class Desk:
    """The turns of one agent, taken by one program."""

    def __init__(self, agent: str, instance: str, desks: "Desks", limits: RpcSettings) -> None:
        """Begin without a connection and without turns."""
        self.agent = agent
        self.instance = instance
        self._desks = desks
        self._limits = limits
        self._turns: dict[str, _Turn] = {}
        self._outbox: Outbox | None = None
        self._connection_id: str | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._is_gone = False

    @property
    def is_connected(self) -> bool:
        """Whether its program is here now."""
        return self._outbox is not None

    @property
    def is_over(self) -> bool:
        """Whether its program has left, and nobody will ask for its turns any more."""
        return self._is_gone and not self._turns

    # -- coming and going ----------------------------------------------------------------

    def connect(self, connection_id: str, outbox: Outbox) -> list[HandedTurn]:
        """Take turns on a connection; gives those that are open."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        self._connection_id, self._outbox = connection_id, outbox
        return [turn.handed() for turn in self._turns.values() if not turn.is_answered]

    def closed(self, connection_id: str) -> None:
        """Note the end of a connection; open turns wait a while for the next one."""
        if connection_id != self._connection_id:
            return
        self._connection_id = self._outbox = None
        if not self._turns:
            self.leave()
            return
        loop = asyncio.get_running_loop()
        self._timer = loop.call_later(self._limits.turn_grace_ms / 1000, self.leave)

    def leave(self) -> None:
        """Free the agent's place, and fail what is open."""
        self._is_gone = True
        self._connection_id = self._outbox = None
        if self._timer is not None:
            self._timer.cancel()
        self._desks.left(self)
        for turn in self._turns.values():
            if not turn.is_answered:
                turn.end(RunnerFailed(self._left()))

    # -- turns ---------------------------------------------------------------------------

    async def chat(self, turn: RunnerTurn) -> AsyncIterator[RunnerOutput]:
        """Hand a turn to the agent and yield its output as it comes.

        Raises:
            RunnerFailed: The agent failed or left; or it has too much to do.
        """
        if self._is_gone:
            raise RunnerFailed(self._left())
        if len(self._turns) >= self._limits.max_turns:
            message = f"agent {self.agent!r} takes {self._limits.max_turns} turns at most"
            raise RunnerFailed(message)
        taken = self._turns[turn.run_id] = _Turn(turn)
        self._desks.took(self, turn.run_id)
        self._tell("chat.turn", TurnHanded(taken.handed()))
        try:
            while (step := await taken.steps.get()) is not None:
                if isinstance(step, RunnerFailed):
                    raise step
                yield step
        finally:
            if not taken.is_answered:
                taken.is_answered = True
                self._tell("chat.stop", TurnStopped(turn.run_id))

    def say(self, connection_id: str | None, run_id: str, number: int, step: RunnerOutput) -> Heard:
        """Take one piece of an answer; one that was heard before is not heard again.

        Raises:
            Conflict: The turn has ended, or this connection does not take it.
            InvalidRequest: A piece before it is missing.
            TooManyRequests: So many pieces wait that this one has to come again.
        """
        turn = self._mine(connection_id, run_id)
        if turn.is_answered:
            raise over(run_id)
        if number < turn.heard:
            return Heard(turn.heard)
        if number > turn.heard:
            message = f"piece {number} came, but {turn.heard} is the next one"
            raise InvalidRequest(message)
        if turn.steps.qsize() >= self._limits.max_turn_pieces:
            raise TooManyRequests(FULL_S)
        turn.heard += 1
        turn.steps.put_nowait(step)
        return Heard(turn.heard)

    def answer(
        self,
        connection_id: str | None,
        run_id: str,
        last: RunnerOutput | RunnerFailed,
        reply: Reply,
    ) -> None:
        """End a turn; the reply comes when its end is stored. Again: the reply alone.

        Raises:
            Conflict: This connection does not take the turn.
        """
        turn = self._mine(connection_id, run_id)
        turn.replies.append(reply)
        if turn.is_answered:
            return
        if isinstance(last, RunnerFailed):
            turn.end(last)
        else:
            turn.steps.put_nowait(last)
            turn.end(None)

    def has(self, run_id: str) -> bool:
        """Say whether a turn was handed out here, and its end is not stored yet."""
        return run_id in self._turns

    def ended(self, run_id: str, kind: str) -> None:
        """Note that the end of a turn is stored, whatever ended it."""
        turn = self._turns.pop(run_id, None)
        if turn is None:
            return
        for reply in turn.replies:
            reply(over(run_id) if kind == "chat.aborted" else Ended(run_id))

    def _mine(self, connection_id: str | None, run_id: str) -> _Turn:
        turn = self._turns.get(run_id)
        if turn is None or connection_id is None or connection_id != self._connection_id:
            message = f"turn {run_id} is not taken on this connection; call agents.attach first"
            raise Conflict(message)
        return turn

    def _tell(self, method: str, params: object) -> None:
        if self._outbox is not None:
            self._outbox.send(frames.notification(method, params))

    def _left(self) -> str:
        return f"agent {self.agent!r} disconnected"


def over(run_id: str) -> Conflict:
    """Make the refusal of what is said in a turn that has ended."""
    message = f"turn {run_id} has ended; nobody hears more of it"
    return Conflict(message)


class _Ending(msgspec.Struct, frozen=True):
    """What is read of the event that a turn ends with."""

    run_id: str


class Desks:
    """The desks of all agents of this door."""

    def __init__(self, hub: Hub, limits: RpcSettings) -> None:
        """Begin with none."""
        self._hub = hub
        self._limits = limits
        self._desks: dict[str, Desk] = {}
        self._taken: dict[str, Desk] = {}
        """Where the turns are that have not ended, by run."""
        hub.bus.listen(("chat/*",), self._heard)

    def attach(
        self, agent: str, instance: str, connection_id: str, outbox: Outbox
    ) -> tuple[Desk, list[HandedTurn]]:
        """Give an agent's place to a program on a connection; gives the turns that are open.

        Raises:
            AlreadyAttached: Another program has it, and is here.
        """
        attached = self._hub.attached
        desk = self._desks.get(agent)
        if desk is not None and desk.instance != instance and not desk.is_connected:
            desk.leave()
        if desk is None or desk.instance != instance or attached.get(agent) is not desk:
            desk = Desk(agent, instance, self, self._limits)
            attached.attach(agent, desk)
            self._desks[agent] = desk
        return desk, desk.connect(connection_id, outbox)

    def get(self, agent: str) -> Desk | None:
        """Give the desk of an agent; ``None``: it is not attached here."""
        return self._desks.get(agent)

    def took(self, desk: Desk, run_id: str) -> None:
        """Note where a turn is taken."""
        self._taken[run_id] = desk

    def left(self, desk: Desk) -> None:
        """Free the place of a desk's agent."""
        self._hub.attached.detach(desk.agent, desk)
        self._tidy(desk)

    def _heard(self, event: Event) -> None:
        if event.kind not in ENDS:
            return
        run_id = msgspec.json.decode(event.data, type=_Ending).run_id
        desk = self._taken.pop(run_id, None)
        if desk is not None:
            desk.ended(run_id, event.kind)
            self._tidy(desk)

    def _tidy(self, desk: Desk) -> None:
        if desk.is_over and self._desks.get(desk.agent) is desk:
            del self._desks[desk.agent]
