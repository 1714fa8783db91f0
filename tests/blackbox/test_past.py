"""The room at any place of the journal: what a recorder saw there, and what events make of it."""

import itertools
import random
from collections.abc import Callable
from typing import Any

import pytest

from tests.blackbox.recorder import Recorder
from tests.blackbox.room_fold import folded
from tests.clients.car import SUCCESS, CarSocket
from tests.clients.frames import Frame
from tests.clients.guests import Guests
from tests.clients.model_server import ModelServer, Turn
from tests.clients.rpc import RpcSocket
from tests.clients.waiting import eventually
from tests.conftest import StartDaemon
from tests.daemon import Daemon


CONFIG = """
[presence]
idle_after_s = 1.0
stale_after_s = 2.0
tick_s = 0.05
heartbeat_interval_s = 0.0
[locks]
tick_s = 0.05
[reservations]
tick_s = 0.05
[waits]
tick_s = 0.05
"""
"""Silence, leases and waits end within the test."""

HOUR_MS = 3_600_000
POSITIONS = 30
"""Places within and between units that are asked for, besides all those that were noted."""


class Company:
    """Who works here: the operator, agents through two doors, and a recorder."""

    def __init__(self, daemon: Daemon, guests: Guests, model: ModelServer) -> None:
        self.daemon = daemon
        self.guests = guests
        self.model = model
        self.recorder = Recorder()
        self.tokens: dict[str, str] = {}

    async def connect(self) -> None:
        """Come in, or come back after the daemon was killed."""
        self.boss = await self.guests.rpc(self.daemon)
        for name in ("ann", "bob"):
            if name not in self.tokens:
                self.tokens[name] = await self.daemon.agent_token(name)
        self.ann = await self.guests.rpc(self.daemon, self.tokens["ann"])
        self.bob: CarSocket = await self.guests.car_agent(self.daemon, "bob", self.tokens["bob"])
        self.bob_rpc = await self.guests.rpc(self.daemon, self.tokens["bob"])
        await self.note()

    async def note(self) -> None:
        """Note how things stand."""
        await self.recorder.note(self.boss)

    async def do(self, who: RpcSocket | CarSocket, method: str, **params: object) -> Any:
        """Make a call, and note what it left behind."""
        result = await who.call(method, params)
        await self.note()
        return result

    async def until(self, what: str, look: Callable[[Frame], object]) -> None:
        """Wait until the room is as it should be, and note it."""

        async def looked() -> object:
            return look(await self.boss.call("room.snapshot"))

        await eventually(looked, what=what)
        await self.note()

    async def say(self, key: str, **params: object) -> Turn:
        """Send a message of whose turn the model has heard, and note it."""
        body = {"session": "main", "message": f"about {key}", "idempotency_key": key, **params}
        await self.boss.call("chat.send", body)
        turn = await self.model.next_turn()
        await self.note()
        return turn


async def track(us: Company) -> None:
    """Open, change, comment, label, block, close and delete issues through two doors."""
    web = await us.guests.crosslink(us.daemon)
    first = (await us.do(us.boss, "issues.create", title="one", description="why"))["id"]
    second = await web.create("two")
    third = (await us.do(us.ann, "issues.create", title="below", parent_id=second))["id"]
    fourth = (await us.do(us.ann, "issues.create", title="below that", parent_id=third))["id"]
    await us.do(us.ann, "issues.update", id=first, title="uno")
    await us.do(us.ann, "issues.update", id=first, description="because")
    await us.do(us.ann, "issues.comment", id=first, content="hm", kind="plan")
    await web.ok("POST", f"/issues/{first}/comments", {"content": "from the page"})
    for label in ("b", "a"):
        await us.do(us.boss, "issues.label", id=first, label=label)
    await us.do(us.boss, "issues.unlabel", id=first, label="b")
    for blocker in (second, third, fourth):
        await us.do(us.boss, "issues.block", id=first, blocker_id=blocker)
    await us.do(us.boss, "issues.unblock", id=first, blocker_id=fourth)
    await us.do(us.ann, "issues.close", id=third)
    await us.do(us.ann, "issues.reopen", id=third)
    await us.do(us.ann, "locks.claim", issue_id=fourth)
    await us.do(us.boss, "issues.delete", id=third)
    await us.do(us.boss, "issues.update", id=second, description="", priority="high")


async def lock(us: Company) -> None:
    """Claim, renew, wait, hand over, steal and lose locks."""
    lease = (await us.do(us.ann, "locks.claim", issue_id=1, lease_ms=HOUR_MS))["fence"]
    await us.do(us.ann, "locks.renew", issue_id=1, fence=lease)
    await us.do(us.ann, "locks.claim", issue_id=1)
    waiting = await us.bob_rpc.post("locks.claim", {"issue_id": 1, "wait": True})
    await us.until("the wait", lambda room: room["waits"])
    await us.do(us.ann, "locks.release", issue_id=1)
    await us.bob_rpc.result(waiting)
    await us.note()
    await us.do(us.boss, "locks.steal", issue_id=1, agent="ann", reason="asleep")
    await us.bob_rpc.post("locks.claim", {"issue_id": 1, "wait": True, "wait_ms": 1})
    await us.do(us.ann, "locks.claim", issue_id=2, lease_ms=50)
    await us.until("the end of the lease", lambda room: len(room["locks"]) == 1)


async def reserve(us: Company) -> None:
    """Reserve paths, extend that, wait for them, and give them back."""
    held = (await us.do(us.ann, "reservations.claim", paths=["src/**"], reason="mine"))["id"]
    await us.do(us.ann, "reservations.renew", id=held, lease_ms=HOUR_MS)
    await us.do(us.ann, "reservations.claim", paths=["src/**"], reason="still mine")
    waiting = await us.bob_rpc.post("reservations.claim", {"paths": ["src/x.py"], "wait": True})
    await us.until("the wait", lambda room: room["waits"])
    await us.do(us.ann, "reservations.release", id=held)
    await us.bob_rpc.result(waiting)
    await us.do(us.ann, "reservations.claim", paths=["docs/*"], mode="shared", lease_ms=50)
    await us.until("the end of the lease", lambda room: len(room["reservations"]) == 1)


async def work(us: Company) -> None:
    """Start runs through two doors; complete, cancel and lose them."""
    ours = (await us.do(us.ann, "runs.start", intent="mend", outcome_description="ok"))["run_id"]
    turns = [{"tool": "look", "output": "é" * 40}, {"prompt": "and then?"}]
    await us.do(us.ann, "runs.record_turns", run_id=ours, turns=turns)
    theirs = await us.bob.start_run("bob", "count")
    await us.do(us.bob, "runs.record_turns", run_id=theirs, turns=[{"tool": "add"}])
    await us.do(us.ann, "runs.record_turns", run_id=ours, turns=turns)
    await us.do(us.bob, "runs.complete", run_id=theirs, outcome=SUCCESS)
    await us.do(us.boss, "runs.cancel", run_id=ours, reason="enough")
    token = await us.daemon.agent_token("cid")
    passing = await us.guests.car_agent(us.daemon, "cid", token)
    lost = await passing.start_run("cid", "forget")
    passing.drop()

    def is_over(room: Frame) -> bool:
        return any(run["run_id"] == lost and run["ended_at"] for run in room["runs"])

    await us.until("the end of the lost run", is_over)


async def talk(us: Company) -> None:
    """Answer, fail, abort, interrupt and roll back turns; change and delete conversations."""
    turn = await us.say("a")
    turn.say("an answer")
    await us.boss.call("chat.send", {"session": "main", "message": "b", "idempotency_key": "b"})
    await us.note()
    turn.finish()
    (await us.model.next_turn()).fail(400)
    await us.until("two ends", lambda room: all(run["ended_at"] for run in room["runs"]))
    await us.say("c")
    await us.do(us.boss, "chat.abort", session="main")
    turn = await us.say("d")
    turn.say("half")
    await us.boss.subscribe("chat/*")
    await us.boss.event(kind="chat.delta")
    await us.say("e", multitask_strategy="interrupt")
    turn = await us.say("f", multitask_strategy="rollback")
    turn.finish()
    await us.until("an end", lambda room: all(run["ended_at"] for run in room["runs"]))
    await us.do(us.boss, "chat.inject", session="main", message="note", label="from above")
    await us.do(us.boss, "chat.session_patch", session="main", changes={"thinkingLevel": "low"})
    old = [{"role": "user", "content": text} for text in ("long", "ago")]
    bring = {"session": "agent:main:old", "entry": {"sessionId": "theirs", "label": "x"}}
    await us.do(us.boss, "chat.import_session", **bring, messages=old[1:], offset=1)
    await us.do(us.boss, "chat.import_session", **bring, messages=old)
    turn = await us.say("g", session="agent:main:old")
    turn.say("new")
    turn.finish()
    await us.until("an end", lambda room: all(run["ended_at"] for run in room["runs"]))
    await us.do(us.boss, "chat.session_delete", session="agent:main:old")
    await us.do(us.boss, "chat.import_session", **bring, messages=old[:1])
    await us.do(us.boss, "chat.session_reset", session="main")


async def leave_in_the_middle(us: Company) -> None:
    """Have a turn, a run, a wait and connections open when the daemon is killed."""
    await us.do(us.ann, "runs.start", intent="goes on")
    await us.do(us.ann, "runs.start", intent="ends", on_disconnect="cancel")
    await us.bob_rpc.post("locks.claim", {"issue_id": 1, "wait": True})
    await us.until("the wait", lambda room: room["waits"])
    await us.say("cut")
    await us.boss.call("chat.send", {"session": "main", "message": "i", "idempotency_key": "i"})
    await us.note()


@pytest.mark.timeout(120)
async def test_past_is_what_was_seen(
    start_daemon: StartDaemon, guests: Guests, model: ModelServer
) -> None:
    """At any place, on both sides of a kill, each answer is the one that was given there.

    And the events between two places make the later room of the earlier one.
    """
    daemon = await start_daemon(CONFIG + model.agent_config(), env=model.environment)
    us = Company(daemon, guests, model)
    await us.connect()
    for part in (track, lock, reserve, work, talk, leave_in_the_middle):
        await part(us)
    daemon.kill()
    await daemon.start()
    await us.connect()
    turn = await model.next_turn()
    silent = {"idle", "stale"}
    await us.until("silence", lambda room: any(one["status"] in silent for one in room["agents"]))
    turn.finish()
    us.ann.drop()
    await us.until("the leave", lambda room: room["agents"][0]["status"] == "offline")

    notes = list(us.recorder.notes.values())
    for note in notes:
        at = note.room["position"]
        assert await us.boss.call("room.snapshot", {"at": at}) == note.room
        cursor = f"{at['epoch']}:{at['seq']}"
        past = await us.recorder.ask(us.boss, at=cursor)
        assert {name: past[name] for name in note.answers} == note.answers

    events = await us.boss.journal()
    for before, after in itertools.pairwise(notes):
        between = [event for event in events if before.seq < event["seq"] <= after.seq]
        assert folded(before.room, between) == after.room
    epoch = notes[0].room["position"]["epoch"]
    empty = await us.boss.call("room.snapshot", {"at": f"{epoch}:0"})
    for seq in random.Random(4).sample(range(1, notes[-1].seq), POSITIONS):
        upto = [event for event in events if event["seq"] <= seq]
        past = await us.boss.call("room.snapshot", {"at": {"epoch": epoch, "seq": seq}})
        assert folded(empty, upto) == past


async def test_position_that_never_was_is_refused(daemon: Daemon, guests: Guests) -> None:
    """Of another journal, still to come, before the first, no cursor: a clear error each."""
    rpc = await guests.rpc(daemon)
    epoch = (await rpc.publish("a", "b"))["position"]["epoch"]
    wrong: list[tuple[object, str]] = [
        ({"epoch": "other", "seq": 1}, "another journal"),
        ({"epoch": epoch, "seq": 10**6}, "no position 1000000"),
        ({"epoch": epoch, "seq": -1}, "no position -1"),
        ("here", "not a cursor"),
    ]
    for at, why in wrong:
        for method, of in (
            ("room.snapshot", {}),
            ("chat.history", {"session": "main"}),
            ("runs.trace", {"run_id": "x"}),
            ("issues.get", {"id": 1}),
        ):
            error = await rpc.fail(method, {**of, "at": at})
            assert (error["data"]["code"], why in error["message"]) == ("invalid_request", True)


async def test_past_outlives_what_was_cut(start_daemon: StartDaemon, guests: Guests) -> None:
    """Retention cuts what clients published; the room of any place stays as it was."""
    daemon = await start_daemon("[store]\nretention_interval_s = 0.05\nretention_bytes = 1\n")
    rpc = await guests.rpc(daemon)
    await rpc.call("issues.create", {"title": "kept"})
    room = await rpc.call("room.snapshot")
    for _ in range(3):
        await rpc.publish("chatter", "x" * 100)
    await rpc.call("issues.close", {"id": 1})

    async def is_cut() -> bool:
        return not await rpc.journal(topics=["chatter"])

    await eventually(is_cut, what="the cut")
    assert await rpc.call("room.snapshot", {"at": room["position"]}) == room
