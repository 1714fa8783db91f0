"""The presence list: who stands in it, for how long, and in which order."""

import json

import pytest

from hubbub.core.values import OPERATOR
from hubbub.dialects.openclaw.presence import Presence, agent_entry
from hubbub.dialects.openclaw.settings import OpenclawSettings
from tests.dialects.openclaw.clients import TOKEN, Frame, Key, connect_params
from tests.dialects.openclaw.conftest import ManualClock
from tests.dialects.openclaw.house import Guest, House


def hosts(presence: Presence) -> list[str]:
    """Give who is in the list, the gateway left out."""
    return [entry.host for entry in presence.entries()[1:]]


@pytest.fixture
def presence(clock: ManualClock) -> Presence:
    """Give a list for three, besides nothing."""
    return Presence(OpenclawSettings(max_presence_entries=4), clock)


def come(presence: Presence, clock: ManualClock, name: str) -> None:
    """Let an agent come, a second later than whoever came before."""
    clock.now += 1_000
    presence.joined(name, agent_entry(name, "x0x", "connect", clock()))


def test_who_is_connected_stays(presence: Presence, clock: ManualClock) -> None:
    """Time does not remove who is here; it removes who has left."""
    come(presence, clock, "ann")
    come(presence, clock, "bob")
    presence.left("bob")
    assert [(e.host, e.reason) for e in presence.entries()[1:]] == [
        ("bob", "disconnect"),
        ("ann", "connect"),
    ]
    clock.now += 299_999
    assert hosts(presence) == ["bob", "ann"]
    clock.now += 1
    assert hosts(presence) == ["ann"]


def test_who_is_connected_twice_leaves_once(presence: Presence, clock: ManualClock) -> None:
    """An entry counts its connections; leaving what is not there is nothing."""
    come(presence, clock, "ann")
    come(presence, clock, "ann")
    presence.left("ann")
    assert presence.entries()[1].reason == "connect"
    presence.left("ann")
    assert presence.entries()[1].reason == "disconnect"
    presence.left("nobody")
    assert hosts(presence) == ["ann"]


def test_list_is_bounded(presence: Presence, clock: ManualClock) -> None:
    """Beyond the bound the oldest who left go; of those who are here the newest are shown."""
    for name in "abc":
        come(presence, clock, name)
    presence.left("a")
    come(presence, clock, "d")
    come(presence, clock, "e")
    assert hosts(presence) == ["e", "d", "c"]


def test_silence_keeps_the_door(presence: Presence, clock: ManualClock) -> None:
    """An agent that falls silent keeps what is known of it; its reason tells."""
    come(presence, clock, "ann")
    presence.seen("ann", agent_entry("ann", "", "idle", clock()))
    presence.seen("bob", agent_entry("bob", "", "active", clock()))
    ann, bob = sorted(presence.entries()[1:], key=lambda entry: entry.host)
    assert (ann.reason, ann.tags, ann.text) == ("idle", ("x0x",), "Agent: ann · via x0x")
    assert (bob.reason, bob.tags, bob.text) == ("active", (), "Agent: bob")


def test_version_grows_with_every_change(presence: Presence, clock: ManualClock) -> None:
    """Clients can tell which of two lists is newer."""
    versions = [presence.version]
    come(presence, clock, "ann")
    versions.append(presence.version)
    presence.left("ann")
    versions.append(presence.version)
    assert versions == sorted(set(versions))


async def test_client_is_told_to_the_others(house: House, guest: Guest) -> None:
    """A client that comes and goes is told to everyone else, at a bounded pace."""
    house.timers.advance(1)
    client = {"id": "gateway-client", "displayName": "clawdbot-tui", "mode": "ui"}
    other = await house.guest(
        TOKEN, client={**client, "version": "dev", "platform": "linux", "instanceId": "i"}
    )
    entries = (await guest.event("presence"))["presence"]
    assert sorted(entry["host"] for entry in entries[1:]) == ["clawdbot-tui", "test"]
    await other.leave()
    house.guests.remove(other)
    assert [frame["event"] for frame in guest.unread()] == []
    house.timers.advance(0.25)
    entries = (await guest.event("presence"))["presence"]
    reasons = {entry.get("instanceId"): entry["reason"] for entry in entries[1:]}
    assert reasons == {None: "connect", "i": "disconnect"}


async def test_command_line_calls_are_not_shown(house: House, guest: Guest) -> None:
    """A client that comes for one call does not make the list flicker."""
    house.timers.advance(1)
    await house.guest(TOKEN, client={"id": "cli", "version": "1", "platform": "x", "mode": "cli"})
    house.timers.advance(1)
    assert [frame["event"] for frame in guest.unread()] == []
    assert len(await guest.call("system-presence")) == 2


async def test_device_is_one_entry(house: House, guest: Guest) -> None:
    """Two connections of one device stand under its id, once."""
    key, params = Key(), connect_params()
    for _ in range(2):
        one = house.knock()
        device = key.device(params, nonce=one.outbox.messages[0]["payload"]["nonce"])
        connect = {**params, "device": device}
        one.text(json.dumps({"type": "req", "id": "c", "method": "connect", "params": connect}))
    shown = [e for e in await guest.call("system-presence") if "deviceId" in e]
    assert [entry["deviceId"] for entry in shown] == [key.id]


async def test_agents_of_all_doors_are_listed(house: House, guest: Guest) -> None:
    """An agent that was seen anywhere stands in `agents.list`, the default agent first."""
    house.hub.presence.heard("Zoe", "crosslink")
    house.hub.presence.heard("builder", "car")
    listed = await guest.call("agents.list")
    assert (listed["defaultId"], listed["mainKey"], listed["scope"]) == (
        "main",
        "main",
        "per-sender",
    )
    assert listed["agents"] == [
        {"id": "main", "name": "Assistant"},
        {"id": "builder", "name": "builder"},
        {"id": "zoe", "name": "Zoe"},
    ]
    await house.hub.journal.settled()


async def identity(guest: Guest, **params: str) -> Frame:
    """Ask for an identity."""
    found: Frame = await guest.call("agent.identity.get", params)
    return found


async def test_identity_of_an_agent(house: House, guest: Guest) -> None:
    """Name and picture are found by agent, by session, and else are the default agent's."""
    assistant = {"agentId": "main", "name": "Assistant", "avatar": "A"}
    assert await identity(guest) == assistant
    assert await identity(guest, sessionKey="main") == assistant
    assert await identity(guest, sessionKey=" ") == assistant
    scout = {"agentId": "scout", "name": "scout", "avatar": "S"}
    assert await identity(guest, agentId="scout") == scout
    assert await identity(guest, sessionKey="agent:scout:main") == scout
    token = await house.hub.access.create(OPERATOR, "alice")
    assert await identity(await house.guest(token), agentId="alice") == {
        "agentId": "alice",
        "name": "alice",
        "avatar": "A",
    }
