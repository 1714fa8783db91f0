"""Presence: connections, acts, silence, and what a restart makes of them."""

import asyncio

import msgspec
import pytest

from hubbub.core.bus import Bus
from hubbub.core.identity.presence import Presence, PresenceRules
from hubbub.core.journal import Journal
from hubbub.storage.sqlite import SqliteStore
from tests.unit.conftest import ManualClock
from tests.unit.core.chat_room import FlakyJournal
from tests.unit.core.rooms import Told


RULES = PresenceRules(idle_after_s=10, stale_after_s=60, heartbeat_interval_s=2, max_agents=3)


@pytest.fixture
def told(bus: Bus) -> Told:
    """Give a recorder of what presence tells."""
    return Told(bus, "agents/*")


@pytest.fixture
def presence(journal: Journal, store: SqliteStore, bus: Bus, clock: ManualClock) -> Presence:
    """Give presence with short rules."""
    return Presence(journal, store, bus, clock, rules=RULES)


@pytest.mark.parametrize(
    "wrong",
    [
        {"idle_after_s": 0},
        {"idle_after_s": 5, "stale_after_s": 4},
        {"tick_s": 0},
        {"heartbeat_interval_s": -1},
        {"max_agents": 0},
    ],
)
def test_rules_must_make_sense(wrong: dict[str, float]) -> None:
    """Times that cannot be are refused when the settings are read."""
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert(wrong, PresenceRules)


def link(door: str, connections: int, *, status: str, doors: dict[str, int]) -> dict[str, object]:
    """Give what is told of a connection of ann's that came or went."""
    data = {"agent": "ann", "door": door, "connections": connections}
    return {**data, "status": status, "doors": doors}


def turn(status: str, previous: str, *, doors: dict[str, int]) -> dict[str, object]:
    """Give what is told of a change of ann's status."""
    return {"agent": "ann", "previous": previous, "status": status, "doors": doors}


async def test_first_connection_is_connected_heard_and_active(
    presence: Presence, journal: Journal, told: Told, clock: ManualClock
) -> None:
    """Connecting tells the connection, then a heartbeat, then that the agent is active."""
    presence.attach("ann", "car", machine_id="m1")
    await journal.settled()

    assert told.take() == [
        ("agent.connected", link("car", 1, status="offline", doors={"car": 1})),
        ("agent.heartbeat", {"agent": "ann", "at": clock.now, "status": "active"}),
        ("agent.status", turn("active", "offline", doors={"car": 1})),
    ]
    (shown,) = presence.list()
    assert (shown.agent, shown.status, shown.connected) == ("ann", "active", True)
    assert (shown.doors, shown.machine_id) == (["car"], "m1")
    assert shown.last_heartbeat == clock.now


async def test_agent_is_offline_only_after_its_last_connection(
    presence: Presence, journal: Journal, told: Told
) -> None:
    """Of two connections the second to end makes the agent offline; ending twice counts once."""
    one = presence.attach("ann", "car")
    two = presence.attach("ann", "hubbub")
    await journal.settled()
    assert presence.list()[0].doors == ["car", "hubbub"]
    told.take()

    one.detach()
    one.detach()
    two.detach()
    await journal.settled()

    assert told.take() == [
        ("agent.disconnected", link("car", 1, status="active", doors={"hubbub": 1})),
        ("agent.disconnected", link("hubbub", 0, status="active", doors={})),
        ("agent.status", turn("offline", "active", doors={})),
    ]
    (shown,) = presence.list()
    assert (shown.status, shown.connected, shown.doors) == ("offline", False, ["hubbub"])


async def test_touch_after_detach_is_nothing(
    presence: Presence, journal: Journal, told: Told, clock: ManualClock
) -> None:
    """A late message of a connection that has ended does not bring its agent back."""
    attachment = presence.attach("ann", "car")
    attachment.detach()
    await journal.settled()
    told.take()

    clock.advance(5_000)
    attachment.touch()
    await journal.settled()
    assert told.take() == []


async def test_heartbeats_of_acts_keep_their_interval(
    presence: Presence, journal: Journal, told: Told, clock: ManualClock
) -> None:
    """Many acts within the interval make one heartbeat; the last act is still known."""
    attachment = presence.attach("ann", "car")
    await journal.settled()
    told.take()

    clock.advance(1_999)
    attachment.touch()
    assert presence.list()[0].last_heartbeat == clock.now
    await journal.settled()
    assert told.take() == []

    clock.advance(1)
    attachment.touch()
    attachment.touch()
    await journal.settled()
    assert told.kinds() == ["agent.heartbeat"]


async def test_another_active_issue_is_told_at_once(
    presence: Presence, journal: Journal, told: Told
) -> None:
    """A new active issue does not wait for the interval, the same one does."""
    attachment = presence.attach("ann", "car")
    await journal.settled()
    told.take()

    attachment.touch(7)
    attachment.touch(7)
    await journal.settled()

    ((kind, data),) = told.take()
    assert (kind, data["active_issue_id"]) == ("agent.heartbeat", 7)
    assert presence.list()[0].active_issue_id == 7


async def test_sent_heartbeat_is_always_told(
    presence: Presence, journal: Journal, told: Told
) -> None:
    """A heartbeat that the agent sends is told every time, and says all: no issue is none."""
    presence.beat("ann", "hubbub", active_issue_id=7)
    shown = presence.beat("ann", "hubbub", machine_id="m2")
    await journal.settled()

    assert told.kinds() == ["agent.heartbeat", "agent.status", "agent.heartbeat"]
    assert (shown.active_issue_id, shown.machine_id, shown.doors) == (None, "m2", ["hubbub"])


async def test_act_without_connection_is_heard(
    presence: Presence, journal: Journal, told: Told
) -> None:
    """An agent that never connects is active, and not connected."""
    presence.heard("bob", "", active_issue_id=3)
    assert presence.list()[0].doors == []
    presence.heard("bob", "x0x")
    await journal.settled()

    assert told.kinds() == ["agent.heartbeat", "agent.status"]
    shown = presence.get("bob")
    assert shown is not None
    assert (shown.status, shown.connected, shown.doors) == ("active", False, ["x0x"])
    assert shown.active_issue_id == 3
    assert presence.get("nobody") is None


async def test_silence_is_told_on_the_clock(
    presence: Presence, journal: Journal, told: Told, clock: ManualClock
) -> None:
    """Idle from the exact instant, then stale, each once; an act wakes the agent."""
    attachment = presence.attach("ann", "car")
    await journal.settled()
    told.take()

    for ms in (9_999, 1, 1, 49_998, 1, 60_000):
        clock.advance(ms)
        presence.tick()
    await journal.settled()
    assert told.take() == [
        ("agent.status", turn("idle", "active", doors={"car": 1})),
        ("agent.status", turn("stale", "idle", doors={"car": 1})),
    ]

    attachment.touch()
    await journal.settled()
    assert told.kinds() == ["agent.heartbeat", "agent.status"]


async def test_late_look_tells_every_step(
    presence: Presence, journal: Journal, told: Told, clock: ManualClock
) -> None:
    """Whoever is stale at a look was idle before; a clock set back makes it active again."""
    presence.heard("ann", "x0x")
    await journal.settled()
    told.take()
    clock.advance(60_000)
    presence.tick()
    clock.advance(-60_000)
    presence.tick()
    await journal.settled()
    assert [data["status"] for _, data in told.take()] == ["idle", "stale", "active"]


async def test_offline_agent_does_not_grow_stale(
    presence: Presence, journal: Journal, told: Told, clock: ManualClock
) -> None:
    """Who has left is offline, however much time passes."""
    presence.attach("ann", "car").detach()
    await journal.settled()
    told.take()
    clock.advance(100_000)
    presence.tick()
    await journal.settled()
    assert told.take() == []


async def test_finished_issue_is_no_longer_active(
    presence: Presence, journal: Journal, told: Told
) -> None:
    """The end of work on the active issue is told; the end of other work is not."""
    presence.heard("ann", "car", active_issue_id=4)
    await journal.settled()
    told.take()

    presence.finished("ann", 5)
    await journal.settled()
    assert told.take() == []
    presence.finished("ann", 4)
    await journal.settled()
    ((_, data),) = told.take()
    assert "active_issue_id" not in data


async def test_restart_tells_that_connections_are_gone(
    journal: Journal, store: SqliteStore, bus: Bus, clock: ManualClock, told: Told
) -> None:
    """Who was connected at the end is offline after it; others keep status and time."""
    before = Presence(journal, store, bus, clock, rules=RULES)
    before.attach("ann", "car")
    before.attach("ann", "x0x")
    before.heard("bob", "x0x", active_issue_id=2, machine_id="m")
    await journal.settled()
    told.take()
    heard_at = clock.now
    clock.advance(1_000)

    after = Presence(journal, store, bus, clock, rules=RULES)
    await after.load()
    await journal.settled()

    assert told.take() == [
        ("agent.disconnected", link("car", 1, status="active", doors={"x0x": 1})),
        ("agent.disconnected", link("x0x", 0, status="active", doors={})),
        ("agent.status", turn("offline", "active", doors={})),
    ]
    bob = after.get("bob")
    assert bob is not None
    assert (bob.status, bob.active_issue_id, bob.machine_id) == ("active", 2, "m")
    assert bob.last_heartbeat == heard_at


async def test_the_longest_silent_is_forgotten_first(
    presence: Presence, journal: Journal, store: SqliteStore, clock: ManualClock, told: Told
) -> None:
    """Over the limit those without a connection go, longest silent first; that is told."""
    presence.attach("here", "car")
    for name in ("old", "young", "new"):
        clock.advance(1)
        presence.heard(name, "x0x")
    await journal.settled()
    assert ("agent.forgotten", {"agent": "old"}) in told.take()
    assert [shown.agent for shown in presence.list()] == ["here", "new", "young"]
    assert [row[0] for row in await store.rows("presence_all")] == ["here", "new", "young"]


async def test_nobody_is_forgotten_while_connected(presence: Presence, journal: Journal) -> None:
    """More connected agents than the limit are all remembered."""
    for n in range(5):
        presence.attach(f"a{n}", "car")
    await journal.settled()
    assert len(presence.list()) == 5


async def test_heartbeat_is_not_told_when_it_could_not_be_stored(
    presence: Presence, journal: Journal, told: Told
) -> None:
    """Where the store refuses, nothing is told and presence goes on."""
    presence.heard(None, "x0x")  # type: ignore[arg-type]  # the store has no row for this name
    await journal.settled()
    assert told.take() == []


async def test_what_could_not_be_stored_is_made_up_for(
    store: SqliteStore, bus: Bus, clock: ManualClock, told: Told
) -> None:
    """Once the store takes writes again, the next look at the clock tells how the agent stands."""
    journal = FlakyJournal(store, bus, crash=lambda _: None)
    presence = Presence(journal, store, bus, clock, rules=RULES)
    journal.refuse = 3
    presence.attach("ann", "car")  # two units
    for _ in range(3):
        await asyncio.sleep(0)  # the refusal is heard
        presence.tick()
    await journal.settled()
    assert told.take() == [("agent.status", turn("active", "active", doors={"car": 1}))]


@pytest.mark.parametrize(
    ("rules", "period_s"),
    [
        (PresenceRules(), 1.0),
        (PresenceRules(idle_after_s=0.4, stale_after_s=2.0), 0.2),
        (PresenceRules(idle_after_s=2.0, stale_after_s=2.4), 0.2),
        (PresenceRules(idle_after_s=1.0, stale_after_s=1.0), 0.05),
    ],
)
def test_clock_is_looked_at_often_enough(rules: PresenceRules, period_s: float) -> None:
    """Short silences make the clock quicker than tick_s, never slower, and never endless."""
    assert rules.period_s == pytest.approx(period_s)
