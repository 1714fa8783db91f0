"""The turns that one attached agent takes: ``agent.chat`` out, ``agent.chat.event`` in."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Coroutine
from typing import Any, Protocol

import msgspec

from hubbub.core.ports import RunnerOutput, RunnerTurn
from hubbub.dialects.car.frames import NULL
from hubbub.dialects.car.settings import CarSettings
from hubbub.errors import RunnerFailed


MAX_ABANDONED = 1024
"""Aborted turns of one connection whose late events are waited for."""


class ChatEvent(msgspec.Struct, frozen=True, gc=False):
    """Params of ``agent.chat.event``.

    Only what names the turn and the event is certain; agents differ in the rest, and a turn
    must not hang because one of them sends an object where another sends a text.
    """

    session_id: str
    kind: str
    delta: msgspec.Raw = NULL
    text: msgspec.Raw = NULL
    message: msgspec.Raw = NULL
    error: msgspec.Raw = NULL
    tool: msgspec.Raw = NULL
    name: msgspec.Raw = NULL
    tool_call_id: msgspec.Raw = NULL
    id: msgspec.Raw = NULL
    parameters: msgspec.Raw = NULL
    arguments: msgspec.Raw = NULL


class Accepted(msgspec.Struct, frozen=True):
    """Result of ``agent.chat``."""

    accepted: bool = True


class Peer(Protocol):
    """The connection, as far as turns need it."""

    async def ask(self, method: str, params: object) -> msgspec.Raw:
        """Send a request and wait for its result.

        Raises:
            RunnerFailed: The client refused it, or left.
        """


class _Turn:
    """One turn that an agent takes."""

    def __init__(self) -> None:
        self.events: asyncio.Queue[ChatEvent | RunnerFailed] = asyncio.Queue()
        self.begun = False
        """True: the agent has taken it, by its answer or by an event."""

    def fail(self, reason: str) -> None:
        """End the turn with an error."""
        self.events.put_nowait(RunnerFailed(reason))


class ChatTurns:
    """The turns that run on one connection, by the session id that the agent sees."""

    def __init__(self, agent: str, peer: Peer, settings: CarSettings) -> None:
        """Begin with no turn."""
        self._agent = agent
        self._peer = peer
        self._settings = settings
        self._turns: dict[str, _Turn] = {}
        self._abandoned: dict[str, None] = {}
        """Sessions whose aborted turn has not ended on the agent's side: what still comes
        from it must not appear in the next turn.
        """
        self._asking: set[asyncio.Task[None]] = set()
        self._gone = False

    async def take(self, turn: RunnerTurn) -> AsyncIterator[RunnerOutput]:
        """Hand a turn to the agent and yield its output as it comes.

        Raises:
            RunnerFailed: The agent refused, failed or left; or it has too much to do.
        """
        if self._gone:
            raise RunnerFailed(self._left())
        if len(self._turns) >= self._settings.max_turns:
            message = f"agent {self._agent!r} takes {self._settings.max_turns} turns at most"
            raise RunnerFailed(message)
        session_id = self._session_id(turn)
        taken = self._turns[session_id] = _Turn()
        self._ask(self._begin(taken, session_id, turn))
        ended = False
        try:
            while not ended:
                event = await taken.events.get()
                if isinstance(event, RunnerFailed):
                    ended = not taken.begun
                    raise event
                ended = event.kind in ("done", "error")
                output = output_of(event)
                if output is not None:
                    yield output
        finally:
            del self._turns[session_id]
            if not ended and not self._gone:
                self._abandon(session_id)

    def heard(self, event: ChatEvent) -> None:
        """Take an event of a turn; those of turns that are over are dropped."""
        turn = self._turns.get(event.session_id)
        if turn is None:
            if event.kind in ("done", "error"):
                self._abandoned.pop(event.session_id, None)
            return
        turn.begun = True
        waiting = turn.events.qsize()
        if waiting < self._settings.max_turn_events:
            turn.events.put_nowait(event)
        elif waiting == self._settings.max_turn_events:
            turn.fail(f"agent {self._agent!r} is too fast: {waiting} events wait already")

    def closed(self) -> None:
        """Fail what is running: the agent has left."""
        self._gone = True
        for turn in self._turns.values():
            turn.fail(self._left())

    def _ask(self, asking: Coroutine[Any, Any, None]) -> None:
        task = asyncio.ensure_future(asking)
        self._asking.add(task)
        task.add_done_callback(self._asking.discard)

    async def _begin(self, taken: _Turn, session_id: str, turn: RunnerTurn) -> None:
        params: dict[str, object] = {"session_id": session_id, "prompt": turn.message}
        if turn.attachments:
            params["attachments"] = list(turn.attachments)
        try:
            async with asyncio.timeout(self._settings.ack_timeout_ms / 1000):
                answer = await self._peer.ask("agent.chat", params)
        except RunnerFailed as error:
            taken.fail(str(error))
        except TimeoutError:
            if not taken.begun:
                taken.begun = True  # it may still begin: what comes then is not wanted
                taken.fail(f"agent {self._agent!r} did not answer agent.chat in time")
        else:
            if refuses(answer):
                taken.fail(f"agent {self._agent!r} did not accept the turn")
            taken.begun = True

    def _session_id(self, turn: RunnerTurn) -> str:
        """Name the conversation; an agent remembers it under this name."""
        plain = turn.session_key
        free = plain not in self._abandoned and plain not in self._turns
        return plain if free else f"{plain}#{turn.run_id}"

    def _abandon(self, session_id: str) -> None:
        """Ask the agent to stop; many cannot, and refuse."""
        self._abandoned[session_id] = None
        if len(self._abandoned) > MAX_ABANDONED:
            del self._abandoned[next(iter(self._abandoned))]
        self._ask(self._cancel(session_id))

    async def _cancel(self, session_id: str) -> None:
        with contextlib.suppress(RunnerFailed, TimeoutError):
            async with asyncio.timeout(self._settings.ack_timeout_ms / 1000):
                await self._peer.ask("agent.chat.cancel", {"session_id": session_id})

    def _left(self) -> str:
        return f"agent {self._agent!r} disconnected"


def refuses(answer: msgspec.Raw) -> bool:
    """Say whether an agent's answer to ``agent.chat`` is a refusal; most just accept."""
    try:
        accepted = msgspec.json.decode(answer, type=Accepted)
    except msgspec.DecodeError:
        return False  # some answer with a word or null; that they answered is enough
    return not accepted.accepted


def output_of(event: ChatEvent) -> RunnerOutput | None:
    """Give an event as a runner's output; ``None`` for kinds that show nothing.

    Raises:
        RunnerFailed: The event is the agent's error.
    """
    if event.kind == "error":
        parts = (event.error, event.message, event.text, event.delta)
        text = next(filter(None, map(_text, parts)), "")
        raise RunnerFailed(text or "the agent failed without a word")
    if event.kind in ("token", "done"):
        text = _text(event.delta)
        return RunnerOutput(text=text) if text else None
    if event.kind == "tool_call":
        return RunnerOutput(tool=_tool(event))
    return None


def _tool(event: ChatEvent) -> msgspec.Raw:
    """Give a tool call as runners report it."""
    call = {
        "phase": "start",
        "toolCallId": _text(event.tool_call_id) or _text(event.id),
        "name": _text(event.tool) or _text(event.name) or _text(event.delta) or "tool",
        "args": event.arguments if event.parameters == NULL else event.parameters,
    }
    return msgspec.Raw(msgspec.json.encode(call))


def _text(raw: msgspec.Raw) -> str:
    """Read a text, or the ``message`` of an object; anything else as it stands."""
    value = msgspec.json.decode(raw)
    if isinstance(value, dict):
        value = value.get("message", value)
    if value is None:
        return ""
    return value if isinstance(value, str) else msgspec.json.encode(value).decode()
