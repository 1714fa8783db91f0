"""crosslink's wire: socket events, JSON shapes, errors. Pure.

Source: crosslink 0.8.0 and its main branch of July 2026, observed; see ``docs/doors``.
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Literal

import msgspec

from hubbub.core.identity.presence import AgentPresence
from hubbub.core.tracker.issues import Comment, Issue
from hubbub.core.tracker.lock_table import Lock
from hubbub.core.values import Event
from hubbub.errors import HubbubError, NotFound


CHANNELS: Mapping[str, str] = {
    "agents": "agents/*",
    "issues": "issues/*",
    "locks": "locks/*",
    "execution": "plans/*",
}
"""The topics of each channel; any other name is accepted and matches nothing."""

ERRORS: Mapping[str, tuple[int, str]] = {
    "bad_request": (400, "bad request"),
    "protocol_error": (400, "bad request"),
    "invalid_request": (400, "bad request"),
    "unauthorized": (401, "unauthorized"),
    "forbidden": (403, "forbidden"),
    "not_found": (404, "not found"),
    "conflict": (409, "conflict"),
    "idempotency_conflict": (409, "conflict"),
    "lock_held": (409, "conflict"),
    "paths_reserved": (409, "conflict"),
    "deadlock": (409, "conflict"),
    "session_busy": (409, "conflict"),
    "stale_fence": (409, "conflict"),
    "too_large": (413, "too large"),
    "rate_limited": (429, "too many requests"),
    "too_many_connections": (503, "too many connections"),
    "too_slow": (408, "request timeout"),
    "unavailable": (503, "unavailable"),
    "store_unavailable": (503, "store unavailable"),
    "runner_failed": (502, "runner failed"),
    "internal_error": (500, "internal error"),
}
"""Status and short text of each of our error codes."""

STATUSES: Mapping[str, str] = {
    "active": "active",
    "idle": "idle",
    "stale": "stale",
    "offline": "stale",
}
"""Status of an agent as this wire knows it: one that has left is stale to its clients."""

_LOCK_ACTIONS: Mapping[str, str] = {
    "lock.claimed": "claimed",
    # One lock per issue: who sees the thief's claim knows that the former hold is over.
    "lock.stolen": "claimed",
    "lock.released": "released",
    "lock.lost": "released",
}

_encode = msgspec.json.Encoder().encode


class Subscribe(msgspec.Struct):
    """The one message that a client may send: the channels that it wants from now on."""

    # No tag: msgspec takes a message without its tag for the struct that is alone.
    type: Literal["subscribe"]
    channels: list[str]


class _Fields(msgspec.Struct, frozen=True):
    """What is read in the data of our events."""

    issue_id: int = 0
    field: str = ""
    agent: str = ""
    action: str = ""
    at: int = 0
    active_issue_id: int | None = None
    status: str = ""
    previous: str = ""


_subscribe = msgspec.json.Decoder(Subscribe)
_fields = msgspec.json.Decoder(_Fields)


def subscribed(text: str) -> frozenset[str] | None:
    """Give the channels of a subscribe that exist; ``None``: this is something else."""
    try:
        return frozenset(_subscribe.decode(text).channels).intersection(CHANNELS)
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        return None


def gap(dropped: int) -> bytes:
    """Tell how many events a slow client lost."""
    return b'{"type":"gap","dropped":%d}' % dropped


class EventFrames:
    """Encodes events; remembers the last, which is asked for once per set of channels."""

    def __init__(self) -> None:
        """Begin with nothing remembered."""
        self._event: Event | None = None
        self._message: bytes | None = None

    def message(self, event: Event) -> bytes | None:
        """Give an event without its ``seq``; ``None``: this wire has no word for it."""
        if event is not self._event:
            self._event = event
            wire = _wire_event(event)
            self._message = None if wire is None else _encode(wire)
        return self._message


def _wire_event(event: Event) -> dict[str, object] | None:
    kind = event.kind
    if kind == "issue.changed":
        fields = _fields.decode(event.data)
        return {"type": "issue_updated", "issue_id": fields.issue_id, "field": fields.field}
    if kind == "agent.heartbeat":
        return _heartbeat(_fields.decode(event.data))
    if kind == "agent.status":
        return _status(_fields.decode(event.data))
    if kind in _LOCK_ACTIONS or kind == "lock.notified":
        fields = _fields.decode(event.data)
        return {
            "type": "lock_changed",
            "issue_id": fields.issue_id,
            "action": _LOCK_ACTIONS.get(kind, fields.action),
            "agent_id": fields.agent,
        }
    return None


def _heartbeat(fields: _Fields) -> dict[str, object]:
    beat: dict[str, object] = {
        "type": "heartbeat",
        "agent_id": fields.agent,
        "timestamp": timestamp(fields.at),
    }
    if fields.active_issue_id is not None:
        beat["active_issue_id"] = fields.active_issue_id
    return beat


def _status(fields: _Fields) -> dict[str, object] | None:
    status = STATUSES[fields.status]
    # A new agent was offline in our words, and unknown, not stale, in theirs.
    if fields.status == "offline" and STATUSES[fields.previous] == status:
        return None
    return {"type": "agent_status", "agent_id": fields.agent, "status": status}


# -- JSON shapes of the REST side ----------------------------------------------------------


def timestamp(ms: int) -> str:
    """Write a time as RFC 3339 in UTC, with milliseconds."""
    moment = datetime.fromtimestamp(ms // 1000, UTC)
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{ms % 1000:03d}Z"


def issue_fields(issue: Issue) -> dict[str, Any]:
    """Give an issue, or one of its longer forms; keys without a value are null."""
    fields = msgspec.structs.asdict(issue)
    for name in ("created_at", "updated_at", "closed_at"):
        if fields[name] is not None:
            fields[name] = timestamp(fields[name])
    if "comments" in fields:
        fields["comments"] = [comment_fields(comment) for comment in fields["comments"]]
        fields["subissues"] = [issue_fields(below) for below in fields["subissues"]]
    return fields


def comment_fields(comment: Comment) -> dict[str, Any]:
    """Give a comment; this wire has no author, and leaves out what an intervention lacks."""
    fields = msgspec.structs.asdict(comment)
    del fields["author"]
    fields["created_at"] = timestamp(comment.created_at)
    return {name: value for name, value in fields.items() if value is not None}


def agent_fields(agent: AgentPresence, locks: list[int]) -> dict[str, Any]:
    """Give an agent's summary.

    Args:
        locks: Issues that it holds.
    """
    fields: dict[str, Any] = {
        "agent_id": agent.agent,
        # The single-project page finds its way by `id`, which the original never sent.
        "id": agent.agent,
        "machine_id": agent.machine_id,
        "status": STATUSES[agent.status],
        "last_heartbeat": timestamp(agent.last_heartbeat),
        "locks": locks,
    }
    if agent.active_issue_id is not None:
        fields["active_issue_id"] = agent.active_issue_id
    return fields


def unknown_agent_fields(agent: str, now: int) -> dict[str, Any]:
    """Give the summary of an agent that was never heard: here this is no error."""
    return {
        "agent_id": agent,
        "id": agent,
        "machine_id": "",
        "status": "unknown",
        "last_heartbeat": timestamp(now),
        "locks": [],
    }


def lock_fields(lock: Lock, *, now: int, is_stale: bool) -> dict[str, Any]:
    """Give a lock; ``fence`` and ``expires_at`` are ours."""
    return {
        "issue_id": lock.issue_id,
        "agent_id": lock.holder,
        "claimed_at": timestamp(lock.claimed_at),
        "signed_by": "",
        "age_seconds": max(0, now - lock.claimed_at) // 1000,
        "is_stale": is_stale,
        "fence": lock.fence,
        "expires_at": timestamp(lock.expires_at),
    }


def listed(items: list[dict[str, Any]]) -> dict[str, Any]:
    """Put a list into its envelope."""
    return {"items": items, "total": len(items)}


def error_fields(error: HubbubError) -> tuple[int, dict[str, str]]:
    """Give status and body of an error."""
    status, short = ERRORS[error.code]
    return status, {"error": short, "detail": _detail(error)}


def _detail(error: HubbubError) -> str:
    if isinstance(error, NotFound) and error.what.endswith("issue"):
        return f"{error.what.capitalize()} #{error.name} not found"
    return str(error)
