"""Publishing and direct messages by HTTP: keys, receipts, refusals."""

from typing import Any

import pytest

from hubbub.core.direct import MAX_PAYLOAD_BYTES
from hubbub.dialects.x0x import X0xSettings
from tests.clients.x0x import b64
from tests.dialects.x0x.conftest import OpenRoom, Room


HEX = "0" * 64


async def test_publish_with_a_key_happens_once(room: Room) -> None:
    """Header or field, the same key is one message; with other bytes it is a conflict."""
    client, socket = await room.client(), await room.socket()
    await socket.subscribe("t")
    body = {"topic": "t", "payload": b64("one")}
    for _ in range(2):
        answer = await client.post("/publish", body, headers={"Idempotency-Key": "k"})
        assert (answer.status, answer.text) == (200, '{"ok":true}')
    assert (await client.post("/publish", {**body, "idempotency_key": "k"})).status == 200
    changed = {"topic": "t", "payload": b64("two"), "idempotency_key": "k"}
    assert (await client.post("/publish", changed)).status == 409
    await client.publish("t", "end")
    assert await socket.payloads(2) == [b"one", b"end"]


async def test_topics_of_the_daemon_are_not_for_publishing(room: Room) -> None:
    """What services tell cannot be forged."""
    answer = await (await room.client()).post("/publish", {"topic": "runs/1", "payload": ""})
    assert answer.status == 403
    assert answer.body["ok"] is False


DIRECT: tuple[tuple[dict[str, Any], int, str], ...] = (
    ({"agent_id": "zz"}, 400, "invalid hex: 'zz'"),
    ({"agent_id": HEX, "require_gossip_ack": None}, 400, "require_gossip_ack_removed"),
    ({"agent_id": HEX, "require_gossip_ack": True}, 400, "require_gossip_ack_removed"),
    ({"agent_id": HEX, "logical_id": "Nope"}, 400, "invalid_logical_id"),
    ({"agent_id": HEX, "logical_id": ""}, 400, "invalid_logical_id"),
    ({"agent_id": HEX, "logical_id": "x" * 129}, 400, "invalid_logical_id"),
    (
        {"agent_id": HEX, "logical_id": "x", "require_durable_app_ack": False},
        400,
        "logical_id_requires_durable_ack",
    ),
    ({"agent_id": HEX, "payload": "?"}, 400, "invalid base64 in payload"),
    ({"agent_id": HEX}, 404, "recipient_key_unavailable"),
)


@pytest.mark.parametrize("case", DIRECT, ids=str)
async def test_direct_send_refuses(room: Room, case: tuple[dict[str, Any], int, str]) -> None:
    """Ids, options, base64 and recipient are checked in this order, each with x0x's word."""
    fields, status, error = case
    answer = await (await room.client()).post("/direct/send", {"payload": "aGk=", **fields})
    assert (answer.status, answer.body["ok"], answer.body["error"]) == (status, False, error)


async def test_direct_send_refuses_what_is_too_large(open_room: OpenRoom) -> None:
    """A payload over the limit for direct messages is 413 with x0x's word, the limit is not."""
    room = await open_room(X0xSettings(max_body_bytes=4 * MAX_PAYLOAD_BYTES))
    client, socket = await room.client(), await room.socket("/ws/direct")
    assert (await client.send_direct(socket.agent_id, bytes(MAX_PAYLOAD_BYTES))).status == 200
    answer = await client.send_direct(socket.agent_id, bytes(MAX_PAYLOAD_BYTES + 1))
    assert (answer.status, answer.body["error"]) == (413, "payload_too_large")


async def test_direct_send_between_agents(room: Room) -> None:
    """Each token is an agent of its own; the message waits for one that is not here."""
    alice, bob = await room.agent_token("alice"), await room.agent_token("bob")
    sender, reader = await room.client(alice), await room.client(bob)
    answer = await sender.send_direct(
        await reader.agent_id(), "hello", require_ack_ms=500, prefer_raw_quic_if_connected=True
    )
    assert answer.body["path"] == "gossip_inbox"
    assert answer.body["require_ack"] == {"ok": True, "rtt_ms": 0}
    assert len(bytes.fromhex(answer.body["request_id"])) == 16

    stream = await reader.events("/direct/events?backfill=1")
    event = await stream.next()
    assert event.event == "history_direct_message"
    assert (event.data["sender"], event.data["payload"]) == (
        await sender.agent_id(),
        b64("hello"),
    )
    assert "trust_decision" not in event.data
    assert (await stream.next()).event == "live"
    await sender.send_direct(await reader.agent_id(), "again")
    assert (await stream.next()).data["trust_decision"] == "unknown"


async def test_direct_send_with_a_key_in_the_header(room: Room) -> None:
    """The general header does what `logical_id` does."""
    client = await room.client()
    body = {"agent_id": await client.agent_id(), "payload": "aGk="}
    answers = [
        await client.post("/direct/send", body, headers={"Idempotency-Key": "K 1"})
        for _ in range(2)
    ]
    assert answers[0].body == answers[1].body


async def test_backfill_must_be_a_number(room: Room) -> None:
    """A stream that cannot be begun is refused."""
    answer = await (await room.client()).get("/direct/events?backfill=all")
    assert answer.status == 400


async def test_subscriptions_are_bounded(open_room: OpenRoom) -> None:
    """One more than `max_subscriptions` is refused; deleting one makes room."""
    room = await open_room(X0xSettings(max_subscriptions=2))
    client = await room.client()
    ids = [
        (await client.post("/subscribe", {"topic": "t"})).body["subscription_id"] for _ in range(2)
    ]
    assert all(len(bytes.fromhex(subscription_id)) == 8 for subscription_id in ids)
    assert (await client.post("/subscribe", {"topic": "t"})).status == 409
    await client.request("DELETE", f"/subscribe/{ids[0]}")
    assert (await client.post("/subscribe", {"topic": "t"})).status == 200
