"""Seed 002: what becomes of a run when its connection ends, and who may act as whom."""

import uuid

import pytest

from tests.clients.car import SUCCESS
from tests.clients.guests import Guests
from tests.clients.waiting import eventually
from tests.daemon import Daemon
from tests.seeds.car_rooms import ended, only_run


INTERNAL = -32603
INVALID_PARAMS = -32602
AUTH_REQUIRED = -32001


@pytest.mark.parametrize("politely", [True, False])
async def test_completed_then_closed_run_is_not_incomplete(
    daemon: Daemon, guests: Guests, *, politely: bool
) -> None:
    """A run completed before its connection went stays completed after the grace is over."""
    car, host = await guests.car(daemon), await guests.car_host(daemon)
    completed = await car.start_run("agent-a")
    await car.call("runs.complete", {"run_id": completed, "outcome": SUCCESS})
    still_open = await car.start_run("agent-a")
    if politely:
        await car.close()
    else:
        car.drop()
    # The open run's end proves that the grace of this connection is over.
    assert (await ended(host, still_open))["kind"] == "incomplete"
    assert [t["status"] for t in await host.endings(completed)] == ["success"]


@pytest.mark.parametrize("politely", [True, False])
async def test_mid_run_drop_yields_incomplete(
    daemon: Daemon, guests: Guests, *, politely: bool
) -> None:
    """Every run that a vanished connection left open becomes incomplete, exactly once."""
    car, host = await guests.car(daemon), await guests.car_host(daemon)
    earlier, current = await car.start_run("agent-a"), await car.start_run("agent-a")
    if politely:
        await car.close()
    else:
        car.drop()
    for run_id in (earlier, current):
        assert (await ended(host, run_id)) == {"kind": "incomplete"}
    assert {run["status"] for run in await host.runs("agent-a")} == {"incomplete"}
    late = await guests.car(daemon)
    await late.fail("runs.complete", {"run_id": current, "outcome": SUCCESS})


async def test_complete_in_flight_at_the_drop_wins(daemon: Daemon, guests: Guests) -> None:
    """A completion sent right before the connection vanishes is the run's outcome."""
    car, host = await guests.car(daemon), await guests.car_host(daemon)
    run_id = await car.start_run("agent-a")
    params = {"run_id": run_id, "outcome": SUCCESS}
    await car.send({"jsonrpc": "2.0", "id": 99, "method": "runs.complete", "params": params})
    await car.close()
    assert (await ended(host, run_id))["status"] == "success"


async def test_drop_of_one_connection_leaves_another_ones_runs(
    daemon: Daemon, guests: Guests
) -> None:
    """Runs of the same agent on another connection go on."""
    leaves, stays = await guests.car(daemon), await guests.car(daemon)
    host = await guests.car_host(daemon)
    dropped, kept = await leaves.start_run("agent-a"), await stays.start_run("agent-a")
    leaves.drop()
    await ended(host, dropped)
    assert await host.endings(kept) == []
    await stays.call("runs.complete", {"run_id": kept, "outcome": SUCCESS})


async def test_restart_reads_open_runs_as_incomplete(daemon: Daemon, guests: Guests) -> None:
    """After a crash of the daemon an open run is incomplete, a completed one as it was."""
    car = await guests.car(daemon)
    completed, left_open = await car.start_run("agent-a"), await car.start_run("agent-a")
    await car.call("runs.complete", {"run_id": completed, "outcome": SUCCESS})
    daemon.kill()
    await daemon.start()
    host = await guests.car_host(daemon)
    statuses = {run["run_id"]: run["status"] for run in await host.runs("agent-a")}
    assert statuses == {completed: "completed", left_open: "incomplete"}


async def test_bound_session_cannot_forge_run_under_other_agent(
    daemon: Daemon, guests: Guests
) -> None:
    """A connection bound to A starts runs as A only; a forged name records nothing anywhere."""
    host = await guests.car_host(daemon)
    bound = await guests.car_agent(daemon, "agent-A", await daemon.agent_token("agent-A"))

    error = await bound.fail("runs.start", {"agent_id": "agent-B", "intent": "forge under B"})
    assert error["code"] == INTERNAL
    assert await host.runs("agent-B") == []
    assert await host.runs("agent-A") == []

    explicit = await bound.call("runs.start", {"agent_id": "agent-A", "intent": "explicit"})
    derived = await bound.call("runs.start", {"intent": "derived"})
    named = await bound.call("runs.start", {"agent_name": "Agent B", "intent": "derived too"})
    assert explicit["agent_id"] == derived["agent_id"] == named["agent_id"] == "agent-A"
    assert len(await host.runs("agent-A")) == 3


async def test_binding_needs_that_agents_token(daemon: Daemon, guests: Guests) -> None:
    """Neither the operator's token nor another agent's binds a connection to an agent."""
    other = await daemon.agent_token("agent-B")
    await daemon.agent_token("agent-A")
    for token in (other, daemon.token, "wrong"):
        car = await guests.car(daemon, auth=False)
        params = {"agent_id": "agent-A", "token": token}
        error = await car.fail("session.auth", params)
        assert error["code"] == INTERNAL
        assert error["message"].startswith("auth failed")


async def test_second_connection_of_a_bound_agent_is_refused(
    daemon: Daemon, guests: Guests
) -> None:
    """One live connection per agent; the place is free again when the first is gone."""
    token = await daemon.agent_token("agent-A")
    params = {"agent_id": "agent-A", "token": token}
    first = await guests.car_agent(daemon, "agent-A", token)
    second = await guests.car(daemon, auth=False)
    error = await second.fail("session.auth", params)
    assert "already attached on another connection" in error["message"]
    first.drop()

    async def free() -> bool:
        third = await guests.car(daemon, auth=False)
        return "result" in await third.answer("session.auth", params)

    await eventually(free, what="the agent's free place")


async def test_no_call_without_auth(daemon: Daemon, guests: Guests) -> None:
    """Before `session.auth` a call is answered -32001, the connection closed, nothing recorded."""
    car, host = await guests.car(daemon, auth=False), await guests.car_host(daemon)
    error = await car.fail("runs.start", {"agent_id": "agent-a", "intent": "unseen"})
    assert error["code"] == AUTH_REQUIRED
    await car.closed()
    assert await host.runs("agent-a") == []


async def test_reads_are_for_the_owner_and_the_host(daemon: Daemon, guests: Guests) -> None:
    """Unbound connections and other agents may not read; refusals come before any look-up."""
    unbound = await guests.car(daemon)
    run_id = await unbound.start_run("agent-A")
    owner = await guests.car_agent(daemon, "agent-A", await daemon.agent_token("agent-A"))
    other = await guests.car_agent(daemon, "agent-B", await daemon.agent_token("agent-B"))
    for stranger in (unbound, other):
        await stranger.fail("runs.list", {"agent_id": "agent-A"})
        known = await stranger.fail("runs.get_trace", {"run_id": run_id})
        unknown = await stranger.fail("runs.get_trace", {"run_id": str(uuid.uuid4())})
        assert known["code"] == unknown["code"]
        await stranger.fail("runs.subscribe", {"run_id": run_id})
    assert (await only_run(owner, "agent-A"))["run_id"] == run_id
    assert (await owner.records(run_id))[0]["record"] == "started"


async def test_host_reads_an_unknown_run_as_not_found(daemon: Daemon, guests: Guests) -> None:
    """An unknown id is an answer, not an error, for who may read."""
    host = await guests.car_host(daemon)
    run_id = str(uuid.uuid4())
    assert await host.call("runs.get_trace", {"run_id": run_id}) == {
        "run_id": run_id,
        "not_found": True,
    }
    assert await host.runs("nobody") == []
