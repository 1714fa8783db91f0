"""Turns on connections that the test plays: several at a time, stopped, gone, gone on with."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from hubbub.client import AsyncClient, Conflict, Turn, TurnFailed
from hubbub.client.turns import Take
from tests.client.wires import PlayedDaemon, PlayedWire, connected


def asked(run_id: str, message: str = "hi", heard: int = 0) -> dict[str, Any]:
    """Make a turn as the daemon hands it out."""
    return {"run_id": run_id, "session": "agent:a:main", "message": message, "heard": heard}


@asynccontextmanager
async def taking(
    client: AsyncClient, wire: PlayedWire, take: Take, *turns: dict[str, Any]
) -> AsyncIterator["asyncio.Task[None]"]:
    """Take turns for the time of a block."""
    task = asyncio.create_task(client.take_turns(take))
    call = await wire.call()
    assert call["method"] == "agents.attach"
    wire.answer(call, {"agent": "a", "turns": list(turns)})
    try:
        yield task
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def say(turn: Turn) -> str:
    """Repeat, in two pieces at once, and a tool."""
    await asyncio.gather(turn.say("1"), turn.say("2"))
    await turn.tool({"phase": "start"})
    return turn.message


async def test_turn_is_said_in_order_and_answered() -> None:
    """Each piece leaves when the one before has been heard; what is returned is the rest."""
    async with connected(PlayedDaemon()) as (client, wire), taking(client, wire, say, asked("r")):
        for n in range(3):
            call = await wire.call()
            assert (call["method"], call["params"]["n"]) == ("chat.say", n)
            assert wire.sent.empty()
            wire.answer(call, {"heard": n + 1})
        call = await wire.call()
        assert call["method"] == "chat.answer"
        assert call["params"] == {"run_id": "r", "text": "hi"}
        wire.answer(call, {"run_id": "r"})


async def test_turn_that_was_handed_twice_is_taken_once() -> None:
    """As an open one of the attachment, and by a notification that was on its way."""
    seen: list[str] = []

    async def take(turn: Turn) -> None:
        seen.append(turn.run_id)
        await turn.answer("done", usage={"input": 1})

    async with connected(PlayedDaemon()) as (client, wire), taking(client, wire, take, asked("r")):
        wire.tell("chat.turn", turn=asked("r"))
        wire.tell("chat.stop", run_id="another")
        call = await wire.call()
        assert call["params"] == {"run_id": "r", "text": "done", "usage": {"input": 1}}
        wire.answer(call, {"run_id": "r"})
        wire.tell("chat.turn", turn=asked("s"))
        assert (await wire.call())["params"]["run_id"] == "s"
        assert seen == ["r", "s"]


async def test_turn_goes_on_over_a_drop() -> None:
    """It is attached again under the same instance; a piece is sent again under its number."""
    daemon = PlayedDaemon()
    ended: list[str] = []

    async def take(turn: Turn) -> None:
        try:
            await turn.say("x")
            await turn.answer()
        finally:
            ended.append(turn.run_id)

    async with connected(daemon) as (client, first):
        task = asyncio.create_task(client.take_turns(take))
        attach = await first.call()
        first.answer(attach, {"agent": "a", "turns": [asked("gone"), asked("r")]})
        lost = [await first.call() for _ in range(2)]
        second = daemon.opens()
        first.drop()
        again = await second.call()
        assert (again["method"], again["params"]) == ("agents.attach", attach["params"])
        assert [await second.call() for _ in range(2)] == lost
        second.answer(again, {"agent": "a", "turns": [asked("r", heard=1)]})
        second.answer(lost[1], {"heard": 1})
        end = await second.call()
        assert (end["method"], end["params"]) == ("chat.answer", {"run_id": "r"})
        second.answer(end, {"run_id": "r"})
        await asyncio.sleep(0)
        assert ended[0] == "gone"
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        leave = await second.call()
        assert (leave["method"], leave["params"]) == ("agents.detach", attach["params"])


async def test_turn_that_has_ended_tells_who_goes_on_talking() -> None:
    """`TurnFailed`, from then on without asking; the agent goes on."""
    seen: list[str] = []
    both = asyncio.Event()

    async def take(turn: Turn) -> None:
        with pytest.raises(TurnFailed, match="no: conflict"):
            await turn.say("x")
        with pytest.raises(TurnFailed, match="it has ended"):
            await turn.fail("x")
        seen.append(turn.run_id)
        if len(seen) > 1:
            both.set()
        await turn.say("more")

    async with connected(PlayedDaemon()) as (client, wire), taking(client, wire, take, asked("r")):
        wire.refuse(await wire.call(), "conflict")
        wire.tell("chat.turn", turn=asked("s"))
        wire.refuse(await wire.call(), "conflict")
        await both.wait()
        assert wire.sent.empty()


async def test_turn_that_raises_ends_with_its_error() -> None:
    """Also where the daemon does not want to hear it any more; others go on."""

    async def take(turn: Turn) -> None:
        raise KeyError(turn.message)

    async with connected(PlayedDaemon()) as (client, wire), taking(client, wire, take, asked("r")):
        call = await wire.call()
        assert call["params"] == {"run_id": "r", "error": "KeyError: 'hi'"}
        wire.refuse(call, "not_found")
        wire.tell("chat.turn", turn=asked("s", "ho"))
        assert (await wire.call())["params"]["error"] == "KeyError: 'ho'"


async def test_agent_that_another_program_is_ends() -> None:
    """With what the daemon said."""
    async with connected(PlayedDaemon()) as (client, wire):
        task = asyncio.create_task(client.take_turns(say))
        wire.refuse(await wire.call(), "conflict")
        with pytest.raises(Conflict):
            await task


async def test_closing_the_client_ends_taking_turns() -> None:
    """Without an error, and with nobody left who works on one."""
    cancelled = asyncio.Event()

    async def take(_turn: Turn) -> None:
        try:
            await asyncio.Event().wait()
        finally:
            cancelled.set()

    async with connected(PlayedDaemon()) as (client, wire):
        task = asyncio.create_task(client.take_turns(take))
        wire.answer(await wire.call(), {"agent": "a", "turns": [asked("r")]})
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        await client.close()
        await task
        assert cancelled.is_set()
