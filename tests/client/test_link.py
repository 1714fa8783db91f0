"""Calls across drops: what is sent again, in which order, and what fails."""

import asyncio
from typing import Any

import pytest

from hubbub.client import (
    AnswerLost,
    AsyncClient,
    Backoff,
    Closed,
    LockHeld,
    NotFound,
    Refused,
    TimedOut,
    Unauthorized,
    Unreachable,
)
from hubbub.client.errors import refused
from tests.client.wires import PlayedDaemon, connected


POSITION = {"epoch": "e", "seq": 1}
PUBLISHED = {"id": "x", "position": POSITION, "cursor": "e:1"}


async def test_write_is_sent_again_under_its_key() -> None:
    """The same call, byte for byte, in the order of the calls; each is answered once."""
    daemon = PlayedDaemon()
    async with connected(daemon) as (client, first):
        writes = [asyncio.create_task(client.topics.publish("t", n)) for n in range(3)]
        calls = [await first.call() for _ in writes]
        second = daemon.opens()
        first.drop()
        again = [await second.call() for _ in writes]
        assert again == calls
        assert len({call["params"]["idempotency_key"] for call in calls}) == len(calls)
        for call in again:
            second.answer(call, PUBLISHED)

        assert [(await write).cursor for write in writes] == ["e:1"] * len(writes)
        assert first.is_closed


async def test_key_that_the_caller_gives_is_kept() -> None:
    """Who has a key of its own can repeat a call also after the program was restarted."""
    async with connected(PlayedDaemon()) as (client, wire):
        write = asyncio.create_task(client.topics.publish("t", 1, idempotency_key="mine"))
        call = await wire.call()
        assert call["params"] == {
            "topic": "t",
            "data": 1,
            "kind": "message",
            "idempotency_key": "mine",
        }
        wire.answer(call, PUBLISHED)
        await write


async def test_what_nobody_knows_how_to_repeat_fails() -> None:
    """A method that the client does not know, without a key; one that only waited is sent."""
    daemon = PlayedDaemon()
    async with connected(daemon) as (client, first):
        lost = asyncio.create_task(client.call("new.verb", {"a": 1}))
        await first.call()
        first.drop()
        with pytest.raises(AnswerLost, match=r"before new\.verb was answered") as caught:
            await lost
        assert (caught.value.code, caught.value.retryable) == ("answer_lost", False)

        waiting = asyncio.create_task(client.call("new.verb"))
        keyed = asyncio.create_task(client.call("new.verb", {"idempotency_key": "k"}))
        await asyncio.sleep(0)
        second = daemon.opens()
        second.answer(await second.call(), 1)
        await second.call()
        third = daemon.opens()
        second.drop()
        third.answer(await third.call(), 2)
        assert (await waiting, await keyed) == (1, 2)


async def test_rate_limited_call_waits_and_comes_again() -> None:
    """As long as the daemon says; also a call that could not be repeated otherwise."""
    daemon = PlayedDaemon()
    async with connected(daemon) as (client, wire):
        asked = asyncio.create_task(client.call("new.verb"))
        wire.refuse(await wire.call(), "rate_limited", retry_after_ms=250)
        wire.answer(await wire.call(), "done")

        assert await asked == "done"
        assert daemon.slept == [0.25]


async def test_rate_limited_call_that_meets_a_drop_is_sent_once() -> None:
    """The new connection sends it; the wait that has ended meanwhile does not."""
    daemon = PlayedDaemon()
    waits = asyncio.Event()

    async def sleep(seconds: float) -> None:
        if seconds == 9:
            await waits.wait()

    async with connected(daemon, sleep=sleep) as (client, first):
        asked = asyncio.create_task(client.system.ping())
        first.refuse(await first.call(), "rate_limited", retry_after_ms=9000)
        second = daemon.opens()
        first.drop()
        call = await second.call()
        waits.set()
        for _ in range(5):
            await asyncio.sleep(0)
        assert second.sent.empty()
        second.answer(call, {"position": POSITION})
        assert (await asked).position.seq == 1


async def test_daemon_that_stops_gets_no_more_calls() -> None:
    """What is called after its word waits for the next connection; open calls are answered."""
    daemon = PlayedDaemon()
    async with connected(daemon) as (client, first):
        before = asyncio.create_task(client.call("system.ping"))
        call = await first.call()
        first.tell("daemon.stopping")
        first.answer(call, 1)
        assert await before == 1
        after = asyncio.create_task(client.call("system.ping"))
        await asyncio.sleep(0)
        second = daemon.opens()
        first.drop()
        second.answer(await second.call(), 2)

        assert await after == 2
        assert first.sent.empty()


async def test_attempts_back_off_until_something_is_heard() -> None:
    """The waits double up to their cap and begin anew after a connection that was one."""
    daemon = PlayedDaemon()
    reasons: list[str] = []
    async with connected(daemon, on_lost=reasons.append) as (client, first):
        for _ in range(3):
            daemon.refuses(Unreachable("not yet"))
        silent, second, third = daemon.opens(), daemon.opens(), daemon.opens()
        first.drop()
        silent.drop()
        asked = asyncio.create_task(client.call("system.ping"))
        second.answer(await second.call(), 1)
        await asked
        second.drop()
        asked = asyncio.create_task(client.call("system.ping"))
        third.answer(await third.call(), 1)
        await asked

        assert daemon.slept == [1, 2, 4, 4, 4, 1]
        closed = "the daemon at http://played has closed the connection"
        assert reasons == [closed, *["not yet"] * 3, closed, closed]


def test_backoff_is_shortened_by_chance() -> None:
    """From half of the wait to all of it, however many failures there were."""
    assert [Backoff(first_s=1, cap_s=10, chance=lambda: 0).delay_s(n) for n in (1, 2)] == [0.5, 1]
    assert Backoff(cap_s=10, chance=lambda: 1).delay_s(10_000) == 10


async def test_token_that_is_void_ends_the_client() -> None:
    """What waits fails, and what comes later too; nobody tries for ever."""
    daemon = PlayedDaemon()
    async with connected(daemon) as (client, first):
        following = await answered(first, client.topics.follow("t"))
        asked = asyncio.create_task(client.system.ping())
        await first.call()
        daemon.refuses(refused("who?", "unauthorized", retryable=False, data={}))
        first.drop()

        with pytest.raises(Unauthorized, match="who"):
            await asked
        with pytest.raises(Unauthorized):
            await anext(following)
        with pytest.raises(Unauthorized):
            await client.system.ping()
        with pytest.raises(Unauthorized):
            client.topics.follow("t")


async def answered(wire: Any, following: Any) -> Any:
    """Let a subscription begin."""
    call = await wire.call()
    wire.answer(call, {"subscription": 1, "recovered": True, "position": POSITION})
    return await following.ready()


async def test_time_limit_of_a_call() -> None:
    """Counts the reconnects; the error has the key, and says what stands in the way."""
    daemon = PlayedDaemon()
    async with connected(daemon) as (client, first):
        with pytest.raises(TimedOut, match=r"within 0\.01 s$") as caught:
            await client.topics.publish("t", 1, idempotency_key="k", timeout_s=0.01)
        assert (caught.value.idempotency_key, caught.value.method) == ("k", "topics.publish")
        assert isinstance(caught.value, TimeoutError)
        late = await first.call()
        first.answer(late, PUBLISHED)  # nobody waits for it any more
        first.drop()
        with pytest.raises(TimedOut, match="has closed the connection"):
            await client.system.ping(timeout_s=0.01)


async def test_waiting_for_a_lock_has_time_for_it() -> None:
    """The wait comes on top of the limit of a call; without an end of its own it has none."""
    async with connected(PlayedDaemon(), timeout_s=0.01) as (client, wire):
        claims = [
            asyncio.create_task(client.locks.claim(1, wait=True, wait_ms=60_000)),
            asyncio.create_task(client.locks.claim(1, wait=True)),
        ]
        calls = [await wire.call() for _ in claims]
        await asyncio.sleep(0.05)
        wire.refuse(calls[0], "lock_held", holder="ann", expires_at=5, retryable=True)
        wire.refuse(calls[1], "not_found")
        with pytest.raises(LockHeld, match="no: lock_held") as held:
            await claims[0]
        assert (held.value.holder, held.value.expires_at, held.value.retryable) == ("ann", 5, True)
        with pytest.raises(NotFound):
            await claims[1]


async def test_call_whose_caller_gives_up_is_not_sent_again() -> None:
    """Neither on this connection nor on the next."""
    daemon = PlayedDaemon()
    async with connected(daemon) as (client, first):
        asked = asyncio.create_task(client.system.ping())
        await first.call()
        asked.cancel()
        await asyncio.gather(asked, return_exceptions=True)
        second = daemon.opens()
        first.drop()
        other = asyncio.create_task(client.call("system.status"))
        call = await second.call()
        assert call["method"] == "system.status"
        second.answer(call, 1)
        await other


async def test_noise_is_passed_over() -> None:
    """What is no JSON, an answer to nobody, a notification that is not known."""
    async with connected(PlayedDaemon()) as (client, wire):
        wire.say_text("{")
        wire.say({"jsonrpc": "2.0", "id": 99, "result": 1})
        wire.tell("brand.new", a=1)
        asked = asyncio.create_task(client.call("system.ping"))
        wire.answer(await wire.call(), "well")
        assert await asked == "well"


async def test_client_that_is_not_open_says_so() -> None:
    """Before it was opened and after it was closed; what waited then fails."""
    daemon = PlayedDaemon()
    client = AsyncClient("http://played", "t", dial=daemon.dial, environ={})
    with pytest.raises(Closed, match="not open"):
        await client.system.ping()
    wire = daemon.opens()
    await client.open()
    asked = asyncio.create_task(client.system.ping())
    await wire.call()
    await client.close()
    with pytest.raises(Closed, match="was closed"):
        await asked
    with pytest.raises(Closed, match="was closed"):
        await client.system.ping()
    assert wire.is_closed


async def test_daemon_that_is_not_there_fails_the_opening() -> None:
    """At once; a patient client waits for it, and for its own time limit."""
    daemon = PlayedDaemon()
    daemon.refuses(Unreachable("nobody"))
    with pytest.raises(Unreachable, match="nobody"):
        await AsyncClient("http://played", "t", dial=daemon.dial, environ={}).open()

    daemon.refuses(Unreachable("nobody yet"))
    wire = daemon.opens()
    options: Any = {"dial": daemon.dial, "sleep": daemon.sleep, "environ": {}}
    async with AsyncClient("http://played", "t", patient=True, **options) as client:
        asked = asyncio.create_task(client.call("system.ping"))
        wire.answer(await wire.call(), "here")
        assert await asked == "here"


async def test_failure_of_a_callback_ends_the_client() -> None:
    """Not in silence: who calls is told, rather than to wait for ever."""

    def bad(_resumed: object) -> None:
        raise ValueError("my own mistake")

    async with connected(PlayedDaemon()) as (client, wire):
        following = client.topics.follow("t", on_resumed=bad)
        asked = asyncio.create_task(client.system.ping())
        call = await wire.call()
        wire.answer(call, {"subscription": 1, "recovered": True, "position": POSITION})
        with pytest.raises(Exception, match="ValueError: my own mistake"):
            await asked
        with pytest.raises(ValueError, match="my own mistake"):
            await client.close()
        await following.aclose()


async def test_refusal_that_is_not_known_is_told() -> None:
    """Also one without data."""
    async with connected(PlayedDaemon()) as (client, wire):
        asked = asyncio.create_task(client.call("x", {"idempotency_key": "k"}))
        call = await wire.call()
        wire.say({"id": call["id"], "error": {"code": -32700, "message": "not JSON"}})
        with pytest.raises(Refused, match="not JSON") as caught:
            await asked
        assert caught.value.code == "-32700"
