"""``issues.*``, ``locks.*``, ``agents.*`` and ``presence.list`` of hubbub's own door."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Any

import msgspec
import pytest

from hubbub.core.hub import Hub
from hubbub.core.values import OPERATOR, Principal
from hubbub.dialects.calls import table
from hubbub.dialects.crosslink.settings import CrosslinkSettings
from hubbub.dialects.rpc import agents, issues, locks, reservations
from hubbub.dialects.rpc.methods import Method
from hubbub.errors import (
    Forbidden,
    HubbubError,
    IdempotencyConflict,
    InvalidRequest,
    LockHeld,
    NotFound,
    PathsReserved,
    StaleFence,
)
from tests.dialects.crosslink.room import open_room
from tests.unit.conftest import ManualClock


ANN = Principal(name="ann")
BOB = Principal(name="bob")


class Calls:
    """Calls methods as the door does: parameters from JSON, the result to JSON."""

    def __init__(self, hub: Hub, principal: Principal = OPERATOR) -> None:
        self.hub = hub
        self.principal = principal
        self.outbox = None
        self._methods = table(issues.METHODS, locks.METHODS, reservations.METHODS, agents.METHODS)

    def as_agent(self, principal: Principal) -> "Calls":
        """Give the same for another caller."""
        return Calls(self.hub, principal)

    async def __call__(self, name: str, **params: object) -> Any:
        """Call a method and give its result as JSON values.

        Raises:
            HubbubError: The method refused.
        """
        method: Method = self._methods[name]
        answered: asyncio.Future[object] = asyncio.get_running_loop().create_future()
        decoded: Any = msgspec.json.decode(msgspec.json.encode(params), type=method.params)
        work = method.run(self, decoded, answered.set_result)
        if work is not None:
            await work
        result = await answered
        if isinstance(result, HubbubError):
            raise result
        return msgspec.json.decode(msgspec.json.encode(msgspec.convert(result, method.result)))


@pytest.fixture
async def call(tmp_path: Path) -> AsyncIterator[Calls]:
    """Give a caller of methods, over real services."""
    async with open_room(tmp_path / "hubbub.db", ManualClock(), CrosslinkSettings()) as room:
        yield Calls(room.hub)


async def test_issue_through_its_life(call: Calls) -> None:
    """Every method on issues does what it says, and gives the type that it promises."""
    one = (await call("issues.create", title="one", description="d"))["id"]
    two = (await call("issues.create", title="two", parent_id=one, priority="critical"))["id"]
    assert (await call("issues.update", id=one, title="uno"))["title"] == "uno"
    comment = await call("issues.comment", id=one, content="hm", kind="human")
    assert (comment["author"], comment["kind"]) == ("operator", "human")
    assert await call("issues.label", id=one, label="bug") == {"ok": True}
    assert await call("issues.block", id=one, blocker_id=two) == {"ok": True}
    assert [i["id"] for i in (await call("issues.blocked"))["issues"]] == [one]
    assert [i["id"] for i in (await call("issues.ready"))["issues"]] == [two]

    detail = await call("issues.get", id=one)
    assert (detail["labels"], detail["blockers"]) == (["bug"], [two])
    assert [i["id"] for i in detail["subissues"]] == [two]
    assert [c["content"] for c in detail["comments"]] == ["hm"]

    assert await call("issues.unblock", id=one, blocker_id=two) == {"ok": True}
    assert await call("issues.unlabel", id=one, label="bug") == {"ok": True}
    assert (await call("issues.close", id=one))["status"] == "closed"
    assert [i["id"] for i in (await call("issues.list", status="open"))["issues"]] == [two]
    assert len((await call("issues.list", status="all"))["issues"]) == 2
    assert (await call("issues.reopen", id=one))["closed_at"] is None
    assert await call("issues.delete", id=one) == {"ok": True}
    assert (await call("issues.list"))["issues"] == []


async def test_lock_through_its_life(call: Calls) -> None:
    """Claim, renew, steal, release and list give locks with their fence."""
    issue = (await call("issues.create", title="one"))["id"]
    ann, bob = call.as_agent(ANN), call.as_agent(BOB)
    lock = await ann("locks.claim", issue_id=issue, lease_ms=1_000)
    assert (lock["holder"], lock["fence"]) == ("ann", 1)
    with pytest.raises(LockHeld):
        await bob("locks.claim", issue_id=issue)
    renewed = await ann("locks.renew", issue_id=issue, fence=1, lease_ms=9_000)
    assert renewed["expires_at"] == lock["expires_at"] + 8_000
    assert (await call("locks.list"))["locks"] == [renewed]

    stolen = await bob("locks.steal", issue_id=issue, reason="asleep")
    assert (stolen["holder"], stolen["fence"]) == ("bob", 2)
    with pytest.raises(StaleFence):
        await ann("issues.comment", id=issue, content="late", fence=1)
    released = await bob("locks.release", issue_id=issue, fence=2)
    assert released == {"issue_id": issue, "released": True}


async def test_reservation_through_its_life(call: Calls) -> None:
    """Claim, renew, release and list; who is in the way is told with what it has."""
    ann, bob = call.as_agent(ANN), call.as_agent(BOB)
    given = await ann("reservations.claim", paths=["src/**"], reason="typos", lease_ms=1_000)
    assert (given["agent"], given["id"], given["mode"]) == ("ann", 1, "exclusive")
    with pytest.raises(PathsReserved) as refused:
        await bob("reservations.claim", paths=["**/a.py"])
    (conflict,) = refused.value.conflicts
    assert msgspec.to_builtins(conflict) == given
    renewed = await ann("reservations.renew", id=1, lease_ms=9_000)
    assert renewed["expires_at"] == given["expires_at"] + 8_000
    assert (await call("reservations.list"))["reservations"] == [renewed]
    assert await ann("reservations.release", id=1) == {"id": 1, "released": True}


@pytest.mark.parametrize(
    ("method", "params"),
    [("locks.claim", {"issue_id": 1}), ("reservations.claim", {"paths": ["a"]})],
)
async def test_call_by_post_cannot_wait(
    call: Calls, method: str, params: dict[str, object]
) -> None:
    """Nobody would notice that its caller has gone away."""
    await call("issues.create", title="one")
    with pytest.raises(InvalidRequest, match="by POST cannot wait"):
        await call(method, **params, wait=True)


async def test_operator_locks_for_an_agent(call: Calls) -> None:
    """The operator may name whose lock it is; an agent may not."""
    issue = (await call("issues.create", title="one"))["id"]
    assert (await call("locks.claim", issue_id=issue, agent="ann"))["holder"] == "ann"
    with pytest.raises(Forbidden):
        await call.as_agent(BOB)("locks.release", issue_id=issue, agent="ann")
    assert (await call("locks.release", issue_id=issue, agent="ann"))["released"]


async def test_heartbeat_is_answered_with_what_is_known(call: Calls) -> None:
    """A heartbeat says who is alive and on what; both lists show it."""
    beat = await call.as_agent(ANN)("agents.heartbeat", active_issue_id=3, machine_id="m")
    assert (beat["agent"], beat["status"], beat["active_issue_id"]) == ("ann", "active", 3)
    await call("agents.heartbeat", agent="bob", status="active")
    listed = (await call("agents.list"))["agents"]
    assert [(a["agent"], a["doors"]) for a in listed] == [("ann", ["hubbub"]), ("bob", ["hubbub"])]
    assert (await call("presence.list"))["agents"] == listed


async def test_heartbeat_is_told_before_it_is_answered(call: Calls) -> None:
    """Who waits for the answer knows that everyone has heard of it."""
    told: list[str] = []
    call.hub.bus.listen(("agents/*",), lambda event: told.append(event.kind))
    await call.as_agent(ANN)("agents.heartbeat")
    assert told == ["agent.heartbeat", "agent.status"]


async def test_operator_is_no_agent(call: Calls) -> None:
    """The operator must say whose heartbeat it sends; an agent sends only its own."""
    with pytest.raises(InvalidRequest, match="name one"):
        await call("agents.heartbeat")
    with pytest.raises(Forbidden):
        await call.as_agent(ANN)("agents.heartbeat", agent="bob")


KEYED: Sequence[tuple[str, dict[str, object]]] = [
    ("issues.create", {"title": "x"}),
    ("issues.update", {"id": 1, "title": "x"}),
    ("issues.close", {"id": 1}),
    ("issues.reopen", {"id": 1}),
    ("issues.comment", {"id": 1, "content": "x"}),
    ("issues.label", {"id": 1, "label": "x"}),
    ("issues.unlabel", {"id": 1, "label": "bug"}),
    ("issues.block", {"id": 1, "blocker_id": 2}),
    ("issues.unblock", {"id": 2, "blocker_id": 3}),
    ("issues.delete", {"id": 1}),
    ("locks.claim", {"issue_id": 1}),
    ("locks.steal", {"issue_id": 1, "reason": "x"}),
    ("locks.renew", {"issue_id": 2, "fence": 1}),
    ("locks.release", {"issue_id": 2}),
    ("reservations.claim", {"paths": ["docs/**"]}),
    ("reservations.renew", {"id": 1}),
    ("reservations.release", {"id": 1}),
]


@pytest.mark.parametrize(("method", "params"), KEYED, ids=[name for name, _ in KEYED])
async def test_key_makes_a_retry_harmless(
    call: Calls, method: str, params: dict[str, object]
) -> None:
    """Every method that changes something runs once per key, and refuses a key used before."""
    for title in ("one", "two", "three"):
        await call("issues.create", title=title)
    await call("issues.label", id=1, label="bug")
    await call("issues.block", id=2, blocker_id=3)
    await call("locks.claim", issue_id=2)
    await call("reservations.claim", paths=["src/**"])
    first = await call(method, **params, idempotency_key="k")
    await call.hub.journal.settled()  # a lock is also a sign of life, told on its own
    told = call.hub.bus.told
    assert await call(method, **params, idempotency_key="k") == first
    assert call.hub.bus.told == told
    with pytest.raises(IdempotencyConflict):
        await call("issues.create", title="other", idempotency_key="k")


@pytest.mark.parametrize(
    ("method", "params"),
    [
        ("issues.create", {}),
        ("issues.create", {"title": "x", "surprise": 1}),
        ("issues.create", {"title": "x", "priority": "urgent"}),
        ("issues.get", {"id": "x"}),
        ("issues.list", {"status": "lost"}),
        ("issues.comment", {"id": 1, "content": "x", "kind": "shout"}),
        ("agents.heartbeat", {"active_issue_id": 2**63}),
        ("agents.heartbeat", {"active_issue_id": 0}),
        ("agents.heartbeat", {"status": "asleep"}),
        ("locks.steal", {"issue_id": 1}),
        ("locks.renew", {"issue_id": 1}),
        ("reservations.claim", {}),
        ("reservations.claim", {"paths": ["a"], "mode": "both"}),
        ("reservations.claim", {"paths": ["a"], "under": {"lock": 1}}),
    ],
)
async def test_wrong_parameters_are_refused(
    call: Calls, method: str, params: dict[str, object]
) -> None:
    """Missing, unknown and mistyped parameters do not reach the service."""
    with pytest.raises(msgspec.ValidationError):
        await call(method, **params)


async def test_refusal_of_the_service_is_the_answer(call: Calls) -> None:
    """What a service refuses comes back as its error."""
    with pytest.raises(NotFound):
        await call("issues.get", id=9)
    with pytest.raises(NotFound):
        await call("issues.close", id=9)
    with pytest.raises(InvalidRequest):
        await call("locks.claim", issue_id=1, lease_ms=0)
