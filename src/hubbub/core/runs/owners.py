"""Whose connection's end may end which run, and who takes over within the grace.

An owner is one connection. It lives in memory alone: after a restart there are no connections,
and the runs that wait for their agent begin their grace when the doors are open.
"""

import asyncio
from collections import Counter
from collections.abc import Callable

from hubbub.core.journal import Journal
from hubbub.core.ports import Settled, Transaction, Unit
from hubbub.core.runs.open_runs import OpenRuns
from hubbub.core.runs.run import DISCONNECT_ENDS, Run
from hubbub.errors import Conflict
from hubbub.telemetry import log


MAX_OPEN_RUNS = 1000
"""Open runs of one connection at most."""
LAST_DAEMON = "the last daemon"
"""Owner of the runs that were left when the daemon ended, until somebody takes them over."""


class Owners:
    """Binds open runs to connections, and ends them some time after these have ended."""

    def __init__(
        self,
        memory: OpenRuns,
        journal: Journal,
        *,
        grace_ms: int,
        end_in: Callable[[Transaction, str], None],
    ) -> None:
        """Begin with nobody.

        Args:
            grace_ms: Milliseconds between the end of a connection and that of its runs, for
                those that do not say it themselves.
            end_in: Ends a run as it was started to, where it is still open.
        """
        self._memory = memory
        self._journal = journal
        self._grace_ms = grace_ms
        self._end_in = end_in
        self._starting: Counter[str] = Counter()
        self._gone: set[str] = set()
        """Owners that left while a run of theirs was on its way to the disk."""
        self._claimed: Counter[str] = Counter()
        """Runs for which somebody's claim is on its way; they do not end meanwhile."""

    def submit(
        self,
        unit: Unit[Run],
        owner: str,
        done: Callable[[Settled], None],
        *,
        claims: str | None = None,
    ) -> None:
        """Run a unit that gives an open run, and make somebody its owner.

        Args:
            done: Called after the commit, also if the owner has left meanwhile.
            claims: A run that may exist already, and that the unit may give.

        Raises:
            Conflict: The owner has too many open runs.
        """
        if self._starting.get(owner, 0) + len(self._memory.owned(owner)) >= MAX_OPEN_RUNS:
            message = f"a connection has {MAX_OPEN_RUNS} open runs at most; complete some"
            raise Conflict(message)
        self._starting[owner] += 1
        if claims is not None:
            self._claimed[claims] += 1

        def settled(result: Settled) -> None:
            if claims is not None:
                _less(self._claimed, claims)
            self._own(owner, result)
            done(result)

        self._journal.submit(unit, settled)

    def left_behind(self, run: Run) -> None:
        """Let a run of the last daemon wait for its agent."""
        self._memory.own(run.run_id, LAST_DAEMON)
        self._memory.set_adrift(run)

    def returned(self, agent: str, owner: str) -> tuple[str, ...]:
        """Give an agent's new connection the runs whose own has ended; gives their ids."""
        return tuple(
            run_id for run_id in self._memory.adrift(agent) if self._memory.own(run_id, owner)
        )

    def dropped(self, owner: str) -> None:
        """Note that a connection ended; its runs have their grace from now on."""
        if owner in self._starting:
            self._gone.add(owner)
        for run_id in self._memory.owned(owner):
            self._end_later(run_id, owner)

    def _own(self, owner: str, result: Settled) -> None:
        """Remember whose run this is, once it is stored; its owner may have left meanwhile."""
        left = owner in self._gone
        _less(self._starting, owner)
        if owner not in self._starting:
            self._gone.discard(owner)
        if result.error is not None or not self._memory.own(result.value.run_id, owner):
            return
        if left:
            self._end_later(result.value.run_id, owner)

    def _end_later(self, run_id: str, owner: str) -> None:
        run = self._memory.get(run_id)
        assert run is not None  # noqa: S101 only open runs have owners
        if DISCONNECT_ENDS[run.on_disconnect] is None:
            self._memory.disown(run_id, owner)
            return
        self._memory.set_adrift(run)
        grace_ms = self._grace_ms if run.grace_ms is None else run.grace_ms
        loop = asyncio.get_running_loop()
        loop.call_later(grace_ms / 1000, self._end_dropped, run_id, owner)

    def _end_dropped(self, run_id: str, owner: str) -> None:
        if self._memory.owner(run_id) != owner:
            return  # it has ended, or another connection has taken it over
        if self._claimed[run_id]:
            self._end_later(run_id, owner)
            return
        self._memory.disown(run_id, owner)
        self._journal.submit(lambda tx: self._end_in(tx, run_id), _settled)


def _less(counts: Counter[str], name: str) -> None:
    counts[name] -= 1
    if not counts[name]:
        del counts[name]


def _settled(settled: Settled) -> None:
    """Log an end that could not be written; the next start of the daemon writes it."""
    if settled.error is not None:
        log.error("run_end_failed", error=str(settled.error))
