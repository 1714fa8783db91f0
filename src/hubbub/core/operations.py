"""What an operator asks of a running daemon: is it ready, what are its figures, where is it.

The daemon's parts add their checks and figures here; the ops endpoints only show them.
"""

from collections.abc import Awaitable, Callable

from hubbub.core.health import Vitals
from hubbub.core.journal import Journal
from hubbub.core.ports import Store, Transaction
from hubbub.telemetry import Metrics, log


Check = Callable[[], str | None]
"""Says why the daemon is not ready; ``None``: as far as this goes, it is."""


Look = Callable[[], Awaitable[Vitals]]


class Operations:
    """Readiness, figures and addresses of one daemon, and the way to stop it."""

    def __init__(self, metrics: Metrics, *, stop: Callable[[], None], started_at: int) -> None:
        """Begin without checks.

        Args:
            stop: Asks the daemon to stop gracefully.
            started_at: Unix time in milliseconds.
        """
        self.metrics = metrics
        self.stop = stop
        self.started_at = started_at
        self.addresses: dict[str, str] = {}
        """URL of each listener that is really bound."""
        self.look: Look
        """Gathers the figures of the whole daemon; set before the first door opens."""
        self.is_stopping = False
        self._checks: list[Check] = []

    def add_check(self, check: Check) -> None:
        """Let a part of the daemon have a say in whether it is ready."""
        self._checks.append(check)

    def reasons(self) -> list[str]:
        """Say why the daemon is not ready; empty: it is."""
        if self.is_stopping:
            return ["the daemon is stopping"]
        return [reason for check in self._checks if (reason := check()) is not None]


class StoreProbe:
    """Finds out when a store that refused a write takes writes again."""

    def __init__(self, journal: Journal, store: Store) -> None:
        """Watch a store."""
        self._journal = journal
        self._store = store
        self._asked = False

    def check(self) -> str | None:
        """Say why the store cannot be written to."""
        if self._store.healthy:
            return None
        return "the store cannot write now; free disk space, or look for the cause in the log"

    def tick(self) -> None:
        """Try a tiny write if the last write failed; one at a time."""
        if self._store.healthy or self._asked:
            return
        self._asked = True

        def probe(tx: Transaction) -> None:
            tx.execute("meta_set", name="probe", value="1")

        def done(_settled: object) -> None:
            self._asked = False
            if self._store.healthy:
                log.info("store_recovered")

        self._journal.submit(probe, done)
