"""``runs.*`` through the CAR door."""

import asyncio
import uuid

import msgspec
import pytest

from hubbub.dialects.calls import table
from hubbub.dialects.car import runs as car_runs
from tests.dialects.car.conftest import SUCCESS, Client, Room


async def ended(host: Client, run_id: str) -> list[object]:
    """Follow a run to its end and give the terminations in its trace."""
    answer = await host.call("runs.subscribe", {"run_id": run_id})
    while answer["status"] == "in_progress":
        event = (await host.told("runs.trace.event"))["params"]
        answer = event
    trace = await host.call("runs.get_trace", {"run_id": run_id})
    return [r["termination"] for r in trace["records"] if r["record"] == "ended"]


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


# -- coming back -----------------------------------------------------------------------------


async def test_returning_agent_takes_its_run_over(room: Room) -> None:
    """The next connection that is bound to the agent holds the run; nothing ends it."""
    agent, host = await room.agent("ann"), await room.host()
    run_id = await agent.start_run(grace_ms=3_600_000, on_disconnect="cancel")
    agent.leave()
    again = await room.agent("ann")
    assert room.hub.runs.owner(run_id) == again.session.client_id
    await again.call("runs.record_turns", {"run_id": run_id, "turns": [{"tool": "t"}]})
    resumed = await again.call("runs.resume", {"run_id": run_id})
    assert resumed == {
        "run_id": run_id,
        "agent_id": "ann",
        "cursor": 1,
        "status": "in_progress",
    }
    assert again.session.current_run == run_id
    (listed,) = (await host.call("runs.list", {"agent_id": "ann"}))["runs"]
    assert listed["status"] == "in_progress"


async def test_unbound_client_resumes_by_id(room: Room) -> None:
    """A client without an agent of its own names the run, and may then add to it."""
    first = await room.unbound()
    run_id = await first.start_run(grace_ms=3_600_000)
    first.leave()
    second = await room.unbound()
    turns = {"run_id": run_id, "turns": [{}]}
    assert (await second.call("runs.record_turns", turns))["dropped"] == "run_not_found"
    await second.call("runs.resume", {"run_id": run_id})
    assert (await second.call("runs.record_turns", turns))["ok"] is True
    await second.call("runs.complete", {"run_id": run_id, "outcome": SUCCESS})
    assert "has ended before" in (await second.fail("runs.resume", {"run_id": run_id}))["message"]


async def test_run_may_go_on_without_its_connection(room: Room) -> None:
    """A start that says `continue` is not ended by a drop; a bad word is refused."""
    client, host = await room.unbound(), await room.host()
    goes_on = await client.start_run(on_disconnect="continue")
    ends = await client.start_run()
    client.leave()
    assert await ended(host, ends) == [{"kind": "incomplete"}]
    trace = await host.call("runs.get_trace", {"run_id": goes_on})
    assert [record["record"] for record in trace["records"]] == ["started"]
    params = {"agent_id": "ann", "intent": "x", "on_disconnect": "explode"}
    assert (await host.fail("runs.start", params))["code"] == -32602
