"""Readiness: what speaks against it, and that it comes back by itself."""

import sqlite3

import pytest

from hubbub.core.bus import Bus
from hubbub.core.chat.turn_times import MAX_OPEN, TurnTimes
from hubbub.core.journal import Journal
from hubbub.core.operations import Operations, StoreProbe
from hubbub.core.ports import Transaction
from hubbub.core.values import Position
from hubbub.storage.sqlite import SqliteStore
from hubbub.telemetry import Metrics
from tests.unit.conftest import ManualClock
from tests.unit.outbox import RecordingOutbox


def operations() -> Operations:
    """Give operations of a daemon that cannot be stopped."""
    return Operations(Metrics(), stop=lambda: None, started_at=0)


def test_daemon_is_ready_unless_a_check_says_why_not() -> None:
    """Every check that has something to say is heard."""
    ours = operations()
    ours.add_check(lambda: None)
    ours.add_check(lambda: "first")
    ours.add_check(lambda: "second")

    assert ours.reasons() == ["first", "second"]


def test_daemon_that_stops_is_not_ready() -> None:
    """Whatever the checks say."""
    ours = operations()
    assert ours.reasons() == []

    ours.is_stopping = True

    assert ours.reasons() == ["the daemon is stopping"]


async def test_store_that_refused_a_write_is_tried_until_it_takes_one(
    journal: Journal, store: SqliteStore
) -> None:
    """One probe at a time, and none while all is well."""
    probe = StoreProbe(journal, store)
    probe.tick()
    assert (probe.check(), store.units) == (None, 0)

    store.healthy = False
    assert "cannot write" in (probe.check() or "")
    probe.tick()
    probe.tick()
    await journal.settled()

    assert store.units == 1
    assert probe.check() is None


async def test_probe_that_fails_is_repeated(journal: Journal, store: SqliteStore) -> None:
    """The store may come back later than the first attempt."""
    probe = StoreProbe(journal, store)
    store.healthy = False
    probe.tick()
    await journal.settled()
    store.healthy = False

    probe.tick()
    await journal.settled()

    assert store.units == 2
    assert store.healthy


async def test_probe_that_the_disk_refuses_leaves_the_store_unready(
    journal: Journal, store: SqliteStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The next tick tries again; until one works the check has something to say."""
    probe = StoreProbe(journal, store)
    store.healthy = False

    def refuse() -> None:
        raise sqlite3.OperationalError

    with monkeypatch.context() as broken:
        broken.setattr(store._transaction, "commit", refuse)  # noqa: SLF001 a disk that is full
        probe.tick()
        await journal.settled()
        assert probe.check() is not None

    probe.tick()
    await journal.settled()

    assert probe.check() is None


def seconds(metrics: Metrics, agent: str, outcome: str) -> float | None:
    """Give the seconds counted for an agent's turns."""
    labels = {"agent": agent, "outcome": outcome}
    return metrics.registry.get_sample_value("hubbub_turn_seconds_sum", labels)


async def tell(journal: Journal, kind: str, run_id: str, agent: str = "bo") -> None:
    """Record one event of a chat."""

    def unit(tx: Transaction) -> None:
        tx.append("chat/s", kind, {"run_id": run_id, "agent": agent}, actor="agent:bo")

    await journal.commit(unit)


async def test_turn_takes_from_its_start_to_its_end(
    journal: Journal, bus: Bus, clock: ManualClock
) -> None:
    """By agent and outcome; an end without a start counts nothing."""
    metrics = Metrics()
    TurnTimes(bus, metrics)
    for kind, outcome in (
        ("chat.final", "final"),
        ("chat.error", "error"),
        ("chat.aborted", "aborted"),
    ):
        await tell(journal, "chat.started", kind)
        clock.advance(1500)
        await tell(journal, kind, kind)
        await tell(journal, kind, "another")
        await tell(journal, "chat.injected", "more")
        assert seconds(metrics, "bo", outcome) == 1.5


async def test_turns_that_never_end_are_forgotten(journal: Journal, bus: Bus) -> None:
    """Memory is bounded; the oldest are given up."""
    times = TurnTimes(bus, Metrics())

    def unit(tx: Transaction) -> None:
        for number in range(MAX_OPEN + 1):
            tx.append("chat/s", "chat.started", {"run_id": str(number), "agent": "a"}, actor="a")

    await journal.commit(unit)

    assert len(times._open) == MAX_OPEN  # noqa: SLF001 the bound is the point of this test
    assert "0" not in times._open  # noqa: SLF001


async def test_bus_counts_subscriptions_and_those_that_lag(journal: Journal, bus: Bus) -> None:
    """A subscriber that reads the store is one of all, and one of those behind."""
    live, slow = RecordingOutbox(), RecordingOutbox(room=0)
    bus.join(live, key="live", patterns=["*"], encode=lambda event: event.topic.encode())
    member = bus.member(slow, key="slow", patterns=["*"], encode=lambda _: b"")
    await tell(journal, "chat.final", "r")
    start = Position(epoch=journal.position.epoch, seq=0)
    await bus.resume(member, start, lambda _: None)

    assert (bus.held(), bus.behind()) == (2, 1)
    assert bus.lagging() == {slow}

    member.leave()

    assert (bus.held(), bus.behind()) == (1, 0)
    assert bus.lagging() == set()
