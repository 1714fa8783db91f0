"""The methods `room.*`, for callers without an event loop.

Written by `python -m scripts.write_client`.
"""

from hubbub.client.calls import BlockingMethods, Loop
from hubbub.client.events import Position
from hubbub.client.generated.room import RoomMethods
from hubbub.client.generated.room_types import Room


class BlockingRoomMethods(BlockingMethods):
    """The methods `room.*`."""

    def __init__(self, loop: Loop, twin: RoomMethods) -> None:
        """Call what has an event loop."""
        super().__init__(loop)
        self._twin = twin

    def snapshot(self, *, at: Position | str | None = None, timeout_s: float | None = None) -> Room:
        """Give agents, runs, sessions and work as they are, or were at a position.

        Args:
            at: A position or a cursor; left out: now.
        """
        return self._loop.run(self._twin.snapshot(at=at, timeout_s=timeout_s))
