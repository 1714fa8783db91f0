"""Runs and their traces in CAR's shapes: pure.

A trace is one list of records: ``started``, one ``turn`` each, ``ended``. A turn's record is
made of its stored bytes, so what a subscriber gets live and what it reads later are equal.
"""

import datetime as dt

import msgspec

from hubbub.core.runs.run import Ended, Run, TurnAdded
from hubbub.core.values import Event


STATUSES = {
    "in_progress": "in_progress",
    "completed": "completed",
    "incomplete": "incomplete",
    "cancelled": "incomplete",
}
"""CAR knows three; why a run ended stands in its termination."""

INCOMPLETE = b'{"kind":"incomplete"}'


class RunSummary(msgspec.Struct, frozen=True, omit_defaults=True):
    """One run in a list."""

    run_id: str
    agent_id: str
    intent: str
    started_at: str
    status: str
    turn_count: int
    ended_at: str | None = None


class _Started(msgspec.Struct, frozen=True, omit_defaults=True, tag_field="record", tag="started"):
    run_id: str
    agent_id: str
    client_id: str
    intent: str
    started_at: str
    outcome_description: str | None = None


class _Ended(msgspec.Struct, frozen=True, tag_field="record", tag="ended"):
    run_id: str
    ended_at: str
    termination: msgspec.Raw


_turn = msgspec.json.Decoder(TurnAdded)
_end = msgspec.json.Decoder(Ended)


def rfc3339(at_ms: int) -> str:
    """Give a moment as CAR writes it.

    Args:
        at_ms: Unix time in milliseconds.
    """
    moment = dt.datetime.fromtimestamp(at_ms / 1000, dt.UTC)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def summary(run: Run) -> RunSummary:
    """Give a run as ``runs.list`` shows it."""
    return RunSummary(
        run_id=run.run_id,
        agent_id=run.agent,
        intent=run.intent,
        started_at=rfc3339(run.started_at),
        status=STATUSES[run.status],
        turn_count=run.turn_count,
        ended_at=None if run.ended_at is None else rfc3339(run.ended_at),
    )


def started(run: Run) -> msgspec.Raw:
    """Give the first record of a trace."""
    record = _Started(
        run_id=run.run_id,
        agent_id=run.agent,
        client_id=run.client,
        intent=run.intent,
        started_at=rfc3339(run.started_at),
        outcome_description=run.outcome_description,
    )
    return msgspec.Raw(msgspec.json.encode(record))


def turn(stored: msgspec.Raw) -> msgspec.Raw:
    """Give the record of a stored turn."""
    return msgspec.Raw(b'{"record":"turn",' + bytes(stored)[1:])


def ended(run_id: str, status: str, ended_at: int, termination: msgspec.Raw) -> msgspec.Raw:
    """Give the last record of a trace.

    A cancelled run is ``incomplete`` here, and says so in ``reason``.
    """
    end = bytes(termination)
    if status == "cancelled":
        end = INCOMPLETE[:-1] + b',"reason":"cancelled"}'
    return msgspec.Raw(msgspec.json.encode(_Ended(run_id, rfc3339(ended_at), msgspec.Raw(end))))


def trace_event(event: Event) -> bytes | None:
    """Give the notification for a run's event; ``None`` where subscribers see nothing.

    ``cursor`` is the number of turns as of this record; turns raise it by one each.
    """
    if event.kind == "run.turn":
        added = _turn.decode(event.data)
        run_id, agent, cursor = added.run_id, added.agent, added.index + 1
        record, status = turn(added.turn), "in_progress"
    elif event.kind == "run.ended":
        end = _end.decode(event.data)
        run_id, agent, cursor = end.run_id, end.agent, end.turn_count
        record = ended(run_id, end.status, end.ended_at, end.termination)
        status = STATUSES[end.status]
    else:
        return None
    params = {
        "run_id": run_id,
        "agent_id": agent,
        "record": record,
        "cursor": cursor,
        "status": status,
    }
    body = {"jsonrpc": "2.0", "method": "runs.trace.event", "params": params}
    return msgspec.json.encode(body)
