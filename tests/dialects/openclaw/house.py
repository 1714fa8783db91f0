"""The door in a house without sockets: real services and store, an agent that the test plays."""

import asyncio
import itertools
import json
from collections.abc import AsyncIterator, Callable, Coroutine, Mapping
from typing import Any

import msgspec

from hubbub.core.hub import Hub
from hubbub.core.ports import RunnerOutput, RunnerTurn
from hubbub.core.values import Event, uuid7
from hubbub.dialects.base import Connection, Request
from hubbub.dialects.openclaw.dialect import OpenclawDialect
from hubbub.dialects.openclaw.session import OpenclawSession
from hubbub.errors import RunnerFailed
from tests.dialects.openclaw.clients import Frame, connect_params
from tests.dialects.openclaw.timers import ManualTimers


class PlayedAgent:
    """A runner whose turns say what the test tells them to, in the order in which they began."""

    def __init__(self) -> None:
        self.turns: list[RunnerTurn] = []
        self.ended: list[str] = []
        self._steps: dict[str, asyncio.Queue[RunnerOutput | Exception | None]] = {}
        self._changed = asyncio.Event()

    async def take(self, turn: RunnerTurn) -> AsyncIterator[RunnerOutput]:
        """Yield what the test says."""
        steps: asyncio.Queue[RunnerOutput | Exception | None] = asyncio.Queue()
        self._steps[turn.run_id] = steps
        self.turns.append(turn)
        self._changed.set()
        try:
            while (step := await steps.get()) is not None:
                if isinstance(step, Exception):
                    raise step
                yield step
        finally:
            self.ended.append(turn.run_id)
            self._changed.set()

    async def began(self, run_id: str) -> None:
        """Wait until a turn has begun."""
        while run_id not in self._steps:
            self._changed.clear()
            await self._changed.wait()

    async def let_go(self, run_id: str) -> None:
        """Wait until a turn's work has ended or was stopped."""
        while run_id not in self.ended:
            self._changed.clear()
            await self._changed.wait()

    async def say(self, run_id: str, text: str) -> None:
        """Have a turn say something."""
        await self.began(run_id)
        self._steps[run_id].put_nowait(RunnerOutput(text=text))

    async def work(self, run_id: str, tool: Frame) -> None:
        """Have a turn use a tool."""
        await self.began(run_id)
        raw = msgspec.Raw(json.dumps(tool, separators=(",", ":")).encode())
        self._steps[run_id].put_nowait(RunnerOutput(tool=raw))

    async def finish(self, run_id: str, **figures: Any) -> None:
        """Have a turn end."""
        await self.began(run_id)
        if figures:
            self._steps[run_id].put_nowait(RunnerOutput(**figures))
        self._steps[run_id].put_nowait(None)

    async def fail(self, run_id: str, text: str) -> None:
        """Have a turn fail."""
        await self.began(run_id)
        self._steps[run_id].put_nowait(RunnerFailed(text))


class GuestOutbox:
    """Keeps what a connection is sent, numbered as the transport numbers it."""

    def __init__(self) -> None:
        self.messages: list[Frame] = []
        self.droppable: list[str] = []
        self.closed: tuple[int, str] | None = None
        self.dropped = 0
        self.is_full = False
        self.seq = 0
        self.changed = asyncio.Event()

    def frame(self, message: bytes) -> bytes:
        """Give the message back: there is no framing here."""
        return message

    def push(self, frame: bytes) -> bool:
        """Take an event that may be dropped."""
        if self.is_full:
            self.dropped += 1
        else:
            self.droppable.append(json.loads(frame)["event"])
            self.press(frame)
        return True

    def press(self, frame: bytes) -> None:
        """Take an event that must not be dropped."""
        self.seq += 1
        self._keep({**json.loads(frame), "seq": self.seq})

    def send(self, message: bytes) -> None:
        """Take an answer, or an event without a number."""
        self._keep(json.loads(message))

    async def drained(self) -> None:
        """Let large answers be made at once."""

    def close(self, code: int, reason: str) -> None:
        """Remember how it was closed."""
        self.closed = self.closed or (code, reason)
        self.changed.set()

    def _keep(self, message: Frame) -> None:
        self.messages.append(message)
        self.changed.set()


class Guest:
    """One client."""

    def __init__(self, dialect: OpenclawDialect, remote: str, headers: Mapping[str, str]) -> None:
        self.outbox = GuestOutbox()
        self._read = 0
        self._tasks: set[asyncio.Task[None]] = set()
        self._ids = itertools.count(1)
        request = Request(method="GET", path="/", remote=remote, headers=headers)
        connection = Connection(
            request=request, outbox=self.outbox, principal=None, close=self.outbox.close
        )
        session = dialect.sockets[0].open(connection)
        assert isinstance(session, OpenclawSession)
        self.session = session
        self.session.opened()

    def text(self, text: str) -> None:
        """Send a text message."""
        self._run(self.session.received(text))

    def binary(self, data: bytes) -> None:
        """Send a binary message."""
        self._run(self.session.received_binary(data))

    def send(self, frame: Any) -> None:
        """Send a frame."""
        self.text(json.dumps(frame))

    def request(self, method: str, params: Any = None) -> str:
        """Send a request and give its id."""
        request_id = f"r{next(self._ids)}"
        self.send({"type": "req", "id": request_id, "method": method, "params": params or {}})
        return request_id

    async def next(self) -> Frame:
        """Give the next message in order of arrival."""
        outbox = self.outbox
        while len(outbox.messages) == self._read:
            outbox.changed.clear()
            await outbox.changed.wait()
        self._read += 1
        return outbox.messages[self._read - 1]

    async def until(self, match: Callable[[Frame], bool]) -> Frame:
        """Give the next message that matches; those before it are passed over."""
        while not match(frame := await self.next()):
            pass
        return frame

    async def answer(self, method: str, params: Any = None) -> Frame:
        """Send a request and give the whole answer."""
        request_id = self.request(method, params)
        return await self.until(lambda frame: frame.get("id") == request_id)

    async def call(self, method: str, params: Any = None) -> Any:
        """Send a request that must succeed and give its payload."""
        answer = await self.answer(method, params)
        assert answer["ok"] is True, answer
        return answer["payload"]

    async def refused(self, method: str, params: Any = None) -> str:
        """Send a request that must fail and give the error's text."""
        answer = await self.answer(method, params)
        assert answer["ok"] is False, answer
        assert answer["error"]["code"] == "INVALID_REQUEST"
        text: str = answer["error"]["message"]
        return text

    async def event(self, name: str, **payload: Any) -> Frame:
        """Wait for an event whose payload has these fields, and give its payload."""

        def match(frame: Frame) -> bool:
            if frame.get("event") != name:
                return False
            return all(frame["payload"].get(key) == value for key, value in payload.items())

        found: Frame = (await self.until(match))["payload"]
        return found

    def unread(self) -> list[Frame]:
        """Give the messages that nobody has looked at."""
        messages = self.outbox.messages[self._read :]
        self._read = len(self.outbox.messages)
        return messages

    async def done(self) -> None:
        """Wait until every request has been worked off."""
        while self._tasks:
            await asyncio.gather(*self._tasks)

    async def leave(self) -> None:
        """End the connection."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self.session.closed()

    def _run(self, work: Coroutine[Any, Any, None] | None) -> None:
        if work is not None:
            task = asyncio.get_running_loop().create_task(work)
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)


class House:
    """A hub with the door in it."""

    def __init__(
        self, hub: Hub, dialect: OpenclawDialect, timers: ManualTimers, agent: PlayedAgent
    ) -> None:
        self.hub = hub
        self.dialect = dialect
        self.timers = timers
        self.agent = agent
        self.guests: list[Guest] = []

    def knock(self, remote: str = "127.0.0.1", headers: Mapping[str, str] | None = None) -> Guest:
        """Open a connection that has not shaken hands."""
        guest = Guest(self.dialect, remote, headers or {"Host": "127.0.0.1:18789"})
        self.guests.append(guest)
        return guest

    async def guest(self, token: str, **changes: Any) -> Guest:
        """Open a connection and shake hands."""
        guest = self.knock()
        guest.send(
            {
                "type": "req",
                "id": "c",
                "method": "connect",
                "params": connect_params(token, **changes),
            }
        )
        hello = await guest.until(lambda frame: frame.get("id") == "c")
        assert hello["ok"] is True, hello
        return guest

    def tell(self, topic: str, kind: str, data: Any) -> None:
        """Tell the house an event that another door has caused."""
        raw = msgspec.Raw(json.dumps(data, separators=(",", ":")).encode())
        event = Event(
            seq=0, id=uuid7(), topic=topic, kind=kind, actor="x", at=self.hub.clock(), data=raw
        )
        self.hub.bus.tell(event)
