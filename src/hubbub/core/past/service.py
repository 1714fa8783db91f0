"""Tells how the room is, and how it was."""

from typing import Any

from hubbub.core.journal import Journal
from hubbub.core.past import present
from hubbub.core.past.room import Room
from hubbub.core.ports import Store
from hubbub.core.values import Position


class Past:
    """Reads the room, now or at a place of the journal."""

    def __init__(self, journal: Journal, store: Store) -> None:
        """Read a store."""
        self._journal = journal
        self._store = store

    async def room(self) -> Room:
        """Give the room as it is; whoever follows from its position misses nothing."""
        seq, tables = await self._store.together(present.QUERIES)
        await self._journal.told(seq)
        return await self._room(seq, present.parts(tables))

    async def _room(self, seq: int, parts: dict[str, list[Any]]) -> Room:
        newest = await self._store.rows("journal_at", seq=seq)
        position = Position(epoch=self._store.epoch, seq=seq)
        return Room(position=position, at=newest[0][0] if newest else None, **parts)
