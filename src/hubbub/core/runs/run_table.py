"""The runs' part of a unit of work: what starts, extends and ends a run in the store.

Every method here runs on the writer thread, inside somebody's unit; nothing is kept.
"""

from collections.abc import Sequence

import msgspec

from hubbub.core.ports import Transaction
from hubbub.core.runs.run import (
    TRANSITIONS,
    Ended,
    Ending,
    Run,
    RunEnded,
    Started,
    TurnAdded,
    after_turn,
    may_write,
    run_of,
    topic_of,
)
from hubbub.core.runs.trace import MAX_TRACE_BYTES, MAX_TURNS, Recorded, Turn, encode_turn
from hubbub.core.values import Clock, Event, Principal
from hubbub.errors import NotFound, TooLarge


class RunTable:
    """Verbs on stored runs that compose with others' changes in one unit."""

    def __init__(self, clock: Clock) -> None:
        """Take the time of ends from a clock."""
        self._clock = clock

    def start_in(self, tx: Transaction, run: Run, *, actor: str, cause: str | None = None) -> Event:
        """Store a new run; the caller has seen that its id is free."""
        started = msgspec.convert(run, Started, from_attributes=True)
        topic = topic_of(run.run_id)
        event = tx.append(topic, "run.started", started, actor=actor, cause=cause)
        tx.execute(
            "run_put",
            seq=event.seq,
            run_id=run.run_id,
            agent=run.agent,
            client=run.client,
            intent=run.intent,
            outcome_description=run.outcome_description,
            source=run.source,
            session_key=run.session_key,
            on_disconnect=run.on_disconnect,
            grace_ms=run.grace_ms,
            started_at=run.started_at,
        )
        return event

    def turn_in(
        self,
        tx: Transaction,
        run_id: str,
        turn: Turn,
        *,
        actor: str,
        cause: str | None = None,
    ) -> Event:
        """Add one turn to an open run.

        Raises:
            NotFound: There is no such run.
            Conflict: It has ended.
            TooLarge: The turn is too large, or the run has all the turns it may have.
        """
        run = self.find_in(tx, run_id)
        if run is None:
            raise NotFound("run", run_id)
        if run.status != "in_progress":
            raise RunEnded(run)
        data = encode_turn(turn, run.turn_count)
        if data is None or not has_room(run, [data]):
            message = f"run {run_id} cannot take this turn: it is too large, or there are too many"
            raise TooLarge(message)
        return self._add(tx, run, data, actor=actor, cause=cause)[1]

    def end_in(
        self,
        tx: Transaction,
        run_id: str,
        status: Ending,
        termination: msgspec.Raw,
        *,
        actor: str,
        cause: str | None = None,
    ) -> Event:
        """End an open run.

        Raises:
            NotFound: There is no such run.
            Conflict: It has ended; the first end is kept.
        """
        run = self.find_in(tx, run_id)
        if run is None:
            raise NotFound("run", run_id)
        if status not in TRANSITIONS[run.status]:
            raise RunEnded(run)
        now = self._clock()
        tx.execute(
            "run_end",
            run_id=run_id,
            status=status,
            termination=bytes(termination),
            ended_at=now,
        )
        ended = Ended(run_id, run.agent, status, termination, run.turn_count, run.trace_bytes, now)
        return _append(tx, run_id, "run.ended", ended, actor=actor, cause=cause)

    def find_in(self, tx: Transaction, run_id: str) -> Run | None:
        """Give a run as it stands within a unit."""
        row = tx.row("run_get", run_id=run_id)
        return None if row is None else run_of(row)

    def record_in(
        self, tx: Transaction, caller: Principal, run_id: str, turns: Sequence[Turn]
    ) -> Recorded:
        """Add a batch of turns, or say why none of it can be taken."""
        run = self.find_in(tx, run_id)
        if run is None or not may_write(caller, run.agent):
            return Recorded(dropped="run_not_found")
        if run.status != "in_progress":
            return Recorded(dropped="run_terminal")
        base = run.turn_count
        encoded = [encode_turn(turn, base + number) for number, turn in enumerate(turns)]
        taken = [data for data in encoded if data is not None]
        if len(taken) < len(encoded):
            return Recorded(dropped="turn_too_large")
        if not has_room(run, taken):
            return Recorded(dropped="run_turn_limit")
        for data in taken:
            run = self._add(tx, run, data, actor=caller.id)[0]
        return Recorded(base, len(taken))

    def _add(
        self, tx: Transaction, run: Run, data: bytes, *, actor: str, cause: str | None = None
    ) -> tuple[Run, Event]:
        """Add a turn; gives the run as it is then, and what is told."""
        tx.execute("run_turn_put", run_id=run.run_id, idx=run.turn_count, turn=data)
        tx.execute("run_count_turn", run_id=run.run_id, bytes=len(data))
        size = run.trace_bytes + len(data)
        added = TurnAdded(run.run_id, run.agent, run.turn_count, size, msgspec.Raw(data))
        event = _append(tx, run.run_id, "run.turn", added, actor=actor, cause=cause)
        return after_turn(run, added), event


def _append(
    tx: Transaction, run_id: str, kind: str, data: object, *, actor: str, cause: str | None
) -> Event:
    """Record an event of a run that goes on; without a cause, what happened last led to it."""
    topic = topic_of(run_id)
    if cause is None and tx.led_by is None:
        cause = topic
    return tx.append(topic, kind, data, actor=actor, cause=cause)


def has_room(run: Run, turns: Sequence[bytes]) -> bool:
    """Say whether a run may have these turns too."""
    size = run.trace_bytes + sum(map(len, turns))
    return run.turn_count + len(turns) <= MAX_TURNS and size <= MAX_TRACE_BYTES
