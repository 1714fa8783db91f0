"""Standing subscriptions: what a door's clients subscribed to by a call of its own.

They belong to no connection, so they are kept in the store: a stream that comes back after a
restart of the daemon hears what it heard before. A client that does not know this subscribes
anew then, and is given its old subscription, not a second one.
"""

from collections.abc import Callable, Mapping

import msgspec

from hubbub.core.idempotency import digest, once
from hubbub.core.journal import Journal
from hubbub.core.ports import Store, Transaction, Unit
from hubbub.core.values import Clock, Principal
from hubbub.errors import Conflict, NotFound


FORGOTTEN = "standing_forgotten:{door}"
"""Name in ``meta`` of the ``seq`` before which a position may stand for lost subscriptions."""


class Added(msgspec.Struct, frozen=True):
    """What subscribing changed."""

    id: str
    evicted: str | None = None
    """Subscription that had to go for it: the oldest that nobody claimed since the start."""


class Standing:
    """The standing subscriptions of one door: in the store, and in memory for the fan-out."""

    def __init__(
        self,
        journal: Journal,
        store: Store,
        clock: Clock,
        *,
        door: str,
        daemon: str,
        new_id: Callable[[], str],
    ) -> None:
        """Begin with none; ``load`` brings back the stored ones.

        Args:
            daemon: Id of this process.
            new_id: Gives the id of a new subscription.
        """
        self._journal = journal
        self._store = store
        self._clock = clock
        self._door = door
        self._daemon = daemon
        self._new_id = new_id
        self._topics: dict[str, str] = {}
        self._by_topic: dict[str, list[str]] = {}
        self.changed: Callable[[], None] = _nothing
        """Called when there is a topic more or less."""
        self.forgotten = 0
        """Positions before this ``seq`` may have had subscriptions that were evicted."""

    @property
    def by_topic(self) -> Mapping[str, list[str]]:
        """Ids of the subscriptions of each topic, in the order in which they were made."""
        return self._by_topic

    async def load(self) -> None:
        """Bring memory up to the store."""
        for subscription_id, topic in await self._store.rows("standing_all", door=self._door):
            self._put(subscription_id, topic)
        for (seq,) in await self._store.rows("meta_get", name=FORGOTTEN.format(door=self._door)):
            self.forgotten = int(seq)

    async def add(self, caller: Principal, topic: str, *, limit: int, key: str | None) -> str:
        """Subscribe; gives the subscription's id, once it is stored and heard.

        Args:
            limit: Subscriptions of this door at most.
            key: Idempotency key.

        Raises:
            Conflict: There are too many.
            IdempotencyConflict: The key was used for another request.
        """
        unit = once(
            self._adding(caller, topic, limit),
            caller=caller,
            key=key,
            request=digest(f"{self._door}.subscribe", topic),
            result=Added,
            clock=self._clock,
        )

        def run(tx: Transaction) -> tuple[Added, bool]:
            made = unit(tx)
            # A retry may come after the subscription has ended: it stays ended.
            return made, tx.row("standing_get", id=made.id) is not None

        added, is_alive = await self._journal.commit(run)
        if added.evicted is not None:
            self._forget(added.evicted)
            self.forgotten = max(self.forgotten, self._journal.position.seq)
        if is_alive and added.id not in self._topics:
            self._put(added.id, topic)
        return added.id

    async def remove(self, caller: Principal, subscription_id: str, *, key: str | None) -> None:
        """End a subscription.

        Raises:
            NotFound: There is none of this id.
            IdempotencyConflict: The key was used for another request.
        """

        def remove(tx: Transaction) -> bool:
            if not tx.execute("standing_remove", id=subscription_id, door=self._door):
                raise NotFound("subscription", subscription_id)
            return True

        unit = once(
            remove,
            caller=caller,
            key=key,
            request=digest(f"{self._door}.unsubscribe", subscription_id),
            result=bool,
            clock=self._clock,
        )
        await self._journal.commit(unit)
        self._forget(subscription_id)

    def _adding(self, caller: Principal, topic: str, limit: int) -> Unit[Added]:
        new_id = self._new_id()
        names = {"door": self._door, "daemon": self._daemon}

        def add(tx: Transaction) -> Added:
            old = tx.row("standing_unclaimed", caller=caller.id, topic=topic, **names)
            if old is not None:
                tx.execute("standing_claim", id=old[0], daemon=self._daemon)
                return Added(old[0])
            evicted = None
            ((count,),) = tx.rows("standing_count", door=self._door)
            if count >= limit:
                evicted = self._evict(tx, limit)
            tx.execute("standing_add", id=new_id, caller=caller.id, topic=topic, **names)
            return Added(new_id, evicted)

        return add

    def _evict(self, tx: Transaction, limit: int) -> str:
        """Take out a subscription of a client that has not come back, and note that it went."""
        oldest = tx.row("standing_oldest", door=self._door, daemon=self._daemon)
        if oldest is None:
            message = f"{limit} subscriptions are open; delete some"
            raise Conflict(message)
        tx.execute("standing_remove", id=oldest[0], door=self._door)
        seq = self._store.last_seq()
        tx.execute("meta_set", name=FORGOTTEN.format(door=self._door), value=str(seq))
        return str(oldest[0])

    def _put(self, subscription_id: str, topic: str) -> None:
        self._topics[subscription_id] = topic
        ids = self._by_topic.setdefault(topic, [])
        ids.append(subscription_id)
        if len(ids) == 1:
            self.changed()

    def _forget(self, subscription_id: str) -> None:
        topic = self._topics.pop(subscription_id, None)
        if topic is None:
            return
        ids = self._by_topic[topic]
        ids.remove(subscription_id)
        if not ids:
            del self._by_topic[topic]
            self.changed()


def _nothing() -> None:
    """Tell nobody."""
