"""An outbox that records what it is given and can be made to refuse."""

import asyncio


class RecordingOutbox:
    """Keeps frames; ``room`` is how many more event frames it takes."""

    def __init__(self, room: int | None = None) -> None:
        self.frames: list[bytes] = []
        self.pressed: list[bytes] = []
        self.answers: list[bytes] = []
        self.closed: tuple[int, str] | None = None
        self.room = room
        self.dropped = 0
        self._space = asyncio.Event()
        self._arrived = asyncio.Event()

    def frame(self, message: bytes) -> bytes:
        """Give the message back: this connection has no framing."""
        return message

    def push(self, frame: bytes) -> bool:
        """Take a frame if there is room."""
        if self.room is not None:
            if self.room == 0:
                return False
            self.room -= 1
        self.frames.append(frame)
        self._arrived.set()
        return True

    def press(self, frame: bytes) -> None:
        """Take a frame that must not be dropped."""
        self.pressed.append(frame)

    def send(self, message: bytes) -> None:
        """Take an answer."""
        self.answers.append(message)

    async def drained(self) -> None:
        """Wait until there is room."""
        while self.room == 0:
            self._space.clear()
            await self._space.wait()

    def make_room(self, frames: int | None) -> None:
        """Take this many more frames; ``None``: any number."""
        self.room = frames
        self._space.set()

    def close(self, code: int, reason: str) -> None:
        """Remember how it was closed."""
        self.closed = (code, reason)
        self._arrived.set()

    async def holds(self, frames: int) -> list[bytes]:
        """Wait until this many frames have come, or the connection was closed."""
        while len(self.frames) < frames and self.closed is None:
            self._arrived.clear()
            await self._arrived.wait()
        return self.frames
