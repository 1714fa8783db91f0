"""Opening a connection: who may do what, and in which order."""

import msgspec
import pytest

from hubbub.core.values import OPERATOR
from hubbub.dialects.base import Request
from hubbub.errors import Forbidden
from tests.dialects.car.conftest import HOST_TOKEN, TOKEN, Client, Room


async def test_operators_token_opens_the_door(room: Room) -> None:
    """The daemon's token makes an unbound connection; the memory namespace is echoed."""
    client = room.stranger()
    assert await client.call("session.auth", {"token": TOKEN, "memory_namespace": "n"}) == {
        "ok": True,
        "auth_enabled": True,
        "memory_namespace": "n",
    }


async def test_host_token_gives_the_host_role(room: Room) -> None:
    """The host's token is another one, and says so."""
    client = room.stranger()
    assert await client.call("session.auth", {"host_token": HOST_TOKEN}) == {
        "ok": True,
        "auth_enabled": True,
        "role": "host",
    }


async def test_agents_token_binds_with_and_without_its_name(room: Room) -> None:
    """An agent's token makes the connection that agent's."""
    token = await room.access.create(OPERATOR, "ann")
    for params in ({"token": token, "agent_id": "ann"}, {"token": token}):
        client = room.stranger()
        answer = await client.call("session.auth", params)
        assert answer == {"ok": True, "auth_enabled": True, "agent_id": "ann"}
        assert room.hub.attached.agents() == ["ann"]
        client.leave()
    assert room.hub.attached.agents() == []


@pytest.mark.parametrize(
    "params",
    [
        {"token": "wrong"},
        {"token": HOST_TOKEN},
        {"token": "ä"},
        {"host_token": TOKEN},
        {"host_token": "ä"},
        {"token": TOKEN, "agent_id": "ann"},
        {},
    ],
)
async def test_wrong_token_is_refused_and_the_next_call_ends_it(
    room: Room, params: dict[str, str]
) -> None:
    """A wrong token is an error; the connection stays a stranger's, whose call closes it."""
    client = room.stranger()
    error = await client.fail("session.auth", params)
    assert error["code"] == -32603
    assert error["message"].startswith("auth failed: ")
    assert client.outbox.closed is None

    error = await client.fail("runs.list", {"agent_id": "ann"})
    assert error["code"] == -32001
    assert await client.outbox.closing() == (1008, "auth required")


async def test_strangers_notification_is_not_answered_but_closes(room: Room) -> None:
    """A stranger's notification gets no answer; the connection ends all the same."""
    client = room.stranger()
    client.send({"jsonrpc": "2.0", "method": "agent.chat.event", "params": {}})
    await client.outbox.closing()
    assert client.outbox.read == []


async def test_stranger_that_says_nothing_is_closed(room: Room) -> None:
    """A connection has a limited time to authenticate."""
    room.settings = msgspec.structs.replace(room.settings, auth_timeout_ms=0)
    code, reason = await room.stranger().outbox.closing()
    assert (code, reason.startswith("auth required")) == (1008, True)


async def test_agent_has_one_connection(room: Room) -> None:
    """A second one is refused until the first has gone; the same one may repeat itself."""
    token = await room.access.create(OPERATOR, "ann")
    params = {"token": token, "agent_id": "ann"}
    first, second = room.stranger(), room.stranger()
    await first.call("session.auth", params)
    await first.call("session.auth", params)
    error = await second.fail("session.auth", params)
    assert "already attached on another connection" in error["message"]
    first.leave()
    await second.call("session.auth", params)


async def test_bound_connection_stays_bound(room: Room) -> None:
    """A bound connection cannot become another agent's or the operator's."""
    client = await room.agent("ann")
    other = await room.access.create(OPERATOR, "bob")
    for params in ({"token": other}, {"token": TOKEN}, {"host_token": HOST_TOKEN}):
        error = await client.fail("session.auth", params)
        assert "bound to agent 'ann'" in error["message"]
    run = await client.call("runs.start", {"intent": "still ann"})
    assert run["agent_id"] == "ann"


async def test_presence_follows_the_connection(room: Room) -> None:
    """An agent is here while its connection is."""
    client = await room.agent("ann")
    await client.call("tools.list")
    known = room.hub.presence.get("ann")
    assert (known.connected, known.doors) == (True, ["car"])
    client.leave()
    assert room.hub.presence.get("ann").connected is False


@pytest.mark.parametrize("version", [2, 3])
async def test_handshake_echoes_the_version(room: Room, version: int) -> None:
    """Both versions are taken, again and again; the version of the server is not named."""
    client = await room.unbound()
    for _ in range(2):
        answer = await client.call(
            "server.handshake",
            {"protocol_version": version, "client_version": "0.58.0", "required_capabilities": []},
        )
        assert answer["protocol_version"] == answer["client_protocol_version"] == version
        assert "server_version" not in answer


@pytest.mark.parametrize(
    "params", [{}, *({"protocol_version": v} for v in ("3", 1, 99, 2.0, None, True))]
)
async def test_other_versions_are_refused(room: Room, params: dict[str, object]) -> None:
    """Any other version, or none, is -32006."""
    error = await (await room.unbound()).fail("server.handshake", params)
    assert error["code"] == -32006
    assert error["message"].startswith("protocol version mismatch:")


async def test_required_capabilities_are_methods_and_their_families(room: Room) -> None:
    """What is here may be required; the rest is named."""
    client = await room.unbound()
    good = {"protocol_version": 3, "required_capabilities": ["runs", "runs.start"]}
    await client.call("server.handshake", good)
    error = await client.fail(
        "server.handshake", {"protocol_version": 3, "required_capabilities": ["runs", "infer"]}
    )
    assert "lacks the required capabilities infer" in error["message"]


async def test_init_registers_all_or_nothing(room: Room) -> None:
    """Tools and policies come together, or none of them does."""
    client = await room.unbound()
    answer = await client.call(
        "session.init",
        {
            "tools": [{"name": "echo"}, {"name": "add", "parameters": {"type": "object"}}],
            "policies": [{"name": "p", "rule": "deny_tool", "target": "rm"}],
        },
    )
    assert (answer["tools_registered"], answer["policies_registered"]) == (2, 1)
    for bad in (
        {"tools": [{"name": "more"}], "policies": [{"name": "q", "rule": "deny_tool"}]},
        {"tools": [{"name": "more"}, {"title": "no name"}]},
        {"tools": [{"name": ""}]},
    ):
        await client.fail("session.init", bad)
    assert [tool["name"] for tool in (await client.call("tools.list"))["tools"]] == ["add", "echo"]
    assert await client.call("session.init", {}) == {
        "session_id": answer["session_id"],
        "tools_registered": 0,
        "policies_registered": 0,
    }


async def test_dialects_plain_answers(room: Room) -> None:
    """HTTP gets a hint, refusals have JSON-RPC's shape, foreign pages stay out."""
    client: Client = await room.unbound()
    await client.call("agents.register_basics")
    dialect = room.dialect()
    request = Request(method="POST", path="/x")
    assert dialect.missing(request, ["GET"]).status == 404
    assert dialect.authenticate(request) is None
    assert dialect.cors("https://example.org") == {}
    refused = dialect.refuse(Forbidden("no"))
    assert refused.status == 403
    assert msgspec.json.decode(refused.body)["error"]["code"] == -32603
    await dialect.run()
