"""The methods `journal.*`.

Written by `python -m scripts.write_client`.
"""

from collections.abc import Sequence
from typing import Any

from hubbub.client.calls import Methods
from hubbub.client.events import Position
from hubbub.client.generated.journal_types import Activity, EffectList, FoundEvent, Page


class JournalMethods(Methods):
    """The methods `journal.*`."""

    async def activity(self, *, points: int = 100, timeout_s: float | None = None) -> Activity:
        """Give the times of some events at even distances over the whole journal.

        Args:
            points: How many to give at most.
        """
        params: dict[str, Any] = {"points": points}
        return await self._calls.invoke("journal.activity", params, Activity, timeout_s)

    async def effects(
        self, id: str, *, limit: int = 100, timeout_s: float | None = None
    ) -> EffectList:
        """Give the stored events that name an id as their cause, oldest first.

        Args:
            id: Of the event or the request that led to them.
        """
        params: dict[str, Any] = {"id": id, "limit": limit}
        return await self._calls.invoke("journal.effects", params, EffectList, timeout_s)

    async def event(self, id: str, *, timeout_s: float | None = None) -> FoundEvent:
        """Give one stored event by its id."""
        params: dict[str, Any] = {"id": id}
        return await self._calls.invoke("journal.event", params, FoundEvent, timeout_s)

    async def read(
        self,
        *,
        topics: Sequence[str] | None = None,
        after: Position | str | None = None,
        limit: int = 100,
        timeout_s: float | None = None,
    ) -> Page:
        """Read stored events, oldest first."""
        params: dict[str, Any] = {"topics": topics, "after": after, "limit": limit}
        return await self._calls.invoke("journal.read", params, Page, timeout_s)
