"""A client of hubbub's own door: JSON-RPC 2.0 over `/rpc`, and the events of `/events`."""

import itertools
from typing import Any, Self

from tests.clients.frames import Frame, FrameSocket
from tests.clients.http import HttpClient
from tests.daemon import Daemon


class RpcSocket(FrameSocket):
    """One `/rpc` connection."""

    def __init__(self, connection: Any) -> None:
        super().__init__(connection)
        self._ids = itertools.count(1)

    @classmethod
    async def connect(cls, daemon: Daemon, token: str | None = None) -> Self:
        """Connect with a bearer token, the operator's by default."""
        bearer = daemon.token if token is None else token
        headers = {"Authorization": f"Bearer {bearer}"}
        return await cls.open(daemon.ws_url("hubbub", "/rpc"), headers=headers)

    async def post(self, method: str, params: object = None) -> int:
        """Send a request without waiting and return its id."""
        request_id = next(self._ids)
        await self.send(
            {"jsonrpc": "2.0", "id": request_id, "method": method, "params": params or {}}
        )
        return request_id

    async def result(self, request_id: int) -> Frame:
        """Wait for the whole answer to a posted request."""
        return await self.expect(
            lambda frame: frame.get("id") == request_id, what=f"the answer to {request_id}"
        )

    async def answer(self, method: str, params: object = None) -> Frame:
        """Send a request and return the whole answer, good or bad."""
        return await self.result(await self.post(method, params))

    async def call(self, method: str, params: object = None) -> Any:
        """Send a request that must succeed and return its result."""
        answer = await self.answer(method, params)
        assert "error" not in answer, f"{method} failed: {answer}"
        return answer["result"]

    async def fail(self, method: str, params: object = None) -> Frame:
        """Send a request that must fail and return its error."""
        answer = await self.answer(method, params)
        assert "error" in answer, f"{method} should have failed: {answer}"
        error: Frame = answer["error"]
        return error

    async def outcome(self, method: str, params: object = None) -> Any:
        """Send a request and return its result, or the code of its refusal."""
        answer = await self.answer(method, params)
        if "error" in answer:
            return {"refused": answer["error"]["data"]["code"]}
        return answer["result"]

    async def publish(self, topic: str, data: object, **params: object) -> Any:
        """Publish on a topic and return where the event stands."""
        return await self.call("topics.publish", {"topic": topic, "data": data, **params})

    async def subscribe(self, *topics: str, after: object = None) -> Frame:
        """Subscribe to topics, from a position where one is given; return the answer."""
        params: Frame = {"topics": list(topics)}
        if after is not None:
            params["after"] = after
        answer: Frame = await self.call("topics.subscribe", params)
        return answer

    async def event(self, topic: str | None = None, kind: str | None = None) -> Frame:
        """Return the next event, of a topic and a kind where they are given."""
        frame = await self.expect(is_event(topic, kind), what=f"an event of {topic} {kind or ''}")
        event: Frame = frame["params"]["event"]
        return event

    async def events(self, count: int) -> list[Frame]:
        """Return the next events in order of arrival."""
        frames = await self.collect(is_event(), count)
        return [frame["params"]["event"] for frame in frames]

    async def journal(self, **params: object) -> list[Frame]:
        """Read the journal to its end, page by page."""
        events: list[Frame] = []
        while True:
            page = await self.call("journal.read", {"limit": 1000, **params})
            events += page["events"]
            if not page["more"]:
                return events
            params["after"] = page["position"]


def is_event(topic: str | None = None, kind: str | None = None) -> Any:
    """Match event notifications by topic and kind."""

    def match(frame: Frame) -> bool:
        if frame.get("method") != "topics.event":
            return False
        event = frame["params"]["event"]
        return topic in {None, event["topic"]} and kind in {None, event["kind"]}

    return match


class HubbubClient(HttpClient):
    """Plain HTTP towards hubbub's own listener."""

    def __init__(self, daemon: Daemon, token: str | None = None) -> None:
        super().__init__(daemon.url("hubbub"), daemon.token if token is None else token)
