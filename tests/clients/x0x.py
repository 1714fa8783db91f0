"""An x0x client: the two files' worth of facts, REST, sockets and the event stream."""

import base64
from collections.abc import Sequence
from typing import Any, Self

from tests.clients.frames import Frame, FrameSocket
from tests.clients.http import Answer, HttpClient, SseStream
from tests.daemon import Daemon


def b64(payload: bytes | str) -> str:
    """Return standard base64 with padding, the way payloads travel."""
    raw = payload.encode() if isinstance(payload, str) else payload
    return base64.b64encode(raw).decode()


def unb64(text: str) -> bytes:
    """Undo `b64`, strictly."""
    return base64.b64decode(text, validate=True)


class X0xSocket(FrameSocket):
    """One `/ws` or `/ws/direct` connection."""

    session_id = ""
    agent_id = ""

    @classmethod
    async def connect(
        cls, daemon: Daemon, path: str = "/ws", *, token: str | None = None, query: bool = False
    ) -> Self:
        """Connect with a token as bearer or query, and take the `connected` frame."""
        token = daemon.token if token is None else token
        if query:
            socket = await cls.open(daemon.ws_url("x0x", f"{path}?token={token}"))
        else:
            headers = {"Authorization": f"Bearer {token}"}
            socket = await cls.open(daemon.ws_url("x0x", path), headers=headers)
        await socket.greeted()
        return socket

    async def greeted(self) -> Frame:
        """Take the greeting, `connected` and then an unasked `pong`; remember who we are."""
        frame = await self.receive()
        assert frame["type"] == "connected", f"the first frame is {frame}"
        assert await self.receive() == {"type": "pong"}
        self.session_id, self.agent_id = frame["session_id"], frame["agent_id"]
        return frame

    async def subscribe(self, *topics: str) -> None:
        """Subscribe; only `pong` may come before the `subscribed` answer."""
        await self.send({"type": "subscribe", "topics": list(topics)})
        while True:
            frame = await self.receive()
            if frame["type"] == "subscribed":
                assert frame["topics"] == list(topics)
                return
            assert frame["type"] == "pong", f"unexpected frame before subscribed: {frame}"

    async def unsubscribe(self, *topics: str) -> None:
        """Unsubscribe and wait for the answer."""
        await self.send({"type": "unsubscribe", "topics": list(topics)})
        frame = await self.expect(of_type("unsubscribed"))
        assert frame["topics"] == list(topics)

    async def publish(self, topic: str, payload: bytes | str) -> None:
        """Publish through the socket; there is no answer on success."""
        await self.send({"type": "publish", "topic": topic, "payload": b64(payload)})

    async def ping(self) -> None:
        """Send the application's ping and take a pong (any: they carry nothing)."""
        await self.send({"type": "ping"})
        await self.expect(of_type("pong"), what="the pong")

    async def messages(self, count: int) -> list[tuple[str, bytes]]:
        """Return the next messages as (topic, payload), in order of arrival."""
        frames = await self.collect(of_type("message"), count)
        return [(frame["topic"], unb64(frame["payload"])) for frame in frames]

    async def payloads(self, count: int) -> list[bytes]:
        """Return the next messages' payloads."""
        return [payload for _, payload in await self.messages(count)]


def of_type(name: str) -> Any:
    """Match frames by their type."""
    return lambda frame: frame.get("type") == name


class X0xClient(HttpClient):
    """The REST side of an x0x daemon, with the durable token as bearer."""

    def __init__(self, daemon: Daemon, token: str | None = None) -> None:
        super().__init__(daemon.url("x0x"), daemon.token if token is None else token)

    async def publish(self, topic: str, payload: bytes | str) -> Answer:
        """Publish and insist on success."""
        answer = await self.post("/publish", {"topic": topic, "payload": b64(payload)})
        assert answer.status == 200, answer
        assert answer.body["ok"] is True, answer
        return answer

    async def publish_all(self, topic: str, payloads: Sequence[str]) -> None:
        """Publish one after the other."""
        for payload in payloads:
            await self.publish(topic, payload)

    async def send_direct(self, agent_id: str, payload: bytes | str, **options: object) -> Answer:
        """Send a direct message; the answer is returned as it is."""
        body = {"agent_id": agent_id, "payload": b64(payload), **options}
        return await self.post("/direct/send", body)

    async def agent_id(self) -> str:
        """Return the daemon's own agent id."""
        return str((await self.get("/agent")).body["agent_id"])

    async def session_token(self) -> str:
        """Mint a short-lived token for a browser."""
        answer = await self.post("/auth/session")
        assert answer.status == 200, answer
        return str(answer.body["session_token"])

    async def sessions(self) -> list[dict[str, Any]]:
        """Return the open sockets."""
        answer = await self.get("/ws/sessions")
        assert answer.status == 200, answer
        sessions: list[dict[str, Any]] = answer.body["sessions"]
        return sessions

    async def subscribed_events(self, *topics: str) -> SseStream:
        """Subscribe to topics by REST and open the event stream."""
        for topic in topics:
            answer = await self.post("/subscribe", {"topic": topic})
            assert answer.status == 200, answer
        return await self.events("/events")
