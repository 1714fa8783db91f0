"""Sockets: backfill, agents of their own, what is refused without a word of detail."""

import json

from hubbub.dialects.x0x import X0xSettings
from tests.clients.http import HttpClient
from tests.clients.waiting import eventually
from tests.clients.x0x import b64, of_type
from tests.dialects.x0x.conftest import OpenRoom, Room


def types(frames: list[dict[str, object]]) -> list[object]:
    """Give the frames' types, without the greeting."""
    return [frame["type"] for frame in frames[2:]]


async def test_backfill_comes_before_live_and_the_confirmation(room: Room) -> None:
    """Stored messages, `live` for each topic, `subscribed`, then what is new: no hole, no twin."""
    client, socket = await room.client(), await room.socket()
    await client.publish_all("t", ["1", "2", "3"])
    await socket.send({"type": "subscribe", "topics": ["t", "u"], "backfill": {"limit": 2}})
    await socket.expect(of_type("subscribed"))
    await client.publish("t", "4")
    assert await socket.payloads(3) == [b"2", b"3", b"4"]
    assert types(socket.seen) == ["message", "message", "live", "live", "subscribed", "message"]
    assert [frame["topic"] for frame in socket.seen if frame["type"] == "live"] == ["t", "u"]


async def test_backfill_has_a_usual_and_a_largest_size(open_room: OpenRoom) -> None:
    """Without a number it is `backfill_events`, and never more than `max_backfill_events`."""
    room = await open_room(X0xSettings(backfill_events=20, max_backfill_events=40))
    client = await room.client()
    await client.publish_all("t", [str(n) for n in range(50)])
    for asked, expected in (({}, 20), ({"limit": 0}, 20), ({"limit": 500}, 40), ({"limit": 3}, 3)):
        socket = await room.socket()
        await socket.send({"type": "subscribe", "topics": ["t"], "backfill": asked})
        await socket.expect(of_type("subscribed"))
        got = await socket.payloads(expected)
        assert got == [str(n).encode() for n in range(50 - expected, 50)]
        assert socket.untaken(of_type("message")) == []


async def test_backfill_under_load_has_no_seam(room: Room) -> None:
    """A socket that asks for the past while messages pour in gets each of them once, in order."""
    client, publisher = await room.client(), await room.socket()
    await client.publish_all("t", [str(n) for n in range(30)])
    socket = await room.socket()
    for n in range(30, 200):
        await publisher.publish("t", str(n))
        if n == 60:
            await socket.send({"type": "subscribe", "topics": ["t"], "backfill": {"limit": 500}})
    await socket.expect(of_type("subscribed"))
    got = await socket.payloads(200)
    assert got == [str(n).encode() for n in range(200)]


async def test_backfill_of_a_topic_that_looks_like_a_pattern(room: Room) -> None:
    """Only the topic of exactly this name is replayed."""
    client, socket = await room.client(), await room.socket()
    await client.publish("a/b", "no")
    await client.publish("a/*", "yes")
    await socket.send({"type": "subscribe", "topics": ["a/*"], "backfill": {}})
    await socket.expect(of_type("subscribed"))
    assert await socket.payloads(1) == [b"yes"]


async def test_direct_backfill(room: Room) -> None:
    """`/ws/direct?backfill=N` shows N stored messages, `live`, then new ones."""
    client = await room.client()
    me = await client.agent_id()
    for text in ("1", "2", "3"):
        await client.send_direct(me, text)
    socket = await room.socket("/ws/direct?backfill=2")
    assert (await socket.expect(of_type("live")))["topic"] == "direct"
    await client.send_direct(me, "4")
    got = await socket.collect(of_type("direct_message"), 3)
    assert [frame["payload"] for frame in got] == [b64("2"), b64("3"), b64("4")]


async def test_direct_backfill_that_is_no_number(room: Room) -> None:
    """It is told, and the socket still hears direct messages."""
    client = await room.client()
    socket = await room.socket("/ws/direct?backfill=all")
    assert "number" in (await socket.expect(of_type("error")))["message"]
    await client.send_direct(socket.agent_id, "1")
    await socket.expect(of_type("direct_message"))


async def test_closing_during_a_backfill_leaves_nothing(room: Room) -> None:
    """A socket that goes before its past was read is forgotten like any other."""
    client = await room.client()
    await client.send_direct(await client.agent_id(), "1")
    for _ in range(10):
        socket = await room.socket("/ws/direct?backfill=1")
        await socket.send({"type": "subscribe", "topics": ["t"], "backfill": {}})
        socket.drop()

    async def gone() -> bool:
        answer = (await client.get("/ws/sessions")).body
        return not answer["sessions"] and not answer["shared_subscriptions"]

    await eventually(gone, what="the end of all sessions")


async def test_socket_of_an_agent_acts_as_that_agent(room: Room) -> None:
    """Its own id greets it and stands as origin; only its own direct messages reach it."""
    alice = await room.socket("/ws/direct", token=await room.agent_token("alice"))
    bob = await room.socket("/ws/direct", token=await room.agent_token("bob"))
    assert alice.agent_id != bob.agent_id
    await bob.subscribe("t")
    await alice.publish("t", "hi")
    assert (await bob.expect(of_type("message")))["origin"] == alice.agent_id
    await alice.send({"type": "send_direct", "agent_id": bob.agent_id, "payload": b64("psst")})
    frame = await bob.expect(of_type("direct_message"))
    assert (frame["sender"], frame["trust_decision"]) == (alice.agent_id, "unknown")
    assert frame["verified"] is True
    assert len(frame["machine_id"]) == 64
    await alice.ping()
    assert alice.untaken(of_type("direct_message")) == []


async def test_refused_commands_have_x0xs_words(room: Room) -> None:
    """Reserved and empty topics, unknown recipients and reused keys are refused in two words."""
    socket = await room.socket()
    for topic in ("agents/x", ""):
        await socket.publish(topic, "x")
        assert (await socket.receive()) == {"type": "error", "message": "publish failed"}
    unknown = {"type": "send_direct", "agent_id": "0" * 64, "payload": ""}
    await socket.send(unknown)
    assert (await socket.receive()) == {"type": "error", "message": "send failed"}
    keyed = {"type": "publish", "topic": "t", "idempotency_key": "k"}
    await socket.send({**keyed, "payload": b64("1")})
    await socket.send({**keyed, "payload": b64("1")})
    await socket.send({**keyed, "payload": b64("2")})
    assert (await socket.receive()) == {"type": "error", "message": "publish failed"}


async def test_keepalive_is_a_pong_that_nobody_asked_for(open_room: OpenRoom) -> None:
    """Every `keepalive_s` a `pong` shows that the socket lives."""
    room = await open_room(X0xSettings(keepalive_s=0.05))
    socket = await room.socket()
    for _ in range(3):
        assert await socket.receive() == {"type": "pong"}


async def test_other_doors_events_are_json_in_base64(room: Room) -> None:
    """What hubbub clients publish reaches x0x as its JSON, and bytes as bytes."""
    socket = await room.socket()
    await socket.subscribe("t")
    async with HttpClient(room.url("hubbub"), room.token) as client:
        for params in (
            {"data": {"a": 1}},
            {"data": {"payload": "aGk="}},
            {"data": {"payload": "aGk="}, "kind": "bytes"},
        ):
            call = {"jsonrpc": "2.0", "id": 1, "method": "topics.publish"}
            answer = await client.post("/rpc", {**call, "params": {"topic": "t", **params}})
            assert "result" in answer.body
    json_object, json_like_ours, plain = await socket.payloads(3)
    assert json.loads(json_object) == {"a": 1}
    assert json.loads(json_like_ours) == {"payload": "aGk="}
    assert plain == b"hi"
