"""Where clients left off whose protocol has no word for a position.

An identity is what such a client shows at every connection and shares with nobody that it
would mind: an agent's token, an installation's id. While it is away, its row holds the
position up to which it was told; the next connection takes it, once, before anything is
replayed. So nothing is ever told twice to an identity; what was on its way when a connection
was cut is not told again.
"""

from collections import Counter
from collections.abc import Callable

import msgspec

from hubbub.core.journal import Journal
from hubbub.core.ports import Settled, Transaction
from hubbub.core.values import Clock
from hubbub.telemetry import log


class AbsenceRules(msgspec.Struct, frozen=True, kw_only=True):
    """The section ``[absences]``: clients that cannot ask for what they missed."""

    remember_s: float = 7 * 24 * 3600.0
    """Seconds for which it is remembered where an identity left off."""
    max_identities: int = 10_000
    """Identities remembered at most; the longest absent go first."""

    def __post_init__(self) -> None:
        """Check that somebody can be remembered.

        Raises:
            ValueError: Nobody can.
        """
        if self.remember_s <= 0 or self.max_identities < 1:
            message = "remember_s and max_identities must be over 0"
            raise ValueError(message)


DEFAULT_RULES = AbsenceRules()


class Absences:
    """Remembers positions: a write when an identity comes, and one when its last one leaves."""

    def __init__(
        self, journal: Journal, clock: Clock, *, rules: AbsenceRules = DEFAULT_RULES
    ) -> None:
        """Begin with nobody here; ``load`` must follow."""
        self._journal = journal
        self._clock = clock
        self._rules = rules
        self._here: Counter[tuple[str, str]] = Counter()
        self._unsure: set[tuple[str, str]] = set()
        """Identities whose row may hold a position that was taken before."""

    async def load(self, told: int) -> None:
        """Give those who were connected when the last daemon ended its last position.

        Args:
            told: ``seq`` that nobody can have been told anything beyond.
        """

        def load(tx: Transaction) -> None:
            tx.execute("absence_of_the_cut_off", seq=told, at=self._clock())
            tx.execute("absence_forget", before=self._oldest())

        await self._journal.commit(load)

    def came(self, door: str, identity: str, back: Callable[[int | None], None]) -> None:
        """Note that an identity is connected, and give where it left off.

        Args:
            back: Called once that is stored, with the ``seq`` up to which it was told, or
                ``None`` where nothing can be replayed: it was never here, or too long ago,
                or it is here already.
        """
        name = (door, identity)
        self._here[name] += 1
        is_known = self._here[name] == 1 and name not in self._unsure

        def come(tx: Transaction) -> int | None:
            row = tx.row("absence_get", door=door, identity=identity)
            if row is None:
                self._make_room(tx)
            self._put(tx, name, None)
            if row is None or not is_known or row[1] < self._oldest():
                return None
            seq: int | None = row[0]
            return seq

        def done(settled: Settled) -> None:
            if settled.error is None:
                self._unsure.discard(name)
            else:
                self._unsure.add(name)
                log.warning("absence_not_read", door=door, error=str(settled.error))
            back(settled.value)

        self._journal.submit(come, done)

    def left(self, door: str, identity: str, told: int) -> None:
        """Note that a connection of an identity has ended.

        Args:
            told: ``seq`` up to which it was told.
        """
        name = (door, identity)
        self._here[name] -= 1
        if self._here[name]:
            return  # another one hears what comes
        del self._here[name]
        self._journal.submit(lambda tx: self._put(tx, name, told), _stored)

    def _put(self, tx: Transaction, name: tuple[str, str], seq: int | None) -> None:
        door, identity = name
        tx.execute("absence_put", door=door, identity=identity, seq=seq, at=self._clock())

    def _make_room(self, tx: Transaction) -> None:
        ((count,),) = tx.rows("absence_count")
        if count >= self._rules.max_identities:
            tx.execute("absence_forget", before=self._oldest())
            tx.execute("absence_evict", count=count - self._rules.max_identities + 1)

    def _oldest(self) -> int:
        return self._clock() - int(self._rules.remember_s * 1000)


def _stored(settled: Settled) -> None:
    if settled.error is not None:
        log.warning("absence_not_stored", error=str(settled.error))
