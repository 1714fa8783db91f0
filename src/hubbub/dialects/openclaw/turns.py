"""Runs as clients see them while they go on: counters, throttled text, and how they ended."""

import asyncio
from collections import OrderedDict
from collections.abc import Mapping

import msgspec

from hubbub.core.values import Clock
from hubbub.dialects.openclaw.pace import Pace
from hubbub.dialects.openclaw.room import Room


MAX_OUTCOMES = 1000
"""Ended runs that are remembered at most; the oldest go first."""


class Outcome(msgspec.Struct, frozen=True, kw_only=True, rename="camel", omit_defaults=True):
    """How a run ended: the answer of ``agent.wait``."""

    run_id: str
    status: str
    """``ok``, ``error``, or ``timeout`` for an aborted run."""
    started_at: int | None = None
    ended_at: int | None = None
    error: str | None = None
    message: msgspec.Raw | None = None
    """What the agent said, as stored."""


class Outcomes:
    """Ended runs, and who waits for one to end."""

    def __init__(self, clock: Clock, ttl_ms: int) -> None:
        """Begin with none.

        Args:
            ttl_ms: For how long an ended run is remembered.
        """
        self._clock = clock
        self._ttl_ms = ttl_ms
        self._ended: OrderedDict[str, tuple[int, Outcome]] = OrderedDict()
        self._waiters: dict[str, set[asyncio.Future[Outcome]]] = {}

    def put(self, outcome: Outcome) -> None:
        """Remember how a run ended and wake who waits for it."""
        now = self._clock()
        self._ended[outcome.run_id] = (now, outcome)
        while len(self._ended) > MAX_OUTCOMES or self._oldest() <= now - self._ttl_ms:
            self._ended.popitem(last=False)
        for waiter in self._waiters.pop(outcome.run_id, ()):
            if not waiter.done():
                waiter.set_result(outcome)

    def get(self, run_id: str) -> Outcome | None:
        """Say how a run ended; ``None``: it has not, or long ago."""
        ended_at, outcome = self._ended.get(run_id, (0, None))
        return outcome if ended_at > self._clock() - self._ttl_ms else None

    async def wait(self, run_id: str, timeout_s: float | None) -> Outcome | None:
        """Wait until a run has ended; ``None``: not within that time."""
        outcome = self.get(run_id)
        if outcome is not None:
            return outcome
        waiter: asyncio.Future[Outcome] = asyncio.get_running_loop().create_future()
        waiters = self._waiters.setdefault(run_id, set())
        waiters.add(waiter)
        try:
            async with asyncio.timeout(timeout_s):
                return await waiter
        except TimeoutError:
            return None
        finally:
            waiters.discard(waiter)
            if not waiters and self._waiters.get(run_id) is waiters:
                del self._waiters[run_id]

    def _oldest(self) -> int:
        return next(iter(self._ended.values()))[0]


class Turn:
    """One run of a chat, from its acceptance to its end.

    It has one counter for all its events, and tells its text at a bounded pace: what was
    skipped is in the next, because every one carries the whole text so far.
    """

    def __init__(self, room: Room, run_id: str, session_key: str) -> None:
        """Begin with nothing told.

        Args:
            session_key: As the caller of ``chat.send`` wrote it.
        """
        self.run_id = run_id
        self.session_key = session_key
        self.seq = 0
        self.started_at: int | None = None
        self.may_end_at = room.timers.time() + room.settings.final_delay_ms / 1000
        """Time of the timers from which its last event may be told."""
        self._room = room
        self._text = ""
        self._told = 0
        self._pace = Pace(room.timers, room.settings.delta_interval_ms, self._tell_delta)

    def start(self, at_ms: int, **more: object) -> None:
        """Tell that the agent begins."""
        self.started_at = at_ms
        self.agent("lifecycle", {"phase": "start", "startedAt": at_ms, **more})

    def say(self, text: str) -> None:
        """Take the whole text so far."""
        self._text = text
        self._pace.ask()

    def end(self, at_ms: int, *, error: str | None = None, aborted: bool = False) -> None:
        """Tell what was not told yet, then that the agent has ended."""
        self._pace.stop()
        if self.started_at is None:
            self.seq += 1
            return
        data: dict[str, object] = {"phase": "end", "endedAt": at_ms}
        if aborted:
            data["aborted"] = True  # what it had still to say is not told
        else:
            self._tell_text()
        if error is not None:
            data = {"phase": "error", "error": error, "endedAt": at_ms}
        self.agent("lifecycle", data)

    def stop(self) -> None:
        """Forget what is due: the daemon stops."""
        self._pace.stop()

    def agent(self, stream: str, data: object) -> None:
        """Tell an ``agent`` event, under the next number of this run."""
        self.seq += 1
        self._room.tell("agent", self._agent_payload(stream, data))

    def chat(self, state: str, *, may_drop: bool = False, **fields: object) -> None:
        """Tell a ``chat`` event, under the number of the ``agent`` event before it."""
        payload = chat_payload(self.run_id, self.session_key, self.seq, state, fields)
        self._room.tell("chat", payload, may_drop=may_drop)

    def so_far(self) -> list[tuple[str, object]]:
        """Give the events that tell who comes late what has been said.

        All that was told in one: under the number of the last event, so that the next one
        follows without a gap. Empty where nothing was said yet.
        """
        text = self._text[: self._told]
        if not text:
            return []
        fields = {"message": assistant(text, self._room.hub.clock())}
        return [
            ("agent", self._agent_payload("assistant", {"text": text, "delta": text})),
            ("chat", chat_payload(self.run_id, self.session_key, self.seq, "delta", fields)),
        ]

    def _agent_payload(self, stream: str, data: object) -> dict[str, object]:
        return {
            "runId": self.run_id,
            "seq": self.seq,
            "stream": stream,
            "ts": self._room.hub.clock(),
            "data": data,
            "sessionKey": self.session_key,
        }

    def _tell_delta(self) -> None:
        if self._tell_text():
            message = assistant(self._text, self._room.hub.clock())
            self.chat("delta", may_drop=True, message=message)

    def _tell_text(self) -> bool:
        """Tell the ``agent`` event of what is new; false: nothing is."""
        delta = self._text[self._told :]
        if not delta:
            return False
        self._told = len(self._text)
        self.agent("assistant", {"text": self._text, "delta": delta})
        return True


def chat_payload(
    run_id: str, session_key: str, seq: int, state: str, fields: Mapping[str, object]
) -> dict[str, object]:
    """Make the payload of a ``chat`` event; unset fields are left out."""
    return {
        "runId": run_id,
        "sessionKey": session_key,
        "seq": seq,
        "state": state,
        **{name: value for name, value in fields.items() if value is not msgspec.UNSET},
    }


def assistant(text: str, at_ms: int) -> dict[str, object]:
    """Make the message that carries an assistant's text."""
    content = [{"type": "text", "text": text}]
    return {"role": "assistant", "content": content, "timestamp": at_ms}
