"""Seed 002: the trace of a run, live and replayed, and the framing that its client relies on."""

import pytest

from tests.clients.car import SUCCESS
from tests.clients.guests import Guests
from tests.daemon import Daemon


INTERNAL = -32603
INVALID_PARAMS = -32602
AUTH_REQUIRED = -32001


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
