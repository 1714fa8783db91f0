"""The page's chat: what is sent stands there once, and a second message does what was chosen."""

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Literal

import pytest
from playwright.async_api import Browser

from tests.browser.axe import serious_findings
from tests.browser.visitor import Visitor, visiting
from tests.clients.command_agent import CommandAgent
from tests.clients.guests import Guests
from tests.clients.rpc import RpcSocket
from tests.clients.waiting import eventually
from tests.conftest import StartDaemon
from tests.daemon import Daemon


SESSION = "agent:main:main"
PNG = bytes.fromhex(
    "89504e470d0a1a0a0000000d4948445200000001000000010806000000"
    "1f15c4890000000d49444154789c6360f8cfc000000301010018dd8db00000000049454e44ae426082"
)
MOST_IMAGE_BYTES = 5_000_000

COUNT = """() => {
  window.most = 0;
  const look = () => {
    const count = document.querySelectorAll('.message[data-role="user"]').length;
    window.most = Math.max(window.most, count);
  };
  const messages = document.querySelector(".messages");
  new MutationObserver(look).observe(messages, { childList: true, subtree: true });
}"""
"""Keeps how many of a person's messages stood on the page at most."""


@pytest.fixture
async def talking(start_daemon: StartDaemon, command_agent: CommandAgent) -> Daemon:
    """A daemon whose default agent the test plays."""
    return await start_daemon(command_agent.agent_config())


@pytest.fixture
async def rpc(talking: Daemon, guests: Guests) -> RpcSocket:
    """A connection beside the page."""
    return await guests.rpc(talking)


@pytest.fixture
async def talker(browser: Browser, talking: Daemon) -> AsyncIterator[Visitor]:
    """Somebody at the page, in the main conversation."""
    async with visiting(browser, talking) as visitor:
        await visitor.open("chat", SESSION)
        yield visitor


async def say(visitor: Visitor, text: str) -> None:
    """Write a message and send it by the key."""
    box = visitor.page.get_by_role("textbox", name="Message")
    await box.fill(text)
    await box.press("Enter")


async def said(rpc: RpcSocket) -> list[tuple[str, str]]:
    """Give what the history says, each with its role."""
    history = await rpc.call("chat.history", {"session": SESSION})
    return [
        (message["role"], "".join(block.get("text", "") for block in message["content"]))
        for message in history["messages"]
    ]


async def shows(visitor: Visitor, wanted: list[tuple[str, str]]) -> None:
    """Wait until the page shows these messages as stored, and no other."""
    script = """() => [...document.querySelectorAll(".message:not([data-live])")].map((message) =>
      [message.dataset.role, message.querySelector(".message-text")?.textContent ?? ""])"""

    async def look() -> bool:
        found = await visitor.call(script)
        return [tuple(each) for each in found] == wanted

    await eventually(look, what=f"{wanted} on the page")


async def test_message_stands_there_once(
    talker: Visitor, rpc: RpcSocket, command_agent: CommandAgent
) -> None:
    """What is sent is shown at once, becomes the stored one, and is never there twice."""
    await talker.call(COUNT)
    await say(talker, "hello")
    turn = await command_agent.next_turn()
    turn.say(json.dumps({"text": "Good "}))
    await talker.page.locator(".live-mark").wait_for()
    turn.say(json.dumps({"text": "day"}))
    turn.finish()
    await shows(talker, [("user", "hello"), ("assistant", "Good day")])
    assert await said(rpc) == [("user", "hello"), ("assistant", "Good day")]
    assert await talker.call("window.most") == 1


async def test_stop_ends_the_turn(
    talker: Visitor, rpc: RpcSocket, command_agent: CommandAgent
) -> None:
    """Nothing of a stopped answer stays, and the page says so."""
    await say(talker, "hello")
    (await command_agent.next_turn()).say(json.dumps({"text": "Well"}))
    await talker.page.get_by_text("Well").wait_for()
    await talker.page.get_by_role("button", name="Stop").click()
    await talker.page.get_by_text("Nothing of the answer was kept").wait_for()
    await shows(talker, [("user", "hello")])
    assert await said(rpc) == [("user", "hello")]


@pytest.mark.parametrize(
    ("choice", "stays"),
    [
        ("Interrupt", [("user", "first"), ("assistant", "Well"), ("user", "second")]),
        ("Roll back", [("user", "second")]),
    ],
)
async def test_second_message_does_what_was_chosen(
    talker: Visitor,
    rpc: RpcSocket,
    command_agent: CommandAgent,
    choice: str,
    stays: list[tuple[str, str]],
) -> None:
    """An open turn gives way as the choice says; the same stands in the history."""
    await say(talker, "first")
    (await command_agent.next_turn()).say(json.dumps({"text": "Well"}))
    await talker.page.get_by_text("Well").wait_for()
    await talker.page.get_by_role("radio", name=choice).check()
    await say(talker, "second")
    turn = await command_agent.next_turn()
    turn.say(json.dumps({"text": "So be it"}))
    turn.finish()
    await shows(talker, [*stays, ("assistant", "So be it")])
    assert await said(rpc) == [*stays, ("assistant", "So be it")]


async def test_refused_message_can_be_sent_otherwise(
    talker: Visitor, rpc: RpcSocket, command_agent: CommandAgent
) -> None:
    """A message that was not to wait stays on the page, with the choices; one makes it go."""
    await say(talker, "first")
    first = await command_agent.next_turn()
    await talker.page.get_by_role("radio", name="Refuse").check()
    await say(talker, "second")
    refused = talker.page.locator('[data-state="refused"]')
    await refused.get_by_role("button", name="Wait in line").click()
    await talker.page.locator('[data-state="queued"]').wait_for()
    first.say("One")
    first.finish()
    second = await command_agent.next_turn()
    second.say("Two")
    second.finish()
    wanted = [("user", "first"), ("assistant", "One"), ("user", "second"), ("assistant", "Two")]
    await shows(talker, wanted)
    assert await said(rpc) == wanted


async def test_queued_message_can_be_taken_back(
    talker: Visitor, command_agent: CommandAgent
) -> None:
    """It is shown as waiting in line, and its turn never begins once it was taken back."""
    await say(talker, "first")
    first = await command_agent.next_turn()
    await say(talker, "second")
    await talker.page.get_by_role("button", name="Take it back").click()
    await talker.page.locator('[data-state="queued"]').wait_for(state="detached")
    first.say("One")
    first.finish()
    await talker.page.locator(".live-mark").wait_for(state="detached")
    assert command_agent.turn_count == 1


async def test_failed_turn_says_why(talker: Visitor, command_agent: CommandAgent) -> None:
    """The error stands where the answer would."""
    await say(talker, "hello")
    turn = await command_agent.next_turn()
    turn.say(json.dumps({"error": "no luck today"}))
    turn.finish()
    await talker.page.locator(".message-error", has_text="no luck today").wait_for()


async def test_image_goes_with_a_message(
    talker: Visitor, rpc: RpcSocket, command_agent: CommandAgent, tmp_path: Path
) -> None:
    """It is shown before it is sent and after; one that is too large is refused before."""
    small, large = tmp_path / "small.png", tmp_path / "large.png"
    small.write_bytes(PNG)
    large.write_bytes(PNG + bytes(MOST_IMAGE_BYTES))
    chooser = talker.page.locator('input[type="file"]')
    await chooser.set_input_files([large])
    await talker.page.get_by_text("large.png is not attached").wait_for()
    await chooser.set_input_files([small])
    await talker.page.get_by_role("img", name="small.png").wait_for()
    await say(talker, "look")
    await talker.page.get_by_role("img", name="An image in this message").wait_for()
    (await command_agent.next_turn()).finish()
    (message,) = (await rpc.call("chat.history", {"session": SESSION}))["messages"]
    assert [block["type"] for block in message["content"]] == ["text", "image"]


async def test_session_is_renamed_and_deleted(
    talker: Visitor, rpc: RpcSocket, command_agent: CommandAgent
) -> None:
    """A label is shown in the list; a deletion asks first, and is not offered for the main one."""
    await say(talker, "hello")
    (await command_agent.next_turn()).finish()
    await talker.page.get_by_role("button", name="Rename").wait_for()
    assert await talker.page.get_by_role("button", name="Delete").count() == 0
    await talker.see("chat", "agent:main:aside")
    await say(talker, "hello")
    (await command_agent.next_turn()).finish()
    await talker.page.get_by_role("button", name="Rename").click()
    await talker.page.get_by_label("Label").fill("Small talk")
    await talker.page.keyboard.press("Enter")
    await talker.page.locator(".session", has_text="Small talk").wait_for()
    await talker.page.get_by_role("button", name="Delete").click()
    await talker.page.get_by_role("dialog").get_by_role("button", name="Delete").click()
    await talker.page.locator(".session", has_text="Small talk").wait_for(state="detached")
    sessions = (await rpc.call("chat.sessions"))["sessions"]
    assert [session["session"] for session in sessions] == [SESSION]


async def test_newest_words_stay_in_sight(talker: Visitor, command_agent: CommandAgent) -> None:
    """On a phone the page follows what is said, until somebody goes up."""
    await talker.page.set_viewport_size({"width": 360, "height": 740})
    await say(talker, "hello")
    turn = await command_agent.next_turn()
    scroller = talker.page.get_by_role("region", name="Conversation").last

    async def is_at_end() -> bool:
        script = "(it) => it.scrollHeight - it.scrollTop - it.clientHeight < 2"
        return bool(await scroller.evaluate(script))

    for number in range(4):
        turn.say(json.dumps({"text": f"line {number}\n" * 30}))
        await talker.page.get_by_text(f"line {number}").wait_for()
        await eventually(is_at_end, what="the end in sight")
    await scroller.evaluate("(it) => it.scrollTo(0, 100)")
    turn.say(json.dumps({"text": "the last line\n" * 30}))
    await talker.page.get_by_text("the last line").wait_for()
    assert not await is_at_end()
    await talker.page.get_by_role("textbox", name="Message").fill("a line\n" * 8)
    assert not await is_at_end()
    turn.finish()


async def test_past_conversation_is_read_only(
    talker: Visitor, rpc: RpcSocket, command_agent: CommandAgent
) -> None:
    """At a past position there is what was said until then, and nothing to write with."""
    await say(talker, "hello")
    turn = await command_agent.next_turn()
    position = (await rpc.call("system.ping"))["position"]["seq"]
    turn.say("Good day")
    turn.finish()
    await shows(talker, [("user", "hello"), ("assistant", "Good day")])
    await talker.page.locator("#when").fill(str(position))
    await shows(talker, [("user", "hello")])
    await talker.page.get_by_text("It was being answered then.").wait_for()
    assert await talker.page.get_by_role("textbox", name="Message").count() == 0
    await talker.page.get_by_role("button", name="Now", exact=True).click()
    await shows(talker, [("user", "hello"), ("assistant", "Good day")])


async def test_markup_is_text(talker: Visitor, command_agent: CommandAgent) -> None:
    """Markup and control characters are shown as text; a long one is cut, and can be seen."""
    await say(talker, "<img src=x onerror=alert(1)>\u202eabc")
    turn = await command_agent.next_turn()
    turn.say(json.dumps({"text": "<b>x</b>" + "y" * 500_000}))
    turn.finish()
    await talker.page.get_by_text("<img src=x onerror=alert(1)>\ufffdabc").first.wait_for()
    await talker.page.get_by_role("button", name="Show all (500,008 characters)").click()
    await talker.page.get_by_role("dialog").wait_for()
    assert await talker.overflow() <= 0


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_axe_finds_nothing_in_a_conversation(
    talker: Visitor, command_agent: CommandAgent, scheme: Literal["light", "dark"]
) -> None:
    """With an open turn, its tools, a message in line and one that was refused."""
    await talker.page.emulate_media(color_scheme=scheme)
    await say(talker, "first")
    turn = await command_agent.next_turn()
    tool = {"phase": "start", "toolCallId": "t1", "name": "search", "args": {"query": "lamp"}}
    turn.say(json.dumps({"tool": tool}))
    turn.say(json.dumps({"text": "Look:\n```\nlamp\n```\n"}))
    await talker.page.locator(".tool-lines").wait_for()
    await say(talker, "second")
    await talker.page.locator('[data-state="queued"]').wait_for()
    await talker.page.get_by_role("radio", name="Refuse").check()
    await say(talker, "third")
    await talker.page.locator('[data-state="refused"]').wait_for()
    assert await serious_findings(talker) == []
