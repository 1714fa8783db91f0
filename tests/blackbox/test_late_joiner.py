"""Who comes in the middle of a turn: all that was said in one event, then only what is new."""

import pytest

from tests.clients.frames import Frame, Match
from tests.clients.guests import Guests
from tests.clients.model_server import ModelServer, Turn
from tests.clients.openclaw import is_chat, is_event, text_of
from tests.clients.rpc import RpcSocket
from tests.conftest import StartDaemon
from tests.daemon import Daemon


TOPIC = "chat/agent:main:main"
EARLY, LATE = "Once upon a time ", "there was a hub."


@pytest.fixture
async def modelled(start_daemon: StartDaemon, model: ModelServer) -> Daemon:
    """A daemon whose main agent speaks through the test's model; every word is told at once."""
    config = "[chat]\ndelta_interval_ms = 0\n[dialects.openclaw]\ndelta_interval_ms = 0\n"
    return await start_daemon(config + model.agent_config(), env=model.environment)


async def talking(rpc: RpcSocket, model: ModelServer) -> tuple[Turn, Frame]:
    """Begin a turn that has said its first half; gives it, and where its watcher stands."""
    answer = await rpc.subscribe(TOPIC)
    params = {"session": "main", "message": "tell me", "idempotency_key": "tale"}
    await rpc.call("chat.send", params)
    turn = await model.next_turn()
    for word in EARLY.split(" ")[:-1]:
        turn.say(f"{word} ")
    while (await rpc.event(TOPIC, "chat.delta"))["data"]["text"] != EARLY:
        pass
    return turn, answer["position"]


def end(turn: Turn) -> None:
    """Let the model say the rest, in pieces."""
    for word in LATE.split(" ")[:-1]:
        turn.say(f"{word} ")
    turn.say(LATE.rsplit(" ", maxsplit=1)[-1])
    turn.finish()


@pytest.mark.parametrize("resumes", [True, False])
async def test_at_hubbubs_door(
    modelled: Daemon, guests: Guests, model: ModelServer, *, resumes: bool
) -> None:
    """A subscriber, new or back with its position, hears one delta for the past, then deltas."""
    first, joiner = await guests.rpc(modelled), await guests.rpc(modelled)
    turn, position = await talking(first, model)
    await joiner.subscribe(TOPIC, after=position if resumes else None)
    past = await joiner.event(TOPIC, "chat.delta")
    assert (past["data"]["text"], past["data"]["delta"]) == (EARLY, EARLY)
    end(turn)
    await joiner.event(TOPIC, "chat.final")
    deltas = joiner.untaken(lambda f: _kind(f) == "chat.delta")
    assert "".join(_delta(frame) for frame in deltas) == LATE
    stored = [_kind(f) for f in joiner.seen if _kind(f) not in {"", "chat.delta"}]
    begin = ["chat.session", "chat.accepted", "chat.started"] if resumes else []
    assert stored == [*begin, "chat.final"]


async def test_on_the_event_stream(modelled: Daemon, guests: Guests, model: ModelServer) -> None:
    """`/events` does the same for a browser that comes back with `Last-Event-ID`."""
    rpc, web = await guests.rpc(modelled), await guests.hubbub(modelled)
    turn, position = await talking(rpc, model)
    cursor = f"{position['epoch']}:{position['seq']}"
    stream = await web.events(f"/events?topics={TOPIC}&after={cursor}")
    events = [await stream.next() for _ in range(5)]
    assert [event.event for event in events] == [
        *("hubbub.resumed", "chat.session", "chat.accepted", "chat.started", "chat.delta")
    ]
    assert events[-1].data["data"]["delta"] == EARLY
    end(turn)
    said = ""
    while (event := await stream.next()).event == "chat.delta":
        said += event.data["data"]["delta"]
    assert (event.event, said) == ("chat.final", LATE)


async def test_at_openclaws_door(modelled: Daemon, guests: Guests, model: ModelServer) -> None:
    """A client that connects in the middle is shown the text, and misses nothing of the rest."""
    rpc = await guests.rpc(modelled)
    turn, _ = await talking(rpc, model)
    claw = await guests.openclaw(modelled)
    past = await claw.chat_event("tale", "delta")
    assert text_of(past["message"]) == EARLY
    shown = await claw.expect(_assistant)
    assert (shown["payload"]["data"]["delta"], shown["payload"]["seq"]) == (EARLY, past["seq"])
    end(turn)
    await claw.chat_event("tale", "final")
    later = claw.untaken(_assistant)
    assert "".join(frame["payload"]["data"]["delta"] for frame in later) == LATE
    assert later[0]["payload"]["seq"] == past["seq"] + 1
    texts = [text_of(f["payload"]["message"]) for f in claw.untaken(is_chat("tale", "delta"))]
    assert all(text.startswith(EARLY) for text in texts)


@pytest.mark.parametrize("how", ["runs.subscribe", "agents.chat"])
async def test_at_cars_door(modelled: Daemon, guests: Guests, model: ModelServer, how: str) -> None:
    """A host that follows the run, or repeats its send, gets one token, then tokens."""
    host = await guests.car_host(modelled)
    rpc = await guests.rpc(modelled)
    await rpc.subscribe("chat/*")
    params = {"agent_id": "main", "prompt": "tell", "session_id": "s", "idempotency_key": "tale"}
    await host.call("agents.chat", params)
    turn = await model.next_turn()
    turn.say(EARLY)
    await host.expect(_token)
    host.drop()
    host = await guests.car_host(modelled)
    await host.call(how, params if how == "agents.chat" else {"run_id": "tale"})
    past = await host.expect(_token)
    assert past["params"] == {"session_id": "s", "kind": "token", "delta": EARLY}
    end(turn)
    await host.expect(_chat_event("done"))
    assert "".join(frame["params"]["delta"] for frame in host.untaken(_token)) == LATE


def _kind(frame: Frame) -> str:
    return str(frame["params"]["event"]["kind"]) if frame.get("method") == "topics.event" else ""


def _delta(frame: Frame) -> str:
    return str(frame["params"]["event"]["data"]["delta"])


def _assistant(frame: Frame) -> bool:
    return is_event("agent")(frame) and frame["payload"]["stream"] == "assistant"


def _chat_event(kind: str) -> Match:
    return lambda frame: (
        frame.get("method") == "agents.chat.event" and frame["params"]["kind"] == kind
    )


_token = _chat_event("token")
