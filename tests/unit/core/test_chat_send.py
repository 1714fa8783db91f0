"""Sending: one key is one turn, whatever comes in between."""

import asyncio
import base64
from typing import Any

import msgspec
import pytest

from hubbub.core.chat.agents import ChatSettings
from hubbub.core.chat.conversation import Attachment, SendRequest
from hubbub.core.runs.run import StartRun
from hubbub.core.values import OPERATOR, Principal
from hubbub.errors import Conflict, Forbidden, IdempotencyConflict, InvalidRequest, TooLarge
from tests.unit.core.chat_room import MAIN, Room
from tests.unit.core.conftest import MakeRoom


PNG = base64.b64encode(b"\x89PNG\r\n\x1a\n0").decode()


async def test_send_is_stored_told_and_answered_in_this_order(chat_room: Room) -> None:
    """Accepted is told before the answer, started after it, and the runner comes last."""
    order: list[str] = []
    chat_room.bus.listen(["chat/*"], lambda event: order.append(event.kind))

    sent = await chat_room.send("k1")
    order.append("answered")
    turn = await chat_room.runner.next_turn()

    assert (sent.run_id, sent.status) == ("k1", "started")
    assert order == ["chat.session", "chat.accepted", "answered", "chat.started"]
    assert (turn.asked.message, turn.asked.session_key) == ("hello", MAIN)
    accepted = chat_room.ears.of("k1")[0][1]
    assert (accepted["session_key"], accepted["spelling"]) == (MAIN, "main")
    assert accepted["message"]["content"] == [{"type": "text", "text": "hello"}]


async def test_same_key_tells_what_became_of_it(chat_room: Room) -> None:
    """In flight while it runs, ok afterwards; one turn, one message."""
    turn = await chat_room.begin("k1")
    assert (await chat_room.send("k1")).status == "in_flight"
    turn.say("yes")
    turn.finish()
    await chat_room.ears.wait("k1", "chat.final")
    assert (await chat_room.send("k1")).status == "ok"
    assert (await chat_room.send("k1", session="agent:main:main")).status == "ok"
    assert len(chat_room.runner.turns) == 1
    assert await chat_room.texts() == [("user", "hello"), ("assistant", "yes")]


async def test_twenty_sends_of_one_key_are_one_turn(chat_room: Room) -> None:
    """Of many at once one starts; the others hear that it is in flight."""
    answers = await asyncio.gather(*(chat_room.send("k1") for _ in range(20)))
    assert sorted(sent.status for sent in answers) == ["in_flight"] * 19 + ["started"]
    (await chat_room.runner.next_turn()).finish()
    await chat_room.ears.wait("k1", "chat.final")
    assert len(chat_room.runner.turns) == 1


@pytest.mark.parametrize(
    "change",
    [
        {"message": "other"},
        {"session_key": "other"},
        {"thinking": "high"},
        {"attachments": [Attachment(content=PNG)]},
    ],
)
async def test_same_key_for_something_else_is_a_conflict(
    chat_room: Room, change: dict[str, Any]
) -> None:
    """A key stands for one message, session, thinking level and set of images."""
    await chat_room.begin("k1")
    request = SendRequest(session_key="main", message="hello", idempotency_key="k1")
    with pytest.raises(IdempotencyConflict):
        await chat_room.chat.send(OPERATOR, msgspec.structs.replace(request, **change))


async def test_key_of_another_caller_is_a_conflict(chat_room: Room) -> None:
    """Nobody learns from a key what became of somebody else's message."""
    await chat_room.begin("k1")
    with pytest.raises(IdempotencyConflict):
        await chat_room.send("k1", caller=Principal(name="ann"))


async def test_key_of_a_run_that_is_no_chat_turn_is_a_conflict(chat_room: Room) -> None:
    """Run ids are one space: a key that names an agent's own run is taken."""
    new = StartRun(
        agent="ann",
        intent="work",
        client="c",
        source="rpc",
        on_disconnect="continue",
        idempotency_key="k1",
    )
    await chat_room.runs.start(OPERATOR, new)
    with pytest.raises(IdempotencyConflict):
        await chat_room.send("k1")
    assert await chat_room.texts() == []


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"idempotency_key": ""}, "1 to 256 printable"),
        ({"idempotency_key": "a*"}, "1 to 256 printable"),
        ({"idempotency_key": "x" * 257}, "1 to 256 printable"),
        ({"session_key": ""}, "a session key has"),
        ({"timeout_ms": -1}, "timeout_ms must not be negative"),
        ({"thinking": "x" * 65}, "thinking has 64 characters at most"),
        ({"message": "  \n"}, "message or attachment required"),
        ({"attachments": [Attachment(content="?")]}, "attachment 1: invalid base64 content"),
    ],
)
async def test_unusable_request_is_refused(
    chat_room: Room, change: dict[str, Any], message: str
) -> None:
    """The error says what was wrong, and nothing is stored."""
    request = SendRequest(session_key="main", message="hello", idempotency_key="k1")
    with pytest.raises(InvalidRequest, match=message):
        await chat_room.chat.send(OPERATOR, msgspec.structs.replace(request, **change))
    assert chat_room.ears.events == []


async def test_too_long_message_is_refused(make_room: MakeRoom) -> None:
    """The limit counts bytes of UTF-8, and the limit itself passes."""
    room = make_room(settings=ChatSettings(max_message_bytes=4))
    with pytest.raises(TooLarge, match="message has 5 bytes; 4 at most"):
        await room.send("k1", "ää1")
    assert (await room.send("k2", "ää")).status == "started"


async def test_reader_may_not_send(chat_room: Room) -> None:
    """A caller with the scope read alone is refused."""
    with pytest.raises(Forbidden):
        await chat_room.send("k1", caller=Principal(name="eve", scopes=frozenset(("read",))))


async def test_image_alone_is_a_message(chat_room: Room) -> None:
    """A picture without words reaches the runner as an image block."""
    request = SendRequest(
        session_key="main",
        message="",
        idempotency_key="k1",
        attachments=[Attachment(content=PNG)],
        thinking="low",
    )
    assert (await chat_room.chat.send(OPERATOR, request)).status == "started"
    asked = (await chat_room.runner.next_turn()).asked
    image = {"type": "image", "data": PNG, "mimeType": "image/png"}
    assert [msgspec.json.decode(raw) for raw in asked.attachments] == [image]
    assert (asked.message, asked.thinking) == ("", "low")


async def test_session_that_takes_no_messages(chat_room: Room) -> None:
    """A session's policy holds for new messages; a repeated one still hears what became of it."""
    await chat_room.finish("k1")
    await chat_room.chat.sessions.patch(OPERATOR, "main", {"sendPolicy": "deny"})
    with pytest.raises(InvalidRequest, match="send blocked by session policy"):
        await chat_room.send("k2")
    assert (await chat_room.send("k1", "say done")).status == "ok"


async def test_too_many_waiting_messages_are_refused(make_room: MakeRoom) -> None:
    """What runs and what may wait in a session is bounded; another session is not concerned."""
    room = make_room(settings=ChatSettings(max_waiting_turns=1))
    await room.begin("runs")
    await room.send("waits")
    with pytest.raises(Conflict, match="2 messages wait in this session"):
        await room.send("k3")
    assert (await room.send("k4", session="other")).status == "started"


async def test_first_message_makes_a_session_with_a_route(chat_room: Room) -> None:
    """A new session gets the route that clients expect; a later message leaves it alone."""
    await chat_room.finish("k1")
    session = await chat_room.chat.sessions.get("main")
    assert session is not None
    assert session.fields["lastChannel"] == "webchat"
    assert session.entry()["sessionId"] == session.session_id
    assert [event.kind for event in chat_room.ears.events].count("chat.session") == 1


async def test_turn_is_a_run_with_its_trace(chat_room: Room) -> None:
    """One id, one trace: the question and the answer are turns of the run."""
    turn = await chat_room.begin("k1", "what?")
    turn.say("that.")
    turn.finish()
    await chat_room.ears.wait("k1", "chat.final")
    run = await chat_room.runs.find("k1")
    assert (run.agent, run.source, run.session_key, run.status) == (
        "main",
        "chat",
        MAIN,
        "completed",
    )
    turns = await chat_room.trace("k1")
    assert (turns[0]["prompt"], turns[1]["output"]) == ("what?", "that.")
    assert isinstance(run.termination, msgspec.Raw)
    termination = msgspec.json.decode(run.termination)
    assert (termination["status"], termination["summary"]) == ("success", "that.")


async def test_events_name_their_causes(chat_room: Room) -> None:
    """Started is caused by accepted, the final by started."""
    await chat_room.finish("k1")
    events = {event.kind: event for event in chat_room.ears.events}
    assert events["chat.started"].cause == events["chat.accepted"].id
    assert events["chat.delta"].cause == events["chat.started"].id
    assert events["chat.final"].cause == events["chat.started"].id
    assert events["chat.final"].actor == "agent:main"


async def test_caller_that_left_has_still_sent(chat_room: Room) -> None:
    """A message whose sender does not wait for the answer gets its turn."""
    task = asyncio.create_task(chat_room.send("k1"))
    await asyncio.sleep(0)
    task.cancel()
    assert (await chat_room.runner.next_turn()).asked.run_id == "k1"
