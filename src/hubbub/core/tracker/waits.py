"""The queues of those who wait, as a unit of work sees them.

A queue is served in the order in which its places were taken. Whoever frees something hands it
over in the same unit, so that nothing is ever free while somebody waits for it.
"""

from typing import Literal

import msgspec
from msgspec.structs import asdict

from hubbub.core.identity.presence import DAEMON
from hubbub.core.ports import Row, Transaction
from hubbub.core.tracker.cycles import Edge


PATHS_TOPIC = "reservations/waiting"
"""Topic of what is told of those who wait for paths."""

EndOfWait = Literal["granted", "timeout", "left", "restart", "issue deleted"]


def topic_of(issue_id: int | None) -> str:
    """Name the topic of a lock's queue, or (``None``) of the one for paths."""
    return PATHS_TOPIC if issue_id is None else f"locks/{issue_id}"


class Waiter(msgspec.Struct, frozen=True, kw_only=True):
    """One place in a queue."""

    ticket: str
    agent: str
    actor: str
    """Id of the principal that asked."""
    issue_id: int | None
    """The issue whose lock is wanted; ``None``: paths are."""
    wanted: str | None
    """JSON: what is to be reserved."""
    lease_ms: int
    until: int
    """Lease time in milliseconds at which the wait is over."""

    @property
    def topic(self) -> str:
        """Where this wait is told, and how it is named in a circle."""
        return topic_of(self.issue_id)


class Place(msgspec.Struct, frozen=True, kw_only=True):
    """A place in a queue that somebody asks for."""

    ticket: str
    """New and unique."""
    wait_ms: int
    """Milliseconds to wait at most."""
    most: int
    """Places in all queues at most."""


class Queued(msgspec.Struct, frozen=True, kw_only=True):
    """What became of an attempt to wait."""

    granted: bool = False
    """There was nothing to wait for."""
    cycle: list[Edge] = []
    """The circle that this wait would have closed; then nobody waits."""


def waiter_of(row: Row) -> Waiter:
    """Make a waiter of a row."""
    return Waiter(**dict(zip(Waiter.__struct_fields__, row, strict=True)))


def waiters(tx: Transaction, issue_id: int | None) -> list[Waiter]:
    """Give the queue of a lock, or of those who wait for paths, the first in front."""
    if issue_id is None:
        return [waiter_of(row) for row in tx.rows("waiting_for_paths")]
    return [waiter_of(row) for row in tx.rows("waiting_for_issue", issue_id=issue_id)]


def take_place(tx: Transaction, waiter: Waiter) -> None:
    """Add a waiter to the end of its queue."""
    tx.execute("waiting_add", **asdict(waiter))


def tell_begun(tx: Transaction, waiter: Waiter, held_by: list[str]) -> None:
    """Tell that somebody waits, and for whom."""
    shown = msgspec.json.encode(held_by).decode()
    tx.execute("waiting_held_by", ticket=waiter.ticket, held_by=shown)
    data = {
        "ticket": waiter.ticket,
        "agent": waiter.agent,
        "waits_for": waiter.topic,
        "held_by": held_by,
        "until": waiter.until,
    }
    tx.append(waiter.topic, "wait.begun", data, actor=waiter.actor)


def end_wait(tx: Transaction, waiter: Waiter, reason: EndOfWait) -> None:
    """Take a waiter out of its queue and tell why."""
    tx.execute("waiting_remove", ticket=waiter.ticket)
    data = {
        "ticket": waiter.ticket,
        "agent": waiter.agent,
        "waits_for": waiter.topic,
        "reason": reason,
    }
    tx.append(waiter.topic, "wait.ended", data, actor=DAEMON)


def lock_edges(tx: Transaction, now: int) -> list[Edge]:
    """Say who waits for whom because of locks: for the holder, and for all in front."""
    edges = [
        Edge(agent, f"locks/{issue_id}", holder)
        for agent, issue_id, holder in tx.rows("waiting_holders", now=now)
    ]
    queues: dict[int, list[str]] = {}
    for waiter in map(waiter_of, tx.rows("waiting_all")):
        if waiter.issue_id is not None:
            queue = queues.setdefault(waiter.issue_id, [])
            edges += [Edge(waiter.agent, waiter.topic, other) for other in queue]
            queue.append(waiter.agent)
    # An agent that waits twice does not wait for itself.
    return [edge for edge in edges if edge.agent != edge.held_by]


def tell_cycle(tx: Transaction, cycle: list[Edge], *, actor: str) -> None:
    """Tell a circle under every topic that is in it."""
    for topic in dict.fromkeys(edge.waits_for for edge in cycle):
        tx.append(topic, "wait.cycle", {"cycle": cycle}, actor=actor)
