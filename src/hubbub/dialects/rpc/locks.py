"""``locks.*``: exclusive claims on issues, and how this door waits."""

from collections.abc import Coroutine
from typing import Any

import msgspec

from hubbub.core.ports import Unit
from hubbub.core.tracker.cycles import Edge
from hubbub.core.tracker.issues import Act
from hubbub.core.tracker.lock_table import Lock
from hubbub.core.tracker.locks import Release, holder_for
from hubbub.core.tracker.waiting import Notice
from hubbub.dialects.calls import Reply, answered
from hubbub.dialects.rpc import frames
from hubbub.dialects.rpc.answers import submitted
from hubbub.dialects.rpc.methods import Caller, Change, Empty, Method
from hubbub.errors import InvalidRequest


class Renewal(Change, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What every method takes that begins or extends a lease."""

    issue_id: int
    lease_ms: int | None = None
    agent: str | None = None
    """Whose lock it is; only the operator may name another than itself."""


class Claim(Renewal, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Parameters of ``locks.claim``."""

    wait: bool = False
    """Wait in the queue where another agent holds it; over a socket only."""
    wait_ms: int | None = None
    """Milliseconds to wait at most."""


class Renew(Renewal, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Parameters of ``locks.renew``."""

    fence: int
    """Number of the grant that is extended."""


class Steal(Renewal, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Parameters of ``locks.steal``."""

    reason: str


class GiveBack(Change, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Parameters of ``locks.release``."""

    issue_id: int
    fence: int | None = None
    agent: str | None = None


class LockList(msgspec.Struct, frozen=True):
    """Result of ``locks.list``."""

    locks: list[Lock]


def claim(caller: Caller, params: Claim, reply: Reply) -> Coroutine[Any, Any, None] | None:
    """Claim the lock of an issue."""
    act = Act(caller=caller.principal, key=params.idempotency_key)
    locks = caller.hub.locks

    def unit() -> Unit[Lock]:
        return locks.claim(act, params.issue_id, agent=params.agent, lease_ms=params.lease_ms)

    if not params.wait:
        submitted(caller, unit(), reply)
        return None

    async def waited() -> None:
        lock = await caller.hub.waiting.claim(
            (holder_for(caller.principal, params.agent), f"locks/{params.issue_id}"),
            unit,
            lambda place: locks.wait(
                act, params.issue_id, place, agent=params.agent, lease_ms=params.lease_ms
            ),
            wait_ms=params.wait_ms,
            notice=notice_to(caller),
        )
        reply(lock)

    return waited()


def notice_to(caller: Caller) -> Notice:
    """Make what tells a waiting caller of a circle that it is in.

    Raises:
        InvalidRequest: The caller has no socket, so that nobody would see it go away.
    """
    outbox = caller.outbox
    if outbox is None:
        message = "a call by POST cannot wait; claim over the WebSocket, or without wait"
        raise InvalidRequest(message)

    def notice(cycle: list[Edge]) -> None:
        outbox.send(frames.notification("wait.cycle", {"cycle": cycle}))

    return notice


def renew(caller: Caller, params: Renew, reply: Reply) -> None:
    """Extend a lock."""
    unit = caller.hub.locks.renew(
        Act(caller=caller.principal, key=params.idempotency_key, fence=params.fence),
        params.issue_id,
        agent=params.agent,
        lease_ms=params.lease_ms,
    )
    submitted(caller, unit, reply)


def steal(caller: Caller, params: Steal, reply: Reply) -> None:
    """Take a lock, whoever holds it."""
    unit = caller.hub.locks.steal(
        Act(caller=caller.principal, key=params.idempotency_key),
        params.issue_id,
        params.reason,
        agent=params.agent,
        lease_ms=params.lease_ms,
    )
    submitted(caller, unit, reply)


def release(caller: Caller, params: GiveBack, reply: Reply) -> None:
    """Give a lock back."""
    act = Act(caller=caller.principal, key=params.idempotency_key, fence=params.fence)
    unit = caller.hub.locks.release(act, params.issue_id, agent=params.agent)
    submitted(caller, unit, reply)


async def list_locks(caller: Caller, _params: Empty) -> LockList:
    """Give the locks that are held."""
    return LockList(locks=await caller.hub.locks.list())


METHODS = [
    Method(
        name="locks.claim",
        params=Claim,
        result=Lock,
        summary="Claim the lock of an issue for a lease, or extend one's own; wait for it or not.",
        run=claim,
    ),
    Method(
        name="locks.renew",
        params=Renew,
        result=Lock,
        summary="Extend a lock that is still held.",
        run=renew,
    ),
    Method(
        name="locks.release",
        params=GiveBack,
        result=Release,
        summary="Give a lock back.",
        run=release,
    ),
    Method(
        name="locks.steal",
        params=Steal,
        result=Lock,
        summary="Take a lock, whoever holds it, and say why.",
        run=steal,
    ),
    Method(
        name="locks.list",
        params=Empty,
        result=LockList,
        summary="Give all locks that are held.",
        run=answered(list_locks),
    ),
]
