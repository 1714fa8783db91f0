"""Aborting: at once, stored, and nothing of the run is told afterwards."""

import asyncio

import msgspec
import pytest

from hubbub.core.chat.conversation import SendRequest
from hubbub.core.chat.service import STOP_WORDS
from hubbub.core.ports import RunnerOutput
from hubbub.core.values import OPERATOR, Principal
from hubbub.errors import Forbidden, IdempotencyConflict, InvalidRequest, StoreUnavailable
from tests.unit.core.chat_room import Room
from tests.unit.core.conftest import MakeRoom


async def test_abort_is_told_before_it_is_answered(chat_room: Room) -> None:
    """The event precedes the answer, the runner is let go, the part of an answer is not kept."""
    turn = await chat_room.begin("k1")
    turn.say("Once upon")
    await chat_room.ears.wait("k1", "chat.delta")

    aborted = await chat_room.chat.abort(OPERATOR, "main", "k1")

    assert aborted == ("k1",)
    assert chat_room.ears.of("k1")[-1][1]["reason"] == "rpc"
    await turn.dropped.wait()
    assert await chat_room.texts() == [("user", "hello")]
    assert (await chat_room.send("k1")).status == "ok"
    run = await chat_room.runs.find("k1")
    assert isinstance(run.termination, msgspec.Raw)
    assert msgspec.json.decode(run.termination) == {"kind": "cancelled", "reason": "rpc"}
    session = await chat_room.chat.sessions.get("main")
    assert session is not None
    assert session.fields["abortedLastRun"] is True


@pytest.mark.parametrize(
    "last",
    [RunnerOutput(text="x"), RunnerOutput(tool=msgspec.Raw(b'{"phase":"result","name":"ls"}'))],
)
async def test_nothing_is_told_after_an_abort(chat_room: Room, last: RunnerOutput) -> None:
    """A runner that goes on talking when it is stopped is not heard, traced or stored."""
    chat_room.runner.last_step = last
    turn = await chat_room.begin("k1")
    await chat_room.chat.abort(OPERATOR, "main")
    await turn.dropped.wait()
    await chat_room.finish("k2")
    assert chat_room.ears.kinds("k1") == ["chat.accepted", "chat.started", "chat.aborted"]
    assert len(await chat_room.trace("k1")) == 1
    assert [text for _, text in await chat_room.texts()] == ["hello", "say done", "done"]


async def test_abort_before_the_send_was_answered(chat_room: Room) -> None:
    """Send and abort in one breath: one accepted, one aborted, no turn."""
    sending = asyncio.create_task(chat_room.send("k1"))
    await asyncio.sleep(0)
    assert await chat_room.chat.abort(OPERATOR, "main", "k1") == ("k1",)
    assert (await sending).status == "started"
    await chat_room.finish("k2")
    assert chat_room.ears.kinds("k1") == ["chat.accepted", "chat.aborted"]
    assert [turn.asked.run_id for turn in chat_room.runner.turns] == ["k2"]


async def test_retry_right_behind_an_abort_runs_nothing(chat_room: Room) -> None:
    """In the gap between abort and the runner's end the key is finished already."""
    await chat_room.begin("k1")
    aborting = asyncio.create_task(chat_room.chat.abort(OPERATOR, "main", "k1"))
    await asyncio.sleep(0)
    assert (await chat_room.send("k1")).status == "ok"
    assert await aborting == ("k1",)
    await chat_room.finish("k2")
    assert len(chat_room.runner.turns) == 2


async def test_abort_of_a_session_takes_all_of_it(make_room: MakeRoom) -> None:
    """Running and waiting turns end, in order; other sessions are left alone."""
    room = make_room()
    other = await room.begin("other", session="other")
    await room.begin("runs")
    await room.send("waits")
    assert await room.chat.abort(OPERATOR, "agent:main:main") == ("runs", "waits")
    assert room.ears.kinds("waits") == ["chat.accepted", "chat.aborted"]
    other.finish()
    await room.ears.wait("other", "chat.final")


async def test_waiting_turn_that_is_aborted_never_runs(make_room: MakeRoom) -> None:
    """The place that it waited for goes to the next one."""
    room = make_room()
    running = await room.begin("runs")
    await room.send("waits")
    await room.send("next")
    assert await room.chat.abort(OPERATOR, "main", "waits") == ("waits",)
    running.finish()
    assert (await room.runner.next_turn()).asked.run_id == "next"


async def test_abort_right_before_the_start_wins(chat_room: Room) -> None:
    """A turn whose start finds it aborted is not started, and gives its place away."""
    aborting = chat_room.chat.abort(OPERATOR, "main", "k1")

    def abort() -> None:
        aborting.send(None)  # as far as its first wait: its unit is queued

    chat_room.journal.before_unit = (2, abort)  # the first is the message, the second the start
    await chat_room.send("k1")
    await chat_room.finish("k2")
    aborting.close()
    assert chat_room.ears.kinds("k1") == ["chat.accepted", "chat.aborted"]
    assert [turn.asked.run_id for turn in chat_room.runner.turns] == ["k2"]


@pytest.mark.parametrize("finished", [True, False])
async def test_abort_of_what_does_not_run(chat_room: Room, *, finished: bool) -> None:
    """Unknown and finished runs are no error, nothing is told, whatever session is named."""
    if finished:
        await chat_room.finish("k1")
    assert await chat_room.chat.abort(OPERATOR, "other", "k1") == ()
    assert "chat.aborted" not in chat_room.ears.kinds("k1")


async def test_abort_under_another_session_is_refused(chat_room: Room) -> None:
    """A run cannot be aborted under a key that is not its own, and goes on."""
    turn = await chat_room.begin("k1")
    with pytest.raises(InvalidRequest, match=r"^runId does not match sessionKey$"):
        await chat_room.chat.abort(OPERATOR, "other", "k1")
    assert not turn.dropped.is_set()
    assert await chat_room.chat.abort(OPERATOR, "agent:main:main", "k1") == ("k1",)


@pytest.mark.parametrize("word", [*sorted(STOP_WORDS), "  STOP \n"])
async def test_stop_word_aborts_and_is_no_message(chat_room: Room, word: str) -> None:
    """A stop word ends the session's turns; its key is free afterwards."""
    await chat_room.begin("k1")
    sent = await chat_room.send("k2", word)
    assert (sent.status, sent.aborted) == ("stopped", ("k1",))
    assert chat_room.ears.of("k1")[-1][1]["reason"] == "stop"
    assert (await chat_room.send("k3", word)).aborted == ()
    await chat_room.finish("k2")


async def test_retried_abort_ends_nothing_new(chat_room: Room) -> None:
    """An abort with a key is done once; the key stands for that abort."""
    await chat_room.begin("k1")
    assert await chat_room.chat.abort(OPERATOR, "main", key="a1") == ("k1",)
    await chat_room.begin("k2")
    assert await chat_room.chat.abort(OPERATOR, "main", key="a1") == ("k1",)
    with pytest.raises(IdempotencyConflict):
        await chat_room.chat.abort(OPERATOR, "main", "k2", key="a1")
    assert len(chat_room.chat.running()) == 1


async def test_reader_may_not_abort(chat_room: Room) -> None:
    """A caller with the scope read alone is refused."""
    reader = Principal(name="eve", scopes=frozenset(("read",)))
    with pytest.raises(Forbidden):
        await chat_room.chat.abort(reader, "main")


async def test_abort_that_cannot_be_stored_is_an_error(chat_room: Room) -> None:
    """While the disk is full the caller hears it, and the turn goes on."""
    turn = await chat_room.begin("k1")
    chat_room.journal.refuse = 1
    with pytest.raises(StoreUnavailable):
        await chat_room.chat.abort(OPERATOR, "main")
    turn.finish()
    await chat_room.ears.wait("k1", "chat.final")


async def test_abort_in_the_moment_of_the_end(chat_room: Room) -> None:
    """A turn whose end is on its way to the disk ends once: whoever commits first wins."""
    turn = await chat_room.begin("k1")
    turn.finish()
    aborted = await chat_room.chat.abort(OPERATOR, "main")
    await chat_room.journal.settled()
    ends = [kind for kind in chat_room.ears.kinds("k1") if kind in ("chat.final", "chat.aborted")]
    assert ends == (["chat.aborted"] if aborted else ["chat.final"])


async def test_abort_leaves_the_question_of_a_timeout_alone(chat_room: Room) -> None:
    """A turn that was aborted does not time out later."""
    request = SendRequest(session_key="main", message="x", idempotency_key="k1", timeout_ms=1)
    await chat_room.chat.send(OPERATOR, request)
    await chat_room.chat.abort(OPERATOR, "main")
    await chat_room.finish("k2")
    assert chat_room.ears.kinds("k1").count("chat.aborted") == 1
