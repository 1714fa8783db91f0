"""``runs.*`` of hubbub's own protocol."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from hubbub.core.bus import Bus
from hubbub.core.identity.presence import Presence
from hubbub.core.journal import Journal
from hubbub.core.runs.service import Runs
from hubbub.core.values import OPERATOR, Principal, uuid7, wall_clock
from hubbub.dialects.calls import table
from hubbub.dialects.rpc.runs import METHODS
from hubbub.storage.sqlite import SqliteStore
from tests.dialects.rpc.callers import Caller


ANN = Principal(name="ann")
SUCCESS = {"status": "success", "summary": "done"}
TABLE = table(METHODS)


def somebody(hub: Any, principal: Principal, *, socket: bool = False) -> Caller:
    """Let somebody call, by POST or over a socket."""
    return Caller(hub, TABLE, principal, socket=socket)


@pytest.fixture
async def hub(tmp_path: Path) -> AsyncIterator[Any]:
    """Give of a hub what runs need."""

    def live(_point: str) -> None:
        """Go on."""

    store = SqliteStore(tmp_path / "hubbub.db", clock=wall_clock, ids=uuid7, crash=live)
    bus = Bus(store)
    journal = Journal(store, bus, crash=live)
    store.start()
    runs = Runs(journal, store, bus, wall_clock, uuid7, grace_ms=0)
    with contextlib.closing(store):
        presence = Presence(journal, store, bus, wall_clock)
        yield SimpleNamespace(store=store, bus=bus, runs=runs, ids=uuid7, presence=presence)
        await journal.settled()


async def test_run_from_start_to_end(hub: Any) -> None:
    """A run is started, extended, ended and read; the end of the trace is where to go on."""
    ann = somebody(hub, ANN)
    started = await ann.call("runs.start", intent="do it")
    run_id = started["run_id"]
    assert (started["agent"], started["source"]) == ("ann", "rpc")
    assert started["on_disconnect"] == "continue"
    turns = [{"tool": "a"}, {"tool": "b"}]
    recorded = await ann.call("runs.record_turns", run_id=run_id, turns=turns)
    assert recorded == {"base_index": 0, "count": 2, "dropped": None}
    ended = await ann.call("runs.complete", run_id=run_id, outcome=SUCCESS)
    assert (ended["status"], ended["termination"]["summary"]) == ("completed", "done")

    assert await ann.call("runs.get", run_id=run_id) == ended
    assert await ann.call("runs.list", agent="ann") == {"runs": [ended]}
    trace = await ann.call("runs.trace", run_id=run_id, cursor=1)
    assert ([turn["tool"] for turn in trace["turns"]], trace["cursor"]) == (["b"], 2)
    assert trace["position"] == {"epoch": hub.store.epoch, "seq": hub.store.last_seq()}
    assert await ann.fail("runs.complete", run_id=run_id, outcome=SUCCESS) == "conflict"


async def test_keys_make_retries_harmless(hub: Any) -> None:
    """A retried start, batch, end or cancel gives the first answer."""
    ann = somebody(hub, ANN)
    for _ in range(2):
        await ann.call("runs.start", intent="x", idempotency_key="r")
        turns = {"run_id": "r", "turns": [{}], "idempotency_key": "t"}
        assert (await ann.call("runs.record_turns", **turns))["base_index"] == 0
    first = await ann.call("runs.cancel", run_id="r", reason="enough", idempotency_key="c")
    assert first["termination"] == {"kind": "cancelled", "reason": "enough"}
    assert await ann.call("runs.cancel", run_id="r", reason="enough", idempotency_key="c") == first


@pytest.mark.parametrize(
    ("method", "params", "code"),
    [
        ("runs.start", {}, "invalid_request"),
        ("runs.start", {"intent": "x"}, "invalid_request"),
        ("runs.start", {"intent": "x", "agent": "a", "bogus": 1}, "invalid_request"),
        (
            "runs.start",
            {"intent": "x", "agent": "a", "on_disconnect": "cancel"},
            "invalid_request",
        ),
        ("runs.get", {"run_id": "nope"}, "not_found"),
        ("runs.trace", {"run_id": "nope"}, "not_found"),
        ("runs.trace", {"run_id": "nope", "cursor": -1}, "invalid_request"),
        ("runs.trace", {"run_id": "nope", "limit": 0}, "invalid_request"),
        ("runs.list", {"limit": 0}, "invalid_request"),
        ("runs.complete", {"run_id": "nope", "outcome": SUCCESS}, "not_found"),
    ],
)
async def test_call_that_cannot_be_is_refused(
    hub: Any, method: str, params: dict[str, object], code: str
) -> None:
    """Missing agents, unknown runs, bad limits, and a disconnect that cannot happen."""
    assert await somebody(hub, OPERATOR).fail(method, **params) == code


async def test_agent_acts_as_itself_alone(hub: Any) -> None:
    """A bound caller starts and ends its own runs only."""
    ann, bob = somebody(hub, ANN), somebody(hub, Principal(name="bob"))
    assert await ann.fail("runs.start", agent="bob", intent="x") == "forbidden"
    run_id = (await ann.call("runs.start", intent="x"))["run_id"]
    assert await bob.fail("runs.cancel", run_id=run_id) == "forbidden"


async def test_end_of_a_socket_does_what_its_runs_say(hub: Any) -> None:
    """A run may be bound to the socket that started it; others go on."""
    ended = asyncio.Event()
    hub.bus.listen(["runs/*"], lambda event: ended.set() if event.kind == "run.ended" else None)
    ann = somebody(hub, ANN, socket=True)
    bound = await ann.call("runs.start", intent="x", on_disconnect="incomplete")
    free = await ann.call("runs.start", intent="x")
    ann.caller.closed()
    await ended.wait()
    assert (await hub.runs.find(bound["run_id"])).status == "incomplete"
    assert (await hub.runs.find(free["run_id"])).status == "in_progress"


async def test_returning_agent_resumes_its_run(hub: Any) -> None:
    """Its next socket holds the run from its opening on; `runs.resume` gives what it missed."""
    first = somebody(hub, ANN, socket=True)
    first.caller.opened()
    run_id = (
        await first.call("runs.start", intent="x", on_disconnect="cancel", grace_ms=3_600_000)
    )["run_id"]
    turns = [{"tool": "a"}, {"tool": "b"}]
    await first.call("runs.record_turns", run_id=run_id, turns=turns)
    first.caller.closed()
    second, other = somebody(hub, ANN, socket=True), somebody(hub, OPERATOR, socket=True)
    second.caller.opened()
    other.caller.opened()
    assert hub.runs.owner(run_id) == second.caller.connection_id
    resumed = await second.call("runs.resume", run_id=run_id, cursor=1)
    assert resumed == await second.call("runs.trace", run_id=run_id, cursor=1)
    assert ([turn["tool"] for turn in resumed["turns"]], resumed["cursor"]) == (["b"], 2)
    await other.call("runs.resume", run_id=run_id)
    assert hub.runs.owner(run_id) == other.caller.connection_id
    assert await other.fail("runs.resume", run_id=run_id, cursor=-1) == "invalid_request"
    assert await somebody(hub, ANN).fail("runs.resume", run_id=run_id) == "invalid_request"
    await other.call("runs.cancel", run_id=run_id)
    assert await second.fail("runs.resume", run_id=run_id) == "conflict"
