"""Turns of an attached agent: `agent.chat` out, `agent.chat.event` in."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import msgspec
import pytest

from hubbub.core.ports import RunnerOutput, RunnerTurn
from hubbub.dialects.car.chat import ChatEvent, output_of, refuses
from hubbub.errors import RunnerFailed
from hubbub.runners.attached import AttachedRunner
from tests.dialects.car.conftest import Client, Frame, Room


SESSION = "agent:ann:main"


def turn_of(run_id: str = "run-1", **more: Any) -> RunnerTurn:
    """Make a turn of ann's."""
    turn = RunnerTurn(run_id=run_id, agent="ann", session_key=SESSION, message="hello")
    return msgspec.structs.replace(turn, **more)


class Person:
    """Somebody who waits for an agent's turn."""

    def __init__(self, room: Room, turn: RunnerTurn) -> None:
        self._outputs: AsyncIterator[RunnerOutput] = AttachedRunner(room.hub.attached).take(turn)
        self.task = asyncio.ensure_future(self._listen())
        self.heard: list[RunnerOutput] = []
        self._news = asyncio.Event()

    async def hears(self) -> None:
        """Wait for some output."""
        await self._news.wait()

    async def _listen(self) -> str:
        async for output in self._outputs:
            self.heard.append(output)
            self._news.set()
        return "".join(output.text for output in self.heard)


class Agent:
    """The agent's side of its connection."""

    def __init__(self, client: Client) -> None:
        self.client = client

    async def asked(self, method: str = "agent.chat") -> Frame:
        """Wait for a request of the daemon."""
        return await self.client.told(method)

    def accept(self, request: Frame, result: object = None) -> None:
        """Answer a request."""
        self.client.send({"jsonrpc": "2.0", "id": request["id"], "result": result})

    def refuse(self, request: Frame, error: object) -> None:
        """Refuse a request."""
        self.client.send({"jsonrpc": "2.0", "id": request["id"], "error": error})

    def say(self, session_id: str, kind: str, **more: object) -> None:
        """Send an event of a turn."""
        params = {"session_id": session_id, "kind": kind, **more}
        self.client.send({"jsonrpc": "2.0", "method": "agent.chat.event", "params": params})


@pytest.fixture
async def agent(room: Room) -> Agent:
    """Give an attached agent."""
    return Agent(await room.agent("ann"))


async def test_turn_streams_to_its_end(room: Room, agent: Agent) -> None:
    """The prompt goes to the agent; its tokens and tools come back, events before the ack too."""
    picture = msgspec.Raw(b'{"type":"image"}')
    person = Person(room, turn_of(attachments=[picture]))
    request = await agent.asked()
    assert request["params"] == {
        "session_id": SESSION,
        "prompt": "hello",
        "attachments": [{"type": "image"}],
    }
    assert request["id"].startswith("cb-")
    agent.say(SESSION, "token", delta="he")
    agent.accept(request, {"accepted": True})
    agent.say(SESSION, "tool_call", tool="search", id="t1", parameters={"q": 1})
    agent.say(SESSION, "goal_evaluated")
    agent.say(SESSION, "token", delta="llo")
    agent.say(SESSION, "done")

    assert await person.task == "hello"
    (tool,) = [output.tool for output in person.heard if output.tool is not None]
    assert msgspec.json.decode(tool) == {
        "phase": "start",
        "toolCallId": "t1",
        "name": "search",
        "args": {"q": 1},
    }


@pytest.mark.parametrize(
    ("answer", "text"),
    [
        ({"result": {"accepted": False}}, "did not accept"),
        ({"error": {"code": -32601, "message": "no chat here"}}, "no chat here"),
    ],
)
async def test_refused_turn_fails(
    room: Room, agent: Agent, answer: dict[str, object], text: str
) -> None:
    """An agent that does not take the turn fails it, with its own words."""
    person = Person(room, turn_of())
    request = await agent.asked()
    agent.client.send({"jsonrpc": "2.0", "id": request["id"], **answer})
    with pytest.raises(RunnerFailed, match=text):
        await person.task


async def test_agents_error_is_the_turns(room: Room, agent: Agent) -> None:
    """An error event ends the turn with its text; the session is free for the next."""
    person = Person(room, turn_of())
    agent.accept(await agent.asked())
    agent.say(SESSION, "error", error={"message": "model is down"})
    with pytest.raises(RunnerFailed, match="model is down"):
        await person.task
    following = Person(room, turn_of("run-2"))
    assert (await agent.asked())["params"]["session_id"] == SESSION
    agent.say(SESSION, "done", delta="all at once")
    assert await following.task == "all at once"


async def test_drop_in_mid_turn_is_an_error(room: Room, agent: Agent) -> None:
    """An agent that vanishes fails its turns, begun or not; later ones do not begin."""
    begun, waiting = Person(room, turn_of()), Person(room, turn_of("run-2"))
    agent.accept(await agent.asked())
    agent.say(SESSION, "token", delta="he")
    await agent.asked()
    session = agent.client.session
    agent.client.leave()
    for person in (begun, waiting):
        with pytest.raises(RunnerFailed, match="disconnected"):
            await person.task
    with pytest.raises(RunnerFailed, match="disconnected"):
        await anext(session.chat(turn_of("run-3")))
    with pytest.raises(RunnerFailed, match="not attached"):
        Person(room, turn_of("run-4"))


async def test_aborted_turn_is_cancelled_and_its_late_words_are_lost(
    room: Room, agent: Agent
) -> None:
    """The agent is asked to stop; what it says of that turn later is in no other turn."""
    person = Person(room, turn_of())
    agent.accept(await agent.asked())
    agent.say(SESSION, "token", delta="old")
    await person.hears()
    person.task.cancel()
    request = await agent.asked("agent.chat.cancel")
    assert request["params"] == {"session_id": SESSION}
    agent.refuse(request, {"code": -32601, "message": "method not found"})

    following = Person(room, turn_of("run-2"))
    other_id = (await agent.asked())["params"]["session_id"]
    assert other_id == f"{SESSION}#run-2"
    agent.say(SESSION, "token", delta="late")
    agent.say(SESSION, "done")
    agent.say(other_id, "token", delta="new")
    agent.say(other_id, "done")
    assert await following.task == "new"

    again = Person(room, turn_of("run-3"))
    assert (await agent.asked())["params"]["session_id"] == SESSION
    agent.say(SESSION, "done")
    await again.task


async def test_agent_that_never_answers_fails_its_turn(room: Room) -> None:
    """Without an answer or an event the turn fails in time; with an event it goes on."""
    room.settings = msgspec.structs.replace(room.settings, ack_timeout_ms=30)
    agent = Agent(await room.agent())
    silent = Person(room, turn_of())
    await agent.asked()
    with pytest.raises(RunnerFailed, match="did not answer"):
        await silent.task
    await agent.asked("agent.chat.cancel")

    talks = Person(room, turn_of("run-2"))
    session_id = (await agent.asked())["params"]["session_id"]
    agent.say(session_id, "token", delta="x")
    # Its own ack is awaited as long: once this one's time is over, so is that of the other.
    later = Person(room, turn_of("run-3"))
    with pytest.raises(RunnerFailed, match="did not answer"):
        await later.task
    agent.say(session_id, "done")
    assert await talks.task == "x"


async def test_turns_and_their_events_are_limited(room: Room) -> None:
    """One turn over the limit is refused; a turn that floods us is ended."""
    room.settings = msgspec.structs.replace(room.settings, max_turns=1, max_turn_events=3)
    agent = Agent(await room.agent())
    person = Person(room, turn_of())
    agent.accept(await agent.asked())
    with pytest.raises(RunnerFailed, match="1 turns at most"):
        await Person(room, turn_of("run-2")).task
    for _ in range(9):
        agent.say(SESSION, "token", delta="x")
    with pytest.raises(RunnerFailed, match="too fast"):
        await person.task
    assert len(person.heard) == 3


async def test_events_of_others_mean_nothing(room: Room, agent: Agent) -> None:
    """Only the agent's own connection speaks in its turns; unreadable events are passed over."""
    person = Person(room, turn_of())
    agent.accept(await agent.asked())
    forger = Agent(await room.unbound())
    forger.say(SESSION, "token", delta="forged")
    Agent(await room.agent("bob")).say(SESSION, "token", delta="forged")
    agent.client.send({"jsonrpc": "2.0", "method": "agent.chat.event", "params": {"kind": 7}})
    agent.say("no such session", "token", delta="lost")
    agent.say(SESSION, "token", delta="mine")
    agent.say(SESSION, "done")
    assert await person.task == "mine"


async def test_strange_answers_are_passed_over(room: Room, agent: Agent) -> None:
    """Answers to nothing, of other ids, or a second time, do no harm."""
    person = Person(room, turn_of())
    request = await agent.asked()
    for request_id in ("cb-99", 7, None, request["id"], request["id"]):
        agent.client.send({"id": request_id, "result": {}})
    agent.client.session.received_binary(b"\x00")
    agent.say(SESSION, "done", delta="ok")
    assert await person.task == "ok"


@pytest.mark.parametrize(
    ("answer", "refused"),
    [
        (b'{"accepted":true}', False),
        (b"{}", False),
        (b"null", False),
        (b'"ok"', False),
        (b'{"accepted":false}', True),
    ],
)
def test_only_a_plain_refusal_refuses(answer: bytes, refused: bool) -> None:  # noqa: FBT001
    """Whatever else an agent answers, it answered."""
    assert refuses(msgspec.Raw(answer)) is refused


@pytest.mark.parametrize(
    ("event", "text"),
    [
        ('{"kind":"error","message":"m"}', "m"),
        ('{"kind":"error","delta":"d"}', "d"),
        ('{"kind":"error","error":{"code":7}}', '{"code":7}'),
        ('{"kind":"error"}', "without a word"),
    ],
)
def test_error_is_read_wherever_it_stands(event: str, text: str) -> None:
    """Agents put their error in different fields."""
    with pytest.raises(RunnerFailed) as failed:
        output_of(msgspec.json.decode('{"session_id":"s",' + event[1:], type=ChatEvent))
    assert text in str(failed.value)


def test_tool_call_is_read_wherever_it_stands() -> None:
    """Agents put a tool's name and arguments in different fields."""
    event = b'{"session_id":"s","kind":"tool_call","name":"n","arguments":[1],"tool_call_id":"i"}'
    output = output_of(msgspec.json.decode(event, type=ChatEvent))
    assert output is not None
    assert output.tool is not None
    assert bytes(output.tool) == b'{"phase":"start","toolCallId":"i","name":"n","args":[1]}'
    assert output_of(ChatEvent("s", "token")) is None
