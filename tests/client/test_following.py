"""Subscriptions across drops, pauses and gaps, on connections that the test plays."""

import asyncio
import gc
from typing import Any

import pytest

from hubbub.client import Closed, Following, InvalidRequest, Missed, Position, Resumed
from tests.client.wires import PlayedDaemon, PlayedWire, connected


async def begin(wire: PlayedWire, *, number: int = 1, seq: int = 0, **more: Any) -> dict[str, Any]:
    """Let a subscription begin, after a position; gives what was asked for."""
    call = await wire.call()
    assert call["method"] == "topics.subscribe"
    position = {"epoch": "e", "seq": seq}
    answer = {"subscription": number, "recovered": True, "position": position, **more}
    wire.answer(call, answer)
    params: dict[str, Any] = call["params"]
    return params


async def seqs(following: Following, count: int) -> list[int]:
    """Read some events."""
    return [(await anext(following)).seq for _ in range(count)]


async def test_follower_goes_on_after_the_last_event() -> None:
    """The next connection is asked for what follows; what came before does not come twice."""
    daemon = PlayedDaemon()
    async with connected(daemon) as (client, first):
        following = client.topics.follow("t", "u/*", after="e:3")
        assert await begin(first, seq=3) == {"topics": ["t", "u/*"], "after": "e:3"}
        first.event(1, 4)
        first.event(1, 5)
        event = await anext(following)
        assert (event.data, event.cursor, event.position) == (4, "e:4", Position("e", 4))
        second = daemon.opens()
        first.drop()
        assert await begin(second, number=7, seq=5) == {"topics": ["t", "u/*"], "after": "e:5"}
        for seq in (5, 6, 7):
            second.event(7, seq)

        assert await seqs(following, 3) == [5, 6, 7]
        assert following.position == Position("e", 7)


async def test_follower_that_heard_nothing_goes_on_where_it_began() -> None:
    """Now is a position, too: what happens during the first drop is not lost."""
    daemon = PlayedDaemon()
    async with connected(daemon) as (client, first):
        following = client.topics.follow()
        assert await begin(first, seq=8) == {"topics": ["*"]}
        await following.ready()
        second = daemon.opens()
        first.drop()
        assert (await begin(second, seq=8))["after"] == "e:8"


async def test_gap_is_raised() -> None:
    """After what was told before it; the error says from where one can go on."""
    daemon = PlayedDaemon()
    async with connected(daemon) as (client, first):
        following = client.topics.follow("t", after=Position("e", 1))
        await begin(first, seq=1)
        first.event(1, 2)
        second = daemon.opens()
        first.drop()
        await begin(second, recovered=False, reason="epoch_changed", seq=0)

        assert await seqs(following, 1) == [2]
        with pytest.raises(Missed, match=r"gone \(epoch_changed\)") as caught:
            await anext(following)
        assert caught.value.position == Position("e", 0)
        assert (await second.call())["method"] == "topics.unsubscribe"


async def test_gap_that_somebody_takes_note_of() -> None:
    """Is told there, and what there is follows."""
    told: list[Resumed] = []
    async with connected(PlayedDaemon()) as (client, wire):
        following = client.topics.follow("t", after="old:9", on_resumed=told.append)
        await begin(wire, recovered=False, reason="epoch_changed")
        wire.event(1, 1)

        assert await seqs(following, 1) == [1]
        assert [(one.recovered, one.reason) for one in told] == [(False, "epoch_changed")]


async def test_slow_reader_is_fed_later() -> None:
    """A full queue ends the subscription; it goes on from there when all has been read."""
    async with connected(PlayedDaemon()) as (client, wire):
        following = client.topics.follow("t", queue=2)
        await begin(wire)
        for seq in range(1, 5):
            wire.event(1, seq)
        wire.event(1, 0, kind="chat.delta")
        assert (await wire.call())["params"] == {"subscription": 1}
        assert await seqs(following, 2) == [1, 2]
        reading = asyncio.create_task(seqs(following, 2))
        assert (await begin(wire, number=2, seq=2))["after"] == "e:2"
        wire.event(1, 3)  # of the subscription that has ended
        wire.event(2, 3)
        wire.event(2, 4)
        assert await reading == [3, 4]


async def test_paused_follower_stays_paused_over_a_drop() -> None:
    """It is not subscribed for a reader who has enough to read."""
    daemon = PlayedDaemon()
    async with connected(daemon) as (client, first):
        following = client.topics.follow("t", queue=1)
        await begin(first)
        for seq in (1, 2):
            first.event(1, seq)
        await first.call()
        second = daemon.opens()
        first.drop()
        asked = asyncio.create_task(client.call("system.ping"))
        call = await second.call()
        assert call["method"] == "system.ping"
        second.answer(call, 1)
        await asked
        assert await seqs(following, 1) == [1]
        reading = asyncio.create_task(seqs(following, 1))
        await begin(second, seq=1)
        second.event(1, 2)
        assert await reading == [2]


async def test_ephemeral_events_have_no_position() -> None:
    """They pass; a queue that is full of others leaves them out, and goes on."""
    async with connected(PlayedDaemon()) as (client, wire):
        following = client.topics.follow("t", queue=1)
        await begin(wire, seq=4)
        wire.event(1, 0, "a")
        wire.event(1, 0, "b")
        event = await anext(following)
        assert (event.data, event.cursor, event.position) == ("a", None, None)
        wire.event(1, 5)
        assert await seqs(following, 1) == [5]
        assert wire.sent.empty()


async def test_refused_subscription_is_raised() -> None:
    """By whoever waits for it; it is not asked for again on the next connection."""
    daemon = PlayedDaemon()
    async with connected(daemon) as (client, first):
        following = client.topics.follow("t", after="yesterday")
        first.refuse(await first.call(), "invalid_request")
        with pytest.raises(InvalidRequest):
            await following.ready()
        with pytest.raises(InvalidRequest):
            await anext(following)
        second = daemon.opens()
        first.drop()
        asked = asyncio.create_task(client.call("system.ping"))
        call = await second.call()
        assert call["method"] == "system.ping"
        second.answer(call, 1)
        await asked


async def test_subscription_that_is_too_soon_comes_again() -> None:
    """`rate_limited` is waited for here, too."""
    daemon = PlayedDaemon()
    async with connected(daemon) as (client, wire):
        following = client.topics.follow("t")
        wire.refuse(await wire.call(), "rate_limited", retry_after_ms=100)
        await begin(wire)
        await following.ready()
        assert daemon.slept == [0.1]


async def test_follower_that_is_closed_ends() -> None:
    """Reading ends without an error, also when the client is closed; it is unsubscribed."""
    async with connected(PlayedDaemon()) as (client, wire):
        async with client.topics.follow("t") as following:
            await begin(wire)
            await following.ready()
        assert [event async for event in following] == []
        assert (await wire.call())["params"] == {"subscription": 1}

        early = client.topics.follow("t")
        await early.aclose()
        await begin(wire, number=2)
        assert (await wire.call())["params"] == {"subscription": 2}
        with pytest.raises(Closed):
            await early.ready()
        other = client.topics.follow("t")
    assert [event async for event in other] == []


async def test_follower_that_nobody_reads_any_more_leaves() -> None:
    """Who leaves the loop by `break` need not say more."""
    async with connected(PlayedDaemon()) as (client, wire):
        reading = asyncio.create_task(_first(client.topics.follow("t")))
        await begin(wire)
        wire.event(1, 1)
        assert await reading == 1
        del reading
        gc.collect()
        assert (await wire.call())["method"] == "topics.unsubscribe"


async def _first(following: Following) -> int:
    async for event in following:
        return event.seq
    return 0


async def test_drop_before_the_answer_to_a_subscription() -> None:
    """It is asked for once more, and the first answer that comes counts."""
    daemon = PlayedDaemon()
    async with connected(daemon) as (client, first):
        following = client.topics.follow("t", after="e:1")
        await first.call()
        second = daemon.opens()
        first.drop()
        assert (await begin(second, seq=1))["after"] == "e:1"
        second.event(1, 2)
        assert await seqs(following, 1) == [2]
