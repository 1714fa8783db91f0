"""``topics.*`` and ``journal.*``: publish, subscribe, resume, read."""

import functools
import itertools
from typing import Annotated

import msgspec

from hubbub.core.bus import Resumed
from hubbub.core.journal_reads import TopicSummary, effects, find_event, list_topics
from hubbub.core.ports import Settled
from hubbub.core.topics import Published
from hubbub.core.values import Event, Position
from hubbub.dialects.calls import Reply, answered
from hubbub.dialects.rpc.methods import Caller, Change, Empty, Method
from hubbub.errors import InvalidRequest, NotFound


class Publish(Change, frozen=True, forbid_unknown_fields=True):
    """Parameters of ``topics.publish``."""

    topic: str
    data: msgspec.Raw
    kind: str = "message"


class PublishedAt(msgspec.Struct, frozen=True):
    """Result of ``topics.publish``."""

    id: str
    position: Position
    cursor: str


class Subscribe(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Parameters of ``topics.subscribe``."""

    topics: list[str]
    after: Position | str | None = None


class Subscribed(msgspec.Struct, frozen=True, omit_defaults=True):
    """Result of ``topics.subscribe``; sent before the first event."""

    subscription: int
    recovered: bool
    position: Position
    reason: str | None = None


class Unsubscribe(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Parameters of ``topics.unsubscribe``."""

    subscription: int


class Read(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Parameters of ``journal.read``."""

    topics: list[str] = msgspec.field(default_factory=lambda: ["*"])
    after: Position | str | None = None
    limit: int = 100


class Page(msgspec.Struct, frozen=True, omit_defaults=True):
    """Result of ``journal.read``."""

    events: list[Event]
    position: Position
    more: bool
    recovered: bool = True


MAX_ID = 256
"""Characters of an id of an event or a request."""

EventName = Annotated[str, msgspec.Meta(min_length=1, max_length=MAX_ID)]


class FindEvent(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Parameters of ``journal.event``."""

    id: EventName


class FoundEvent(msgspec.Struct, frozen=True):
    """Result of ``journal.event``."""

    event: Event


class Effects(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Parameters of ``journal.effects``."""

    id: EventName
    """Of the event or the request that led to them."""
    limit: int = 100


class EffectList(msgspec.Struct, frozen=True):
    """Result of ``journal.effects``: the oldest first."""

    events: list[Event]
    more: bool


class ListTopics(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Parameters of ``topics.list``."""

    prefix: str = ""
    after: str | None = None
    """The last topic that the caller has."""
    services: bool = True
    """Also the topics under which only the daemon writes."""
    limit: int = 100


class TopicList(msgspec.Struct, frozen=True):
    """Result of ``topics.list``: by name."""

    topics: list[TopicSummary]
    more: bool


def position_of(after: Position | str | None) -> Position | None:
    """Read a position in either of its forms."""
    return Position.parse(after) if isinstance(after, str) else after


def publish(caller: Caller, params: Publish, reply: Reply) -> None:
    """Publish; the answer comes after the commit."""
    epoch = caller.hub.store.epoch

    def done(settled: Settled) -> None:
        if settled.error is not None:
            reply(settled.error)
            return
        published: Published = settled.value
        position = Position(epoch=epoch, seq=published.seq)
        reply(PublishedAt(id=published.id, position=position, cursor=position.cursor()))

    caller.hub.topics.submit(
        caller.principal,
        params.topic,
        params.data,
        done,
        kind=params.kind,
        key=params.idempotency_key,
    )


async def read(caller: Caller, params: Read) -> Page:
    """Read a page of the journal."""
    hub, limit = caller.hub, _checked_limit(caller, params.limit)
    told = hub.bus.told
    placed = hub.bus.place(position_of(params.after) or Position(epoch=hub.store.epoch, seq=0))
    start = placed.position.seq
    events = await hub.store.events(params.topics, after=start, upto=told, limit=limit + 1)
    more = len(events) > limit
    events = events[:limit]
    end = events[-1].seq if more else max(told, start)
    return Page(
        events=events,
        position=Position(epoch=hub.store.epoch, seq=end),
        more=more,
        recovered=placed.recovered and await hub.store.trimmed(params.topics) <= start,
    )


async def event(caller: Caller, params: FindEvent) -> FoundEvent:
    """Give one event."""
    hub = caller.hub
    return FoundEvent(await find_event(hub.store, params.id, upto=hub.bus.told))


async def effects_of(caller: Caller, params: Effects) -> EffectList:
    """Give what an event or a request led to."""
    hub, limit = caller.hub, _checked_limit(caller, params.limit)
    events = await effects(hub.store, params.id, upto=hub.bus.told, limit=limit + 1)
    return EffectList(events[:limit], more=len(events) > limit)


async def topic_list(caller: Caller, params: ListTopics) -> TopicList:
    """Give the topics of which the journal has events."""
    limit = _checked_limit(caller, params.limit)
    topics = await list_topics(
        caller.hub.store,
        prefix=params.prefix,
        after=params.after,
        services=params.services,
        limit=limit + 1,
    )
    return TopicList(topics[:limit], more=len(topics) > limit)


def _checked_limit(caller: Caller, limit: int) -> int:
    most = caller.limits.max_read_events
    if not 1 <= limit <= most:
        message = f"limit must be from 1 to {most}"
        raise InvalidRequest(message)
    return limit


async def subscribe(caller: Caller, params: Subscribe, reply: Reply) -> None:
    """Subscribe; the answer goes out before the first event."""
    limits = caller.limits
    if not 0 < len(params.topics) <= limits.max_topics:
        message = f"topics must name 1 to {limits.max_topics} topics"
        raise InvalidRequest(message)
    outbox, subscriptions = caller.outbox, caller.subscriptions
    if outbox is None or subscriptions is None:
        message = "a call by POST cannot subscribe; use the WebSocket or /events"
        raise InvalidRequest(message)
    if len(subscriptions) >= limits.max_subscriptions:
        message = f"a connection has {limits.max_subscriptions} subscriptions at most"
        raise InvalidRequest(message)
    number = next(n for n in itertools.count(1) if n not in subscriptions)
    patterns = frozenset(params.topics)
    encode = functools.partial(caller.events.message, number)

    def announce(resumed: Resumed) -> None:
        reply(
            Subscribed(
                subscription=number,
                recovered=resumed.recovered,
                position=resumed.position,
                reason=resumed.reason,
            )
        )

    member = caller.hub.bus.member(
        outbox, key=("rpc", number, patterns), patterns=patterns, encode=encode
    )
    subscriptions[number] = member
    # Who joins a turn that runs gets its text so far; deltas are in no journal.
    so_far = functools.partial(caller.hub.chat.so_far, patterns)
    await caller.hub.bus.resume(member, position_of(params.after), announce, late=so_far)


async def unsubscribe(caller: Caller, params: Unsubscribe) -> Empty:
    """End a subscription of this connection."""
    member = (caller.subscriptions or {}).pop(params.subscription, None)
    if member is None:
        raise NotFound("subscription", params.subscription)
    member.leave()
    return Empty()


METHODS = [
    Method(
        name="topics.publish",
        params=Publish,
        result=PublishedAt,
        summary="Store an event under a topic and tell it to everyone who listens.",
        run=publish,
    ),
    Method(
        name="topics.subscribe",
        params=Subscribe,
        result=Subscribed,
        summary="Get the events of topics as `topics.event`, from a position or from now.",
        run=subscribe,
    ),
    Method(
        name="topics.unsubscribe",
        params=Unsubscribe,
        result=Empty,
        summary="End a subscription of this connection.",
        run=answered(unsubscribe),
    ),
    Method(
        name="topics.list",
        params=ListTopics,
        result=TopicList,
        summary="Give the topics of the journal by name, with their newest event.",
        run=answered(topic_list),
    ),
    Method(
        name="journal.event",
        params=FindEvent,
        result=FoundEvent,
        summary="Give one stored event by its id.",
        run=answered(event),
    ),
    Method(
        name="journal.effects",
        params=Effects,
        result=EffectList,
        summary="Give the stored events that name an id as their cause, oldest first.",
        run=answered(effects_of),
    ),
    Method(
        name="journal.read",
        params=Read,
        result=Page,
        summary="Read stored events, oldest first.",
        run=answered(read),
    ),
]
