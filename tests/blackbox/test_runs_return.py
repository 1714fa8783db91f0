"""Runs whose agent goes away and comes back, over real sockets and across kills of the daemon."""

import asyncio
from typing import Any

import pytest

from tests.clients.car import SUCCESS
from tests.clients.frames import Frame
from tests.clients.guests import Guests
from tests.clients.rpc import RpcSocket
from tests.clients.waiting import eventually
from tests.daemon import Daemon


HOUR_MS = 3_600_000


async def status_of(rpc: RpcSocket, run_id: str) -> str:
    """Give a run's status."""
    return str((await rpc.call("runs.get", {"run_id": run_id}))["status"])


async def gone(rpc: RpcSocket, agent: str) -> None:
    """Wait until the daemon has noticed that an agent's last connection ended."""
    event = await rpc.event(f"agents/{agent}", "agent.disconnected")
    assert event["data"]["connections"] == 0


@pytest.mark.parametrize("policy", ["incomplete", "cancel", "continue"])
async def test_returning_agent_goes_on_with_its_run(
    daemon: Daemon, guests: Guests, policy: str
) -> None:
    """Within its grace the run waits; the next connection of the agent holds it and ends it."""
    token, watcher = await daemon.agent_token("alice"), await guests.rpc(daemon)
    await watcher.subscribe("agents/alice")
    alice = await guests.rpc(daemon, token)
    start = {"intent": "long work", "on_disconnect": policy, "grace_ms": HOUR_MS}
    run_id = (await alice.call("runs.start", start))["run_id"]
    seen = await alice.subscribe(f"runs/{run_id}")
    turns = [{"tool": "a"}]
    await alice.call("runs.record_turns", {"run_id": run_id, "turns": turns})
    cursor = (await alice.event(f"runs/{run_id}"))["seq"]
    alice.drop()
    await gone(watcher, "alice")
    await watcher.call("runs.record_turns", {"run_id": run_id, "turns": [{"tool": "b"}]})

    alice = await guests.rpc(daemon, token)
    after = {"epoch": seen["position"]["epoch"], "seq": cursor}
    assert (await alice.subscribe(f"runs/{run_id}", after=after))["recovered"] is True
    missed = await alice.event(f"runs/{run_id}")
    assert missed["data"]["turn"]["tool"] == "b"
    resumed = await alice.call("runs.resume", {"run_id": run_id, "cursor": 1})
    assert [turn["tool"] for turn in resumed["turns"]] == ["b"]
    await alice.call("runs.complete", {"run_id": run_id, "outcome": SUCCESS})
    assert await status_of(watcher, run_id) == "completed"


@pytest.mark.parametrize("policy", [("incomplete", "incomplete"), ("cancel", "cancelled")])
async def test_agent_that_comes_too_late(
    daemon: Daemon, guests: Guests, policy: tuple[str, str]
) -> None:
    """When its grace is over the run has ended, and is told so to who would resume it."""
    token, watcher = await daemon.agent_token("alice"), await guests.rpc(daemon)
    alice = await guests.rpc(daemon, token)
    start = {"intent": "short patience", "on_disconnect": policy[0], "grace_ms": 0}
    run_id = (await alice.call("runs.start", start))["run_id"]
    await watcher.subscribe(f"runs/{run_id}")
    alice.drop()
    assert (await watcher.event(f"runs/{run_id}", "run.ended"))["data"]["status"] == policy[1]
    error = await (await guests.rpc(daemon, token)).fail("runs.resume", {"run_id": run_id})
    assert error["data"]["code"] == "conflict"
    assert policy[1] in error["message"]


async def test_agent_returns_through_another_door(daemon: Daemon, guests: Guests) -> None:
    """A run that began at hubbub's door is taken over by the agent's CAR connection."""
    token, watcher = await daemon.agent_token("alice"), await guests.rpc(daemon)
    await watcher.subscribe("agents/alice")
    alice = await guests.rpc(daemon, token)
    start = {"intent": "move", "on_disconnect": "incomplete", "grace_ms": HOUR_MS}
    run_id = (await alice.call("runs.start", start))["run_id"]
    alice.drop()
    await gone(watcher, "alice")
    car = await guests.car_agent(daemon, "alice", token)
    assert (await car.call("runs.resume", {"run_id": run_id}))["status"] == "in_progress"
    assert (await car.call("runs.subscribe", {"run_id": run_id}))["status"] == "in_progress"
    await car.call("runs.complete", {"run_id": run_id, "outcome": SUCCESS})
    assert await status_of(watcher, run_id) == "completed"


async def test_second_connection_takes_nothing_from_a_live_one(
    daemon: Daemon, guests: Guests
) -> None:
    """An agent's further socket may come and go; the run ends with the one that started it."""
    token, watcher = await daemon.agent_token("alice"), await guests.rpc(daemon)
    await watcher.subscribe("runs/*")
    first, second = await guests.rpc(daemon, token), await guests.rpc(daemon, token)
    start = {"intent": "held", "on_disconnect": "incomplete", "grace_ms": 0}
    run_id = (await first.call("runs.start", start))["run_id"]
    marker = (await second.call("runs.start", start))["run_id"]
    second.drop()
    ended = await watcher.event(kind="run.ended")
    assert (ended["data"]["run_id"], await status_of(watcher, run_id)) == (marker, "in_progress")
    first.drop()
    assert (await watcher.event(kind="run.ended"))["data"]["run_id"] == run_id


@pytest.mark.parametrize("door", ["rpc", "car"])
async def test_run_outlives_a_killed_daemon(daemon: Daemon, guests: Guests, door: str) -> None:
    """After SIGKILL a run with a grace waits for its agent, others end as they were started to."""
    token = await daemon.agent_token("alice")
    alice: Any = (
        await guests.rpc(daemon, token)
        if door == "rpc"
        else await guests.car_agent(daemon, "alice", token)
    )
    runs: dict[str, str] = {}
    policies: dict[str, Frame] = {
        "waits": {"on_disconnect": "incomplete", "grace_ms": HOUR_MS},
        "too short": {"on_disconnect": "cancel", "grace_ms": 1},
        "ends": {"on_disconnect": "cancel"},
        "goes on": {"on_disconnect": "continue"},
    }
    for name, more in policies.items():
        runs[name] = (await alice.call("runs.start", {"intent": name, **more}))["run_id"]
    turns = {"run_id": runs["waits"], "turns": [{"tool": "a"}]}
    await alice.call("runs.record_turns", turns)
    watcher = await guests.rpc(daemon)
    position = (await watcher.subscribe("runs/*"))["position"]
    daemon.kill()
    await daemon.start()

    watcher = await guests.rpc(daemon)
    assert await status_of(watcher, runs["ends"]) == "cancelled"

    async def ended() -> bool:
        return await status_of(watcher, runs["too short"]) == "cancelled"

    await eventually(ended, what="the end of a short grace")
    car = await guests.car_agent(daemon, "alice", token)
    resumed = await car.call("runs.resume", {"run_id": runs["waits"]})
    assert (resumed["cursor"], resumed["status"]) == (1, "in_progress")
    for name in ("waits", "goes on"):
        await car.call("runs.complete", {"run_id": runs[name], "outcome": SUCCESS})
    assert (await watcher.subscribe("runs/*", after=position))["recovered"] is True
    events = [await watcher.event(kind="run.ended") for _ in runs]
    assert sorted(event["data"]["status"] for event in events) == [
        *("cancelled", "cancelled", "completed", "completed")
    ]


async def test_any_number_of_watchers(daemon: Daemon, guests: Guests) -> None:
    """Everyone who follows a run sees the same turns and the same end, whoever comes and goes."""
    token = await daemon.agent_token("alice")
    alice = await guests.rpc(daemon, token)
    run_id = (await alice.call("runs.start", {"intent": "watched"}))["run_id"]
    hosts = [await guests.car_host(daemon) for _ in range(5)]
    sockets = [await guests.rpc(daemon) for _ in range(5)]
    for host in hosts:
        await host.call("runs.subscribe", {"run_id": run_id})
    for socket in sockets:
        await socket.subscribe(f"runs/{run_id}")
    hosts.pop().drop()
    sockets.pop().drop()
    for name in ("a", "b"):
        turns = {"run_id": run_id, "turns": [{"tool": name}]}
        await alice.call("runs.record_turns", turns)
    await alice.call("runs.complete", {"run_id": run_id, "outcome": SUCCESS})
    stories = await asyncio.gather(*(socket.events(3) for socket in sockets))
    assert all(story == stories[0] for story in stories)
    for host in hosts:
        seen = [await host.trace_event() for _ in range(3)]
        assert [event["record"]["record"] for event in seen] == ["turn", "turn", "ended"]
