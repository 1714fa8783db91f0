"""Traces through the CAR door: turns, who may read, and following live."""

import asyncio
import functools

import msgspec
import pytest

from hubbub.core.runs.trace import Turn
from hubbub.core.values import Event
from hubbub.dialects.car import records
from hubbub.dialects.car import runs as car_runs
from tests.dialects.car.conftest import SUCCESS, Frame, Room
from tests.unit.core.runs_words import chat_run


def is_answer(frame: Frame, request_id: str) -> bool:
    """Tell whether a frame answers a request."""
    return frame.get("id") == request_id


# -- turns -----------------------------------------------------------------------------------


async def test_live_and_stored_turns_are_the_same(room: Room) -> None:
    """A subscriber, a late subscriber and a reader get equal records, numbered by the daemon."""
    agent, host = await room.agent(), await room.host()
    run_id = await agent.start_run()
    first = await host.call("runs.subscribe", {"run_id": run_id})
    assert (first["turns_so_far"], first["cursor"], first["status"]) == ([], 0, "in_progress")
    turns = [{"index": "bad", "tool": "echo", "parameters": {"n": n}} for n in range(3)]
    answer = await agent.call("runs.record_turns", {"run_id": run_id, "turns": turns})
    assert answer == {"run_id": run_id, "base_index": 0, "count": 3, "ok": True}

    live = [(await host.told("runs.trace.event"))["params"] for _ in range(3)]
    assert [(event["cursor"], event["status"]) for event in live] == [
        (1, "in_progress"),
        (2, "in_progress"),
        (3, "in_progress"),
    ]
    trace = await host.call("runs.get_trace", {"run_id": run_id})
    stored = [record for record in trace["records"] if record["record"] == "turn"]
    late = await host.call("runs.subscribe", {"run_id": run_id})
    assert [event["record"] for event in live] == stored == late["turns_so_far"]
    assert [turn["index"] for turn in stored] == [0, 1, 2]
    await agent.call("runs.complete", {"run_id": run_id, "outcome": SUCCESS})
    end = (await host.told("runs.trace.event"))["params"]
    assert (end["cursor"], end["status"], end["agent_id"]) == (3, "completed", "ann")


async def test_watcher_goes_on_from_its_cursor(room: Room) -> None:
    """A connection that comes back with its cursor gets what it missed, then what happens."""
    agent, host = await room.agent(), await room.host()
    run_id = await agent.start_run()
    await host.call("runs.subscribe", {"run_id": run_id})
    turns = {"run_id": run_id, "turns": [{"prompt": "a"}, {"prompt": "b"}]}
    await agent.call("runs.record_turns", turns)
    seen = [(await host.told("runs.trace.event"))["params"] for _ in range(2)]
    await agent.call("runs.record_turns", turns)

    again = await room.host()
    params = {"run_id": run_id, "cursor": seen[-1]["cursor"]}
    answer = await again.call("runs.subscribe", params)
    trace = await again.call("runs.get_trace", {"run_id": run_id})
    stored = [record for record in trace["records"] if record["record"] == "turn"]
    assert (answer["turns_so_far"], len(stored)) == (stored[2:], 4)
    assert answer["cursor"] == 4
    await agent.call("runs.record_turns", {**turns, "turns": [{"prompt": "c"}]})
    assert (await again.told("runs.trace.event"))["params"]["cursor"] == 5
    wrong = await again.fail("runs.subscribe", {**params, "cursor": -1})
    assert wrong["code"] == -32602


async def test_model_turns_are_turns(room: Room) -> None:
    """What a model said is recorded with its figures."""
    agent = await room.agent()
    run_id = await agent.start_run()
    figures = {"model_id": "m", "token_usage": {"total": 3}, "duration_ms": 1.5, "turn_index": 9}
    answer = await agent.call(
        "runs.record_model_turn", {"run_id": run_id, "assistant_text": "hi", **figures}
    )
    assert (answer["ok"], answer["base_index"]) == (True, 0)
    trace = await agent.call("runs.get_trace", {"run_id": run_id, "cursor": 1})
    (turn,) = trace["records"]
    assert (turn["output"], turn["model"]) == ("hi", figures)


async def test_only_the_owner_adds_turns(room: Room) -> None:
    """Its agent, or the connection that started or took the run over: nobody else."""
    starter, host = await room.unbound(), await room.host()
    run_id = await starter.start_run(idempotency_key="k")
    params = {"run_id": run_id, "turns": [{"tool": "x"}]}
    dropped = {"run_id": "k", "base_index": 0, "count": 0, "ok": False, "dropped": "run_not_found"}
    stranger = await room.unbound()
    for caller in (host, stranger, await room.agent("bob")):
        assert await caller.call("runs.record_turns", params) == dropped
    assert (await starter.call("runs.record_turns", params))["ok"]
    await stranger.start_run(idempotency_key="k")
    assert (await stranger.call("runs.record_turns", params))["ok"]
    assert (await (await room.agent("ann")).call("runs.record_turns", params))["base_index"] == 2
    await starter.call("runs.complete", {"run_id": run_id, "outcome": SUCCESS})
    late = await starter.call("runs.record_turns", params)
    assert late["dropped"] == "run_terminal"
    unknown = await starter.call("runs.record_turns", {**params, "run_id": "nope"})
    assert unknown["dropped"] == "run_not_found"


async def test_too_many_turns_in_a_call_are_an_error(room: Room) -> None:
    """257 turns in one call are refused, whoever calls."""
    client = await room.unbound()
    params = {"run_id": await client.start_run(), "turns": [{}] * 257}
    assert (await client.fail("runs.record_turns", params))["code"] == -32602


# -- who may read ----------------------------------------------------------------------------


async def test_reads_are_for_the_agent_and_the_host(room: Room) -> None:
    """Others are refused alike whether the run is there or not."""
    unbound, other, owner = await room.unbound(), await room.agent("bob"), await room.agent("ann")
    run_id = await unbound.start_run("ann")
    for stranger in (unbound, other):
        await stranger.fail("runs.list", {"agent_id": "ann"})
        for method in ("runs.get_trace", "runs.subscribe"):
            errors = [
                await stranger.fail(method, {"run_id": wanted}) for wanted in (run_id, "nope")
            ]
            assert errors[0] == errors[1]
            assert errors[0]["code"] == -32603
        assert await stranger.call("runs.unsubscribe", {"run_id": run_id}) == {
            "run_id": run_id,
            "removed": False,
        }
    assert len((await owner.call("runs.list", {"agent_id": "ann"}))["runs"]) == 1
    assert (await owner.call("runs.subscribe", {"run_id": run_id}))["status"] == "in_progress"


async def test_unknown_run_is_not_found_to_the_host(room: Room) -> None:
    """For who may read all, an unknown run is an answer; to follow it is an error."""
    host = await room.host()
    answer = await host.call("runs.get_trace", {"run_id": "nope"})
    assert answer == {"run_id": "nope", "not_found": True}
    assert (await host.fail("runs.subscribe", {"run_id": "nope"}))["code"] == -32603
    assert (await host.fail("runs.get_trace", {"run_id": "x", "cursor": -1}))["code"] == -32602


# -- following -------------------------------------------------------------------------------


async def test_unsubscribed_run_is_quiet(room: Room) -> None:
    """After unsubscribing nothing comes; a leaving client hears nothing either."""
    client, host = await room.agent(), await room.host()
    run_id = await client.start_run()
    await host.call("runs.subscribe", {"run_id": run_id})
    assert (await host.call("runs.unsubscribe", {"run_id": run_id}))["removed"] is True
    watcher = await room.host()
    await watcher.call("runs.subscribe", {"run_id": run_id})
    await client.call("runs.complete", {"run_id": run_id, "outcome": SUCCESS})
    await watcher.told("runs.trace.event")
    assert host.outbox.read == []


async def test_subscriptions_are_limited(room: Room) -> None:
    """A connection at its limit may renew one, but not add one."""
    room.settings = msgspec.structs.replace(room.settings, max_subscriptions=1)
    client, host = await room.unbound(), await room.host()
    first, second = await client.start_run(), await client.start_run()
    for _ in range(2):
        await host.call("runs.subscribe", {"run_id": first})
    error = await host.fail("runs.subscribe", {"run_id": second})
    assert "1 runs at most" in error["message"]


async def test_subscription_ended_before_it_began_is_answered(room: Room) -> None:
    """Of two subscriptions in flight for one run the later holds, and both are answered."""
    client, host = await room.unbound(), await room.host()
    run_id = await client.start_run()
    for request_id in ("a", "b"):
        host.send({"id": request_id, "method": "runs.subscribe", "params": {"run_id": run_id}})
    answers = [
        await host.outbox.expect(functools.partial(is_answer, request_id=wanted))
        for wanted in ("a", "b")
    ]
    assert [("result" in answer) for answer in answers].count(True) >= 1
    await client.call("runs.complete", {"run_id": run_id, "outcome": SUCCESS})
    await host.told("runs.trace.event")
    assert host.outbox.read == []


async def test_client_that_does_not_read_gets_no_more_traces(room: Room) -> None:
    """Large answers wait until the client takes what it was sent; other calls do not."""
    client, host = await room.unbound(), await room.host()
    run_id = await client.start_run()
    host.outbox.make_room(0)
    waiting = [
        asyncio.ensure_future(host.call("runs.get_trace", {"run_id": run_id})) for _ in range(3)
    ]
    await host.call("tools.list")
    assert not any(task.done() for task in waiting)
    host.outbox.make_room(None)
    assert [(await task)["cursor"] for task in waiting] == [1, 1, 1]


async def test_list_fits_into_one_message(room: Room, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the list would outgrow a message the oldest runs are left out."""
    client, host = await room.unbound(), await room.host()
    await client.start_run()
    newest = await client.start_run()
    monkeypatch.setattr(car_runs, "MAX_ANSWER_BYTES", 300)
    (run,) = (await host.call("runs.list", {"agent_id": "ann"}))["runs"]
    assert run["run_id"] == newest


async def test_chat_turn_is_a_run_of_its_agent(room: Room) -> None:
    """A turn that chat runs stands in the list, its turns in the trace and on the wire."""
    agent = await room.agent("ann")
    run = chat_run(session_key="agent:ann:main", started_at=1_800_000_000_000)
    runs = room.hub.runs
    await room.journal.commit(lambda tx: runs.start_in(tx, run, actor="operator"))
    await agent.call("runs.subscribe", {"run_id": "turn-1"})
    turn = Turn(prompt="hello", output=msgspec.Raw(b'"hi"'))
    await room.journal.commit(lambda tx: runs.turn_in(tx, "turn-1", turn, actor="agent:ann"))
    event = (await agent.told("runs.trace.event"))["params"]
    assert (event["record"]["prompt"], event["record"]["output"]) == ("hello", "hi")
    (listed,) = (await agent.call("runs.list", {"agent_id": "ann"}))["runs"]
    assert (listed["run_id"], listed["turn_count"]) == ("turn-1", 1)


def test_start_of_a_run_is_no_trace_event() -> None:
    """Who follows a run knows that it has started."""
    event = Event(1, "e", "runs/r", "run.started", "a", 0, msgspec.Raw(b"{}"))
    assert records.trace_event(event) is None


async def test_agent_sees_its_chats_under_the_name_of_its_sessions(room: Room) -> None:
    """Runs of chats, which name agents as session keys do, stand among the agent's own."""
    agent, host, other = await room.agent("Agent A"), await room.host(), await room.agent("bob")
    own = await agent.start_run("Agent A")
    chat = chat_run(agent="agent-a")
    runs = room.hub.runs
    await room.journal.commit(lambda tx: runs.start_in(tx, chat, actor="operator"))
    for reader in (agent, host):
        listed = (await reader.call("runs.list", {"agent_id": "Agent A"}))["runs"]
        assert [run["run_id"] for run in listed] == [own, "turn-1"]
        assert (await reader.call("runs.get_trace", {"run_id": "turn-1"}))["cursor"] == 1
    await other.fail("runs.get_trace", {"run_id": "turn-1"})
    agent.leave()
    listed = (await host.call("runs.list", {"agent_id": "Agent A"}))["runs"]
    assert [run["run_id"] for run in listed] == [own]
