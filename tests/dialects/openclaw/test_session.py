"""One connection: the phases, what is answered when, and what is passed over."""

import json

import pytest

from hubbub.core.values import OPERATOR
from hubbub.dialects.openclaw.settings import OpenclawSettings
from tests.dialects.openclaw.clients import SCOPES, TOKEN, Key, cli_params, connect_params
from tests.dialects.openclaw.house import Guest, House


def connect(params: object) -> str:
    """Give the text of a connect request."""
    return json.dumps({"type": "req", "id": "c", "method": "connect", "params": params})


async def test_challenge_comes_at_once_and_is_not_numbered(house: House) -> None:
    """Clients wait for the challenge; it is there before they say anything."""
    challenge = house.knock().outbox.messages[0]
    assert (challenge["type"], challenge["event"]) == ("event", "connect.challenge")
    assert set(challenge["payload"]) == {"nonce", "ts"}
    assert "seq" not in challenge


async def test_hello_is_complete(house: House) -> None:
    """The hello names what is really there, the policy and how the main session is called."""
    guest = house.knock()
    guest.text(connect(connect_params()))
    hello = guest.outbox.messages[1]["payload"]
    assert (hello["type"], hello["protocol"]) == ("hello-ok", 3)
    assert set(hello["server"]) == {"version", "host", "connId"}
    assert hello["features"]["methods"] == sorted(house.dialect.methods)
    assert "chat" in hello["features"]["events"]
    snapshot = hello["snapshot"]
    assert snapshot["sessionDefaults"] == {
        "defaultAgentId": "main",
        "mainKey": "main",
        "mainSessionKey": "agent:main:main",
        "scope": "per-sender",
    }
    assert [entry["mode"] for entry in snapshot["presence"]] == ["gateway", "test"]
    assert set(snapshot["stateVersion"]) == {"presence", "health"}
    assert snapshot["uptimeMs"] == 0
    assert hello["policy"] == {
        "maxPayload": 524_288,
        "maxBufferedBytes": 1_572_864,
        "tickIntervalMs": 30_000,
    }
    assert "auth" not in hello


async def test_device_must_sign_this_connections_nonce(house: House) -> None:
    """The nonce that counts is that of the challenge on the same connection."""
    first, second = house.knock(), house.knock()
    nonce = first.outbox.messages[0]["payload"]["nonce"]
    params = cli_params()
    params["device"] = Key().device(params, nonce=nonce)
    first.text(connect(params))
    second.text(connect(params))
    assert first.outbox.messages[1]["ok"] is True
    assert second.outbox.messages[1]["error"]["message"] == "device nonce mismatch"
    assert second.outbox.closed == (1008, "device nonce mismatch")


async def test_client_from_elsewhere_must_sign_the_nonce(house: House) -> None:
    """Only a client on this machine may leave the nonce out."""
    params = cli_params()
    params["device"] = Key().device(params, nonce=None)
    far, near = house.knock(remote="192.0.2.7"), house.knock()
    far.text(connect(params))
    near.text(connect(params))
    assert far.outbox.messages[1]["error"]["message"] == "device nonce required"
    assert near.outbox.messages[1]["ok"] is True


@pytest.mark.parametrize("late", ["health", "connect"])
async def test_refused_connection_hears_nothing_more(house: House, late: str) -> None:
    """What comes in after the refusal is not read, not even a good connect."""
    guest = house.knock()
    guest.text(connect(connect_params("wrong")))
    assert guest.outbox.closed is not None
    said = len(guest.outbox.messages)
    guest.text(connect(connect_params()) if late == "connect" else '{"type":"req"}')
    assert len(guest.outbox.messages) == said


async def test_handshake_has_ten_seconds(house: House) -> None:
    """A client that does not connect in time is closed plainly; one that did is not."""
    silent, good = house.knock(), house.knock()
    good.text(connect(connect_params()))
    house.timers.advance(9.999)
    assert silent.outbox.closed is None
    house.timers.advance(0.001)
    assert silent.outbox.closed == (1000, "")
    assert good.outbox.closed is None


async def test_closed_connection_leaves_no_timer(house: House) -> None:
    """A client that goes before it connects leaves nothing behind."""
    guest = house.knock()
    guest.session.closed()
    assert house.timers.waiting == 0


async def test_text_that_is_no_json_is_passed_over(guest: Guest) -> None:
    """After the handshake the protocol says nothing to noise; the connection stays."""
    for noise in ("noise", "", "{", "\x00"):
        guest.text(noise)
    guest.binary(b"\xff\xfe")
    assert guest.unread() == []
    assert (await guest.call("node.list"))["nodes"] == []


async def test_json_that_is_no_request_is_answered(guest: Guest) -> None:
    """Such a frame is answered under its own id if it has one, and the connection stays."""
    guest.text("[]")
    guest.send({"type": "req", "id": "x", "method": "health", "extra": 1})
    first, second = guest.unread()
    assert (first["id"], second["id"]) == ("invalid", "x")
    assert first["error"]["message"] == "invalid request frame: must be object"
    assert second["error"]["code"] == "INVALID_REQUEST"
    assert guest.outbox.closed is None


async def test_binary_message_is_a_request(guest: Guest) -> None:
    """The same JSON in a binary frame is worked off, also where the answer waits."""
    guest.binary(b'{"type":"req","id":"b1","method":"node.list"}')
    assert (await guest.next())["id"] == "b1"
    guest.binary(b'{"type":"req","id":"b2","method":"health"}')
    assert (await guest.next())["payload"]["ok"] is True


@pytest.mark.parametrize("name", ["toString", "__proto__", "constructor", "chat", "x" * 500])
async def test_unknown_method(guest: Guest, name: str) -> None:
    """A method that is not in the table is unknown, whatever its name; long names are cut."""
    assert await guest.refused(name) == f"unknown method: {name[:120]}"


async def test_second_connect(guest: Guest) -> None:
    """A connection shakes hands once."""
    text = "connect is only valid as the first request"
    assert await guest.refused("connect", connect_params()) == text


async def test_same_id_twice_is_answered_twice(guest: Guest) -> None:
    """Ids are the client's business."""
    for _ in range(2):
        guest.send({"type": "req", "id": "same", "method": "node.list"})
    assert [frame["id"] for frame in guest.unread()] == ["same", "same"]


async def test_agent_may_not_administer(house: House) -> None:
    """An agent's token does not open what only an operator may do, known or not."""
    token = await house.hub.access.create(OPERATOR, "alice")
    guest = await house.guest(token, scopes=SCOPES)
    missing = "missing scope: operator.admin"
    assert await guest.refused("sessions.patch", {"key": "main"}) == missing
    assert await guest.refused("no.such") == missing
    assert (await guest.call("chat.history", {"sessionKey": "main"}))["messages"] == []


async def test_agent_counts_as_present_here(house: House) -> None:
    """An agent that connects with its own token is here, until it goes."""
    token = await house.hub.access.create(OPERATOR, "alice")
    guest = await house.guest(token)
    shown = house.hub.presence.get("alice")
    assert shown is not None
    assert (shown.connected, shown.doors) == (True, ["openclaw"])
    await guest.leave()
    house.guests.remove(guest)
    shown = house.hub.presence.get("alice")
    assert shown is not None
    assert not shown.connected


async def test_node_may_call_nothing_here(house: House) -> None:
    """The role node has methods of its own, and hubbub has none of them."""
    guest = await house.guest(TOKEN, role="node")
    assert await guest.refused("health") == "unauthorized role: node"
    assert await guest.refused("node.event") == "unknown method: node.event"


async def test_shutdown_is_told_to_those_who_shook_hands(house: House, guest: Guest) -> None:
    """A stop of the daemon is an event; a client in its handshake is only closed."""
    stranger = house.knock()
    for one in (guest, stranger):
        one.session.shutting_down()
    assert [frame["event"] for frame in guest.unread()] == ["shutdown"]
    assert len(stranger.outbox.messages) == 1


class TestPendingRequests:
    """The bound on requests in work."""

    @pytest.fixture
    def settings(self) -> OpenclawSettings:
        """Give a bound of two."""
        return OpenclawSettings(max_pending_requests=2)

    async def test_more_than_the_bound_are_refused(self, guest: Guest) -> None:
        """A burst in one breath is worked off as far as the bound; then there is room again."""
        for _ in range(3):
            guest.request("agent.wait", {"runId": "none", "timeoutMs": 0})
        refusal = (await guest.next())["error"]
        assert (refusal["code"], refusal["retryable"]) == ("UNAVAILABLE", True)
        await guest.done()
        assert len(guest.unread()) == 2
        assert (await guest.call("agent.wait", {"runId": "none", "timeoutMs": 0}))["status"]


async def test_unexpected_failure_is_that_callers_answer(
    house: House, guest: Guest, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A defect answers one request with UNAVAILABLE; the connection works on."""

    def fail(*_: object) -> None:
        message = "broken"
        raise RuntimeError(message)

    monkeypatch.setattr(house.hub.chat.sessions, "list", fail)
    answer = await guest.answer("sessions.list")
    assert answer["error"] == {"code": "UNAVAILABLE", "message": "RuntimeError: broken"}
    assert (await guest.call("node.list"))["nodes"] == []
