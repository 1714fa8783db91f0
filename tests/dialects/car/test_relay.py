"""`agents.chat`: a host chats with an agent and hears its turn."""

import msgspec
import pytest

from hubbub.core.chat.conversation import Attachment
from hubbub.core.values import Event
from hubbub.errors import TooLarge
from tests.dialects.car.conftest import Client, Frame, Room
from tests.unit.core.runs_words import chat_run


def happen(room: Room, kind: str, **data: object) -> None:
    """Let an event of a chat happen."""
    raw = msgspec.Raw(msgspec.json.encode(data))
    room.bus.tell(Event(0, "e", "chat/agent:ann:s", kind, "agent:ann", 0, raw))


async def heard(client: Client) -> Frame:
    """Wait for the next event of a chat."""
    params: Frame = (await client.told("agents.chat.event"))["params"]
    return params


async def test_host_hears_the_turn_to_its_end(room: Room) -> None:
    """Words and tools come as they are said, then the end, and nothing after it."""
    host, other = await room.host(), await room.host()
    answer = await host.call(
        "agents.chat",
        {
            "agent_id": "Ann",
            "prompt": "hello",
            "session_id": "s",
            "stream": True,
            "attachments": [{"data": "aGk=", "mime_type": "image/png", "name": "a.png"}],
        },
    )
    (request,) = room.hub.chat.sent
    assert (answer["accepted"], answer["session_id"]) == (True, "s")
    assert (request.session_key, request.message) == ("agent:ann:s", "hello")
    assert request.attachments == [
        Attachment(content="aGk=", mime_type="image/png", file_name="a.png")
    ]
    run_id = request.idempotency_key
    happen(room, "chat.started", run_id=run_id)
    happen(room, "chat.delta", run_id=run_id, text="hi", delta="hi")
    happen(room, "chat.delta", run_id="another", text="x", delta="x")
    happen(room, "chat.tool", run_id=run_id, tool={"name": "t"})
    happen(room, "chat.final", run_id=run_id, usage={"total": 1})
    happen(room, "chat.delta", run_id=run_id, text="late", delta="late")
    assert [await heard(host) for _ in range(3)] == [
        {"session_id": "s", "kind": "token", "delta": "hi"},
        {"session_id": "s", "kind": "tool_call", "tool_call": {"name": "t"}},
        {"session_id": "s", "kind": "done", "usage": {"total": 1}},
    ]
    assert (host.outbox.read, other.outbox.read) == ([], [])


@pytest.mark.parametrize(
    ("kind", "data", "error"),
    [
        ("chat.error", {"error": "model is down"}, "model is down"),
        ("chat.aborted", {"reason": "timeout"}, "the turn was aborted (timeout)"),
    ],
)
async def test_failed_turn_is_an_error(
    room: Room, kind: str, data: dict[str, str], error: str
) -> None:
    """A turn that fails or is aborted ends with an error event."""
    host = await room.host()
    answer = await host.call("agents.chat", {"agent_id": "ann", "prompt": "x"})
    happen(room, kind, run_id=answer["run_id"], **data)
    assert await heard(host) == {
        "session_id": answer["session_id"],
        "kind": "error",
        "error": error,
    }


async def test_send_that_starts_nothing_is_not_listened_to(room: Room) -> None:
    """A refused message is an error; one that was answered before needs no listening."""
    host = await room.host()
    params = {"agent_id": "ann", "prompt": "x", "idempotency_key": "k"}
    room.hub.chat.error = TooLarge("too long")
    assert (await host.fail("agents.chat", params))["message"] == "too long"
    happen(room, "chat.delta", run_id="k", delta="x")
    room.hub.chat.error, room.hub.chat.status = None, "ok"
    await host.call("agents.chat", params)
    happen(room, "chat.delta", run_id="k", delta="x")
    assert host.outbox.read == []
    for bad in ({**params, "agent_id": ""}, {**params, "attachments": [{}]}, {"agent_id": "a"}):
        assert (await host.fail("agents.chat", bad))["code"] == -32602


async def test_connection_cancels_its_own_turns(room: Room) -> None:
    """Cancelling aborts what this connection started in that conversation, nothing else."""
    host, other = await room.host(), await room.host()
    params = {"agent_id": "ann", "prompt": "x", "session_id": "s", "idempotency_key": "k"}
    await host.call("agents.chat", params)
    for client, session_id in ((other, "s"), (host, "t")):
        answer = await client.call("agents.chat.cancel", {"session_id": session_id})
        assert answer["cancelled"] is False
    assert (await host.call("agents.chat.cancel", {"session_id": "s"}))["cancelled"] is True
    assert room.hub.chat.aborted == [("agent:ann:s", "k")]


async def test_turns_of_a_connection_are_limited(room: Room) -> None:
    """One turn over the limit is refused; a turn that is heard already is none more."""
    room.settings = msgspec.structs.replace(room.settings, max_turns=2)
    host = await room.host()
    for key in ("a", "b", "a"):
        params = {"agent_id": "ann", "prompt": "x", "idempotency_key": key}
        await host.call("agents.chat", params)
    more = {"agent_id": "ann", "prompt": "x"}
    assert "2 turns at a time" in (await host.fail("agents.chat", more))["message"]


async def test_any_number_of_connections_hear_a_turn(room: Room) -> None:
    """Who repeats a send gets what was said as one token behind the answer, then what follows."""
    first, second = await room.host(), await room.host()
    params = {"agent_id": "ann", "prompt": "x", "session_id": "s", "idempotency_key": "k"}
    await first.call("agents.chat", params)
    happen(room, "chat.delta", run_id="k", delta="so ")
    room.hub.chat.texts["k"], room.hub.chat.status = "so ", "in_flight"
    await second.call("agents.chat", params)
    room.hub.chat.error = TooLarge("another message under this key")
    await first.fail("agents.chat", params)
    happen(room, "chat.delta", run_id="k", delta="far")
    happen(room, "chat.final", run_id="k")
    for host in (first, second):
        told = [await heard(host) for _ in range(3)]
        assert [one.get("delta") for one in told] == ["so ", "far", None]
        assert host.outbox.read == []


async def test_what_happens_before_the_answer_comes_behind_it(room: Room) -> None:
    """A turn that ends while its repeated send is on its way is heard to its end, once."""
    host = await room.host()
    chat = room.hub.chat
    chat.status, chat.texts["k"] = "in_flight", "so far"
    chat.meanwhile = lambda: happen(room, "chat.final", run_id="k")
    params = {"agent_id": "ann", "prompt": "x", "session_id": "s", "idempotency_key": "k"}
    await host.call("agents.chat", params)
    assert [(await heard(host))["kind"] for _ in range(2)] == ["token", "done"]
    happen(room, "chat.delta", run_id="k", delta="late")
    await host.call("agents.list")
    assert host.outbox.read == []


async def test_follower_of_a_run_hears_its_words(room: Room) -> None:
    """`runs.subscribe` to a chat turn gives its text so far and its words until it is ended."""
    host, agent = await room.host(), await room.agent("ann")
    run = chat_run("turn-1", session_key="agent:ann:s")
    await room.journal.commit(lambda tx: room.hub.runs.start_in(tx, run, actor="operator"))
    room.hub.chat.texts["turn-1"] = "so "
    for client in (host, agent):
        await client.call("runs.subscribe", {"run_id": "turn-1"})
    happen(room, "chat.delta", run_id="turn-1", delta="far")
    for client in (host, agent):
        assert [await heard(client) for _ in range(2)] == [
            {"session_id": "s", "kind": "token", "delta": "so "},
            {"session_id": "s", "kind": "token", "delta": "far"},
        ]
    await host.call("runs.unsubscribe", {"run_id": "turn-1"})
    happen(room, "chat.delta", run_id="turn-1", delta="!")
    agent.leave()
    happen(room, "chat.final", run_id="turn-1")
    assert (await heard(agent))["delta"] == "!"
    assert [client.outbox.read for client in (host, agent)] == [[], []]


async def test_asking_for_a_turn_that_is_followed(room: Room) -> None:
    """A connection hears a turn once, under the conversation that it asked for."""
    host = await room.host()
    run = chat_run("k", session_key="agent:ann:other")
    await room.journal.commit(lambda tx: room.hub.runs.start_in(tx, run, actor="operator"))
    await host.call("runs.subscribe", {"run_id": "k"})
    params = {"agent_id": "ann", "prompt": "x", "session_id": "s", "idempotency_key": "k"}
    await host.call("agents.chat", params)
    for method in ("runs.unsubscribe", "runs.subscribe", "runs.unsubscribe"):
        await host.call(method, {"run_id": "k"})
    happen(room, "chat.delta", run_id="k", delta="once")
    assert await heard(host) == {"session_id": "s", "kind": "token", "delta": "once"}
    assert host.outbox.read == []


async def test_other_runs_have_no_words(room: Room) -> None:
    """Following a run that is no chat turn is not followed by words."""
    client, host = await room.unbound(), await room.host()
    run_id = await client.start_run()
    await host.call("runs.subscribe", {"run_id": run_id})
    happen(room, "chat.delta", run_id=run_id, delta="x")
    await host.call("agents.list")
    assert host.outbox.read == []
