"""Last events: not too early, and in order within a session."""

import functools

import pytest

from hubbub.dialects.openclaw.endings import Endings
from tests.dialects.openclaw.timers import ManualTimers


class Stage:
    """Last events, and what was told of them."""

    def __init__(self) -> None:
        self.timers = ManualTimers()
        self.endings = Endings(self.timers)
        self.told: list[str] = []

    def tell(self, name: str, session: str = "s", *, wait: float = 0.0) -> None:
        """Tell an event that may be told after so many seconds."""
        call = functools.partial(self.told.append, name)
        self.endings.tell(session, call, not_before=self.timers.time() + wait)


@pytest.fixture
def stage() -> Stage:
    """Begin with nothing told."""
    return Stage()


def test_what_may_be_told_is_told_at_once(stage: Stage) -> None:
    """Nothing waits that need not."""
    stage.tell("a")
    stage.tell("b")
    assert stage.told == ["a", "b"]
    assert stage.timers.waiting == 0


def test_what_is_too_early_waits_for_its_time(stage: Stage) -> None:
    """And no longer."""
    stage.tell("a", wait=0.05)
    stage.timers.advance(0.049)
    assert stage.told == []
    stage.timers.advance(0.001)
    assert stage.told == ["a"]
    stage.tell("b")
    assert stage.told == ["a", "b"]


def test_an_end_does_not_overtake_one_of_its_session(stage: Stage) -> None:
    """A turn taken up after a restart may end later than the next one may be told."""
    stage.tell("a", wait=0.05)
    stage.tell("b")
    stage.tell("c", wait=0.02)
    stage.tell("d", wait=0.08)
    assert stage.told == []
    stage.timers.advance(0.05)
    assert stage.told == ["a", "b", "c"]
    stage.timers.advance(0.03)
    assert stage.told == ["a", "b", "c", "d"]
    assert stage.timers.waiting == 0


def test_sessions_do_not_wait_for_each_other(stage: Stage) -> None:
    """Each has its own pace."""
    stage.tell("a", "s", wait=0.05)
    stage.tell("b", "t")
    stage.tell("c", "t", wait=0.01)
    stage.timers.advance(0.02)
    assert stage.told == ["b", "c"]


def test_closing_tells_what_is_held_back(stage: Stage) -> None:
    """In order, and nothing is told again later."""
    stage.tell("a", wait=0.05)
    stage.tell("b")
    stage.endings.close()
    assert stage.told == ["a", "b"]
    assert stage.timers.waiting == 0
    stage.timers.advance(1)
    assert stage.told == ["a", "b"]
