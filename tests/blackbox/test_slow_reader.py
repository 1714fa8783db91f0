"""Slow readers: one of fifty stops reading; the others, and the daemon, must not care."""

import asyncio
import json

import pytest

from tests.blackbox.crowd import Crowd, read_again, stop_reading
from tests.clients.crosslink import CrosslinkSocket
from tests.clients.frames import Frame, SocketEnded
from tests.clients.guests import Guests
from tests.clients.rpc import RpcSocket
from tests.clients.x0x import X0xSocket, b64, of_type, unb64
from tests.conftest import StartDaemon
from tests.daemon import Daemon


FAST = 49
EVENTS = 20_000
EVENT_BYTES = 4_096
WINDOW = 256
"""Events in flight at most: how far the publisher may be ahead of the slowest fast reader."""

MAX_GROWTH_BYTES = 96 * 1024 * 1024
"""What the daemon's memory may grow by while 80 MiB of events pass a reader that has stopped."""


def payload(number: int) -> str:
    """Return an event's text: five digits, then filling up to its size."""
    return f"{number:05}".ljust(EVENT_BYTES, ".")


async def flood(publisher: RpcSocket, topic: str, texts: list[object], crowd: Crowd) -> None:
    """Publish everything through one socket, never far ahead of the crowd."""
    for number, text in enumerate(texts):
        if number % (WINDOW // 2) == 0:
            await crowd.until(number - WINDOW // 2)
        await publisher.post("topics.publish", {"topic": topic, "data": text})
    await crowd.until(len(texts))


def grown_since(daemon: Daemon, before: int | None) -> int:
    """Return by how many bytes the daemon has grown; 0, with a word, where nobody can tell."""
    now = daemon.rss_bytes()
    if now is None or before is None:
        print("memory is not judged: this system has no /proc")  # noqa: T201 - told on purpose
        return 0
    return now - before


@pytest.mark.timeout(300)
async def test_hubbub_slow_reader_catches_up_from_the_store(daemon: Daemon, guests: Guests) -> None:
    """49 readers get all in order; the stalled one gets all as well, once it reads again."""
    publisher, slow = await guests.rpc(daemon), await guests.rpc(daemon)
    await slow.subscribe("flood")
    subscribe = {"jsonrpc": "2.0", "id": 1, "method": "topics.subscribe"}
    text = json.dumps({**subscribe, "params": {"topics": ["flood"]}})
    texts: list[object] = [payload(number) for number in range(EVENTS)]
    numbers = [str(each)[:8] for each in texts]
    async with Crowd() as crowd:
        for _ in range(FAST):
            await crowd.join(daemon.ws_url("hubbub", "/rpc"), daemon.token, text, '"result"')
        stop_reading(slow)
        before = daemon.rss_bytes()
        async with asyncio.TaskGroup() as group:
            group.create_task(crowd.follow(numbers))
            group.create_task(flood(publisher, "flood", texts, crowd))
        assert grown_since(daemon, before) < MAX_GROWTH_BYTES
    read_again(slow)
    for number in range(EVENTS):
        event = await slow.event("flood")
        assert event["data"][:5] == f"{number:05}"
        slow.seen.clear()
    assert (await publisher.publish("flood", "live again"))["id"] == (await slow.event())["id"]


@pytest.mark.timeout(300)
async def test_x0x_slow_reader_loses_and_is_counted(
    start_daemon: StartDaemon, guests: Guests
) -> None:
    """49 readers get all in order; the stalled one misses some, and each miss is counted."""
    # The keepalive would close the stalled socket where the flood outlasts it.
    daemon = await start_daemon("[dialects.x0x]\nkeepalive_s = 600\n")
    publisher, client = await guests.rpc(daemon), await guests.x0x(daemon)
    slow = await guests.x0x_socket(daemon)
    await slow.subscribe("flood")
    text = '{"type":"subscribe","topics":["flood"]}'
    texts: list[object] = [payload(number) for number in range(EVENTS)]
    # What is published as JSON reaches x0x as that JSON: a quote and five digits fill a mark.
    numbers = [b64(f'"{number:05}') for number in range(EVENTS)]
    async with Crowd() as crowd:
        for _ in range(FAST):
            await crowd.join(daemon.ws_url("x0x", "/ws"), daemon.token, text, "subscribed")
        stop_reading(slow)
        before = daemon.rss_bytes()
        async with asyncio.TaskGroup() as group:
            group.create_task(crowd.follow(numbers))
            group.create_task(flood(publisher, "flood", texts, crowd))
        assert grown_since(daemon, before) < MAX_GROWTH_BYTES
    counters = (await client.get("/diagnostics/ws")).body
    assert counters["ws_outbound_dropped"] > 0
    read_again(slow)
    await _verify_x0x_survivor(slow, counters["ws_outbound_dropped"])


async def _verify_x0x_survivor(slow: X0xSocket, dropped: int) -> None:
    """What the slow one got is in order, and is all but what was counted as dropped."""
    code = None
    try:
        await slow.send({"type": "ping"})
        await slow.expect(of_type("pong"))
    except SocketEnded:
        code, reason = await slow.closed()
        assert (code, reason) == (1013, "slow consumer")
    got = [int(unb64(f["payload"])[1:6]) for f in slow.seen if f["type"] == "message"]
    assert got == sorted(set(got))
    assert got[:1] == [0]
    if code is None:
        # Dropped pongs count as well; messages are all else.
        assert EVENTS - 2 <= len(got) + dropped <= EVENTS + 2


@pytest.mark.timeout(180)
async def test_x0x_slow_reader_of_direct_messages_is_closed(daemon: Daemon, guests: Guests) -> None:
    """A direct message is never dropped: the socket that cannot take it is closed with 1013."""
    client, good = await guests.x0x(daemon), await guests.x0x_socket(daemon, "/ws/direct")
    slow = await guests.x0x_socket(daemon, "/ws/direct")
    stop_reading(slow)
    count = 600
    for number in range(count):
        answer = await client.send_direct(good.agent_id, f"{number:05}".ljust(40_000, "."))
        assert answer.status == 200, answer
    frames = await good.collect(of_type("direct_message"), count)
    assert [int(unb64(f["payload"])[:5]) for f in frames] == list(range(count))
    counters = (await client.get("/diagnostics/ws")).body
    assert counters["ws_slow_consumer_closes"] == 1
    read_again(slow)
    assert await slow.closed() == (1013, "slow consumer")
    sessions = {session["session_id"] for session in await client.sessions()}
    assert sessions == {good.session_id}


@pytest.mark.timeout(180)
async def test_crosslink_slow_reader_gets_a_gap_frame(daemon: Daemon, guests: Guests) -> None:
    """A client that fell behind is told how many events it lost, and `seq` stays unbroken."""
    client, good = await guests.crosslink(daemon), await guests.crosslink_socket(daemon, "locks")
    slow = await guests.crosslink_socket(daemon, "locks")
    events = 10_000
    agent = "a" * 60
    stop_reading(slow)
    for start in range(0, events, 50):
        names = range(start, start + 50)
        await asyncio.gather(*(client.notify_lock(n, "claimed", agent) for n in names))
    frames = await good.collect(lambda f: f["type"] == "lock_changed", events)
    assert len({frame["issue_id"] for frame in frames}) == events
    assert good.seqs() == list(range(1, events + 1))
    read_again(slow)
    await client.notify_lock(events, "released", agent)
    await slow.expect(lambda f: f.get("action") == "released", what="the end mark")
    _verify_gap(slow, [frame["issue_id"] for frame in frames])


def _verify_gap(slow: CrosslinkSocket, order: list[int]) -> None:
    assert slow.seqs() == list(range(1, len(slow.seen) + 1))
    gaps = [frame for frame in slow.seen if frame["type"] == "gap"]
    assert gaps, "nothing was lost: the reader was not slow"
    assert all(set(gap) == {"seq", "type", "dropped"} for gap in gaps)
    got = [frame["issue_id"] for frame in slow.seen if frame["type"] == "lock_changed"][:-1]
    assert len(got) + sum(gap["dropped"] for gap in gaps) == len(order)
    places = {issue: place for place, issue in enumerate(order)}
    assert [places[issue] for issue in got] == sorted(places[issue] for issue in got)


@pytest.mark.timeout(180)
async def test_openclaw_slow_reader_is_closed(daemon: Daemon, guests: Guests) -> None:
    """Over 1.5 MiB of events that may not be dropped close the socket: 1008 slow consumer."""
    good, slow = await guests.openclaw(daemon), await guests.openclaw(daemon)
    await good.chat_send("first", "make the session")
    await good.chat_event("first", "final")
    stop_reading(slow)
    text = "y" * 200_000
    for _ in range(60):
        await good.call("chat.inject", {"sessionKey": "main", "message": text})
    injected = await good.collect(_is_injected, 60)
    assert [len(str(frame)) > len(text) for frame in injected] == [True] * 60
    read_again(slow)
    assert await slow.closed() == (1008, "slow consumer")


def _is_injected(frame: Frame) -> bool:
    return frame.get("event") == "chat" and frame["payload"]["runId"].startswith("inject-")
