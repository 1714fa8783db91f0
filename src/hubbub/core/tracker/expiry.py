"""What ends on the clock: leases and waits, looked for in the store only when one may be over."""

import math
from collections.abc import Callable
from typing import Protocol

from hubbub.core.journal import Journal
from hubbub.core.ports import Settled, Transaction
from hubbub.core.values import Clock
from hubbub.errors import InvalidRequest
from hubbub.telemetry import log


class LeaseRules(Protocol):
    """How long something may be held."""

    @property
    def default_lease_ms(self) -> int:
        """Milliseconds, where a claim does not say."""

    @property
    def max_lease_ms(self) -> int:
        """Milliseconds that a claim may ask for at most."""


class Expiry:
    """Ends what is over; knows when the next thing may be."""

    def __init__(
        self,
        journal: Journal,
        clock: Clock,
        end: Callable[[Transaction], None],
        *,
        earliest: str,
        failure: str,
        is_empty: bool = False,
    ) -> None:
        """Begin; the first tick looks.

        Args:
            clock: That of leases.
            end: Ends, within a unit, what is over.
            earliest: Query for the lease time of the next end; ``NULL``: there is none.
            failure: Name of the warning where the store refused.
            is_empty: Nothing can be over yet, so the first tick need not look.
        """
        self._journal = journal
        self._clock = clock
        self._end = end
        self._earliest = earliest
        self._failure = failure
        # Lease time at which `tick` must look into the store: early is harmless.
        self._look_at: float = math.inf if is_empty else 0

    def expect(self, in_ms: int) -> None:
        """See to it that an end is noticed that is so many milliseconds away."""
        self._look_at = min(self._look_at, self._clock() + in_ms)

    def lease(self, lease_ms: int | None, rules: LeaseRules) -> int:
        """Give the lease that is asked for, and see to it that its end is noticed.

        Raises:
            InvalidRequest: It is not within its limits.
        """
        lease = rules.default_lease_ms if lease_ms is None else lease_ms
        if not 0 < lease <= rules.max_lease_ms:
            message = f"lease_ms must be from 1 to {rules.max_lease_ms}"
            raise InvalidRequest(message)
        self.expect(lease)
        return lease

    def tick(self) -> None:
        """Look at the clock, and where something may be over, into the store."""
        if self._clock() < self._look_at:
            return
        self._look_at = math.inf

        def expire(tx: Transaction) -> int | None:
            self._end(tx)
            earliest: int | None = tx.rows(self._earliest)[0][0]
            return earliest

        self._journal.submit(expire, self._looked)

    def _looked(self, settled: Settled) -> None:
        if settled.error is not None:
            log.warning(self._failure, error=str(settled.error))
            self._look_at = 0
        elif settled.value is not None:
            self._look_at = min(self._look_at, settled.value)
