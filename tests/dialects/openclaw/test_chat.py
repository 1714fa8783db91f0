"""``chat.send``, ``chat.abort`` and slash commands beyond what the conversations show."""

import asyncio

import pytest

from hubbub.dialects.openclaw.settings import OpenclawSettings
from tests.dialects.openclaw.clients import Frame
from tests.dialects.openclaw.house import Guest, House


def message(key: str, text: str = "hello", session: str = "main", **more: object) -> Frame:
    """Give the parameters of ``chat.send``."""
    return {"sessionKey": session, "message": text, "idempotencyKey": key, **more}


@pytest.mark.parametrize(
    ("params", "problem"),
    [
        (7, "must be object"),
        (message(""), "at /idempotencyKey: must NOT have fewer than 1 characters"),
        (message("k", session=""), "at /sessionKey: must NOT have fewer than 1 characters"),
        (message("k", timeoutMs=-1), "at /timeoutMs: must be >= 0"),
        (message("k", thinking=7), "at /thinking: must be string"),
        (message("k", deliver="no"), "at /deliver: must be boolean"),
        (message("k", attachments={}), "at /attachments: must be array"),
        (message("k", attachments=[7]), "at /attachments/0: must be object"),
        (message("k", model="x"), "at root: unexpected property 'model'"),
    ],
)
async def test_wrong_parameters_start_nothing(
    house: House, guest: Guest, params: object, problem: str
) -> None:
    """The text names every problem, and no run comes of it."""
    assert await guest.refused("chat.send", params) == f"invalid chat.send params: {problem}"
    assert house.hub.chat.running() == []


@pytest.mark.parametrize("text", ["", "  ", "\n"])
async def test_blank_message_needs_an_attachment(guest: Guest, text: str) -> None:
    """A message without text is refused, unless it brings an image."""
    assert await guest.refused("chat.send", message("k", text)) == "message or attachment required"


async def test_attachments(house: House, guest: Guest) -> None:
    """Bad base64 is named, what has no content is dropped, an image reaches the agent."""
    broken = message("k0", attachments=[{"content": "?", "fileName": "a.png"}])
    text = "Error: attachment a.png: invalid base64 content"
    assert await guest.refused("chat.send", broken) == text
    png = "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJ"
    files = [{}, {"content": 7}, {"content": ""}, {"content": png, "mimeType": "image/png"}]
    sent = await guest.call("chat.send", message("k1", attachments=files))
    assert sent["status"] == "started"
    await house.agent.finish("k1")
    await guest.event("chat", runId="k1", state="final")
    history = await guest.call("chat.history", {"sessionKey": "main"})
    kinds = [block["type"] for block in history["messages"][0]["content"]]
    assert kinds == ["text", "image"]


async def test_send_policy_of_a_session(guest: Guest) -> None:
    """A session that denies messages takes none."""
    await guest.call("sessions.patch", {"key": "main", "sendPolicy": "deny"})
    refused = await guest.refused("chat.send", message("k"))
    assert refused == "send blocked by session policy"


async def test_thinking_of_one_message(house: House, guest: Guest) -> None:
    """A thinking level that comes with a message is for its turn alone."""
    await guest.call("chat.send", message("k1", thinking="high"))
    await house.agent.finish("k1")
    await guest.event("chat", runId="k1", state="final")
    await guest.call("chat.send", message("k2"))
    await house.agent.began("k2")
    assert [turn.thinking for turn in house.agent.turns] == ["high", None]


async def test_deltas_come_at_a_bounded_pace(house: House, guest: Guest) -> None:
    """The first at once, then one per 150 ms, each with the whole text; none is lost."""
    await guest.call("chat.send", message("k1"))
    await house.agent.say("k1", "a")
    await guest.event("chat", state="delta")
    house.timers.advance(0.149)
    for letter in "bcd":
        await house.agent.say("k1", letter)
    await guest.done()
    while house.hub.chat.running()[0].text != "abcd":
        await house.hub.journal.settled()
        await house.agent.say("k1", "")
        await guest.call("health")
    assert [f for f in guest.unread() if f.get("event") == "chat"] == []
    house.timers.advance(0.001)
    delta = await guest.event("chat", state="delta")
    assert delta["message"]["content"] == [{"type": "text", "text": "abcd"}]
    await house.agent.finish("k1")
    final = await guest.event("chat", state="final")
    assert final["message"]["content"][0]["text"] == "abcd"
    assert house.timers.waiting == 0


async def test_abort_of_everything_in_a_session(house: House, guest: Guest) -> None:
    """Without a run, all of the session's runs are aborted, and no other session's."""
    for key, session in (("k1", "main"), ("k2", "main"), ("k3", "other")):
        await guest.call("chat.send", message(key, session=session))
    answer = await guest.call("chat.abort", {"sessionKey": "agent:main:main"})
    assert answer == {"ok": True, "aborted": True, "runIds": ["k1", "k2"]}
    assert [running.run_id for running in house.hub.chat.running()] == ["k3"]
    again = await guest.call("chat.abort", {"sessionKey": "main"})
    assert again == {"ok": True, "aborted": False, "runIds": []}


async def test_send_and_abort_in_one_breath(house: House, guest: Guest) -> None:
    """An abort right behind its send finds the run; a retry behind it starts no other."""
    send = guest.request("chat.send", message("k1"))
    abort = guest.request("chat.abort", {"sessionKey": "main", "runId": "k1"})
    retry = guest.request("chat.send", message("k1"))
    answers: dict[str, Frame] = {}
    while len(answers) < 3:
        frame = await guest.next()
        if frame["type"] == "res":
            answers[frame["id"]] = frame["payload"]
    assert answers[send]["status"] == "started"
    assert answers[abort]["runIds"] == ["k1"]
    assert answers[retry] == {"runId": "k1", "status": "ok"}


async def test_nothing_of_a_run_is_told_after_its_end(house: House, guest: Guest) -> None:
    """Text and tools that come in late, from whatever source, are told to nobody."""
    late = {"session_key": "agent:main:main", "run_id": "k0", "text": "x", "delta": "x"}
    house.tell("chat/agent:main:main", "chat.delta", late)
    house.tell("chat/agent:main:main", "chat.tool", {**late, "tool": {"phase": "start"}})
    assert guest.unread() == []


async def test_slow_client_misses_deltas_and_no_more(house: House, guest: Guest) -> None:
    """Deltas may be dropped for a client that is too slow, the rest of a run may not."""
    await guest.call("chat.send", message("k1"))
    await house.agent.say("k1", "a")
    await guest.event("chat", state="delta")
    await house.agent.finish("k1")
    await guest.event("chat", state="final")
    house.dialect._room.tick()  # noqa: SLF001 the loop's own tick comes every 30 s
    assert guest.outbox.droppable == ["chat", "tick"]


class TestLastEvent:
    """What is told no sooner than a client can bear it."""

    @pytest.fixture
    def settings(self) -> OpenclawSettings:
        """Give the delay at its default."""
        return OpenclawSettings()

    @pytest.mark.parametrize(
        ("text", "answer"),
        [
            ("/think", "thinkingLevel is not set."),
            ("/THINK high", "thinkingLevel is now high."),
            ("/think much", "invalid thinkingLevel (use off|minimal|low|medium|high|xhigh)."),
            ("/verbose on", "verboseLevel is now on."),
            ("/new", "A new conversation begins."),
            ("/reset", "A new conversation begins."),
            ("/help", "/help: this list"),
            ("/status", "hubbub "),
        ],
    )
    async def test_slash_command(self, house: House, guest: Guest, text: str, answer: str) -> None:
        """The gateway answers by itself; the agent hears nothing of it."""
        sent = await guest.call("chat.send", message("k1", text))
        assert sent == {"runId": "k1", "status": "started"}
        assert guest.unread() == []
        house.timers.advance(0.05)
        final = await guest.event("chat", runId="k1")
        assert (final["state"], final["seq"]) == ("final", 1)
        assert final["message"]["content"][0]["text"].startswith(answer)
        assert house.agent.turns == []

    async def test_status_command_tells_what_is_set(self, house: House, guest: Guest) -> None:
        """What was set by a command is in the session's status."""
        await guest.call("chat.send", message("k1", "/think high"))
        await guest.call("chat.send", message("k2", "/status"))
        house.timers.advance(0.05)
        final = await guest.event("chat", runId="k2")
        assert final["message"]["content"][0]["text"].endswith("\nthinkingLevel high")
        await guest.call("chat.send", message("k3", "/think"))
        house.timers.advance(0.05)
        final = await guest.event("chat", runId="k3")
        assert final["message"]["content"][0]["text"] == "thinkingLevel is high."

    async def test_quick_run_ends_behind_the_answer_to_its_message(
        self, house: House, guest: Guest
    ) -> None:
        """A run that ends at once is told to have ended a moment after it was accepted."""
        await guest.call("chat.send", message("k1"))
        await house.agent.finish("k1")
        await guest.event("agent", seq=2)
        house.timers.advance(0.049)
        assert guest.unread() == []
        assert (await guest.call("chat.send", message("k1")))["status"] == "ok"
        house.timers.advance(0.001)
        assert (await guest.next())["payload"]["state"] == "final"

    async def test_slow_run_ends_when_it_ends(self, house: House, guest: Guest) -> None:
        """A run that took its time has nothing to wait for."""
        await guest.call("chat.send", message("k1"))
        house.timers.advance(0.05)
        await house.agent.fail("k1", "no fuel")
        assert (await guest.event("chat"))["state"] == "error"
        assert house.timers.waiting == 0

    async def test_last_event_is_told_before_the_door_stops(
        self, house: House, guest: Guest
    ) -> None:
        """A stop of the daemon does not swallow the end of a run."""
        await guest.call("chat.send", message("k1"))
        await house.agent.finish("k1")
        await guest.event("agent", seq=2)
        work = asyncio.create_task(house.dialect.run())
        await guest.event("health")
        work.cancel()
        await asyncio.gather(work, return_exceptions=True)
        assert (await guest.event("chat"))["state"] == "final"
        assert house.timers.waiting == 0


async def test_new_conversation_begins_once(guest: Guest) -> None:
    """A `/new` that is sent twice under one key resets once."""
    await guest.call("chat.send", message("k1", "/new"))
    first = await guest.call("chat.history", {"sessionKey": "main"})
    again = await guest.call("chat.send", message("k1", "/new"))
    assert again == {"runId": "k1", "status": "ok"}
    assert await guest.call("chat.history", {"sessionKey": "main"}) == first


async def test_unknown_command_goes_to_the_agent(house: House, guest: Guest) -> None:
    """What only looks like a command is a message."""
    await guest.call("chat.send", message("k1", "/etc/hosts is what?"))
    await house.agent.began("k1")
    assert house.agent.turns[0].message == "/etc/hosts is what?"


async def test_key_that_cannot_be_a_session(guest: Guest) -> None:
    """A session key of no usable form is refused in words."""
    for method, params in (
        ("chat.history", {"sessionKey": "agent:"}),
        ("chat.send", message("k", session="agent:x")),
        ("chat.abort", {"sessionKey": "\n"}),
        ("chat.inject", {"sessionKey": "agent::", "message": "m"}),
        ("agent.identity.get", {"sessionKey": "agent:x"}),
    ):
        assert "session key" in await guest.refused(method, params)
