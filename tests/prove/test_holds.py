"""One holder at a time, and no write under a grant that has passed."""

import pytest

from hubbub.prove.checker import check
from tests.prove.stories import Story


LOCK = "locks/1"


@pytest.fixture
def story() -> Story:
    """Begin an empty history."""
    return Story()


def kinds(story: Story) -> list[str]:
    """Give the kinds of all violations of a history."""
    return [violation.kind for violation in check(story.records)]


def granted(story: Story, agent: str, fence: int, kind: str = "lock.claimed") -> None:
    """The journal tells of a grant, or of another change of a lock."""
    story.store("", stream=LOCK, kind=kind, value=agent, fence=fence)


def test_one_after_the_other_is_fine(story: Story) -> None:
    """Released, lost or stolen: the next may hold."""
    granted(story, "a", 1)
    granted(story, "a", 1, "lock.released")
    granted(story, "b", 2)
    granted(story, "b", 2, "lock.lost")
    granted(story, "a", 3)
    granted(story, "b", 4, "lock.stolen")
    assert kinds(story) == []


def test_two_grants_without_an_end_between_are_two_holders(story: Story) -> None:
    """The second got what the first still had."""
    granted(story, "a", 1)
    granted(story, "b", 2)
    assert kinds(story) == ["lock held by two"]


def test_the_end_of_an_older_grant_frees_nothing(story: Story) -> None:
    """Only the number in force can end."""
    granted(story, "a", 1)
    granted(story, "b", 2, "lock.stolen")
    granted(story, "a", 1, "lock.released")
    granted(story, "c", 3)
    assert kinds(story) == ["lock held by two"]


def test_a_number_that_does_not_grow_is_found(story: Story) -> None:
    """A fence that comes again guards nothing."""
    granted(story, "a", 2)
    granted(story, "a", 2, "lock.released")
    granted(story, "b", 2)
    assert kinds(story) == ["lock held by two"]


def test_one_number_for_two_writers_is_two_holders(story: Story) -> None:
    """Whatever the journal says, both believe that they hold."""
    story.claim(LOCK, "a", 1)
    story.claim(LOCK, "b", 1)
    granted(story, "a", 1)
    assert kinds(story) == ["lock held by two"]


def test_a_grant_of_which_no_event_tells_is_lost(story: Story) -> None:
    """It was acknowledged."""
    story.claim(LOCK, "a", 1)
    assert kinds(story) == ["acknowledged but lost"]


def write(story: Story, fence: int, outcome: str = "ok") -> None:
    """A writer writes under a lock."""
    story.ask("op", verb="issue.status", lock=LOCK, fence=fence, reads=())
    story.answer("op", outcome, verb="issue.status")  # type: ignore[arg-type]


def test_a_write_under_the_grant_in_force_is_fine(story: Story) -> None:
    """Nobody has got a newer one."""
    story.claim(LOCK, "a", 1)
    granted(story, "a", 1)
    write(story, 1)
    assert kinds(story) == []


@pytest.mark.parametrize(("outcome", "found"), [("ok", ["stale fence accepted"]), ("refused", [])])
def test_a_write_under_an_older_grant_must_be_refused(
    story: Story, outcome: str, found: list[str]
) -> None:
    """Somebody else had been told that he holds the lock before the write was sent."""
    story.claim(LOCK, "a", 1)
    story.claim(LOCK, "b", 2)
    granted(story, "a", 1)
    granted(story, "a", 1, "lock.released")
    granted(story, "b", 2)
    write(story, 1, outcome)
    assert kinds(story) == found


def test_a_write_after_the_release_must_be_refused(story: Story) -> None:
    """A grant that was given back is good for nothing."""
    story.claim(LOCK, "a", 1)
    granted(story, "a", 1)
    story.ask("r", verb="lock.release", lock=LOCK, fence=1, reads=())
    story.answer("r", verb="lock.release")
    write(story, 1)
    assert kinds(story) == ["stale fence accepted"]


def test_a_write_that_was_sent_before_the_next_grant_is_fine(story: Story) -> None:
    """What passes each other on the way is nobody's fault; its retry is given the first answer."""
    story.claim(LOCK, "a", 1)
    story.ask("op", verb="issue.status", lock=LOCK, fence=1, reads=(), key="k")
    story.answer("op", "unknown", verb="issue.status")
    story.claim(LOCK, "b", 2)
    story.ask("op", verb="issue.status", lock=LOCK, fence=1, reads=(), key="k", attempt=2)
    story.answer("op", verb="issue.status", attempt=2)
    granted(story, "a", 1)
    granted(story, "a", 1, "lock.lost")
    granted(story, "b", 2)
    assert kinds(story) == []
