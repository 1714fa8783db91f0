"""Each run, turn and request comes to one end."""

import pytest

from hubbub.prove.checker import check
from tests.prove.stories import Story


@pytest.fixture
def story() -> Story:
    """Begin an empty history."""
    return Story()


def kinds(story: Story) -> list[str]:
    """Give the kinds of all violations of a history."""
    return [violation.kind for violation in check(story.records)]


@pytest.mark.parametrize(
    ("begin", "end"),
    [
        ("run.started", "run.ended"),
        ("chat.accepted", "chat.final"),
        ("chat.accepted", "chat.error"),
        ("chat.accepted", "chat.aborted"),
    ],
)
def test_a_beginning_needs_its_end(story: Story, begin: str, end: str) -> None:
    """A run that no event ends hangs for ever."""
    story.store("begin", kind=begin, value="run-1")
    assert kinds(story) == ["run stuck"]
    story.store("end", kind=end, value="run-1")
    assert kinds(story) == []


def test_the_end_of_the_run_is_not_the_end_of_the_turn(story: Story) -> None:
    """A turn has a run of the same name; each needs an end of its own."""
    story.store("begin", kind="chat.accepted", value="run-1")
    story.store("end", kind="run.ended", value="run-1")
    assert kinds(story) == ["run stuck"]


def test_two_ends_are_one_too_many(story: Story) -> None:
    """A turn that failed cannot have an answer too."""
    story.store("begin", kind="chat.accepted", value="run-1")
    story.store("final", kind="chat.final", value="run-1")
    story.store("error", kind="chat.error", value="run-1")
    assert kinds(story) == ["executed twice"]


def test_a_run_that_a_door_shows_in_progress_is_stuck(story: Story) -> None:
    """At the end every writer has ended what it began."""
    story.find("run", "run-1", value="completed")
    assert kinds(story) == []
    story.find("run", "run-2", value="in_progress")
    assert kinds(story) == ["run stuck"]


def test_a_request_that_is_never_answered_is_stuck(story: Story) -> None:
    """A writer with a key tries until the end; in a sound world it is answered."""
    story.ask("a", key="k")
    story.answer("a", "unknown")
    assert kinds(story) == ["run stuck"]
    story.ask("a", key="k", attempt=2)
    story.answer("a", "refused", attempt=2)
    assert kinds(story) == []


def test_a_request_without_a_key_is_not_waited_for(story: Story) -> None:
    """It is sent once, and nobody knows."""
    story.ask("a")
    story.answer("a", "unknown")
    assert kinds(story) == []
