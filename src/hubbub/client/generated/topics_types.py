"""Types of `topics`.

Written by `python -m scripts.write_client`.
"""

import msgspec

from hubbub.client.events import Position


class PublishedAt(msgspec.Struct, frozen=True, kw_only=True):
    """Result of ``topics.publish``."""

    id: str
    position: Position
    cursor: str


class TopicSummary(msgspec.Struct, frozen=True, kw_only=True):
    """A topic of which the journal has events."""

    topic: str
    events: int
    """How many the journal has; ``COUNTED`` means: that many or more."""
    last_seq: int
    last_at: int
    """Unix milliseconds of the newest."""


class TopicList(msgspec.Struct, frozen=True, kw_only=True):
    """Result of ``topics.list``: by name."""

    topics: list[TopicSummary]
    more: bool
