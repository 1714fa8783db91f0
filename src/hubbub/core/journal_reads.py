"""Questions about the journal: one event, what came of it, which topics there are."""

from collections.abc import Iterator

import msgspec

from hubbub.core.ports import Store, event_of
from hubbub.core.topics import RESERVED
from hubbub.core.values import Event
from hubbub.errors import NotFound


COUNTED = 1000
"""Events of one topic that are counted at most: the cost of a list stays bounded."""

# What no topic reaches: SQLite sorts every text before a blob.
_END = b""


class TopicSummary(msgspec.Struct, frozen=True):
    """A topic of which the journal has events."""

    topic: str
    events: int
    """How many the journal has; ``COUNTED`` means: that many or more."""
    last_seq: int
    last_at: int
    """Unix milliseconds of the newest."""


async def find_event(store: Store, event_id: str, *, upto: int) -> Event:
    """Give the event of an id.

    Args:
        upto: Newest ``seq`` that has been told.

    Raises:
        NotFound: There is none, it was ephemeral, or retention has cut it.
    """
    rows = await store.rows("journal_event", id=event_id, upto=upto)
    if not rows:
        raise NotFound("event", event_id)
    return event_of(rows[0])


async def effects(store: Store, cause: str, *, upto: int, limit: int) -> list[Event]:
    """Give the events that name this id as their cause, oldest first.

    Args:
        cause: Id of an event or of a request.
        upto: Newest ``seq`` that has been told.
    """
    rows = await store.rows("journal_effects", id=cause, upto=upto, limit=limit)
    return [event_of(row) for row in rows]


async def list_topics(
    store: Store, *, prefix: str, after: str | None, services: bool, limit: int
) -> list[TopicSummary]:
    """Give topics by name, in the order of their UTF-8 bytes.

    Args:
        prefix: What the names begin with.
        after: Name of the last topic that the caller has.
        services: Also those under which only the daemon's own services publish.
    """
    found: list[TopicSummary] = []
    for first, end in _ranges(prefix, after, services=services):
        left = limit - len(found)
        if left <= 0:
            break
        rows = await store.rows("journal_topics", first=first, end=end, limit=left, counted=COUNTED)
        found += [TopicSummary(*row) for row in rows]
    return found


def _ranges(prefix: str, after: str | None, *, services: bool) -> Iterator[tuple[str, str | bytes]]:
    """Give the parts of the order of names that are wanted: from a name, up to another."""
    first = prefix
    if after is not None and after.encode() >= first.encode():
        first = f"{after}\0"  # the next name that there can be
    last = _after_prefix(prefix)
    if not services:
        for reserved in sorted(RESERVED):
            beyond = _after_prefix(reserved)
            if _bytes(beyond) <= first.encode():
                continue
            if last != _END and _bytes(last) <= reserved.encode():
                break
            yield first, reserved
            first = str(beyond)
    yield first, last


def _after_prefix(prefix: str) -> str | bytes:
    """Give the first name behind all that begin with a prefix."""
    for length in range(len(prefix), 0, -1):
        sign = ord(prefix[length - 1])
        # Surrogates are no signs of their own, and nothing comes after the last one.
        following = 0xE000 if sign == 0xD7FF else sign + 1  # noqa: PLR2004 Unicode's own bounds
        if following <= 0x10FFFF:  # noqa: PLR2004
            return prefix[: length - 1] + chr(following)
    return _END


def _bytes(name: str | bytes) -> bytes:
    return name.encode() if isinstance(name, str) else name
