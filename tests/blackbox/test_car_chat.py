"""A person in an OpenClaw client, or a CAR host, talks to an agent that is attached as CAR's."""

import base64

from tests.clients.car import CarSocket
from tests.clients.frames import Frame
from tests.clients.guests import Guests
from tests.clients.waiting import eventually
from tests.conftest import StartDaemon
from tests.daemon import Daemon


async def asked(agent: CarSocket, method: str = "agent.chat") -> Frame:
    """Wait for a request of the daemon to an agent, and accept it."""
    request = await agent.expect(lambda frame: frame.get("method") == method, what=method)
    await agent.send({"jsonrpc": "2.0", "id": request["id"], "result": {"accepted": True}})
    params: Frame = request["params"]
    return params


async def say(agent: CarSocket, session_id: str, kind: str, **more: object) -> None:
    """Say something in a turn, as its agent."""
    params = {"session_id": session_id, "kind": kind, **more}
    await agent.send({"jsonrpc": "2.0", "method": "agent.chat.event", "params": params})


async def test_openclaw_user_talks_to_an_attached_agent(daemon: Daemon, guests: Guests) -> None:
    """The message goes to the agent's connection, its words come back, and the turn is a run."""
    agent = await guests.car_agent(daemon, "nina", await daemon.agent_token("nina"))
    host, claw = await guests.car_host(daemon), await guests.openclaw(daemon)
    send = {"sessionKey": "agent:nina:main", "message": "hello", "idempotencyKey": "turn-1"}
    await claw.call("chat.send", send)
    turn = await asked(agent)
    assert (turn["session_id"], turn["prompt"]) == ("agent:nina:main", "hello")
    watching = await host.call("runs.subscribe", {"run_id": "turn-1"})
    assert (watching["agent_id"], watching["status"]) == ("nina", "in_progress")
    for word in ("hi ", "there"):
        await say(agent, turn["session_id"], "token", delta=word)
    await say(agent, turn["session_id"], "done")

    final = await claw.expect(
        lambda f: f.get("event") == "chat" and f["payload"]["state"] == "final", what="the final"
    )
    (part,) = final["payload"]["message"]["content"]
    assert (final["payload"]["runId"], part["text"]) == ("turn-1", "hi there")
    (run,) = await host.runs("nina")
    assert (run["run_id"], run["status"], run["intent"]) == ("turn-1", "completed", "hello")
    records = await agent.records("turn-1")
    assert (records[0]["record"], records[-1]["record"]) == ("started", "ended")
    live: list[Frame] = []
    while not live or live[-1]["record"]["record"] != "ended":
        live.append(await host.trace_event())
    assert [event["record"] for event in live] == records[1 + len(watching["turns_so_far"]) :]


async def test_agent_that_vanishes_fails_the_turn(daemon: Daemon, guests: Guests) -> None:
    """A drop in mid-turn is an error to the person, and the run is over."""
    agent = await guests.car_agent(daemon, "nina", await daemon.agent_token("nina"))
    host, claw = await guests.car_host(daemon), await guests.openclaw(daemon)
    send = {"sessionKey": "agent:nina:main", "message": "hello", "idempotencyKey": "turn-1"}
    await claw.call("chat.send", send)
    turn = await asked(agent)
    await say(agent, turn["session_id"], "token", delta="half a ")
    agent.drop()
    error = await claw.expect(
        lambda f: f.get("event") == "chat" and f["payload"]["state"] == "error", what="the error"
    )
    assert "disconnected" in error["payload"]["errorMessage"]
    (run,) = await host.runs("nina")
    assert run["status"] != "in_progress"


async def test_aborted_turn_reaches_the_agent(daemon: Daemon, guests: Guests) -> None:
    """An abort asks the agent to stop; what it says later is nowhere."""
    agent = await guests.car_agent(daemon, "nina", await daemon.agent_token("nina"))
    claw = await guests.openclaw(daemon)
    send = {"sessionKey": "agent:nina:main", "message": "hello", "idempotencyKey": "turn-1"}
    await claw.call("chat.send", send)
    turn = await asked(agent)
    await claw.call("chat.abort", {"sessionKey": "agent:nina:main", "runId": "turn-1"})
    await asked(agent, "agent.chat.cancel")
    await say(agent, turn["session_id"], "token", delta="late")
    await say(agent, turn["session_id"], "done")
    history = await claw.call("chat.history", {"sessionKey": "agent:nina:main"})
    assert "late" not in str(history)


async def test_car_host_talks_to_any_agent_of_the_room(daemon: Daemon, guests: Guests) -> None:
    """`agents.chat` streams the answer of the default agent to the host that asked."""
    host = await guests.car_host(daemon)
    answer = await host.call("agents.chat", {"agent_id": "main", "prompt": "echo me"})
    words = ""
    while True:
        event = await host.expect(
            lambda f: f.get("method") == "agents.chat.event", what="an event of the chat"
        )
        assert event["params"]["session_id"] == answer["session_id"]
        if event["params"]["kind"] == "done":
            break
        words += event["params"]["delta"]
    assert "echo me" in words


async def test_host_sees_agents_come_and_go(daemon: Daemon, guests: Guests) -> None:
    """`host.event` tells who connects and who is gone."""
    host = await guests.car_host(daemon)
    await host.call("server.handshake", {"protocol_version": 3})
    await host.call("host.subscribe")
    agent = await guests.car_agent(daemon, "nina", await daemon.agent_token("nina"))
    seen: list[tuple[str, str]] = []

    async def tells(kind: str) -> bool:
        event = await host.expect(lambda f: f.get("method") == "host.event", what="a host event")
        seen.append((event["params"]["kind"], event["params"]["agent_id"]))
        return (kind, "nina") in seen

    await eventually(lambda: tells("agent.registered"), what="the agent's arrival")
    agent.drop()
    await eventually(lambda: tells("agent.unregistered"), what="the agent's leave")


async def test_agent_with_capitals_is_found_in_any_spelling(daemon: Daemon, guests: Guests) -> None:
    """`Alice` takes the turns of `agent:alice:…` and `agent:Alice:…`, asked through any door."""
    agent = await guests.car_agent(daemon, "Alice", await daemon.agent_token("Alice"))
    host, claw = await guests.car_host(daemon), await guests.openclaw(daemon)
    rpc = await guests.rpc(daemon)
    for number, key in enumerate(("agent:alice:main", "agent:Alice:main")):
        send = {"sessionKey": key, "message": "hello", "idempotencyKey": f"claw-{number}"}
        await claw.call("chat.send", send)
        turn = await asked(agent)
        assert turn["session_id"] == "agent:alice:main"
        await say(agent, turn["session_id"], "done", delta="hi")
        await claw.chat_event(f"claw-{number}", "final")
    params = {"session": "agent:ALICE:main", "message": "hello", "idempotency_key": "rpc"}
    await rpc.call("chat.send", params)
    await say(agent, (await asked(agent))["session_id"], "done", delta="hi")
    await host.call("agents.chat", {"agent_id": "Alice", "prompt": "hello", "session_id": "s"})
    assert (await asked(agent))["session_id"] == "agent:alice:s"
    assert len(await agent.runs("Alice")) == 4


async def test_direct_message_is_a_turn_where_the_settings_say_so(
    start_daemon: StartDaemon, guests: Guests
) -> None:
    """It is `agent.chat` on the recipient's connection, and its answer stands in its session."""
    daemon = await start_daemon('[agents.nina]\nrunner = "attached"\ndirect_messages = "chat"\n')
    agent = await guests.car_agent(daemon, "nina", await daemon.agent_token("nina"))
    bob = await guests.rpc(daemon, await daemon.agent_token("bob"))
    payload = base64.b64encode(b"are you there?").decode()
    sent = await bob.call("direct.send", {"to": "nina", "payload": payload})
    turn = await asked(agent)
    assert turn["prompt"] == "direct message from bob: are you there?"
    await say(agent, turn["session_id"], "token", delta="yes")
    await say(agent, turn["session_id"], "done")
    run_id = f"reply-{sent['message_id']}"

    async def answered() -> bool:
        page = await bob.call("chat.history", {"session": "agent:nina:main"})
        return len(page["messages"]) == 2

    await eventually(answered, what="the answer")
    assert (await bob.call("runs.get", {"run_id": run_id}))["status"] == "completed"
