"""Fan-out of events, and the only place where replay joins live.

Receivers that are sent the same bytes for an event form an audience: an event is encoded
once per audience, however many connections are in it. Everything here runs on the event
loop and nothing on the live path waits.
"""

import asyncio
from collections.abc import Callable, Hashable, Iterable
from typing import Any

import msgspec

from hubbub.core.audience import (
    Audience,
    Encode,
    FanOut,
    Listener,
    Member,
    give_each,
    heard,
)
from hubbub.core.ports import Outbox, Store
from hubbub.core.values import Event, Position
from hubbub.telemetry import log


PAGE = 512
"""Events read from the store at a time during a replay."""
MATCH_CACHE = 4096
"""Topics whose audiences are remembered."""


class Resumed(msgspec.Struct, frozen=True):
    """What became of a request to resume."""

    recovered: bool
    """True: everything after the given position follows, without hole or duplicate."""
    position: Position
    """Where the replay begins; events after it follow."""
    reason: str | None = None
    """Why the past is not complete: ``epoch_changed``, ``retention`` or ``ahead``."""


class Bus:
    """Who hears what."""

    def __init__(self, store: Store, fan_out: FanOut = give_each) -> None:
        """Begin with nobody listening, at the store's newest event."""
        self._store = store
        self._fan_out = fan_out
        self.told = store.last_seq()
        """``seq`` of the newest event that subscribers have been told."""
        self._audiences: dict[Hashable, Audience] = {}
        self._hearers: dict[int, Audience | Listener] = {}
        self._matches: dict[str, tuple[Audience | Listener, ...]] = {}
        self._following: set[Member] = set()
        self.cutting = asyncio.Lock()
        """Held while retention cuts; a resume waits for it before it asks what was cut."""
        self.events = 0
        """Events told since the start."""
        self.lags = 0
        """Times that a slow subscriber was moved to reading the store."""

    # -- live ----------------------------------------------------------------------------

    def tell(self, event: Event) -> None:
        """Fan an event out: one that is stored, or one that is ephemeral (``seq`` 0)."""
        self.events += 1
        if event.seq:
            self.told = event.seq
        hearers = self._matches.get(event.topic)
        if hearers is None:
            hearers = self._match(event.topic)
        for hearer in hearers:
            self.guard(hearer.tell, event)

    def guard(self, call: Callable[[Any], None], argument: object) -> None:
        """Call a subscriber; its failure is logged and hurts nobody else."""
        try:
            call(argument)
        except Exception:  # noqa: BLE001 whatever it is, the others must hear the event
            log.exception("subscriber_failed", subscriber=repr(call))

    def listen(self, patterns: Iterable[str], handle: Callable[[Event], None]) -> Listener:
        """Let a part of the daemon hear events for as long as the daemon runs."""
        listener = Listener(frozenset(patterns), handle)
        self._hearers[id(listener)] = listener
        self._matches.clear()
        return listener

    def join(
        self,
        outbox: Outbox,
        *,
        key: Hashable,
        patterns: Iterable[str],
        encode: Encode,
        vital: Callable[[Event], bool] | None = None,
    ) -> Member:
        """Let a connection hear live events from now on.

        Args: as ``member``.
        """
        member = self.member(outbox, key=key, patterns=patterns, encode=encode, vital=vital)
        member.audience.add(member)
        return member

    def member(
        self,
        outbox: Outbox,
        *,
        key: Hashable,
        patterns: Iterable[str],
        encode: Encode,
        vital: Callable[[Event], bool] | None = None,
    ) -> Member:
        """Make a place in an audience that hears nothing yet; ``resume`` begins, ``leave`` ends.

        Args:
            key: Connections with one key share one audience; the other arguments of the
                first of them count.
            patterns: Topic names, ``prefix/*`` or ``*``.
            encode: Gives the message for an event.
            vital: Says which events must not be dropped; ``None``: all may be.
        """
        return Member(self, self._held(key, patterns, encode, vital), outbox)

    def move(
        self, member: Member, *, key: Hashable, patterns: Iterable[str], encode: Encode
    ) -> None:
        """Let a live member hear something else from now on; what it was told still leaves.

        Leaving and joining would lose what this tick of the loop has told and not yet written.

        Args: as ``member``.
        """
        left = member.audience
        left.remove(member)
        member.audience = self._held(key, patterns, encode, None)
        member.audience.add(member)
        self._release(left)

    def drop(self, member: Member) -> None:
        """Take a member out; an audience without members is forgotten."""
        member.audience.remove(member)
        self._following.discard(member)
        self._release(member.audience)

    def _held(
        self,
        key: Hashable,
        patterns: Iterable[str],
        encode: Encode,
        vital: Callable[[Event], bool] | None,
    ) -> Audience:
        """Find or make the audience for a new member."""
        audience = self._audiences.get(key)
        if audience is None:
            audience = Audience(key, frozenset(patterns), encode, vital, self._fan_out)
            self._audiences[key] = audience
            self._hearers[id(audience)] = audience
            self._matches.clear()
        audience.holders += 1
        return audience

    def retopic(self, key: Hashable, patterns: Iterable[str]) -> None:
        """Let an audience hear other topics from now on; nothing if there is none of this key.

        Members that read the store read on with the new topics from where they are.
        """
        audience = self._audiences.get(key)
        if audience is None:
            return
        audience.patterns = frozenset(patterns)
        self._matches.clear()
        for member in tuple(self._following):
            if member.audience is audience and member.task is not None:
                member.task.cancel()
                self.follow(member, member.after or 0)

    def _release(self, audience: Audience) -> None:
        audience.holders -= 1
        if not audience.holders:
            del self._audiences[audience.key]
            del self._hearers[id(audience)]
            self._matches.clear()

    # -- replay --------------------------------------------------------------------------

    async def resume(
        self,
        member: Member,
        after: Position | None,
        announce: Callable[[Resumed], None],
        *,
        late: Callable[[], list[Event]] | None = None,
    ) -> None:
        """Replay what came after a position, then continue live, with no seam.

        Args:
            after: The last event that the subscriber has; ``None`` begins now.
            announce: Called once, before the first event, with what can be recovered.
            late: Gives the events that say what ephemeral ones have said before. They are
                given in the moment in which the member begins to hear live, now and whenever
                it has fallen behind; a full queue drops them as it does ephemeral events.
        """
        member.late = late
        if after is None:
            resumed = Resumed(recovered=True, position=self._position(self.told))
        else:
            resumed = await self._recoverable(member, after)
        if member.left:
            return
        announce(resumed)
        if resumed.position.seq >= self.told:
            self._go_live(member)
        else:
            self.follow(member, resumed.position.seq)

    def place(self, after: Position) -> Resumed:
        """Find a position in this journal, be it one of a journal that this one continues.

        Retention is not asked: a position that is ``recovered`` may have lost its past to it.
        """
        upto = self.told
        if after.epoch != self._store.epoch:
            # What was written after the copy is not here; everything since then is news.
            upto = self._store.earlier.get(after.epoch, -1)
            if upto < 0:
                return Resumed(recovered=False, position=self._position(0), reason="epoch_changed")
        if after.seq > upto:
            return Resumed(recovered=False, position=self._position(upto), reason="ahead")
        return Resumed(recovered=True, position=self._position(after.seq))

    async def _recoverable(self, member: Member, after: Position) -> Resumed:
        """Say what of the past can be given, and keep retention from it."""
        placed = self.place(after)
        if not placed.recovered:
            return placed
        after = placed.position
        # From here on nothing after the position is cut; a cut that is on its way is waited for.
        member.after = after.seq
        self._following.add(member)
        try:
            async with self.cutting:
                pass
            cut = await self._store.trimmed(sorted(member.audience.patterns))
        except BaseException:
            self._following.discard(member)
            raise
        if cut > after.seq:
            return Resumed(recovered=False, position=after, reason="retention")
        return Resumed(recovered=True, position=after)

    def _position(self, seq: int) -> Position:
        return Position(epoch=self._store.epoch, seq=seq)

    def follow(self, member: Member, after: int) -> None:
        """Feed a member from the store until it has caught up, then let it hear live."""
        member.after = after
        self._following.add(member)
        member.task = asyncio.get_running_loop().create_task(self._follow(member))

    def needed(self) -> int:
        """Give the ``seq`` after which retention must not cut: someone is still reading."""
        return min((member.after or 0 for member in self._following), default=self.told)

    def held(self) -> int:
        """Count the subscriptions, those that still read the store included."""
        return sum(audience.holders for audience in self._audiences.values())

    def lagging(self) -> set[Outbox]:
        """Give the outboxes of the subscriptions that still read the store."""
        return {member.outbox for member in self._following}

    def behind(self) -> int:
        """Count the subscriptions that still read the store."""
        return len(self._following)

    async def _follow(self, member: Member) -> None:
        """Feed a member; one that cannot be fed is closed, never left with a silent hole."""
        try:
            await self._catch_up(member)
        except Exception as error:  # noqa: BLE001 whatever the store says, the member must know
            log.error("replay_failed", error=repr(error))
            self._following.discard(member)
            member.outbox.close(1011, "replay failed; resume from your last position")

    async def _catch_up(self, member: Member) -> None:
        patterns = sorted(member.audience.patterns)
        while True:
            await member.outbox.drained()
            upto = self.told
            if upto - (member.after or 0) > PAGE:
                await self._page(member, patterns, upto)
                continue
            # The last page: what is told meanwhile is kept and follows it, so that the
            # join happens within one step of the loop. Everything kept is after ``upto``.
            kept: list[Event] = []
            seam = self.listen(patterns, kept.append)
            try:
                await self._page(member, patterns, upto)
            finally:
                self._forget(seam)
            if member.after == upto and self._give_all(member, kept):
                break  # otherwise the outbox is full, and what was kept is read again
        if not member.left:
            self._go_live(member)

    def _go_live(self, member: Member) -> None:
        """Let a member hear live, after all that it must know for that."""
        if member.late is not None:
            self._give_all(member, member.late())
        member.after = member.task = None
        self._following.discard(member)
        member.audience.add(member)

    async def _page(self, member: Member, patterns: list[str], upto: int) -> None:
        """Give one page of stored events, as far as the outbox takes them."""
        events = await self._store.events(patterns, after=member.after or 0, upto=upto, limit=PAGE)
        if self._give_all(member, events) and len(events) < PAGE:
            member.after = upto

    def _give_all(self, member: Member, events: list[Event]) -> bool:
        """Give events in order; false: the outbox did not take them all."""
        encode, frame = member.audience.encode, member.outbox.frame
        for event in events:
            message = encode(event)
            if message is not None and not member.outbox.push(frame(message)):
                return False
            member.after = event.seq or member.after
        return True

    # -- who -----------------------------------------------------------------------------

    def _forget(self, listener: Listener) -> None:
        del self._hearers[id(listener)]
        self._matches.clear()

    def _match(self, topic: str) -> tuple[Audience | Listener, ...]:
        """Find and remember who hears a topic, in the order in which they came."""
        hearers = tuple(
            hearer for hearer in self._hearers.values() if heard(topic, hearer.patterns)
        )
        if len(self._matches) >= MATCH_CACHE:
            self._matches.clear()
        self._matches[topic] = hearers
        return hearers
