"""The host's view of the room, and what an agent says it can do."""

import msgspec
import pytest

from hubbub.core.ports import Transaction
from hubbub.core.values import Event
from hubbub.dialects.car.agents import HostView
from tests.dialects.car.conftest import Client, Room
from tests.unit.core.runs_words import chat_run


HANDSHAKE = {"protocol_version": 3}


async def subscribed(client: Client) -> Client:
    """Let a client follow the host's view."""
    await client.call("server.handshake", HANDSHAKE)
    assert (await client.call("host.subscribe"))["subscribed"] is True
    return client


async def test_host_view_needs_the_handshake(room: Room) -> None:
    """Before the handshake it is -32005."""
    client = await room.host()
    error = await client.fail("host.subscribe")
    assert error["code"] == -32005
    await subscribed(client)


async def test_host_view_shows_agents_come_and_go(room: Room) -> None:
    """An agent that connects is registered, one that leaves is not; both change its status."""
    client = await subscribed(await room.host())
    agent = await room.agent("ann")
    first = (await client.told("host.event"))["params"]
    second = (await client.told("host.event"))["params"]
    assert (first["kind"], first["agent_id"]) == ("agent.registered", "ann")
    assert (second["kind"], second["message"]) == ("agent.status_changed", "running")
    view = await client.call("host.subscribe")
    assert (
        view["agents"]
        == [{"id": "ann", "name": "ann", "kind": "agent", "status": "running"}]
        == await client.call("host.agents")
    )
    (listed,) = await client.call("agents.list")
    assert (listed["status"], listed["attached"]) == ("running", True)

    agent.leave()
    third = (await client.told("host.event"))["params"]
    assert third["kind"] == "agent.unregistered"
    assert (await client.told("host.event"))["params"]["message"] == "stopped"
    (listed,) = await client.call("agents.list")
    assert (listed["status"], listed["attached"]) == ("stopped", False)
    client.leave()


async def test_chats_and_messages_are_for_the_host(room: Room) -> None:
    """In the host role chat turns and direct messages show; to others only agents do."""
    host, other = await subscribed(await room.host()), await subscribed(await room.unbound())
    run = chat_run("r1")

    def happen(tx: Transaction) -> None:
        room.hub.runs.start_in(tx, run, actor="operator")
        tx.append("chat/s", "chat.started", {"run_id": "r1", "agent": "ann"}, actor="operator")
        tx.append("chat/s", "chat.final", {"run_id": "r1"}, actor="agent:ann")
        direct = {"sender": "ann", "recipient": "bob", "payload": "aGk="}
        tx.append("direct/bob", "direct.message", direct, actor="agent:ann")
        status = {"agent": "ann", "status": "idle", "previous": "active"}
        tx.append("agents/ann", "agent.status", status, actor="hubbub")

    await room.journal.commit(happen)
    shown = [(await host.told("host.event"))["params"] for _ in range(4)]
    assert [(event["kind"], event["agent_id"], event["message"]) for event in shown] == [
        ("agent.status_changed", "ann", "running"),
        ("agent.status_changed", "ann", "completed"),
        ("host.notification", "bob", "direct message from ann to bob"),
        ("agent.status_changed", "ann", "idle"),
    ]
    assert shown[2]["payload"]["payload"] == "aGk="
    assert (await other.told("host.event"))["params"]["message"] == "idle"
    assert other.outbox.read == []


@pytest.mark.parametrize(
    ("kind", "data"),
    [
        ("agent.connected", {"agent": "a", "connections": 2}),
        ("agent.disconnected", {"agent": "a", "connections": 1}),
        ("agent.heartbeat", {"agent": "a"}),
        ("chat.delta", {"run_id": "r"}),
    ],
)
def test_host_view_leaves_out_what_changes_nothing(
    room: Room, kind: str, data: dict[str, object]
) -> None:
    """Second connections, heartbeats and deltas are no news to the host."""
    event = Event(1, "e", "t", kind, "a", 0, msgspec.Raw(msgspec.json.encode(data)))
    assert HostView(room.hub).encode(event) is None


def test_chat_of_a_forgotten_run_has_no_agent(room: Room) -> None:
    """Where nobody knows the run any more the event still shows."""
    event = Event(1, "e", "t", "chat.error", "a", 0, msgspec.Raw(b'{"run_id":"gone"}'))
    message = HostView(room.hub).encode(event)
    assert message is not None
    params = msgspec.json.decode(message)["params"]
    assert (params["agent_id"], params["message"]) == ("", "errored")


# -- tools and policies ----------------------------------------------------------------------


async def test_tools_are_kept_by_name(room: Room) -> None:
    """Registering gives a number; the list has full schemas in order; the last one counts."""
    client = await room.unbound()
    assert await client.call("tools.register", [{"name": "echo"}]) == 1
    more = [{"name": "add", "idempotent": True}, {"name": "echo", "description": "says it"}]
    assert await client.call("tools.register", more) == 2
    assert await client.call("tools.list") == {"tools": more, "count": 2}
    removed = await client.call("tools.unregister", {"name": "add"})
    assert removed == {"unregistered": "add", "removed": 1}
    assert (await client.call("tools.unregister", {"name": "add"}))["removed"] == 0
    assert await (await room.unbound()).call("tools.list", {}) == {"tools": [], "count": 0}


@pytest.mark.parametrize("tools", [{}, [7], [{"name": 7}], [{"name": ""}], "x"])
async def test_bad_tools_are_refused(room: Room, tools: object) -> None:
    """A tool is an object with a name."""
    client = await room.unbound()
    assert (await client.fail("tools.register", tools))["code"] == -32602
    assert (await client.call("tools.list"))["count"] == 0


async def test_tools_are_limited_in_number_and_bytes(room: Room) -> None:
    """At the limit nothing of the batch is taken."""
    room.settings = msgspec.structs.replace(room.settings, max_tools=2, max_tools_bytes=100)
    client = await room.unbound()
    for batch in ([{"name": str(n)} for n in range(3)], [{"name": "x", "description": "y" * 99}]):
        error = await client.fail("tools.register", batch)
        assert error["data"]["code"] == "too_large"
    assert await client.call("tools.register", [{"name": "a"}, {"name": "b"}]) == 2


async def test_policies_are_kept_by_name(room: Room) -> None:
    """A policy with what its rule needs is registered, shown and taken away."""
    client = await room.unbound()
    policies: list[dict[str, object]] = [
        {"name": "a", "rule": "deny_tool_param", "target": "t", "key": "k", "pattern": "p"},
        {"name": "b", "rule": "require_state", "key": "tests_passed", "value": True},
    ]
    for policy in policies:
        answer = await client.call("policy.register", policy)
        assert answer == {"registered": policy["name"], "scope": "global"}
    shown = await client.call("policy.list")
    assert shown["policies"] == [
        {"name": "a", "description": "deny_tool_param"},
        {"name": "b", "description": "require_state"},
    ]
    for removed in (1, 0):
        answer = await client.call("policy.unregister", {"name": "a"})
        assert (answer["unregistered"], answer["removed"]) == ("a", removed)


@pytest.mark.parametrize(
    "policy", [{"name": "p", "rule": "allow"}, {"name": "p", "rule": "deny_tool"}, {"name": "p"}]
)
async def test_bad_policies_are_refused(room: Room, policy: dict[str, str]) -> None:
    """A rule is known and has what it needs."""
    error = await (await room.unbound()).fail("policy.register", policy)
    assert error["code"] == -32602
