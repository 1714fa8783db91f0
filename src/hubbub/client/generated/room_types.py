"""Types of `room`.

Written by `python -m scripts.write_client`.
"""

from typing import Literal

import msgspec

from hubbub.client.events import Position
from hubbub.client.generated.shared_types import Lock, Reservation, Run, SessionInfo


class IssueRow(msgspec.Struct, frozen=True, kw_only=True):
    """An issue in the room: a listed one without its description, with what blocks it."""

    id: int
    title: str
    status: Literal["open", "closed", "archived"]
    priority: Literal["low", "medium", "high", "critical"]
    parent_id: int | None
    created_at: int
    """Unix milliseconds, as all times here."""
    updated_at: int
    closed_at: int | None
    labels: list[str]
    """Sorted."""
    blocker_count: int
    """All blockers, closed ones too."""
    blockers: list[int]
    """The issues that block this one, by number."""


class RoomAgent(msgspec.Struct, frozen=True, kw_only=True):
    """An agent that is known here."""

    agent: str
    status: Literal["active", "idle", "stale", "offline"]
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
