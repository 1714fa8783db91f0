"""Types of `journal`.

Written by `python -m scripts.write_client`.
"""

import msgspec

from hubbub.client.events import Event, Position


class Point(msgspec.Struct, frozen=True, kw_only=True):
    """One event's place in the journal and in time."""

    seq: int
    at: int
    """Unix milliseconds."""


class Activity(msgspec.Struct, frozen=True, kw_only=True):
    """Result of ``journal.activity``."""

    position: Position
    points: list[Point]
    """The first event, the newest, and some between them, as far from one another as can be: where
    many lie in a short time, much happened.
    """


class EffectList(msgspec.Struct, frozen=True, kw_only=True):
    """Result of ``journal.effects``: the oldest first."""

    events: list[Event]
    more: bool


class FoundEvent(msgspec.Struct, frozen=True, kw_only=True):
    """Result of ``journal.event``."""

    event: Event


class Page(msgspec.Struct, frozen=True, kw_only=True):
    """Result of ``journal.read``."""

    events: list[Event]
    position: Position
    more: bool
    recovered: bool = True
