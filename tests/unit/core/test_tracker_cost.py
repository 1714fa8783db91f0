"""What a write to the tracker costs: statements to the store, counted by SQLite itself."""

from collections.abc import Callable

import pytest

from hubbub.core.journal import Journal
from hubbub.core.ports import Unit
from hubbub.core.tracker.issues import Act
from hubbub.core.tracker.locks import Locks
from hubbub.core.tracker.service import CommentDraft, IssueDraft, IssuePatch, Tracker
from hubbub.storage.sqlite import SqliteStore
from tests.unit.conftest import ManualClock
from tests.unit.core.rooms import by


Write = Callable[[Tracker, Act], Unit[object]]

WHOLE: dict[str, Write] = {
    "create": lambda tracker, act: tracker.create(act, IssueDraft(title="x")),
    "update": lambda tracker, act: tracker.update(act, 1, IssuePatch(title="y")),
    "close": lambda tracker, act: tracker.close(act, 1),
    "reopen": lambda tracker, act: tracker.reopen(act, 1),
}
"""Writes that give the row which is told."""
PARTS: dict[str, Write] = {
    "create below": lambda tracker, act: tracker.create(act, IssueDraft(title="x", parent_id=1)),
    "comment": lambda tracker, act: tracker.comment(act, 1, CommentDraft(content="z")),
    "label": lambda tracker, act: tracker.label(act, 1, "new"),
    "unlabel": lambda tracker, act: tracker.unlabel(act, 1, "old"),
}
"""Writes to what hangs on an issue whose row is told."""


async def _statements(store: SqliteStore, journal: Journal, unit: Unit[object]) -> list[str]:
    """Run one unit and give what SQLite executed for it; an insert into the journal is one."""
    seen: list[str] = []
    store._db.set_trace_callback(seen.append)  # noqa: SLF001 only SQLite itself counts them all
    await journal.commit(unit)
    store._db.set_trace_callback(None)  # noqa: SLF001 as above
    return [text for text in seen if not text.startswith("INSERT INTO journal")]


@pytest.fixture
async def tracker(clock: ManualClock, journal: Journal) -> Tracker:
    """Give a tracker with one issue, which has a label."""
    tracker = Tracker(clock)
    await journal.commit(tracker.create(by(), IssueDraft(title="one")))
    await journal.commit(tracker.label(by(), 1, "old"))
    return tracker


@pytest.mark.parametrize("write", PARTS.values(), ids=PARTS)
async def test_a_write_beside_the_row_asks_for_it(
    store: SqliteStore, journal: Journal, tracker: Tracker, write: Write
) -> None:
    """What hangs on an issue is one statement to write, and one to read the row to tell."""
    seen = await _statements(store, journal, write(tracker, by()))
    assert (seen[0], len(seen), seen[-1]) == ("BEGIN IMMEDIATE", 4, "COMMIT")


@pytest.mark.parametrize("write", WHOLE.values(), ids=WHOLE)
async def test_a_write_is_one_statement(
    store: SqliteStore, journal: Journal, tracker: Tracker, write: Write
) -> None:
    """A write costs one statement of its own between begin and commit, besides its events."""
    seen = await _statements(store, journal, write(tracker, by()))
    assert (seen[0], len(seen), seen[-1]) == ("BEGIN IMMEDIATE", 3, "COMMIT")


async def test_key_and_fence_cost_two_statements_each(
    store: SqliteStore, journal: Journal, tracker: Tracker, clock: ManualClock
) -> None:
    """A key is looked up and kept; a fence asks for the issue and for its lock."""
    await journal.commit(Locks(journal, store, clock).claim(by(), 1))
    change = IssuePatch(title="z")
    keyed = await _statements(store, journal, tracker.update(by(key="k"), 1, change))
    fenced = await _statements(store, journal, tracker.update(by(fence=1), 1, change))
    assert (len(keyed), len(fenced)) == (5, 5)
