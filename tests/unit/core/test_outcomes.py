"""Outcomes: what an agent reports, and what is written down."""

import msgspec
import pytest

from hubbub.core.runs.outcomes import MAX_OUTCOME_BYTES, Outcome, cancelled, reported
from hubbub.errors import TooLarge


def test_status_alone_is_filled_up() -> None:
    """All fields are written, the moment of writing for the timestamp."""
    assert msgspec.json.decode(reported(Outcome(status="done"), now_ms=1_800_000_000_500)) == {
        "kind": "outcome",
        "status": "done",
        "summary": "",
        "evidence": [],
        "metrics": {
            "turns": 0,
            "tool_calls": 0,
            "duration_ms": 0.0,
            "retries": 0,
            "actions_succeeded": 0,
            "actions_failed": 0,
        },
        "timestamp": "2027-01-15T08:00:00.500000Z",
    }


def test_whole_outcome_is_kept() -> None:
    """What an agent reports is what is written; fields that we do not know are passed over."""
    outcome = msgspec.json.decode(
        b'{"status":"give_up","summary":"s","evidence":[{"kind":"stop_reason","data":[1]}],'
        b'"metrics":{"turns":2,"duration_ms":12.5},"timestamp":"2026-01-01T00:00:00Z",'
        b'"tools_called":["x"]}',
        type=Outcome,
    )
    written = msgspec.json.decode(reported(outcome, now_ms=0))
    assert (written["status"], written["summary"]) == ("give_up", "s")
    assert written["evidence"] == [{"kind": "stop_reason", "description": "", "data": [1]}]
    assert (written["metrics"]["turns"], written["metrics"]["duration_ms"]) == (2, 12.5)
    assert written["timestamp"] == "2026-01-01T00:00:00Z"


def test_oversized_outcome_is_refused() -> None:
    """An outcome over the limit is an error that names it."""
    with pytest.raises(TooLarge, match=str(MAX_OUTCOME_BYTES)):
        reported(Outcome(status="done", summary="x" * MAX_OUTCOME_BYTES), now_ms=0)


def test_cancelled_says_why() -> None:
    """The end of a stopped run carries its reason."""
    assert bytes(cancelled("stop")) == b'{"kind":"cancelled","reason":"stop"}'
