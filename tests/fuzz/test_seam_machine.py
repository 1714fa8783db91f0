"""The seam between replay and live under any interleaving of publishing, joining and lagging."""

import asyncio
from unittest import mock

from hypothesis import strategies as st
from hypothesis.stateful import Bundle, consumes, initialize, invariant, multiple, rule

from hubbub.core import bus as bus_module
from hubbub.core.audience import Member, heard
from hubbub.core.bus import Bus, Resumed
from hubbub.core.journal import Journal
from hubbub.core.values import Position
from tests.fuzz.machines import Machine, effort
from tests.unit.core.numbers import number, publish
from tests.unit.outbox import RecordingOutbox


TOPICS = ("a", "a/x", "a/y", "b")
PATTERNS = (("a",), ("a/*",), ("b", "a/x"), ("*",), ("c",))
PAGE = 3
"""Events that a replay reads at a time: few, so that many pages are read."""


class Subscriber:
    """One connection, and what it must get."""

    def __init__(self, patterns: tuple[str, ...], after: int, room: int | None) -> None:
        self.patterns = patterns
        self.after = after
        self.outbox = RecordingOutbox(room)
        self.member: Member | None = None
        self.resuming: asyncio.Task[None] | None = None

    def due(self, log: list[str]) -> list[bytes]:
        """Give everything after its position that it asked for."""
        return [
            b"%d" % seq
            for seq, topic in enumerate(log, 1)
            if seq > self.after and heard(topic, frozenset(self.patterns))
        ]


class SeamMachine(Machine):
    """Each subscriber sees exactly what follows its position, once, in order."""

    connections = Bundle("connections")

    def __init__(self) -> None:
        super().__init__()
        self.page = mock.patch.object(bus_module, "PAGE", PAGE)
        self.page.start()
        self.bus = Bus(self.store)
        self.journal = Journal(self.store, self.bus, crash=lambda _: None)
        self.log: list[str] = []
        self.publishing: list[asyncio.Task[None]] = []
        self.subscribers: list[Subscriber] = []

    @initialize()
    def nothing_yet(self) -> None:
        """Begin with an empty journal."""
        assert self.bus.told == 0

    async def _publish(self, topics: list[str], *, wait: bool) -> None:
        for topic in topics:
            self.log.append(topic)
            work = asyncio.ensure_future(publish(self.journal, len(self.log), topic=topic))
            self.publishing.append(work)
            await asyncio.sleep(0)  # one after the other into the journal
        if wait:
            await asyncio.gather(*self.publishing)

    @rule(topics=st.lists(st.sampled_from(TOPICS), min_size=1, max_size=7), wait=st.booleans())
    def publish(self, topics: list[str], *, wait: bool) -> None:
        """Publish, and go on before or after it is told."""
        self.run(self._publish(topics, wait=wait))

    @rule(
        target=connections,
        patterns=st.sampled_from(PATTERNS),
        room=st.one_of(st.none(), st.integers(0, 4)),
    )
    def join(self, patterns: tuple[str, ...], room: int | None) -> Subscriber:
        """Hear from now on."""

        async def join() -> Subscriber:
            subscriber = Subscriber(patterns, self.bus.told, room)
            subscriber.member = self.bus.join(
                subscriber.outbox, key=patterns, patterns=patterns, encode=number
            )
            return subscriber

        subscriber = self.run(join())
        self.subscribers.append(subscriber)
        return subscriber

    @rule(
        target=connections,
        patterns=st.sampled_from(PATTERNS),
        back=st.integers(0, 20),
        room=st.one_of(st.none(), st.integers(0, 4)),
        ticks=st.integers(0, 4),
    )
    def resume(
        self, patterns: tuple[str, ...], back: int, room: int | None, ticks: int
    ) -> Subscriber:
        """Resume from some place of the past, perhaps without waiting for it."""

        async def resume() -> Subscriber:
            after = max(0, self.bus.told - back)
            subscriber = Subscriber(patterns, after, room)
            member = self.bus.member(
                subscriber.outbox, key=patterns, patterns=patterns, encode=number
            )
            subscriber.member = member
            position = Position(epoch=self.store.epoch, seq=after)

            def announced(resumed: Resumed) -> None:
                assert (resumed.recovered, resumed.position) == (True, position)
                assert subscriber.outbox.frames == []

            work = self.bus.resume(member, position, announced)
            subscriber.resuming = asyncio.ensure_future(work)
            for _ in range(ticks):
                await asyncio.sleep(0)
            return subscriber

        subscriber = self.run(resume())
        self.subscribers.append(subscriber)
        return subscriber

    @rule(subscriber=connections, room=st.one_of(st.none(), st.integers(0, 5)))
    def read(self, subscriber: Subscriber, room: int | None) -> None:
        """Let a slow connection take some frames more, or any number."""

        async def read() -> None:
            subscriber.outbox.make_room(room)
            await asyncio.sleep(0)

        self.run(read())

    @rule(target=connections, subscriber=consumes(connections))
    def leave(self, subscriber: Subscriber) -> object:
        """Leave in whatever state: nothing more is heard, and nobody else is hurt."""

        async def leave() -> None:
            assert subscriber.member is not None
            if subscriber.resuming is not None and not subscriber.resuming.done():
                await asyncio.sleep(0)
            subscriber.member.leave()

        self.run(leave())
        had = list(subscriber.outbox.frames)
        self.subscribers.remove(subscriber)
        self.run(self._publish(["a", "a/x", "b"], wait=True))
        assert subscriber.outbox.frames == had
        return multiple()

    @rule(ticks=st.integers(1, 5))
    def wait(self, ticks: int) -> None:
        """Let the loop turn."""

        async def turn() -> None:
            for _ in range(ticks):
                await asyncio.sleep(0)

        self.run(turn())

    @invariant()
    def nobody_sees_holes_or_duplicates(self) -> None:
        """What has come is the beginning of what is due."""
        for subscriber in self.subscribers:
            frames = subscriber.outbox.frames
            assert frames == subscriber.due(self.log)[: len(frames)]

    def finish(self) -> None:
        """Let everyone read everything: now all of it has come."""
        try:
            self.run(self._read_all())
        finally:
            self.page.stop()

    async def _read_all(self) -> None:
        await asyncio.gather(*self.publishing)
        for subscriber in self.subscribers:
            subscriber.outbox.make_room(None)
        for subscriber in self.subscribers:
            if subscriber.resuming is not None:
                await subscriber.resuming
            due = subscriber.due(self.log)
            assert await subscriber.outbox.holds(len(due)) == due
        while self.bus.behind():
            await self.store.rows("meta_get", name="epoch")
        await publish(self.journal, len(self.log) + 1, topic="a/x")
        self.log.append("a/x")
        for subscriber in self.subscribers:
            assert subscriber.outbox.frames == subscriber.due(self.log)
            assert subscriber.outbox.closed is None
            assert subscriber.member is not None
            subscriber.member.leave()
        assert self.bus.held() == 0


TestSeam = SeamMachine.TestCase
TestSeam.settings = effort(30, steps=25)
