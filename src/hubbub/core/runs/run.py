"""One run: its values, the rules of who may do what with it, and its states as a table.

Pure. ``core/runs/service.py`` stores what is decided here.
"""

from collections.abc import Mapping
from typing import Literal

import msgspec

from hubbub.core.ports import Row
from hubbub.core.runs.outcomes import INCOMPLETE, cancelled
from hubbub.core.values import Principal
from hubbub.errors import Conflict, Forbidden, IdempotencyConflict, InvalidRequest, TooLarge


RunStatus = Literal["in_progress", "completed", "incomplete", "cancelled"]
Ending = Literal["completed", "incomplete", "cancelled"]
Source = Literal["car", "chat", "rpc"]
OnDisconnect = Literal["continue", "cancel", "incomplete"]

TRANSITIONS: Mapping[str, frozenset[str]] = {
    "in_progress": frozenset(("completed", "incomplete", "cancelled")),
    "completed": frozenset(),
    "incomplete": frozenset(),
    "cancelled": frozenset(),
}
"""From each status, those that may follow: the first end is kept."""

DISCONNECT_ENDS: Mapping[OnDisconnect, tuple[Ending, msgspec.Raw] | None] = {
    "continue": None,
    "cancel": ("cancelled", cancelled("disconnect")),
    "incomplete": ("incomplete", INCOMPLETE),
}
"""What the end of its owner's connection makes of an open run."""

MAX_RUN_ID_CHARACTERS = 256
"""Length of a run id at most, where the caller chooses it."""
MAX_AGENT_CHARACTERS = 256
"""Length of an agent's id at most."""
MAX_GRACE_MS = 24 * 3600 * 1000
"""Milliseconds for which a run may wait for its agent at most."""
MAX_INTENT_BYTES = 64 * 1024
"""Bytes of an intent, and of an outcome's description, at most."""


class Run(msgspec.Struct, frozen=True, kw_only=True):
    """One run, as it stands."""

    run_id: str
    agent: str
    client: str
    """Connection or program that started it."""
    intent: str
    outcome_description: str | None = None
    source: Source
    session_key: str | None = None
    """Chat session whose turn it is."""
    on_disconnect: OnDisconnect
    grace_ms: int | None = None
    """Milliseconds between the end of its owner's connection, or the start of the daemon after a
    restart, and its own end; ``None``: the door's own, and nothing after a restart.
    """
    started_at: int
    """Unix time in milliseconds."""
    ended_at: int | None = None
    """Unix time in milliseconds."""
    status: RunStatus = "in_progress"
    termination: msgspec.Raw | msgspec.UnsetType = msgspec.UNSET
    """``{"kind":"outcome"|"incomplete"|"cancelled",...}``; unset while it is open."""
    turn_count: int = 0
    trace_bytes: int = 0
    """Bytes of all turns as JSON."""


class StartRun(msgspec.Struct, frozen=True, kw_only=True):
    """A request to start a run."""

    agent: str
    intent: str
    client: str
    source: Source
    on_disconnect: OnDisconnect
    grace_ms: int | None = None
    """As in ``Run``."""
    outcome_description: str | None = None
    idempotency_key: str | None = None
    """Becomes the run's id; a run that has it already is given back."""


class Started(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Data of ``run.started``."""

    run_id: str
    agent: str
    intent: str
    outcome_description: str | None = None
    client: str
    source: Source
    session_key: str | None = None
    on_disconnect: OnDisconnect
    grace_ms: int | None = None
    started_at: int


class TurnAdded(msgspec.Struct, frozen=True):
    """Data of ``run.turn``."""

    run_id: str
    agent: str
    index: int
    trace_bytes: int
    """Bytes of all turns up to this one."""
    turn: msgspec.Raw


class Ended(msgspec.Struct, frozen=True):
    """Data of ``run.ended``."""

    run_id: str
    agent: str
    status: Ending
    termination: msgspec.Raw
    turn_count: int
    trace_bytes: int
    ended_at: int


class Snapshot(msgspec.Struct, frozen=True):
    """A run with its turns as of one moment."""

    run: Run
    turns: msgspec.Raw
    """A JSON array, oldest first."""
    seq: int
    """Everything up to this place of the journal is in it, nothing after."""


class RunEnded(Conflict):
    """The run has reached its end before; the first end is kept."""

    def __init__(self, run: Run) -> None:
        """Remember which run, and how it ended."""
        super().__init__(run.run_id, run.status)
        self.run_id, self.status = run.run_id, run.status

    def __str__(self) -> str:
        """Name the run and its end."""
        return f"run {self.run_id} has ended before: {self.status}"


def check_start(caller: Principal, new: StartRun) -> None:
    """Check a request to start a run.

    Raises:
        InvalidRequest: The agent or the key has no usable form, or the grace is out of range.
        TooLarge: The intent is.
        Forbidden: The caller is bound to another agent.
    """
    if not 0 < len(new.agent) <= MAX_AGENT_CHARACTERS:
        message = f"an agent's id has 1 to {MAX_AGENT_CHARACTERS} characters"
        raise InvalidRequest(message)
    key = new.idempotency_key
    if key is not None and not is_run_id(key):
        message = (
            f"an idempotency key becomes the run's id: 1 to {MAX_RUN_ID_CHARACTERS} printable "
            "characters without '*'"
        )
        raise InvalidRequest(message)
    if not 0 <= (new.grace_ms or 0) <= MAX_GRACE_MS:
        message = f"grace_ms must be from 0 to {MAX_GRACE_MS}"
        raise InvalidRequest(message)
    for text in (new.intent, new.outcome_description or ""):
        if len(text.encode()) > MAX_INTENT_BYTES:
            message = f"intent and outcome_description have {MAX_INTENT_BYTES} bytes at most"
            raise TooLarge(message)
    if not may_write(caller, new.agent):
        message = f"{caller.id} cannot start a run of agent {new.agent!r}"
        raise Forbidden(message)


def is_run_id(text: str) -> bool:
    """Say whether a text can be a run's id; ``*`` would make its topic a pattern."""
    return 0 < len(text) <= MAX_RUN_ID_CHARACTERS and text.isprintable() and "*" not in text


def may_write(caller: Principal, agent: str) -> bool:
    """Say whether a caller may act on an agent's runs: an agent only on its own."""
    return caller.agent is None or caller.agent == agent


def same_run(known: Run, new: StartRun) -> Run:
    """Give the run that a retried start asks for.

    Raises:
        Forbidden: The key is the id of another agent's run.
        Conflict: The key was used for a run with another intent.
    """
    if known.agent != new.agent:
        message = f"run {known.run_id} belongs to another agent; use a new idempotency key"
        raise Forbidden(message)
    if (known.intent, known.outcome_description) != (new.intent, new.outcome_description):
        raise IdempotencyConflict(known.run_id)
    return known


def after_end(run: Run, ended: Ended) -> Run:
    """Give a run as it stands after its end."""
    return msgspec.structs.replace(
        run,
        status=ended.status,
        termination=ended.termination,
        ended_at=ended.ended_at,
        turn_count=ended.turn_count,
        trace_bytes=ended.trace_bytes,
    )


def after_turn(run: Run, added: TurnAdded) -> Run:
    """Give a run as it stands after one more turn."""
    return msgspec.structs.replace(run, turn_count=added.index + 1, trace_bytes=added.trace_bytes)


def topic_of(run_id: str) -> str:
    """Give the topic of a run's events."""
    return f"runs/{run_id}"


def run_of(row: Row) -> Run:
    """Make a run of a row of ``run_get`` and its kin; further columns may follow."""
    termination = row[11]
    return Run(
        run_id=row[0],
        agent=row[1],
        client=row[2],
        intent=row[3],
        outcome_description=row[4],
        source=row[5],
        session_key=row[6],
        on_disconnect=row[7],
        started_at=row[8],
        ended_at=row[9],
        status=row[10],
        termination=msgspec.UNSET if termination is None else msgspec.Raw(termination),
        turn_count=row[12],
        trace_bytes=row[13],
        grace_ms=row[14],
    )
