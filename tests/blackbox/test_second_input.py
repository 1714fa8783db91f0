"""A message that comes while a turn of its session runs, through two doors and across a kill."""

from typing import Any

import pytest

from tests.clients.frames import Frame
from tests.clients.guests import Guests
from tests.clients.model_server import ModelServer, Turn
from tests.clients.openclaw import OpenclawSocket, text_of
from tests.clients.rpc import RpcSocket
from tests.conftest import StartDaemon
from tests.daemon import Daemon


TOPIC = "chat/agent:main:main"
QUESTION, NEW = ("user", "first"), ("user", "second")
PART, WHOLE = ("assistant", "half"), ("assistant", "whole")
HISTORIES = {
    "enqueue": [QUESTION, ("assistant", "half and more"), NEW, WHOLE],
    "interrupt": [QUESTION, PART, NEW, WHOLE],
    "rollback": [NEW, WHOLE],
}
"""What stands in the history when both turns have ended."""


@pytest.fixture
async def modelled(start_daemon: StartDaemon, model: ModelServer) -> Daemon:
    """A daemon whose main agent speaks through the test's model."""
    return await start_daemon(model.agent_config(), env=model.environment)


def message(key: str, text: str, **more: object) -> Frame:
    """Give the parameters of `chat.send` at hubbub's own door."""
    return {"session": "main", "message": text, "idempotency_key": key, **more}


async def texts(rpc: RpcSocket) -> list[tuple[str, str]]:
    """Give role and text of each message of the history."""
    page = await rpc.call("chat.history", {"session": "main"})
    return [(one["role"], text_of(one)) for one in page["messages"]]


async def kinds(rpc: RpcSocket, run_id: str) -> list[str]:
    """Give the kinds of a run's stored events."""
    events = await rpc.journal(topics=[TOPIC])
    return [event["kind"] for event in events if event["data"].get("run_id") == run_id]


async def half_said(rpc: RpcSocket, model: ModelServer) -> Turn:
    """Begin a turn that has said half of its answer."""
    await rpc.call("chat.send", message("one", "first"))
    turn = await model.next_turn()
    turn.say("half")
    await rpc.event(TOPIC, "chat.delta")
    return turn


def go_on(turn: Turn, how: str) -> None:
    """Let the first turn end, where it was left alone."""
    if how == "enqueue":
        turn.say(" and more")
        turn.finish()


@pytest.mark.parametrize("how", list(HISTORIES))
@pytest.mark.parametrize("says", ["message", "session"])
async def test_second_message_at_hubbubs_door(
    modelled: Daemon, guests: Guests, model: ModelServer, how: str, says: str
) -> None:
    """Message or session say whether it waits, cuts the first short, or takes its place."""
    rpc = await guests.rpc(modelled)
    await rpc.subscribe(TOPIC)
    own: dict[str, Any] = {"multitask_strategy": how} if says == "message" else {}
    if says == "session":
        changes = {"session": "main", "changes": {"multitaskStrategy": how}}
        await rpc.call("chat.session_patch", changes)
    turn = await half_said(rpc, model)
    assert (await rpc.call("chat.send", message("two", "second", **own)))["status"] == "started"
    go_on(turn, how)
    second = await model.next_turn()
    asked = [(one["role"], one["content"]) for one in second.body["messages"]]
    assert asked == HISTORIES[how][:-1]
    second.say("whole")
    second.finish()
    assert (await rpc.event(TOPIC, "chat.final"))["data"]["run_id"] in {"one", "two"}
    if how == "enqueue":
        await rpc.event(TOPIC, "chat.final")
    else:
        await turn.wait_dropped()
    assert await texts(rpc) == HISTORIES[how]
    again = await rpc.call("chat.send", message("two", "second", **own))
    assert again == {"run_id": "two", "status": "ok"}
    assert len(model.turns) == 2


@pytest.mark.parametrize("how", list(HISTORIES))
async def test_second_message_at_openclaws_door(
    modelled: Daemon, guests: Guests, model: ModelServer, how: str
) -> None:
    """`sessions.patch` says it for good; the run that gives way is told as aborted."""
    rpc, claw = await guests.rpc(modelled), await guests.openclaw(modelled)
    await rpc.subscribe(TOPIC)
    patched = await claw.call("sessions.patch", {"key": "main", "multitaskStrategy": how})
    assert patched["entry"]["multitaskStrategy"] == how
    turn = await half_said(rpc, model)
    await claw.chat_send("two", "second")
    go_on(turn, how)
    second = await model.next_turn()
    second.say("whole")
    second.finish()
    end = await claw.chat_event("one", "aborted", "final")
    assert end.get("stopReason") == (None if how == "enqueue" else how)
    if how == "interrupt":
        assert text_of(end["message"]) == "half"
    assert text_of((await claw.chat_event("two", "final"))["message"]) == "whole"
    assert await claw.texts() == HISTORIES[how]


async def test_message_of_openclaw_may_say_it(
    modelled: Daemon, guests: Guests, model: ModelServer
) -> None:
    """A client that knows the field sends it with the message; `/queue` sets the session's."""
    rpc, claw = await guests.rpc(modelled), await guests.openclaw(modelled)
    await rpc.subscribe(TOPIC)
    await half_said(rpc, model)
    await claw.chat_send("queue", "/queue reject")
    said = await claw.chat_event("queue", "final")
    assert text_of(said["message"]) == "multitaskStrategy is now reject."
    await claw.chat_send("two", "second", multitaskStrategy="interrupt")
    assert (await claw.chat_event("one", "aborted"))["stopReason"] == "interrupt"
    assert (await model.next_turn()).prompt == "second"


async def _busy_rpc(rpc: RpcSocket, _claw: OpenclawSocket) -> str:
    error = await rpc.fail("chat.send", message("two", "second", multitask_strategy="reject"))
    assert (error["data"]["code"], error["data"]["retryable"]) == ("session_busy", True)
    return str(error["message"])


async def _busy_openclaw(_rpc: RpcSocket, claw: OpenclawSocket) -> str:
    params = {"sessionKey": "main", "message": "second", "idempotencyKey": "two"}
    error = await claw.fail("chat.send", {**params, "multitaskStrategy": "reject"})
    assert (error["code"], error["retryable"]) == ("UNAVAILABLE", True)
    return str(error["message"])


@pytest.mark.parametrize("refused", [_busy_rpc, _busy_openclaw])
async def test_refused_message_leaves_nothing(
    modelled: Daemon, guests: Guests, model: ModelServer, refused: Any
) -> None:
    """`reject` names the run that is in the way; the turn goes on and the key stays free."""
    rpc, claw = await guests.rpc(modelled), await guests.openclaw(modelled)
    await rpc.subscribe(TOPIC)
    turn = await half_said(rpc, model)
    assert "busy with run one" in await refused(rpc, claw)
    assert (await texts(rpc), await kinds(rpc, "two")) == ([QUESTION], [])
    turn.finish()
    await rpc.event(TOPIC, "chat.final")
    await claw.chat_send("two", "second", multitaskStrategy="reject")
    assert (await model.next_turn()).prompt == "second"


@pytest.mark.parametrize("acknowledged", [True, False])
@pytest.mark.parametrize("how", ["interrupt", "rollback"])
async def test_kill_at_the_moment_of_the_second_message(
    modelled: Daemon, guests: Guests, model: ModelServer, how: str, *, acknowledged: bool
) -> None:
    """After SIGKILL a retry finds the whole effect or none; nothing happens twice."""
    rpc = await guests.rpc(modelled)
    await rpc.subscribe(TOPIC)
    await half_said(rpc, model)
    second = message("two", "second", multitask_strategy=how)
    request = await rpc.post("chat.send", second)
    if acknowledged:
        assert (await rpc.result(request))["result"]["status"] == "started"
    modelled.kill()
    await modelled.start()

    rpc = await guests.rpc(modelled)
    status = (await rpc.call("chat.send", second))["status"]
    story = await kinds(rpc, "one")
    aborted = story.count("chat.aborted")
    assert aborted == 1 or not acknowledged
    # Where the first send left no trace, the turn ended with the daemon.
    assert (aborted + story.count("chat.error"), status == "started") == (1, not aborted)
    assert story.count("chat.rolled_back") == (aborted if how == "rollback" else 0)
    assert (await kinds(rpc, "two")).count("chat.accepted") == 1
    users = [text for role, text in await texts(rpc) if role == "user"]
    assert users == (["second"] if how == "rollback" and aborted else ["first", "second"])
    if how == "interrupt" and aborted:
        assert PART in await texts(rpc)
