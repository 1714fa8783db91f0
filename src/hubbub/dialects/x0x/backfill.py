"""Stored events before the live ones, as fast as the client takes them."""

from collections.abc import AsyncIterator

from hubbub.core.hub import Hub
from hubbub.core.ports import Outbox
from hubbub.core.values import Event


PAGE = 16
"""Events read at a time: they may be large, and a client may be slow."""


async def stored(
    hub: Hub, outbox: Outbox, topic: str, count: int, *, upto: int
) -> AsyncIterator[Event]:
    """Give the newest events of one topic, oldest first.

    Args:
        outbox: Where they go; no page is read before it has taken the last one.
        count: At most this many.
        upto: None after this ``seq``.
    """
    after = await hub.journal.before(topic, count, upto=upto)
    more = True
    while more:
        events = await hub.store.events([topic], after=after, upto=upto, limit=PAGE)
        for event in events:
            after = event.seq
            # "a/*" is a whole name here, and a pattern to the store.
            if event.topic == topic:
                yield event
        more = len(events) == PAGE
        await outbox.drained()
