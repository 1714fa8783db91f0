"""Acknowledged means stored; a retry is not executed twice."""

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


def test_acknowledged_and_stored_is_fine(story: Story) -> None:
    """What was answered and is there breaks nothing."""
    story.ask("a")
    story.answer("a")
    story.store("a")
    assert kinds(story) == []


def test_acknowledged_and_not_stored_is_lost(story: Story) -> None:
    """An answer without an effect is the first thing to find."""
    story.ask("a")
    story.answer("a")
    story.store("b")
    assert kinds(story) == ["acknowledged but lost"]


def test_an_effect_must_show_in_each_of_its_reads(story: Story) -> None:
    """An issue that was made and is in no list is lost, whatever the journal says."""
    story.ask("a", reads=("event", "issue"))
    story.answer("a")
    story.store("a")
    story.find("issue", "b")
    assert kinds(story) == ["acknowledged but lost"]
    story.find("issue", "a", door="crosslink")
    assert kinds(story) == []


@pytest.mark.parametrize("outcome", ["unknown", "refused"])
def test_what_was_not_acknowledged_may_be_missing(story: Story, outcome: str) -> None:
    """An answer that was lost, or an error, promises nothing."""
    story.ask("a")
    story.answer("a", outcome)  # type: ignore[arg-type]
    assert kinds(story) == []


def test_what_was_not_acknowledged_may_be_there(story: Story) -> None:
    """An answer that was lost may have had its effect."""
    story.ask("a")
    story.answer("a", "unknown")
    story.store("a")
    assert kinds(story) == []


def test_told_and_not_stored_is_lost(story: Story) -> None:
    """A reader was told of something that never was."""
    story.join(after=0)
    story.tell("ghost")
    assert kinds(story) == ["acknowledged but lost"]


def test_an_effect_that_is_there_twice_was_executed_twice(story: Story) -> None:
    """Also where no answer was ever seen."""
    story.ask("a")
    story.answer("a", "unknown")
    story.store("a", "a")
    assert kinds(story) == ["executed twice"]


def test_a_retry_with_its_first_answer_is_fine(story: Story) -> None:
    """Two answers with one value are one effect."""
    story.ask("a", key="k")
    story.answer("a", "unknown")
    story.ask("a", key="k", attempt=2)
    story.answer("a", attempt=2, value="7")
    story.store("a")
    assert kinds(story) == []


def test_a_retry_with_another_answer_was_executed_twice(story: Story) -> None:
    """The answers of one effect differ."""
    story.ask("a", key="k", reads=())
    story.answer("a", value="7")
    story.ask("a", key="k", attempt=2, reads=())
    story.answer("a", attempt=2, value="8")
    assert kinds(story) == ["executed twice"]


def test_two_doors_may_show_one_effect(story: Story) -> None:
    """What each door shows is counted by itself."""
    story.find("issue", "a", door="crosslink")
    story.find("issue", "a", door="hubbub")
    assert kinds(story) == []


def test_a_turn_that_its_runner_took_twice_was_executed_twice(story: Story) -> None:
    """The runner's own list counts, whatever the events say."""
    story.find("execution", "run-1", "run-2", "run-1", door="runner")
    assert kinds(story) == ["executed twice"]
