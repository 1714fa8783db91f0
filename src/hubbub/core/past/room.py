"""The room as one value: everything that views of agents, runs, chats and work are drawn from.

Only what events tell is in it, so that it is the same, field by field, whether it was read when
its position was the newest or is made of the journal later.
"""

import msgspec

from hubbub.core.chat.conversation import SessionInfo
from hubbub.core.identity.agent_record import Status
from hubbub.core.runs.run import Run
from hubbub.core.tracker.issue_rows import IssueRow
from hubbub.core.tracker.lock_table import Lock
from hubbub.core.tracker.reservation_table import Reservation
from hubbub.core.values import Position


MAX_RUNS = 1000
"""Runs in a room at most: the newest."""
MAX_SESSIONS = 1000
"""Chat sessions in a room at most: those that changed last."""


class RoomAgent(msgspec.Struct, frozen=True, kw_only=True):
    """An agent that is known here."""

    agent: str
    status: Status
    doors: dict[str, int]
    """Open connections through each door."""


class RoomWait(msgspec.Struct, frozen=True, kw_only=True):
    """An agent that waits for a lock or for paths."""

    ticket: str
    agent: str
    waits_for: str
    """Topic of what it waits for."""
    held_by: list[str]
    """Who held it or stood in front when the wait began."""
    until: int
    """Unix milliseconds at which the wait is over."""


class Room(msgspec.Struct, frozen=True, kw_only=True):
    """The room as it is after one event, and before the next."""

    position: Position
    at: int | None
    """Unix milliseconds of the newest stored event up to the position; ``None``: there is none."""
    agents: list[RoomAgent]
    """By name."""
    runs: list[Run]
    """In the order of their starts, the newest first."""
    sessions: list[SessionInfo]
    """The one that changed last first."""
    issues: list[IssueRow]
    """The newest first."""
    locks: list[Lock]
    """By issue; one whose lease is over is held until that has been told."""
    reservations: list[Reservation]
    """By number; as for locks."""
    waits: list[RoomWait]
    """In the order in which they began."""
