"""The fold of a room, as a client writes it: a snapshot, and then the events after it."""

import copy
from collections.abc import Iterable
from typing import Any

from tests.clients.frames import Frame


MAX_RUNS = 1000
HELD = {"lock.claimed", "lock.stolen", "lock.renewed"}
FREED = {"lock.released", "lock.lost"}


def folded(room: Frame, events: Iterable[Frame]) -> Frame:
    """Give the room as it is after these events, which follow its position."""
    room = copy.deepcopy(room)
    for event in events:
        room["position"]["seq"], room["at"] = event["seq"], event["at"]
        fold = FOLDS.get(event["topic"].partition("/")[0])
        if fold is not None:
            fold(room, event["kind"], event["data"])
        if event["kind"].startswith("wait."):
            _wait(room, event["kind"], event["data"])
    return room


def _agent(room: Frame, kind: str, data: Frame) -> None:
    row: Frame = {name: data[name] for name in ("agent", "status", "doors") if name in data}
    _put(room, "agents", "agent", data["agent"], None if kind == "agent.forgotten" else row)
    room["agents"].sort(key=lambda one: one["agent"])


def _run(room: Frame, kind: str, data: Frame) -> None:
    if kind == "run.started":
        missing = ("outcome_description", "session_key", "grace_ms", "ended_at")
        new = {**dict.fromkeys(missing), "status": "in_progress", **data}
        room["runs"].insert(0, {**new, "turn_count": 0, "trace_bytes": 0})
        del room["runs"][MAX_RUNS:]
        return
    run = next(one for one in room["runs"] if one["run_id"] == data["run_id"])
    run["trace_bytes"] = data["trace_bytes"]
    if kind == "run.turn":
        run["turn_count"] = data["index"] + 1
    else:
        names = ("status", "termination", "turn_count", "ended_at")
        run.update({name: data[name] for name in names})


def _chat(room: Frame, _kind: str, data: Frame) -> None:
    if "session" in data:
        _put(room, "sessions", "session", data["session_key"], data["session"])
        room["sessions"].sort(key=lambda one: (-one["updated_at"], one["session"]))


def _issue(room: Frame, _kind: str, data: Frame) -> None:
    _put(room, "issues", "id", data["issue_id"], data["issue"])
    room["issues"].sort(key=lambda one: -one["id"])


def _lock(room: Frame, kind: str, data: Frame) -> None:
    if kind in HELD:
        names = ("issue_id", "fence", "claimed_at", "expires_at")
        lock = {**{name: data[name] for name in names}, "holder": data["agent"]}
        _put(room, "locks", "issue_id", data["issue_id"], lock)
        room["locks"].sort(key=lambda one: one["issue_id"])
    elif kind in FREED:
        _put(room, "locks", "issue_id", data["issue_id"], None)


def _reservation(room: Frame, kind: str, data: Frame) -> None:
    if kind in {"reservation.claimed", "reservation.renewed"}:
        _put(room, "reservations", "id", data["id"], data)
        room["reservations"].sort(key=lambda one: one["id"])
    elif kind in {"reservation.released", "reservation.lost"}:
        _put(room, "reservations", "id", data["id"], None)


def _wait(room: Frame, kind: str, data: Frame) -> None:
    if kind != "wait.cycle":
        _put(room, "waits", "ticket", data["ticket"], data if kind == "wait.begun" else None)


FOLDS = {
    "agents": _agent,
    "runs": _run,
    "chat": _chat,
    "issues": _issue,
    "locks": _lock,
    "reservations": _reservation,
}
"""By the first part of a topic."""


def _put(room: Frame, table: str, name: str, key: Any, row: Frame | None) -> None:
    """Replace the row of a key, at the end of its table; without a row, remove it."""
    room[table] = [one for one in room[table] if one[name] != key]
    if row is not None:
        room[table].append(row)
