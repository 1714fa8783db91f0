"""Seed 003 with an agent that is a command: one process per turn, ended with all its children."""

import pytest

from tests.clients.command_agent import CommandAgent, is_alive
from tests.clients.guests import Guests
from tests.clients.openclaw import TERMINAL, OpenclawSocket, is_chat, send_params, text_of
from tests.daemon import Daemon


async def finish_another_run(claw: OpenclawSocket, agent: CommandAgent, key: str) -> None:
    """Run a whole turn, so that whatever an earlier run still had to say has been said."""
    await claw.chat_send(key, "another turn")
    turn = await agent.next_turn()
    turn.say("done")
    turn.finish()
    await claw.chat_event(key, "final")


async def test_command_reads_the_prompt_and_its_lines_are_the_answer(
    commanded: Daemon, guests: Guests, command_agent: CommandAgent
) -> None:
    """The message comes on standard input; the lines printed become deltas and the final."""
    claw = await guests.openclaw(commanded)
    await claw.chat_send("idem-lines", "what now?")
    turn = await command_agent.next_turn()
    assert "what now?" in turn.prompt
    turn.say("line one")
    delta = await claw.chat_event("idem-lines", "delta")
    assert text_of(delta["message"]).strip() == "line one"
    turn.say("line two")
    turn.finish()
    final = await claw.chat_event("idem-lines", "final")
    assert text_of(final["message"]) == "line one\nline two"
    assert (await claw.texts())[-1] == ("assistant", "line one\nline two")


async def test_command_may_speak_in_json_lines(
    commanded: Daemon, guests: Guests, command_agent: CommandAgent
) -> None:
    """JSON lines with a text are joined without line breaks; one with an error ends the run."""
    claw = await guests.openclaw(commanded)
    await claw.chat_send("idem-json")
    turn = await command_agent.next_turn()
    turn.say('{"text":"one, "}')
    turn.say('{"text":"two"}')
    turn.finish()
    final = await claw.chat_event("idem-json", *TERMINAL)
    assert (final["state"], text_of(final["message"])) == ("final", "one, two")

    await claw.chat_send("idem-json-error")
    turn = await command_agent.next_turn()
    turn.say('{"error":"out of patience"}')
    turn.finish()
    event = await claw.chat_event("idem-json-error", *TERMINAL)
    assert (event["state"], "out of patience" in event["errorMessage"]) == ("error", True)


async def test_abort_ends_the_whole_process_group(
    commanded: Daemon, guests: Guests, command_agent: CommandAgent
) -> None:
    """An abort ends the command and its children, and is told before it is answered."""
    claw = await guests.openclaw(commanded)
    await claw.chat_send("idem-abort-1", timeoutMs=30_000)
    turn = await command_agent.next_turn()
    child = await turn.start_child()
    assert is_alive(child)

    abort = await claw.call("chat.abort", {"sessionKey": "main", "runId": "idem-abort-1"})

    assert abort == {"ok": True, "aborted": True, "runIds": ["idem-abort-1"]}
    event = claw.untaken(is_chat("idem-abort-1", "aborted"))[0]["payload"]
    assert (event["sessionKey"], event["stopReason"]) == ("main", "rpc")
    await turn.wait_gone()
    await turn.wait_gone(child)


async def test_abort_ends_a_command_that_ignores_sigterm(
    commanded: Daemon, guests: Guests, command_agent: CommandAgent
) -> None:
    """A command that is deaf to SIGTERM is killed, and the abort is answered all the same."""
    claw = await guests.openclaw(commanded)
    await claw.chat_send("idem-deaf")
    turn = await command_agent.next_turn()
    await turn.ignore_sigterm()
    await claw.call("chat.abort", {"sessionKey": "main", "runId": "idem-deaf"})
    await turn.wait_gone()


async def test_nothing_follows_an_abort(
    commanded: Daemon, guests: Guests, command_agent: CommandAgent
) -> None:
    """What a deaf command prints after the abort appears nowhere."""
    claw = await guests.openclaw(commanded)
    await claw.chat_send("idem-late")
    turn = await command_agent.next_turn()
    await turn.ignore_sigterm()
    turn.say("before")
    await claw.chat_event("idem-late", "delta")
    await claw.call("chat.abort", {"sessionKey": "main"})
    turn.say("should be suppressed")
    turn.finish()
    await turn.wait_gone()
    await finish_another_run(claw, command_agent, "idem-after")
    states = [f["payload"]["state"] for f in claw.seen if is_chat("idem-late")(f)]
    assert (states[-1], states.count("aborted"), states.count("final")) == ("aborted", 1, 0)
    texts = [text for _, text in await claw.texts()]
    assert texts == ["hello", "another turn", "done"]


async def test_stop_word_starts_no_command(
    commanded: Daemon, guests: Guests, command_agent: CommandAgent
) -> None:
    """`/stop` ends the running command and starts none of its own."""
    claw = await guests.openclaw(commanded)
    await claw.chat_send("idem-stop-run")
    turn = await command_agent.next_turn()
    stop = await claw.call("chat.send", send_params("idem-stop-req", "/stop"))
    assert stop == {"ok": True, "aborted": True, "runIds": ["idem-stop-run"]}
    await claw.chat_event("idem-stop-run", "aborted")
    await turn.wait_gone()
    await finish_another_run(claw, command_agent, "idem-after-stop")
    assert command_agent.turn_count == 2


async def test_same_key_is_one_process(
    commanded: Daemon, guests: Guests, command_agent: CommandAgent
) -> None:
    """`started`, `in_flight`, `ok` of one key are one process and one line in the history."""
    claw = await guests.openclaw(commanded)
    assert (await claw.chat_send("idem-status-1"))["status"] == "started"
    turn = await command_agent.next_turn()
    assert (await claw.chat_send("idem-status-1"))["status"] == "in_flight"
    turn.say("once")
    turn.finish()
    await claw.chat_event("idem-status-1", "final")
    assert (await claw.chat_send("idem-status-1"))["status"] == "ok"
    assert command_agent.turn_count == 1
    assert await claw.texts() == [("user", "hello"), ("assistant", "once")]


async def test_abort_under_another_session_leaves_the_command_alone(
    commanded: Daemon, guests: Guests, command_agent: CommandAgent
) -> None:
    """A mismatching session key is INVALID_REQUEST and the process goes on to its answer."""
    claw = await guests.openclaw(commanded)
    await claw.chat_send("idem-mismatch-1")
    turn = await command_agent.next_turn()
    params = {"sessionKey": "other", "runId": "idem-mismatch-1"}
    assert (await claw.fail("chat.abort", params))["code"] == "INVALID_REQUEST"
    turn.say("alive")
    turn.finish()
    final = await claw.chat_event("idem-mismatch-1", "final")
    assert text_of(final["message"]) == "alive"


async def test_two_finals_come_in_order(
    commanded: Daemon, guests: Guests, command_agent: CommandAgent
) -> None:
    """Two messages of one session are two processes, each final under its own run id."""
    claw = await guests.openclaw(commanded)
    await claw.chat_send("idem-1", "first")
    await claw.chat_send("idem-2", "second")
    for key, word in (("idem-1", "one"), ("idem-2", "two")):
        turn = await command_agent.next_turn()
        turn.say(word)
        turn.finish()
        event = await claw.chat_event(key, *TERMINAL)
        assert (event["state"], text_of(event["message"])) == ("final", word)
    assert [text for _, text in await claw.texts()] == ["first", "one", "second", "two"]


async def test_failing_command_is_an_error(
    commanded: Daemon, guests: Guests, command_agent: CommandAgent
) -> None:
    """A command that exits with another code than 0 ends its run in `error`, once."""
    claw = await guests.openclaw(commanded)
    await claw.chat_send("idem-exit-3")
    (await command_agent.next_turn()).finish(3)
    event = await claw.chat_event("idem-exit-3", *TERMINAL)
    assert event["state"] == "error"
    assert "3" in event["errorMessage"]
    again = await claw.answer("chat.send", send_params("idem-exit-3"))
    assert (again["ok"], again["payload"]["status"]) == (False, "error")
    assert command_agent.turn_count == 1


@pytest.mark.parametrize("end", ["stop", "kill"])
async def test_no_command_outlives_its_daemon(
    commanded: Daemon, guests: Guests, command_agent: CommandAgent, end: str
) -> None:
    """A stop ends the commands; after a crash a restarted daemon does not run them again."""
    claw = await guests.openclaw(commanded)
    await claw.chat_send("idem-outlive")
    turn = await command_agent.next_turn()
    if end == "stop":
        await commanded.stop()
    else:
        commanded.kill()
    await turn.wait_gone()
    await commanded.start()
    claw = await guests.openclaw(commanded)
    await finish_another_run(claw, command_agent, "idem-after-restart")
    assert command_agent.turn_count == 2
