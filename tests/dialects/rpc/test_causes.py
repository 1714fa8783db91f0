"""`cause` of hubbub's own door: one chain from a message to a lock."""

from typing import Any

import pytest

from hubbub.dialects.repeats import READS
from hubbub.dialects.rpc.repeats import REPEATS
from tests.clients.guests import Guests
from tests.clients.rpc import RpcSocket
from tests.conftest import StartDaemon


NO_EVENTS = frozenset(
    (
        *("topics.subscribe", "topics.unsubscribe", "runs.resume"),
        *("agents.attach", "agents.detach", "chat.say", "chat.answer"),
    )
)
"""They read, bind a connection, or belong to a turn, which says itself what led to it."""


async def test_chain_from_a_message_to_a_lock(start_daemon: StartDaemon) -> None:
    """Message, run, tool call, issue, lock: each event names the one that led to it."""
    daemon = await start_daemon()
    async with await RpcSocket.connect(daemon) as ann:
        message = await ann.call("topics.publish", {"topic": "lobby", "data": "tea?"})
        run = await ann.call(
            "runs.start", {"agent": "ann", "intent": "tea", "cause": message["id"]}
        )
        topic = f"runs/{run['run_id']}"
        turn = {"tool": "look", "output": "cold"}
        await ann.call("runs.record_turns", {"run_id": run["run_id"], "turns": [turn]})
        issue = await ann.call("issues.create", {"title": "Cold tea", "cause": topic})
        number = issue["id"]
        await ann.call(
            "locks.claim", {"issue_id": number, "agent": "ann", "cause": f"issues/{number}"}
        )
        await ann.call("runs.cancel", {"run_id": run["run_id"]})
        page = await ann.call(
            "journal.read", {"topics": ["lobby", "runs/*", "issues/*", "locks/*"]}
        )

    events = page["events"]
    assert [event["kind"] for event in events] == [
        "message", "run.started", "run.turn", "issue.changed", "lock.claimed", "run.ended"
    ]  # fmt: skip
    ids = [event["id"] for event in events]
    assert [event["cause"] for event in events] == [None, *ids[:4], ids[2]]


@pytest.mark.parametrize("cause", ["runs/none", ""])
async def test_cause_that_cannot_be_stores_nothing(start_daemon: StartDaemon, cause: str) -> None:
    """The call is refused, and a retry without the cause runs under the same key."""
    daemon = await start_daemon()
    async with await RpcSocket.connect(daemon) as ann:
        params: dict[str, Any] = {"topic": "lobby", "data": 1, "idempotency_key": "k"}
        before = (await ann.call("system.ping"))["position"]
        error = await ann.fail("topics.publish", {**params, "cause": cause})
        after = (await ann.call("system.ping"))["position"]
        assert (error["data"]["code"], after) == ("invalid_request", before)

        published = await ann.call("topics.publish", params)
        again = await ann.call("topics.publish", {**params, "cause": "runs/none"})
    assert again == published


async def test_every_method_that_writes_takes_a_cause(
    start_daemon: StartDaemon, guests: Guests
) -> None:
    """No verb is left out of a chain."""
    daemon = await start_daemon()
    client = await guests.hubbub(daemon)
    document = (await client.get("/openrpc.json")).body
    takes = {
        method["name"]
        for method in document["methods"]
        if "cause" in {each["name"] for each in method["params"]}
    }
    writes = {name for name, repeat in REPEATS.items() if repeat != READS} & {
        method["name"] for method in document["methods"]
    }
    assert takes == writes - NO_EVENTS
