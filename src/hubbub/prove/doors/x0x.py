"""The x0x door: publishing and direct messages by REST; sockets with backfill, and streams."""

import base64

import msgspec

from hubbub.prove.desk import Ask, Client, Desk, Reply
from hubbub.prove.doors import hubbub
from hubbub.prove.doors.wire import Frame, Socket, follow, rest, sse_events, surely
from hubbub.prove.history import mark_in


TOPIC = "x0x-news"
INBOX = "x0x-inbox"
"""The agent to whom direct messages go."""
BACKFILL = 500
"""Stored messages that a socket asks for: as many as the door gives."""


# -- writers -------------------------------------------------------------------------------


async def publish(desk: Desk) -> None:
    """Publish bytes on one topic."""
    while not desk.stopping.is_set():
        mark = desk.mark()

        async def call(mark: str = mark) -> Reply:
            body = {"topic": TOPIC, "payload": payload_of(mark), "idempotency_key": mark}
            await rest(desk, "POST", "/publish", body=body)
            return Reply()

        await desk.ask(Ask(verb="publish", op=mark, stream=TOPIC, key=mark), call)
        await desk.pause()


async def send(desk: Desk) -> None:
    """Send direct messages to the reader of the inbox."""
    recipient = await _agent_id(desk, INBOX)
    topic = f"direct/{INBOX}"
    while not desk.stopping.is_set():
        mark = desk.mark()

        async def call(mark: str = mark) -> Reply:
            body = {"agent_id": recipient, "payload": payload_of(mark), "logical_id": mark}
            receipt = await rest(desk, "POST", "/direct/send", body=body)
            return Reply(value=receipt["request_id"])

        await desk.ask(Ask(verb="direct.send", op=mark, stream=topic, key=mark), call)
        await desk.pause()


def payload_of(mark: str) -> str:
    """Give the bytes that carry a label, in base64."""
    return base64.b64encode(msgspec.json.encode({"mark": mark})).decode()


async def _agent_id(desk: Desk, agent: str) -> str:
    """Ask for the id of another client's agent, as that client."""
    headers = {"Authorization": f"Bearer {desk.token(agent)}"}

    async def read() -> Frame:
        found: Frame = await rest(desk, "GET", "/agent", headers=headers)
        return found

    return str((await surely(desk, read))["agent_id"])


# -- readers -------------------------------------------------------------------------------


class SocketReader:
    """Follows topics on ``/ws``; a backfill brings what was missed, and some of the rest."""

    topics = (TOPIC, hubbub.TOPIC)

    def __init__(self, desk: Desk) -> None:
        """Read at this desk."""
        self._desk = desk

    async def read(self) -> None:
        """Follow over one connection."""
        desk = self._desk
        socket = await Socket.open(desk, "/ws", token=desk.token())
        joined = False
        try:
            await socket.send(
                {
                    "type": "subscribe",
                    "topics": list(self.topics),
                    "backfill": {"limit": BACKFILL},
                }
            )
            while True:
                frame = await socket.receive()
                if not joined and frame["type"] in ("message", "live"):
                    desk.joined("overlap", self.topics, one_order=False)
                    joined = True
                if frame["type"] == "message":
                    self._take(frame)
        finally:
            if joined:
                desk.left()
            await socket.close()

    def _take(self, frame: Frame) -> None:
        what = mark_in(frame["payload"])
        if what:
            self._desk.told(frame["topic"], what)


async def read_socket(desk: Desk) -> None:
    """Follow topics on ``/ws``."""
    await follow(desk, SocketReader(desk).read)


class StreamReader:
    """Follows one topic on an event stream and resumes with ``Last-Event-ID``."""

    def __init__(self, desk: Desk, path: str, topic: str) -> None:
        """Begin with no position.

        Args:
            path: Of the stream.
        """
        self._desk = desk
        self._path = path
        self._topic = topic
        self._after = ""
        self._joined_before = False

    async def read(self) -> None:
        """Follow over one connection."""
        desk = self._desk
        # Who says from where gets an answer that tells when the stream has begun.
        self._after = self._after or await _newest(desk)
        await self._begin()
        events = sse_events(desk, self._path, token=desk.token(), after=self._after)
        joined = False
        try:
            async for event in events:
                data = msgspec.json.decode(event.data)
                if event.name == "hubbub.resumed":
                    self._join(data)
                    joined = True
                elif event.cursor is not None and self._take(data, seq_of(event.cursor)):
                    self._after = event.cursor
        finally:
            if joined:
                desk.left()

    async def _begin(self) -> None:
        """Do what has to be done before the stream is opened."""

    def _take(self, message: Frame, seq: int) -> bool:
        """Take a message; says whether it was for this reader."""
        what = mark_in(message["payload"])
        if what:
            self._desk.told(self._topic, what, position=seq)
        return True

    def _join(self, resumed: Frame) -> None:
        recovered = resumed["recovered"] if self._joined_before else None
        after = seq_of(self._after)
        self._desk.joined("exact", (self._topic,), recovered=recovered, after=after)
        self._joined_before = True


class SubscriptionReader(StreamReader):
    """Follows a topic by a subscription of its own; the stream shows everybody's."""

    def __init__(self, desk: Desk) -> None:
        """Begin without a subscription."""
        super().__init__(desk, "/events", TOPIC)
        self._key = desk.mark()
        self._subscription = ""

    async def _begin(self) -> None:
        """Subscribe, as if it were for the first time: its answer may have been lost."""
        headers = {"Idempotency-Key": self._key}
        body = {"topic": self._topic}
        made = await rest(self._desk, "POST", "/subscribe", body=body, headers=headers)
        self._subscription = made["subscription_id"]

    def _take(self, message: Frame, seq: int) -> bool:
        data = message["data"]
        return data["subscription_id"] == self._subscription and super()._take(data, seq)


async def _newest(desk: Desk) -> str:
    """Ask hubbub's own door for the newest position."""
    calls = hubbub.calls_of(desk)
    position = (await calls.call("system.ping"))["position"]
    await calls.drop()
    return f"{position['epoch']}:{position['seq']}"


def seq_of(cursor: str) -> int:
    """Give the number in a cursor."""
    return int(cursor.rpartition(":")[2])


async def read_inbox(desk: Desk) -> None:
    """Follow direct messages on ``/direct/events``."""
    await follow(desk, StreamReader(desk, "/direct/events", f"direct/{INBOX}").read)


async def read_subscription(desk: Desk) -> None:
    """Follow a topic on ``/events``."""
    await follow(desk, SubscriptionReader(desk).read)


# -- the end -------------------------------------------------------------------------------


class X0xDoor:
    """The clients of the x0x door."""

    name = "x0x"

    @property
    def writers(self) -> dict[str, Client]:
        """Give the writers by name."""
        return {"x0x-topics": publish, "x0x-direct": send}

    @property
    def readers(self) -> dict[str, Client]:
        """Give the readers by name."""
        return {
            "x0x-socket": read_socket,
            INBOX: read_inbox,
            "x0x-stream": read_subscription,
        }

    async def look(self, desk: Desk) -> None:
        """Do nothing: this door reads by backfill, which the readers have done."""


DOOR = X0xDoor()
