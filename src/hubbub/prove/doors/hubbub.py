"""hubbub's own door: JSON-RPC on ``/rpc``, and server-sent events on ``/events``."""

import contextlib
from typing import Any

import msgspec

from hubbub.prove.desk import Ask, Client, Desk, Refused, Reply
from hubbub.prove.doors.chatting import look_at_history, talk
from hubbub.prove.doors.rpc import Rpc, call_on
from hubbub.prove.doors.running import CAREFUL, asked_runs, turn_label, work_on_runs
from hubbub.prove.doors.tracking import compete, keep_issues
from hubbub.prove.doors.wire import Frame, Socket, follow, sse_events, surely
from hubbub.prove.history import Found, label, nameless


SUBSCRIBE = 1
"""Id of a reader's only request."""
TOPIC = "hubbub-news"
FILLER = "a few words more, so that an event has an ordinary size"


async def connect(desk: Desk) -> Socket:
    """Open ``/rpc`` as the client at a desk."""
    return await Socket.open(desk, "/rpc", token=desk.token(), listener="hubbub")


def calls_of(desk: Desk) -> Rpc:
    """Make calls as the client at a desk."""
    return Rpc(lambda: connect(desk))


# -- writers -------------------------------------------------------------------------------


async def publish(desk: Desk) -> None:
    """Publish on one topic."""
    rpc = calls_of(desk)
    while not desk.stopping.is_set():
        mark = desk.mark()

        async def call(mark: str = mark) -> Reply:
            data = {"mark": mark, "text": FILLER}
            answer = await rpc.call("topics.publish", topic=TOPIC, data=data, idempotency_key=mark)
            return Reply(value=answer["id"])

        await desk.ask(Ask(verb="publish", op=mark, stream=TOPIC, key=mark), call)
        await desk.pause()
    await rpc.drop()


async def track(desk: Desk) -> None:
    """Open, comment and close issues."""
    tracker = RpcTracker(calls_of(desk))
    await keep_issues(desk, tracker)
    await tracker.rpc.drop()


async def rival(desk: Desk) -> None:
    """Compete for locks."""
    tracker = RpcTracker(calls_of(desk))
    await compete(desk, tracker)
    await tracker.rpc.drop()


async def run(desk: Desk) -> None:
    """Work on runs that outlive the connection."""
    calls = RpcRuns(calls_of(desk))
    await work_on_runs(desk, calls, CAREFUL)
    await calls.drop()


async def chat(desk: Desk) -> None:
    """Talk to the agent that notes each of its turns."""
    rpc = calls_of(desk)

    async def send(session: str, message: str, key: str) -> str:
        answer = await rpc.call("chat.send", session=session, message=message, idempotency_key=key)
        return str(answer["run_id"])

    await talk(desk, "counted", send)
    await rpc.drop()


class RpcTracker:
    """``issues.*`` and ``locks.*``."""

    renews = True

    def __init__(self, rpc: Rpc) -> None:
        """Call over this connection."""
        self.rpc = rpc

    async def create(self, title: str, key: str) -> int:
        """Open an issue and give its number."""
        issue = await self.rpc.call("issues.create", title=title, idempotency_key=key)
        return int(issue["id"])

    async def comment(self, issue: int, text: str, key: str, fence: int | None = None) -> str:
        """Comment on an issue and give the comment's id."""
        made = await self.rpc.call(
            "issues.comment", id=issue, content=text, fence=fence, idempotency_key=key
        )
        return str(made["id"])

    async def update(self, issue: int, text: str, key: str, fence: int) -> None:
        """Change an issue's description, under a lock."""
        await self.rpc.call(
            "issues.update", id=issue, description=text, fence=fence, idempotency_key=key
        )

    async def close(self, issue: int, key: str) -> None:
        """Close an issue."""
        await self.rpc.call("issues.close", id=issue, idempotency_key=key)

    async def claim(self, issue: int, lease_ms: int, key: str) -> int:
        """Claim a lock and give the fence."""
        lock = await self.rpc.call(
            "locks.claim", issue_id=issue, lease_ms=lease_ms, idempotency_key=key
        )
        return int(lock["fence"])

    async def renew(self, issue: int, lease_ms: int, fence: int, key: str) -> None:
        """Extend a lock that is held."""
        await self.rpc.call(
            "locks.renew", issue_id=issue, lease_ms=lease_ms, fence=fence, idempotency_key=key
        )

    async def release(self, issue: int, fence: int, key: str) -> None:
        """Give a lock back."""
        await self.rpc.call("locks.release", issue_id=issue, fence=fence, idempotency_key=key)

    async def issues(self) -> list[int]:
        """Give the numbers of all issues."""
        found = await self.rpc.call("issues.list")
        return [issue["id"] for issue in found["issues"]]


class RpcRuns:
    """``runs.*``."""

    def __init__(self, rpc: Rpc) -> None:
        """Call over this connection."""
        self._rpc = rpc

    async def start(self, run_id: str) -> str:
        """Start a run."""
        made = await self._rpc.call("runs.start", intent="to prove", idempotency_key=run_id)
        return str(made["run_id"])

    async def record(self, run_id: str, prompt: str, key: str) -> int:
        """Add a turn and give its index."""
        recorded = await self._rpc.call(
            "runs.record_turns", run_id=run_id, turns=[{"prompt": prompt}], idempotency_key=key
        )
        if recorded["dropped"] is not None:
            raise Refused(recorded["dropped"])
        return int(recorded["base_index"])

    async def complete(self, run_id: str, key: str) -> None:
        """End a run."""
        await self._rpc.call(
            "runs.complete", run_id=run_id, outcome={"status": "success"}, idempotency_key=key
        )

    async def drop(self) -> None:
        """End the connection."""
        await self._rpc.drop()


# -- readers -------------------------------------------------------------------------------


class SocketReader:
    """Follows everything on ``/rpc`` and resumes with ``after``."""

    def __init__(self, desk: Desk) -> None:
        """Begin with no position."""
        self._desk = desk
        self._after: Frame | None = None

    async def read(self) -> None:
        """Follow over one connection."""
        desk = self._desk
        socket = await connect(desk)
        joined = False
        try:
            answer = await call_on(
                socket, SUBSCRIBE, "topics.subscribe", topics=["*"], after=self._after
            )
            at = self._after or answer["position"]
            recovered = None if self._after is None else answer["recovered"]
            desk.joined("exact", ("*",), recovered=recovered, after=at["seq"])
            joined = True
            self._after = at
            epoch = answer["position"]["epoch"]
            while True:
                frame = await socket.receive()
                if frame.get("method") == "topics.event":
                    self._take(frame["params"]["event"], epoch)
        finally:
            if joined:
                desk.left()
            await socket.close()

    def _take(self, event: Frame, epoch: str) -> None:
        if event["seq"]:
            tell(self._desk, event)
            self._after = {"epoch": epoch, "seq": event["seq"]}


async def read_socket(desk: Desk) -> None:
    """Follow everything on ``/rpc``."""
    await follow(desk, SocketReader(desk).read)


class StreamReader:
    """Follows everything on ``/events`` and resumes with ``Last-Event-ID``."""

    def __init__(self, desk: Desk) -> None:
        """Begin with no position."""
        self._desk = desk
        self._after: str | None = None
        self._seq: int | None = None
        """Number in the position."""

    async def read(self) -> None:
        """Follow over one connection."""
        joined = False
        try:
            async for event in sse_events(
                self._desk, "/events?topics=*", token=self._desk.token(), after=self._after
            ):
                data = msgspec.json.decode(event.data)
                if event.name == "hubbub.resumed":
                    self._join(data)
                    joined = True
                elif event.cursor is not None and data["seq"]:
                    tell(self._desk, data)
                    self._after, self._seq = event.cursor, data["seq"]
        finally:
            if joined:
                self._desk.left()

    def _join(self, resumed: Frame) -> None:
        first = self._after is None
        position = resumed["position"]
        if self._after is None:
            self._after = f"{position['epoch']}:{position['seq']}"
            self._seq = position["seq"]
        recovered = None if first else resumed["recovered"]
        self._desk.joined("exact", ("*",), recovered=recovered, after=self._seq)


async def read_stream(desk: Desk) -> None:
    """Follow everything on ``/events``."""
    await follow(desk, StreamReader(desk).read)


def tell(desk: Desk, event: Frame) -> None:
    """Record an event of the journal."""
    data = event["data"] if isinstance(event["data"], dict) else {}
    what = label(event["topic"], event["kind"], data) or nameless(event["seq"])
    desk.told(event["topic"], what, position=event["seq"])


# -- the end -------------------------------------------------------------------------------


class HubbubDoor:
    """The clients of hubbub's own door."""

    name = "hubbub"

    @property
    def writers(self) -> dict[str, Client]:
        """Give the writers by name."""
        return {
            "hubbub-topics": publish,
            "hubbub-tracker": track,
            "hubbub-rival": rival,
            "hubbub-runs": run,
            "hubbub-chat": chat,
        }

    @property
    def readers(self) -> dict[str, Client]:
        """Give the readers by name."""
        return {"hubbub-socket": read_socket, "hubbub-stream": read_stream}

    async def look(self, desk: Desk) -> None:
        """Record issues with their comments, locks, runs with their turns, and chats."""
        rpc = calls_of(desk)

        async def read(method: str, **params: Any) -> Any:
            return await surely(desk, lambda: rpc.call(method, **params))

        for issue in (await read("issues.list"))["issues"]:
            topic = f"issues/{issue['id']}"
            desk.found(_found("issue", issue["title"], topic, value=issue["status"]))
            for made in (await read("issues.get", id=issue["id"]))["comments"]:
                desk.found(_found("comment", made["content"], topic))
        for lock in (await read("locks.list"))["locks"]:
            topic = f"locks/{lock['issue_id']}"
            desk.found(_found("lock", topic, topic, value=lock["holder"], fence=lock["fence"]))
        for run_id in asked_runs(desk):
            with contextlib.suppress(Refused):  # it never began
                _look_at(desk, await read("runs.trace", run_id=run_id))

        async def history(session: str, limit: int) -> list[Frame]:
            page = await read("chat.history", session=session, limit=limit)
            return list(page["messages"])

        await look_at_history(desk, history)
        await rpc.drop()


def _look_at(desk: Desk, trace: Frame) -> None:
    run = trace["run"]
    topic = f"runs/{run['run_id']}"
    desk.found(_found("run", f"{topic} run.started", topic, value=run["status"]))
    for turn in trace["turns"]:
        desk.found(_found("trace", turn_label(topic, turn["prompt"]), topic))


def _found(
    read: str, what: str, stream: str, *, value: str = "", fence: int | None = None
) -> Found:
    return Found(at=0, door="hubbub", read=read, what=what, stream=stream, value=value, fence=fence)


DOOR = HubbubDoor()
