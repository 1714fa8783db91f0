"""The methods `journal.*`, for callers without an event loop.

Written by `python -m scripts.write_client`.
"""

from collections.abc import Sequence

from hubbub.client.calls import BlockingMethods, Loop
from hubbub.client.events import Position
from hubbub.client.generated.journal import JournalMethods
from hubbub.client.generated.journal_types import Activity, EffectList, FoundEvent, Page


class BlockingJournalMethods(BlockingMethods):
    """The methods `journal.*`."""

    def __init__(self, loop: Loop, twin: JournalMethods) -> None:
        """Call what has an event loop."""
        super().__init__(loop)
        self._twin = twin

    def activity(self, *, points: int = 100, timeout_s: float | None = None) -> Activity:
        """Give the times of some events at even distances over the whole journal.

        Args:
            points: How many to give at most.
        """
        return self._loop.run(self._twin.activity(points=points, timeout_s=timeout_s))

    def effects(self, id: str, *, limit: int = 100, timeout_s: float | None = None) -> EffectList:
        """Give the stored events that name an id as their cause, oldest first.

        Args:
            id: Of the event or the request that led to them.
        """
        return self._loop.run(self._twin.effects(id, limit=limit, timeout_s=timeout_s))

    def event(self, id: str, *, timeout_s: float | None = None) -> FoundEvent:
        """Give one stored event by its id."""
        return self._loop.run(self._twin.event(id, timeout_s=timeout_s))

    def read(
        self,
        *,
        topics: Sequence[str] | None = None,
        after: Position | str | None = None,
        limit: int = 100,
        timeout_s: float | None = None,
    ) -> Page:
        """Read stored events, oldest first."""
        return self._loop.run(
            self._twin.read(topics=topics, after=after, limit=limit, timeout_s=timeout_s)
        )
