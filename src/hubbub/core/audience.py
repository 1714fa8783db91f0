"""Who is told what: audiences, their members, and listeners inside the daemon.

Receivers that are sent the same bytes for an event form an audience: an event is encoded
once per audience, however many connections are in it.
"""

import asyncio
from collections.abc import Callable, Hashable
from typing import Protocol

from hubbub.core.ports import Outbox
from hubbub.core.values import Event


Encode = Callable[[Event], bytes | None]
"""Gives one message for an event, or ``None`` where this audience does not see it."""


class Follower(Protocol):
    """What a member needs of the bus."""

    lags: int
    """Times that a slow member was moved to reading the store."""

    def follow(self, member: "Member", after: int) -> None:
        """Feed a member from the store until it has caught up."""

    def drop(self, member: "Member") -> None:
        """Take a member out."""


class Members(tuple["Member", ...]):  # noqa: SLOT001 what is prepared needs a place
    """The members of an audience at one time; a joining or leaving makes another one."""

    prepared: object = None
    """What a fan-out has prepared for these members; it goes when they change."""


class Audience:
    """Receivers of one encoding of one set of topics."""

    __slots__ = ("_fan_out", "_members", "encode", "holders", "key", "patterns", "vital")

    def __init__(
        self,
        key: Hashable,
        patterns: frozenset[str],
        encode: Encode,
        vital: Callable[[Event], bool] | None,
        fan_out: "FanOut",
    ) -> None:
        self.key = key
        self.patterns = patterns
        self.encode = encode
        self.vital = vital
        self._fan_out = fan_out
        self.holders = 0
        """Members, live or still reading the store."""
        # Replaced as a whole, so that joining and leaving during a walk is safe.
        self._members = Members()

    def add(self, member: "Member") -> None:
        """Let a member hear the next event."""
        self._members = Members((*self._members, member))

    def remove(self, member: "Member") -> None:
        """Let a member hear nothing more."""
        self._members = Members(other for other in self._members if other is not member)

    def tell(self, event: Event) -> None:
        """Encode once, then queue the same frame for everyone."""
        members = self._members
        if not members:
            return
        message = self.encode(event)
        if message is not None:
            frame = members[0].outbox.frame(message)
            is_vital = self.vital is not None and self.vital(event)
            self._fan_out(members, frame, event, is_vital)


class Listener:
    """A handler inside the daemon; hears events, sends nothing."""

    __slots__ = ("handle", "patterns")

    def __init__(self, patterns: frozenset[str], handle: Callable[[Event], None]) -> None:
        self.patterns = patterns
        self.handle = handle

    def tell(self, event: Event) -> None:
        """Hand the event over."""
        self.handle(event)


class Member:
    """One connection's place in one audience."""

    __slots__ = ("_bus", "after", "audience", "late", "left", "outbox", "task")

    def __init__(self, bus: Follower, audience: Audience, outbox: Outbox) -> None:
        self._bus = bus
        self.audience = audience
        self.outbox = outbox
        self.left = False
        self.after: int | None = None
        """While it reads the store: the last ``seq`` that it was given."""
        self.task: asyncio.Task[None] | None = None
        self.late: Callable[[], list[Event]] | None = None
        """Gives what it must be told when it begins to hear live, because no journal has it."""

    def leave(self) -> None:
        """Hear nothing more; safe to call twice."""
        if self.left:
            return
        self.left = True
        if self.task is not None:
            self.task.cancel()
        self._bus.drop(self)

    def give(self, frame: bytes, event: Event, is_vital: bool) -> None:  # noqa: FBT001 as FanOut
        """Queue one frame; where the queue does not take it, go on from the store."""
        if self.left or self.after is not None:
            return
        if is_vital:
            self.outbox.press(frame)
        elif not self.outbox.push(frame) and event.seq:
            self.audience.remove(self)
            self._bus.lags += 1
            self._bus.follow(self, event.seq - 1)


FanOut = Callable[[Members, bytes, Event, bool], None]
"""Gives one frame to all members of an audience; the last argument: it is vital."""


def give_each(
    members: Members,
    frame: bytes,
    event: Event,
    is_vital: bool,  # noqa: FBT001 as FanOut
) -> None:
    """Fan out the plain way, at once and one by one."""
    for member in members:
        member.give(frame, event, is_vital)


def heard(topic: str, patterns: frozenset[str]) -> bool:
    """Say whether a topic is among names, ``prefix/*`` and ``*``."""
    if topic in patterns or "*" in patterns:
        return True
    return any(pattern.endswith("/*") and topic.startswith(pattern[:-1]) for pattern in patterns)
