"""A daemon inside the test's process, with the x0x door and limits that a test sets."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Protocol, cast

import pytest

import tests.daemon
from hubbub.app import Daemon
from hubbub.config import Dialects, Listen, Settings
from hubbub.dialects.x0x import X0xSettings
from tests.clients.guests import Guests
from tests.clients.http import HttpClient
from tests.clients.x0x import X0xClient, X0xSocket


USUAL = X0xSettings()


class Room(Daemon):
    """A daemon with the x0x door and hubbub's own."""

    def __init__(self, settings: Settings, guests: Guests) -> None:
        super().__init__(settings)
        self._guests = guests
        self.token = ""

    async def open(self) -> None:
        """Open, and learn the operator's token."""
        await super().open()
        self.token = (self.settings.data_dir / "api-token").read_text()

    def url(self, door: str, path: str = "") -> str:
        """Give the HTTP address of a door."""
        return f"http://{self.listeners[door].address}{path}"

    def ws_url(self, door: str, path: str = "/") -> str:
        """Give the WebSocket address of a path of a door."""
        return "ws" + self.url(door, path).removeprefix("http")

    async def agent_token(self, agent: str) -> str:
        """Make a token that is bound to one agent."""
        async with HttpClient(self.url("hubbub"), self.token) as client:
            params = {"agent": agent}
            call = {"jsonrpc": "2.0", "id": 1, "method": "tokens.create", "params": params}
            return str((await client.post("/rpc", call)).body["result"]["token"])

    async def client(self, token: str | None = None) -> X0xClient:
        """Open a REST client."""
        return await self._guests.x0x(self._as_daemon, token)

    async def socket(self, path: str = "/ws", *, token: str | None = None) -> X0xSocket:
        """Open a socket that has been greeted."""
        return await self._guests.x0x_socket(self._as_daemon, path, token=token)

    @property
    def _as_daemon(self) -> tests.daemon.Daemon:
        # Clients ask a daemon only for its token and its addresses, which a room has as well.
        return cast("tests.daemon.Daemon", self)


class OpenRoom(Protocol):
    """The factory fixture's shape."""

    async def __call__(self, x0x: X0xSettings = ..., *, name: str = ...) -> Room:
        """Open a room; one that has the name of an earlier, closed one has its data too."""
        ...


@pytest.fixture
async def open_room(tmp_path: Path) -> AsyncIterator[OpenRoom]:
    """Open rooms on demand; close them all at the end."""
    rooms: list[Room] = []
    async with Guests() as guests:

        async def open_(x0x: X0xSettings = USUAL, *, name: str = "room") -> Room:
            settings = Settings(
                data_dir=tmp_path / name,
                listen=Listen(x0x="127.0.0.1:0", hubbub="127.0.0.1:0", only=["x0x"]),
                dialects=Dialects(x0x=x0x),
            )
            room = Room(settings, guests)
            rooms.append(room)
            await room.open()
            return room

        yield open_
    for room in rooms:
        await room.close()


@pytest.fixture
async def room(open_room: OpenRoom) -> Room:
    """Give a room with the usual limits."""
    return await open_room()
