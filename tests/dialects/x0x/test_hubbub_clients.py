"""Hubbub's own clients and x0x's in one room: direct messages and identities."""

import base64
from typing import Any

from hubbub.core.identity.identities import id_of
from tests.clients.http import HttpClient
from tests.clients.x0x import b64, of_type
from tests.dialects.x0x.conftest import Room


async def rpc(room: Room, method: str, params: dict[str, Any]) -> dict[str, Any]:
    """Call a method as the operator; gives the answer's result or its error."""
    async with HttpClient(room.url("hubbub"), room.token) as client:
        call = {"jsonrpc": "2.0", "id": 1, "method": method, "params": params}
        answer: dict[str, Any] = (await client.post("/rpc", call)).body
    found: dict[str, Any] = answer.get("result") or answer["error"]
    return found


async def test_direct_send_reaches_x0x_sockets(room: Room) -> None:
    """By name or by id, and once for each idempotency key."""
    alice = await room.socket("/ws/direct", token=await room.agent_token("alice"))
    params = {"to": "alice", "payload": b64("one"), "idempotency_key": "k"}
    first = await rpc(room, "direct.send", params)
    assert await rpc(room, "direct.send", params) == first
    await rpc(room, "direct.send", {"to": alice.agent_id.upper(), "payload": b64("two")})
    got = await alice.collect(of_type("direct_message"), 2)
    assert [frame["payload"] for frame in got] == [b64("one"), b64("two")]


async def test_direct_send_refuses(room: Room) -> None:
    """Unknown names and ids, other bytes under a key, and what is no base64."""
    for to in ("nobody", "0" * 64):
        refused = await rpc(room, "direct.send", {"to": to, "payload": ""})
        assert refused["data"]["code"] == "not_found"
    refused = await rpc(room, "direct.send", {"to": "operator", "payload": "?"})
    assert refused["data"]["code"] == "invalid_request"
    for payload, code in (("aGk=", None), ("aG8=", "idempotency_conflict")):
        params = {"to": "operator", "payload": payload, "idempotency_key": "k"}
        assert (await rpc(room, "direct.send", params)).get("data", {}).get("code") == code


async def test_identity_can_be_verified(room: Room) -> None:
    """Ids are digests of the keys that are shown; unknown agents have none."""
    token = await room.agent_token("alice")
    own = await rpc(room, "agents.identity", {})
    assert own["agent"] == "operator"
    assert own["agent_id"] == await (await room.client()).agent_id()
    alice = await rpc(room, "agents.identity", {"agent": "alice"})
    assert alice["agent_id"] == await (await room.client(token)).agent_id()
    assert alice["agent_id"] == id_of(base64.b64decode(alice["public_key"]))
    assert len(base64.b64decode(alice["kem_public_key"])) == 1184
    assert alice == await rpc(room, "agents.identity", {"agent": alice["agent_id"]})
    refused = await rpc(room, "agents.identity", {"agent": "nobody"})
    assert refused["data"]["code"] == "not_found"
