"""A daemon inside the test's process, with the x0x door alone and limits that a test sets."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Protocol, cast

import pytest

import tests.daemon
from hubbub.app import Daemon
from hubbub.config import Settings
from hubbub.core.hub import Hub
from hubbub.core.values import OPERATOR
from hubbub.dialects.base import Dialect
from hubbub.dialects.x0x import X0xDialect, X0xSettings
from tests.clients.guests import Guests
from tests.clients.x0x import X0xClient, X0xSocket


class Room(Daemon):
    """A daemon whose only door is x0x."""

    hub: Hub

    def __init__(self, settings: Settings, x0x: X0xSettings, guests: Guests) -> None:
        super().__init__(settings)
        self._x0x = x0x
        self._guests = guests
        self.token = ""

    def _dialects(self, hub: Hub) -> dict[str, Dialect]:
        self.hub = hub
        return {"x0x": X0xDialect(hub, self.stopping.set, self._x0x)}

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
        return await self.hub.access.create(OPERATOR, agent)

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

        async def open_(x0x: X0xSettings = X0xSettings(), *, name: str = "room") -> Room:
            settings = Settings(data_dir=tmp_path / name, listen={"x0x": "127.0.0.1:0"})
            room = Room(settings, x0x, guests)
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
