"""The caller's identity, other agents, health."""

import base64

from tests.clients.waiting import eventually
from tests.dialects.x0x.conftest import OpenRoom, Room


async def test_agent_shows_ids_and_key(room: Room) -> None:
    """Operator and agents have ids of their own on one machine, none a user."""
    own = (await (await room.client()).get("/agent")).body
    alice = (await (await room.client(await room.agent_token("alice"))).get("/agent")).body
    assert own["agent_id"] != alice["agent_id"]
    assert own["machine_id"] == alice["machine_id"]
    assert (own["ok"], own["user_id"]) == (True, None)
    assert len(base64.b64decode(own["kem_public_key_b64"])) == 1184
    user = await (await room.client()).get("/agent/user-id")
    assert user.text == '{"ok":true,"user_id":null}'


async def test_ids_are_kept_over_a_restart(open_room: OpenRoom) -> None:
    """The same directory is the same agent, and its key is the owner's alone."""
    room = await open_room()
    before = await (await room.client()).agent_id()
    assert (room.settings.data_dir / "agent.key").stat().st_mode & 0o777 == 0o600
    await room.close()
    assert await (await (await open_room()).client()).agent_id() == before
    assert await (await (await open_room(name="other")).client()).agent_id() != before


async def test_health_and_status_count_attached_agents(room: Room) -> None:
    """A hub is a network in itself: connected agents are its peers."""
    client = await room.client()
    assert (await client.get("/health")).body["peers"] == 0
    await room.socket(token=await room.agent_token("alice"))
    health = (await client.get("/health")).body
    assert (health["status"], health["peers"], health["send_ready_peers"]) == ("healthy", 1, 1)
    status = (await client.get("/status")).body
    assert (status["status"], status["peers"]) == ("connected", 1)
    assert status["api_address"] == str(room.listeners["x0x"].address)
    assert status["agent_id"] == await client.agent_id()


async def test_connected_agents_are_listed_to_others(room: Room) -> None:
    """An agent sees the others, never itself; who has gone is known but not online."""
    token = await room.agent_token("alice")
    socket = await room.socket(token=token)
    client, alice = await room.client(), await room.client(token)
    agent_id = socket.agent_id
    assert (await client.get("/presence")).body["agents"] == [agent_id]
    assert (await alice.get("/presence")).body["agents"] == []
    online = (await client.get("/presence/online")).body["agents"]
    assert [entry["agent_id"] for entry in online] == [agent_id]
    assert (await client.get("/direct/connections")).body["connections"] == [
        {"agent_id": agent_id, "machine_id": online[0]["machine_id"]}
    ]
    assert await connect(room, agent_id) == "AlreadyConnected"

    await socket.close()

    async def gone() -> bool:
        agents: list[str] = (await client.get("/presence")).body["agents"]
        return agents == []

    await eventually(gone, what="alice to be offline")
    assert await connect(room, agent_id) == "Unreachable"
    for query in ("", "?unfiltered=true"):
        listed = (await client.get(f"/agents/discovered{query}")).body["agents"]
        assert [entry["agent_id"] for entry in listed] == [agent_id]
    one = await client.get(f"/agents/discovered/{agent_id}")
    assert one.body["agent"]["last_seen"] > 1_700_000_000
    missing = await client.get(f"/agents/discovered/{'0' * 64}")
    assert (missing.status, missing.body["error"]) == (404, "agent not found")
    assert (await client.get("/agents/discovered/zz")).status == 400


async def connect(room: Room, agent_id: str) -> str:
    """Ask to connect to an agent."""
    client = await room.client()
    return str((await client.post("/agents/connect", {"agent_id": agent_id})).body["outcome"])


async def test_connecting_to_oneself_and_to_nobody(room: Room) -> None:
    """The daemon's own agent is always there; an unknown one is not found, with status 200."""
    client = await room.client()
    assert await connect(room, await client.agent_id()) == "AlreadyConnected"
    assert await connect(room, "0" * 64) == "NotFound"


async def test_announce(room: Room) -> None:
    """An announcement marks the agent as heard; there is no user identity to announce."""
    client = await room.client()
    alice = await room.client(await room.agent_token("alice"))
    expected = '{"ok":true,"include_user_identity":false}'
    assert (await client.post("/announce")).text == expected
    assert (await alice.post("/announce", {})).text == expected
    assert len((await client.get("/agents/discovered")).body["agents"]) == 1
    for body in (
        {"include_user_identity": True},
        {"include_user_identity": True, "human_consent": True},
    ):
        assert (await client.post("/announce", body)).status == 400
    plain = await client.request(
        "POST", "/announce", data="x", headers={"Content-Type": "text/plain"}
    )
    assert plain.status == 415
