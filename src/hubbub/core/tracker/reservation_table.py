"""The reservations' part of a unit of work: who has which paths, who waits for which.

Everything here runs on the writer thread, inside somebody's unit. ``now`` is lease time in
milliseconds (``lease_clock.py``).
"""

from collections.abc import Iterable, Sequence
from typing import Literal, TypeVar, cast

import msgspec

from hubbub.core.identity.presence import DAEMON
from hubbub.core.ports import Row, Transaction, Unit
from hubbub.core.tracker.cycles import Edge, find_cycle
from hubbub.core.tracker.globs import Glob, overlap, parse
from hubbub.core.tracker.lock_table import check_fence
from hubbub.core.tracker.waits import (
    PATHS_TOPIC,
    Queued,
    Waiter,
    end_wait,
    lock_edges,
    take_place,
    tell_begun,
    tell_cycle,
    waiters,
)
from hubbub.core.values import Clock
from hubbub.errors import Conflict, StaleFence


T = TypeVar("T")

Mode = Literal["exclusive", "shared"]

MAX_KNOWN_GLOBS = 4096
"""Globs that are kept in their parsed form."""


class Wanted(msgspec.Struct, frozen=True, kw_only=True):
    """Paths that an agent wants to have."""

    agent: str
    paths: list[str]
    """Globs, sorted, each once."""
    mode: Mode
    reason: str = ""


class Reservation(Wanted, frozen=True, kw_only=True):
    """One agent's hold on paths; its number is its fence."""

    id: int
    claimed_at: int
    """Unix milliseconds."""
    expires_at: int
    """Unix milliseconds; the hold is void from this instant on."""


class ReservationTable:
    """Verbs on stored reservations that compose with others' changes in one unit."""

    def __init__(self) -> None:
        """Begin with no glob parsed."""
        self._globs: dict[str, Glob] = {}

    def settle(self, tx: Transaction, now: int) -> list[Reservation]:
        """End what has run out, hand paths to those who wait, and give what is held then."""
        held = []
        for reservation in map(reservation_of, tx.rows("reservation_all")):
            if now < reservation.expires_at:
                held.append(reservation)
            else:
                self.end(tx, reservation, "reservation.lost", actor=DAEMON, why="lease ended")
        ahead: list[Wanted] = []
        for waiter in waiters(tx, None):
            wanted = wanted_of(waiter)
            if now >= waiter.until:
                continue  # the clock ends this wait
            if self.against(wanted, held) or self.against(wanted, ahead):
                ahead.append(wanted)
                continue
            end_wait(tx, waiter, "granted")
            given = self.give(tx, wanted, held, now, waiter.lease_ms, actor=waiter.actor)
            held = [one for one in held if one.id != given.id] + [given]
        return held

    def give(
        self,
        tx: Transaction,
        wanted: Wanted,
        held: Sequence[Reservation],
        now: int,
        lease_ms: int,
        *,
        actor: str,
    ) -> Reservation:
        """Grant paths that nobody else has; the same paths again extend what the agent has."""
        own = same(held, wanted)
        if own is not None:
            return self.extend(tx, own, now + lease_ms, wanted.reason, actor=actor)
        fields = {**msgspec.structs.asdict(wanted), "claimed_at": now, "expires_at": now + lease_ms}
        paths = msgspec.json.encode(wanted.paths).decode()
        # An insert of one row always gives its number.
        row = cast("Row", tx.changed("reservation_add", **{**fields, "paths": paths}))
        given = Reservation(id=row[0], **fields)
        tx.append(f"reservations/{given.id}", "reservation.claimed", given, actor=actor)
        return given

    def extend(
        self,
        tx: Transaction,
        reservation: Reservation,
        expires_at: int,
        reason: str,
        *,
        actor: str,
    ) -> Reservation:
        """Move the end of a lease."""
        extended = msgspec.structs.replace(reservation, expires_at=expires_at, reason=reason)
        tx.execute("reservation_extend", id=reservation.id, expires_at=expires_at, reason=reason)
        topic = f"reservations/{reservation.id}"
        tx.append(topic, "reservation.renewed", extended, actor=actor)
        return extended

    def clamp(self, tx: Transaction, latest: int) -> None:
        """Let no lease end after an instant."""
        for held in map(reservation_of, tx.rows("reservation_all")):
            if held.expires_at > latest:
                self.extend(tx, held, latest, held.reason, actor=DAEMON)

    def end(
        self, tx: Transaction, reservation: Reservation, kind: str, *, actor: str, why: str = ""
    ) -> None:
        """End a hold and tell it; ``settle`` then hands its paths over."""
        tx.execute("reservation_remove", id=reservation.id)
        data = {"id": reservation.id, "agent": reservation.agent, "paths": reservation.paths}
        topic = f"reservations/{reservation.id}"
        tx.append(topic, kind, {**data, "reason": why} if why else data, actor=actor)

    def against(self, wanted: Wanted, others: Iterable[Wanted]) -> list[Wanted]:
        """Give those of other agents that stand in the way."""
        globs = self._parsed(wanted)
        return [
            other
            for other in others
            if other.agent != wanted.agent
            and "exclusive" in (other.mode, wanted.mode)
            and any(overlap(one, two) for two in self._parsed(other) for one in globs)
        ]

    def edges(self, tx: Transaction, now: int) -> list[Edge]:
        """Say who waits for whom, because of locks and of paths."""
        edges = lock_edges(tx, now)
        before: list[Wanted] = [reservation_of(row) for row in tx.rows("reservation_held", now=now)]
        for waiter in waiters(tx, None):
            wanted = wanted_of(waiter)
            edges += (
                Edge(waiter.agent, PATHS_TOPIC, other.agent)
                for other in self.against(wanted, before)
            )
            before.append(wanted)
        return edges

    def queue(self, tx: Transaction, waiter: Waiter, now: int, most: int) -> Queued:
        """Add a waiter, unless that would close a circle: then the circle is told.

        Raises:
            Conflict: The queues are full.
        """
        ((count,),) = tx.rows("waiting_count")
        if count >= most:
            message = f"{count} places in queues are taken, and there are no more; try later"
            raise Conflict(message)
        take_place(tx, waiter)
        edges = self.edges(tx, now)
        cycle = find_cycle(edges, waiter.agent)
        if cycle:
            tx.execute("waiting_remove", ticket=waiter.ticket)
            tell_cycle(tx, cycle, actor=waiter.actor)
            return Queued(cycle=cycle)
        mine = (e.held_by for e in edges if (e.agent, e.waits_for) == (waiter.agent, waiter.topic))
        tell_begun(tx, waiter, sorted(set(mine)))
        return Queued()

    def _parsed(self, wanted: Wanted) -> list[Glob]:
        if len(self._globs) > MAX_KNOWN_GLOBS:
            self._globs.clear()
        for text in wanted.paths:
            if text not in self._globs:
                self._globs[text] = parse(text)
        return [self._globs[text] for text in wanted.paths]


def same(held: Iterable[Reservation], wanted: Wanted) -> Reservation | None:
    """Give what an agent has of the very same paths in the same mode."""
    mine = (one for one in held if (one.agent, one.mode) == (wanted.agent, wanted.mode))
    return next((one for one in mine if one.paths == wanted.paths), None)


def reservation_of(row: Row) -> Reservation:
    """Make a reservation of a row."""
    return Reservation(
        id=row[0],
        agent=row[1],
        paths=msgspec.json.decode(row[2], type=list[str]),
        mode=row[3],
        reason=row[4],
        claimed_at=row[5],
        expires_at=row[6],
    )


def wanted_of(waiter: Waiter) -> Wanted:
    """Read which paths somebody waits for."""
    return msgspec.json.decode(waiter.wanted or "", type=Wanted)


class Grant(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a write is made under: a lock's grant, a reservation, or both."""

    issue_id: int | None = None
    """The issue whose lock it is; goes with ``fence``."""
    fence: int | None = None
    reservation: int | None = None
    """A reservation's number, which is its fence."""


def check_grant(tx: Transaction, grant: Grant | None, now: int) -> None:
    """Check, inside any unit that writes, that what it is made under is still good.

    Raises:
        StaleFence: The lock or the reservation has ended, or was granted anew since.
    """
    if grant is None:
        return
    if grant.issue_id is not None:
        check_fence(tx, grant.issue_id, grant.fence or 0, now)
    if grant.reservation is not None:
        check_reservation(tx, grant.reservation, now)


def guarded(unit: Unit[T], grant: Grant | None, clock: Clock) -> Unit[T]:
    """Make a unit that does nothing where the grant that it is made under has ended.

    Args:
        clock: That of leases.
    """

    def run(tx: Transaction) -> T:
        check_grant(tx, grant, clock())
        return unit(tx)

    return unit if grant is None else run


def check_reservation(tx: Transaction, number: int, now: int) -> Reservation:
    """Give a reservation that is in force.

    Raises:
        StaleFence: It has ended, or never was.
    """
    row = tx.row("reservation_get", id=number)
    reservation = None if row is None else reservation_of(row)
    if reservation is None or now >= reservation.expires_at:
        raise StaleFence(number, presented=number, current=number, what="reservation")
    return reservation
