"""What the tracker's units share: reading an issue that must be there."""

import pytest

from hubbub.core.issues import existing
from hubbub.core.journal import Journal
from hubbub.core.tracker import IssueDraft, Tracker
from hubbub.errors import NotFound
from tests.unit.conftest import ManualClock
from tests.unit.core.rooms import by


async def test_issue_that_is_there_is_read_inside_a_unit(
    journal: Journal, clock: ManualClock
) -> None:
    """A unit sees the issue as it stands, title and number."""
    made = await journal.commit(Tracker(clock).create(by(), IssueDraft(title="a")))

    assert await journal.commit(lambda tx: existing(tx, made.id)) == made


async def test_issue_that_is_not_there_is_named_as_the_caller_knows_it(journal: Journal) -> None:
    """A number without an issue is refused in the words of the verb that looked for it."""
    with pytest.raises(NotFound, match="parent issue 9 not found"):
        await journal.commit(lambda tx: existing(tx, 9, "parent issue"))
