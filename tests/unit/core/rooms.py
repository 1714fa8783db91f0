"""What the tests of the tracker and of locks share: callers, and ears for what is told."""

from typing import Any

import msgspec

from hubbub.core.bus import Bus
from hubbub.core.tracker.issues import Act
from hubbub.core.values import OPERATOR, Event, Principal


ANN = Principal(name="ann")
BOB = Principal(name="bob")
READER = Principal(name="eve", scopes=frozenset(("read",)))


def by(caller: Principal = OPERATOR, *, key: str | None = None, fence: int | None = None) -> Act:
    """Make the act of a caller."""
    return Act(caller=caller, key=key, fence=fence)


class Told:
    """Everything that the bus told under some topics."""

    def __init__(self, bus: Bus, *patterns: str) -> None:
        self.events: list[Event] = []
        bus.listen(patterns, self.events.append)

    def take(self) -> list[tuple[str, dict[str, Any]]]:
        """Give kind and data of what was told since the last call."""
        taken = [(event.kind, msgspec.json.decode(event.data)) for event in self.events]
        self.events.clear()
        return taken

    def kinds(self) -> list[str]:
        """Give the kinds of what was told since the last call."""
        return [kind for kind, _ in self.take()]
