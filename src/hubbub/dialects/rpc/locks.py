"""``locks.*``: exclusive claims on issues."""

import msgspec

from hubbub.core.tracker.issues import Act
from hubbub.core.tracker.locks import Lock, Release
from hubbub.dialects.rpc.answers import submitted
from hubbub.dialects.rpc.methods import Caller, Empty, Method, Reply, answered


class Claim(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Parameters of ``locks.claim``."""

    issue_id: int
    lease_ms: int | None = None
    agent: str | None = None
    """Whose lock it is; only the operator may name another than itself."""
    idempotency_key: str | None = None


class Renew(Claim, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Parameters of ``locks.renew``."""

    fence: int | None = None


class Steal(Claim, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Parameters of ``locks.steal``."""

    reason: str


class GiveBack(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Parameters of ``locks.release``."""

    issue_id: int
    fence: int | None = None
    agent: str | None = None
    idempotency_key: str | None = None


class LockList(msgspec.Struct, frozen=True):
    """Result of ``locks.list``."""

    locks: list[Lock]


def claim(caller: Caller, params: Claim, reply: Reply) -> None:
    """Claim the lock of an issue."""
    unit = caller.hub.locks.claim(
        Act(caller=caller.principal, key=params.idempotency_key),
        params.issue_id,
        agent=params.agent,
        lease_ms=params.lease_ms,
    )
    submitted(caller, unit, reply)


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
        scope="write",
        summary="Claim the lock of an issue for a lease, or extend one's own.",
        run=claim,
    ),
    Method(
        name="locks.renew",
        params=Renew,
        result=Lock,
        scope="write",
        summary="Extend a lock that is still held.",
        run=renew,
    ),
    Method(
        name="locks.release",
        params=GiveBack,
        result=Release,
        scope="write",
        summary="Give a lock back.",
        run=release,
    ),
    Method(
        name="locks.steal",
        params=Steal,
        result=Lock,
        scope="write",
        summary="Take a lock, whoever holds it, and say why.",
        run=steal,
    ),
    Method(
        name="locks.list",
        params=Empty,
        result=LockList,
        scope="read",
        summary="Give all locks that are held.",
        run=answered(list_locks),
    ),
]
