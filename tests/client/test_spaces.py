"""Runs and answers that are followed, on connections that the test plays."""

import asyncio
from typing import Any

from hubbub.client import Deadlock, PathsReserved
from hubbub.client.errors import refused
from hubbub.client.spaces import text_of
from tests.client.wires import PlayedDaemon, PlayedWire, connected


POSITION = {"epoch": "e", "seq": 1}


def trace(turns: list[int], cursor: int, *, count: int, status: str = "in_progress") -> object:
    """Make the answer of `runs.trace`."""
    run = {"run_id": "r", "agent": "a", "client": "c", "intent": "i", "source": "rpc"}
    more = {"on_disconnect": "continue", "started_at": 1, "status": status, "turn_count": count}
    return {"run": run | more, "turns": turns, "cursor": cursor, "position": POSITION}


async def subscribed(wire: PlayedWire, number: int, **answer: object) -> dict[str, Any]:
    """Let a subscription begin; gives what was asked for."""
    call = await wire.call()
    assert call["method"] == "topics.subscribe"
    begun = {"subscription": number, "recovered": True, "position": POSITION}
    wire.answer(call, begun | answer)
    params: dict[str, Any] = call["params"]
    return params


async def test_run_that_is_long_is_read_page_by_page() -> None:
    """And what comes while it is read is not given twice."""
    async with connected(PlayedDaemon()) as (client, wire):

        async def follow() -> list[int]:
            return [turn async for turn in client.runs.follow("r")]

        following = asyncio.create_task(follow())
        wire.answer(await wire.call(), trace([0, 1], 2, count=3))
        call = await wire.call()
        assert call["params"]["cursor"] == 2
        wire.answer(call, trace([2], 3, count=3))
        assert await subscribed(wire, 1) == {"topics": ["runs/r"], "after": "e:1"}
        wire.event(1, 2, {"index": 2, "turn": 2}, kind="run.turn")
        wire.event(1, 3, {"index": 3, "turn": 3}, kind="run.turn")
        wire.event(1, 4, {}, kind="run.ended")
        assert await following == [0, 1, 2, 3]


async def test_run_whose_events_are_gone_is_read_from_its_trace() -> None:
    """Retention cuts events, not runs."""
    async with connected(PlayedDaemon()) as (client, wire):

        async def follow() -> list[int]:
            return [turn async for turn in client.runs.follow("r", cursor=4)]

        following = asyncio.create_task(follow())
        wire.answer(await wire.call(), trace([4], 5, count=5))
        await subscribed(wire, 1, recovered=False, reason="retention")
        assert (await wire.call())["method"] == "topics.unsubscribe"
        call = await wire.call()
        assert call["params"]["cursor"] == 5
        wire.answer(call, trace([5, 6], 7, count=7, status="completed"))
        assert await following == [4, 5, 6]


async def test_answer_whose_pieces_were_missed_comes_whole() -> None:
    """The stored answer says what the deltas did not; other turns are passed over."""
    async with connected(PlayedDaemon()) as (client, wire):

        async def ask() -> list[str]:
            return [piece async for piece in client.chat.ask("main", "hi", idempotency_key="r")]

        asking = asyncio.create_task(ask())
        wire.answer(await wire.call(), {"session": "agent:main:main"})
        assert (await subscribed(wire, 1))["topics"] == ["chat/agent:main:main"]
        wire.answer(await wire.call(), {"run_id": "r", "status": "started"})
        other = {"run_id": "other", "text": "no"}
        wire.event(1, 0, other, kind="chat.delta")
        wire.event(1, 2, {"run_id": "r"}, kind="chat.started")
        wire.event(1, 0, {"run_id": "r", "text": " Well", "delta": " Well"}, kind="chat.delta")
        content = [{"type": "text", "text": "Well, yes."}]
        final = {"run_id": "r", "message": {"content": content}}
        wire.event(1, 3, final, kind="chat.final")
        assert await asking == [" Well", ", yes."]


def test_text_of_a_message() -> None:
    """Blocks, a plain text, nothing."""
    blocks = [{"type": "text", "text": "a"}, {"type": "image"}, {"type": "text", "text": "b"}]
    assert text_of({"content": blocks}) == "ab"
    assert text_of({"content": "plain"}) == "plain"
    assert text_of(None) == ""


def test_refusals_say_what_stands_in_the_way() -> None:
    """As values, which nobody has to parse."""
    cycle = [{"agent": "a", "waits_for": "locks/1", "held_by": "b"}]
    deadlock = refused("circle", "deadlock", retryable=True, data={"cycle": cycle})
    taken = refused("taken", "paths_reserved", retryable=True, data={"conflicts": cycle})
    assert isinstance(deadlock, Deadlock)
    assert isinstance(taken, PathsReserved)
    assert (deadlock.cycle, taken.conflicts) == (cycle, cycle)


async def test_event_shows_its_data() -> None:
    """In a log, or at a prompt."""
    async with connected(PlayedDaemon()) as (client, wire):
        following = client.topics.follow("t")
        await subscribed(wire, 1)
        wire.event(1, 2, {"a": 1})
        assert repr(await anext(following)) == 'Event(2 t message a {"a":1})'
