"""Agents that wait for each other, over real sockets of a real daemon."""

import pytest

from tests.clients.guests import Guests
from tests.clients.rpc import RpcSocket
from tests.clients.waiting import eventually
from tests.daemon import Daemon


NAMES = ("ann", "bob", "cid")


async def sockets(daemon: Daemon, guests: Guests, count: int) -> list[RpcSocket]:
    """Connect agents, each with a lock on the issue of its number."""
    agents = []
    for number, name in enumerate(NAMES[:count], 1):
        rpc = await guests.rpc(daemon, await daemon.agent_token(name))
        await rpc.call("issues.create", {"title": name})
        await rpc.call("locks.claim", {"issue_id": number})
        agents.append(rpc)
    return agents


@pytest.mark.parametrize("count", [2, 3])
async def test_circle_is_found_when_it_closes_and_told_to_all(
    daemon: Daemon, guests: Guests, count: int
) -> None:
    """Each waits for the next one's lock: the last is refused, the others get a notice."""
    agents = await sockets(daemon, guests, count)
    watcher = await guests.rpc(daemon)
    await watcher.subscribe("locks/*")
    names = NAMES[:count]
    waits = []
    for number, rpc in enumerate(agents[:-1]):
        waits.append(await rpc.post("locks.claim", {"issue_id": number + 2, "wait": True}))
        await watcher.event(f"locks/{number + 2}", "wait.begun")
    error = await agents[-1].fail("locks.claim", {"issue_id": 1, "wait": True})

    assert error["data"]["code"] == "deadlock"
    assert error["data"]["retryable"] is True
    cycle = error["data"]["cycle"]
    assert sorted(edge["agent"] for edge in cycle) == list(names)
    assert {edge["agent"]: edge["held_by"] for edge in cycle} == {
        name: names[(number + 1) % count] for number, name in enumerate(names)
    }
    for rpc in agents[:-1]:
        notice = await rpc.expect(lambda frame: frame.get("method") == "wait.cycle")
        assert notice["params"]["cycle"] == cycle
    for number in range(1, count + 1):
        told = await watcher.event(f"locks/{number}", "wait.cycle")
        assert told["data"]["cycle"] == cycle

    # The way out: the refused one releases, and the others are served one after the other.
    await agents[-1].call("locks.release", {"issue_id": count})
    for number in reversed(range(count - 1)):
        answer = await agents[number].result(waits[number])
        assert answer["result"]["holder"] == names[number]
        await agents[number].call("locks.release", {"issue_id": number + 2})
        await agents[number].call("locks.release", {"issue_id": number + 1})


async def test_waiter_whose_connection_ends_leaves_the_queue(
    daemon: Daemon, guests: Guests
) -> None:
    """The lock goes to the next in the queue."""
    ann, bob, cid = await sockets(daemon, guests, 3)
    watcher = await guests.rpc(daemon)
    await watcher.subscribe("locks/1")
    await bob.post("locks.claim", {"issue_id": 1, "wait": True})
    await watcher.event("locks/1", "wait.begun")
    wait = await cid.post("locks.claim", {"issue_id": 1, "wait": True})
    await watcher.event("locks/1", "wait.begun")
    await bob.close()
    ended = await watcher.event("locks/1", "wait.ended")
    assert (ended["data"]["agent"], ended["data"]["reason"]) == ("bob", "left")
    await ann.call("locks.release", {"issue_id": 1})
    assert (await cid.result(wait))["result"]["holder"] == "cid"


async def test_wait_ends_by_the_clock(daemon: Daemon, guests: Guests) -> None:
    """After its time a waiter is told who holds it, and until when."""
    ann, bob = await sockets(daemon, guests, 2)
    error = await bob.fail("locks.claim", {"issue_id": 1, "wait": True, "wait_ms": 50})
    assert error["data"]["code"] == "lock_held"
    assert error["data"]["holder"] == "ann"
    (lock,) = (one for one in (await ann.call("locks.list"))["locks"] if one["issue_id"] == 1)
    assert error["data"]["expires_at"] == lock["expires_at"]


async def test_paths_are_waited_for_and_told(daemon: Daemon, guests: Guests) -> None:
    """Reservations are events on `reservations/<id>`; who waits for paths is served in order."""
    ann, bob = await sockets(daemon, guests, 2)
    watcher = await guests.rpc(daemon)
    await watcher.subscribe("reservations/*")
    given = await ann.call("reservations.claim", {"paths": ["src/**"], "reason": "typos"})
    claimed = await watcher.event(f"reservations/{given['id']}", "reservation.claimed")
    assert claimed["data"] == given
    refused = await bob.fail("reservations.claim", {"paths": ["**/a.py"]})
    assert refused["data"]["code"] == "paths_reserved"
    assert refused["data"]["conflicts"] == [given]
    wait = await bob.post("reservations.claim", {"paths": ["**/a.py"], "wait": True})
    await watcher.event("reservations/waiting", "wait.begun")
    await ann.call("reservations.release", {"id": given["id"]})
    mine = (await bob.result(wait))["result"]
    assert mine["id"] > given["id"]


async def test_run_step_under_a_lock_that_was_lost_is_refused(
    daemon: Daemon, guests: Guests
) -> None:
    """Turns and ends of runs may present a grant; a stale one changes nothing."""
    ann, bob = await sockets(daemon, guests, 2)
    (fence,) = (
        one["fence"] for one in (await ann.call("locks.list"))["locks"] if one["holder"] == "ann"
    )
    under = {"under": {"issue_id": 1, "fence": fence}}
    run_id = (await ann.call("runs.start", {"intent": "tea"}))["run_id"]
    turns = {"run_id": run_id, "turns": [{"prompt": "p"}], **under}
    assert (await ann.call("runs.record_turns", turns))["count"] == 1
    await bob.call("locks.steal", {"issue_id": 1, "reason": "mine"})
    end = {"run_id": run_id, "outcome": {"status": "success"}, **under}
    for method, params in (("runs.record_turns", turns), ("runs.complete", end)):
        error = await ann.fail(method, params)
        assert error["data"]["code"] == "stale_fence"
    run = await ann.call("runs.get", {"run_id": run_id})
    assert (run["status"], run["turn_count"]) == ("in_progress", 1)


@pytest.mark.parametrize(("gently", "reason"), [(True, "left"), (False, "restart")])
async def test_queues_are_empty_after_a_restart(
    daemon: Daemon, guests: Guests, reason: str, *, gently: bool
) -> None:
    """The lock stays its holder's under its fence; who waited claims again."""
    ann, bob = await sockets(daemon, guests, 2)
    watcher = await guests.rpc(daemon)
    await watcher.subscribe("locks/1")
    await bob.post("locks.claim", {"issue_id": 1, "wait": True})
    await watcher.event("locks/1", "wait.begun")
    (before,) = (one for one in (await ann.call("locks.list"))["locks"] if one["issue_id"] == 1)
    if gently:
        await daemon.stop()
    await daemon.restart()
    rpc = await guests.rpc(daemon)
    (after,) = (one for one in (await rpc.call("locks.list"))["locks"] if one["issue_id"] == 1)
    assert after == before
    (ended,) = (e for e in await rpc.journal(topics=["locks/1"]) if e["kind"] == "wait.ended")
    assert ended["data"]["reason"] == reason
    await rpc.call("locks.release", {"issue_id": 1, "agent": "ann"})

    async def free() -> bool:
        return 1 not in {one["issue_id"] for one in (await rpc.call("locks.list"))["locks"]}

    await eventually(free, what="a lock that nobody waits for")
