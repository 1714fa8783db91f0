"""An agent of hubbub's own door takes turns: fenced, across drops, and nothing heard twice."""

from typing import Any

import pytest

from tests.clients.guests import Guests
from tests.clients.rpc import RpcSocket
from tests.clients.waiting import eventually
from tests.conftest import StartDaemon
from tests.daemon import Daemon


SESSION = "agent:parrot:main"


async def parrot(daemon: Daemon, guests: Guests, *, instance: str = "one") -> RpcSocket:
    """Connect the agent and let it take turns."""
    socket = await guests.rpc(daemon, await daemon.agent_token("parrot"))
    await socket.call("agents.attach", {"instance": instance})
    return socket


async def ask(person: RpcSocket, key: str, message: str = "hi") -> None:
    """Write to the agent."""
    params = {"session": SESSION, "message": message, "idempotency_key": key}
    await person.call("chat.send", params)


async def handed(agent: RpcSocket) -> dict[str, Any]:
    """Wait for the next turn."""
    frame = await agent.expect(lambda frame: frame.get("method") == "chat.turn", what="a turn")
    turn: dict[str, Any] = frame["params"]["turn"]
    return turn


async def answer_of(person: RpcSocket) -> tuple[str, str]:
    """Wait for the next end of a turn; gives its kind and text, or reason."""
    kinds = ("chat.final", "chat.error", "chat.aborted")
    while True:
        event = await person.event()
        if event["kind"] in kinds:
            data = event["data"]
            if event["kind"] == "chat.final":
                return event["kind"], data["message"]["content"][0]["text"]
            return event["kind"], data.get("error") or data["reason"]


async def test_turn_is_handed_said_and_answered(daemon: Daemon, guests: Guests) -> None:
    """In pieces, each heard once; the end is answered when it is stored, and again if asked."""
    person = await guests.rpc(daemon)
    agent = await parrot(daemon, guests)
    await person.subscribe("chat/*")
    await ask(person, "k1", "tea?")

    turn = await handed(agent)
    assert (turn["run_id"], turn["message"], turn["heard"]) == ("k1", "tea?", 0)
    say = {"run_id": "k1", "n": 0, "text": "Yes, "}
    assert await agent.call("chat.say", say) == {"heard": 1}
    assert await agent.call("chat.say", say) == {"heard": 1}
    tool = {"run_id": "k1", "n": 1, "tool": {"phase": "start", "name": "kettle"}}
    assert await agent.call("chat.say", tool) == {"heard": 2}
    early = await agent.fail("chat.say", {"run_id": "k1", "n": 3, "text": "?"})
    assert "but 2 is the next one" in early["message"]

    end = {"run_id": "k1", "text": "tea.", "usage": {"input": 3, "output": 2, "totalTokens": 5}}
    assert await agent.call("chat.answer", end) == {"run_id": "k1"}
    assert await agent.call("chat.answer", end) == {"run_id": "k1"}
    assert await answer_of(person) == ("chat.final", "Yes, tea.")
    late = await agent.fail("chat.say", {"run_id": "k1", "n": 2, "text": "more"})
    assert (late["data"]["code"], "has ended" in late["message"]) == ("conflict", True)


async def test_twin_answers_are_one(daemon: Daemon, guests: Guests) -> None:
    """Both are answered after the one end is stored; nothing may be said between."""
    person, agent = await guests.rpc(daemon), await parrot(daemon, guests)
    await ask(person, "k1")
    await handed(agent)

    calls = [
        await agent.post("chat.answer", {"run_id": "k1", "text": "once"}),
        await agent.post("chat.answer", {"run_id": "k1", "text": "twice"}),
        await agent.post("chat.say", {"run_id": "k1", "n": 0, "text": "thrice"}),
    ]
    answers = {call: await agent.result(call) for call in reversed(calls)}

    assert answers[calls[0]]["result"] == answers[calls[1]]["result"] == {"run_id": "k1"}
    assert answers[calls[2]]["error"]["data"]["code"] == "conflict"
    history = await person.call("chat.history", {"session": SESSION})
    assert [part["content"][0]["text"] for part in history["messages"]] == ["hi", "once"]


async def test_agent_that_fails_says_why(daemon: Daemon, guests: Guests) -> None:
    """`error` ends the turn as `chat.error`; repeated, it is answered as before."""
    person, agent = await guests.rpc(daemon), await parrot(daemon, guests)
    await person.subscribe("chat/*")
    await ask(person, "k1")
    await handed(agent)

    for _ in range(2):
        answer = await agent.call("chat.answer", {"run_id": "k1", "error": "no tea"})
        assert answer == {"run_id": "k1"}
    assert await answer_of(person) == ("chat.error", "no tea")


async def test_abort_reaches_the_agent(daemon: Daemon, guests: Guests) -> None:
    """It is told to stop, and an answer that comes later is refused."""
    person, agent = await guests.rpc(daemon), await parrot(daemon, guests)
    await ask(person, "k1")
    await handed(agent)
    await person.call("chat.abort", {"session": SESSION})

    stop = await agent.expect(lambda frame: frame.get("method") == "chat.stop", what="a stop")
    assert stop["params"] == {"run_id": "k1"}
    late = await agent.fail("chat.answer", {"run_id": "k1", "text": "but"})
    assert late["data"]["code"] == "conflict"


async def test_turn_goes_on_with_the_next_connection(daemon: Daemon, guests: Guests) -> None:
    """The same program comes back within the grace; what was said before is not lost."""
    person, agent = await guests.rpc(daemon), await parrot(daemon, guests)
    await person.subscribe("chat/*")
    await ask(person, "k1")
    await handed(agent)
    await agent.call("chat.say", {"run_id": "k1", "n": 0, "text": "before "})
    token = await daemon.agent_token("parrot")
    again = await guests.rpc(daemon, token)
    await agent.close()

    async def attached() -> bool:
        answer = await again.answer("agents.attach", {"instance": "one"})
        return bool(answer["result"]["turns"][0]["heard"] == 1)

    await eventually(attached, what="the turn on the next connection")
    stray = await guests.rpc(daemon, token)
    refused = await stray.fail("chat.answer", {"run_id": "k1", "text": "me"})
    assert "not taken on this connection" in refused["message"]
    await again.call("chat.say", {"run_id": "k1", "n": 1, "text": "and after"})
    await again.call("chat.answer", {"run_id": "k1"})
    assert await answer_of(person) == ("chat.final", "before and after")


async def test_turn_fails_when_nobody_comes_back(start_daemon: StartDaemon, guests: Guests) -> None:
    """After the grace; another program may have the agent's place at once, without its turns."""
    daemon = await start_daemon("[dialects.hubbub]\nturn_grace_ms = 50")
    person, agent = await guests.rpc(daemon), await parrot(daemon, guests)
    await person.subscribe("chat/*")
    await ask(person, "k1")
    await handed(agent)
    await agent.close()

    assert await answer_of(person) == ("chat.error", "agent 'parrot' disconnected")


async def test_another_program_waits_until_the_first_is_gone(
    daemon: Daemon, guests: Guests
) -> None:
    """A conflict while the first is connected; then it has the place, and its turns have failed."""
    person, agent = await guests.rpc(daemon), await parrot(daemon, guests)
    await person.subscribe("chat/*")
    await ask(person, "k1")
    await handed(agent)
    other = await guests.rpc(daemon, await daemon.agent_token("parrot"))
    error = await other.fail("agents.attach", {"instance": "two"})
    assert "already attached" in error["message"]
    await agent.close()

    async def attached() -> bool:
        return "result" in await other.answer("agents.attach", {"instance": "two"})

    await eventually(attached, what="the place")
    assert await answer_of(person) == ("chat.error", "agent 'parrot' disconnected")
    await ask(person, "k2")
    assert (await handed(other))["run_id"] == "k2"
    await other.call("agents.detach", {"instance": "two"})
    assert await answer_of(person) == ("chat.error", "agent 'parrot' disconnected")
    await ask(person, "k3")
    assert "is not attached" in (await answer_of(person))[1]


@pytest.mark.parametrize(
    ("setting", "calls", "code"),
    [("max_turn_pieces = 1", 400, "rate_limited"), ("max_turns = 1", 0, "")],
)
async def test_limits_of_turns(
    start_daemon: StartDaemon, guests: Guests, setting: str, calls: int, code: str
) -> None:
    """Pieces that wait, and turns at a time, are bounded; who is too fast may come again."""
    config = f'[dialects.hubbub]\n{setting}\n[agents.parrot]\nrunner = "attached"\n'
    daemon = await start_daemon(config + "max_session_turns = 2")
    person, agent = await guests.rpc(daemon), await parrot(daemon, guests)
    await person.subscribe("chat/*")
    await ask(person, "k1")
    await handed(agent)

    if not calls:
        await ask(person, "k2")
        assert await answer_of(person) == ("chat.error", "agent 'parrot' takes 1 turns at most")
        return
    ids = [
        await agent.post("chat.say", {"run_id": "k1", "n": n, "text": "x"}) for n in range(calls)
    ]
    answers = [await agent.result(one) for one in ids]
    codes = {answer["error"]["data"]["code"] for answer in answers if "error" in answer}
    assert code in codes


async def test_what_cannot_be_is_refused(daemon: Daemon, guests: Guests) -> None:
    """No connection, no name, another agent's turn, a turn that never was."""
    operator = await guests.rpc(daemon)
    agent = await parrot(daemon, guests)
    client = await guests.hubbub(daemon)
    body = {"jsonrpc": "2.0", "id": 1, "method": "agents.attach"}
    answer = await client.post("/rpc", {**body, "params": {"agent": "x", "instance": "i"}})
    assert "POST" in answer.body["error"]["message"]
    nobody = await operator.fail("agents.attach", {"instance": "i"})
    assert "name one" in nobody["message"]
    nameless = await agent.fail("agents.attach", {"instance": ""})
    assert "1 to 128 characters" in nameless["message"]
    foreign = await agent.fail("agents.attach", {"instance": "i", "agent": "ann"})
    assert foreign["data"]["code"] == "forbidden"
    missing = await agent.fail("chat.answer", {"run_id": "none"})
    assert missing["data"]["code"] == "not_found"
    await ask(operator, "k1")
    await handed(agent)
    stolen = await operator.fail("chat.say", {"agent": "ann", "run_id": "k1", "n": 0})
    assert "not one of 'ann'" in stolen["message"]
    wrong = {"agent": "parrot", "run_id": "k1", "n": 0, "text": "x"}
    assert (await operator.fail("chat.say", wrong))["data"]["code"] == "conflict"
    assert await operator.call("agents.detach", {"agent": "nobody", "instance": "i"}) == {}
