"""Restarts: what was accepted runs once, what was in the middle ends as interrupted."""

import asyncio

from hubbub.core.chat.conversation import INTERRUPTED
from hubbub.core.ports import RunnerOutput
from hubbub.core.values import OPERATOR
from tests.unit.core.chat_room import Room
from tests.unit.core.conftest import MakeRoom


async def restarted(make_room: MakeRoom, before: Room) -> Room:
    """Give the daemon after a crash of the one before: the same store, an empty memory."""
    await before.journal.settled()
    room = make_room()
    await room.runs.load()
    await room.chat.load()
    room.chat.start()
    return room


async def test_turn_in_the_middle_ends_as_interrupted(make_room: MakeRoom) -> None:
    """It is told as an error, is not run again, and its key tells it too."""
    before = make_room()
    await before.begin("k1")
    room = await restarted(make_room, before)
    assert (await room.ears.wait("k1", "chat.error"))["error"] == INTERRUPTED
    again = await room.send("k1")
    assert (again.status, again.summary) == ("error", INTERRUPTED)
    assert (await room.runs.find("k1")).status == "incomplete"
    await room.finish("k2")
    assert [turn.asked.run_id for turn in room.runner.turns] == ["k2"]
    users = [text for role, text in await room.texts() if role == "user"]
    assert users == ["hello", "say done"]


async def test_turn_that_had_not_begun_runs_after_the_restart(make_room: MakeRoom) -> None:
    """What was acknowledged is done, in order, with its own spelling."""
    before = make_room()
    await before.begin("runs")
    await before.send("waits", "second")
    room = await restarted(make_room, before)
    turn = await room.runner.next_turn()
    assert (turn.asked.run_id, turn.asked.message) == ("waits", "second")
    assert room.chat.spelling("waits") == "main"
    assert (await room.send("waits", "second")).status == "in_flight"
    turn.finish()
    await room.ears.wait("waits", "chat.final")
    assert room.ears.kinds("runs") == ["chat.error"]


async def test_aborted_turn_stays_aborted(make_room: MakeRoom) -> None:
    """An abort survives, also that of a turn which never began."""
    before = make_room()
    await before.begin("runs")
    await before.send("waits")
    await before.chat.abort(OPERATOR, "main")
    room = await restarted(make_room, before)
    await room.finish("k3")
    assert room.ears.kinds("runs") == room.ears.kinds("waits") == []
    assert (await room.send("waits")).status == "ok"


async def test_close_ends_what_runs_and_keeps_what_waits(make_room: MakeRoom) -> None:
    """A graceful stop tells its clients; what never began runs at the next start."""
    before = make_room()
    turn = await before.begin("runs")
    await before.send("waits")
    await before.chat.close()
    assert turn.dropped.is_set()
    assert before.ears.of("runs")[-1][1]["error"] == INTERRUPTED
    assert before.ears.kinds("waits") == ["chat.accepted"]
    room = await restarted(make_room, before)
    assert (await room.runner.next_turn()).asked.run_id == "waits"


async def test_close_while_a_turn_begins(make_room: MakeRoom) -> None:
    """A turn whose start is on its way to the disk gets an end and no runner."""
    before = make_room()
    closing: list[asyncio.Task[None]] = []

    def close() -> None:
        closing.append(asyncio.ensure_future(before.chat.close()))

    before.journal.before_unit = (2, close)  # the first is the message, the second the start
    await before.send("k1")
    await before.ears.wait("k1", "chat.error")
    await closing[0]
    assert before.ears.kinds("k1") == ["chat.accepted", "chat.started", "chat.error"]
    assert before.runner.turns == []


async def test_close_does_not_wait_for_a_store_that_is_full(make_room: MakeRoom) -> None:
    """What cannot be stored while the daemon stops is sorted out by the next start."""
    before = make_room()
    before.runner.last_step = RunnerOutput(text="one more word")
    await before.begin("k1")
    before.journal.refuse = 2  # the interruption, and the end that the runner comes to
    await before.chat.close()
    room = await restarted(make_room, before)
    assert (await room.ears.wait("k1", "chat.error"))["error"] == INTERRUPTED
