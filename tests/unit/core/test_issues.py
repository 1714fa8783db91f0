"""Reading an issue inside a unit."""

import pytest

from hubbub.core.journal import Journal
from hubbub.core.tracker.issues import check_exists
from hubbub.errors import NotFound


async def test_missing_issue_is_named(journal: Journal) -> None:
    """The error says what was looked for, and under which number."""
    with pytest.raises(NotFound, match="blocker 99 not found"):
        await journal.commit(lambda tx: check_exists(tx, 99, "blocker"))
