"""Seed 002: starting and completing runs on CAR's socket, seen from outside.

Where the seed looks into the server's memory, these tests look through the host role's reads.
"""

import uuid

import pytest

from tests.clients.car import SUCCESS
from tests.clients.guests import Guests
from tests.conftest import StartDaemon
from tests.daemon import Daemon
from tests.seeds.car_rooms import ended, only_run


INTERNAL = -32603
INVALID_PARAMS = -32602
AUTH_REQUIRED = -32001


async def test_runs_start_returns_unique_ids_for_sequential_starts(
    daemon: Daemon, guests: Guests
) -> None:
    """Two starts get two UUIDs, both open under the agent, the newest first in its list."""
    car, host = await guests.car(daemon), await guests.car_host(daemon)
    first = await car.call("runs.start", {"agent_id": "agent-a", "intent": "first goal"})
    second = await car.call("runs.start", {"agent_id": "agent-a", "intent": "second goal"})

    assert str(uuid.UUID(first["run_id"])) == first["run_id"]
    assert first["run_id"] != second["run_id"]
    assert first["agent_id"] == second["agent_id"] == "agent-a"
    runs = await host.runs("agent-a")
    assert [run["run_id"] for run in runs] == [second["run_id"], first["run_id"]]
    assert [run["intent"] for run in runs] == ["second goal", "first goal"]
    assert [run["status"] for run in runs] == ["in_progress", "in_progress"]


async def test_current_run_id_is_set_before_runs_start_responds(
    daemon: Daemon, guests: Guests
) -> None:
    """At the moment of the answer the run is stored, visible, and owned by that connection."""
    car, host = await guests.car(daemon), await guests.car_host(daemon)
    run_id = await car.start_run("agent-a")
    car.drop()
    started = (await host.records(run_id))[0]
    assert (started["record"], started["run_id"]) == ("started", run_id)
    assert (started["agent_id"], started["intent"]) == ("agent-a", "do it")
    # Only the connection that owns the run can make it incomplete by going away.
    assert (await ended(host, run_id))["kind"] == "incomplete"


async def test_runs_start_rejects_unresolvable_agent(daemon: Daemon, guests: Guests) -> None:
    """Without any agent the start is an error and records nothing."""
    car = await guests.car(daemon)
    error = await car.fail("runs.start", {"intent": "orphan run"})
    assert error["code"] == INTERNAL
    assert "agent" in error["message"]
    blank = await car.fail("runs.start", {"agent_name": " - ", "intent": "orphan run"})
    assert blank["code"] == INTERNAL
    rpc = await guests.rpc(daemon)
    assert [e for e in await rpc.journal() if e["topic"].startswith("runs/")] == []


@pytest.mark.parametrize(
    ("name", "agent_id"),
    [
        ("Bulldozer Agent", "name:bulldozer-agent"),
        ("  Nightly -- Build #7  ", "name:nightly-build-7"),
        ("plain", "name:plain"),
    ],
)
async def test_runs_start_name_fallback_records(
    daemon: Daemon, guests: Guests, name: str, agent_id: str
) -> None:
    """`agent_name` makes a deterministic id of the name's letters and digits."""
    car, host = await guests.car(daemon), await guests.car_host(daemon)
    params = {"agent_name": name, "intent": "one-shot run"}
    first, second = await car.call("runs.start", params), await car.call("runs.start", params)
    assert first["agent_id"] == second["agent_id"] == agent_id
    assert len(await host.runs(agent_id)) == 2


async def test_runs_start_agent_id_beats_agent_name(daemon: Daemon, guests: Guests) -> None:
    """`agent_id` decides where both are given, and may be any non-empty string."""
    car = await guests.car(daemon)
    params = {"agent_id": "My Agent ../x", "agent_name": "Other", "intent": "go"}
    assert (await car.call("runs.start", params))["agent_id"] == "My Agent ../x"


async def test_runs_start_falls_back_to_the_daemons_ambient_agent(
    start_daemon: StartDaemon, guests: Guests
) -> None:
    """The daemon's own `CAR_AGENT_ID` comes after a given id and before a name."""
    car = await guests.car(await start_daemon(env={"CAR_AGENT_ID": "ambient"}))
    ambient = await car.call("runs.start", {"agent_name": "Named", "intent": "go"})
    given = await car.call("runs.start", {"agent_id": "given", "intent": "go"})
    assert (ambient["agent_id"], given["agent_id"]) == ("ambient", "given")


async def test_runs_start_needs_an_intent(daemon: Daemon, guests: Guests) -> None:
    """A start without intent is an error and leaves no run."""
    car, host = await guests.car(daemon), await guests.car_host(daemon)
    error = await car.fail("runs.start", {"agent_id": "agent-a"})
    assert error["code"] in {INVALID_PARAMS, INTERNAL}
    assert await host.runs("agent-a") == []


async def test_runs_start_key_is_the_run_id(daemon: Daemon, guests: Guests) -> None:
    """An idempotency key is used as run id; a repeat returns that run, from anywhere."""
    one, two = await guests.car(daemon), await guests.car(daemon)
    host = await guests.car_host(daemon)
    first = await one.start_run("agent-a", idempotency_key="run-key-1")
    again = await two.start_run("agent-a", idempotency_key="run-key-1")
    assert first == again == "run-key-1"
    assert (await only_run(host, "agent-a"))["run_id"] == "run-key-1"


async def test_runs_start_key_of_another_agent_is_refused(daemon: Daemon, guests: Guests) -> None:
    """A key that another agent's run has taken is an error."""
    car, host = await guests.car(daemon), await guests.car_host(daemon)
    await car.start_run("agent-a", idempotency_key="taken")
    params = {"agent_id": "agent-b", "intent": "do it", "idempotency_key": "taken"}
    await car.fail("runs.start", params)
    assert await host.runs("agent-b") == []


async def test_runs_start_key_of_a_finished_run_leaves_it_finished(
    daemon: Daemon, guests: Guests
) -> None:
    """A repeated start after the end returns the run and does not open it again."""
    car, host = await guests.car(daemon), await guests.car_host(daemon)
    run_id = await car.start_run("agent-a", idempotency_key="done")
    await car.call("runs.complete", {"run_id": run_id, "outcome": SUCCESS})
    assert await car.start_run("agent-a", idempotency_key="done") == run_id
    await car.close()
    assert (await only_run(host, "agent-a"))["status"] == "completed"
    assert (await ended(host, run_id))["status"] == "success"


async def test_runs_complete_records_terminal_outcome_status(
    daemon: Daemon, guests: Guests
) -> None:
    """The ack names the run, and by then the whole outcome stands in its trace."""
    car, host = await guests.car(daemon), await guests.car_host(daemon)
    run_id = await car.start_run("agent-a")

    ack = await car.call("runs.complete", {"run_id": run_id, "outcome": SUCCESS})

    assert (ack["ok"], ack["run_id"]) == (True, run_id)
    (termination,) = await host.endings(run_id)
    assert (termination["kind"], termination["status"]) == ("outcome", "success")
    assert termination["summary"] == "did the thing"
    assert termination["metrics"]["duration_ms"] == 12.0
    run = await only_run(host, "agent-a")
    assert run["status"] == "completed"
    assert run["ended_at"] is not None


@pytest.mark.parametrize(
    "status", ["success", "partial_success", "give_up", "timeout", "failure", "done"]
)
async def test_runs_complete_with_a_status_alone(
    daemon: Daemon, guests: Guests, status: str
) -> None:
    """Any of the six statuses is enough; the rest of the outcome is filled with defaults."""
    car, host = await guests.car(daemon), await guests.car_host(daemon)
    run_id = await car.start_run("agent-a")
    outcome = {"status": status, "tools_called": ["ignored"]}
    await car.call("runs.complete", {"run_id": run_id, "outcome": outcome})
    (termination,) = await host.endings(run_id)
    assert (termination["status"], termination["summary"]) == (status, "")
    assert termination["evidence"] == []
    assert set(termination["metrics"].values()) == {0}
    assert termination["timestamp"]


async def test_runs_complete_twice_is_an_error_and_keeps_the_first(
    daemon: Daemon, guests: Guests
) -> None:
    """The first outcome stays; a second one is told so, not swallowed."""
    car, host = await guests.car(daemon), await guests.car_host(daemon)
    run_id = await car.start_run("agent-a")
    await car.call("runs.complete", {"run_id": run_id, "outcome": SUCCESS})
    await car.fail("runs.complete", {"run_id": run_id, "outcome": {"status": "failure"}})
    assert [t["status"] for t in await host.endings(run_id)] == ["success"]


async def test_runs_complete_of_an_unknown_run_is_an_error(daemon: Daemon, guests: Guests) -> None:
    """Completing what was never started is an error."""
    car = await guests.car(daemon)
    await car.fail("runs.complete", {"run_id": str(uuid.uuid4()), "outcome": SUCCESS})


@pytest.mark.parametrize(
    "outcome", [None, {}, {"status": "splendid"}, "success", {"status": "success", "evidence": 3}]
)
async def test_runs_complete_with_a_bad_outcome_leaves_the_run_open(
    daemon: Daemon, guests: Guests, outcome: object
) -> None:
    """A bad outcome is an error, and a good one still fits afterwards."""
    car, host = await guests.car(daemon), await guests.car_host(daemon)
    run_id = await car.start_run("agent-a")
    await car.fail("runs.complete", {"run_id": run_id, "outcome": outcome})
    assert await host.endings(run_id) == []
    await car.call("runs.complete", {"run_id": run_id, "outcome": SUCCESS})
