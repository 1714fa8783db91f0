"""Seed 000: what x0x's own WebSocket tests ask of a daemon, without their leniencies."""

import asyncio
import uuid

from tests.clients.guests import Guests
from tests.clients.waiting import eventually
from tests.clients.x0x import X0xClient, b64, of_type
from tests.daemon import Daemon


CLIENTS = 5
MESSAGES = 3
ORDERED = 10


async def test_ws_connection_lifecycle(daemon: Daemon, guests: Guests) -> None:
    """The first frame is `connected` with a fresh UUID and our agent; closing is answered 1000."""
    client = await guests.x0x(daemon)
    first = await guests.x0x_socket(daemon)
    second = await guests.x0x_socket(daemon)

    assert uuid.UUID(first.session_id).version == 4
    assert first.session_id != second.session_id
    assert first.agent_id == second.agent_id == await client.agent_id()
    assert len(bytes.fromhex(first.agent_id)) == 32

    await first.connection.close()
    assert first.connection.close_code == 1000


async def test_ws_ping_pong(daemon: Daemon, guests: Guests) -> None:
    """Each application ping is answered by exactly one pong, besides the one of the greeting."""
    socket = await guests.x0x_socket(daemon)
    for _ in range(3):
        await socket.send({"type": "ping"})
        assert await socket.receive() == {"type": "pong"}

    await socket.settle()
    assert socket.untaken(of_type("pong")) == []


async def test_ws_subscribe_publish_receive(daemon: Daemon, guests: Guests) -> None:
    """A message published by REST arrives as one `message` frame with topic, payload and origin."""
    client = await guests.x0x(daemon)
    socket = await guests.x0x_socket(daemon)
    await socket.subscribe("ws-test")

    await client.publish("ws-test", "hello-ws-test")

    assert await socket.expect(of_type("message")) == {
        "type": "message",
        "topic": "ws-test",
        "payload": b64("hello-ws-test"),
        "origin": socket.agent_id,
    }
    await socket.ping()
    assert socket.untaken(of_type("message")) == []


async def test_ws_publish_reaches_other_sockets_and_the_publisher(
    daemon: Daemon, guests: Guests
) -> None:
    """A message published on a socket is not answered, and reaches every subscriber, itself too."""
    here, there = await guests.x0x_socket(daemon), await guests.x0x_socket(daemon)
    await here.subscribe("echo")
    await there.subscribe("echo")

    await here.publish("echo", b"\x00\xffraw")

    assert await here.messages(1) == await there.messages(1) == [("echo", b"\x00\xffraw")]
    await here.ping()
    assert here.untaken(lambda _: True) == []


async def test_ws_session_tracking(daemon: Daemon, guests: Guests) -> None:
    """A socket stands in `/ws/sessions` with its topics while it is open, and then no more."""
    client = await guests.x0x(daemon)
    assert await client.sessions() == []
    topical, direct = await guests.x0x_socket(daemon), await guests.x0x_socket(daemon, "/ws/direct")
    await topical.subscribe("b", "a")

    sessions = {session["session_id"]: session for session in await client.sessions()}
    assert set(sessions) == {topical.session_id, direct.session_id}
    assert sorted(sessions[topical.session_id]["subscribed_topics"]) == ["a", "b"]
    assert sessions[topical.session_id]["receives_direct"] is False
    assert sessions[direct.session_id]["receives_direct"] is True

    await topical.close()
    direct.drop()
    await eventually(lambda: _no_sessions(client), what="the end of both sessions")


async def test_ws_session_tracking_counts_shared_subscriptions(
    daemon: Daemon, guests: Guests
) -> None:
    """`shared_subscriptions` counts the sockets per topic and forgets a topic with the last."""
    client = await guests.x0x(daemon)
    one, two = await guests.x0x_socket(daemon), await guests.x0x_socket(daemon)
    await one.subscribe("both", "single")
    await two.subscribe("both")
    shared = (await client.get("/ws/sessions")).body["shared_subscriptions"]
    assert shared == {"both": 2, "single": 1}

    await one.unsubscribe("single")
    await two.close()
    await eventually(lambda: _shared_is(client, {"both": 1}), what="one socket left on one topic")


async def test_ws_direct_endpoint(daemon: Daemon, guests: Guests) -> None:
    """`/ws/direct` greets with `connected` and takes the same commands as `/ws`."""
    client = await guests.x0x(daemon)
    socket = await guests.x0x_socket(daemon, "/ws/direct")
    await socket.subscribe("both-ways")
    await client.publish("both-ways", "topic")
    assert await socket.messages(1) == [("both-ways", b"topic")]
    await socket.ping()


async def test_ws_direct_endpoint_receives_direct_messages(daemon: Daemon, guests: Guests) -> None:
    """A direct message to our agent reaches `/ws/direct` once and verified, and `/ws` never."""
    client = await guests.x0x(daemon)
    direct = await guests.x0x_socket(daemon, "/ws/direct")
    plain = await guests.x0x_socket(daemon)
    answer = await client.send_direct(direct.agent_id, "psst")
    assert answer.status == 200, answer
    assert (answer.body["ok"], answer.body["path"]) == (True, "loopback")

    frame = await direct.expect(of_type("direct_message"))
    assert frame["sender"] == direct.agent_id
    assert frame["payload"] == b64("psst")
    assert (frame["verified"], frame["trust_decision"]) == (True, "accept")
    for socket in (direct, plain):
        await socket.ping()
        assert socket.untaken(of_type("direct_message")) == []


async def test_ws_send_direct_needs_no_rest(daemon: Daemon, guests: Guests) -> None:
    """`send_direct` on one socket reaches another socket of the agent that it names."""
    sender = await guests.x0x_socket(daemon)
    receiver = await guests.x0x_socket(daemon, "/ws/direct")
    payload = b64("over the socket")
    agent = receiver.agent_id
    await sender.send({"type": "send_direct", "agent_id": agent, "payload": payload})
    frame = await receiver.expect(of_type("direct_message"))
    assert (frame["sender"], frame["payload"]) == (sender.agent_id, payload)


async def test_direct_send_with_one_logical_id_is_delivered_once(
    daemon: Daemon, guests: Guests
) -> None:
    """A repeated `logical_id` answers again without a second delivery; other bytes conflict."""
    client = await guests.x0x(daemon)
    socket = await guests.x0x_socket(daemon, "/ws/direct")
    me = socket.agent_id

    first = await client.send_direct(me, "once", logical_id="job-1")
    again = await client.send_direct(me, "once", logical_id="job-1")
    other = await client.send_direct(me, "changed", logical_id="job-1")

    assert (first.status, again.status) == (200, 200)
    assert again.body["request_id"] == first.body["request_id"]
    assert (other.status, other.body["error"]) == (409, "idempotency_conflict")
    await socket.expect(of_type("direct_message"))
    await socket.ping()
    assert socket.untaken(of_type("direct_message")) == []


async def test_ws_concurrent_subscribers(daemon: Daemon, guests: Guests) -> None:
    """Each of five subscribers receives all three messages, once each, in order."""
    client = await guests.x0x(daemon)
    sockets = [await guests.x0x_socket(daemon) for _ in range(CLIENTS)]
    for socket in sockets:
        await socket.subscribe("concurrent-test")
    payloads = [f"msg-{i}" for i in range(MESSAGES)]

    await client.publish_all("concurrent-test", payloads)

    for socket in sockets:
        assert await socket.payloads(MESSAGES) == [text.encode() for text in payloads]
        await socket.ping()
        assert socket.untaken(of_type("message")) == []


async def test_ws_message_ordering(daemon: Daemon, guests: Guests) -> None:
    """Ten messages published one after the other arrive complete and in that order."""
    client = await guests.x0x(daemon)
    socket = await guests.x0x_socket(daemon)
    await socket.subscribe("order-test")
    payloads = [f"seq-{i:04}" for i in range(ORDERED)]

    await client.publish_all("order-test", payloads)

    assert await socket.payloads(ORDERED) == [text.encode() for text in payloads]


async def test_ws_message_ordering_of_a_pipelined_publisher(daemon: Daemon, guests: Guests) -> None:
    """A thousand messages sent down one socket without waiting keep their order, none missing."""
    publisher, subscriber = await guests.x0x_socket(daemon), await guests.x0x_socket(daemon)
    await subscriber.subscribe("pipelined")

    async def publish() -> None:
        for i in range(1_000):
            await publisher.publish("pipelined", str(i))

    async with asyncio.TaskGroup() as group:
        group.create_task(publish())
        received = await subscriber.payloads(1_000)
    assert received == [str(i).encode() for i in range(1_000)]


async def test_ws_subscribing_twice_delivers_once(daemon: Daemon, guests: Guests) -> None:
    """A topic named twice, in one command or in two, gives no duplicates."""
    client = await guests.x0x(daemon)
    socket = await guests.x0x_socket(daemon)
    await socket.subscribe("twice", "twice")
    await socket.subscribe("twice")
    await client.publish_all("twice", ["a", "a", "b"])
    assert await socket.payloads(3) == [b"a", b"a", b"b"]
    await socket.ping()
    assert socket.untaken(of_type("message")) == []


async def test_ws_unsubscribe_ends_delivery(daemon: Daemon, guests: Guests) -> None:
    """After `unsubscribed` nothing of that topic arrives; another topic goes on."""
    client = await guests.x0x(daemon)
    socket = await guests.x0x_socket(daemon)
    await socket.subscribe("left", "kept")
    await socket.unsubscribe("left", "never-joined")
    await client.publish("left", "no")
    await client.publish("kept", "yes")
    assert await socket.messages(1) == [("kept", b"yes")]


async def test_ws_topics_are_exact_names(daemon: Daemon, guests: Guests) -> None:
    """Topics are case-sensitive whole names: no wildcard, no prefix, no hierarchy for x0x."""
    client = await guests.x0x(daemon)
    socket = await guests.x0x_socket(daemon)
    await socket.subscribe("a/*", "*", "a", "A/b")
    for topic in ("a/b", "a/b/c", "b"):
        await client.publish(topic, "no")
    await client.publish("A/b", "yes")
    assert await socket.messages(1) == [("A/b", b"yes")]


async def test_ws_late_subscriber_gets_nothing_of_the_past(daemon: Daemon, guests: Guests) -> None:
    """Without backfill a subscription starts at the present."""
    client = await guests.x0x(daemon)
    await client.publish("late", "before")
    socket = await guests.x0x_socket(daemon)
    await socket.subscribe("late")
    await client.publish("late", "after")
    assert await socket.payloads(1) == [b"after"]


async def test_ws_more_than_64_topics_are_echoed_and_ignored(
    daemon: Daemon, guests: Guests
) -> None:
    """`subscribed` repeats all names, but only the first 64 of a socket are subscribed."""
    client = await guests.x0x(daemon)
    socket = await guests.x0x_socket(daemon)
    await socket.subscribe(*(f"t{i}" for i in range(70)))
    (session,) = await client.sessions()
    assert sorted(session["subscribed_topics"]) == sorted(f"t{i}" for i in range(64))
    await client.publish("t64", "no")
    await client.publish("t63", "yes")
    assert await socket.messages(1) == [("t63", b"yes")]


async def test_events_stream_carries_rest_subscriptions(daemon: Daemon, guests: Guests) -> None:
    """`/events` shows each REST subscription's messages, nested under `data`, until it ends."""
    client = await guests.x0x(daemon)
    stream = await client.subscribed_events("sse")
    assert stream.response.headers["Content-Type"].startswith("text/event-stream")

    await client.publish("sse", "one")
    event = await stream.next()
    assert event.event == "message"
    assert event.data["type"] == "message"
    body = event.data["data"]
    assert (body["topic"], body["payload"]) == ("sse", b64("one"))
    assert (body["sender"], body["verified"]) == (await client.agent_id(), True)

    gone = await client.request("DELETE", f"/subscribe/{body['subscription_id']}")
    assert (gone.status, gone.body["ok"]) == (200, True)
    again = await client.request("DELETE", f"/subscribe/{body['subscription_id']}")
    assert (again.status, again.body["ok"]) == (404, False)


async def test_diagnostics_count_no_drops_for_readers_that_keep_up(
    daemon: Daemon, guests: Guests
) -> None:
    """`/diagnostics/ws` shows the queue's capacity and, for good readers, zero drops."""
    client = await guests.x0x(daemon)
    socket = await guests.x0x_socket(daemon)
    await socket.subscribe("calm")
    await client.publish_all("calm", ["x"] * 20)
    await socket.payloads(20)
    assert (await client.get("/diagnostics/ws")).body == {
        "ok": True,
        "ws_outbound_capacity": 1024,
        "ws_outbound_dropped": 0,
        "ws_slow_consumer_closes": 0,
    }


async def _no_sessions(client: X0xClient) -> bool:
    return await client.sessions() == []


async def _shared_is(client: X0xClient, wanted: dict[str, int]) -> bool:
    shared: object = (await client.get("/ws/sessions")).body["shared_subscriptions"]
    return shared == wanted


async def test_ws_ignores_binary_frames(daemon: Daemon, guests: Guests) -> None:
    """A binary frame, even one that holds a command, has no effect and no answer."""
    socket = await guests.x0x_socket(daemon)
    await socket.send_bytes(b'{"type":"ping"}')
    await socket.settle()
    assert socket.untaken(lambda _: True) == []
