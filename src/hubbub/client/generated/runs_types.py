"""Types of `runs`.

Written by `python -m scripts.write_client`.
"""

from datetime import datetime
from typing import Any, Literal

import msgspec

from hubbub.client.events import Position
from hubbub.client.generated.shared_types import Run


class Evidence(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One thing that speaks for an outcome."""

    kind: str = ""
    """``tool_result``, ``self_assessment``, ``stop_reason`` or the agent's own word."""
    description: str = ""
    data: Any = None


class OutcomeMetrics(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What a run took."""

    turns: int | float = 0
    tool_calls: int | float = 0
    duration_ms: int | float = 0.0
    """Milliseconds."""
    retries: int | float = 0
    actions_succeeded: int | float = 0
    actions_failed: int | float = 0


class Outcome(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What an agent reports at the end of its run; only ``status`` is required."""

    status: Literal["success", "partial_success", "give_up", "timeout", "failure", "done"]
    summary: str = ""
    evidence: tuple[Evidence, ...] = ()
    metrics: OutcomeMetrics | None = None
    timestamp: datetime | None = None
    """``None``: the moment at which it is written down."""


class Recorded(msgspec.Struct, frozen=True, kw_only=True):
    """What became of a batch of turns: all of them are in the trace, or none is."""

    base_index: int = 0
    """Index of the first of them."""
    count: int = 0
    dropped: Literal["run_not_found", "run_terminal", "run_turn_limit", "turn_too_large"] | None = (
        None
    )
    """Why none was recorded."""


class RunList(msgspec.Struct, frozen=True, kw_only=True):
    """Result of ``runs.list``: the newest first."""

    runs: list[Run]


class Trace(msgspec.Struct, frozen=True, kw_only=True):
    """Result of ``runs.trace`` and ``runs.resume``."""

    run: Run
    turns: list[Any]
    cursor: int
    """Index of the turn after the last of these."""
    position: Position
    """Follow the topic ``runs/<id>`` after this position, and nothing is missed."""


class Turn(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One step of a run. All fields may be missing; ``index`` is the daemon's to give."""

    prompt: str | None = None
    tool: str | None = None
    parameters: Any = None
    output: Any = None
    cli_outcome: Any = None
    verifier_verdict: Any = None
    policy_rejected: Any = None
    model: Any = None
    """What the model did: its id, token usage, duration, tool calls asked for."""
