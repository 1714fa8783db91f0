"""Events, timestamps and errors as crosslink's wire shows them."""

from collections.abc import Iterator

import msgspec
import pytest

from hubbub import errors
from hubbub.core.values import Event
from hubbub.dialects.crosslink.bodies import PlainRefusal
from hubbub.dialects.crosslink.frames import (
    ERRORS,
    EventFrames,
    error_fields,
    gap,
    subscribed,
    timestamp,
)


def event(kind: str, **data: object) -> Event:
    """Make one of our events."""
    return Event(1, "i", "t", kind, "a", 0, msgspec.Raw(msgspec.json.encode(data)))


LOCK = {"issue_id": 5, "agent": "ann", "fence": 1}
AT = 1_800_000_000_007


@pytest.mark.parametrize(
    ("told", "frame"),
    [
        (
            event("issue.changed", issue_id=42, field="status"),
            {"type": "issue_updated", "issue_id": 42, "field": "status"},
        ),
        (
            event("lock.claimed", **LOCK, expires_at=9),
            {"type": "lock_changed", "issue_id": 5, "action": "claimed", "agent_id": "ann"},
        ),
        (
            event("lock.stolen", **LOCK, previous="bob", reason="x"),
            {"type": "lock_changed", "issue_id": 5, "action": "claimed", "agent_id": "ann"},
        ),
        (
            event("lock.released", **LOCK),
            {"type": "lock_changed", "issue_id": 5, "action": "released", "agent_id": "ann"},
        ),
        (
            event("lock.lost", **LOCK, reason="lease ended"),
            {"type": "lock_changed", "issue_id": 5, "action": "released", "agent_id": "ann"},
        ),
        (
            event("lock.notified", issue_id=7, agent="bob", action="released"),
            {"type": "lock_changed", "issue_id": 7, "action": "released", "agent_id": "bob"},
        ),
        (
            event("agent.heartbeat", agent="ann", at=AT, status="active"),
            {"type": "heartbeat", "agent_id": "ann", "timestamp": "2027-01-15T08:00:00.007Z"},
        ),
        (
            event("agent.heartbeat", agent="ann", at=AT, active_issue_id=3),
            {
                "type": "heartbeat",
                "agent_id": "ann",
                "timestamp": "2027-01-15T08:00:00.007Z",
                "active_issue_id": 3,
            },
        ),
        (
            event("agent.status", agent="ann", status="active", previous="offline"),
            {"type": "agent_status", "agent_id": "ann", "status": "active"},
        ),
        (
            event("agent.status", agent="ann", status="idle", previous="active"),
            {"type": "agent_status", "agent_id": "ann", "status": "idle"},
        ),
        (
            event("agent.status", agent="ann", status="offline", previous="active"),
            {"type": "agent_status", "agent_id": "ann", "status": "stale"},
        ),
        (event("agent.status", agent="ann", status="offline", previous="stale"), None),
        (event("agent.connected", agent="ann", door="car", connections=1), None),
        (event("plan.moved"), None),
    ],
    ids=lambda value: value.kind if isinstance(value, Event) else "",
)
def test_event_as_frame(told: Event, frame: dict[str, object] | None) -> None:
    """Each event has the fields of its type and no others; what has no type is not shown."""
    message = EventFrames().message(told)
    assert (None if message is None else msgspec.json.decode(message)) == frame


def test_event_is_encoded_once_for_all_channels() -> None:
    """Audiences that ask for the same event get the same bytes, not equal ones."""
    frames = EventFrames()
    one, other = event("issue.changed", issue_id=1), event("issue.changed", issue_id=2)
    first = frames.message(one)
    assert frames.message(one) is first
    assert frames.message(other) != first
    assert frames.message(one) is not first


@pytest.mark.parametrize(
    ("text", "channels"),
    [
        ('{"type":"subscribe","channels":["issues","locks"]}', {"issues", "locks"}),
        ('{"type":"subscribe","channels":["issues","dashboard","x"]}', {"issues"}),
        ('{"type":"subscribe","channels":[],"more":1}', set()),
        ('{"channels":["issues"]}', None),
        ('{"type":"Subscribe","channels":["issues"]}', None),
        ('{"type":"subscribe","channels":"issues"}', None),
        ('{"type":"subscribe","channels":[1]}', None),
        ('{"type":"subscribe"}', None),
        ("[" * 100_000, None),
        ("{", None),
        ("", None),
    ],
    ids=lambda value: value[:50] if isinstance(value, str) else "",
)
def test_subscribe(text: str, channels: set[str] | None) -> None:
    """Known channels of a well-formed subscribe count; anything else is no subscribe."""
    assert subscribed(text) == channels


def test_gap() -> None:
    """A gap says how many events were lost."""
    assert gap(12) == b'{"type":"gap","dropped":12}'


@pytest.mark.parametrize(
    ("ms", "text"),
    [(0, "1970-01-01T00:00:00.000Z"), (AT, "2027-01-15T08:00:00.007Z")],
)
def test_timestamp(ms: int, text: str) -> None:
    """Times are RFC 3339 in UTC with three digits of a second."""
    assert timestamp(ms) == text


def all_errors(base: type[errors.HubbubError]) -> Iterator[type[errors.HubbubError]]:
    """Give a class of error and all below it."""
    yield base
    for below in base.__subclasses__():
        yield from all_errors(below)


def test_every_error_has_a_shape() -> None:
    """Each code of ours that a caller can see has a status and a short text on this wire."""
    # The root of the tree, and ends before the door opens.
    unseen = {"error", "start_error", "config_error"}
    ours = [kind for kind in all_errors(errors.HubbubError) if kind.__module__ == errors.__name__]
    assert {kind.code for kind in ours} - unseen == set(ERRORS)


@pytest.mark.parametrize(
    ("error", "status", "detail"),
    [
        (errors.NotFound("issue", 9), 404, "Issue #9 not found"),
        (errors.NotFound("parent issue", 9), 404, "Parent issue #9 not found"),
        (errors.NotFound("label", "x"), 404, "label x not found"),
        (errors.InvalidRequest("why"), 400, "why"),
        (errors.LockHeld(1, holder="ann", expires_at_ms=0), 409, "issue 1 is held by ann"),
    ],
)
def test_error_body(error: errors.HubbubError, status: int, detail: str) -> None:
    """Errors carry a short text and, as detail, what was wrong."""
    got, body = error_fields(error)
    assert (got, body["detail"]) == (status, detail)
    assert body["error"] == ERRORS[error.code][1]


def test_plain_refusal_keeps_its_status() -> None:
    """What is refused before a handler knows its own status."""
    refusal = PlainRefusal(422, "why")
    assert (refusal.status, str(refusal)) == (422, "why")
