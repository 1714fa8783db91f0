"""Seed 003: what an idempotency key answers, and the order and shape of a run's events."""

from itertools import pairwise

from tests.clients.frames import Frame
from tests.clients.guests import Guests
from tests.clients.model_server import API_KEY, ModelServer
from tests.clients.openclaw import TERMINAL, is_answer, is_chat, send_params, text_of
from tests.clients.waiting import eventually
from tests.daemon import Daemon
from tests.seeds.chat_rooms import chat_states, finish_another_run, terminals


async def test_same_key_is_started_then_in_flight_then_ok(
    modelled: Daemon, guests: Guests, model: ModelServer
) -> None:
    """One key is one run: `started`, `in_flight` while it runs, `ok` afterwards, one model call."""
    claw = await guests.openclaw(modelled)
    key = "idem-status-1"
    assert await claw.chat_send(key) == {"runId": key, "status": "started"}
    turn = await model.next_turn()
    assert await claw.chat_send(key) == {"runId": key, "status": "in_flight"}
    turn.say("done")
    turn.finish()
    await claw.chat_event(key, "final")
    assert await claw.chat_send(key) == {"runId": key, "status": "ok"}

    await finish_another_run(claw, model, "idem-status-2")
    assert [turn.prompt for turn in model.turns] == ["hello", "another turn"]
    assert (await claw.texts())[:2] == [("user", "hello"), ("assistant", "done")]
    assert terminals(claw, key) == ["final"]


async def test_same_key_pipelined_starts_one_run(
    modelled: Daemon, guests: Guests, model: ModelServer
) -> None:
    """Twenty sends of one key at once start one run; the others hear `in_flight`."""
    sockets = [await guests.openclaw(modelled) for _ in range(4)]
    asked = [(s, await s.post("chat.send", send_params("idem-burst"))) for s in sockets * 5]
    answers = [(await socket.result(request_id))["payload"] for socket, request_id in asked]
    assert sorted(a["status"] for a in answers) == ["in_flight"] * 19 + ["started"]
    turn = await model.next_turn()
    turn.finish()
    await sockets[0].chat_event("idem-burst", "final")
    assert len(model.turns) == 1


async def test_same_key_after_an_abort_is_ok_at_once(
    modelled: Daemon, guests: Guests, model: ModelServer
) -> None:
    """A retry right behind the abort finds a finished run and starts no second one."""
    claw = await guests.openclaw(modelled)
    await claw.chat_send("idem-aborted")
    await model.next_turn()
    abort = await claw.post("chat.abort", {"sessionKey": "main", "runId": "idem-aborted"})
    retry = await claw.post("chat.send", send_params("idem-aborted"))
    await claw.result(abort)
    assert (await claw.result(retry))["payload"]["status"] == "ok"
    await finish_another_run(claw, model, "idem-next")
    assert len(model.turns) == 2


async def test_same_key_with_another_message_is_a_conflict(
    modelled: Daemon, guests: Guests, model: ModelServer
) -> None:
    """A key that stands for other words is refused, and the model hears nothing of it."""
    model.auto_reply = "done"
    claw = await guests.openclaw(modelled)
    await claw.chat_send("idem-conflict", "first words")
    await claw.chat_event("idem-conflict", "final")
    error = await claw.fail("chat.send", send_params("idem-conflict", "other words"))
    assert error["code"] == "INVALID_REQUEST"
    assert [turn.prompt for turn in model.turns] == ["first words"]


async def test_same_key_after_a_restart_is_still_ok(
    modelled: Daemon, guests: Guests, model: ModelServer
) -> None:
    """A finished run's key answers `ok` also from a daemon that was killed and started again."""
    model.auto_reply = "done"
    claw = await guests.openclaw(modelled)
    await claw.chat_send("idem-restart")
    await claw.chat_event("idem-restart", "final")
    await modelled.restart()
    claw = await guests.openclaw(modelled)
    assert await claw.chat_send("idem-restart") == {"runId": "idem-restart", "status": "ok"}
    assert await claw.texts() == [("user", "hello"), ("assistant", "done")]
    assert len(model.turns) == 1


async def test_same_key_after_a_failure_tells_the_failure(
    modelled: Daemon, guests: Guests, model: ModelServer
) -> None:
    """A run whose model failed ends in `error`; its key then answers UNAVAILABLE with the text."""
    model.fail_always = 500
    claw = await guests.openclaw(modelled)
    await claw.chat_send("idem-failed")
    event = await claw.chat_event("idem-failed", *TERMINAL)
    assert event["state"] == "error"
    assert event["errorMessage"]

    again = await claw.answer("chat.send", send_params("idem-failed"))
    assert (again["ok"], again["error"]["code"]) == (False, "UNAVAILABLE")
    assert (again["payload"]["runId"], again["payload"]["status"]) == ("idem-failed", "error")
    assert again["payload"]["summary"]
    assert terminals(claw, "idem-failed") == ["error"]


async def test_started_is_answered_before_the_run_does_anything(
    modelled: Daemon, guests: Guests, model: ModelServer
) -> None:
    """The answer precedes every event of the run on that socket."""
    model.auto_reply = "quick"
    claw = await guests.openclaw(modelled)
    request_id = await claw.post("chat.send", send_params("idem-order"))
    await claw.chat_event("idem-order", "final")
    mine = [
        frame
        for frame in claw.seen
        if is_answer(request_id)(frame) or _run_of(frame) == "idem-order"
    ]
    assert is_answer(request_id)(mine[0])


async def test_events_of_a_good_run_come_in_order(
    modelled: Daemon, guests: Guests, model: ModelServer
) -> None:
    """Lifecycle start, then text, lifecycle end, then the one final; `seq` rises in the run."""
    claw = await guests.openclaw(modelled)
    await claw.chat_send("idem-shape")
    turn = await model.next_turn()
    turn.say("Hello")
    turn.say(", world")
    turn.finish()
    await claw.chat_event("idem-shape", "final")

    mine = [frame for frame in claw.seen if _run_of(frame) == "idem-shape"]
    steps = [_step(frame) for frame in mine]
    assert steps[0] == "lifecycle start"
    assert steps[-2:] == ["lifecycle end", "chat final"]
    assert steps.index("assistant") < steps.index("chat delta")
    agent_seqs = [f["payload"]["seq"] for f in mine if f["event"] == "agent"]
    assert agent_seqs == list(range(1, len(agent_seqs) + 1))
    chat_seqs = [f["payload"]["seq"] for f in mine if f["event"] == "chat"]
    assert chat_seqs == sorted(chat_seqs)


def _run_of(frame: Frame) -> str:
    payload = frame.get("payload")
    return str(payload.get("runId", "")) if frame["type"] == "event" and payload else ""


def _step(frame: Frame) -> str:
    payload = frame["payload"]
    if frame["event"] == "chat":
        return f"chat {payload['state']}"
    if payload["stream"] == "lifecycle":
        return f"lifecycle {payload['data']['phase']}"
    return str(payload["stream"])


async def test_deltas_carry_the_whole_text_so_far(
    modelled: Daemon, guests: Guests, model: ModelServer
) -> None:
    """Each delta extends the one before, there are fewer than chunks, the final has it all."""
    claw = await guests.openclaw(modelled)
    await claw.chat_send("idem-delta")
    turn = await model.next_turn()
    turn.say("first ")
    first = await claw.chat_event("idem-delta", "delta")
    words = [f"word{n} " for n in range(400)]
    for word in words:
        turn.say(word)
    turn.finish()
    final = await claw.chat_event("idem-delta", "final")

    assert first["message"]["role"] == "assistant"
    assert text_of(first["message"]) == "first "
    events = [f["payload"] for f in claw.seen if is_chat("idem-delta", "delta")(f)]
    texts = [text_of(event["message"]) for event in events]
    for shorter, longer in pairwise(texts):
        assert longer.startswith(shorter)
        assert len(longer) > len(shorter)
    assert len(texts) < len(words)
    assert text_of(final["message"]) == ("first " + "".join(words)).strip()


async def test_final_without_text_has_no_message(
    modelled: Daemon, guests: Guests, model: ModelServer
) -> None:
    """A run that produced nothing ends in a final that has no message."""
    claw = await guests.openclaw(modelled)
    await claw.chat_send("idem-silent")
    (await model.next_turn()).finish()
    final = await claw.chat_event("idem-silent", *TERMINAL)
    assert (final["state"], "message" in final) == ("final", False)


async def test_history_holds_the_answer_before_the_final_is_told(
    modelled: Daemon, guests: Guests, model: ModelServer
) -> None:
    """Whoever reloads the history at the final finds the answer in it."""
    model.auto_reply = "told means stored"
    claw = await guests.openclaw(modelled)
    for n in range(5):
        await claw.chat_send(f"idem-reload-{n}", f"ask {n}")
        await claw.chat_event(f"idem-reload-{n}", "final")
        assert (await claw.texts())[-2:] == [
            ("user", f"ask {n}"),
            ("assistant", "told means stored"),
        ]


async def test_two_finals_of_one_session_come_in_order(
    modelled: Daemon, guests: Guests, model: ModelServer
) -> None:
    """Two messages of one session each get a final under their own run id, first sent first."""
    claw = await guests.openclaw(modelled)
    assert (await claw.chat_send("idem-1", "first"))["status"] == "started"
    assert (await claw.chat_send("idem-2", "second"))["status"] == "started"
    first = await model.next_turn()
    assert first.prompt == "first"
    assert (await claw.chat_send("idem-2", "second"))["status"] == "in_flight"
    first.say("one")
    first.finish()
    assert text_of((await claw.chat_event("idem-1", "final"))["message"]) == "one"
    second = await model.next_turn()
    assert second.prompt == "second"
    second.say("two")
    second.finish()
    assert text_of((await claw.chat_event("idem-2", "final"))["message"]) == "two"

    assert terminals(claw, "idem-1") == terminals(claw, "idem-2") == ["final"]
    assert [text for _, text in await claw.texts()] == ["first", "one", "second", "two"]


async def test_finals_of_two_sessions_do_not_wait_for_each_other(
    modelled: Daemon, guests: Guests, model: ModelServer
) -> None:
    """The run that ends first is told first, whichever was started first."""
    claw = await guests.openclaw(modelled)
    await claw.chat_send("idem-a", "to a", session="a")
    slow = await model.next_turn()
    await claw.chat_send("idem-b", "to b", session="b")
    quick = await model.next_turn()
    quick.say("b is done")
    quick.finish()
    assert (await claw.chat_event("idem-b", "final"))["sessionKey"] == "b"
    assert terminals(claw, "idem-a") == []
    slow.say("a is done")
    slow.finish()
    assert (await claw.chat_event("idem-a", "final"))["sessionKey"] == "a"


async def test_abort_of_a_waiting_run_never_reaches_the_model(
    modelled: Daemon, guests: Guests, model: ModelServer
) -> None:
    """A run aborted while it waits for its session is aborted, once, and its model never asked."""
    claw = await guests.openclaw(modelled)
    await claw.chat_send("idem-runs", "runs")
    running = await model.next_turn()
    await claw.chat_send("idem-waits", "waits")
    abort = await claw.call("chat.abort", {"sessionKey": "main", "runId": "idem-waits"})
    assert abort["runIds"] == ["idem-waits"]
    running.say("done")
    running.finish()
    await claw.chat_event("idem-runs", "final")
    await finish_another_run(claw, model, "idem-last")
    assert [turn.prompt for turn in model.turns] == ["runs", "another turn"]
    assert chat_states(claw, "idem-waits") == ["aborted"]


async def test_every_operator_sees_the_run(
    modelled: Daemon, guests: Guests, model: ModelServer
) -> None:
    """Events go to every connection, in the spelling of whoever sent, `seq` without a hole."""
    model.auto_reply = "for all"
    claw, other = await guests.openclaw(modelled), await guests.openclaw(modelled)
    await claw.chat_send("idem-seen")
    for socket in (claw, other):
        final = await socket.chat_event("idem-seen", "final")
        assert (final["sessionKey"], text_of(final["message"])) == ("main", "for all")
        seqs = [frame["seq"] for frame in socket.seen if "seq" in frame]
        assert seqs == list(range(seqs[0], seqs[0] + len(seqs)))


async def test_run_survives_the_connection_that_started_it(
    modelled: Daemon, guests: Guests, model: ModelServer
) -> None:
    """The sender may go; the run ends as it would have, and its answer is in the history."""
    claw, watcher = await guests.openclaw(modelled), await guests.openclaw(modelled)
    await claw.chat_send("idem-left-alone")
    turn = await model.next_turn()
    claw.drop()
    turn.say("still talking")
    turn.finish()
    await watcher.chat_event("idem-left-alone", "final")
    assert await watcher.texts() == [("user", "hello"), ("assistant", "still talking")]


async def test_model_is_asked_with_the_conversation_and_the_key(
    modelled: Daemon, guests: Guests, model: ModelServer
) -> None:
    """The model gets the whole conversation in order, the configured model name and the key."""
    model.auto_reply = "pong"
    claw = await guests.openclaw(modelled)
    for n in range(2):
        await claw.chat_send(f"idem-ask-{n}", f"ping {n}")
        await claw.chat_event(f"idem-ask-{n}", "final")
    body = model.turns[-1].body
    said = [(m["role"], text_of(m)) for m in body["messages"] if m["role"] != "system"]
    assert said == [("user", "ping 0"), ("assistant", "pong"), ("user", "ping 1")]
    assert body["model"] == "test-model"
    assert model.turns[-1].authorization == f"Bearer {API_KEY}"


async def test_run_interrupted_by_a_crash_is_not_run_again(
    modelled: Daemon, guests: Guests, model: ModelServer
) -> None:
    """After a kill in the middle of a run its key tells how it ended and the model is not asked."""
    claw = await guests.openclaw(modelled)
    await claw.chat_send("idem-crash")
    turn = await model.next_turn()
    modelled.kill()
    await turn.wait_dropped()
    await modelled.start()
    claw = await guests.openclaw(modelled)

    async def told() -> bool:
        answer = await claw.answer("chat.send", send_params("idem-crash"))
        return bool(answer["payload"]["status"] != "in_flight")

    await eventually(told, what="the end of the interrupted run")
    await finish_another_run(claw, model, "idem-after-crash")
    assert [turn.prompt for turn in model.turns] == ["hello", "another turn"]
    users = [text for role, text in await claw.texts() if role == "user"]
    assert users == ["hello", "another turn"]
