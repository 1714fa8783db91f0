"""What a case says to a listener and expects of it."""

from collections.abc import Awaitable, Callable
from typing import NamedTuple

from tests.conformance.raw import CLOSE, END, PONG, TEXT, Came, closing, frame
from tests.conformance.voices import Voice


LARGEST_BYTES = {
    "hubbub": 16 * 1024 * 1024,
    "x0x": 16 * 1024 * 1024,
    "crosslink": 64 * 1024,
    "car": 16 * 1024 * 1024,
    "openclaw": 512 * 1024,
}
"""The largest message in bytes that a listener takes; one byte more ends the connection."""


class Talk:
    """One connection in one case."""

    def __init__(self, voice: Voice) -> None:
        self.voice = voice
        self.largest = LARGEST_BYTES[voice.door]
        self._texts: list[Came] = []
        self._controls: list[Came] = []

    async def send(self, *data: bytes, chop: int = 0) -> None:
        """Send bytes as they are."""
        await self.voice.socket.send(b"".join(data), chop)

    async def ask(self, word: str) -> None:
        """Send the application message in one frame."""
        await self.send(frame(TEXT, self.voice.ask(word)))

    async def pong(self, payload: bytes = b"") -> None:
        """Expect a pong next, whatever the application says meanwhile."""
        came = await self._control()
        assert came == Came(PONG, payload), f"{came} instead of a pong"

    async def answer(self, word: str) -> None:
        """Expect the answer to the application message."""
        await self.voice.provoke(word)
        while True:
            came = self._texts.pop(0) if self._texts else await self.voice.socket.receive()
            if came.opcode in (PONG, CLOSE):
                self._controls.append(came)
                assert came.opcode == PONG, f"closed with {came.payload!r} instead of an answer"
            elif self.voice.answers(word, came):
                return

    async def closed(self, *codes: int | None) -> None:
        """Expect a close frame with one of these codes, then the end of the stream."""
        came = await self._control()
        assert came.opcode == CLOSE, f"{came} instead of a close frame with {codes}"
        assert came.code in codes, f"closed with {came.payload!r}, not with {codes}"
        came.payload[2:].decode()  # a reason is UTF-8
        last = await self.voice.socket.receive()
        assert last == END, f"{last} after the close frame"

    async def well(self) -> None:
        """Expect the connection to work, and to close as asked."""
        await self.ask("still there?")
        await self.answer("still there?")
        await self.send(closing(1000))
        await self.closed(1000)

    async def control(self) -> Came:
        """Take the next control frame."""
        return await self._control()

    async def _control(self) -> Came:
        if self._controls:
            return self._controls.pop(0)
        while (came := await self.voice.socket.receive()).opcode == TEXT:
            self._texts.append(came)
        return came


class Case(NamedTuple):
    """One case, numbered as the Autobahn suite numbers what it is about."""

    id: str
    what: str
    run: Callable[[Talk], Awaitable[None]]


class NonStrict(Exception):
    """The server did what it must, later than it could."""
