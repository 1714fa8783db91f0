"""The room as it was: each part from the newest events that told of it, up to a place."""

from collections.abc import Iterable, Sequence
from typing import Any, TypeVar

import msgspec

from hubbub.core.chat.conversation import SessionInfo
from hubbub.core.identity.agent_record import Status
from hubbub.core.past.room import MAX_RUNS, MAX_SESSIONS, RoomAgent, RoomWait
from hubbub.core.ports import Query, Row
from hubbub.core.runs.run import Ended, Run, after_end
from hubbub.core.tracker.issue_rows import IssueRow
from hubbub.core.tracker.lock_table import Lock
from hubbub.core.tracker.reservation_table import Reservation


T = TypeVar("T")

AGENT_KINDS = ("agent.connected", "agent.disconnected", "agent.status", "agent.forgotten")
HOLD_KINDS = ("lock.claimed", "lock.stolen", "lock.renewed")
LOCK_KINDS = (*HOLD_KINDS, "lock.released", "lock.lost")
RESERVED_KINDS = ("reservation.claimed", "reservation.renewed")
RESERVATION_KINDS = (*RESERVED_KINDS, "reservation.released", "reservation.lost")
SESSION_KINDS = (
    "chat.accepted",
    "chat.final",
    "chat.error",
    "chat.aborted",
    "chat.injected",
    "chat.session",
)
"""Kinds that say how the session is after them."""


class _Agent(msgspec.Struct, frozen=True):
    agent: str
    status: Status = "offline"
    doors: dict[str, int] = {}


class _Held(msgspec.Struct, frozen=True):
    issue_id: int
    agent: str
    fence: int
    claimed_at: int
    expires_at: int


class _Progress(msgspec.Struct, frozen=True):
    """How far a run had come by its newest event, where it had not ended."""

    index: int = -1
    trace_bytes: int = 0


def queries(at: int) -> Sequence[Query]:
    """Give what is read for the room after the event at a place; in the order of ``parts``."""
    return (
        _newest("agents/", AGENT_KINDS, at),
        ("past_runs", {"at": at, "limit": MAX_RUNS}),
        _newest("chat/", SESSION_KINDS, at, "$.session"),
        issues(at),
        _newest("locks/", LOCK_KINDS, at),
        _newest("reservations/", RESERVATION_KINDS, at),
        ("past_waits", {"at": at}),
    )


def parts(tables: Sequence[Sequence[Row]]) -> dict[str, list[Any]]:
    """Give the lists of a ``Room`` by name, from the rows of the queries."""
    agents, runs, sessions, changed, locks, reservations, waits = tables
    return {
        "agents": _agents(agents),
        "runs": [run_of(row) for row in runs],
        "sessions": _sessions(sessions),
        "issues": issue_rows(changed),
        "locks": _locks(locks),
        "reservations": _reservations(reservations),
        "waits": [msgspec.json.decode(row[0], type=RoomWait) for row in waits],
    }


def issues(at: int) -> Query:
    """Give what is read for all issues."""
    return _newest("issues/", ("issue.changed",), at, "$.issue")


def issue_rows(rows: Iterable[Row]) -> list[IssueRow]:
    """Give the issues that were not deleted, the newest first."""
    found = [msgspec.json.decode(data, type=IssueRow) for _, data in rows if data is not None]
    return sorted(found, key=lambda issue: -issue.id)


def run_of(row: Row) -> Run:
    """Make a run of what does not change of it, and of its newest event."""
    *fixed, kind, data = row
    run = Run(
        run_id=fixed[0],
        agent=fixed[1],
        client=fixed[2],
        intent=fixed[3],
        outcome_description=fixed[4],
        source=fixed[5],
        session_key=fixed[6],
        on_disconnect=fixed[7],
        started_at=fixed[8],
        grace_ms=fixed[9],
    )
    if kind == "run.ended":
        return after_end(run, msgspec.json.decode(data, type=Ended))
    progress = msgspec.json.decode(data, type=_Progress)
    return msgspec.structs.replace(
        run, turn_count=progress.index + 1, trace_bytes=progress.trace_bytes
    )


def _agents(rows: Iterable[Row]) -> list[RoomAgent]:
    found = [
        msgspec.json.decode(data, type=_Agent) for kind, data in rows if kind != "agent.forgotten"
    ]
    agents = [RoomAgent(agent=one.agent, status=one.status, doors=one.doors) for one in found]
    return sorted(agents, key=lambda agent: agent.agent)


def _sessions(rows: Iterable[Row]) -> list[SessionInfo]:
    found = [msgspec.json.decode(data, type=SessionInfo) for _, data in rows if data is not None]
    return sorted(found, key=lambda one: (-one.updated_at, one.session))[:MAX_SESSIONS]


def _locks(rows: Iterable[Row]) -> list[Lock]:
    held = [msgspec.json.decode(data, type=_Held) for kind, data in rows if kind in HOLD_KINDS]
    locks = [
        Lock(
            issue_id=one.issue_id,
            holder=one.agent,
            fence=one.fence,
            claimed_at=one.claimed_at,
            expires_at=one.expires_at,
        )
        for one in held
    ]
    return sorted(locks, key=lambda lock: lock.issue_id)


def _reservations(rows: Iterable[Row]) -> list[Reservation]:
    held = (data for kind, data in rows if kind in RESERVED_KINDS)
    found = [msgspec.json.decode(data, type=Reservation) for data in held]
    return sorted(found, key=lambda reservation: reservation.id)


def _newest(prefix: str, kinds: Sequence[str], at: int, path: str | None = None) -> Query:
    """Ask for the newest event of each topic under a prefix, or for one part of it."""
    end = prefix[:-1] + chr(ord("/") + 1)
    names = msgspec.json.encode(kinds).decode()
    return "past_newest", {"first": prefix, "end": end, "kinds": names, "at": at, "path": path}
