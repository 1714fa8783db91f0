"""Pace: at once, then once per interval, and nothing that was asked for is lost."""

from hubbub.dialects.openclaw.pace import Pace
from tests.dialects.openclaw.timers import ManualTimers


def test_first_call_passes_at_once_and_the_next_waits() -> None:
    """Calls asked for within an interval become one, at its end."""
    timers, calls = ManualTimers(), []
    pace = Pace(timers, 150, lambda: calls.append(timers.now))
    pace.ask()
    for _ in range(5):
        pace.ask()
    assert calls == [1000.0]
    timers.advance(0.149)
    assert len(calls) == 1
    timers.advance(0.001)
    assert calls == [1000.0, 1000.15]
    timers.advance(10)
    assert len(calls) == 2
    pace.ask()
    assert len(calls) == 3


def test_stopped_pace_forgets_what_is_due() -> None:
    """Nothing is called after a stop."""
    timers, calls = ManualTimers(), []
    pace = Pace(timers, 150, lambda: calls.append(1))
    pace.ask()
    pace.ask()
    assert timers.waiting == 1
    pace.stop()
    pace.stop()
    timers.advance(1)
    assert (calls, timers.waiting) == ([1], 0)
