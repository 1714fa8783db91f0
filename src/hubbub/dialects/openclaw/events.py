"""What happens in the house, as this door's events: one table from kind to event.

Everything comes from the bus, so whatever starts a run, here or at another door, is told the
same. Events of one run leave in the order in which they happened; nothing follows its end.
"""

import functools
from collections.abc import Callable
from typing import Any

import msgspec

from hubbub.core.ports import Outbox
from hubbub.core.values import Event
from hubbub.dialects.openclaw import frames
from hubbub.dialects.openclaw.direct import DirectData, may_read, message_of
from hubbub.dialects.openclaw.endings import Endings
from hubbub.dialects.openclaw.frames import Json
from hubbub.dialects.openclaw.presence import agent_entry
from hubbub.dialects.openclaw.room import Room
from hubbub.dialects.openclaw.turns import Outcome, Outcomes, Turn, chat_payload


class ChatData(msgspec.Struct, frozen=True):
    """Data of any ``chat.*`` event of a run."""

    session_key: str
    run_id: str = ""
    spelling: str = ""
    """The session key as the run's sender wrote it."""
    text: str = ""
    message_id: str = ""
    message: Json | msgspec.UnsetType = msgspec.UNSET
    usage: Json | msgspec.UnsetType = msgspec.UNSET
    tool: Json | msgspec.UnsetType = msgspec.UNSET
    error: str = ""
    reason: str = ""


class RunData(msgspec.Struct, frozen=True):
    """Data of ``run.started`` and ``run.ended``."""

    run_id: str
    agent: str
    intent: str | None = None
    source: str | None = None
    session_key: str | None = None
    status: str | None = None
    started_at: int | None = None
    ended_at: int | None = None


class AgentData(msgspec.Struct, frozen=True):
    """Data of ``agent.*``."""

    agent: str
    door: str = ""
    connections: int = 0
    status: str = ""


class Feed:
    """Hears the bus and tells the room."""

    def __init__(self, room: Room) -> None:
        """Begin to listen."""
        self._room = room
        self._turns: dict[str, Turn] = {}
        self._spellings: dict[str, str] = {}
        """Session that is being injected into, to its key as the caller wrote it."""
        self._commands: set[str] = set()
        """Runs that the gateway answers by itself."""
        self._endings = Endings(room.timers)
        self._due: set[str] = set()
        """Runs whose last event is held back."""
        self._running: dict[str, Turn] = {}
        """Runs of other doors."""
        self.outcomes = Outcomes(room.hub.clock, room.settings.outcome_ttl_ms)
        self._chat: dict[str, Callable[[ChatData, Event], None]] = {
            "chat.accepted": self._accepted,
            "chat.started": self._started,
            "chat.delta": self._delta,
            "chat.tool": self._tool,
            "chat.final": self._final,
            "chat.error": self._error,
            "chat.aborted": self._aborted,
            "chat.injected": self._injected,
        }
        self._runs: dict[str, Callable[[RunData, Event], None]] = {
            "run.started": self._run_started,
            "run.ended": self._run_ended,
        }
        bus = room.hub.bus
        for topics, handle in (
            ("chat/*", functools.partial(_dispatch, ChatData, self._chat)),
            ("runs/*", functools.partial(_dispatch, RunData, self._runs)),
            ("agents/*", self._agent),
            ("direct/*", self._direct),
        ):
            bus.listen([topics], handle)

    # -- what the methods ask --------------------------------------------------------------

    def spell(self, canonical: str, session_key: str) -> None:
        """Remember how a caller writes the key of a session that it injects into."""
        self._spellings[canonical] = session_key

    def unspell(self, canonical: str) -> None:
        """Forget it: the call has been answered."""
        self._spellings.pop(canonical, None)

    def command(self, run_id: str) -> None:
        """Treat a run as a command: the gateway answers it, no agent works on it."""
        self._commands.add(run_id)

    def no_command(self, run_id: str) -> None:
        """Forget it: the command has been worked off."""
        self._commands.discard(run_id)

    def due(self) -> frozenset[str]:
        """Give the runs whose last event is stored and will be told in a moment."""
        return frozenset(self._due)

    def tell_so_far(self, outbox: Outbox) -> None:
        """Tell a connection that has just come what the running turns have said."""
        for turn in self._turns.values():
            for name, payload in turn.so_far():
                outbox.push(outbox.frame(frames.event(name, payload)))

    def close(self) -> None:
        """Tell what is due and will not be true later; forget the rest."""
        for turn in self._turns.values():
            turn.stop()
        self._endings.close()

    # -- chat ------------------------------------------------------------------------------

    def _turn(self, data: ChatData) -> Turn:
        turn = self._turns.get(data.run_id)
        if turn is None:
            turn = Turn(self._room, data.run_id, data.spelling or data.session_key)
            self._turns[data.run_id] = turn
        return turn

    def _accepted(self, data: ChatData, event: Event) -> None:
        self._turn(data)

    def _started(self, data: ChatData, event: Event) -> None:
        turn = self._turn(data)
        if data.run_id not in self._commands:
            turn.start(event.at)

    def _delta(self, data: ChatData, event: Event) -> None:
        turn = self._turns.get(data.run_id)
        if turn is not None:  # nothing of a run after its end
            turn.say(data.text)

    def _tool(self, data: ChatData, event: Event) -> None:
        turn = self._turns.get(data.run_id)
        if turn is not None and data.tool is not msgspec.UNSET:
            turn.agent("tool", data.tool)

    def _final(self, data: ChatData, event: Event) -> None:
        turn = self._ending(data)
        turn.end(event.at)
        self.outcomes.put(_outcome(turn, event, "ok", message=data.message))
        self._tell_at_last(turn, data, "final", message=data.message, usage=data.usage)

    def _error(self, data: ChatData, event: Event) -> None:
        turn = self._ending(data)
        turn.end(event.at, error=data.error)
        self.outcomes.put(_outcome(turn, event, "error", error=data.error))
        self._tell_at_last(turn, data, "error", errorMessage=data.error)

    def _aborted(self, data: ChatData, event: Event) -> None:
        turn = self._ending(data)
        turn.end(event.at, aborted=True)
        turn.seq += 1
        self.outcomes.put(_outcome(turn, event, "timeout"))
        tell = functools.partial(turn.chat, "aborted", stopReason=data.reason, message=data.message)
        self._endings.tell(data.session_key, tell)

    def _ending(self, data: ChatData) -> Turn:
        turn = self._turn(data)
        del self._turns[data.run_id]
        return turn

    def _tell_at_last(self, turn: Turn, data: ChatData, state: str, **fields: Any) -> None:
        """Tell the last event of a run, not too soon behind the answer to its message."""
        self._due.add(turn.run_id)

        def tell() -> None:
            self._due.discard(turn.run_id)
            turn.chat(state, **fields)

        self._endings.tell(data.session_key, tell, not_before=turn.may_end_at)

    def _injected(self, data: ChatData, event: Event) -> None:
        key = self._spellings.get(data.session_key, data.session_key)
        turn = Turn(self._room, f"inject-{data.message_id}", key)
        tell = functools.partial(turn.chat, "final", message=data.message)
        self._endings.tell(data.session_key, tell)

    # -- runs of other doors ---------------------------------------------------------------

    def _run_started(self, data: RunData, event: Event) -> None:
        if data.session_key is not None or data.source == "chat":
            return  # told as a turn of its chat
        turn = Turn(self._room, data.run_id, f"agent:{data.agent}:main")
        self._running[data.run_id] = turn
        turn.start(data.started_at or event.at, agentId=data.agent, intent=data.intent)

    def _run_ended(self, data: RunData, event: Event) -> None:
        turn = self._running.pop(data.run_id, None)
        if turn is None:
            return
        ended_at = data.ended_at or event.at
        if data.status == "completed":
            turn.end(ended_at)
            self.outcomes.put(_outcome(turn, event, "ok"))
            return
        error = f"run {data.status}"
        turn.end(ended_at, error=error)
        self.outcomes.put(_outcome(turn, event, "error", error=error))

    # -- who is here -----------------------------------------------------------------------

    def _agent(self, event: Event) -> None:
        data = msgspec.json.decode(event.data, type=AgentData)
        presence, key = self._room.presence, f"agent:{data.agent}"
        match event.kind:
            case "agent.connected":
                presence.joined(key, agent_entry(data.agent, data.door, "connect", event.at))
            case "agent.disconnected":
                presence.left(key)
            case "agent.status":
                presence.seen(key, agent_entry(data.agent, "", data.status, event.at))
            case _:
                return  # heartbeats come every few seconds and change nothing that is shown
        self._room.presence_changed()

    # -- direct messages -------------------------------------------------------------------

    def _direct(self, event: Event) -> None:
        data = msgspec.json.decode(event.data, type=DirectData)
        payload = direct_payload(data, event.at)
        self._room.tell("chat", payload, to=lambda reader: may_read(reader, data.recipient))


def direct_payload(data: DirectData, at_ms: int) -> dict[str, object]:
    """Show a direct message as an injected one: clients reload the history at such a final."""
    fields = {"message": message_of(data, at_ms)}
    return chat_payload(f"direct-{data.message_id}", data.session_key, 0, "final", fields)


def _dispatch(kind: type, table: dict[str, Callable[..., None]], event: Event) -> None:
    handle = table.get(event.kind)
    if handle is not None:
        handle(msgspec.json.decode(event.data, type=kind), event)


def _outcome(
    turn: Turn,
    event: Event,
    status: str,
    *,
    error: str | None = None,
    message: Json | msgspec.UnsetType = msgspec.UNSET,
) -> Outcome:
    return Outcome(
        run_id=turn.run_id,
        status=status,
        started_at=turn.started_at,
        ended_at=event.at,
        error=error,
        message=None if message is msgspec.UNSET else message,
    )
