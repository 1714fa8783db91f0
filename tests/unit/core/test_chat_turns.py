"""Turns: what a runner says is told and stored, and every turn gets exactly one end."""

import asyncio

import msgspec
import pytest

from hubbub.core.chat.agents import AgentSettings, ChatSettings
from hubbub.core.chat.conversation import SendRequest
from hubbub.core.chat.stored_turn import Answer
from hubbub.core.chat.turn_table import TurnTable
from hubbub.core.ports import RunnerOutput, Transaction
from hubbub.core.runs.trace import MAX_TURNS
from hubbub.core.values import OPERATOR
from hubbub.errors import RunnerFailed
from tests.unit.core.chat_room import MAIN, Room, Words
from tests.unit.core.conftest import MakeRoom


HOUR_MS = 3_600_000


async def test_answer_is_streamed_stored_and_told(chat_room: Room) -> None:
    """Deltas carry all of the text and what is new; the final carries the stored message."""
    turn = await chat_room.begin("k1")
    turn.say(" Hello")
    turn.say(", world ")
    turn.give(RunnerOutput(usage={"input": 3, "output": 2}, model="m", provider="p"))
    turn.finish()
    final = await chat_room.ears.wait("k1", "chat.final")

    deltas = [data for kind, data in chat_room.ears.of("k1") if kind == "chat.delta"]
    assert [(data["text"], data["delta"]) for data in deltas] == [
        (" Hello", " Hello"),
        (" Hello, world ", ", world "),
    ]
    assert final["message"]["content"] == [{"type": "text", "text": "Hello, world"}]
    assert (final["message"]["model"], final["usage"]) == ("m", {"input": 3, "output": 2})
    stored = (await chat_room.chat.history("main")).messages[-1]
    assert msgspec.json.decode(stored) == final["message"]
    session = await chat_room.chat.sessions.get("main")
    assert session is not None
    assert (session.fields["totalTokens"], session.fields["modelProvider"]) == (5, "p")


async def test_turn_without_text_has_a_final_without_message(chat_room: Room) -> None:
    """Silence is an answer, but no message."""
    (await chat_room.begin("k1")).finish()
    final = await chat_room.ears.wait("k1", "chat.final")
    assert "message" not in final
    assert await chat_room.texts() == [("user", "hello")]


async def test_deltas_that_come_fast_are_told_together(make_room: MakeRoom) -> None:
    """The first piece is told at once, the others within the interval in one delta at the end."""
    room = make_room(settings=ChatSettings(delta_interval_ms=HOUR_MS))
    turn = await room.begin("k1")
    for word in ("one ", "two ", "three"):
        turn.say(word)
    turn.finish()
    await room.ears.wait("k1", "chat.final")
    texts = [data["delta"] for kind, data in room.ears.of("k1") if kind == "chat.delta"]
    assert texts == ["one ", "two three"]


async def test_held_delta_is_told_when_the_interval_is_over(make_room: MakeRoom) -> None:
    """A piece that came too early is told by itself, though nothing follows it."""
    room = make_room(settings=ChatSettings(delta_interval_ms=1))
    turn = await room.begin("k1")
    turn.say("one ")
    turn.say("two")
    told = room.ears.of
    await room.ears.until(lambda: any(data.get("text") == "one two" for _, data in told("k1")))
    assert "chat.final" not in room.ears.kinds("k1")


async def test_late_joiner_gets_the_text_so_far(make_room: MakeRoom) -> None:
    """One event has what was told already, as text and as delta, under matching topics only."""
    room = make_room(settings=ChatSettings(delta_interval_ms=HOUR_MS))
    turn = await room.begin("k1")
    await room.begin("silent", session="other")
    turn.say("so far")
    await room.ears.wait("k1", "chat.delta")

    for patterns in (["chat/*"], [f"chat/{MAIN}"], ["*"]):
        (event,) = room.chat.so_far(patterns)
        assert (event.seq, event.kind) == (0, "chat.delta")
        data = msgspec.json.decode(event.data)
        assert (data["run_id"], data["text"], data["delta"]) == ("k1", "so far", "so far")
    assert room.chat.so_far(["runs/*"]) == []


async def test_running_and_spelling_are_known_while_a_turn_lives(chat_room: Room) -> None:
    """Who asks is told what runs; at the final the sender's spelling is still known."""
    turn = await chat_room.begin("k1")
    spellings: list[str | None] = []
    chat_room.bus.listen(["chat/*"], lambda _: spellings.append(chat_room.chat.spelling("k1")))
    (running,) = chat_room.chat.running("agent:main:main")
    assert (running.run_id, running.spelling, running.started) == ("k1", "main", True)
    assert chat_room.chat.running("other") == []
    turn.finish()
    await chat_room.ears.wait("k1", "chat.final")
    assert chat_room.chat.running() == []
    await chat_room.ears.until(lambda: bool(spellings))
    assert spellings == ["main"]
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert chat_room.chat.spelling("k1") is None


@pytest.mark.parametrize(
    ("error", "text"),
    [(RunnerFailed("the model is gone"), "the model is gone"), (KeyError("x"), "KeyError: 'x'")],
)
async def test_failing_runner_ends_in_an_error(
    chat_room: Room, error: Exception, text: str
) -> None:
    """The error is told, stays in the transcript, and a repeated send hears it again."""
    turn = await chat_room.begin("k1")
    turn.say("partly")
    turn.fail(error)
    assert (await chat_room.ears.wait("k1", "chat.error"))["error"] == text
    again = await chat_room.send("k1")
    assert (again.status, again.summary) == ("error", text)
    last = msgspec.json.decode((await chat_room.chat.history("main")).messages[-1])
    assert (last["stopReason"], last["errorMessage"]) == ("error", text)
    assert last["content"] == [{"type": "text", "text": "partly"}]
    run = await chat_room.runs.find("k1")
    assert isinstance(run.termination, msgspec.Raw)
    assert msgspec.json.decode(run.termination)["status"] == "failure"


async def test_runner_may_be_a_plain_iterator(make_room: MakeRoom) -> None:
    """A runner need not be a generator."""
    room = make_room(runner=Words("one ", "two"))
    await room.send("k1")
    final = await room.ears.wait("k1", "chat.final")
    assert final["message"]["content"][0]["text"] == "one two"


async def test_endless_answer_ends_in_an_error(make_room: MakeRoom) -> None:
    """An answer over its limit is cut off: the runner is stopped and the turn fails."""
    room = make_room(settings=ChatSettings(max_answer_bytes=10))
    turn = await room.begin("k1")
    turn.say("x" * 11)
    error = await room.ears.wait("k1", "chat.error")
    assert error["error"] == "the answer is over 10 bytes"
    await turn.dropped.wait()


async def test_half_characters_do_not_break_a_turn(chat_room: Room) -> None:
    """What cannot be written as UTF-8 is replaced."""
    turn = await chat_room.begin("k1")
    turn.say("a\ud800b")
    turn.finish()
    final = await chat_room.ears.wait("k1", "chat.final")
    assert final["message"]["content"][0]["text"] == "a?b"


async def test_tools_are_told_and_their_results_traced(chat_room: Room) -> None:
    """A tool's steps pass through, after the text before them; a result is a turn of the run."""
    turn = await chat_room.begin("k1")
    steps = [
        b'{"phase":"start","toolCallId":"t","name":"ls"}',
        b'{"phase":"result","toolCallId":"t","name":"ls","args":{"p":1},"result":"x"}',
        b'{"phase":7}',
    ]
    turn.say("looking")
    for step in steps:
        turn.give(RunnerOutput(tool=msgspec.Raw(step)))
    turn.finish()
    await chat_room.ears.wait("k1", "chat.final")
    tools = [data["tool"] for kind, data in chat_room.ears.of("k1") if kind == "chat.tool"]
    assert tools == [msgspec.json.decode(step) for step in steps]
    kinds = chat_room.ears.kinds("k1")
    assert kinds.index("chat.delta") < kinds.index("chat.tool")
    traced = await chat_room.trace("k1")
    assert [turn.get("tool") for turn in traced] == [None, "ls", None]
    assert (traced[1]["parameters"], traced[1]["output"]) == ({"p": 1}, "x")


async def test_turn_that_takes_too_long_is_aborted(chat_room: Room) -> None:
    """A message's own limit counts; its runner is stopped, and its key is finished."""
    request = SendRequest(session_key="main", message="hi", idempotency_key="k1", timeout_ms=1)
    await chat_room.chat.send(OPERATOR, request)
    turn = await chat_room.runner.next_turn()
    assert (await chat_room.ears.wait("k1", "chat.aborted"))["reason"] == "timeout"
    await turn.dropped.wait()
    assert (await chat_room.chat.send(OPERATOR, request)).status == "ok"
    run = await chat_room.runs.find("k1")
    assert run.status == "cancelled"


@pytest.mark.parametrize(
    ("timeout_ms", "timeout_s"), [(None, 5.0), (0, 5.0), (2_000, 2.0), (99_000, 9.0)]
)
async def test_limit_of_a_turn(
    make_room: MakeRoom, timeout_ms: int | None, timeout_s: float
) -> None:
    """The agent's limit holds where the message names none; the daemon's holds for all."""
    room = make_room(AgentSettings(timeout_s=5), ChatSettings(max_timeout_s=9))
    request = SendRequest(
        session_key="main", message="hi", idempotency_key="k1", timeout_ms=timeout_ms
    )
    await room.chat.send(OPERATOR, request)
    assert (await room.runner.next_turn()).asked.timeout_s == timeout_s


async def test_runner_is_given_the_conversation(chat_room: Room) -> None:
    """Earlier messages come in order, the question itself is not among them."""
    await chat_room.finish("k1", "pong")
    await chat_room.chat.sessions.patch(OPERATOR, "main", {"thinkingLevel": "low"})
    asked = (await chat_room.begin("k2", "again")).asked
    history = [msgspec.json.decode(raw) for raw in asked.history]
    assert [message["role"] for message in history] == ["user", "assistant"]
    assert (asked.message, asked.thinking) == ("again", "low")


async def test_runner_is_given_the_newest_that_fits(make_room: MakeRoom) -> None:
    """The context has a limit in messages."""
    room = make_room(settings=ChatSettings(context_messages=1))
    await room.finish("k1", "pong")
    (last,) = (await room.begin("k2")).asked.history
    assert msgspec.json.decode(last)["role"] == "assistant"


async def test_turns_of_one_session_run_in_order(chat_room: Room) -> None:
    """One waits for the other, under its own run id, and sees its answer; others do not wait."""
    first = await chat_room.begin("k1", "first")
    await chat_room.send("k2", "second")
    other = await chat_room.begin("k3", session="other")
    assert [turn.started for turn in chat_room.chat.running("main")] == [True, False]
    assert (await chat_room.send("k2", "second")).status == "in_flight"
    first.say("one")
    first.finish()
    second = await chat_room.runner.next_turn()
    assert second.asked.run_id == "k2"
    history = [msgspec.json.decode(raw) for raw in second.asked.history]
    assert [message["content"][0]["text"] for message in history] == ["first", "one"]
    second.finish()
    await chat_room.ears.wait("k2", "chat.final")
    other.finish()


async def test_turns_of_one_session_may_run_side_by_side(make_room: MakeRoom) -> None:
    """With more places the final of one does not wait; each answer stands below its question."""
    room = make_room(AgentSettings(max_session_turns=2))
    first = await room.begin("k1", "first")
    second = await room.begin("k2", "second")
    second.say("two")
    second.finish()
    await room.ears.wait("k2", "chat.final")
    first.say("one")
    first.finish()
    await room.ears.wait("k1", "chat.final")
    texts = [text for _, text in await room.texts()]
    assert texts == ["first", "one", "second", "two"]


async def test_turns_of_all_sessions_have_a_limit(make_room: MakeRoom) -> None:
    """A place that becomes free goes to the oldest turn that waits."""
    room = make_room(settings=ChatSettings(max_turns=1))
    first = await room.begin("k1", session="a")
    await room.send("k2", session="b")
    await room.send("k3", session="c")
    first.finish()
    second = await room.runner.next_turn()
    second.finish()
    third = await room.runner.next_turn()
    assert (second.asked.run_id, third.asked.run_id) == ("k2", "k3")


async def test_beginning_waits_for_a_store_that_is_full(chat_room: Room) -> None:
    """While the disk is full nothing runs; once it is not, the turn begins."""
    await chat_room.send("k1")
    chat_room.journal.refuse = 2
    turn = await chat_room.runner.next_turn()
    assert chat_room.journal.refuse == 0
    turn.finish()
    await chat_room.ears.wait("k1", "chat.final")


async def test_end_waits_for_a_store_that_is_full(chat_room: Room) -> None:
    """An answer is kept until it can be stored, and told only then."""
    turn = await chat_room.begin("k1")
    chat_room.journal.refuse = 2
    turn.say("kept")
    turn.finish()
    final = await chat_room.ears.wait("k1", "chat.final")
    assert (chat_room.journal.refuse, final["message"]["content"][0]["text"]) == (0, "kept")


async def test_timeout_waits_for_a_store_that_is_full(chat_room: Room) -> None:
    """The runner is stopped at once; its end is told when it is stored."""
    request = SendRequest(session_key="main", message="hi", idempotency_key="k1", timeout_ms=1)
    await chat_room.chat.send(OPERATOR, request)
    turn = await chat_room.runner.next_turn()
    chat_room.journal.refuse = 1
    await turn.dropped.wait()
    assert (await chat_room.ears.wait("k1", "chat.aborted"))["reason"] == "timeout"


async def test_tool_result_that_cannot_be_stored_hurts_nobody(chat_room: Room) -> None:
    """The trace loses a step; the turn goes on."""
    turn = await chat_room.begin("k1")
    chat_room.journal.refuse = 1
    turn.give(RunnerOutput(tool=msgspec.Raw(b'{"phase":"result","name":"ls"}')))
    turn.finish()
    await chat_room.ears.wait("k1", "chat.final")
    assert len(await chat_room.trace("k1")) == 2


async def test_full_trace_does_not_keep_a_turn_from_ending(
    chat_room: Room, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A run whose trace takes no more turns ends all the same."""
    turn = await chat_room.begin("k1")
    monkeypatch.setattr("hubbub.core.runs.run_table.MAX_TURNS", 1)
    assert MAX_TURNS > 1
    turn.say("yes")
    turn.finish()
    await chat_room.ears.wait("k1", "chat.final")
    assert len(await chat_room.trace("k1")) == 1


async def test_turn_that_cannot_begin_ends_in_an_error(
    chat_room: Room, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A fault of ours at the start is told as the turn's error; nothing runs."""

    def broken(_self: TurnTable, _tx: Transaction, _run_id: str) -> None:
        message = "a fault"
        raise RuntimeError(message)

    monkeypatch.setattr(TurnTable, "begin_in", broken)
    await chat_room.send("k1")
    error = await chat_room.ears.wait("k1", "chat.error")
    assert error["error"] == "the turn could not begin: RuntimeError: a fault"
    assert chat_room.runner.turns == []


async def test_answer_that_cannot_be_stored_ends_in_an_error(
    chat_room: Room, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A fault of ours at the end is told as the turn's error."""
    real = TurnTable.finish_in

    def picky(self: TurnTable, tx: Transaction, run_id: str, answer: Answer) -> bool:
        if answer.error is None:
            message = "a fault"
            raise RuntimeError(message)
        return real(self, tx, run_id, answer)

    monkeypatch.setattr(TurnTable, "finish_in", picky)
    turn = await chat_room.begin("k1")
    turn.finish()
    error = await chat_room.ears.wait("k1", "chat.error")
    assert error["error"] == "the answer could not be stored: RuntimeError: a fault"


async def test_end_that_can_never_be_stored_is_given_up(
    chat_room: Room, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where not even the error can be stored, the daemon goes on; a restart ends the turn."""
    tried = asyncio.Event()
    loop = asyncio.get_running_loop()
    failed: list[Answer] = []

    def broken(_self: TurnTable, _tx: Transaction, _run_id: str, answer: Answer) -> bool:
        failed.append(answer)
        if answer.error is not None:
            loop.call_soon_threadsafe(tried.set)
        message = "a fault"
        raise RuntimeError(message)

    monkeypatch.setattr(TurnTable, "finish_in", broken)
    (await chat_room.begin("k1")).finish()
    await tried.wait()
    await chat_room.journal.settled()
    assert [answer.error is None for answer in failed] == [True, False]
    assert (await chat_room.send("k1")).status == "in_flight"
