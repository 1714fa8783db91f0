"""Writers for the kill tests: each asks one verb again and again under marks of its own.

A mark is the writer's name for one intended effect; it travels as idempotency key where the
verb takes one and always inside what is written, so that effects can be counted afterwards in
the journal. What was answered is kept in the `Ledger`, step by step.
"""

import json
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

import aiohttp
import websockets

from tests.clients.car import SUCCESS
from tests.clients.frames import Frame, SocketEnded
from tests.clients.guests import Guests
from tests.clients.openclaw import send_params
from tests.clients.x0x import unb64
from tests.daemon import Daemon


GONE = (SocketEnded, websockets.WebSocketException, aiohttp.ClientError, OSError, EOFError)
"""What a client sees when its daemon is killed: a failed connect, an end, a cut answer."""

Step = tuple[str, str]
"""One verb and one mark."""


@dataclass
class Ledger:
    """Who asked for what, and what was answered; outlives every daemon.

    Attributes:
        asked: Every step that was ever sent, answered or not.
        answers: The first answer to each step.
        keyless: Steps whose verb takes no key on that door and are therefore not retried.
    """

    asked: dict[Step, None] = field(default_factory=dict)
    answers: dict[Step, Any] = field(default_factory=dict)
    keyless: set[Step] = field(default_factory=set)

    async def step(self, verb: str, mark: str, call: Awaitable[Any], *, keyed: bool = True) -> Any:
        """Send one request and keep its answer; a repeated step must be answered alike."""
        self.asked[verb, mark] = None
        if not keyed:
            self.keyless.add((verb, mark))
        answer = await call
        first = self.answers.setdefault((verb, mark), answer)
        assert answer == first, f"{verb} {mark} was answered {first}, and now {answer}"
        return answer


class Writer:
    """Connects anew for each life of the daemon, then writes one mark after the other."""

    name = ""
    repeats = True
    """Whether every step takes a key, so that a mark may be written again as a retry."""

    def __init__(self, ledger: Ledger) -> None:
        self.ledger = ledger

    async def connect(self, guests: Guests, daemon: Daemon) -> None:
        """Open what `write` needs."""
        raise NotImplementedError

    async def write(self, mark: str) -> None:
        """Have the effects of one mark."""
        raise NotImplementedError


class RpcPublisher(Writer):
    """`topics.publish` with a key."""

    name = "publish"

    async def connect(self, guests: Guests, daemon: Daemon) -> None:
        """Open hubbub's own door."""
        self.rpc = await guests.rpc(daemon)

    async def write(self, mark: str) -> None:
        """Publish once."""
        call = self.rpc.publish("kill/rpc", {"mark": mark}, idempotency_key=mark)
        await self.ledger.step("publish", mark, call)


class X0xPublisher(Writer):
    """`POST /publish`, which has no key: at most once, and not lost once answered."""

    name = "x0x-publish"
    repeats = False

    async def connect(self, guests: Guests, daemon: Daemon) -> None:
        """Open the x0x door."""
        self.client = await guests.x0x(daemon)

    async def write(self, mark: str) -> None:
        """Publish once."""
        call = self.client.publish("kill/x0x", json.dumps({"mark": mark}))
        await self.ledger.step("x0x-publish", mark, _status(call), keyed=False)


class DirectSender(Writer):
    """`POST /direct/send` with a logical id."""

    name = "direct"

    async def connect(self, guests: Guests, daemon: Daemon) -> None:
        """Open the x0x door and learn who we are."""
        self.client = await guests.x0x(daemon)
        self.me = await self.client.agent_id()

    async def write(self, mark: str) -> None:
        """Send one message to ourselves."""
        await self.ledger.step("direct", mark, self._send(mark))

    async def _send(self, mark: str) -> str:
        answer = await self.client.send_direct(self.me, mark, logical_id=mark)
        assert answer.status == 200, answer
        return str(answer.body["request_id"])


class RunKeeper(Writer):
    """`runs.start`, `runs.record_turns` and `runs.complete`, keyed, on hubbub's own door."""

    name = "runs"

    async def connect(self, guests: Guests, daemon: Daemon) -> None:
        """Open hubbub's own door."""
        self.rpc = await guests.rpc(daemon)

    async def write(self, mark: str) -> None:
        """Start a run, give it two turns and complete it."""
        run_id = await self.ledger.step("run", mark, self._start(mark))
        turns = [{"tool": "echo", "output": f"{mark}/{n}"} for n in range(2)]
        turn = {"run_id": run_id, "turns": turns, "idempotency_key": f"{mark}.turns"}
        await self.ledger.step("turns", mark, self.rpc.outcome("runs.record_turns", turn))
        done = {"run_id": run_id, "outcome": SUCCESS, "idempotency_key": f"{mark}.done"}
        await self.ledger.step("complete", mark, self.rpc.outcome("runs.complete", done))

    async def _start(self, mark: str) -> str:
        # The key becomes the run's id; the run itself moves on, its id may not.
        start = {"agent": "keeper", "intent": mark, "idempotency_key": f"{mark}.start"}
        return str((await self.rpc.call("runs.start", start))["run_id"])


class CarRunner(Writer):
    """`runs.start` and `runs.complete` as a CAR agent sends them: the key is the run id."""

    name = "car"

    async def connect(self, guests: Guests, daemon: Daemon) -> None:
        """Open the CAR door."""
        self.car = await guests.car(daemon)

    async def write(self, mark: str) -> None:
        """Start a run and complete it, unless an earlier life of the daemon ended it."""
        start = {"agent_id": "racer", "intent": mark, "idempotency_key": mark}
        await self.ledger.step("car-run", mark, self.car.call("runs.start", start))
        if ("car-complete", mark) in self.ledger.answers:
            return
        done = {"run_id": mark, "outcome": SUCCESS}
        await self.ledger.step("car-complete", mark, self._complete(done), keyed=False)

    async def _complete(self, done: Frame) -> str:
        answer = await self.car.answer("runs.complete", done)
        return "ok" if "result" in answer else "refused"


class Chatter(Writer):
    """`chat.send` on the OpenClaw door; the echo agent answers."""

    name = "chat"

    async def connect(self, guests: Guests, daemon: Daemon) -> None:
        """Open the OpenClaw door."""
        self.claw = await guests.openclaw(daemon)

    async def write(self, mark: str) -> None:
        """Send one message."""
        await self.ledger.step("chat", mark, self._send(mark))

    async def _send(self, mark: str) -> str:
        answer = await self.claw.answer("chat.send", send_params(mark, mark, f"s-{mark}"))
        # The status moves on from started to ok or, after a crash, error: the run id may not.
        return str(answer["payload"]["runId"])


class Aborter(Writer):
    """`chat.send` to an agent that never answers, then `chat.abort`."""

    name = "abort"

    async def connect(self, guests: Guests, daemon: Daemon) -> None:
        """Open the OpenClaw door."""
        self.claw = await guests.openclaw(daemon)

    async def write(self, mark: str) -> None:
        """Start a run and abort it."""
        session = f"agent:sleeper:s-{mark}"
        send = self._run_id(send_params(mark, mark, session))
        await self.ledger.step("sleeper-chat", mark, send)
        if ("abort", mark) in self.ledger.answers:
            return
        abort = self.claw.call("chat.abort", {"sessionKey": session, "runId": mark})
        await self.ledger.step("abort", mark, abort)

    async def _run_id(self, params: Frame) -> str:
        return str((await self.claw.answer("chat.send", params))["payload"]["runId"])


class Injector(Writer):
    """`chat.inject` with a key, into one session."""

    name = "inject"

    async def connect(self, guests: Guests, daemon: Daemon) -> None:
        """Open hubbub's own door."""
        self.rpc = await guests.rpc(daemon)

    async def write(self, mark: str) -> None:
        """Put one message into the history of a session that exists."""
        first = {"session": "injected", "message": "hello", "idempotency_key": "inject-session"}
        await self.rpc.answer("chat.send", first)
        params = {"session": "injected", "message": mark, "idempotency_key": mark}
        await self.ledger.step("inject", mark, self.rpc.call("chat.inject", params))


class Tracker(Writer):
    """Issue and lock writes with keys: create, comment, label, close, claim, release."""

    name = "issues"

    async def connect(self, guests: Guests, daemon: Daemon) -> None:
        """Open hubbub's own door."""
        self.rpc = await guests.rpc(daemon)

    async def write(self, mark: str) -> None:
        """Lead one issue through its life."""
        issue = (await self._keyed("issues.create", mark, title=mark))["id"]
        await self._keyed("issues.comment", mark, id=issue, content=mark)
        await self._keyed("issues.label", mark, id=issue, label="killed")
        await self._keyed("locks.claim", mark, issue_id=issue)
        await self._keyed("locks.release", mark, issue_id=issue)
        await self._keyed("issues.close", mark, id=issue)

    async def _keyed(self, method: str, mark: str, **params: object) -> Any:
        call = self.rpc.call(method, {**params, "idempotency_key": f"{mark}.{method}"})
        return await self.ledger.step(method, mark, call)


class CrosslinkTracker(Writer):
    """`POST /api/v1/issues`, without a key."""

    name = "crosslink"
    repeats = False

    async def connect(self, guests: Guests, daemon: Daemon) -> None:
        """Open the crosslink door."""
        self.client = await guests.crosslink(daemon)

    async def write(self, mark: str) -> None:
        """Create one issue."""
        call = self.client.create(mark)
        await self.ledger.step("crosslink-create", mark, call, keyed=False)


WRITERS: tuple[type[Writer], ...] = (
    RpcPublisher,
    X0xPublisher,
    DirectSender,
    RunKeeper,
    CarRunner,
    Chatter,
    Aborter,
    Injector,
    Tracker,
    CrosslinkTracker,
)


async def _status(call: Awaitable[Any]) -> int:
    return int((await call).status)


def count_effects(events: list[Frame], issues: dict[int, str]) -> Counter[Step]:
    """Count what the journal shows of each step.

    Args:
        events: The journal.
        issues: The title, which is the mark, of each issue.
    """
    effects: Counter[Step] = Counter()
    runs: dict[str, str] = {}
    for event in events:
        data, topic = event["data"], event["topic"]
        if event["kind"] == "run.started":
            runs[data["run_id"]] = data["intent"]
        for verb, mark in _effects_of(event["kind"], topic, data, issues, runs):
            effects[verb, mark] += 1
    return effects


def _effects_of(
    kind: str, topic: str, data: Any, issues: dict[int, str], runs: dict[str, str]
) -> list[Step]:
    if topic.startswith("kill/"):
        return [_published(topic, data)]
    reader = READERS.get(kind)
    return [] if reader is None else reader(data, issues, runs)


def _published(topic: str, data: Any) -> Step:
    if topic == "kill/rpc":
        return ("publish", data["mark"])
    # Bytes from the x0x door travel as base64, whatever they hold.
    return ("x0x-publish", json.loads(unb64(data["payload"]))["mark"])


def _direct(data: Any, _issues: dict[int, str], _runs: dict[str, str]) -> list[Step]:
    return [("direct", unb64(data["payload"]).decode())]


def _run(verb: str) -> "Reader":
    def read(data: Any, _issues: dict[int, str], runs: dict[str, str]) -> list[Step]:
        mark = runs.get(data["run_id"], "")
        agent = {"keeper": "", "racer": "car-"}.get(data["agent"])
        return [] if agent is None else [(agent + verb, mark)]

    return read


def _chat(verb: str) -> "Reader":
    def read(data: Any, _issues: dict[int, str], _runs: dict[str, str]) -> list[Step]:
        sleeper = data["session_key"].startswith("agent:sleeper:")
        effects = [("sleeper-" + verb if sleeper else verb, data["run_id"])]
        # Only an abort has a reason: it is an effect of its own beside the run's end.
        return [*effects, ("abort", data["run_id"])] if "reason" in data else effects

    return read


def _injected(data: Any, _issues: dict[int, str], _runs: dict[str, str]) -> list[Step]:
    content = data["message"]["content"]
    text = content if isinstance(content, str) else content[0]["text"]
    return [("inject", text)]


def _issue(data: Any, issues: dict[int, str], _runs: dict[str, str]) -> list[Step]:
    mark = issues.get(data["issue_id"], "")
    verb = {
        "created": "issues.create",
        "comments": "issues.comment",
        "labels": "issues.label",
        "status": "issues.close",
    }.get(data["field"], data["field"])
    return [(verb, mark), ("crosslink-create", mark)] if verb == "issues.create" else [(verb, mark)]


def _lock(verb: str) -> "Reader":
    def read(data: Any, issues: dict[int, str], _runs: dict[str, str]) -> list[Step]:
        return [(verb, issues.get(data["issue_id"], ""))]

    return read


Reader = Callable[[Any, dict[int, str], dict[str, str]], list[Step]]

READERS: dict[str, Reader] = {
    "direct.message": _direct,
    "run.started": _run("run"),
    "run.turn": _run("turn"),
    "run.ended": _run("complete"),
    "chat.accepted": _chat("chat"),
    "chat.final": _chat("end"),
    "chat.error": _chat("end"),
    "chat.aborted": _chat("end"),
    "chat.injected": _injected,
    "issue.changed": _issue,
    "lock.claimed": _lock("locks.claim"),
    "lock.released": _lock("locks.release"),
}
