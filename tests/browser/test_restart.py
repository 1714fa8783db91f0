"""The daemon is killed and comes back while pages show a streaming turn."""

import json
from collections.abc import Awaitable, Callable, Iterable
from typing import Any

import pytest
from playwright.async_api import Browser

from tests.browser.sockets import Sockets
from tests.browser.visitor import Visitor, visiting
from tests.clients.command_agent import CommandAgent, CommandTurn
from tests.clients.guests import Guests
from tests.clients.rpc import RpcSocket
from tests.clients.waiting import eventually
from tests.conftest import StartDaemon
from tests.daemon import Daemon


SESSION = "agent:main:main"

LISTEN = """() => {
  window.told = [];
  new MutationObserver((changes) => {
    for (const { addedNodes } of changes) {
      for (const node of addedNodes) window.told.push(node.textContent);
    }
  }).observe(document.querySelector(".notices"), { childList: true });
}"""
"""Keeps the notices of a page, which are shown for some seconds only."""

MESSAGES = """() => [...document.querySelectorAll(".messages > .message")].map((message) =>
  [message.dataset.role, message.querySelector(".bubble").innerText.trim()])"""

TURNS = """() => [...document.querySelectorAll(".waterfall > ol > .turn")].map((turn) =>
  [turn.dataset.kind, turn.querySelector(".turn-label").lastChild.textContent])"""

GONE = ("WebSocket", "ERR_CONNECTION", "request failed")
"""What a browser says of a daemon that is not there."""


def forgive(visitor: Visitor) -> None:
    """Take out what had to go wrong."""
    visitor.wrong[:] = [text for text in visitor.wrong if not any(word in text for word in GONE)]


def same_port(daemon: Daemon) -> list[str]:
    """Give the arguments with which a daemon listens where this one does."""
    host, port = daemon.address("hubbub")
    return ["--listen", f"hubbub={host}:{port}"]


def seen(visitor: Visitor, script: str, wanted: Any) -> Callable[[], Awaitable[bool]]:
    """Make a look at whether a page shows what is wanted."""

    async def look() -> bool:
        return bool(await visitor.call(script) == wanted)

    return look


def shown_message(message: dict[str, Any]) -> list[str]:
    """Give a stored message as the page has to show it."""
    text = "".join(block["text"] for block in message["content"])
    return [message["role"], text or f"✗ {message['errorMessage']}"]


def shown_turn(turn: dict[str, Any]) -> list[str]:
    """Give a turn of a trace as the page has to show it."""
    return ["answer", turn["output"]] if turn.get("output") else ["prompt", turn["prompt"]]


async def caught_up(visitor: Visitor, sockets: Sockets, rpc: RpcSocket) -> None:
    """Wait for the notice, and hold it against the journal and what the sockets carried."""
    (notice,) = await eventually(lambda: visitor.call("window.told"), what="the notice")
    first, newest = sockets.all[0], sockets.newest
    after = newest.asked("topics.subscribe")["after"]
    goal = newest.answered("system.ping")["position"]
    page = await rpc.call("journal.read", {"after": after, "limit": 1000})
    missed = [event["seq"] for event in page["events"] if event["seq"] <= goal["seq"]]
    assert missed
    assert notice == f"Connected again: caught up {len(missed)} events."

    begin = first.answered("room.snapshot")["position"]["seq"]
    assert after["seq"] == [begin, *first.seqs][-1]
    seqs = [begin, *first.seqs, *newest.seqs]
    assert seqs == [*range(begin, begin + len(seqs))]


async def ask_twice(talker: Visitor, agent: CommandAgent) -> CommandTurn:
    """Send two messages from the page; give the turn of the first, which has begun to speak."""
    box = talker.page.get_by_role("textbox", name="Message")
    await box.fill("Tell me a story")
    await box.press("Enter")
    turn = await agent.next_turn()
    turn.say(json.dumps({"text": "Once upon a time"}))
    await talker.page.get_by_text("Once upon a time").wait_for()
    await box.fill("And another one")
    await box.press("Enter")
    await talker.page.locator('[data-state="queued"]').wait_for()
    return turn


async def go_and_come_back(daemon: Daemon, pages: Iterable[Visitor], agent: CommandAgent) -> None:
    """Kill the daemon; let more happen where the pages do not find it; bring it back to them."""
    port = same_port(daemon)
    daemon.kill()
    for visitor in pages:
        await visitor.page.locator(".link-state", has_text="no connection").wait_for()
    await daemon.start()
    await agent.next_turn()
    async with await RpcSocket.connect(daemon) as rpc:
        third = {"session": SESSION, "message": "And a third", "idempotency_key": "third"}
        await rpc.call("chat.send", third)
    daemon.kill()
    daemon.args += port
    await daemon.start()


async def shows_what_is_stored(
    talker: Visitor, watcher: Visitor, rpc: RpcSocket, run_id: str
) -> None:
    """Hold the conversation and the trace that are shown against those in the store."""
    history = await rpc.call("chat.history", {"session": SESSION})
    assert [message["role"] for message in history["messages"]] == ["user", "assistant"] * 3
    messages = [shown_message(message) for message in history["messages"]]
    await eventually(seen(talker, MESSAGES, messages), what=f"{messages}")
    trace = await rpc.call("runs.trace", {"run_id": run_id})
    turns = [shown_turn(turn) for turn in trace["turns"]]
    await eventually(seen(watcher, TURNS, turns), what=f"{turns}")
    assert not await watcher.page.locator(".live").is_visible()


@pytest.mark.timeout(180)
async def test_page_comes_back_to_a_turn_that_was_killed(
    browser: Browser, start_daemon: StartDaemon, guests: Guests, command_agent: CommandAgent
) -> None:
    """Nothing is missing or doubled after two SIGKILLs, and the pages say what they caught up."""
    daemon = await start_daemon(command_agent.agent_config())
    async with visiting(browser, daemon) as talker, visiting(browser, daemon) as watcher:
        pages = {talker: Sockets(talker.page), watcher: Sockets(watcher.page)}
        await talker.open("chat", SESSION)
        turn = await ask_twice(talker, command_agent)
        rpc = await guests.rpc(daemon)
        (story, _) = (await rpc.call("chat.history", {"session": SESSION}))["running"]
        await watcher.open("runs", story["run_id"])
        turn.say(json.dumps({"text": ", far away"}))
        for visitor in pages:
            await visitor.page.get_by_text("Once upon a time, far away").wait_for()
            await visitor.has_seen((await rpc.call("system.ping"))["position"]["seq"])
            await visitor.call(LISTEN)

        await go_and_come_back(daemon, pages, command_agent)

        rpc = await guests.rpc(daemon)
        again = await command_agent.next_turn()
        for visitor, sockets in pages.items():
            await caught_up(visitor, sockets, rpc)
        again.say(json.dumps({"text": "Of a fox"}))
        await talker.page.get_by_text("Of a fox").wait_for()
        again.finish()
        await watcher.page.locator(".run-head", has_text="incomplete").wait_for()
        await talker.page.locator(".live-mark").wait_for(state="detached")
        await shows_what_is_stored(talker, watcher, rpc, story["run_id"])
        for visitor in pages:
            forgive(visitor)
