"""Runs: one execution by an agent each, from its start to a terminal outcome.

A run outlives the connections of those who watch it and of the one who started it. The
store holds it; the open ones are also kept in memory, which follows the runs' own events
and is therefore right for runs that another service (chat) starts and ends in its units.
"""

import asyncio
from collections.abc import Callable, Sequence

import msgspec

from hubbub.core.bus import Bus
from hubbub.core.idempotency import digest, once
from hubbub.core.journal import Journal
from hubbub.core.ports import Settled, Store, Transaction, Unit
from hubbub.core.runs.open_runs import OpenRuns
from hubbub.core.runs.outcomes import Outcome, cancelled, reported
from hubbub.core.runs.owners import LAST_DAEMON, Owners
from hubbub.core.runs.run import (
    DISCONNECT_ENDS,
    Ended,
    Ending,
    Run,
    RunEnded,
    Snapshot,
    StartRun,
    after_end,
    check_start,
    may_write,
    run_of,
    same_run,
)
from hubbub.core.runs.run_table import RunTable
from hubbub.core.runs.trace import Recorded, Turn, check_batch
from hubbub.core.tracker.reservation_table import Grant, guarded
from hubbub.core.values import Clock, IdSource, Principal
from hubbub.errors import Conflict, Forbidden, InvalidRequest, NotFound


MAX_LIST = 1000
"""Runs in one list at most."""
DAEMON = "daemon"
"""Actor of what nobody asked for: the end of a run whose connection is gone."""


class Runs(RunTable):
    """Starts, follows and ends runs."""

    def __init__(
        self,
        journal: Journal,
        store: Store,
        bus: Bus,
        clock: Clock,
        ids: IdSource,
        *,
        grace_ms: int = 250,
        leases: Clock | None = None,
    ) -> None:
        """Begin with no run; ``load`` brings back the open ones.

        Args:
            grace_ms: Milliseconds between the end of a connection and that of its runs, where
                they do not say it themselves.
            leases: The clock by which locks go; ``None``: the same.
        """
        super().__init__(clock)
        self._journal = journal
        self._store = store
        self._ids = ids
        self._leases = leases or clock
        self._memory = OpenRuns()
        self._owners = Owners(self._memory, journal, grace_ms=grace_ms, end_in=self._drop_in)
        bus.listen(["runs/*"], self._memory.heard)

    async def load(self) -> None:
        """Read the open runs; those whose connection died with the last daemon end.

        At once, unless they were given a grace of their own: they wait for their agent, and
        the grace begins with ``open``.
        """

        def load(tx: Transaction) -> list[Run]:
            still_open = []
            for run in map(run_of, tx.rows("run_open")):
                if run.source == "chat" or run.grace_ms or not _ends_with_owner(run):
                    still_open.append(run)
                else:
                    self._drop_in(tx, run.run_id)
            return still_open

        runs = await self._journal.commit(load)
        self._memory.fill(runs)
        for run in runs:
            if run.source != "chat" and _ends_with_owner(run):
                self._owners.left_behind(run)

    def open(self) -> None:
        """Begin the grace of the runs that the last daemon left; call once the doors are open."""
        self._owners.dropped(LAST_DAEMON)

    # -- verbs ---------------------------------------------------------------------------

    def submit_start(
        self,
        caller: Principal,
        new: StartRun,
        owner: str | None,
        done: Callable[[Settled], None],
    ) -> None:
        """Start a run, or find the one that has the idempotency key; gives a ``Run``.

        Args:
            owner: Connection whose end may end the run; ``None``: nobody's.
            done: Called after the commit, also if the owner has left meanwhile.

        Raises:
            RequestError: At once, where the request itself is wrong.
        """
        unit = self._start(caller, new)
        if owner is None:
            self._journal.submit(unit, done)
        else:
            self._owners.submit(unit, owner, done, claims=new.idempotency_key)

    async def start(self, caller: Principal, new: StartRun, owner: str | None = None) -> Run:
        """Start a run and wait until it is stored. As ``submit_start``."""
        future: asyncio.Future[Run] = asyncio.get_running_loop().create_future()
        self.submit_start(caller, new, owner, lambda settled: settled.answer(future))
        return await future

    async def resume(self, caller: Principal, run_id: str, owner: str) -> Run:
        """Make a connection the owner of an open run, whoever was, and give the run.

        Raises:
            NotFound: There is no such run.
            RunEnded: It has ended; nobody can take it over any more.
            Conflict: It is a chat turn, or the connection has too many open runs.
            Forbidden: It is another agent's.
        """
        caller.require("write")

        def find(tx: Transaction) -> Run:
            run = self._writable_in(tx, caller, run_id)
            if run.status != "in_progress":
                raise RunEnded(run)
            return run

        future: asyncio.Future[Run] = asyncio.get_running_loop().create_future()
        self._owners.submit(find, owner, lambda settled: settled.answer(future), claims=run_id)
        return await future

    def returned(self, agent: str, owner: str) -> tuple[str, ...]:
        """Note that an agent has a new connection; gives the runs that it takes over.

        These are its open runs whose own connection has ended, and which would end with it.
        """
        return self._owners.returned(agent, owner)

    def completing(
        self,
        caller: Principal,
        run_id: str,
        outcome: Outcome,
        *,
        key: str | None = None,
        under: Grant | None = None,
    ) -> Unit[Run]:
        """Make the unit that ends a run with what its agent reports.

        Args:
            under: The lock or reservation under which it is written.

        Raises:
            NotFound: (from the unit, as all that follow) There is no such run.
            Conflict: It has ended; the first end is kept. Or it is a chat turn.
            Forbidden: It is another agent's.
            TooLarge: The outcome is.
            StaleFence: What it is written under has ended.
        """
        caller.require("write")
        termination = reported(outcome, now_ms=self._clock())
        request = digest("runs.complete", run_id, *_parts(outcome, under))
        end = guarded(self._ending(caller, run_id, "completed", termination), under, self._leases)
        return once(end, caller=caller, key=key, request=request, result=Run, clock=self._clock)

    async def complete(
        self,
        caller: Principal,
        run_id: str,
        outcome: Outcome,
        *,
        key: str | None = None,
        under: Grant | None = None,
    ) -> Run:
        """End a run with what its agent reports. As ``completing``."""
        unit = self.completing(caller, run_id, outcome, key=key, under=under)
        return await self._journal.commit(unit)

    async def cancel(
        self, caller: Principal, run_id: str, *, reason: str = "rpc", key: str | None = None
    ) -> Run:
        """End a run without an outcome. Raises as ``completing``."""
        caller.require("write")
        request = digest("runs.cancel", run_id, reason)
        end = self._ending(caller, run_id, "cancelled", cancelled(reason))
        return await self._journal.commit(
            once(end, caller=caller, key=key, request=request, result=Run, clock=self._clock)
        )

    def recording(
        self,
        caller: Principal,
        run_id: str,
        turns: Sequence[Turn],
        *,
        key: str | None = None,
        under: Grant | None = None,
    ) -> Unit[Recorded]:
        """Make the unit that adds turns to a run: all of them or none.

        Args:
            under: The lock or reservation under which they are written.

        Raises:
            InvalidRequest: More turns than one call may bring.
            StaleFence: (from the unit) What they are written under has ended.
        """
        caller.require("write")
        check_batch(turns)

        def record(tx: Transaction) -> Recorded:
            return self.record_in(tx, caller, run_id, turns)

        return once(
            guarded(record, under, self._leases),
            caller=caller,
            key=key,
            request=digest("runs.record_turns", run_id, *_parts(turns, under)),
            result=Recorded,
            clock=self._clock,
        )

    async def record_turns(
        self,
        caller: Principal,
        run_id: str,
        turns: Sequence[Turn],
        *,
        key: str | None = None,
        under: Grant | None = None,
    ) -> Recorded:
        """Add turns to a run. As ``recording``."""
        unit = self.recording(caller, run_id, turns, key=key, under=under)
        return await self._journal.commit(unit)

    def dropped(self, owner: str) -> None:
        """Note that a connection ended.

        After the grace its runs do what they were started to do, unless another connection has
        taken them over; a ``complete`` that was on its way wins.
        """
        self._owners.dropped(owner)

    # -- reading -------------------------------------------------------------------------

    def get(self, run_id: str) -> Run | None:
        """Give a run from memory: any open one, and those that ended lately."""
        return self._memory.get(run_id)

    def owner(self, run_id: str) -> str | None:
        """Name the connection whose end may end this run."""
        return self._memory.owner(run_id)

    async def find(self, run_id: str) -> Run:
        """Give a run, however old.

        Raises:
            NotFound: There is no such run.
        """
        run = self.get(run_id)
        if run is not None:
            return run
        rows = await self._store.rows("run_get", run_id=run_id)
        if not rows:
            raise NotFound("run", run_id)
        return run_of(rows[0])

    async def snapshot(self, run_id: str) -> Snapshot:
        """Give a run and all its turns as of one place in the journal, to follow it from.

        Raises:
            NotFound: There is no such run.
        """
        rows = await self._store.rows("run_snapshot", run_id=run_id)
        if not rows:
            raise NotFound("run", run_id)
        seq, turns = rows[0][-2:]
        await self._journal.told(seq)
        return Snapshot(run=run_of(rows[0]), turns=msgspec.Raw(turns), seq=seq)

    async def list(self, agent: str | None = None, *, limit: int = MAX_LIST) -> list[Run]:
        """Give the newest runs of an agent, or of all, newest first."""
        if not 1 <= limit <= MAX_LIST:
            message = f"limit must be from 1 to {MAX_LIST}"
            raise InvalidRequest(message)
        rows = await self._store.rows("run_list", agent=agent, limit=limit)
        return [run_of(row) for row in rows]

    # -- units ---------------------------------------------------------------------------

    def _start(self, caller: Principal, new: StartRun) -> Unit[Run]:
        caller.require("write")
        check_start(caller, new)
        run_id = self._ids() if new.idempotency_key is None else new.idempotency_key

        def start(tx: Transaction) -> Run:
            known = self.find_in(tx, run_id)
            if known is not None:
                return same_run(known, new)
            run = Run(
                run_id=run_id,
                agent=new.agent,
                client=new.client,
                intent=new.intent,
                outcome_description=new.outcome_description,
                source=new.source,
                on_disconnect=new.on_disconnect,
                grace_ms=new.grace_ms,
                started_at=self._clock(),
            )
            self.start_in(tx, run, actor=caller.id)
            return run

        return start

    def _ending(
        self, caller: Principal, run_id: str, status: Ending, termination: msgspec.Raw
    ) -> Unit[Run]:
        def end(tx: Transaction) -> Run:
            run = self._writable_in(tx, caller, run_id)
            event = self.end_in(tx, run_id, status, termination, actor=caller.id)
            return after_end(run, msgspec.json.decode(event.data, type=Ended))

        return end

    def _writable_in(self, tx: Transaction, caller: Principal, run_id: str) -> Run:
        """Give a run that a caller may end."""
        run = self.find_in(tx, run_id)
        if run is None:
            raise NotFound("run", run_id)
        if not may_write(caller, run.agent):
            message = f"run {run_id} belongs to another agent"
            raise Forbidden(message)
        if run.source == "chat":
            message = f"run {run_id} is a chat turn; its session ends it (abort the turn)"
            raise Conflict(message)
        return run

    def _drop_in(self, tx: Transaction, run_id: str) -> None:
        """End an open run as it was started to, because its connection is gone."""
        run = self.find_in(tx, run_id)
        if run is not None and run.status == "in_progress":
            end = DISCONNECT_ENDS[run.on_disconnect]
            assert end is not None  # noqa: S101 those that go on have nobody whose end counts
            self.end_in(tx, run_id, *end, actor=DAEMON)


def _ends_with_owner(run: Run) -> bool:
    return DISCONNECT_ENDS[run.on_disconnect] is not None


def _parts(body: object, under: Grant | None) -> list[bytes]:
    """Give what decides the effect of a write, as JSON."""
    parts = (body,) if under is None else (body, under)
    return [msgspec.json.encode(part) for part in parts]
