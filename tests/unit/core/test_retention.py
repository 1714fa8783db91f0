"""Retention: what goes, what stays, and that a resume is told the truth about it."""

import asyncio
from collections.abc import Sequence

import msgspec
import pytest

from hubbub.core.bus import Bus, Resumed
from hubbub.core.idempotency import KEEP_MS, once
from hubbub.core.journal import Journal
from hubbub.core.ports import Transaction
from hubbub.core.retention import CACHE, PAGE, Retention, Rule
from hubbub.core.values import OPERATOR, Event, Position
from hubbub.storage.sqlite import SqliteStore
from tests.unit.conftest import ManualClock
from tests.unit.outbox import RecordingOutbox


HOUR_MS = 3_600_000
FOR_EVER = Rule(pattern="*", keep_ms=0, keep_bytes=0)
HOURLY = Rule(pattern="*", keep_ms=HOUR_MS, keep_bytes=0)


async def publish(journal: Journal, *topics: str, data: object = 1) -> None:
    """Store one event under each topic, in this order."""

    def unit(tx: Transaction) -> None:
        for topic in topics:
            tx.append(topic, "message", data, actor="operator")

    await journal.commit(unit)


class Room:
    """Journal and retention, joined as the daemon joins them."""

    def __init__(self, journal: Journal, store: SqliteStore, bus: Bus, clock: ManualClock) -> None:
        self.journal, self.store, self.bus, self.clock = journal, store, bus, clock

    async def retain(self, *rules: Rule) -> Retention:
        """Make a retention that has counted what is there."""
        retention = Retention(self.journal, self.store, self.bus, self.clock, rules)
        await retention.load()
        return retention

    async def kept(self) -> list[str]:
        """Give the topics of the events that are left, oldest first."""
        events = await self.store.events(["*"], after=0, upto=1 << 40, limit=10_000)
        return [event.topic for event in events]

    async def resumed(self, topic: str, after: int) -> tuple[Resumed, RecordingOutbox]:
        """Resume a topic after a ``seq``."""
        outbox, said = RecordingOutbox(), list[Resumed]()
        member = self.bus.member(outbox, key=object(), patterns=[topic], encode=number)
        position = Position(epoch=self.store.epoch, seq=after)
        await self.bus.resume(member, position, said.append)
        return said[0], outbox


def number(event: Event) -> bytes:
    """Encode an event as its ``seq``."""
    return b"%d" % event.seq


@pytest.fixture
def room(journal: Journal, store: SqliteStore, bus: Bus, clock: ManualClock) -> Room:
    """Give a journal to retain."""
    return Room(journal, store, bus, clock)


async def test_events_go_once_they_are_older_than_their_rule(room: Room) -> None:
    """An event stays up to its last millisecond; the next cut after it takes it."""
    await publish(room.journal, "old")
    retention = await room.retain(HOURLY)
    room.clock.advance(HOUR_MS)
    await publish(room.journal, "new")

    assert await retention.cut() == 0
    room.clock.advance(1)
    assert await retention.cut() == 1

    assert await room.kept() == ["new"]


async def test_oldest_events_go_until_the_bytes_fit(room: Room) -> None:
    """Bytes are counted over all topics of a rule, those stored before the start included."""
    await publish(room.journal, "a", "b", data="x" * 8)  # 10 bytes each as JSON
    retention = await room.retain(Rule(pattern="*", keep_ms=0, keep_bytes=30))
    await publish(room.journal, "c", data="x" * 8)
    assert await retention.cut() == 0

    await publish(room.journal, "d", data="x" * 8)

    assert await retention.cut() == 1
    assert await room.kept() == ["b", "c", "d"]
    assert await retention.cut() == 0


async def test_topics_of_services_are_never_cut(room: Room) -> None:
    """What the daemon's own services record is not the business of retention."""
    services = ["agents/a", "chat/c", "direct/d", "issues/1", "locks/1", "plans/p", "runs/r"]
    await publish(room.journal, "mine", *services, "agents")
    retention = await room.retain(HOURLY)
    room.clock.advance(2 * HOUR_MS)

    assert await retention.cut() == 2

    assert await room.kept() == services


async def test_most_specific_rule_of_a_topic_holds(room: Room) -> None:
    """A whole name beats a prefix, a longer prefix a shorter one, anything the rest."""
    hours = {"*": 4, "news/*": 3, "news/local/*": 2, "news/local/oslo": 1}
    rules = [Rule(pattern=p, keep_ms=h * HOUR_MS, keep_bytes=0) for p, h in hours.items()]
    topics = ["other", "news/world", "news/local/bergen", "news/local/oslo"]
    await publish(room.journal, *topics)
    retention = await room.retain(*rules)

    for left in (3, 2, 1, 0):
        room.clock.advance(HOUR_MS + 1)
        await retention.cut()
        assert await room.kept() == topics[:left]


async def test_topic_without_a_rule_stays(room: Room) -> None:
    """Without a rule for all, other topics are left alone."""
    await publish(room.journal, "kept", "gone")
    retention = await room.retain(Rule(pattern="gone", keep_ms=1, keep_bytes=0))
    room.clock.advance(HOUR_MS)

    await retention.cut()

    assert await room.kept() == ["kept"]


async def test_rule_of_nothing_keeps_everything(room: Room) -> None:
    """0 switches a bound off."""
    await publish(room.journal, "a")
    retention = await room.retain(FOR_EVER)
    room.clock.advance(1000 * HOUR_MS)

    assert await retention.cut() == 0


async def test_many_pages_go_in_one_cut(room: Room) -> None:
    """A cut ends only when nothing more may go, however many steps it takes."""
    topics = ["a", "issues/1"] * PAGE + ["b"]
    await publish(room.journal, *topics)
    retention = await room.retain(HOURLY)
    room.clock.advance(2 * HOUR_MS)

    assert await retention.cut() == PAGE + 1

    assert await room.kept() == ["issues/1"] * PAGE


async def test_resume_from_before_the_cut_is_told_so(room: Room) -> None:
    """It is not recovered, the reason is retention, and what is left follows."""
    await publish(room.journal, "t", "other", "t")
    retention = await room.retain(Rule(pattern="t", keep_ms=HOUR_MS, keep_bytes=0))
    room.clock.advance(2 * HOUR_MS)
    await publish(room.journal, "t")
    await retention.cut()

    said, outbox = await room.resumed("t", after=0)

    assert (said.recovered, said.reason) == (False, "retention")
    assert await outbox.holds(1) == [b"4"]


async def test_resume_from_the_cut_itself_is_whole(room: Room) -> None:
    """Who had seen everything that was cut has missed nothing by it; nor have other topics."""
    await publish(room.journal, "t", "other", "t")
    retention = await room.retain(Rule(pattern="t", keep_ms=HOUR_MS, keep_bytes=0))
    room.clock.advance(2 * HOUR_MS)
    await publish(room.journal, "t")
    await retention.cut()

    same, outbox = await room.resumed("t", after=3)
    other, others = await room.resumed("other", after=0)

    assert same.recovered
    assert await outbox.holds(1) == [b"4"]
    assert other.recovered
    assert await others.holds(1) == [b"2"]


async def test_cut_is_still_known_after_a_restart(room: Room) -> None:
    """A new bus on the same store says the same of the past."""
    await publish(room.journal, "t")
    retention = await room.retain(HOURLY)
    room.clock.advance(2 * HOUR_MS)
    await retention.cut()
    room.bus = Bus(room.store)

    said, _ = await room.resumed("t", after=0)

    assert said.reason == "retention"


async def test_nothing_is_cut_that_a_subscriber_still_reads(room: Room) -> None:
    """A slow subscriber gets the whole past; when it is through, the past may go."""
    await publish(room.journal, "t", "t", "t")
    retention = await room.retain(HOURLY)
    room.clock.advance(2 * HOUR_MS)
    outbox, said = RecordingOutbox(room=1), list[Resumed]()
    member = room.bus.member(outbox, key="slow", patterns=["t"], encode=number)
    await room.bus.resume(member, Position(epoch=room.store.epoch, seq=0), said.append)
    await outbox.holds(1)

    assert await retention.cut() <= 1
    outbox.make_room(None)

    assert await outbox.holds(3) == [b"1", b"2", b"3"]
    assert said[0].recovered
    await publish(room.journal, "t")
    await outbox.holds(4)
    await retention.cut()
    assert await room.kept() == ["t"]


class SlowTrim:
    """The store, with an answer about the past that comes when the test wants it."""

    def __init__(self, store: SqliteStore) -> None:
        self._trimmed = store.trimmed
        self.asked, self.go = asyncio.Event(), asyncio.Event()

    async def __call__(self, patterns: Sequence[str]) -> int:
        """Read, then hold the answer back."""
        answer = await self._trimmed(patterns)
        self.asked.set()
        await self.go.wait()
        return answer


async def test_cut_during_a_resume_takes_nothing_from_it(
    room: Room, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between the look at the past and the replay no event of that past disappears."""
    await publish(room.journal, "t", "t")
    retention = await room.retain(HOURLY)
    room.clock.advance(2 * HOUR_MS)
    slow = SlowTrim(room.store)
    monkeypatch.setattr(room.store, "trimmed", slow)
    resuming = asyncio.ensure_future(room.resumed("t", after=0))
    await slow.asked.wait()

    assert await retention.cut() == 0
    slow.go.set()
    said, outbox = await resuming

    assert said.recovered
    assert await outbox.holds(2) == [b"1", b"2"]


async def test_resume_during_a_cut_waits_for_it(room: Room) -> None:
    """A resume that begins while a cut is on its way to the disk is told about that cut."""
    await publish(room.journal, "t")
    await room.bus.cutting.acquire()
    resuming = asyncio.ensure_future(room.resumed("t", after=0))
    await asyncio.sleep(0)

    def cut(tx: Transaction) -> None:
        tx.execute("retention_cut", seqs="[1]")
        tx.execute("trim_note", topic="t", seq=1)

    await room.journal.commit(cut)
    room.bus.cutting.release()
    said, _ = await resuming

    assert said.reason == "retention"


async def test_failing_look_at_the_past_does_not_hold_retention_up(
    room: Room, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A resume that ended with an error needs nothing any more."""
    await publish(room.journal, "t")

    async def fail(_patterns: Sequence[str]) -> int:
        raise RuntimeError

    monkeypatch.setattr(room.store, "trimmed", fail)
    with pytest.raises(RuntimeError):
        await room.resumed("t", after=0)

    assert room.bus.needed() == 1


async def test_answers_older_than_their_promise_are_forgotten(room: Room) -> None:
    """Seven days after the first answer a key is free again, and not a millisecond before."""
    runs: list[int] = []

    async def ask() -> None:
        def unit(_tx: Transaction) -> int:
            runs.append(1)
            return 1

        await room.journal.commit(
            once(unit, caller=OPERATOR, key="k", request=b"r", result=int, clock=room.clock)
        )

    retention = await room.retain(FOR_EVER)
    for late, expected in ((0, 1), (KEEP_MS, 1), (1, 2)):
        room.clock.advance(late)
        await retention.cut()
        await ask()
        assert len(runs) == expected


async def test_more_old_answers_than_one_step_takes_are_all_forgotten(room: Room) -> None:
    """However many there are."""

    def unit(tx: Transaction) -> None:
        for number in range(PAGE + 1):
            tx.execute("idempotency_put", caller="c", key=str(number), digest=b"", result=b"", at=0)

    await room.journal.commit(unit)
    retention = await room.retain(FOR_EVER)

    await retention.cut()

    def left(tx: Transaction) -> int:
        return sum(
            tx.row("idempotency_get", caller="c", key=str(number)) is not None
            for number in range(PAGE + 1)
        )

    assert await room.journal.commit(left) == 0


async def test_keys_of_old_messages_are_forgotten(room: Room) -> None:
    """A turn that ended more than seven days ago leaves its run; one that waits is kept."""

    def unit(tx: Transaction) -> None:
        for number in range(PAGE + 2):
            run_id = str(number)
            tx.execute(
                "chat_turn_put",
                run_id=run_id,
                caller="c",
                digest=b"",
                session_key="agent:main:main",
                session_id="s",
                spelling="main",
                agent="main",
                place=number,
                thinking=None,
                timeout_ms=None,
                cause="e",
                accepted_at=0,
            )
            if number:
                ended_at = 1 if number == 1 else 0
                tx.execute(
                    "chat_turn_end", run_id=run_id, state="ok", error=None, ended_at=ended_at
                )

    def left(tx: Transaction) -> list[str]:
        names = map(str, range(PAGE + 2))
        return [name for name in names if tx.row("chat_turn_get", run_id=name) is not None]

    await room.journal.commit(unit)
    retention = await room.retain(FOR_EVER)
    now = room.clock()
    room.clock.advance(KEEP_MS + 1 - now)
    await retention.cut()
    assert await room.journal.commit(left) == ["0", "1"]
    room.clock.advance(1)
    await retention.cut()
    assert await room.journal.commit(left) == ["0"]


async def test_ephemeral_events_do_not_count(room: Room) -> None:
    """What is in no journal takes no room in it."""
    retention = await room.retain(Rule(pattern="*", keep_ms=0, keep_bytes=1))
    await publish(room.journal, "t")
    room.bus.tell(Event(0, "id", "t", "message", "operator", 0, msgspec.Raw(b"123")))

    assert await retention.cut() == 0


async def test_many_topics_do_not_grow_the_memory_without_bound(room: Room) -> None:
    """Rules of topics are remembered for the last few thousand topics only."""
    retention = await room.retain(HOURLY)
    await publish(room.journal, *(f"t{n}" for n in range(CACHE + 10)))

    assert len(retention._cache) <= CACHE  # noqa: SLF001 the bound has no other sign
