"""A crosslink client: the tracker's REST calls and its one event socket."""

from typing import Any, Self

from tests.clients.frames import Frame, FrameSocket
from tests.clients.http import HttpClient
from tests.daemon import Daemon


API = "/api/v1"


class CrosslinkSocket(FrameSocket):
    """One `/ws` connection; checks on the way that `seq` rises by exactly one."""

    @classmethod
    async def connect(cls, daemon: Daemon, *channels: str) -> Self:
        """Connect as both dashboards do, subscribing only if channels are given."""
        socket = await cls.open(daemon.ws_url("crosslink", "/ws"))
        if channels:
            await socket.subscribe(*channels)
        return socket

    async def subscribe(self, *channels: str) -> None:
        """Replace the set of channels; there is no answer, so settle by a ping."""
        await self.send({"type": "subscribe", "channels": list(channels)})
        await self.settle()

    async def next(self) -> Frame:
        """Return the next event without its `seq`, which must be the expected one."""
        frame = await self.receive()
        assert frame["seq"] == len(self.seen) - len(self._fresh), f"seq is out of step: {frame}"
        return {name: value for name, value in frame.items() if name != "seq"}

    async def issue_events(self, count: int) -> list[tuple[int, str]]:
        """Return the next `issue_updated` events as (issue, field)."""
        frames = await self.collect(of_type("issue_updated"), count)
        return [(frame["issue_id"], frame["field"]) for frame in frames]

    def seqs(self) -> list[int]:
        """Return every `seq` seen so far."""
        return [frame["seq"] for frame in self.seen]


def of_type(*names: str) -> Any:
    """Match events by type."""
    return lambda frame: frame.get("type") in names


class CrosslinkClient(HttpClient):
    """The REST side, with the operator's token as bearer."""

    def __init__(self, daemon: Daemon, token: str | None = None) -> None:
        super().__init__(daemon.url("crosslink"), daemon.token if token is None else token)

    async def ok(self, method: str, path: str, body: object = None) -> Any:
        """Call under `/api/v1` and insist on 200."""
        answer = await self.request(method, API + path, body)
        assert answer.status == 200, answer
        return answer.body

    async def create(self, title: str, **fields: object) -> int:
        """Create an issue and return its number."""
        return int((await self.ok("POST", "/issues", {"title": title, **fields}))["id"])

    async def notify_lock(self, issue_id: int, action: str, agent_id: str) -> None:
        """Announce a lock change the way agents of the original do; changes no lock."""
        body = {"issue_id": issue_id, "action": action, "agent_id": agent_id}
        await self.ok("POST", "/locks/notify", body)
