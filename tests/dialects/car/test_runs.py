"""``runs.*`` through the CAR door."""

import asyncio
import functools
import uuid

import msgspec
import pytest

from hubbub.core.run import Run
from hubbub.core.trace import Turn
from hubbub.core.values import Event
from hubbub.dialects.car import records
from hubbub.dialects.car import runs as car_runs
from hubbub.dialects.car.methods import table
from tests.dialects.car.conftest import SUCCESS, Client, Frame, Room


async def ended(host: Client, run_id: str) -> list[object]:
    """Follow a run to its end and give the terminations in its trace."""
    answer = await host.call("runs.subscribe", {"run_id": run_id})
    while answer["status"] == "in_progress":
        event = (await host.told("runs.trace.event"))["params"]
        answer = event
    trace = await host.call("runs.get_trace", {"run_id": run_id})
    return [r["termination"] for r in trace["records"] if r["record"] == "ended"]


def is_answer(frame: Frame, request_id: str) -> bool:
    """Tell whether a frame answers a request."""
    return frame.get("id") == request_id


# -- start and complete ----------------------------------------------------------------------


async def test_run_from_start_to_end(room: Room) -> None:
    """A run is a UUID, current at once, listed, and its trace begins and ends."""
    client, host = await room.unbound(), await room.host()
    run_id = await client.start_run(outcome_description="green")
    assert str(uuid.UUID(run_id)) == run_id
    assert client.session.current_run == run_id
    ack = await client.call("runs.complete", {"run_id": run_id, "outcome": SUCCESS})

    assert ack == {"run_id": run_id, "ok": True}
    assert client.session.current_run is None
    (listed,) = (await host.call("runs.list", {"agent_id": "ann"}))["runs"]
    assert set(listed) == {
        *("run_id", "agent_id", "intent", "started_at", "ended_at", "status", "turn_count")
    }
    assert (listed["run_id"], listed["status"], listed["turn_count"]) == (run_id, "completed", 0)
    trace = await host.call("runs.get_trace", {"run_id": run_id})
    first, last = trace["records"]
    assert (first["record"], first["client_id"]) == ("started", client.session.client_id)
    assert (first["intent"], first["outcome_description"]) == ("do it", "green")
    assert (last["record"], last["termination"]["status"]) == ("ended", "success")
    assert trace["cursor"] == 2
    rest = await host.call("runs.get_trace", {"run_id": run_id, "cursor": 1})
    assert rest["records"] == [last]


async def test_later_start_is_current_and_the_earlier_stays_open(room: Room) -> None:
    """Completing the earlier run leaves the later one current."""
    client = await room.unbound()
    first, second = await client.start_run(), await client.start_run()
    await client.call("runs.complete", {"run_id": first, "outcome": SUCCESS})
    assert client.session.current_run == second
    again = await client.start_run(idempotency_key="k")
    await client.call("runs.complete", {"run_id": again, "outcome": SUCCESS})
    await client.start_run()
    current = client.session.current_run
    assert await client.start_run(idempotency_key="k") == "k"
    assert client.session.current_run == current


@pytest.mark.parametrize(
    ("params", "agent"),
    [
        ({"agent_id": "My Agent ../x", "agent_name": "Other"}, "My Agent ../x"),
        ({"agent_name": "Bulldozer Agent"}, "name:bulldozer-agent"),
        ({"agent_id": "", "agent_name": "  Nightly -- Build #7 "}, "name:nightly-build-7"),
        ({"agent_name": "Käpt'n_Blaubär"}, "name:käpt-n-blaubär"),
    ],
)
async def test_agent_of_an_unbound_start(room: Room, params: dict[str, str], agent: str) -> None:
    """The id decides, then the name's slug."""
    client = await room.unbound()
    answer = await client.call("runs.start", {"intent": "go", **params})
    assert answer["agent_id"] == agent


@pytest.mark.parametrize("params", [{}, {"agent_id": ""}, {"agent_name": " - "}])
async def test_start_without_an_agent_is_refused(room: Room, params: dict[str, str]) -> None:
    """Who names no agent starts nothing."""
    error = await (await room.unbound()).fail("runs.start", {"intent": "go", **params})
    assert (error["code"], "agent" in error["message"]) == (-32603, True)


async def test_ambient_agent_comes_between_id_and_name(room: Room) -> None:
    """The daemon's own agent is taken where no id is given, before a name."""
    room.ambient_agent = "ambient"
    client = await room.unbound()
    named = await client.call("runs.start", {"intent": "go", "agent_name": "Named"})
    given = await client.call("runs.start", {"intent": "go", "agent_id": "given"})
    assert (named["agent_id"], given["agent_id"]) == ("ambient", "given")


async def test_bound_connection_starts_as_itself_alone(room: Room) -> None:
    """The binding decides; another's id is refused and leaves nothing."""
    agent, host = await room.agent("ann"), await room.host()
    error = await agent.fail("runs.start", {"agent_id": "bob", "intent": "forge"})
    assert (error["code"], error["data"]["code"]) == (-32603, "forbidden")
    assert (await host.call("runs.list", {"agent_id": "bob"}))["runs"] == []
    for params in ({"agent_id": "ann"}, {}, {"agent_name": "Bob"}):
        assert (await agent.call("runs.start", {"intent": "x", **params}))["agent_id"] == "ann"


async def test_key_of_another_agents_run_is_refused(room: Room) -> None:
    """A key that another agent's run has taken starts nothing and makes nothing current."""
    client = await room.unbound()
    await client.start_run("ann", idempotency_key="k")
    params = {"agent_id": "bob", "intent": "do it", "idempotency_key": "k"}
    error = await client.fail("runs.start", params)
    assert (error["code"], error["data"]["code"]) == (-32603, "forbidden")
    assert client.session.current_run == "k"


@pytest.mark.parametrize("params", [{"agent_id": "a"}, {"agent_id": 7, "intent": "x"}, [], "x"])
async def test_start_with_wrong_params_is_refused(room: Room, params: object) -> None:
    """A start without intent, or of wrong types, is -32602."""
    assert (await (await room.unbound()).fail("runs.start", params))["code"] == -32602


async def test_bad_or_second_outcome_is_an_error(room: Room) -> None:
    """A bad outcome leaves the run open; after a good one the first is kept."""
    client, host = await room.unbound(), await room.host()
    run_id = await client.start_run()
    for outcome in (None, {}, {"status": "splendid"}, {"status": "done", "evidence": 3}):
        await client.fail("runs.complete", {"run_id": run_id, "outcome": outcome})
    await client.call("runs.complete", {"run_id": run_id, "outcome": SUCCESS})
    error = await client.fail("runs.complete", {"run_id": run_id, "outcome": SUCCESS})
    assert "has ended before" in error["message"]
    (end,) = await ended(host, run_id)
    assert isinstance(end, dict)
    assert end["summary"] == "did the thing"


async def test_unanswered_calls_are_done_all_the_same(room: Room) -> None:
    """What a client said before it vanished counts, also without an id."""
    client, host = await room.unbound(), await room.host()
    run_id = await client.start_run()
    client.send({"method": "runs.complete", "params": {"run_id": run_id, "outcome": SUCCESS}})
    client.leave()
    (end,) = await ended(host, run_id)
    assert isinstance(end, dict)
    assert end["status"] == "success"


async def test_dropped_run_is_incomplete_to_all_who_watch(room: Room) -> None:
    """The subscriber is told, and the list says so; a cancelled run is incomplete too."""
    client, host = await room.unbound(), await room.host()
    dropped, cancelled = await client.start_run(), await client.start_run()
    await client.call("runs.cancel", {"run_id": cancelled})
    assert client.session.current_run is None
    client.leave()
    assert await ended(host, dropped) == [{"kind": "incomplete"}]
    assert await ended(host, cancelled) == [{"kind": "incomplete", "reason": "cancelled"}]
    listed = (await host.call("runs.list", {"agent_id": "ann"}))["runs"]
    assert {run["status"] for run in listed} == {"incomplete"}


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
    run = Run(
        run_id="turn-1",
        agent="ann",
        client="openclaw",
        intent="hello",
        source="chat",
        session_key="agent:ann:main",
        on_disconnect="continue",
        started_at=1_800_000_000_000,
    )
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


# -- concurrency -----------------------------------------------------------------------------


async def test_calls_of_one_connection_run_concurrently(room: Room) -> None:
    """Many calls may be in flight; each is answered once."""
    client = await room.unbound()
    results = await asyncio.gather(*(client.start_run() for _ in range(50)))
    assert len(set(results)) == 50


async def test_calls_in_work_are_limited(room: Room) -> None:
    """One call over the limit is refused, and those before it are done."""
    room.settings = msgspec.structs.replace(room.settings, max_requests=2)
    client = await room.unbound()
    params = {"agent_id": "ann", "intent": "x"}
    answers = await asyncio.gather(*(client.answer("runs.start", params) for _ in range(3)))
    assert ["error" in answer for answer in answers] == [False, False, True]
    await client.start_run()


async def test_unknown_method_is_not_found_and_unexpected_failure_is_told(
    room: Room, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Both are errors to the caller, and the connection goes on."""
    client, host = await room.unbound(), await room.host()
    assert (await client.fail("infer"))["code"] == -32601

    async def broken(*_args: object, **_more: object) -> None:
        raise OSError("boom")

    monkeypatch.setattr(room.hub.runs, "list", broken)
    error = await host.fail("runs.list", {"agent_id": "ann"})
    assert (error["code"], "boom" in error["message"]) == (-32603, True)
    assert (await host.fail("runs.get_trace", {"run_id": []}))["code"] == -32602
    await client.start_run()


def test_method_has_one_definition() -> None:
    """Two methods of one name are a mistake that is seen at the start."""
    with pytest.raises(ValueError, match=r"runs\.start is defined twice"):
        table(car_runs.METHODS, [msgspec.structs.replace(car_runs.METHODS[0])])


async def test_agent_sees_its_chats_under_the_name_of_its_sessions(room: Room) -> None:
    """Runs of chats, which name agents as session keys do, stand among the agent's own."""
    agent, host, other = await room.agent("Agent A"), await room.host(), await room.agent("bob")
    own = await agent.start_run("Agent A")
    chat = Run(
        run_id="turn-1",
        agent="agent-a",
        client="c",
        intent="hi",
        source="chat",
        on_disconnect="continue",
        started_at=0,
    )
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
