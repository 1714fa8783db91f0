"""A daemon that a test plays: connections that are opened, refused and dropped on command."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, Unpack

import msgspec

from hubbub.client import AsyncClient, Backoff
from hubbub.client.aio import Options
from hubbub.client.place import Place
from tests.clients.waiting import PATIENCE_S


class PlayedWire:
    """One connection."""

    def __init__(self) -> None:
        self.sent: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        self._inbox: asyncio.Queue[str | None] = asyncio.Queue()
        self.is_closed = False
        self.code: int | None = None

    async def send(self, text: str) -> None:
        """Note what the client sends."""
        self.sent.put_nowait(msgspec.json.decode(text))

    async def receive(self) -> str | None:
        """Give what the test says."""
        return await self._inbox.get()

    async def close(self) -> None:
        """End it."""
        self.is_closed = True

    # -- for the test --------------------------------------------------------------------

    async def call(self) -> dict[str, Any]:
        """Wait for the client's next call."""
        return await asyncio.wait_for(self.sent.get(), PATIENCE_S)

    def say(self, message: object) -> None:
        """Send anything to the client."""
        self._inbox.put_nowait(msgspec.json.encode(message).decode())

    def say_text(self, text: str) -> None:
        """Send a text to the client that may be no JSON."""
        self._inbox.put_nowait(text)

    def answer(self, call: dict[str, Any], result: object) -> None:
        """Answer a call."""
        self.say({"jsonrpc": "2.0", "id": call["id"], "result": result})

    def refuse(self, call: dict[str, Any], code: str, **data: object) -> None:
        """Refuse a call."""
        more = {"code": code, "retryable": False, **data}
        error = {"code": -32000, "message": f"no: {code}", "data": more}
        self.say({"jsonrpc": "2.0", "id": call["id"], "error": error})

    def tell(self, method: str, **params: object) -> None:
        """Send a notification."""
        self.say({"jsonrpc": "2.0", "method": method, "params": params})

    def event(self, subscription: int, seq: int, data: object = None, **more: object) -> None:
        """Tell an event."""
        event = {"seq": seq, "id": f"e{seq}", "topic": "t", "kind": "message", "actor": "a"}
        event = {**event, "at": 1, "data": seq if data is None else data, "cause": None, **more}
        self.tell("topics.event", subscription=subscription, event=event)

    def drop(self) -> None:
        """End the connection."""
        self._inbox.put_nowait(None)


class PlayedDaemon:
    """What a client dials."""

    def __init__(self) -> None:
        self.attempts: asyncio.Queue[Place] = asyncio.Queue()
        self._next: asyncio.Queue[PlayedWire | Exception] = asyncio.Queue()
        self.slept: list[float] = []

    async def dial(self, place: Place) -> PlayedWire:
        """Connect, as the test has it."""
        self.attempts.put_nowait(place)
        found = await self._next.get()
        if isinstance(found, Exception):
            raise found
        return found

    async def sleep(self, seconds: float) -> None:
        """Do not wait."""
        self.slept.append(seconds)
        await asyncio.sleep(0)

    def opens(self) -> PlayedWire:
        """Let the next attempt succeed."""
        wire = PlayedWire()
        self._next.put_nowait(wire)
        return wire

    def refuses(self, error: Exception) -> None:
        """Let the next attempt fail."""
        self._next.put_nowait(error)


@asynccontextmanager
async def connected(
    daemon: PlayedDaemon, **options: Unpack[Options]
) -> AsyncIterator[tuple[AsyncClient, PlayedWire]]:
    """Connect a client to a daemon that the test plays."""
    wire = daemon.opens()
    given: Options = {
        "dial": daemon.dial,
        "sleep": daemon.sleep,
        "environ": {},
        "backoff": Backoff(first_s=1, cap_s=4, chance=lambda: 1.0),
        "timeout_s": PATIENCE_S,
        **options,
    }
    async with AsyncClient("http://played", "secret", **given) as client:
        yield client, wire
