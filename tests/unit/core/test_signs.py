"""Signs of life: which events of other services count as an act of an agent."""

from typing import Any

import msgspec
import pytest

from hubbub.core.bus import Bus
from hubbub.core.identity.presence import Presence
from hubbub.core.identity.signs import SignsOfLife
from hubbub.core.journal import Journal
from hubbub.core.values import Event
from hubbub.storage.sqlite import SqliteStore
from tests.unit.conftest import ManualClock


@pytest.fixture
def presence(journal: Journal, store: SqliteStore, bus: Bus, clock: ManualClock) -> Presence:
    """Give presence that hears signs of life."""
    presence = Presence(journal, store, bus, clock)
    SignsOfLife(presence, bus)
    return presence


async def happen(journal: Journal, topic: str, kind: str, **data: object) -> None:
    """Let a service record an event."""
    await journal.commit(lambda tx: tx.append(topic, kind, data, actor="x"))
    await journal.settled()


def heard_at(presence: Presence, agent: str = "ann") -> int | None:
    """Give when an agent was last heard; ``None``: never."""
    known = presence.get(agent)
    return None if known is None else known.last_heartbeat


@pytest.mark.parametrize(
    ("kind", "data", "heard"),
    [
        ("run.started", {}, True),
        ("run.turn", {}, True),
        ("run.ended", {"status": "completed"}, True),
        ("run.ended", {"status": "incomplete"}, False),
        ("run.ended", {"status": "cancelled"}, False),
        ("run.renamed", {}, False),
    ],
)
async def test_runs(
    presence: Presence, journal: Journal, kind: str, data: dict[str, Any], *, heard: bool
) -> None:
    """An agent that starts, records or completes is heard; one that was cut off is not."""
    await happen(journal, "runs/r1", kind, run_id="r1", agent="ann", **data)
    assert (heard_at(presence) is not None) is heard


async def test_chat_turn_is_heard_as_long_as_it_streams(
    presence: Presence, journal: Journal, bus: Bus, clock: ManualClock
) -> None:
    """From its start to its final text the turn's agent is heard, also by deltas."""
    await happen(journal, "chat/main", "chat.accepted", agent="ann")
    assert heard_at(presence) is None
    await happen(journal, "chat/main", "chat.started", agent="ann")
    assert heard_at(presence) == clock.now
    for kind in ("chat.delta", "chat.tool"):
        clock.advance(10)
        bus.tell(Event(0, "i", "chat/main", kind, "x", 0, msgspec.Raw(b"{}")))
        assert heard_at(presence) == clock.now
    clock.advance(10)
    await happen(journal, "chat/main", "chat.final")
    assert heard_at(presence) == clock.now
    clock.advance(10)
    await happen(journal, "chat/main", "chat.injected")
    await happen(journal, "chat/main", "chat.final")
    assert heard_at(presence) == clock.now - 10


@pytest.mark.parametrize("kind", ["chat.error", "chat.aborted"])
async def test_turn_that_failed_ends_unheard(
    presence: Presence, journal: Journal, clock: ManualClock, kind: str
) -> None:
    """The end of a turn that its agent did not finish is no sign of life."""
    await happen(journal, "chat/main", "chat.started", agent="ann")
    clock.advance(10)
    await happen(journal, "chat/main", kind)
    await happen(journal, "chat/main", "chat.final")
    assert heard_at(presence) == clock.now - 10


async def test_lock_makes_its_issue_the_active_one(presence: Presence, journal: Journal) -> None:
    """Who claims or steals works on the issue; who releases it no longer does."""
    await happen(journal, "locks/4", "lock.claimed", issue_id=4, agent="ann")
    known = presence.get("ann")
    assert known is not None
    assert known.active_issue_id == 4
    await happen(journal, "locks/4", "lock.stolen", issue_id=4, agent="bob", previous="ann")
    thief = presence.get("bob")
    assert thief is not None
    assert thief.active_issue_id == 4
    await happen(journal, "locks/4", "lock.released", issue_id=4, agent="bob")
    done = presence.get("bob")
    assert done is not None
    assert done.active_issue_id is None


async def test_lost_or_foreign_locks_are_no_act(presence: Presence, journal: Journal) -> None:
    """The end of a lease, and notices of locks elsewhere, say nothing of the agent."""
    await happen(journal, "locks/4", "lock.lost", issue_id=4, agent="ann")
    await happen(journal, "locks/4", "lock.notified", issue_id=4, agent="ann", action="claimed")
    assert heard_at(presence) is None
