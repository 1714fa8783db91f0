"""The crosslink door: issues and locks by REST, and the event socket ``/ws``."""

from typing import Any

from msgspec.structs import replace

from hubbub.prove.desk import Client, Desk
from hubbub.prove.doors.tracking import compete, keep_issues
from hubbub.prove.doors.wire import Frame, Socket, asked_streams, follow, rest, surely
from hubbub.prove.history import STATED_FIELDS, Found


API = "/api/v1"


# -- writers -------------------------------------------------------------------------------


class RestTracker:
    """The routes of issues and locks."""

    renews = False

    def __init__(self, desk: Desk) -> None:
        """Call as the client at this desk."""
        self._desk = desk

    async def create(self, title: str, key: str) -> int:
        """Open an issue and give its number."""
        issue = await self._post("/issues", key, {"title": title})
        return int(issue["id"])

    async def comment(self, issue: int, text: str, key: str, fence: int | None = None) -> str:
        """Comment on an issue and give the comment's id."""
        path = f"/issues/{issue}/comments"
        return str((await self._post(path, key, {"content": text}, fence=fence))["id"])

    async def update(self, issue: int, text: str, key: str, fence: int) -> None:
        """Change an issue's description, under a lock."""
        path = f"/issues/{issue}"
        await self._send("PATCH", path, key, {"description": text}, fence=fence)

    async def close(self, issue: int, key: str) -> None:
        """Close an issue."""
        await self._post(f"/issues/{issue}/close", key)

    async def claim(self, issue: int, lease_ms: int, key: str) -> int:
        """Claim a lock and give the fence."""
        lock = await self._post(f"/locks/{issue}/claim", key, {"lease_ms": lease_ms})
        return int(lock["fence"])

    async def renew(self, issue: int, lease_ms: int, fence: int, key: str) -> None:
        """There is no such route."""
        raise NotImplementedError

    async def release(self, issue: int, fence: int, key: str) -> None:
        """Give a lock back."""
        await self._post(f"/locks/{issue}/release", key, {"fence": fence})

    async def issues(self) -> list[int]:
        """Give the numbers of all issues."""
        found = await rest(self._desk, "GET", f"{API}/issues")
        return [issue["id"] for issue in found["items"]]

    async def _post(
        self, path: str, key: str, body: Frame | None = None, *, fence: int | None = None
    ) -> Any:
        return await self._send("POST", path, key, body, fence=fence)

    async def _send(
        self, method: str, path: str, key: str, body: Frame | None, *, fence: int | None
    ) -> Any:
        headers = {"Idempotency-Key": key}
        if fence is not None:
            headers["Lock-Fence"] = str(fence)
        return await rest(self._desk, method, API + path, body=body, headers=headers)


async def track(desk: Desk) -> None:
    """Open, comment and close issues."""
    await keep_issues(desk, RestTracker(desk))


async def rival(desk: Desk) -> None:
    """Compete for locks."""
    await compete(desk, RestTracker(desk))


# -- readers -------------------------------------------------------------------------------


class SocketReader:
    """Follows issues on ``/ws``, where a client cannot name what it has seen."""

    def __init__(self, desk: Desk) -> None:
        """Read at this desk."""
        self._desk = desk

    async def read(self) -> None:
        """Follow over one connection."""
        desk = self._desk
        socket = await Socket.open(desk, f"/ws?token={desk.token()}")
        try:
            # A subscription is not answered; what answers comes after it has begun.
            await socket.send({"type": "subscribe", "channels": ["issues"]})
            await socket.settle()
        except BaseException:
            await socket.close()
            raise
        desk.joined("live", ("issues/*",), kinds=("issue.changed",))
        try:
            while True:
                self._take(await socket.receive())
        finally:
            desk.left()
            await socket.close()

    def _take(self, frame: Frame) -> None:
        if frame["type"] == "gap":
            self._desk.dropped()
        elif frame["type"] == "issue_updated" and frame["field"] in STATED_FIELDS:
            topic = f"issues/{frame['issue_id']}"
            self._desk.told(topic, f"{topic} {frame['field']}")


async def read_socket(desk: Desk) -> None:
    """Follow issues on ``/ws``."""
    await follow(desk, SocketReader(desk).read)


# -- the end -------------------------------------------------------------------------------


class CrosslinkDoor:
    """The clients of the crosslink door."""

    name = "crosslink"

    @property
    def writers(self) -> dict[str, Client]:
        """Give the writers by name."""
        return {
            "crosslink-tracker": track,
            "crosslink-rival-1": rival,
            "crosslink-rival-2": rival,
        }

    @property
    def readers(self) -> dict[str, Client]:
        """Give the readers by name."""
        return {"crosslink-socket": read_socket}

    async def look(self, desk: Desk) -> None:
        """Record issues, the comments on those that were commented here, and locks."""

        async def items(path: str) -> list[Frame]:
            read = await surely(desk, lambda: rest(desk, "GET", f"{API}/{path}"))
            return list(read["items"])

        found = Found(at=0, door=self.name, read="issue", what="")
        for issue in await items("issues"):
            topic = f"issues/{issue['id']}"
            desk.found(replace(found, what=issue["title"], stream=topic))
        for topic in asked_streams(desk, "issue.comment"):
            for made in await items(f"{topic}/comments"):
                desk.found(replace(found, read="comment", what=made["content"], stream=topic))
        for lock in await items("locks"):
            topic = f"locks/{lock['issue_id']}"
            desk.found(replace(found, read="lock", what=topic, value=lock["agent_id"]))


DOOR = CrosslinkDoor()
