"""The CAR door on the real core, without a socket: clients hand messages to the session."""

import asyncio
import contextlib
import itertools
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import msgspec
import pytest

from hubbub.core.bus import Bus
from hubbub.core.chat.attached import AttachedAgents
from hubbub.core.chat.conversation import SendRequest, SendStatus, Sent
from hubbub.core.identity.access import Access
from hubbub.core.identity.presence import Presence
from hubbub.core.journal import Journal
from hubbub.core.runs.service import Runs
from hubbub.core.values import OPERATOR, Principal, uuid7, wall_clock
from hubbub.dialects.base import Connection, Request
from hubbub.dialects.car import CarDialect, CarSettings
from hubbub.dialects.car.session import CarSession
from hubbub.storage.sqlite import SqliteStore
from tests.unit.outbox import RecordingOutbox


TOKEN = "t" * 64
HOST_TOKEN = "h" * 64
SUCCESS = {"status": "success", "summary": "did the thing"}

Frame = dict[str, Any]


class Outbox(RecordingOutbox):
    """One list of all that the client would read, and a way to wait for more of it."""

    def __init__(self) -> None:
        super().__init__()
        self.read: list[Frame] = []
        self._news = asyncio.Event()

    def send(self, message: bytes) -> None:
        """Take an answer."""
        self._take(message)

    def push(self, frame: bytes) -> bool:
        """Take an event."""
        self._take(frame)
        return True

    def press(self, frame: bytes) -> None:
        """Take an event that must not be dropped."""
        self._take(frame)

    def close(self, code: int, reason: str) -> None:
        """Remember how it was closed."""
        super().close(code, reason)
        self._news.set()

    def _take(self, message: bytes) -> None:
        self.read.append(msgspec.json.decode(message))
        self._news.set()

    async def expect(self, wanted: Callable[[Frame], bool]) -> Frame:
        """Wait for a frame, and take it out."""
        while True:
            for frame in self.read:
                if wanted(frame):
                    self.read.remove(frame)
                    return frame
            self._news.clear()
            await self._news.wait()

    async def closing(self) -> tuple[int, str]:
        """Wait until the daemon closes the connection."""
        while self.closed is None:
            self._news.clear()
            await self._news.wait()
        return self.closed


class Client:
    """A CAR client."""

    def __init__(self, dialect: CarDialect) -> None:
        self.outbox = Outbox()
        self._tasks: set[asyncio.Task[None]] = set()
        self._ids = itertools.count()
        connection = Connection(
            request=Request(method="GET", path="/"),
            outbox=self.outbox,
            principal=None,
            close=self.outbox.close,
        )
        session = dialect.sockets[0].open(connection)
        assert isinstance(session, CarSession)
        self.session = session
        self.session.opened()
        self._left = False

    def say(self, text: str) -> None:
        """Send a text as it is."""
        work = self.session.received(text)
        if work is not None:
            task = asyncio.ensure_future(work)
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    def send(self, message: object) -> None:
        """Send a message."""
        self.say(msgspec.json.encode(message).decode())

    async def answer(self, method: str, params: object = None) -> Frame:
        """Send a request and give the whole answer."""
        number = next(self._ids)
        self.send({"jsonrpc": "2.0", "id": number, "method": method, "params": params})
        return await self.outbox.expect(
            lambda frame: frame.get("id") == number and "method" not in frame
        )

    async def call(self, method: str, params: object = None) -> Any:
        """Send a request that succeeds and give its result."""
        answer = await self.answer(method, params)
        assert "error" not in answer, answer
        return answer["result"]

    async def fail(self, method: str, params: object = None) -> Frame:
        """Send a request that fails and give its error."""
        answer = await self.answer(method, params)
        assert "error" in answer, answer
        error: Frame = answer["error"]
        return error

    async def told(self, method: str) -> Frame:
        """Wait for a notification or a request of the daemon."""
        return await self.outbox.expect(lambda frame: frame.get("method") == method)

    async def start_run(self, agent: str = "ann", **more: object) -> str:
        """Start a run and give its id."""
        result = await self.call("runs.start", {"agent_id": agent, "intent": "do it", **more})
        return str(result["run_id"])

    def leave(self) -> None:
        """Vanish, as real clients do."""
        if not self._left:
            self._left = True
            for task in self._tasks:
                task.cancel()
            self.session.closed()


class PlayedChat:
    """The chat service, played by the test."""

    def __init__(self) -> None:
        self.sent: list[SendRequest] = []
        self.aborted: list[tuple[str, str | None]] = []
        self.status: SendStatus = "started"
        self.error: Exception | None = None
        self.texts: dict[str, str] = {}
        self.meanwhile: Callable[[], None] = lambda: None
        """What happens while a message is on its way."""

    async def send(self, _caller: Principal, request: SendRequest) -> Sent:
        """Take a message."""
        if self.error is not None:
            raise self.error
        self.sent.append(request)
        self.meanwhile()
        return Sent(run_id=request.idempotency_key, status=self.status)

    def said(self, run_id: str) -> str:
        """Give what a turn has said."""
        return self.texts.get(run_id, "")

    async def abort(
        self, _caller: Principal, session_key: str, run_id: str | None = None
    ) -> tuple[str, ...]:
        """Abort a turn."""
        self.aborted.append((session_key, run_id))
        return (str(run_id),)


class Room:
    """A hub with the CAR door, and those who come in."""

    def __init__(self, store: SqliteStore, bus: Bus, journal: Journal) -> None:
        self.journal = journal
        self.bus = bus
        self.access = Access(journal, store, wall_clock, TOKEN)
        # All that this door needs of a hub; a whole one would break with each new service.
        self.hub: Any = SimpleNamespace(
            bus=bus,
            journal=journal,
            store=store,
            runs=Runs(journal, store, bus, wall_clock, uuid7, grace_ms=0),
            attached=AttachedAgents(),
            chat=PlayedChat(),
            access=self.access,
            presence=Presence(journal, store, bus, wall_clock),
            clock=wall_clock,
            ids=uuid7,
        )
        self.clients: list[Client] = []
        self.settings = CarSettings()
        self.ambient_agent = ""
        self._dialect: CarDialect | None = None

    def dialect(self) -> CarDialect:
        """Give the door; settings of the room count from its first guest on."""
        if self._dialect is None:
            self._dialect = self._open()
        return self._dialect

    def _open(self) -> CarDialect:
        return CarDialect(
            self.hub,
            host_token=HOST_TOKEN,
            settings=self.settings,
            ambient_agent=self.ambient_agent,
        )

    def stranger(self) -> Client:
        """Let somebody connect who says nothing yet."""
        client = Client(self.dialect())
        self.clients.append(client)
        return client

    async def unbound(self) -> Client:
        """Let a client with the operator's token in."""
        client = self.stranger()
        await client.call("session.auth", {"token": TOKEN})
        return client

    async def host(self) -> Client:
        """Let a client in the host role in."""
        client = self.stranger()
        await client.call("session.auth", {"host_token": HOST_TOKEN})
        return client

    async def agent(self, name: str = "ann") -> Client:
        """Let an agent in, bound to its name."""
        client = self.stranger()
        token = await self.access.create(OPERATOR, name)
        await client.call("session.auth", {"token": token, "agent_id": name})
        return client

    async def empty(self) -> None:
        """Let everyone leave, and what that causes happen."""
        for client in self.clients:
            client.leave()
        await self.journal.settled()


@pytest.fixture
async def room(tmp_path: Path) -> AsyncIterator[Room]:
    """Give a room that is empty at the end."""

    def live(_point: str) -> None:
        """Go on."""

    store = SqliteStore(tmp_path / "hubbub.db", clock=wall_clock, ids=uuid7, crash=live)
    bus = Bus(store)
    journal = Journal(store, bus, crash=live)
    store.start()
    with contextlib.closing(store):
        room = Room(store, bus, journal)
        yield room
        await room.empty()
