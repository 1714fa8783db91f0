"""Promises 2, 3 and 4 without a crash: resume, retry, and runs that outlive connections."""

from typing import Any

import pytest

from tests.clients.guests import Guests
from tests.clients.rpc import RpcSocket, is_event
from tests.clients.waiting import eventually
from tests.conftest import StartDaemon
from tests.daemon import Daemon


async def published(rpc: RpcSocket, topic: str, count: int) -> list[dict[str, Any]]:
    """Publish numbers and return the answers, each with id, position and cursor."""
    return [await rpc.publish(topic, n) for n in range(count)]


@pytest.mark.parametrize("form", ["position", "cursor"])
async def test_resume_gives_exactly_what_was_missed(
    daemon: Daemon, guests: Guests, form: str
) -> None:
    """From either form of a position come the events after it, then the live ones."""
    rpc, late = await guests.rpc(daemon), await guests.rpc(daemon)
    places = await published(rpc, "past", 10)
    answer = await late.subscribe("past", after=places[3][form])
    assert (answer["recovered"], "reason" in answer) == (True, False)
    await rpc.publish("past", "live")
    assert [event["data"] for event in await late.events(7)] == [4, 5, 6, 7, 8, 9, "live"]


async def test_resume_under_fire_has_no_seam(daemon: Daemon, guests: Guests) -> None:
    """Subscribers that join from the beginning while 2,000 events pass see each once, in order."""
    rpc, late = await guests.rpc(daemon), [await guests.rpc(daemon) for _ in range(10)]
    (first,) = await published(rpc, "busy", 1)
    for n in range(2_000):
        await rpc.post("topics.publish", {"topic": "busy", "data": n})
        if n % 200 == 100:
            # Sent, not awaited: the daemon joins it while the publisher goes on.
            params = {"topics": ["busy"], "after": first["position"]}
            await late[n // 200].post("topics.subscribe", params)
    for socket in late:
        assert [event["data"] for event in await socket.events(2_000)] == list(range(2_000))
        assert socket.untaken(is_event()) == []


async def test_resume_in_another_epoch_is_told_so(
    start_daemon: StartDaemon, guests: Guests
) -> None:
    """A position of another journal is not recovered, with the reason, and the stream begins."""
    one, two = await start_daemon(), await start_daemon()
    (place,) = await published(await guests.rpc(one), "past", 1)
    rpc = await guests.rpc(two)
    answer = await rpc.subscribe("past", after=place["position"])
    assert (answer["recovered"], answer["reason"]) == (False, "epoch_changed")
    await rpc.publish("past", "here")
    assert (await rpc.event("past"))["data"] == "here"


async def test_event_stream_resumes_by_last_event_id(daemon: Daemon, guests: Guests) -> None:
    """A browser that reconnects with `Last-Event-ID` misses nothing and repeats nothing."""
    rpc, web = await guests.rpc(daemon), await guests.hubbub(daemon)
    await published(rpc, "past", 1)
    stream = await web.events("/events?topics=past")
    await stream.next()
    await published(rpc, "past", 3)
    seen = await stream.next()
    stream.close()
    await rpc.publish("past", "missed")
    again = await web.events("/events?topics=past", headers={"Last-Event-ID": seen.id})
    assert (await again.next()).event == "hubbub.resumed"
    assert [sse.data["data"] for sse in await again.collect(3)] == [1, 2, "missed"]


async def test_prefix_and_star_subscriptions_take_what_they_say(
    daemon: Daemon, guests: Guests
) -> None:
    """`a/*` is everything below `a/`, `*` everything, a name only itself."""
    rpc = await guests.rpc(daemon)
    numbers = {p: (await rpc.subscribe(p))["subscription"] for p in ("a/*", "*", "a/b")}
    for topic in ("a", "a/b", "ab/c", "a/b/c"):
        await rpc.publish(topic, topic)
    await rpc.publish("end", "end")
    await rpc.expect(lambda f: f.get("params", {}).get("event", {}).get("topic") == "end")
    heard: dict[str, list[str]] = {pattern: [] for pattern in numbers}
    for frame in rpc.seen:
        if frame.get("method") == "topics.event":
            pattern = next(p for p, n in numbers.items() if n == frame["params"]["subscription"])
            heard[pattern].append(frame["params"]["event"]["topic"])
    assert heard["a/*"] == ["a/b", "a/b/c"]
    assert heard["a/b"] == ["a/b"]
    assert heard["*"] == ["a", "a/b", "ab/c", "a/b/c", "end"]


async def test_unsubscribe_ends_the_events(daemon: Daemon, guests: Guests) -> None:
    """After the answer to `topics.unsubscribe` nothing of that subscription comes."""
    rpc = await guests.rpc(daemon)
    number = (await rpc.subscribe("topic"))["subscription"]
    await rpc.call("topics.unsubscribe", {"subscription": number})
    await rpc.publish("topic", 1)
    await rpc.settle()
    assert [frame for frame in rpc.seen if "method" in frame] == []
    error = await rpc.fail("topics.unsubscribe", {"subscription": number})
    assert error["data"]["code"] == "not_found"


async def test_retry_is_the_first_answer_also_after_a_restart(
    daemon: Daemon, guests: Guests
) -> None:
    """Same key and body: the same answer and one event; same key, other body: a conflict."""
    rpc = await guests.rpc(daemon)
    first = await rpc.publish("once", {"n": 1}, idempotency_key="k")
    assert await rpc.publish("once", {"n": 1}, idempotency_key="k") == first
    await daemon.restart()
    rpc = await guests.rpc(daemon)
    assert await rpc.publish("once", {"n": 1}, idempotency_key="k") == first
    for other in ({"topic": "once", "data": {"n": 2}}, {"topic": "other", "data": {"n": 1}}):
        error = await rpc.fail("topics.publish", {**other, "idempotency_key": "k"})
        assert error["data"]["code"] == "idempotency_conflict"
    assert [event["id"] for event in await rpc.journal(topics=["once"])] == [first["id"]]


async def test_one_callers_key_is_not_anothers(daemon: Daemon, guests: Guests) -> None:
    """Two agents may use the same key for different things."""
    alice = await guests.rpc(daemon, await daemon.agent_token("alice"))
    bob = await guests.rpc(daemon, await daemon.agent_token("bob"))
    await alice.publish("shared", "hers", idempotency_key="k")
    await bob.publish("shared", "his", idempotency_key="k")
    events = await (await guests.rpc(daemon)).journal(topics=["shared"])
    assert [(e["actor"], e["data"]) for e in events] == [
        ("agent:alice", "hers"),
        ("agent:bob", "his"),
    ]


@pytest.mark.parametrize(
    ("policy", "status"),
    [("continue", "in_progress"), ("cancel", "cancelled"), ("incomplete", "incomplete")],
)
async def test_each_run_says_what_a_disconnect_does(
    daemon: Daemon, guests: Guests, policy: str, status: str
) -> None:
    """A dropped connection continues, cancels or leaves incomplete, as the run was started."""
    rpc, watcher = await guests.rpc(daemon), await guests.rpc(daemon)
    start = {"agent": "alice", "intent": "go on", "on_disconnect": policy}
    run = (await rpc.call("runs.start", start))["run_id"]
    # A second run of the same connection tells when the daemon has noticed its end.
    other = {"agent": "alice", "intent": "tell", "on_disconnect": "incomplete"}
    told = (await rpc.call("runs.start", other))["run_id"]
    rpc.drop()

    async def noticed() -> bool:
        first, second = [await watcher.call("runs.get", {"run_id": r}) for r in (told, run)]
        return bool(first["status"] == "incomplete" and second["status"] == status)

    await eventually(noticed, what=f"{status} after a drop")


async def test_topics_of_the_services_are_not_for_clients(daemon: Daemon, guests: Guests) -> None:
    """Nobody can forge a run, a chat or a lock by publishing under its topic."""
    rpc = await guests.rpc(daemon)
    for topic in ("runs/x", "chat/agent:main:main", "issues/1", "locks/1", "agents/alice"):
        error = await rpc.fail("topics.publish", {"topic": topic, "data": {}})
        assert error["data"]["code"] in {"invalid_request", "forbidden"}, (topic, error)
    assert await rpc.journal() == []
