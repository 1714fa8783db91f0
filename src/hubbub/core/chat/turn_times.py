"""How long agents' turns take, from the events that tell of them."""

import msgspec

from hubbub.core.bus import Bus
from hubbub.core.values import Event
from hubbub.telemetry import Metrics


OUTCOMES = {"chat.final": "final", "chat.error": "error", "chat.aborted": "aborted"}
"""Kinds of events that end a turn."""
MAX_OPEN = 10_000
"""Turns that are waited for; the oldest go first."""


class _Turn(msgspec.Struct):
    run_id: str
    agent: str = ""


class TurnTimes:
    """Counts the seconds of each turn, by agent and outcome."""

    def __init__(self, bus: Bus, metrics: Metrics) -> None:
        """Listen from now on."""
        self._seconds = metrics.turn_seconds
        self._open: dict[str, tuple[str, int]] = {}
        bus.listen(["chat/*"], self._heard)

    def _heard(self, event: Event) -> None:
        if event.kind == "chat.started":
            turn = msgspec.json.decode(event.data, type=_Turn)
            self._open[turn.run_id] = (turn.agent, event.at)
            if len(self._open) > MAX_OPEN:
                del self._open[next(iter(self._open))]
        elif event.kind in OUTCOMES:
            turn = msgspec.json.decode(event.data, type=_Turn)
            agent, started_at = self._open.pop(turn.run_id, ("", 0))
            if agent:
                seconds = (event.at - started_at) / 1000
                self._seconds.labels(agent, OUTCOMES[event.kind]).observe(seconds)
