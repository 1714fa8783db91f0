"""The methods `room.*`.

Written by `python -m scripts.write_client`.
"""

from typing import Any

from hubbub.client.calls import Methods
from hubbub.client.events import Position
from hubbub.client.generated.room_types import Room


class RoomMethods(Methods):
    """The methods `room.*`."""

    async def snapshot(
        self, *, at: Position | str | None = None, timeout_s: float | None = None
    ) -> Room:
        """Give agents, runs, sessions and work as they are, or were at a position.

        Args:
            at: A position or a cursor; left out: now.
        """
        params: dict[str, Any] = {"at": at}
        return await self._calls.invoke("room.snapshot", params, Room, timeout_s)
