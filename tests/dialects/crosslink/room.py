"""The crosslink door alone, on a real listener over a real store, with a clock of the test's."""

import asyncio
import io
import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, NamedTuple

import aiohttp

from hubbub.core.absences import Absences
from hubbub.core.bus import Bus
from hubbub.core.hub import Hub
from hubbub.core.identity.access import Access
from hubbub.core.identity.presence import Presence
from hubbub.core.identity.signs import SignsOfLife
from hubbub.core.journal import Journal
from hubbub.core.tracker.issue_reads import IssueReads
from hubbub.core.tracker.locks import Locks
from hubbub.core.tracker.reservations import Reservations
from hubbub.core.tracker.service import Tracker
from hubbub.core.tracker.waiting import Waiting
from hubbub.core.values import OPERATOR, uuid7
from hubbub.dialects.crosslink import CrosslinkDialect
from hubbub.dialects.crosslink.settings import CrosslinkSettings
from hubbub.storage.sqlite import SqliteStore
from hubbub.telemetry import Metrics
from hubbub.transport.http import Gate
from hubbub.transport.server import Listener, bind
from hubbub.transport.tick import Tick
from tests.clients.crosslink import CrosslinkSocket
from tests.unit.conftest import ManualClock


API = "/api/v1"
TOKEN = "0" * 64


class Answer(NamedTuple):
    """What came back."""

    status: int
    text: str
    headers: Mapping[str, str]

    @property
    def body(self) -> Any:
        """The JSON that came back."""
        return json.loads(self.text)


class Room:
    """One crosslink listener and the services behind it."""

    def __init__(self, hub: Hub, listener: Listener, clock: ManualClock) -> None:
        self.hub = hub
        self.clock = clock
        self.address = str(listener.address)
        self.http = aiohttp.ClientSession(f"http://{self.address}")
        self._sockets: list[CrosslinkSocket] = []

    async def call(
        self,
        method: str,
        path: str,
        body: object = None,
        *,
        data: bytes | None = None,
        token: str | None = TOKEN,
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        """Send one request; ``body`` goes out as JSON, ``data`` as it is."""
        sent = dict(headers or {})
        if token is not None:
            sent["Authorization"] = f"Bearer {token}"
        if body is not None:
            data = json.dumps(body).encode()
            sent.setdefault("Content-Type", "application/json")
        # The client library warns of large bodies that are bytes.
        content = None if data is None else io.BytesIO(data)
        async with self.http.request(method, path, data=content, headers=sent) as response:
            return Answer(response.status, await response.text(), response.headers)

    async def ok(self, method: str, path: str, body: object = None, **options: Any) -> Any:
        """Call below ``/api/v1`` and insist on 200."""
        answer = await self.call(method, API + path, body, **options)
        assert answer.status == 200, answer
        return answer.body

    async def issue(self, title: str = "one", **fields: object) -> int:
        """Open an issue and give its number."""
        return int((await self.ok("POST", "/issues", {"title": title, **fields}))["id"])

    async def socket(self, *channels: str, query: str = "") -> CrosslinkSocket:
        """Open the event socket; without channels nothing is subscribed."""
        socket = await CrosslinkSocket.open(f"ws://{self.address}/ws{query}")
        self._sockets.append(socket)
        if channels:
            await socket.subscribe(*channels)
        else:
            await socket.settle()
        return socket

    async def agent_token(self, agent: str) -> str:
        """Make a token for an agent."""
        return await self.hub.access.create(OPERATOR, agent)

    async def close(self) -> None:
        """Let all clients go."""
        for socket in self._sockets:
            await socket.close()
        await self.http.close()


@asynccontextmanager
async def open_room(
    path: Path, clock: ManualClock, settings: CrosslinkSettings
) -> AsyncIterator[Room]:
    """Open the door, and close it and the store at the end."""
    store = SqliteStore(path, clock=clock, ids=uuid7, crash=lambda _point: None)
    tick = Tick(asyncio.get_running_loop())
    bus = Bus(store, tick.tell)
    journal = Journal(store, bus, crash=lambda _point: None)
    store.start()
    presence = Presence(journal, store, bus, clock)
    SignsOfLife(presence, bus)
    parts: dict[str, Any] = dict.fromkeys(Hub.__struct_fields__)
    parts |= {
        "bus": bus,
        "journal": journal,
        "store": store,
        "access": Access(journal, store, clock, TOKEN),
        "presence": presence,
        "tracker": Tracker(clock),
        "issues": IssueReads(store),
        "locks": Locks(journal, store, clock),
        "reservations": Reservations(journal, store, clock),
        "waiting": Waiting(journal, bus, clock, uuid7),
        "absences": Absences(journal, clock),
        "clock": clock,
        "ids": uuid7,
    }
    # This door needs no other service; whatever else a hub has is not there.
    hub = Hub(**parts)
    listener = Listener(
        "crosslink",
        bind("127.0.0.1", 0),
        [("", CrosslinkDialect(hub, settings))],
        gate=Gate(frozenset(), frozenset()),
        tick=tick,
        metrics=Metrics(),
    )
    await listener.open()
    room = Room(hub, listener, clock)
    try:
        yield room
    finally:
        await room.close()
        await listener.close()
        await journal.settled()
        store.close()
