"""Server-sent events: ``/events`` with the daemon's REST subscriptions, ``/direct/events``."""

import asyncio

from hubbub.core.bus import Resumed
from hubbub.core.hub import Hub
from hubbub.core.identity.identities import topic_of
from hubbub.core.ports import Outbox
from hubbub.core.values import Event, Position
from hubbub.dialects.base import EventStream, OutboxRules
from hubbub.dialects.x0x import frames
from hubbub.dialects.x0x.backfill import stored
from hubbub.dialects.x0x.frames import EventFrames
from hubbub.dialects.x0x.settings import X0xSettings


_EVENTS = "x0x-events"
"""Key of the audience of all ``/events`` streams."""


class Subscriptions:
    """Every ``/events`` stream shows all that was subscribed by ``POST /subscribe``.

    All streams are one audience, so that a position stands for everything before it.
    """

    def __init__(self, hub: Hub, settings: X0xSettings, events: EventFrames) -> None:
        """Show the hub's standing subscriptions."""
        self._hub = hub
        self._settings = settings
        self._events = events
        self._standing = hub.standing
        self._standing.changed = self._changed

    def _changed(self) -> None:
        self._hub.bus.retopic(_EVENTS, self._standing.by_topic)

    def stream(self, after: Position | None) -> EventStream:
        """Open the stream, from a position or from now."""

        async def follow(outbox: Outbox) -> None:
            member = self._hub.bus.member(
                outbox, key=_EVENTS, patterns=self._standing.by_topic, encode=self._encode
            )

            def announce(resumed: Resumed) -> None:
                if after is not None:
                    outbox.send(resumed_event(self._truly(resumed)))

            try:
                await self._hub.bus.resume(member, after, announce)
                await keep_open(outbox, self._settings.stream_ping_s)
            finally:
                member.leave()

        return EventStream(open=follow, rules=stream_rules(self._settings))

    def _truly(self, resumed: Resumed) -> Resumed:
        """Take into account what the stream heard and can hear no more."""
        if not resumed.recovered or resumed.position.seq >= self._standing.forgotten:
            return resumed
        return Resumed(recovered=False, position=resumed.position, reason="retention")

    def _encode(self, event: Event) -> bytes | None:
        ids = self._standing.by_topic.get(event.topic)
        return self._events.subscription(event, ids) if ids else None


def direct_stream(
    hub: Hub,
    settings: X0xSettings,
    events: EventFrames,
    agent: str,
    *,
    after: Position | None,
    backfill: int | None,
) -> EventStream:
    """Open the stream of an agent's direct messages.

    Args:
        after: Position to resume from.
        backfill: Stored messages to show first; ``None`` for none.
    """
    topic = topic_of(agent)

    def encode(event: Event) -> bytes:
        return events.sse("direct_message", events.direct_fields(event), event)

    async def follow(outbox: Outbox) -> None:
        member = hub.bus.member(
            outbox, key=("x0x-direct-events", topic), patterns=(topic,), encode=encode
        )
        begin = after
        try:
            if backfill is not None:
                begin = Position(epoch=hub.store.epoch, seq=hub.bus.told)
                async for event in stored(hub, outbox, topic, backfill, upto=begin.seq):
                    data = events.direct_fields(event, history=True)
                    outbox.send(events.sse("history_direct_message", data, event))
                outbox.send(frames.sse("live", b"{}"))

            def announce(resumed: Resumed) -> None:
                if after is not None and backfill is None:
                    outbox.send(resumed_event(resumed))

            await hub.bus.resume(member, begin, announce)
            await keep_open(outbox, settings.stream_ping_s)
        finally:
            member.leave()

    return EventStream(open=follow, rules=stream_rules(settings))


def stream_rules(settings: X0xSettings) -> OutboxRules:
    """Give the rules of a stream: one that lags is fed from the store and misses nothing."""
    return OutboxRules(max_messages=settings.stream_frames, max_bytes=settings.outbox_bytes)


def resumed_event(resumed: Resumed) -> bytes:
    """Tell a client that came back with a position what of the past it gets."""
    return frames.sse("hubbub.resumed", frames.encode(resumed))


async def keep_open(outbox: Outbox, ping_s: float) -> None:
    """Send a comment now and then, so that a dead peer is noticed; ends when cancelled."""
    comment = outbox.frame(frames.COMMENT)
    while True:
        await asyncio.sleep(ping_s)
        outbox.push(comment)
