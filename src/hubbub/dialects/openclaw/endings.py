"""The last events of runs: none too early, and those of one session in the journal's order."""

from collections import deque
from collections.abc import Callable

from hubbub.dialects.openclaw.pace import Timer, Timers


class Endings:
    """Holds back last events until they may be told.

    One that must wait holds up those behind it in its session: clients show a session from
    top to bottom, and a run that ended first stands there first.
    """

    def __init__(self, timers: Timers) -> None:
        """Begin with nothing held back."""
        self._timers = timers
        self._held: dict[str, deque[tuple[float, Callable[[], None]]]] = {}
        """Of each session, what is due when, in order."""
        self._next: dict[str, Timer] = {}

    def tell(self, session_key: str, call: Callable[[], None], *, not_before: float = 0.0) -> None:
        """Tell a last event now, or as soon as it may be told.

        Args:
            session_key: The session's own key, however its senders write it.
            not_before: Time of the timers.
        """
        held = self._held.get(session_key)
        if held is None and not_before <= self._timers.time():
            call()
            return
        if held is None:
            held = self._held[session_key] = deque()
        held.append((not_before, call))
        if len(held) == 1:
            self._wait(session_key)

    def close(self) -> None:
        """Tell all that is held back: there will be no later."""
        for timer in self._next.values():
            timer.cancel()
        self._next.clear()
        while self._held:
            _, held = self._held.popitem()
            for _, call in held:
                call()

    def _wait(self, session_key: str) -> None:
        due, _ = self._held[session_key][0]
        wait = max(0.0, due - self._timers.time())
        self._next[session_key] = self._timers.call_later(wait, lambda: self._go_on(session_key))

    def _go_on(self, session_key: str) -> None:
        """Tell the first, and all behind it that are due too."""
        del self._next[session_key]
        held = self._held[session_key]
        _, call = held.popleft()
        call()
        while held and held[0][0] <= self._timers.time():
            _, call = held.popleft()
            call()
        if held:
            self._wait(session_key)
        else:
            del self._held[session_key]
