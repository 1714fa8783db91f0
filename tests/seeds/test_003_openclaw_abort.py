"""Seed 003: abort, by run, by session and by a stop word.

The agent is an OpenAI-compatible server that the test plays; `test_003_openclaw_command.py`
asks the same of an agent that is a command.
"""

import pytest

from tests.clients.guests import Guests
from tests.clients.model_server import ModelServer
from tests.clients.openclaw import OpenclawSocket, is_chat, send_params, text_of
from tests.daemon import Daemon
from tests.seeds.chat_rooms import chat_states, finish_another_run, terminals


STOP_WORDS = ("/stop", "stop", "esc", "abort", "wait", "exit", "interrupt")


async def test_abort_of_a_run(modelled: Daemon, guests: Guests, model: ModelServer) -> None:
    """The aborted event comes before the answer, and the model's connection is let go."""
    claw = await guests.openclaw(modelled)
    await claw.chat_send("idem-abort-1", timeoutMs=30_000)
    turn = await model.next_turn()

    abort = await claw.call("chat.abort", {"sessionKey": "main", "runId": "idem-abort-1"})

    assert abort == {"ok": True, "aborted": True, "runIds": ["idem-abort-1"]}
    event = claw.untaken(is_chat("idem-abort-1", "aborted"))[0]["payload"]
    assert (event["runId"], event["sessionKey"]) == ("idem-abort-1", "main")
    assert event["stopReason"] == "rpc"
    await turn.wait_dropped()


async def test_abort_in_the_middle_of_an_answer_stores_no_part_of_it(
    modelled: Daemon, guests: Guests, model: ModelServer
) -> None:
    """What was streamed before the abort is not in the history; the user's message is."""
    claw = await guests.openclaw(modelled)
    await claw.chat_send("idem-partial", "tell me")
    turn = await model.next_turn()
    turn.say("Once upon")
    await claw.chat_event("idem-partial", "delta")
    await claw.call("chat.abort", {"sessionKey": "main", "runId": "idem-partial"})
    await turn.wait_dropped()
    assert await claw.texts() == [("user", "tell me")]


async def test_abort_sent_before_the_send_was_answered(
    modelled: Daemon, guests: Guests, model: ModelServer
) -> None:
    """Send and abort pipelined in one breath: both answered, one aborted event, one run."""
    claw = await guests.openclaw(modelled)
    send = send_params("idem-abort-save-1", timeoutMs=30_000)
    await claw.post("chat.send", send, request_id="send-abort-save-1")
    abort = {"sessionKey": "main", "runId": "idem-abort-save-1"}
    await claw.post("chat.abort", abort, request_id="abort-save-1")

    aborted, sent = await claw.result("abort-save-1"), await claw.result("send-abort-save-1")

    assert (sent["ok"], sent["payload"]["status"]) == (True, "started")
    assert (aborted["ok"], aborted["payload"]["aborted"]) == (True, True)
    event = await claw.chat_event("idem-abort-save-1", "aborted")
    assert event["sessionKey"] == "main"
    await finish_another_run_after(claw, model, "idem-abort-save-1")
    assert chat_states(claw, "idem-abort-save-1") == ["aborted"]


async def finish_another_run_after(claw: OpenclawSocket, model: ModelServer, aborted: str) -> None:
    """Finish a run of another session, ignoring a turn that the aborted run may have begun."""
    model.auto_reply = "done"
    await claw.chat_send(f"after-{aborted}", session="elsewhere")
    await claw.chat_event(f"after-{aborted}", "final")


async def test_abort_without_run_id_aborts_all_of_the_session(
    modelled: Daemon, guests: Guests, model: ModelServer
) -> None:
    """Every active run of that session key is aborted, the waiting one too, others are not."""
    claw = await guests.openclaw(modelled)
    await claw.chat_send("other-session", session="other")
    other = await model.next_turn()
    await claw.chat_send("idem-abort-all-1")
    running = await model.next_turn()
    await claw.chat_send("idem-abort-all-2")

    abort = await claw.call("chat.abort", {"sessionKey": "main"})

    assert (abort["ok"], abort["aborted"]) == (True, True)
    assert sorted(abort["runIds"]) == ["idem-abort-all-1", "idem-abort-all-2"]
    await claw.chat_event("idem-abort-all-1", "aborted")
    await claw.chat_event("idem-abort-all-2", "aborted")
    await running.wait_dropped()
    other.say("still here")
    other.finish()
    final = await claw.chat_event("other-session", "final")
    assert text_of(final["message"]) == "still here"


async def test_nothing_follows_an_abort(
    modelled: Daemon, guests: Guests, model: ModelServer
) -> None:
    """No delta and no final of an aborted run, whatever its model still had to say."""
    claw, watcher = await guests.openclaw(modelled), await guests.openclaw(modelled)
    await claw.chat_send("idem-abort-all-1")
    turn = await model.next_turn()
    turn.say("should be ")
    await watcher.chat_event("idem-abort-all-1", "delta")
    for _ in range(50):
        turn.say("suppressed ")
    await claw.call("chat.abort", {"sessionKey": "main"})
    turn.say("much too late")
    turn.finish()
    await finish_another_run(claw, model, "idem-after")
    await watcher.chat_event("idem-after", "final")
    for socket in (claw, watcher):
        assert chat_states(socket, "idem-abort-all-1")[-1] == "aborted"
        assert terminals(socket, "idem-abort-all-1") == ["aborted"]


async def test_abort_of_an_unknown_run(modelled: Daemon, guests: Guests) -> None:
    """Aborting what does not run is fine and says that nothing was aborted."""
    claw = await guests.openclaw(modelled)
    abort = await claw.call("chat.abort", {"sessionKey": "main", "runId": "missing-run"})
    assert abort == {"ok": True, "aborted": False, "runIds": []}


async def test_abort_under_another_session_is_refused(
    modelled: Daemon, guests: Guests, model: ModelServer
) -> None:
    """A run cannot be aborted under a session key that is not its own, and runs on."""
    claw = await guests.openclaw(modelled)
    await claw.chat_send("idem-mismatch-1", timeoutMs=30_000)
    turn = await model.next_turn()

    params = {"sessionKey": "other", "runId": "idem-mismatch-1"}
    error = await claw.fail("chat.abort", params)
    assert error["code"] == "INVALID_REQUEST"
    assert error["message"] == "runId does not match sessionKey"
    assert not turn.dropped.is_set()

    abort = await claw.call("chat.abort", {"sessionKey": "main", "runId": "idem-mismatch-1"})
    assert abort["aborted"] is True
    await turn.wait_dropped()


async def test_abort_accepts_the_sessions_other_spelling(
    modelled: Daemon, guests: Guests, model: ModelServer
) -> None:
    """A run started under `main` can be aborted under `agent:main:main`; events keep `main`."""
    claw = await guests.openclaw(modelled)
    await claw.chat_send("idem-alias")
    await model.next_turn()
    params = {"sessionKey": "agent:main:main", "runId": "idem-alias"}
    assert (await claw.call("chat.abort", params))["aborted"] is True
    assert (await claw.chat_event("idem-alias", "aborted"))["sessionKey"] == "main"


async def test_abort_of_a_completed_run(
    modelled: Daemon, guests: Guests, model: ModelServer
) -> None:
    """A run that has finished is not aborted any more, and no event says so."""
    model.auto_reply = "done"
    claw = await guests.openclaw(modelled)
    await claw.chat_send("idem-complete-1", timeoutMs=30_000)
    await claw.chat_event("idem-complete-1", "final")
    again = await claw.chat_send("idem-complete-1", timeoutMs=30_000)
    assert again == {"runId": "idem-complete-1", "status": "ok"}

    abort = await claw.call("chat.abort", {"sessionKey": "main", "runId": "idem-complete-1"})

    assert abort == {"ok": True, "aborted": False, "runIds": []}
    assert terminals(claw, "idem-complete-1") == ["final"]


@pytest.mark.parametrize("word", [*STOP_WORDS, "  STOP \n"])
async def test_stop_word_aborts_the_sessions_runs(
    modelled: Daemon, guests: Guests, model: ModelServer, word: str
) -> None:
    """A stop word aborts what runs and is no message: no run, no history, no spent key."""
    claw = await guests.openclaw(modelled)
    await claw.chat_send("idem-stop-run")
    turn = await model.next_turn()

    stop = await claw.call("chat.send", send_params("idem-stop-req", word))

    assert stop == {"ok": True, "aborted": True, "runIds": ["idem-stop-run"]}
    event = await claw.chat_event("idem-stop-run", "aborted")
    assert (event["sessionKey"], event["stopReason"]) == ("main", "stop")
    await turn.wait_dropped()
    await finish_another_run(claw, model, "idem-stop-req")
    assert len(model.turns) == 2
    texts = [text for role, text in await claw.texts() if role == "user"]
    assert texts == ["hello", "another turn"]


async def test_stop_word_when_nothing_runs(modelled: Daemon, guests: Guests) -> None:
    """A stop word in an idle session aborts nothing and starts nothing."""
    claw = await guests.openclaw(modelled)
    stop = await claw.call("chat.send", send_params("idem-idle", "/stop"))
    assert stop == {"ok": True, "aborted": False, "runIds": []}
    assert await claw.texts() == []
