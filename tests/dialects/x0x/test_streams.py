"""Server-sent events: all subscriptions in one stream, positions, presence."""

from hubbub.dialects.x0x import X0xSettings
from tests.clients.http import Sse
from tests.clients.x0x import b64
from tests.dialects.x0x.conftest import OpenRoom, Room


def payloads(events: list[Sse]) -> list[str]:
    """Give the payloads of topic events."""
    return [event.data["data"]["payload"] for event in events]


async def test_two_subscriptions_of_a_topic_deliver_twice(room: Room) -> None:
    """Each shows the message under its own id; the position stands on the last."""
    client = await room.client()
    stream = await client.subscribed_events("t", "t")
    await client.publish("t", "one")
    first, second = await stream.collect(2)
    ids = {event.data["data"]["subscription_id"] for event in (first, second)}
    assert len(ids) == 2
    assert (first.id, bool(second.id)) == ("", True)


async def test_open_stream_hears_later_subscriptions_and_no_deleted_ones(room: Room) -> None:
    """A stream follows what is subscribed, as it changes."""
    client = await room.client()
    stream = await client.events("/events")
    made = await client.post("/subscribe", {"topic": "a"})
    await client.post("/subscribe", {"topic": "b"})
    await client.publish("a", "1")
    await client.request("DELETE", f"/subscribe/{made.body['subscription_id']}")
    await client.publish("a", "2")
    await client.publish("b", "3")
    assert payloads(await stream.collect(2)) == [b64("1"), b64("3")]


async def test_stream_resumes_after_a_restart(open_room: OpenRoom) -> None:
    """With the last id and its topics subscribed again a client gets all it missed, in order."""
    room = await open_room()
    client = await room.client()
    stream = await client.subscribed_events("a", "b")
    await client.publish("a", "1")
    last_id = (await stream.next()).id
    await client.publish("b", "2")
    await room.close()

    room = await open_room()
    client = await room.client()
    await client.publish("a", "3")
    for topic in ("a", "b"):
        await client.post("/subscribe", {"topic": topic})
    stream = await client.events("/events", headers={"Last-Event-ID": last_id})
    resumed = await stream.next()
    assert (resumed.event, resumed.data["recovered"]) == ("hubbub.resumed", True)
    await client.publish("b", "4")
    assert payloads(await stream.collect(3)) == [b64("2"), b64("3"), b64("4")]


async def test_stream_hears_after_a_restart_what_it_heard_before(open_room: OpenRoom) -> None:
    """Nothing need be subscribed anew; who does so has one subscription, not two."""
    room = await open_room()
    client = await room.client()
    stream = await client.subscribed_events("a")
    await client.publish("a", "1")
    first = await stream.next()
    await room.close()

    room = await open_room()
    client = await room.client()
    await client.publish("a", "2")
    stream = await client.events("/events", headers={"Last-Event-ID": first.id})
    assert (await stream.next()).data["recovered"] is True
    again = await client.post("/subscribe", {"topic": "a"})
    assert again.body["subscription_id"] == first.data["data"]["subscription_id"]
    await client.publish("a", "3")
    assert payloads(await stream.collect(2)) == [b64("2"), b64("3")]


async def test_stream_whose_subscription_had_to_go_is_told(open_room: OpenRoom) -> None:
    """It cannot hear what it heard before, and does not say that it does."""
    settings = X0xSettings(max_subscriptions=1)
    room = await open_room(settings)
    client = await room.client()
    stream = await client.subscribed_events("a")
    await client.publish("a", "1")
    last_id = (await stream.next()).id
    await client.publish("a", "2")
    await room.close()

    room = await open_room(settings)
    client = await room.client()
    await client.post("/subscribe", {"topic": "b"})
    stream = await client.events("/events", headers={"Last-Event-ID": last_id})
    resumed = (await stream.next()).data
    assert (resumed["recovered"], resumed["reason"]) == (False, "retention")


async def test_unknown_position_is_told(room: Room) -> None:
    """A position of another journal is not recovered, and the client learns it; junk is 400."""
    client = await room.client()
    stream = await client.events("/events", headers={"Last-Event-ID": "other:7"})
    resumed = await stream.next()
    assert (resumed.data["recovered"], resumed.data["reason"]) == (False, "epoch_changed")
    assert (await client.get("/events", headers={"Last-Event-ID": "junk"})).status == 400


async def test_direct_stream_resumes(room: Room) -> None:
    """Direct messages that came meanwhile follow the position."""
    client = await room.client()
    me = await client.agent_id()
    stream = await client.events("/direct/events")
    await client.send_direct(me, "1")
    first = await stream.next()
    assert (first.event, first.data["trust_decision"]) == ("direct_message", "accept")
    stream.close()
    await client.send_direct(me, "2")
    stream = await client.events("/direct/events", headers={"Last-Event-ID": first.id})
    assert (await stream.next()).data["recovered"] is True
    assert (await stream.next()).data["payload"] == b64("2")


async def test_slow_stream_misses_nothing(open_room: OpenRoom) -> None:
    """A stream whose client reads late is fed from the store."""
    room = await open_room(X0xSettings(stream_frames=4))
    client = await room.client()
    stream = await client.subscribed_events("t")
    assert stream.response.connection is not None
    transport = stream.response.connection.transport
    assert transport is not None
    transport.pause_reading()
    await client.publish_all("t", [f"{n:04}" + "x" * 64_000 for n in range(150)])
    await client.post("/subscribe", {"topic": "u"})
    await client.publish("u", "end")
    transport.resume_reading()
    got = payloads(await stream.collect(151))
    assert [text[:4] for text in got[:150]] == [b64(f"{n:04}")[:4] for n in range(150)]
    assert got[150] == b64("end")


async def test_streams_send_comments(open_room: OpenRoom) -> None:
    """Every `stream_ping_s` a comment shows that the stream lives."""
    room = await open_room(X0xSettings(stream_ping_s=0.02))
    client = await room.client()
    stream = await client.events("/direct/events")
    assert await stream.response.content.readline() == b": ping\n"


async def test_local_topics_and_services_have_no_trust_level(room: Room) -> None:
    """Topics that never leave show no level; what no agent signed shows no sender."""
    client = await room.client()
    stream = await client.subscribed_events("local:t", "t")
    await client.publish("local:t", "x")
    await client.publish("t", "x")
    local, usual = await stream.collect(2)
    assert local.data["data"]["trust_level"] is None
    assert usual.data["data"]["trust_level"] == "unknown"
    assert usual.data["data"]["sender"] == await client.agent_id()


async def test_presence_stream_tells_who_is_here_comes_and_goes(room: Room) -> None:
    """First everyone who is connected, then each first connection and each last end."""
    alice_token, bob_token = await room.agent_token("alice"), await room.agent_token("bob")
    alice = await room.socket(token=alice_token)
    client = await room.client()
    stream = await client.events("/presence/events")
    assert (await stream.next()).data == {
        "event": "online",
        "agent_id": alice.agent_id,
        "reachable": True,
    }
    bob = await room.socket(token=bob_token)
    again = await room.socket(token=bob_token)
    assert (await stream.next()).data["agent_id"] == bob.agent_id
    await bob.close()
    await again.close()
    assert (await stream.next()).data == {"event": "offline", "agent_id": bob.agent_id}
