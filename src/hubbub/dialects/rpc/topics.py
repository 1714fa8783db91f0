"""``topics.*`` and ``journal.*``: publish, subscribe, resume, read."""

import functools
import itertools

import msgspec

from hubbub.core.bus import Resumed
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
    hub = caller.hub
    if not 1 <= params.limit <= caller.limits.max_read_events:
        message = f"limit must be from 1 to {caller.limits.max_read_events}"
        raise InvalidRequest(message)
    told = hub.bus.told
    placed = hub.bus.place(position_of(params.after) or Position(epoch=hub.store.epoch, seq=0))
    start = placed.position.seq
    events = await hub.store.events(params.topics, after=start, upto=told, limit=params.limit + 1)
    more = len(events) > params.limit
    events = events[: params.limit]
    end = events[-1].seq if more else max(told, start)
    return Page(
        events=events,
        position=Position(epoch=hub.store.epoch, seq=end),
        more=more,
        recovered=placed.recovered and await hub.store.trimmed(params.topics) <= start,
    )


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
        name="journal.read",
        params=Read,
        result=Page,
        summary="Read stored events, oldest first.",
        run=answered(read),
    ),
]
