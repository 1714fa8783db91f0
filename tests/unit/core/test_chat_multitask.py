"""A message that comes while a turn of its session is open: wait, be refused, or take its place."""

import asyncio
from typing import Any, get_args

import msgspec
import pytest

from hubbub.core.chat.agents import AgentSettings
from hubbub.core.chat.conversation import MultitaskStrategy, SendRequest, Sent
from hubbub.core.ports import RunnerOutput
from hubbub.core.values import OPERATOR
from hubbub.errors import IdempotencyConflict, InvalidRequest, SessionBusy, StoreUnavailable
from tests.unit.core.chat_room import MAIN, Played, Room
from tests.unit.core.conftest import MakeRoom


async def send(room: Room, key: str, how: MultitaskStrategy | None, text: str = "again") -> Sent:
    """Send a message that says what it does to open turns."""
    request = SendRequest(
        session_key="main", message=text, idempotency_key=key, multitask_strategy=how
    )
    return await room.chat.send(OPERATOR, request)


async def speaking(room: Room, key: str = "k1", text: str = "half an ans") -> Played:
    """Begin a turn and wait until it has said something."""
    turn = await room.begin(key, f"ask {key}")
    turn.say(text)
    await room.ears.wait(key, "chat.delta")
    return turn


async def messages(room: Room) -> list[dict[str, Any]]:
    """Give the messages of the history."""
    found = await room.chat.history("main")
    return [msgspec.json.decode(message) for message in found.messages]


async def test_interrupt_keeps_what_was_said(chat_room: Room) -> None:
    """The open turn ends with its part of an answer in the history, then the new one runs."""
    turn = await speaking(chat_room)
    assert (await send(chat_room, "k2", "interrupt")).status == "started"
    kind, data = chat_room.ears.of("k1")[-1]
    assert (kind, data["reason"]) == ("chat.aborted", "interrupt")
    assert data["message"]["stopReason"] == "aborted"
    await turn.dropped.wait()

    new = await chat_room.runner.next_turn()
    said = [msgspec.json.decode(message) for message in new.asked.history]
    assert [message["role"] for message in said] == ["user", "assistant"]
    assert said[1] == data["message"]
    new.say("whole")
    new.finish()
    await chat_room.ears.wait("k2", "chat.final")
    assert await chat_room.texts() == [
        ("user", "ask k1"),
        ("assistant", "half an ans"),
        ("user", "again"),
        ("assistant", "whole"),
    ]
    assert (await chat_room.runs.find("k1")).status == "cancelled"
    assert (await chat_room.send("k1", "ask k1")).status == "ok"


async def test_rollback_takes_the_turn_out_of_the_history(chat_room: Room) -> None:
    """Question and part of an answer are gone, and that is told with the ids of the messages."""
    await chat_room.finish("k0", "before")
    await speaking(chat_room)
    await send(chat_room, "k2", "rollback")
    story = chat_room.ears.of("k1")[-2:]
    assert [kind for kind, _ in story] == ["chat.aborted", "chat.rolled_back"]
    assert (story[0][1]["reason"], "message" in story[0][1]) == ("rollback", False)
    assert [len(message_id) for message_id in story[1][1]["message_ids"]] == [8]

    new = await chat_room.runner.next_turn()
    assert len(new.asked.history) == 2
    new.finish()
    await chat_room.ears.wait("k2", "chat.final")
    assert [text for _, text in await chat_room.texts()] == ["say before", "before", "again"]
    assert (await chat_room.send("k1", "ask k1")).status == "ok"


async def test_reject_stores_nothing(chat_room: Room) -> None:
    """The caller is told which turn runs; the same key is free to be used later."""
    turn = await speaking(chat_room)
    with pytest.raises(SessionBusy, match=f"session {MAIN} is busy with run k1") as caught:
        await send(chat_room, "k2", "reject")
    assert (caught.value.retryable, caught.value.code) == (True, "session_busy")
    assert chat_room.ears.of("k2") == []
    assert await chat_room.texts() == [("user", "ask k1")]

    turn.finish()
    await chat_room.ears.wait("k1", "chat.final")
    assert (await send(chat_room, "k2", "reject")).status == "started"
    assert (await send(chat_room, "k2", "reject")).status == "in_flight"


@pytest.mark.parametrize("how", [None, "enqueue"])
async def test_enqueue_waits(chat_room: Room, how: MultitaskStrategy | None) -> None:
    """Without a word, or with this one, the message waits for its turn."""
    turn = await speaking(chat_room)
    assert (await send(chat_room, "k2", how)).status == "started"
    turn.finish()
    assert (await chat_room.runner.next_turn()).asked.run_id == "k2"
    assert chat_room.ears.kinds("k1")[-1] == "chat.final"


@pytest.mark.parametrize("how", get_args(MultitaskStrategy))
async def test_session_has_a_strategy_of_its_own(chat_room: Room, how: MultitaskStrategy) -> None:
    """What the session says holds where the message says nothing, and survives a reset."""
    await chat_room.chat.sessions.patch(OPERATOR, "main", {"multitaskStrategy": how})
    await chat_room.chat.sessions.reset(OPERATOR, "main")
    await speaking(chat_room)
    if how == "reject":
        with pytest.raises(SessionBusy):
            await chat_room.send("k2")
        return
    await chat_room.send("k2")
    ends = {"enqueue": [], "interrupt": ["interrupt"], "rollback": ["rollback"]}
    aborted = [data["reason"] for kind, data in chat_room.ears.of("k1") if kind == "chat.aborted"]
    assert aborted == ends[how]


async def test_message_overrules_its_session(chat_room: Room) -> None:
    """A call's own strategy counts; a word that is none of ours cannot be set."""
    await chat_room.chat.sessions.patch(OPERATOR, "main", {"multitaskStrategy": "reject"})
    await speaking(chat_room)
    assert (await send(chat_room, "k2", "enqueue")).status == "started"
    with pytest.raises(InvalidRequest, match="invalid multitaskStrategy"):
        await chat_room.chat.sessions.patch(OPERATOR, "main", {"multitaskStrategy": "steer"})


@pytest.mark.parametrize("how", ["interrupt", "rollback"])
async def test_waiting_turns_go_too(chat_room: Room, how: MultitaskStrategy) -> None:
    """All open turns of the session give way, those that never began with nothing said."""
    await speaking(chat_room)
    await chat_room.send("k2", "waits")
    other = await chat_room.begin("other", session="other")
    await send(chat_room, "k3", how, "last")
    assert chat_room.ears.kinds("k2")[:2] == ["chat.accepted", "chat.aborted"]
    assert (await chat_room.runner.next_turn()).asked.run_id == "k3"
    asked = [text for role, text in await chat_room.texts() if role == "user"]
    assert asked == (["ask k1", "waits", "last"] if how == "interrupt" else ["last"])
    other.finish()
    await chat_room.ears.wait("other", "chat.final")


@pytest.mark.parametrize("how", ["interrupt", "rollback", "reject"])
async def test_idle_session_takes_any_message(chat_room: Room, how: MultitaskStrategy) -> None:
    """Where nothing runs, the strategy changes nothing."""
    await chat_room.finish("k1", "done")
    assert (await send(chat_room, "k2", how)).status == "started"
    assert [text for _, text in await chat_room.texts()] == ["say done", "done", "again"]


@pytest.mark.parametrize("how", ["interrupt", "rollback"])
async def test_retry_interrupts_once(chat_room: Room, how: MultitaskStrategy) -> None:
    """A repeated send ends nothing new, above all not its own turn; its strategy is part of it."""
    await speaking(chat_room)
    await send(chat_room, "k2", how)
    turn = await chat_room.runner.next_turn()
    assert (await send(chat_room, "k2", how)).status == "in_flight"
    with pytest.raises(IdempotencyConflict):
        await send(chat_room, "k2", "enqueue")
    assert not turn.dropped.is_set()
    assert chat_room.ears.kinds("k2").count("chat.aborted") == 0


async def test_nothing_is_told_that_is_not_kept(chat_room: Room) -> None:
    """What a turn says while the message is on its way is neither told nor stored."""
    turn = await speaking(chat_room, text="kept")
    tool = msgspec.Raw(b'{"phase":"start","name":"ls"}')
    sending = asyncio.create_task(send(chat_room, "k2", "interrupt"))
    await asyncio.sleep(0)  # the unit is queued
    turn.say(" and lost")
    turn.give(RunnerOutput(tool=tool))
    await sending
    assert [kind for kind, _ in chat_room.ears.of("k1")] == [
        "chat.accepted",
        "chat.started",
        "chat.delta",
        "chat.aborted",
    ]
    assert ("assistant", "kept") in await chat_room.texts()


async def test_turn_goes_on_when_the_message_is_not_stored(chat_room: Room) -> None:
    """What was held back is told then, in its order."""
    turn = await speaking(chat_room, text="one")
    live = chat_room.chat._live  # noqa: SLF001 holds it as a send does
    live.hold(MAIN)
    turn.say(" two")
    tool = msgspec.Raw(b'{"phase":"start","name":"ls"}')
    turn.give(RunnerOutput(tool=tool))
    chat_room.journal.refuse = 1
    with pytest.raises(StoreUnavailable):
        await send(chat_room, "k2", "interrupt")
    stored = live.get("k1")
    assert stored is not None
    while len(stored.held) < 2:  # noqa: ASYNC110 what is held is told to nobody
        await asyncio.sleep(0)
    assert stored.text == "one two"
    assert chat_room.ears.kinds("k1")[-1] == "chat.delta"
    live.release(MAIN)
    assert [data.get("delta") for _, data in chat_room.ears.of("k1")[-2:]] == [" two", None]
    assert chat_room.ears.kinds("k1")[-1] == "chat.tool"
    turn.finish()
    final = await chat_room.ears.wait("k1", "chat.final")
    assert final["message"]["content"][0]["text"] == "one two"


async def test_answer_of_a_held_turn_is_whole(chat_room: Room) -> None:
    """A turn that ends while a message is on its way is answered with all that it said."""
    turn = await speaking(chat_room, text="one")
    live = chat_room.chat._live  # noqa: SLF001 as above
    live.hold(MAIN)
    turn.say(" two")
    turn.finish()
    final = await chat_room.ears.wait("k1", "chat.final")
    assert final["message"]["content"][0]["text"] == "one two"
    live.release(MAIN)
    assert chat_room.ears.kinds("k1")[-1] == "chat.final"


async def test_command_leaves_the_open_turn_alone(chat_room: Room) -> None:
    """An answer of the daemon's own interrupts nothing, whatever the session says."""
    await chat_room.chat.sessions.patch(OPERATOR, "main", {"multitaskStrategy": "rollback"})
    await speaking(chat_room)
    request = SendRequest(session_key="main", message="/status", idempotency_key="k2")
    assert (await chat_room.chat.answer(OPERATOR, request, "fine")).status == "started"
    assert "chat.aborted" not in chat_room.ears.kinds("k1")


async def test_side_by_side_turns_all_give_way(make_room: MakeRoom) -> None:
    """Where several turns of a session run, an interrupt ends all of them."""
    room = make_room(AgentSettings(max_session_turns=2))
    await speaking(room, "k1", "one")
    await speaking(room, "k2", "two")
    await send(room, "k3", "interrupt")
    assert (await room.runner.next_turn()).asked.run_id == "k3"
    texts = await room.texts()
    assert texts == [
        ("user", "ask k1"),
        ("assistant", "one"),
        ("user", "ask k2"),
        ("assistant", "two"),
        ("user", "again"),
    ]


async def test_interrupt_holds_after_a_restart(make_room: MakeRoom) -> None:
    """After a crash the old turn is aborted and the new one interrupted; neither runs again."""
    before = make_room()
    await speaking(before)
    await send(before, "k2", "interrupt")
    await before.runner.next_turn()
    await before.journal.settled()
    room = make_room()
    await room.runs.load()
    await room.chat.load()
    room.chat.start()
    assert (await send(room, "k2", "interrupt")).status == "error"
    assert (await room.send("k1", "ask k1")).status == "ok"
    assert ("assistant", "half an ans") in await room.texts()
    assert room.runner.turns == []


async def test_text_so_far_of_a_run(chat_room: Room) -> None:
    """What a running turn has said can be asked for; of others there is nothing."""
    turn = await speaking(chat_room, text="so far")
    assert [chat_room.chat.said(run_id) for run_id in ("k1", "nope")] == ["so far", ""]
    turn.finish()
    await chat_room.ears.wait("k1", "chat.final")
    assert chat_room.chat.said("k1") == ""
