"""``runs.*``: start, complete, record, read and follow runs."""

from collections.abc import Callable
from typing import Annotated

import msgspec

from hubbub.core.chat.session_keys import agent_id
from hubbub.core.ports import Settled
from hubbub.core.runs.outcomes import Outcome
from hubbub.core.runs.run import OnDisconnect, Run, StartRun
from hubbub.core.runs.service import MAX_LIST
from hubbub.core.runs.trace import Recorded, Turn, recorded
from hubbub.core.values import Position
from hubbub.dialects.calls import Reply, answered
from hubbub.dialects.car import records
from hubbub.dialects.car.agent_names import UnknownAgent, slug_of
from hubbub.dialects.car.methods import Caller, Method, at_once, read_in_turn, stored
from hubbub.errors import Conflict, Forbidden, NotFound


NOT_OF_THE_MODEL = ("run_id", "assistant_text", "idempotency_key")
"""Params of ``runs.record_model_turn`` that say nothing of the model's call."""
MAX_ANSWER_BYTES = 12 * 1024 * 1024
"""Bytes of a list in one answer at most: clients lose the connection over 16 MiB."""


class Start(msgspec.Struct, frozen=True):
    """Params of ``runs.start``."""

    intent: str
    agent_id: str | None = None
    agent_name: str | None = None
    outcome_description: str | None = None
    idempotency_key: str | None = None
    on_disconnect: OnDisconnect = "incomplete"
    """Ours: what the end of this connection does to the run."""
    grace_ms: int | None = None
    """Ours: milliseconds that the agent has to come back first."""


class Complete(msgspec.Struct, frozen=True):
    """Params of ``runs.complete``."""

    run_id: str
    outcome: Outcome
    idempotency_key: str | None = None


class RecordTurns(msgspec.Struct, frozen=True):
    """Params of ``runs.record_turns``."""

    run_id: str
    turns: list[Turn]
    idempotency_key: str | None = None


class RecordModelTurn(msgspec.Struct, frozen=True, omit_defaults=True):
    """Params of ``runs.record_model_turn``."""

    run_id: str
    turn_index: msgspec.Raw | msgspec.UnsetType = msgspec.UNSET
    assistant_text: str | None = None
    requested_tool_calls: msgspec.Raw | msgspec.UnsetType = msgspec.UNSET
    model_id: msgspec.Raw | msgspec.UnsetType = msgspec.UNSET
    token_usage: msgspec.Raw | msgspec.UnsetType = msgspec.UNSET
    duration_ms: msgspec.Raw | msgspec.UnsetType = msgspec.UNSET
    idempotency_key: str | None = None


class Cancel(msgspec.Struct, frozen=True):
    """Params of ``runs.cancel``."""

    run_id: str
    reason: str = "cancelled"
    idempotency_key: str | None = None


class OfAgent(msgspec.Struct, frozen=True):
    """Params of ``runs.list``."""

    agent_id: str


class OfRun(msgspec.Struct, frozen=True):
    """Params of the methods that need just a run."""

    run_id: str


class GetTrace(msgspec.Struct, frozen=True):
    """Params of ``runs.get_trace`` and ``runs.subscribe``; the latter's cursor is ours."""

    run_id: str
    cursor: Annotated[int, msgspec.Meta(ge=0)] = 0


class TurnsAnswer(msgspec.Struct, frozen=True, omit_defaults=True):
    """Result of ``runs.record_turns``."""

    run_id: str
    base_index: int
    count: int
    ok: bool
    dropped: str | None = None


# -- writing -------------------------------------------------------------------------------


def resolve_agent(caller: Caller, params: Start) -> str:
    """Find out whose run this is: the binding decides where there is one.

    Raises:
        Forbidden: The connection is bound to another agent than the one named.
        UnknownAgent: Nothing names an agent.
    """
    bound = caller.agent
    if bound is not None:
        if params.agent_id and params.agent_id != bound:
            message = f"this session is bound to agent {bound!r}; it cannot start a run as another"
            raise Forbidden(message)
        return bound
    if params.agent_id or caller.ambient_agent:
        return params.agent_id or caller.ambient_agent
    slug = slug_of(params.agent_name or "")
    if not slug:
        raise UnknownAgent
    return f"name:{slug}"


def start(caller: Caller, params: Start, reply: Reply) -> None:
    """Start a run; it is the session's current one before the answer leaves."""
    new = StartRun(
        agent=resolve_agent(caller, params),
        intent=params.intent,
        client=caller.client_id,
        source="car",
        on_disconnect=params.on_disconnect,
        grace_ms=params.grace_ms,
        outcome_description=params.outcome_description,
        idempotency_key=params.idempotency_key,
    )

    def done(settled: Settled) -> None:
        if settled.error is not None:
            reply(settled.error)
            return
        run: Run = settled.value
        caller.current_run = run.run_id if run.status == "in_progress" else caller.current_run
        reply({"run_id": run.run_id, "agent_id": run.agent})

    caller.hub.runs.submit_start(caller.caller, new, caller.client_id, done)


def complete(caller: Caller, params: Complete, reply: Reply) -> None:
    """End a run with the outcome that its agent reports."""
    unit = caller.hub.runs.completing(
        caller.caller, params.run_id, params.outcome, key=params.idempotency_key
    )

    def result(run: Run) -> object:
        _forget_current(caller, run.run_id)
        return {"run_id": run.run_id, "ok": True}

    stored(caller, unit, reply, result)


async def cancel(caller: Caller, params: Cancel) -> object:
    """End a run without an outcome."""
    run = await caller.hub.runs.cancel(
        caller.caller, params.run_id, reason=params.reason, key=params.idempotency_key
    )
    _forget_current(caller, run.run_id)
    return {"run_id": run.run_id, "ok": True}


def record_turns(caller: Caller, params: RecordTurns, reply: Reply) -> None:
    """Add turns to a run of one's own: all of them or none."""
    _record(caller, params, reply)


def record_model_turn(caller: Caller, params: RecordModelTurn, reply: Reply) -> None:
    """Add what a model said as one turn."""
    fields = {
        field: value
        for field, value in msgspec.structs.asdict(params).items()
        if field not in NOT_OF_THE_MODEL and value is not msgspec.UNSET
    }
    turn = Turn(
        output=msgspec.Raw(msgspec.json.encode(params.assistant_text)),
        model=msgspec.Raw(msgspec.json.encode(fields)),
    )
    _record(caller, RecordTurns(params.run_id, [turn], params.idempotency_key), reply)


def _record(caller: Caller, params: RecordTurns, reply: Reply) -> None:
    run_id, turns, key = params.run_id, params.turns, params.idempotency_key
    unit = caller.hub.runs.recording(caller.caller, run_id, turns, key=key)
    if _is_own(caller, run_id):
        stored(caller, unit, reply, lambda added: _turns_answer(run_id, added))
        return
    refused = _turns_answer(run_id, Recorded(dropped="run_not_found"))
    if key is None:
        reply(refused)
        return
    # The connection whose run it was may be gone, and this be its client, asking again.
    look = recorded(caller.caller, run_id, turns, key=key)
    stored(
        caller, look, reply, lambda found: _turns_answer(run_id, found.value) if found else refused
    )


def _turns_answer(run_id: str, added: Recorded) -> TurnsAnswer:
    return TurnsAnswer(
        run_id=run_id,
        base_index=added.base_index,
        count=added.count,
        ok=added.dropped is None,
        dropped=added.dropped,
    )


def _is_own(caller: Caller, run_id: str) -> bool:
    """Say whether a connection may add turns: its agent's runs, or those that it started."""
    if caller.agent is not None:
        return True  # the service looks whose it is
    run = caller.hub.runs.get(run_id)
    started = run is not None and run.client == caller.client_id
    return not caller.is_host and (started or caller.hub.runs.owner(run_id) == caller.client_id)


def _forget_current(caller: Caller, run_id: str) -> None:
    if caller.current_run == run_id:
        caller.current_run = None


# -- reading -------------------------------------------------------------------------------


def check_reader(caller: Caller, agent: str) -> None:
    """Check that a connection may read an agent's runs; ids are not keys.

    Args:
        agent: Its own name, or the form that this has in session keys.

    Raises:
        Forbidden: It is neither bound to that agent nor in the host role.
    """
    if not (caller.agent == agent or caller.is_attached_as(agent) or caller.is_host):
        message = "runs are read by the session bound to their agent, or in the host role"
        raise Forbidden(message)


async def readable(caller: Caller, run_id: str) -> Run | None:
    """Give a run that a connection may read; ``None``, to the host alone: there is none.

    Raises:
        Forbidden: As ``check_reader``; also where there is no such run.
    """
    if caller.agent is None and not caller.is_host:
        check_reader(caller, "")
    try:
        run = await caller.hub.runs.find(run_id)
    except NotFound:
        if caller.is_host:
            return None
        run = None
    check_reader(caller, "" if run is None else run.agent)
    return run


async def list_runs(caller: Caller, params: OfAgent) -> object:
    """List an agent's runs, newest first."""
    check_reader(caller, params.agent_id)
    runs = await _runs_of(caller, params.agent_id)
    shown: list[msgspec.Raw] = []
    room = MAX_ANSWER_BYTES
    for run in runs:
        data = msgspec.json.encode(records.summary(run))
        room -= len(data) + 1
        if room < 0:
            break
        shown.append(msgspec.Raw(data))
    return {"agent_id": params.agent_id, "runs": shown}


async def _runs_of(caller: Caller, agent: str) -> list[Run]:
    """Give an agent's runs, and those of its chats, where it is named as in session keys."""
    runs = await caller.hub.runs.list(agent, limit=MAX_LIST)
    keyed, here = agent_id(agent), caller.attached.get(agent)
    if keyed == agent or here is None or caller.attached.get(keyed) is not here:
        return runs
    runs += await caller.hub.runs.list(keyed, limit=MAX_LIST)
    return sorted(runs, key=lambda run: (run.started_at, run.run_id), reverse=True)


async def get_trace(caller: Caller, params: GetTrace) -> object:
    """Give a run's records from an index on."""
    run = await readable(caller, params.run_id)
    if run is None:
        return {"run_id": params.run_id, "not_found": True}
    snapshot = await caller.hub.runs.snapshot(params.run_id)
    run = snapshot.run
    found = [records.started(run)]
    found += turn_records(snapshot.turns)
    if run.ended_at is not None and isinstance(run.termination, msgspec.Raw):
        found.append(records.ended(run.run_id, run.status, run.ended_at, run.termination))
    return {
        "run_id": run.run_id,
        "agent_id": run.agent,
        "records": found[params.cursor :],
        "cursor": len(found),
    }


async def subscribe(caller: Caller, params: GetTrace, reply: Reply) -> None:
    """Give a run's turns from an index on, then each record as it comes; no hole between."""
    run = await readable(caller, params.run_id)
    if run is None:
        raise NotFound("run", params.run_id)
    limit = caller.settings.max_subscriptions
    if params.run_id not in caller.followed and len(caller.followed) >= limit:
        message = f"a connection follows {limit} runs at most; unsubscribe from some"
        raise Conflict(message)
    snapshot = await caller.hub.runs.snapshot(run.run_id)
    run = snapshot.run
    answer = {
        "run_id": run.run_id,
        "agent_id": run.agent,
        "turns_so_far": turn_records(snapshot.turns)[params.cursor :],
        "cursor": run.turn_count,
        "status": records.STATUSES[run.status],
    }
    if run.status != "in_progress":
        reply(answer)  # nothing will follow
        return

    def announce() -> None:
        reply(answer)
        caller.relay.follow(caller, run)

    await _follow(caller, run.run_id, snapshot.seq, announce)


async def _follow(caller: Caller, run_id: str, seq: int, announce: Callable[[], None]) -> None:
    """Join a run's audience after a place in the journal.

    Raises:
        Conflict: The connection unsubscribed, or subscribed anew, before it was answered.
    """
    hub = caller.hub
    unsubscribe(caller, OfRun(run_id))
    member = caller.followed[run_id] = hub.bus.member(
        caller.outbox,
        key=("car", run_id),
        patterns=[f"runs/{run_id}"],
        encode=records.trace_event,
    )
    after = Position(epoch=hub.store.epoch, seq=seq)
    await hub.bus.resume(member, after, lambda _resumed: announce())
    if member.left:
        message = f"the subscription to run {run_id} was ended before it began"
        raise Conflict(message)


def unsubscribe(caller: Caller, params: OfRun) -> object:
    """Follow a run no longer."""
    member = caller.followed.pop(params.run_id, None)
    if member is not None:
        member.leave()
        caller.relay.unfollow(caller, params.run_id)
    return {"run_id": params.run_id, "removed": member is not None}


def turn_records(turns: msgspec.Raw) -> list[msgspec.Raw]:
    """Give the records of stored turns, a JSON array."""
    return [records.turn(turn) for turn in msgspec.json.decode(turns, type=list[msgspec.Raw])]


METHODS = [
    Method(name="runs.start", params=Start, run=start),
    Method(name="runs.complete", params=Complete, run=complete),
    Method(name="runs.cancel", params=Cancel, run=answered(cancel)),
    Method(name="runs.record_turns", params=RecordTurns, run=record_turns),
    Method(name="runs.record_model_turn", params=RecordModelTurn, run=record_model_turn),
    Method(name="runs.list", params=OfAgent, run=read_in_turn(answered(list_runs))),
    Method(name="runs.get_trace", params=GetTrace, run=read_in_turn(answered(get_trace))),
    Method(name="runs.subscribe", params=GetTrace, run=read_in_turn(subscribe)),
    Method(name="runs.unsubscribe", params=OfRun, run=at_once(unsubscribe)),
]
