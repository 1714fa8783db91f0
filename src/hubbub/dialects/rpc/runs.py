"""``runs.*``: start, complete, record, cancel and read runs; follow them as ``runs/<id>``."""

from typing import Any

import msgspec

from hubbub.core.runs.outcomes import Outcome
from hubbub.core.runs.run import OnDisconnect, Run, StartRun
from hubbub.core.runs.service import MAX_LIST
from hubbub.core.runs.trace import MAX_TURNS, Recorded, Turn
from hubbub.core.tracker.reservation_table import Grant
from hubbub.core.values import Position
from hubbub.dialects.calls import answered
from hubbub.dialects.rpc.methods import Caller, Change, Method
from hubbub.dialects.rpc.topics import position_of
from hubbub.errors import InvalidRequest


class Start(Change, frozen=True, forbid_unknown_fields=True):
    """Parameters of ``runs.start``."""

    intent: str
    agent: str | None = None
    """May be left out by a caller that is bound to an agent."""
    outcome_description: str | None = None
    on_disconnect: OnDisconnect = "continue"
    """What the end of this connection does to the run."""
    grace_ms: int | None = None
    """Milliseconds that the agent has to come back first, also after a restart of the daemon."""
    """Becomes the run's id."""


class Complete(Change, frozen=True, forbid_unknown_fields=True):
    """Parameters of ``runs.complete``."""

    run_id: str
    outcome: Outcome
    under: Grant | None = None
    """The lock or reservation under which it is written; one that has ended refuses it."""


class RecordTurns(Change, frozen=True, forbid_unknown_fields=True):
    """Parameters of ``runs.record_turns``."""

    run_id: str
    turns: list[Turn]
    under: Grant | None = None
    """The lock or reservation under which they are written; one that has ended refuses them."""


class Cancel(Change, frozen=True, forbid_unknown_fields=True):
    """Parameters of ``runs.cancel``."""

    run_id: str
    reason: str = "rpc"


class OneRun(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Parameters of ``runs.get``."""

    run_id: str


class ListRuns(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Parameters of ``runs.list``."""

    agent: str | None = None
    limit: int = 100


class GetTrace(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Parameters of ``runs.trace``."""

    run_id: str
    cursor: int = 0
    """Index of the first turn wanted."""
    limit: int = MAX_TURNS
    at: Position | str | None = None
    """A position or a cursor: as it was then; left out: as it is now."""


class Resume(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Parameters of ``runs.resume``."""

    run_id: str
    cursor: int = 0
    """Index of the first turn wanted."""


class RunList(msgspec.Struct, frozen=True):
    """Result of ``runs.list``: the newest first."""

    runs: list[Run]


class Trace(msgspec.Struct, frozen=True):
    """Result of ``runs.trace`` and ``runs.resume``."""

    run: Run
    turns: list[Any]
    cursor: int
    """Index of the turn after the last of these."""
    position: Position
    """Follow the topic ``runs/<id>`` after this position, and nothing is missed."""


async def start(caller: Caller, params: Start) -> Run:
    """Start a run, or give back the one that has the key."""
    agent = params.agent or caller.principal.agent
    if agent is None:
        message = "agent is missing: this caller is not bound to one"
        raise InvalidRequest(message)
    if params.on_disconnect != "continue" and caller.connection_id is None:
        message = "a call by POST has no connection that could end; use on_disconnect continue"
        raise InvalidRequest(message)
    new = StartRun(
        agent=agent,
        intent=params.intent,
        client=caller.connection_id or "rpc",
        source="rpc",
        on_disconnect=params.on_disconnect,
        grace_ms=params.grace_ms,
        outcome_description=params.outcome_description,
        idempotency_key=params.idempotency_key,
    )
    return await caller.hub.runs.start(caller.principal, new, caller.connection_id)


async def complete(caller: Caller, params: Complete) -> Run:
    """End a run with its outcome."""
    return await caller.hub.runs.complete(
        caller.principal,
        params.run_id,
        params.outcome,
        key=params.idempotency_key,
        under=params.under,
    )


async def record_turns(caller: Caller, params: RecordTurns) -> Recorded:
    """Add turns to a run: all or none."""
    return await caller.hub.runs.record_turns(
        caller.principal,
        params.run_id,
        params.turns,
        key=params.idempotency_key,
        under=params.under,
    )


async def cancel(caller: Caller, params: Cancel) -> Run:
    """End a run without an outcome."""
    return await caller.hub.runs.cancel(
        caller.principal, params.run_id, reason=params.reason, key=params.idempotency_key
    )


async def get(caller: Caller, params: OneRun) -> Run:
    """Give one run."""
    return await caller.hub.runs.find(params.run_id)


async def list_runs(caller: Caller, params: ListRuns) -> RunList:
    """Give the newest runs."""
    return RunList(await caller.hub.runs.list(params.agent, limit=params.limit))


async def resume(caller: Caller, params: Resume) -> Trace:
    """Take an open run over, and give its turns."""
    if caller.connection_id is None:
        message = "a call by POST has no connection that a run could be bound to"
        raise InvalidRequest(message)
    wanted = GetTrace(params.run_id, params.cursor)
    _check_range(wanted)
    await caller.hub.runs.resume(caller.principal, params.run_id, caller.connection_id)
    return await trace(caller, wanted)


def _check_range(params: GetTrace) -> None:
    if params.cursor < 0 or not 1 <= params.limit <= MAX_TURNS:
        message = f"cursor begins at 0, and limit is from 1 to {MAX_TURNS}"
        raise InvalidRequest(message)


async def trace(caller: Caller, params: GetTrace) -> Trace:
    """Give a run and its turns."""
    _check_range(params)
    at = position_of(params.at)
    if at is None:
        snapshot = await caller.hub.runs.snapshot(params.run_id)
    else:
        snapshot = await caller.hub.past.trace(params.run_id, at)
    turns = msgspec.json.decode(snapshot.turns, type=list[msgspec.Raw])
    chosen = turns[params.cursor : params.cursor + params.limit]
    return Trace(
        run=snapshot.run,
        turns=chosen,
        cursor=min(params.cursor, len(turns)) + len(chosen),
        position=Position(epoch=caller.hub.store.epoch, seq=snapshot.seq),
    )


METHODS = [
    Method(
        name="runs.start",
        params=Start,
        result=Run,
        summary="Start a run of an agent; an idempotency key becomes its id.",
        run=answered(start),
    ),
    Method(
        name="runs.complete",
        params=Complete,
        result=Run,
        summary="End a run with the outcome that its agent reports; the first end is kept.",
        run=answered(complete),
    ),
    Method(
        name="runs.record_turns",
        params=RecordTurns,
        result=Recorded,
        summary="Add turns to an open run: all of them, or none and why.",
        run=answered(record_turns),
    ),
    Method(
        name="runs.cancel",
        params=Cancel,
        result=Run,
        summary="End a run without an outcome.",
        run=answered(cancel),
    ),
    Method(
        name="runs.resume",
        params=Resume,
        result=Trace,
        summary="Take over an open run whose connection is gone, with its turns from a cursor on.",
        run=answered(resume),
    ),
    Method(
        name="runs.get",
        params=OneRun,
        result=Run,
        summary="Give one run.",
        run=answered(get),
    ),
    Method(
        name="runs.list",
        params=ListRuns,
        result=RunList,
        summary=f"Give the newest runs of an agent, or of all, {MAX_LIST} at most.",
        run=answered(list_runs),
    ),
    Method(
        name="runs.trace",
        params=GetTrace,
        result=Trace,
        summary="Give a run's turns, and the position from which to follow `runs/<id>`.",
        run=answered(trace),
    ),
]
