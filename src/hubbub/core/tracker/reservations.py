"""Reservations: agents say which paths they work on, for the length of a lease.

They are advice: nothing here touches a file. Two reservations of different agents conflict
where some path matches a glob of each and one of them is exclusive. A reservation's number only
grows and is its fence: a write made under it may present it.
"""

from collections.abc import Sequence

import msgspec

from hubbub.core.journal import Journal
from hubbub.core.limits import check_positive
from hubbub.core.ports import Store, Transaction, Unit
from hubbub.core.tracker.expiry import Expiry
from hubbub.core.tracker.globs import parse
from hubbub.core.tracker.issues import Act
from hubbub.core.tracker.locks import holder_for
from hubbub.core.tracker.reservation_table import (
    Grant,
    Mode,
    Reservation,
    ReservationTable,
    Wanted,
    check_grant,
    check_reservation,
    reservation_of,
    same,
    wanted_of,
)
from hubbub.core.tracker.waits import Place, Queued, Waiter, waiters
from hubbub.core.values import Clock, Principal
from hubbub.errors import Conflict, Forbidden, InvalidRequest, PathsReserved


class ReservationRules(msgspec.Struct, frozen=True, kw_only=True):
    """The section ``[reservations]``."""

    default_lease_ms: int = 3_600_000
    """Milliseconds until a reservation lapses, where the claim does not say."""
    max_lease_ms: int = 86_400_000
    """Milliseconds that a claim may ask for at most."""
    tick_s: float = 1.0
    """Seconds between two looks at the clock for leases that have ended."""
    max_paths: int = 32
    """Globs of one reservation at most."""
    max_path_bytes: int = 256
    """Bytes of one glob at most."""
    max_held: int = 1000
    """Reservations of all agents together at most."""
    max_reason_characters: int = 1000
    """Length of the reason at most."""

    def __post_init__(self) -> None:
        """Check that no limit shuts everything out.

        Raises:
            ValueError: One does, or the lease by default is over the longest.
        """
        check_positive(self)
        if self.default_lease_ms > self.max_lease_ms:
            message = "default_lease_ms must not be over max_lease_ms"
            raise ValueError(message)


DEFAULT_RULES = ReservationRules()


class Claim(msgspec.Struct, frozen=True, kw_only=True):
    """A request for paths."""

    paths: list[str]
    mode: Mode = "exclusive"
    reason: str = ""
    agent: str | None = None
    """Whose reservation it is; ``None``: the caller's. Only the operator may name another."""
    lease_ms: int | None = None
    under: Grant | None = None
    """What the claim is made under; one that has ended refuses it."""


class Freed(msgspec.Struct, frozen=True):
    """What became of a release."""

    id: int
    released: bool
    """False: it had ended already."""


class Reservations:
    """Grants, renews and ends reservations; every verb gives a unit of work."""

    def __init__(
        self,
        journal: Journal,
        store: Store,
        clock: Clock,
        *,
        rules: ReservationRules = DEFAULT_RULES,
    ) -> None:
        """Begin; what the store holds is in force at once.

        Args:
            clock: That of leases.
        """
        self._store = store
        self._clock = clock
        self.rules = rules
        self.table = ReservationTable()
        self._expiry = Expiry(
            journal,
            clock,
            self._expire,
            earliest="reservation_next_expiry",
            failure="reservations_not_expired",
        )

    def claim(self, act: Act, claim: Claim) -> Unit[Reservation]:
        """Reserve paths; the very same ones again extend what the agent has.

        Raises:
            InvalidRequest: A glob is none, or something is over its limit.
            PathsReserved: (from the unit) Another agent has such paths, or waits in front.
            Conflict: (from the unit) There are as many reservations as may be.
            StaleFence: (from the unit) What the claim is made under has ended.
        """
        wanted, lease = (
            self._wanted(act.caller, claim),
            self._expiry.lease(claim.lease_ms, self.rules),
        )

        def reserve(tx: Transaction) -> Reservation:
            now = self._clock()
            check_grant(tx, claim.under, now)
            held = self.table.settle(tx, now)
            others = self._others(tx, wanted, held)
            if others:
                raise PathsReserved("; ".join(map(_shown, others)), others)
            if len(held) >= self.rules.max_held and same(held, wanted) is None:
                message = f"there are {len(held)} reservations, and no more may be; release some"
                raise Conflict(message)
            return self.table.give(tx, wanted, held, now, lease, actor=act.caller.id)

        return act.once(
            reserve,
            Reservation,
            "reservations.claim",
            wanted,
            lease,
            claim.under,
            clock=self._clock,
        )

    def wait(self, act: Act, claim: Claim, place: Place) -> Unit[Queued]:
        """Wait until all that stands in the way is gone.

        Raises:
            InvalidRequest: As ``claim``.
            Conflict: (from the unit) The queues are full.
        """
        act.caller.require("write")
        wanted, lease = (
            self._wanted(act.caller, claim),
            self._expiry.lease(claim.lease_ms, self.rules),
        )

        def wait(tx: Transaction) -> Queued:
            now = self._clock()
            check_grant(tx, claim.under, now)
            held = self.table.settle(tx, now)
            if not self._others(tx, wanted, held):
                self.table.give(tx, wanted, held, now, lease, actor=act.caller.id)
                return Queued(granted=True)
            waiter = Waiter(
                ticket=place.ticket,
                agent=wanted.agent,
                actor=act.caller.id,
                issue_id=None,
                wanted=msgspec.json.encode(wanted).decode(),
                lease_ms=lease,
                until=now + place.wait_ms,
            )
            return self.table.queue(tx, waiter, now, place.most)

        return wait

    def renew(self, act: Act, number: int, *, lease_ms: int | None = None) -> Unit[Reservation]:
        """Extend a reservation that is held.

        Raises:
            StaleFence: (from the unit) It has ended.
            Forbidden: (from the unit) It is another agent's.
        """
        lease = self._expiry.lease(lease_ms, self.rules)

        def renew(tx: Transaction) -> Reservation:
            now = self._clock()
            held = check_reservation(tx, number, now)
            _check_own(act.caller, held)
            return self.table.extend(tx, held, now + lease, held.reason, actor=act.caller.id)

        return act.once(renew, Reservation, "reservations.renew", number, lease, clock=self._clock)

    def release(self, act: Act, number: int) -> Unit[Freed]:
        """Give paths back; a reservation that has ended is left as it is.

        Raises:
            Forbidden: (from the unit) It is another agent's.
        """

        def release(tx: Transaction) -> Freed:
            now = self._clock()
            held = {one.id: one for one in self.table.settle(tx, now)}
            if number not in held:
                return Freed(number, released=False)
            _check_own(act.caller, held[number])
            self.table.end(tx, held[number], "reservation.released", actor=act.caller.id)
            self.table.settle(tx, now)
            return Freed(number, released=True)

        return act.once(release, Freed, "reservations.release", number, clock=self._clock)

    async def list(self) -> list[Reservation]:
        """Give all reservations that are held, by number."""
        rows = await self._store.rows("reservation_held", now=self._clock())
        return [reservation_of(row) for row in rows]

    def tick(self) -> None:
        """Look at the clock: end the leases that have run out."""
        self._expiry.tick()

    def _expire(self, tx: Transaction) -> None:
        self.table.settle(tx, self._clock())

    def _others(
        self, tx: Transaction, wanted: Wanted, held: Sequence[Reservation]
    ) -> Sequence[Wanted]:
        """Give what stands in the way of a claim: nothing, where the agent has the paths."""
        if same(held, wanted) is not None:
            return []
        return self.table.against(wanted, (*held, *map(wanted_of, waiters(tx, None))))

    def _wanted(self, caller: Principal, claim: Claim) -> Wanted:
        rules = self.rules
        paths = sorted(set(claim.paths))
        if not 0 < len(paths) <= rules.max_paths:
            message = f"a reservation has 1 to {rules.max_paths} paths"
            raise InvalidRequest(message)
        for path in paths:
            if len(path.encode()) > rules.max_path_bytes:
                message = f"a path is longer than {rules.max_path_bytes} bytes"
                raise InvalidRequest(message)
            parse(path)
        if len(claim.reason) > rules.max_reason_characters:
            message = f"a reason has {rules.max_reason_characters} characters at most"
            raise InvalidRequest(message)
        agent = holder_for(caller, claim.agent)
        return Wanted(agent=agent, paths=paths, mode=claim.mode, reason=claim.reason)


def _check_own(caller: Principal, held: Reservation) -> None:
    if caller.kind != "operator" and caller.name != held.agent:
        message = f"reservation {held.id} is {held.agent}'s, not that of {caller.id}"
        raise Forbidden(message)


def _shown(other: Wanted) -> str:
    """Say who has what, and until when."""
    what = f"{other.agent} has {', '.join(other.paths)} ({other.mode})"
    if isinstance(other, Reservation):
        return f"{what} until {other.expires_at} as reservation {other.id}"
    return f"{what} next, and waits"
