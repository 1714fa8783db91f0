"""Turns and ends of runs that are written under a lock or a reservation."""

import pytest

from hubbub.core.bus import Bus
from hubbub.core.journal import Journal
from hubbub.core.runs.service import Runs
from hubbub.core.runs.trace import Turn
from hubbub.core.tracker.locks import Locks
from hubbub.core.tracker.reservation_table import Grant
from hubbub.core.tracker.service import IssueDraft, Tracker
from hubbub.core.values import uuid7
from hubbub.errors import IdempotencyConflict, StaleFence
from hubbub.storage.sqlite import SqliteStore
from tests.unit.conftest import ManualClock
from tests.unit.core.rooms import by
from tests.unit.core.runs_words import ANN, BOB, SUCCESS, new_run


async def test_run_step_under_a_grant_that_ended_is_refused(
    journal: Journal, store: SqliteStore, bus: Bus, clock: ManualClock
) -> None:
    """While the lock is held its steps are taken; after that none, and nothing half-done."""
    runs, locks = Runs(journal, store, bus, clock, uuid7), Locks(journal, store, clock)
    await journal.commit(Tracker(clock).create(by(), IssueDraft(title="a")))
    lock = await journal.commit(locks.claim(by(ANN), 1))
    grant = Grant(issue_id=1, fence=lock.fence)
    run = await runs.start(ANN, new_run())
    turns = [Turn(prompt="p")]
    first = await runs.record_turns(ANN, run.run_id, turns, key="k", under=grant)
    assert first.count == 1

    await journal.commit(locks.steal(by(BOB), 1, "mine"))
    with pytest.raises(StaleFence):
        await runs.record_turns(ANN, run.run_id, turns, under=grant)
    with pytest.raises(StaleFence):
        await runs.complete(ANN, run.run_id, SUCCESS, under=grant)
    now = await runs.find(run.run_id)
    assert (now.status, now.turn_count) == ("in_progress", 1)
    # A retry is no new write: it is told what became of the first.
    assert await runs.record_turns(ANN, run.run_id, turns, key="k", under=grant) == first
    with pytest.raises(IdempotencyConflict):
        await runs.record_turns(ANN, run.run_id, turns, key="k")
    assert (await runs.complete(ANN, run.run_id, SUCCESS)).status == "completed"
