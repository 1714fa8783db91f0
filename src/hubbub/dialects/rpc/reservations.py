"""``reservations.*``: which paths agents work on."""

from collections.abc import Coroutine
from typing import Any

import msgspec

from hubbub.core.ports import Unit
from hubbub.core.tracker import reservations
from hubbub.core.tracker.issues import Act
from hubbub.core.tracker.locks import holder_for
from hubbub.core.tracker.reservation_table import Grant, Mode, Reservation
from hubbub.core.tracker.reservations import Freed
from hubbub.core.tracker.waits import PATHS_TOPIC
from hubbub.dialects.calls import Reply, answered
from hubbub.dialects.rpc.answers import submitted
from hubbub.dialects.rpc.locks import notice_to
from hubbub.dialects.rpc.methods import Caller, Change, Empty, Method


class Claim(Change, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Parameters of ``reservations.claim``."""

    paths: list[str]
    """Globs, relative: `*` and `?` within a segment, `[a-z]`, `**` for any segments."""
    mode: Mode = "exclusive"
    reason: str = ""
    lease_ms: int | None = None
    agent: str | None = None
    """Whose reservation it is; only the operator may name another than itself."""
    under: Grant | None = None
    """A lock or reservation under which this is claimed; one that has ended refuses it."""
    wait: bool = False
    """Wait in the queue where others stand in the way; over a socket only."""
    wait_ms: int | None = None
    """Milliseconds to wait at most."""


class Renew(Change, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Parameters of ``reservations.renew``."""

    id: int
    lease_ms: int | None = None


class GiveBack(Change, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Parameters of ``reservations.release``."""

    id: int


class ReservationList(msgspec.Struct, frozen=True):
    """Result of ``reservations.list``."""

    reservations: list[Reservation]


def claim(caller: Caller, params: Claim, reply: Reply) -> Coroutine[Any, Any, None] | None:
    """Reserve paths."""
    act = Act(caller=caller.principal, key=params.idempotency_key)
    wanted = reservations.Claim(
        paths=params.paths,
        mode=params.mode,
        reason=params.reason,
        agent=params.agent,
        lease_ms=params.lease_ms,
        under=params.under,
    )
    service = caller.hub.reservations

    def unit() -> Unit[Reservation]:
        return service.claim(act, wanted)

    if not params.wait:
        submitted(caller, unit(), reply)
        return None

    async def waited() -> None:
        reservation = await caller.hub.waiting.claim(
            (holder_for(caller.principal, params.agent), PATHS_TOPIC),
            unit,
            lambda place: service.wait(act, wanted, place),
            wait_ms=params.wait_ms,
            notice=notice_to(caller),
        )
        reply(reservation)

    return waited()


def renew(caller: Caller, params: Renew, reply: Reply) -> None:
    """Extend a reservation."""
    act = Act(caller=caller.principal, key=params.idempotency_key)
    unit = caller.hub.reservations.renew(act, params.id, lease_ms=params.lease_ms)
    submitted(caller, unit, reply)


def release(caller: Caller, params: GiveBack, reply: Reply) -> None:
    """Give paths back."""
    act = Act(caller=caller.principal, key=params.idempotency_key)
    submitted(caller, caller.hub.reservations.release(act, params.id), reply)


async def list_reservations(caller: Caller, _params: Empty) -> ReservationList:
    """Give the reservations that are held."""
    return ReservationList(await caller.hub.reservations.list())


METHODS = [
    Method(
        name="reservations.claim",
        params=Claim,
        result=Reservation,
        summary="Reserve paths for a lease, or extend what one has; wait for them or not.",
        run=claim,
    ),
    Method(
        name="reservations.renew",
        params=Renew,
        result=Reservation,
        summary="Extend a reservation that is still held.",
        run=renew,
    ),
    Method(
        name="reservations.release",
        params=GiveBack,
        result=Freed,
        summary="Give reserved paths back.",
        run=release,
    ),
    Method(
        name="reservations.list",
        params=Empty,
        result=ReservationList,
        summary="Give all reservations that are held.",
        run=answered(list_reservations),
    ),
]
