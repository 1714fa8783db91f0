"""Seed 002: the life of a run on CAR's socket, seen from outside.

Where the seed looks into the server's memory, these tests look through the host role's reads.
"""

import uuid

import pytest

from tests.clients.car import SUCCESS, CarSocket
from tests.clients.frames import Frame
from tests.clients.guests import Guests
from tests.clients.waiting import eventually
from tests.conftest import StartDaemon
from tests.daemon import Daemon


INTERNAL = -32603
INVALID_PARAMS = -32602
AUTH_REQUIRED = -32001


async def ended(host: CarSocket, run_id: str) -> Frame:
    """Wait for a run's terminal record and return its termination."""
    (termination,) = await eventually(lambda: host.endings(run_id), what="the run's end")
    return termination


async def only_run(host: CarSocket, agent: str) -> Frame:
    """Return the one run that an agent has."""
    (run,) = await host.runs(agent)
    return run


# -- starting --------------------------------------------------------------------------------------


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


# -- completing ------------------------------------------------------------------------------------


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


# -- connections that end --------------------------------------------------------------------------


@pytest.mark.parametrize("politely", [True, False])
async def test_completed_then_closed_run_is_not_incomplete(
    daemon: Daemon, guests: Guests, politely: bool
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
    daemon: Daemon, guests: Guests, politely: bool
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


# -- identity ---------------------------------------------------------------------------------------


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


# -- turns -----------------------------------------------------------------------------------------


async def test_recorded_turns_are_stamped_and_replayed_as_they_went_live(
    daemon: Daemon, guests: Guests
) -> None:
    """The daemon numbers the turns; a watcher and a later reader get the same objects."""
    agent = await guests.car_agent(daemon, "agent-A", await daemon.agent_token("agent-A"))
    host = await guests.car_host(daemon)
    run_id = await agent.start_run("agent-A")
    snapshot = await host.call("runs.subscribe", {"run_id": run_id})
    assert (snapshot["turns_so_far"], snapshot["cursor"]) == ([], 0)

    turns = [{"index": 77, "tool": "echo", "parameters": {"n": n}, "output": n} for n in range(3)]
    answer = await agent.call("runs.record_turns", {"run_id": run_id, "turns": turns})
    assert answer == {"run_id": run_id, "base_index": 0, "count": 3, "ok": True}

    live = [await host.trace_event() for _ in range(3)]
    assert [event["cursor"] for event in live] == [1, 2, 3]
    stored = [r for r in await host.records(run_id) if r["record"] == "turn"]
    assert [event["record"] for event in live] == stored
    assert [turn["index"] for turn in stored] == [0, 1, 2]
    late = await host.call("runs.subscribe", {"run_id": run_id})
    assert late["cursor"] == len(late["turns_so_far"]) == 3


async def test_host_may_not_write_turns(daemon: Daemon, guests: Guests) -> None:
    """Only the run's owner adds turns; the host's attempt is dropped and told so."""
    agent = await guests.car_agent(daemon, "agent-A", await daemon.agent_token("agent-A"))
    host = await guests.car_host(daemon)
    run_id = await agent.start_run("agent-A")
    answer = await host.answer("runs.record_turns", {"run_id": run_id, "turns": [{"tool": "x"}]})
    assert "error" in answer or answer["result"]["ok"] is False
    assert [r["record"] for r in await host.records(run_id)] == ["started"]


async def test_turns_of_a_finished_run_are_dropped(daemon: Daemon, guests: Guests) -> None:
    """After the end the answer is `run_terminal` and the trace does not change."""
    car, host = await guests.car(daemon), await guests.car_host(daemon)
    run_id = await car.start_run("agent-a")
    await car.call("runs.complete", {"run_id": run_id, "outcome": SUCCESS})
    answer = await car.call("runs.record_turns", {"run_id": run_id, "turns": [{"tool": "x"}]})
    assert (answer["ok"], answer["count"], answer["dropped"]) == (False, 0, "run_terminal")
    assert [r["record"] for r in await host.records(run_id)] == ["started", "ended"]


async def test_watcher_sees_the_end_of_a_dropped_run(daemon: Daemon, guests: Guests) -> None:
    """A subscriber is told `incomplete` when the run's connection vanishes."""
    car, host = await guests.car(daemon), await guests.car_host(daemon)
    run_id = await car.start_run("agent-a")
    await host.call("runs.subscribe", {"run_id": run_id})
    car.drop()
    event = await host.trace_event()
    assert (event["run_id"], event["status"]) == (run_id, "incomplete")
    assert event["record"]["record"] == "ended"


# -- framing that the seed's client relies on --------------------------------------------------------


async def test_request_ids_are_echoed_unchanged(daemon: Daemon, guests: Guests) -> None:
    """An id comes back with its value and JSON type, whatever it is."""
    car = await guests.car(daemon)
    for request_id in (0, 1, -7, 2**70, "s1", "0", ""):
        await car.send({"jsonrpc": "2.0", "id": request_id, "method": "no.such"})
        frame = await car.receive()
        assert frame["id"] == request_id
        assert type(frame["id"]) is type(request_id)
        assert frame["error"]["code"] == -32601


@pytest.mark.parametrize("version", [2, 3])
async def test_handshake_echoes_the_clients_version(
    daemon: Daemon, guests: Guests, version: int
) -> None:
    """Both protocol versions in use are accepted and echoed, also twice on one connection."""
    car = await guests.car(daemon)
    params = {"client_version": "0.48.0", "protocol_version": version}
    for _ in range(2):
        answer = await car.call("server.handshake", params)
        assert answer["protocol_version"] == answer["client_protocol_version"] == version
    error = await car.fail("server.handshake", {"protocol_version": 99})
    assert error["code"] == -32006
    assert error["message"].startswith("protocol version mismatch:")


async def test_session_init_counts_tools_and_policies(daemon: Daemon, guests: Guests) -> None:
    """`session.init` is optional and says what it registered."""
    car = await guests.car(daemon)
    answer = await car.call("session.init", {"tools": [{"name": "echo"}]})
    assert answer["session_id"]
    assert (answer["tools_registered"], answer["policies_registered"]) == (1, 0)
