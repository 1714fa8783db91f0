"""`agents.chat`: a host chats with an agent and hears its turn."""

import msgspec
import pytest

from hubbub.core.chat.conversation import Attachment
from hubbub.core.values import Event
from hubbub.errors import TooLarge
from tests.dialects.car.conftest import Client, Frame, Room


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


async def test_turns_of_a_connection_are_limited_and_its_own(room: Room) -> None:
    """One turn over the limit is refused, and so is a turn that another connection hears."""
    room.settings = msgspec.structs.replace(room.settings, max_turns=2)
    host, other = await room.host(), await room.host()
    for key in ("a", "b"):
        params = {"agent_id": "ann", "prompt": "x", "idempotency_key": key}
        await host.call("agents.chat", params)
    more = {"agent_id": "ann", "prompt": "x"}
    assert "2 turns at a time" in (await host.fail("agents.chat", more))["message"]
    taken = {**more, "idempotency_key": "a"}
    assert "another connection" in (await other.fail("agents.chat", taken))["message"]
    host.leave()
    await other.call("agents.chat", taken)
    happen(room, "chat.final", run_id="a")
    assert (await heard(other))["kind"] == "done"
