"""No event twice, none out of order, none missing: by what each door promises."""

import pytest

from hubbub.prove.checker import check
from hubbub.prove.history import Seam
from tests.prove.stories import Story


SEAMS: tuple[Seam, ...] = ("exact", "overlap", "live")


@pytest.fixture
def story() -> Story:
    """Begin an empty history."""
    return Story()


def kinds(story: Story) -> list[str]:
    """Give the kinds of all violations of a history."""
    return [violation.kind for violation in check(story.records)]


@pytest.mark.parametrize("seam", SEAMS)
def test_all_once_and_in_order_is_fine(story: Story, seam: Seam) -> None:
    """A reader that was told everything has nothing to complain of."""
    story.join(seam)
    story.tell("a", "b", "c")
    story.store("a", "b", "c")
    assert kinds(story) == []


@pytest.mark.parametrize("seam", SEAMS)
def test_twice_on_one_connection_is_twice(story: Story, seam: Seam) -> None:
    """No door may repeat itself on one connection."""
    story.join(seam)
    story.tell("a", "b", "b")
    story.store("a", "b")
    assert kinds(story) == ["delivered twice"]


@pytest.mark.parametrize(
    ("seam", "found"), [("exact", ["delivered twice"]), ("overlap", []), ("live", [])]
)
def test_again_after_coming_back_counts_where_the_door_resumes(
    story: Story, seam: Seam, found: list[str]
) -> None:
    """A backfill may repeat; a resume from a position may not."""
    story.join(seam)
    story.tell("a", "b")
    story.leave()
    story.join(seam)
    story.tell("b", "c")
    story.store("a", "b", "c")
    assert kinds(story) == found


def test_an_effect_stored_twice_is_told_twice_rightly(story: Story) -> None:
    """Its writer's violation is not its reader's too."""
    story.join()
    story.tell("a", "a")
    story.store("a", "a")
    assert kinds(story) == ["executed twice"]


@pytest.mark.parametrize("seam", SEAMS)
def test_swapped_events_are_out_of_order(story: Story, seam: Seam) -> None:
    """The journal's order is every door's order."""
    story.join(seam, after=0)
    story.tell("a", "c", "b")
    story.store("a", "b", "c")
    assert kinds(story) == ["out of order"]


@pytest.mark.parametrize(("line", "found"), [("one", ["out of order"]), ("each", [])])
def test_a_replay_topic_by_topic_keeps_the_order_of_each(
    story: Story, line: str, found: list[str]
) -> None:
    """x0x backfills one topic after the other: it does not promise one order."""
    story.join("overlap", stream="*", one_order=line == "one")
    story.tell("a", "c", stream="t1")
    story.tell("b", stream="t2")
    story.store("a", stream="t1")
    story.store("b", stream="t2")
    story.store("c", stream="t1")
    assert kinds(story) == found


@pytest.mark.parametrize(("line", "found"), [("one", ["hole after resume"]), ("each", [])])
def test_an_end_that_one_stream_did_not_live_to_see_is_no_hole(
    story: Story, line: str, found: list[str]
) -> None:
    """Where each stream has its own pace, another's later event promises nothing."""
    story.join("live", stream="*", one_order=line == "one")
    story.tell("a", stream="t1")
    story.tell("c", stream="t2")
    story.leave()
    story.store("a", "b", stream="t1")
    story.store("c", stream="t2")
    assert kinds(story) == found


def test_a_wrong_position_is_out_of_order(story: Story) -> None:
    """The position that a reader is given leads back to this event, or it is wrong."""
    story.join(after=0)
    story.tell("a", position=2)
    story.store("a", "b")
    assert "out of order" in kinds(story)


@pytest.mark.parametrize("seam", SEAMS)
def test_a_gap_on_one_connection_is_a_hole(story: Story, seam: Seam) -> None:
    """Whoever was told the first and the third was owed the second."""
    story.join(seam)
    story.tell("a", "c")
    story.store("a", "b", "c")
    assert kinds(story) == ["hole after resume"]


@pytest.mark.parametrize(
    ("seam", "found"),
    [("exact", ["hole after resume"]), ("overlap", ["hole after resume"]), ("live", [])],
)
def test_what_was_missed_while_away_is_owed_where_the_door_resumes(
    story: Story, seam: Seam, found: list[str]
) -> None:
    """A door that cannot resume owes nothing for the time between two connections."""
    story.join(seam)
    story.tell("a")
    story.leave()
    story.join(seam)
    story.tell("c")
    story.store("a", "b", "c")
    assert kinds(story) == found


@pytest.mark.parametrize("seam", SEAMS)
def test_silence_to_the_end_is_a_hole(story: Story, seam: Seam) -> None:
    """A connection that is there to the end is told the last event too."""
    story.join(seam)
    story.tell("a")
    story.ask("b")
    story.answer("b")
    story.store("a", "b")
    assert kinds(story) == ["hole after resume"]


@pytest.mark.parametrize("seam", SEAMS)
def test_a_connection_that_was_never_told_anything_is_a_hole(story: Story, seam: Seam) -> None:
    """What was asked for after it joined is owed to it."""
    story.join(seam, after=0)
    story.ask("a")
    story.answer("a")
    story.store("a")
    assert kinds(story) == ["hole after resume"]


@pytest.mark.parametrize("seam", SEAMS)
def test_dropped_with_notice_is_no_hole(story: Story, seam: Seam) -> None:
    """A door that says what it dropped keeps its promise."""
    story.join(seam)
    story.tell("a")
    story.drop()
    story.tell("c")
    story.store("a", "b", "c")
    assert kinds(story) == []


def test_not_recovered_is_a_hole(story: Story) -> None:
    """Nothing is cut during a proof, so that every position can be resumed from."""
    story.join(after=0)
    story.leave()
    story.join(recovered=False)
    assert kinds(story) == ["hole after resume"]


def test_other_topics_kinds_and_nameless_events_are_not_owed(story: Story) -> None:
    """A reader is owed what it asked for, and what can be told apart."""
    story.join(stream="t", kinds=("message",), after=0)
    story.store("x", stream="u")
    story.store("y", stream="t", kind="other")
    story.store("", stream="t")
    assert kinds(story) == []


def test_a_nameless_event_is_owed_where_the_door_shows_positions(story: Story) -> None:
    """Who is told the number of each event misses none."""
    story.join(after=0)
    story.tell("a", position=1)
    story.tell("@3", position=3)
    story.store("a", "", "")
    assert kinds(story) == ["hole after resume"]


def test_a_reader_without_a_beginning_is_owed_nothing(story: Story) -> None:
    """Who joined now and was told nothing has no first event to count from."""
    story.store("a")
    story.join()
    assert kinds(story) == []
