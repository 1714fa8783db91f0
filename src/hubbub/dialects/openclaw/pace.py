"""Doing something at once, but not again before an interval has passed."""

from collections.abc import Callable
from typing import Protocol


class Timer(Protocol):
    """Something that will be called."""

    def cancel(self) -> None:
        """Not any more."""


class Timers(Protocol):
    """What an event loop does on the clock."""

    def time(self) -> float:
        """Give seconds on a clock that never goes back."""

    def call_later(self, delay: float, callback: Callable[[], None], /) -> Timer:
        """Call something after so many seconds."""


class Pace:
    """Calls an action when it is asked to; asked too early, it calls once at the interval's end."""

    __slots__ = ("_act", "_interval_s", "_next", "_timer", "_timers")

    def __init__(self, timers: Timers, interval_ms: int, act: Callable[[], None]) -> None:
        """Let the first call pass at once."""
        self._timers = timers
        self._interval_s = interval_ms / 1000
        self._act = act
        self._next = timers.time()
        self._timer: Timer | None = None

    def ask(self) -> None:
        """Call the action now, or as soon as it may be called."""
        if self._timer is not None:
            return
        wait = self._next - self._timers.time()
        if wait <= 0:
            self._run()
        else:
            self._timer = self._timers.call_later(wait, self._fire)

    def stop(self) -> None:
        """Forget a call that is due."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _fire(self) -> None:
        self._timer = None
        self._run()

    def _run(self) -> None:
        self._next = self._timers.time() + self._interval_s
        self._act()
