"""How a run ends: what an agent reports, and what is written down."""

import datetime as dt
from typing import Literal

import msgspec

from hubbub.errors import TooLarge


OutcomeStatus = Literal["success", "partial_success", "give_up", "timeout", "failure", "done"]
Number = int | float

MAX_OUTCOME_BYTES = 1024 * 1024
"""Bytes of one outcome as JSON at most."""

INCOMPLETE = msgspec.Raw(b'{"kind":"incomplete"}')
"""The end of a run that nobody reported."""


class Evidence(msgspec.Struct, frozen=True):
    """One thing that speaks for an outcome."""

    kind: str = ""
    """``tool_result``, ``self_assessment``, ``stop_reason`` or the agent's own word."""
    description: str = ""
    data: msgspec.Raw = msgspec.field(default_factory=lambda: msgspec.Raw(b"null"))


class OutcomeMetrics(msgspec.Struct, frozen=True):
    """What a run took."""

    turns: Number = 0
    tool_calls: Number = 0
    duration_ms: Number = 0.0
    """Milliseconds."""
    retries: Number = 0
    actions_succeeded: Number = 0
    actions_failed: Number = 0


class Outcome(msgspec.Struct, frozen=True, kw_only=True):
    """What an agent reports at the end of its run; only ``status`` is required."""

    status: OutcomeStatus
    summary: str = ""
    evidence: tuple[Evidence, ...] = ()
    metrics: OutcomeMetrics = OutcomeMetrics()
    timestamp: dt.datetime | None = None
    """``None``: the moment at which it is written down."""


class Reported(msgspec.Struct, frozen=True, tag_field="kind", tag="outcome"):
    """An outcome as it is stored: with nothing left out."""

    status: OutcomeStatus
    summary: str
    evidence: tuple[Evidence, ...]
    metrics: OutcomeMetrics
    timestamp: dt.datetime


class Cancelled(msgspec.Struct, frozen=True, tag_field="kind", tag="cancelled"):
    """The end of a run that somebody stopped."""

    reason: str


def reported(outcome: Outcome, *, now_ms: int) -> msgspec.Raw:
    """Give the termination that an outcome makes.

    Raises:
        TooLarge: It is over ``MAX_OUTCOME_BYTES``.
    """
    now = dt.datetime.fromtimestamp(now_ms / 1000, dt.UTC)
    data = msgspec.json.encode(
        Reported(
            outcome.status,
            outcome.summary,
            outcome.evidence,
            outcome.metrics,
            outcome.timestamp or now,
        )
    )
    if len(data) > MAX_OUTCOME_BYTES:
        message = f"the outcome has {len(data)} bytes; {MAX_OUTCOME_BYTES} at most"
        raise TooLarge(message)
    return msgspec.Raw(data)


def cancelled(reason: str) -> msgspec.Raw:
    """Give the termination of a run that was stopped."""
    return msgspec.Raw(msgspec.json.encode(Cancelled(reason)))
