"""A WebSocket client that sends any bytes at all, and tells exactly what came back."""

import asyncio
import base64
import contextlib
import os
from collections.abc import Mapping, Sequence
from typing import NamedTuple, Self

from tests.clients.waiting import PATIENCE_S


CONTINUATION, TEXT, BINARY, CLOSE, PING, PONG = 0x0, 0x1, 0x2, 0x8, 0x9, 0xA
MASK = b"\x37\xfa\x21\x3d"
MAX_HEAD_BYTES = 65_536


class Came(NamedTuple):
    """One frame from the server; `opcode` -1 stands for the end of the stream."""

    opcode: int
    payload: bytes

    @property
    def code(self) -> int | None:
        """The code of a close frame; `None` where it has none."""
        return int.from_bytes(self.payload[:2], "big") if self.payload else None


END = Came(-1, b"")


def header(
    opcode: int, length: int, *, fin: bool = True, rsv: int = 0, masked: bool = True
) -> bytes:
    """Make a frame's header, up to its masking key."""
    first = (0x80 if fin else 0) | rsv << 4 | opcode
    bit = 0x80 if masked else 0
    if length < 126:
        return bytes((first, bit | length))
    if length < 65_536:
        return bytes((first, bit | 126)) + length.to_bytes(2, "big")
    return bytes((first, bit | 127)) + length.to_bytes(8, "big")


def frame(opcode: int, payload: bytes = b"", *, fin: bool = True, rsv: int = 0) -> bytes:
    """Make a masked frame."""
    length = len(payload)
    key = (MASK * (length // 4 + 1))[:length]
    mixed = int.from_bytes(payload, "big") ^ int.from_bytes(key, "big")
    return header(opcode, length, fin=fin, rsv=rsv) + MASK + mixed.to_bytes(length, "big")


def fragments(pieces: Sequence[bytes], opcode: int = TEXT) -> bytes:
    """Make one message of several frames."""
    last = len(pieces) - 1
    return b"".join(
        frame(CONTINUATION if n else opcode, piece, fin=n == last) for n, piece in enumerate(pieces)
    )


def closing(code: int | None = None, reason: bytes = b"") -> bytes:
    """Make a close frame."""
    return frame(CLOSE, b"" if code is None else code.to_bytes(2, "big") + reason)


class RawSocket:
    """One upgraded connection."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer
        self.head = b""

    @classmethod
    async def open(
        cls,
        address: tuple[str, int],
        path: str,
        headers: Mapping[str, str],
    ) -> Self:
        """Connect and upgrade; the answer's head is kept in `head`."""
        reader, writer = await asyncio.open_connection(*address)
        socket = cls(reader, writer)
        fields = {
            "Host": "{}:{}".format(*address),
            "Upgrade": "websocket",
            "Connection": "Upgrade",
            "Sec-WebSocket-Key": base64.b64encode(os.urandom(16)).decode(),
            "Sec-WebSocket-Version": "13",
            **headers,
        }
        lines = "".join(f"{name}: {value}\r\n" for name, value in fields.items() if value)
        writer.write(f"GET {path} HTTP/1.1\r\n{lines}\r\n".encode())
        async with asyncio.timeout(PATIENCE_S):
            socket.head = await reader.readuntil(b"\r\n\r\n")
        return socket

    @property
    def status(self) -> int:
        """Status of the answer to the upgrade."""
        return int(self.head.split()[1])

    async def send(self, data: bytes, chop: int = 0) -> None:
        """Send bytes, in segments of `chop` bytes; a server that has closed meanwhile is fine."""
        with contextlib.suppress(ConnectionError):
            for start in range(0, len(data), chop or len(data) or 1):
                self._writer.write(data[start : start + (chop or len(data))])
                await self._writer.drain()

    async def receive(self) -> Came:
        """Take the next frame, or `END`."""
        async with asyncio.timeout(PATIENCE_S):
            try:
                first, second = await self._reader.readexactly(2)
                assert first & 0xF0 == 0x80, f"the server sent a frame that begins with {first:#x}"
                length = second  # a mask bit would make it nonsense, and the next line fails
                assert length < 128, "the server masked a frame"
                if length > 125:
                    size = 2 if length == 126 else 8
                    length = int.from_bytes(await self._reader.readexactly(size), "big")
                return Came(first & 0x0F, await self._reader.readexactly(length))
            except (asyncio.IncompleteReadError, ConnectionError):
                return END

    async def close(self) -> None:
        """Leave without a word."""
        self._writer.transport.abort()
        with contextlib.suppress(ConnectionError):
            await self._writer.wait_closed()
