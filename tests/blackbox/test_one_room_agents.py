"""One room: agents, their chats and their runs, through one door and seen through others."""

import json
from typing import Any

import pytest

from tests.blackbox.room_views import kinds_of, next_data
from tests.clients.car import SUCCESS, CarSocket
from tests.clients.command_agent import CommandAgent
from tests.clients.crosslink import of_type
from tests.clients.frames import Frame
from tests.clients.guests import Guests
from tests.clients.model_server import ModelServer
from tests.clients.openclaw import is_chat, is_event, text_of
from tests.clients.waiting import eventually
from tests.conftest import StartDaemon
from tests.daemon import Daemon


@pytest.fixture
async def modelled(start_daemon: StartDaemon, model: ModelServer) -> Daemon:
    """A daemon whose main agent speaks through the test's model."""
    return await start_daemon(model.agent_config(), env=model.environment)


@pytest.fixture
async def attached(start_daemon: StartDaemon) -> Daemon:
    """A daemon with an agent `alice` whose turns go to her own CAR connection."""
    return await start_daemon('[agents.alice]\nrunner = "attached"\n')


class TestPresence:
    """An agent connects, acts, falls silent, leaves."""

    async def test_heartbeat_is_seen_everywhere(self, daemon: Daemon, guests: Guests) -> None:
        """A heartbeat by `/rpc` is an event of `agents/<id>` and crosslink's heartbeat."""
        token = await daemon.agent_token("alice")
        socket, crosslink = await guests.x0x_socket(daemon), await guests.crosslink_socket(daemon)
        await socket.subscribe("agents/alice")
        alice = await guests.rpc(daemon, token)
        await alice.call("agents.heartbeat", {})
        beat = await crosslink.expect(of_type("heartbeat"))
        assert beat["agent_id"] == "alice"
        status = await crosslink.expect(of_type("agent_status"))
        assert (status["agent_id"], status["status"]) == ("alice", "active")

        async def heard() -> bool:
            return any(d.get("agent") == "alice" for _, d in await next_data(socket))

        await eventually(heard, what="alice on her topic")

    async def test_connection_through_car_is_presence(self, daemon: Daemon, guests: Guests) -> None:
        """An agent that binds a CAR connection is there, and leaves with it."""
        token = await daemon.agent_token("alice")
        rpc = await guests.rpc(daemon)
        await rpc.subscribe("agents/alice")
        car = await guests.car_agent(daemon, "alice", token)
        assert (await rpc.event("agents/alice", "agent.connected"))["data"]["agent"] == "alice"
        car.drop()
        gone = await rpc.event("agents/alice", "agent.disconnected")
        assert gone["data"]["connections"] == 0

    async def test_agent_is_listed_by_crosslink_and_openclaw(
        self, daemon: Daemon, guests: Guests
    ) -> None:
        """Who acted stands in crosslink's agents and in OpenClaw's presence."""
        token = await daemon.agent_token("alice")
        claw = await guests.openclaw(daemon)
        alice = await guests.rpc(daemon, token)
        await alice.call("agents.heartbeat", {})
        listed = await (await guests.crosslink(daemon)).ok("GET", "/agents")
        assert "alice" in {agent["agent_id"] for agent in listed["items"]}
        await claw.expect(is_event("presence"), what="a presence event")
        assert "alice" in json.dumps(await claw.call("system-presence"))


class TestChat:
    """A chat turn starts, streams, ends."""

    async def test_turn_is_a_topic_for_x0x(
        self, modelled: Daemon, guests: Guests, model: ModelServer
    ) -> None:
        """`chat/<session key>` tells of the message, the beginning, the text and the end."""
        model.auto_reply = "hello there"
        socket, claw = await guests.x0x_socket(modelled), await guests.openclaw(modelled)
        topic = "chat/agent:main:main"
        await socket.subscribe(topic)
        await claw.chat_send("turn-1", "hi")
        await claw.chat_event("turn-1", "final")
        rpc = await guests.rpc(modelled)
        kinds = await kinds_of(rpc, topic)
        assert [k for k in kinds if k != "chat.session"] == [
            "chat.accepted",
            "chat.started",
            "chat.final",
        ]
        texts = [json.dumps(data) for _, data in await next_data(socket, len(kinds))]
        assert any("hello there" in text for text in texts)

    async def test_turn_is_a_run_for_car(
        self, modelled: Daemon, guests: Guests, model: ModelServer
    ) -> None:
        """The turn stands in the agent's runs under one id, with a trace, live and afterwards."""
        claw, host = await guests.openclaw(modelled), await guests.car_host(modelled)
        await claw.chat_send("turn-1", "hi")
        turn = await model.next_turn()
        (run,) = await host.runs("main")
        assert run["status"] == "in_progress"
        await host.call("runs.subscribe", {"run_id": run["run_id"]})
        turn.say("hello there")
        turn.finish()
        await claw.chat_event("turn-1", "final")
        events = [await host.trace_event()]
        while events[-1]["record"]["record"] != "ended":
            events.append(await host.trace_event())
        assert events[-1]["status"] == "completed"
        records = await host.records(run["run_id"])
        assert records[0]["record"] == "started"
        assert "hello there" in json.dumps([r for r in records if r["record"] == "turn"])

    async def test_turn_from_hubbub_is_a_chat_for_openclaw(
        self, modelled: Daemon, guests: Guests, model: ModelServer
    ) -> None:
        """`chat.send` on `/rpc` streams to OpenClaw clients, and one history holds it."""
        model.auto_reply = "same room"
        rpc, claw = await guests.rpc(modelled), await guests.openclaw(modelled)
        params = {"session": "main", "message": "from rpc", "idempotency_key": "turn-2"}
        await rpc.call("chat.send", params)
        final = await claw.chat_event("turn-2", "final")
        assert text_of(final["message"]) == "same room"
        assert await claw.texts() == [("user", "from rpc"), ("assistant", "same room")]

    async def test_turn_is_one_journal_story(
        self, modelled: Daemon, guests: Guests, model: ModelServer
    ) -> None:
        """Each event of a turn names the one that led to it."""
        model.auto_reply = "because"
        claw = await guests.openclaw(modelled)
        await claw.chat_send("turn-3", "why")
        await claw.chat_event("turn-3", "final")
        events = await (await guests.rpc(modelled)).journal(topics=["chat/agent:main:main"])
        by_kind = {event["kind"]: event for event in events}
        assert by_kind["chat.started"]["cause"] == by_kind["chat.accepted"]["id"]
        ids = {event["id"] for event in events}
        assert by_kind["chat.final"]["cause"] in ids


class TestRun:
    """A run starts, records turns, ends on CAR."""

    async def test_run_is_a_topic_for_x0x(self, daemon: Daemon, guests: Guests) -> None:
        """`runs/<id>` tells of the start, each turn and the end."""
        car = await guests.car(daemon)
        run_id = "run-for-x0x"
        socket = await guests.x0x_socket(daemon)
        await socket.subscribe(f"runs/{run_id}")
        await car.start_run("alice", idempotency_key=run_id)
        await car.call("runs.record_turns", {"run_id": run_id, "turns": [{"tool": "echo"}]})
        await car.call("runs.complete", {"run_id": run_id, "outcome": SUCCESS})
        story = await next_data(socket, 3)
        assert {topic for topic, _ in story} == {f"runs/{run_id}"}
        assert [data["run_id"] for _, data in story] == [run_id] * 3
        kinds = await kinds_of(await guests.rpc(daemon), f"runs/{run_id}")
        assert kinds == ["run.started", "run.turn", "run.ended"]

    async def test_run_is_agent_lifecycle_for_openclaw(
        self, daemon: Daemon, guests: Guests
    ) -> None:
        """OpenClaw clients see the run's start and end, and its agent in their list."""
        car, claw = await guests.car(daemon), await guests.openclaw(daemon)
        run_id = await car.start_run("alice")
        await car.call("runs.complete", {"run_id": run_id, "outcome": SUCCESS})
        for phase in ("start", "end"):
            event = await claw.expect(_is_lifecycle(run_id, phase), what=f"lifecycle {phase}")
            assert event["payload"]["runId"] == run_id
        agents = (await claw.call("agents.list"))["agents"]
        assert "alice" in {agent["id"] for agent in agents}

    async def test_run_is_a_sign_of_life_for_crosslink(
        self, daemon: Daemon, guests: Guests
    ) -> None:
        """A run's agent is seen to be active."""
        crosslink, car = await guests.crosslink_socket(daemon, "agents"), await guests.car(daemon)
        await car.start_run("alice")
        beat = await crosslink.expect(of_type("heartbeat"))
        assert beat["agent_id"] == "alice"


def _is_lifecycle(run_id: str, phase: str) -> Any:
    def match(frame: Frame) -> bool:
        if not is_event("agent")(frame) or frame["payload"]["runId"] != run_id:
            return False
        payload = frame["payload"]
        return bool(payload["stream"] == "lifecycle" and payload["data"]["phase"] == phase)

    return match


class TestPersonToAgent:
    """A person chats with an agent that is attached through CAR."""

    async def test_turn_goes_to_the_agents_connection(
        self, attached: Daemon, guests: Guests
    ) -> None:
        """An OpenClaw message to session `agent:alice:main` is `agent.chat` on her connection."""
        alice = await guests.car_agent(attached, "alice", await attached.agent_token("alice"))
        claw = await guests.openclaw(attached)
        await claw.chat_send("ask-alice", "are you there?", "agent:alice:main")
        session_id = await _accept_chat(alice, "are you there?")
        for kind, delta in (("token", "yes, "), ("token", "I am"), ("done", None)):
            params = {"session_id": session_id, "kind": kind}
            params |= {} if delta is None else {"delta": delta}
            notification = {"jsonrpc": "2.0", "method": "agent.chat.event", "params": params}
            await alice.send(notification)
        final = await claw.chat_event("ask-alice", "final")
        assert text_of(final["message"]) == "yes, I am"
        assert await claw.texts("agent:alice:main") == [
            ("user", "are you there?"),
            ("assistant", "yes, I am"),
        ]

    async def test_agent_that_is_not_attached_is_an_error(
        self, attached: Daemon, guests: Guests
    ) -> None:
        """Without her connection the run ends in an error that says so."""
        claw = await guests.openclaw(attached)
        await claw.chat_send("ask-nobody", "hello?", "agent:alice:main")
        event = await claw.chat_event("ask-nobody", "error", "final", "aborted")
        assert event["state"] == "error"
        assert "alice" in event["errorMessage"]

    async def test_agent_that_drops_in_the_middle_is_an_error(
        self, attached: Daemon, guests: Guests
    ) -> None:
        """Her connection's end in the middle of a turn ends the run, not silently."""
        alice = await guests.car_agent(attached, "alice", await attached.agent_token("alice"))
        claw = await guests.openclaw(attached)
        await claw.chat_send("ask-dropping", "stay!", "agent:alice:main")
        await _accept_chat(alice, "stay!")
        alice.drop()
        event = await claw.chat_event("ask-dropping", "error", "final", "aborted")
        assert event["state"] == "error"


async def _accept_chat(agent: CarSocket, prompt: str) -> str:
    """Take the daemon's `agent.chat` request, accept it and return its session."""
    request = await agent.expect(lambda f: f.get("method") == "agent.chat", what="agent.chat")
    assert request["params"]["prompt"] == prompt
    accepted = {"jsonrpc": "2.0", "id": request["id"], "result": {"accepted": True}}
    await agent.send(accepted)
    return str(request["params"]["session_id"])


async def test_one_command_turn_is_seen_through_every_door(
    start_daemon: StartDaemon, guests: Guests, command_agent: CommandAgent
) -> None:
    """x0x, hubbub, CAR and OpenClaw guests all see one turn of one agent, under one run id."""
    daemon = await start_daemon(command_agent.agent_config())
    claw = await guests.openclaw(daemon)
    rpc, host = await guests.rpc(daemon), await guests.car_host(daemon)
    await rpc.subscribe("chat/*", "runs/*")
    await claw.chat_send("shared-turn", "go")
    turn = await command_agent.next_turn()
    turn.say("gone")
    turn.finish()
    await claw.chat_event("shared-turn", "final")
    final = await rpc.event(kind="chat.final")
    (run,) = await host.runs("main")
    assert final["data"]["run_id"] == run["run_id"] == "shared-turn"
    assert claw.untaken(is_chat("shared-turn", "aborted", "error")) == []
