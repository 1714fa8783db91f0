"""A clock for timers that moves only when the test says so."""

from collections.abc import Callable


class ManualTimer:
    """One call that is due some time."""

    def __init__(self, due: float, callback: Callable[[], None]) -> None:
        self.due = due
        self.callback = callback
        self.cancelled = False

    def cancel(self) -> None:
        """Not any more."""
        self.cancelled = True


class ManualTimers:
    """Calls what is due as time passes, in order."""

    def __init__(self) -> None:
        self.now = 1000.0
        self._timers: list[ManualTimer] = []

    def time(self) -> float:
        """Tell the time in seconds."""
        return self.now

    def call_later(self, delay: float, callback: Callable[[], None], /) -> ManualTimer:
        """Have something called."""
        timer = ManualTimer(self.now + delay, callback)
        self._timers.append(timer)
        return timer

    @property
    def waiting(self) -> int:
        """Calls that are due some time."""
        return sum(not timer.cancelled for timer in self._timers)

    def advance(self, seconds: float) -> None:
        """Let time pass."""
        end = round(self.now + seconds, 6)
        while True:
            due = [t for t in self._timers if not t.cancelled and t.due <= end + 1e-9]
            if not due:
                break
            first = min(due, key=lambda timer: timer.due)
            self._timers.remove(first)
            self.now = max(self.now, first.due)
            first.callback()
        self.now = end
