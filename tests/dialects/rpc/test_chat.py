"""``chat.*`` of hubbub's own protocol, and what who joins late is told."""

import base64
from collections.abc import AsyncIterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import msgspec
import pytest

from hubbub.core.values import OPERATOR, Principal, uuid7
from hubbub.dialects.calls import table
from hubbub.dialects.rpc import chat, topics
from hubbub.storage.sqlite import SqliteStore
from tests.dialects.rpc.callers import Caller
from tests.unit.conftest import ManualClock
from tests.unit.core.chat_room import MAIN, Room


TABLE = table(chat.METHODS, topics.METHODS)
PNG = base64.b64encode(b"\x89PNG\r\n\x1a\n0").decode()


@pytest.fixture
async def room(tmp_path: Path) -> AsyncIterator[Room]:
    """Give a chat whose agent the test plays."""
    clock = ManualClock()
    store = SqliteStore(tmp_path / "hubbub.db", clock=clock, ids=uuid7, crash=lambda _: None)
    store.start()
    made = Room(store, clock)
    yield made
    await made.chat.close()
    store.close()


def caller_in(room: Room, principal: Principal = OPERATOR) -> Caller:
    """Let somebody in over a socket."""
    hub = SimpleNamespace(
        chat=room.chat,
        runs=room.runs,
        bus=room.bus,
        store=room.store,
        journal=room.journal,
        ids=uuid7,
    )
    return Caller(hub, TABLE, principal)


async def test_send_and_history(room: Room) -> None:
    """A message starts a turn; the history has what was said and what is being said."""
    caller = caller_in(room)
    params = {"session": "main", "message": "hello", "idempotency_key": "k1"}
    assert await caller.call("chat.send", **params) == {"run_id": "k1", "status": "started"}
    turn = await room.runner.next_turn()
    turn.say("so far")
    await room.ears.wait("k1", "chat.delta")
    page = await caller.call("chat.history", session="main")
    assert (page["session"], len(page["messages"])) == (MAIN, 1)
    assert (page["running"][0]["run_id"], page["running"][0]["text"]) == ("k1", "so far")
    turn.finish()
    await room.ears.wait("k1", "chat.final")
    assert await caller.call("chat.send", **params) == {"run_id": "k1", "status": "ok"}
    page = await caller.call("chat.history", session=MAIN, limit=1)
    assert (page["messages"][0]["role"], page["running"]) == ("assistant", [])
    assert (page["run_ids"], page["position"]["seq"]) == (["k1"], room.store.last_seq())


async def test_send_with_an_image(room: Room) -> None:
    """Attachments come as base64."""
    await caller_in(room).call(
        "chat.send",
        session="main",
        message="look",
        idempotency_key="k1",
        attachments=[{"content": PNG, "file_name": "a.png"}],
    )
    assert len((await room.runner.next_turn()).asked.attachments) == 1


async def test_failed_turn_tells_its_reason_again(room: Room) -> None:
    """A repeated send of a turn that failed is no error of the call."""
    turn = await room.begin("k1")
    turn.fail(RuntimeError("no luck"))
    await room.ears.wait("k1", "chat.error")
    sent = await caller_in(room).call(
        "chat.send", session="main", message="hello", idempotency_key="k1"
    )
    assert sent == {"run_id": "k1", "status": "error", "summary": "RuntimeError: no luck"}


async def test_abort_and_stop_word(room: Room) -> None:
    """Both tell which runs they ended."""
    caller = caller_in(room)
    await room.begin("k1")
    assert await caller.call("chat.abort", session="main", run_id="k1") == {
        "aborted": True,
        "run_ids": ["k1"],
    }
    assert await caller.call("chat.abort", session="main") == {"aborted": False, "run_ids": []}
    await room.begin("k2")
    sent = await caller.call("chat.send", session="main", message="stop", idempotency_key="k3")
    assert sent == {"run_id": "k3", "status": "stopped", "aborted": ["k2"]}


async def test_inject(room: Room) -> None:
    """A message of the agent's, told by its id; needs a session."""
    caller = caller_in(room)
    answer = await caller.answer("chat.inject", session="main", message="psst")
    assert answer["error"]["data"]["code"] == "not_found"
    await caller.call("chat.session_reset", session="main")
    injected = await caller.call("chat.inject", session="main", message="psst", label="note")
    assert len(injected["message_id"]) == 8
    assert await room.texts() == [("assistant", "[note]\n\npsst")]


async def test_sessions_are_managed(room: Room) -> None:
    """List, patch, reset, delete."""
    caller = caller_in(room)
    changes = {"label": "Trip"}
    info = await caller.call("chat.session_patch", session="trip", changes=changes)
    assert (info["session"], info["fields"]) == ("agent:main:trip", changes)
    listed = await caller.call("chat.sessions", search="trip")
    assert [one["session"] for one in listed["sessions"]] == ["agent:main:trip"]
    assert (await caller.call("chat.sessions", limit=-1))["sessions"] == []
    reset = await caller.call("chat.session_reset", session="trip")
    assert reset["session_id"] != info["session_id"]
    assert await caller.call("chat.session_delete", session="trip") == {"deleted": True}
    assert await caller.call("chat.session_delete", session="trip") == {"deleted": False}


async def test_import(room: Room) -> None:
    """A transcript from elsewhere comes in; the scope is admin."""
    params: dict[str, Any] = {
        "session": "main",
        "entry": {"sessionId": "s1"},
        "messages": [{"role": "user", "content": [{"text": "old"}]}],
    }
    imported = await caller_in(room).call("chat.import_session", **params)
    assert imported == {"session_key": MAIN, "created": True, "added": 1}
    answer = await caller_in(room, Principal(name="ann")).answer("chat.import_session", **params)
    assert answer["error"]["data"]["code"] == "forbidden"


@pytest.mark.parametrize("resumes", [True, False])
async def test_who_joins_a_running_turn_gets_its_text_so_far(room: Room, *, resumes: bool) -> None:
    """One event with the whole text comes behind the answer and the past, then only what is new."""
    position = room.journal.position.cursor()
    turn = await room.begin("k1")
    turn.say("so far")
    await room.ears.wait("k1", "chat.delta")
    caller = caller_in(room)
    after = {"after": position} if resumes else {}
    await caller.call("topics.subscribe", topics=[f"chat/{MAIN}"], **after)
    await caller.outbox.holds(4 if resumes else 1)
    turn.say(", so good")
    frames = await caller.outbox.holds(5 if resumes else 2)
    told = [msgspec.json.decode(frame)["params"]["event"] for frame in frames]
    stored = ["chat.session", "chat.accepted", "chat.started"] if resumes else []
    assert [event["kind"] for event in told] == [*stored, "chat.delta", "chat.delta"]
    deltas = [(event["data"]["text"], event["data"]["delta"]) for event in told[-2:]]
    assert deltas == [("so far", "so far"), ("so far, so good", ", so good")]
    caller.caller.closed()


@pytest.mark.parametrize("params", [{}, {"session": "main"}, {"session": 7, "message": "x"}])
async def test_unusable_parameters(room: Room, params: dict[str, Any]) -> None:
    """What is missing or of the wrong type is an error of the call."""
    answer = await caller_in(room).answer("chat.send", **params)
    assert answer["error"]["code"] == -32602
